"""A keyring whose reads take the same time however many secrets it holds."""

import os
import sqlite3
from contextlib import closing
from typing import ClassVar

from keyring.backend import KeyringBackend


class Keyring(KeyringBackend):
    """Secrets in the SQLite file that BENCHMARK_KEYRING names; for benchmarks alone."""

    priority: ClassVar[float] = -1  # only who names it gets it

    def get_password(self, service: str, username: str) -> str | None:
        """Return a secret, or None."""
        with closing(self._file()) as file:
            query = "SELECT secret FROM secrets WHERE service = ? AND username = ?"
            row = file.execute(query, (service, username)).fetchone()
        return None if row is None else str(row[0])

    def set_password(self, service: str, username: str, password: str) -> None:
        """Store a secret."""
        self.fill([(service, username, password)])

    def delete_password(self, service: str, username: str) -> None:
        """Delete a secret."""
        with closing(self._file()) as file, file:
            query = "DELETE FROM secrets WHERE service = ? AND username = ?"
            file.execute(query, (service, username))

    def fill(self, rows: list[tuple[str, str, str]]) -> None:
        """Store many secrets at once: service, user name, secret."""
        with closing(self._file()) as file, file:
            file.executemany("INSERT OR REPLACE INTO secrets VALUES (?, ?, ?)", rows)

    def _file(self) -> sqlite3.Connection:
        file = sqlite3.connect(os.environ["BENCHMARK_KEYRING"])
        file.execute(
            "CREATE TABLE IF NOT EXISTS secrets (service, username, secret,"
            " PRIMARY KEY (service, username))"
        )
        return file
