"""A keyring for sandboxes and tests: a plaintext file."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from keyring.backend import KeyringBackend
from keyring.compat import properties
from keyring.errors import PasswordDeleteError

from azdo_pat.errors import StoreError
from azdo_pat.files import replace_whole
from azdo_pat.store.locks import waiting

FILE_VARIABLE: Final = "PAT_THROWAWAY_KEYRING"
"""The environment variable that names the file."""

_LOCK_TIMEOUT: Final = 5.0


class SandboxKeyring(KeyringBackend):
    """Secrets in a JSON file, in plain text, for a sandbox and for tests.

    keyring makes its backends without arguments, so the file is named by the environment. No
    entry point announces this class and its priority is below that of keyring's null backend:
    only `PAT_KEYRING` (or keyring's own variable) leads here.
    """

    @properties.classproperty
    def priority(self) -> float:
        """Keep a scan from ever choosing it."""
        return -10

    def get_password(self, service: str, username: str) -> str | None:
        """Return the secret; None if there is none."""
        return _load(_file()).get(service, {}).get(username)

    def set_password(self, service: str, username: str, password: str) -> None:
        """Store the secret."""
        with _changing() as entries:
            entries.setdefault(service, {})[username] = password

    def delete_password(self, service: str, username: str) -> None:
        """Delete the secret; `PasswordDeleteError` if there is none."""
        with _changing() as entries:
            if entries.get(service, {}).pop(username, None) is None:
                raise PasswordDeleteError("No such password!")


def _file() -> Path:
    named = os.environ.get(FILE_VARIABLE)
    if not named:
        raise StoreError(
            f"{FILE_VARIABLE} does not name a file for the sandbox keyring", hint="run: pat sandbox"
        )
    return Path(named)


def _load(file: Path) -> dict[str, dict[str, str]]:
    try:
        text = file.read_text(encoding="utf-8")
    except FileNotFoundError:
        return {}
    loaded: dict[str, dict[str, str]] = json.loads(text)
    return loaded


@contextmanager
def _changing() -> Iterator[dict[str, dict[str, str]]]:
    """Yield the entries for changes, and write them back unless the block raises."""
    file = _file()
    with waiting(file.with_name(f"{file.name}.lock"), _LOCK_TIMEOUT):
        entries = _load(file)
        yield entries
        replace_whole(file, json.dumps(entries).encode(), mode=0o600)
