"""The secret store in a process of its own: keyring chooses its backend once per process."""

import json
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

ORG = "https://dev.azure.com/contoso"
SCRIPT = """
import json, os, sys
from pathlib import Path
from azdo_pat.errors import StoreError
from azdo_pat.models import Secret
from azdo_pat.store.secrets import SecretStore
org, cache, *operations = sys.argv[1:]
store = SecretStore(
    backend=os.environ.get("PAT_KEYRING"), cache_file=Path(cache), environment=os.environ
)
for operation in operations:
    name, *arguments = json.loads(operation)
    try:
        if name == "put":
            answer = store.put(org, arguments[0], Secret(arguments[1]))
        elif name == "get":
            secret = store.get(org, *arguments)
            answer = None if secret is None else secret.reveal()
        elif name == "delete":
            answer = store.delete(org, *arguments)
        elif name == "loaded":
            answer = sorted({"keyring", "jeepney", "sqlite3", "filelock"} & set(sys.modules))
        else:
            answer = getattr(store, name)()
    except StoreError as error:
        answer = f"StoreError: {error}"
    print(json.dumps(answer), flush=True)
"""


@dataclass(frozen=True, kw_only=True)
class Answers:
    """What a child said.

    Attributes:
        values: what each operation returned, or its error as a text.
        stderr: what else was said; a child should be silent.
        seconds: from its start to its end.
    """

    values: list[object]
    stderr: str
    seconds: float


def run(environment: Mapping[str, str], cache: Path, *operations: tuple[str, ...]) -> Answers:
    """Run operations of one store: `("put", name, secret)`, `("get", name)`, `("loaded",)`…"""
    started = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, ORG, str(cache), *map(json.dumps, operations)],
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return Answers(
        values=[json.loads(line) for line in done.stdout.splitlines()],
        stderr=done.stderr,
        seconds=time.monotonic() - started,
    )
