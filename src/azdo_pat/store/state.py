"""The state file: the index of tokens (never a secret), organizations, and the journal.

The journal is mostly empty. What reads and writes its operations takes 7 ms to import, so only a
run that has one imports it.
"""

from __future__ import annotations

import sqlite3
from contextlib import contextmanager
from typing import TYPE_CHECKING

from azdo_pat.command_lines import pat_command
from azdo_pat.errors import ConflictError
from azdo_pat.models import Organization, StoredPat
from azdo_pat.store.database import SCHEMA_VERSION, Database
from azdo_pat.store.token_rows import insert_made, insert_token, stored_pat, written_moment

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime
    from pathlib import Path

    from azdo_pat.journal import Operation
    from azdo_pat.renewal import LastDelivery


class State:
    """The state file. Reading never creates it; every write is one transaction.

    All methods raise `StoreError` if the file cannot be used.
    """

    def __init__(self, path: Path) -> None:
        self._database = Database(path)

    def find(self, org_url: str, name: str) -> StoredPat | None:
        """Return the index entry of a token by its organization's URL and exact name."""
        found = self._tokens(
            "SELECT * FROM tokens WHERE org_url = :org_url AND name = :name",
            org_url=org_url,
            name=name,
        )
        return found[0] if found else None

    def find_by_id(self, prefix: str) -> tuple[StoredPat, ...]:
        """Return the tokens whose authorization id has this prefix, ignoring case."""
        return self._tokens(
            "SELECT * FROM tokens WHERE substr(lower(id), 1, length(:prefix)) = lower(:prefix)"
            " ORDER BY org_url, name",
            prefix=prefix,
        )

    def stored(self, org_url: str | None = None) -> tuple[StoredPat, ...]:
        """Return all known tokens, or those of one organization, by organization and name."""
        return self._tokens(
            "SELECT * FROM tokens WHERE :org_url IS NULL OR org_url = :org_url"
            " ORDER BY org_url, name",
            org_url=org_url,
        )

    def remember(self, pat: StoredPat) -> None:
        """Index a token, replacing the one of the same organization and name."""
        with self._database.writing() as connection:
            insert_token(connection, pat)

    def rename(self, org_url: str, old: str, new: str) -> None:
        """Rename a token in the index; do nothing if `old` is unknown.

        Raises:
            ConflictError: another token is known by the new name.
        """
        with self._database.writing() as connection:
            try:
                for table in ("tokens", "delivered"):
                    connection.execute(
                        f"UPDATE {table} SET name = ? WHERE org_url = ? AND name = ?",  # noqa: S608 - one of two names
                        (new, org_url, old),
                    )
            except sqlite3.IntegrityError as error:
                raise ConflictError(
                    f"another token is named {new!r} in {org_url}",
                    hint=f"to delete its secret, run: {pat_command('forget', new)}",
                ) from error

    def forget(self, org_url: str, name: str, *, key: int | None = None) -> None:
        """Delete a token from the index, but not the fact that `pat` created it.

        Args:
            org_url: the URL of its organization.
            name: its name in the index.
            key: an entry of the journal to close in the same transaction.
        """
        with self._database.writing() as connection:
            connection.execute("DELETE FROM tokens WHERE org_url = ? AND name = ?", (org_url, name))
            connection.execute(
                "DELETE FROM delivered WHERE org_url = ? AND name = ?", (org_url, name)
            )
            connection.execute("DELETE FROM journal WHERE key = ?", (key,))

    def check_writable(self) -> None:
        """Check that the file can be written.

        Raises:
            StoreError: it cannot.
        """
        with self._database.writing() as connection:
            # SQLite detects it only when writing.
            connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")

    def made(self) -> frozenset[str]:
        """Return the ids of all tokens that `pat` created on this machine, even forgotten ones.

        They are in lower case.
        """
        with self._rows("SELECT authorization_id FROM made") as rows:
            return frozenset(row["authorization_id"] for row in rows)

    def dismissed(self) -> frozenset[str]:
        """Return the ids of tokens of which the user said that no interrupted command made them.

        They are in lower case.
        """
        if not self._has_table("dismissed"):
            return frozenset()
        with self._rows("SELECT authorization_id FROM dismissed") as rows:
            return frozenset(row["authorization_id"] for row in rows)

    def dismiss(self, authorization_id: str) -> None:
        """Record that a token was not created by an interrupted command."""
        with self._database.writing() as connection:
            connection.execute(
                "INSERT OR IGNORE INTO dismissed VALUES (?)", (authorization_id.lower(),)
            )

    def last_deliveries(
        self, org_url: str | None = None, name: str | None = None
    ) -> tuple[LastDelivery, ...]:
        """Return the last delivery to each target, to earlier ones too; optionally of one token."""
        if not self._has_table("delivered"):
            return ()
        query = (
            "SELECT * FROM delivered WHERE (:org_url IS NULL OR org_url = :org_url)"
            " AND (:name IS NULL OR name = :name)"
        )
        with self._rows(query, org_url=org_url, name=name) as rows:
            if not rows:
                return ()
            from azdo_pat.store.target_codec import last_delivery  # noqa: PLC0415 - see there

            return tuple(map(last_delivery, rows))

    def note_delivery(self, last: LastDelivery) -> None:
        """Record the last delivery of a token's secret to a target."""
        from azdo_pat.store.target_codec import target_text  # noqa: PLC0415 - see there

        with self._database.writing() as connection:
            connection.execute(
                "INSERT OR REPLACE INTO delivered VALUES (?, ?, ?, ?, ?, ?)",
                (
                    last.org_url,
                    last.name,
                    target_text(last.target),
                    written_moment(last.at),
                    last.fingerprint,
                    last.reason,
                ),
            )

    def organizations(self, api_root: str) -> tuple[Organization, ...]:
        """Return the signed-in user's organizations as last seen, in the order of that time."""
        query = "SELECT * FROM organizations WHERE api_root = :api_root ORDER BY position"
        with self._rows(query, api_root=api_root) as rows:
            return tuple(
                Organization(
                    name=row["name"], url=row["url"], id=row["id"], hosted=bool(row["hosted"])
                )
                for row in rows
            )

    def remember_organizations(self, api_root: str, organizations: Sequence[Organization]) -> None:
        """Save the user's organizations under an API root, replacing the previous ones."""
        with self._database.writing() as connection:
            connection.execute("DELETE FROM organizations WHERE api_root = ?", (api_root,))
            connection.executemany(
                "INSERT INTO organizations VALUES (?, ?, ?, ?, ?, ?)",
                [
                    (api_root, position, one.name, one.url, one.id, one.hosted)
                    for position, one in enumerate(organizations)
                ],
            )

    def begin(self, operation: Operation) -> int:
        """Open an entry of the journal and return its key; on disk when this returns."""
        from azdo_pat.store.journal_codec import insert_operation  # noqa: PLC0415 - see above

        with self._database.writing() as connection:
            return insert_operation(connection, operation)

    def note(self, key: int, authorization_id: str, fingerprint: str = "") -> None:
        """Record the created token, and its secret's fingerprint, in an entry of the journal."""
        with self._database.writing() as connection:
            connection.execute(
                "UPDATE journal SET authorization_id = ?, mark = ? WHERE key = ?",
                (authorization_id, fingerprint, key),
            )
            insert_made(connection, authorization_id)

    def finish(
        self, key: int | None, pat: StoredPat | None = None, then: Operation | None = None
    ) -> int | None:
        """Close an entry of the journal; in the same transaction index its token and open the next.

        Args:
            key: None for none to close.
            pat: the index entry to save.
            then: the follow-up operation.

        Returns:
            The key of the entry of `then`.
        """
        with self._database.writing() as connection:
            if pat is not None:
                insert_token(connection, pat)
            connection.execute("DELETE FROM journal WHERE key = ?", (key,))
            if then is None:
                return None
            from azdo_pat.store.journal_codec import insert_operation  # noqa: PLC0415 - see above

            return insert_operation(connection, then)

    def explain(self, key: int, reason: str) -> None:
        """Record in an entry of the journal why it could not be completed."""
        with self._database.writing() as connection:
            connection.execute("UPDATE journal SET reason = ? WHERE key = ?", (reason, key))

    def note_search(self, key: int, searched: datetime) -> None:
        """Record in an entry of the journal when its token was first searched for and not found."""
        with self._database.writing() as connection:
            connection.execute(
                "UPDATE journal SET looked = ? WHERE key = ?", (written_moment(searched), key)
            )

    def unfinished(
        self, org_url: str | None = None, name: str | None = None
    ) -> tuple[Operation, ...]:
        """Return the open entries of the journal, oldest first; optionally of one name only."""
        query = (
            "SELECT * FROM journal WHERE (:org_url IS NULL OR org_url = :org_url)"
            " AND (:name IS NULL OR name = :name) ORDER BY key"
        )
        with self._rows(query, org_url=org_url, name=name) as rows:
            if not rows:
                return ()
            from azdo_pat.store.journal_codec import read_operation  # noqa: PLC0415 - see above

            return tuple(read_operation(row) for row in rows)

    def _has_table(self, name: str) -> bool:
        """Return whether the file has a table, which one of an earlier version may lack."""
        query = "SELECT name FROM sqlite_master WHERE name = :name"
        with self._rows(query, name=name) as tables:
            return bool(tables)

    def _tokens(self, query: str, **values: str | None) -> tuple[StoredPat, ...]:
        with self._rows(query, **values) as rows:
            return tuple(stored_pat(row) for row in rows)

    @contextmanager
    def _rows(self, query: str, **values: str | None) -> Iterator[list[sqlite3.Row]]:
        """Yield a query's rows, none without a file; an invalid row means a damaged file."""
        with self._database.reading() as connection:
            rows = [] if connection is None else connection.execute(query, values).fetchall()
        try:
            yield rows
        except (ValueError, TypeError) as error:
            raise self._database.damaged(str(error)) from error
