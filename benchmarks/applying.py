"""`pat apply` with nothing due: 1,000 declared tokens against 10."""

import os
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from azdo_pat.models import StoredPat
from azdo_pat.store.secrets import service_name
from azdo_pat.store.state import State
from measuring import PAT, Bound, FailedError, Program, Result, compare
from sqlite_keyring import Keyring
from staging import bare_environment

ROUNDS = 12
ORGANIZATION = "https://dev.azure.com/contoso"


def measure(quick: int) -> Iterator[Result]:
    """Measure it; neither network nor sign-in is needed."""
    with tempfile.TemporaryDirectory() as folder:
        many, few = (_apply(Path(folder, str(count)), count) for count in (1000, 10))
        ratio, figures = compare("1,000 tokens", many, few, max(3, ROUNDS // quick))
        yield Result(
            measured="pat apply with nothing due, 1,000 tokens : 10 tokens",
            ratio=ratio,
            bound=Bound.AT_MOST,
            target=10,
            figures=figures,
        )


def _apply(home: Path, count: int) -> Program:
    """Return `pat apply` of a file whose tokens are all there, on a machine of its own."""
    home.mkdir()
    now = datetime.now(UTC)
    state = State(home / "state" / "state.db")
    names = [f"token-{number}" for number in range(count)]
    os.environ["BENCHMARK_KEYRING"] = str(home / "keyring.db")
    Keyring().fill(  # type: ignore[no-untyped-call]  # keyring's constructor
        [(service_name(ORGANIZATION), name, "x" * 84) for name in names]
    )
    for name in names:
        state.remember(
            StoredPat(
                org_url=ORGANIZATION,
                org="contoso",
                name=name,
                id=None,
                scopes=("vso.code",),
                created=now,
                expires=now + timedelta(days=300),
            )
        )
    file = home / "tokens.toml"
    lines = [f'[[token]]\nname = "{name}"\nscopes = ["code"]\nexpires = "1y"\n' for name in names]
    file.write_text("\n".join(lines), "utf-8")
    environment = {
        **bare_environment(home),
        "BENCHMARK_KEYRING": os.environ["BENCHMARK_KEYRING"],
        "PAT_KEYRING": "sqlite_keyring.Keyring",
        "PAT_ORG": "contoso",
        "PAT_STATE_DIR": str(home / "state"),
        "PYTHONPATH": str(Path(__file__).parent),
    }
    program = Program(
        argv=[PAT, "apply", str(file), "-o", "json", "--query", "[].outcome"],
        environment=environment,
    )
    if program.output().count('"kept"') != count:
        raise FailedError("something was due")
    return program
