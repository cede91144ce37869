"""What this machine remembers: tokens (never a secret), organizations, operations under way."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from azdo_pat.errors import ConflictError
from azdo_pat.models import Intent, Organization, Origin, StoredPat
from azdo_pat.naming import as_argument
from azdo_pat.store.database import SCHEMA_VERSION, Database
from azdo_pat.store.documents import read_texts, written_texts
from azdo_pat.store.upkeep import read_upkeep, written_upkeep
from azdo_pat.upkeep import NO_UPKEEP


class State:
    """The state file. Reading never creates it; every write is one transaction.

    All methods raise `StoreError` where the file cannot be used.
    """

    def __init__(self, path: Path) -> None:
        self._database = Database(path)

    def find(self, org_url: str, name: str) -> StoredPat | None:
        """Return what is known of a token by its organization's URL and exact name."""
        found = self._tokens(
            "SELECT * FROM tokens WHERE org_url = :org_url AND name = :name",
            org_url=org_url,
            name=name,
        )
        return found[0] if found else None

    def find_by_id(self, prefix: str) -> tuple[StoredPat, ...]:
        """Return the tokens whose authorization id begins so, in either case of letters."""
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
        """Note a token, in place of the one of the same organization and name."""
        with self._database.writing() as connection:
            _insert_token(connection, pat)

    def rename(self, org_url: str, old: str, new: str) -> None:
        """Give a known token another name; nothing happens where `old` is unknown.

        Raises:
            ConflictError: another token is known by the new name.
        """
        with self._database.writing() as connection:
            try:
                connection.execute(
                    "UPDATE tokens SET name = ? WHERE org_url = ? AND name = ?",
                    (new, org_url, old),
                )
            except sqlite3.IntegrityError as error:
                raise ConflictError(
                    f"there is another token named {new!r} in {org_url}",
                    hint=f"run: pat forget {as_argument(new)}",
                ) from error

    def forget(self, org_url: str, name: str) -> None:
        """Drop what is known of a token; that this machine made it stays known."""
        with self._database.writing() as connection:
            connection.execute("DELETE FROM tokens WHERE org_url = ? AND name = ?", (org_url, name))

    def check_writable(self) -> None:
        """Hold that it can be written.

        Raises:
            StoreError: it cannot.
        """
        with self._database.writing() as connection:
            # SQLite finds out only when it writes.
            connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")

    def made(self) -> frozenset[str]:
        """Return the ids of the tokens that `pat` made on this machine, forgotten ones included.

        They are in lower case.
        """
        with self._rows("SELECT authorization_id FROM made") as rows:
            return frozenset(row["authorization_id"] for row in rows)

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
        """Note the user's organizations below an API root, in place of those noted before."""
        with self._database.writing() as connection:
            connection.execute("DELETE FROM organizations WHERE api_root = ?", (api_root,))
            connection.executemany(
                "INSERT INTO organizations VALUES (?, ?, ?, ?, ?, ?)",
                [
                    (api_root, position, one.name, one.url, one.id, one.hosted)
                    for position, one in enumerate(organizations)
                ],
            )

    def begin(self, intent: Intent) -> int:
        """Open an entry of the journal and return its key; on disk when this returns."""
        with self._database.writing() as connection:
            return _insert_intent(connection, intent)

    def note(self, key: int, authorization_id: str, mark: str = "") -> None:
        """Write into an entry of the journal which token the operation made, and its mark."""
        with self._database.writing() as connection:
            connection.execute(
                "UPDATE journal SET authorization_id = ?, mark = ? WHERE key = ?",
                (authorization_id, mark, key),
            )
            _insert_made(connection, authorization_id)

    def finish(
        self, key: int | None, pat: StoredPat | None = None, then: Intent | None = None
    ) -> int | None:
        """Close an entry of the journal; in the same transaction remember its token, open the next.

        Args:
            key: None where there is none to close.
            pat: what to remember.
            then: what is left to do.

        Returns:
            The key of the entry that `then` became.
        """
        with self._database.writing() as connection:
            if pat is not None:
                _insert_token(connection, pat)
            connection.execute("DELETE FROM journal WHERE key = ?", (key,))
            return None if then is None else _insert_intent(connection, then)

    def explain(self, key: int, reason: str) -> None:
        """Write into an entry of the journal why it could not be brought to its end."""
        with self._database.writing() as connection:
            connection.execute("UPDATE journal SET reason = ? WHERE key = ?", (reason, key))

    def unfinished(self, org_url: str | None = None, name: str | None = None) -> tuple[Intent, ...]:
        """Return the journal's open entries, oldest first; of one organization or name only."""
        query = (
            "SELECT * FROM journal WHERE (:org_url IS NULL OR org_url = :org_url)"
            " AND (:name IS NULL OR name = :name) ORDER BY key"
        )
        with self._rows(query, org_url=org_url, name=name) as rows:
            return tuple(_intent(row) for row in rows)

    def _tokens(self, query: str, **values: str | None) -> tuple[StoredPat, ...]:
        with self._rows(query, **values) as rows:
            return tuple(_stored_pat(row) for row in rows)

    @contextmanager
    def _rows(self, query: str, **values: str | None) -> Iterator[list[sqlite3.Row]]:
        """Give a query's rows, none where there is no file; nonsense in one is a damaged file."""
        with self._database.reading() as connection:
            rows = [] if connection is None else connection.execute(query, values).fetchall()
        try:
            yield rows
        except (ValueError, TypeError) as error:
            raise self._database.damaged(str(error)) from error


def _insert_intent(connection: sqlite3.Connection, intent: Intent) -> int:
    cursor = connection.execute(
        "INSERT INTO journal (operation, org_url, org, name, scopes, valid_to, started,"
        " authorization_id, user, reason, upkeep, follow_up, new_name)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            intent.operation,
            intent.org_url,
            intent.org,
            intent.name,
            written_texts(intent.scopes),
            _written(intent.valid_to),
            _written(intent.started),
            intent.authorization_id,
            intent.user,
            intent.reason,
            written_upkeep(intent.upkeep),
            _written_follow_up(intent.follow_up),
            intent.new_name,
        ),
    )
    key = cursor.lastrowid
    assert key is not None  # noqa: S101 - sqlite3 sets it after every INSERT
    return key


def _insert_token(connection: sqlite3.Connection, pat: StoredPat) -> None:
    connection.execute(
        "INSERT OR REPLACE INTO tokens VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            pat.org_url,
            pat.org,
            pat.name,
            pat.id,
            written_texts(pat.scopes),
            None if pat.created is None else _written(pat.created),
            None if pat.expires is None else _written(pat.expires),
            pat.stored,
            pat.origin.value,
            written_upkeep(pat.upkeep),
        ),
    )
    if pat.id is not None and pat.origin is Origin.PAT:
        _insert_made(connection, pat.id)


def _insert_made(connection: sqlite3.Connection, authorization_id: str) -> None:
    connection.execute("INSERT OR IGNORE INTO made VALUES (?)", (authorization_id.lower(),))


def _stored_pat(row: sqlite3.Row) -> StoredPat:
    return StoredPat(
        org_url=row["org_url"],
        org=row["org"],
        name=row["name"],
        id=row["id"],
        scopes=read_texts(row["scopes"]),
        created=None if row["created"] is None else datetime.fromisoformat(row["created"]),
        expires=None if row["expires"] is None else datetime.fromisoformat(row["expires"]),
        stored=bool(row["stored"]),
        origin=Origin(row["origin"]),
        upkeep=read_upkeep(_newer(row, "upkeep", "{}")),
    )


def _written_follow_up(follow_up: Intent | None) -> str | None:
    """Write what of it is not the same as in the entry that it follows."""
    if follow_up is None:
        return None
    import json  # noqa: PLC0415 - a look at what is stored needs none of it

    return json.dumps(
        {
            "operation": follow_up.operation,
            "valid_to": _written(follow_up.valid_to),
            "authorization_id": follow_up.authorization_id,
        }
    )


def _with_follow_up(intent: Intent, text: str | None) -> Intent:
    if not text:
        return intent
    import json  # noqa: PLC0415 - as above

    document = json.loads(text)
    follow_up = intent._replace(
        operation=str(document.get("operation")),
        valid_to=datetime.fromisoformat(document.get("valid_to")),
        authorization_id=document.get("authorization_id"),
        mark="",
        reason="",
        upkeep=NO_UPKEEP,
        key=None,
    )
    return intent._replace(follow_up=follow_up)


def _intent(row: sqlite3.Row) -> Intent:
    intent = Intent(
        operation=row["operation"],
        org_url=row["org_url"],
        org=row["org"],
        name=row["name"],
        scopes=read_texts(row["scopes"]),
        valid_to=datetime.fromisoformat(row["valid_to"]),
        started=datetime.fromisoformat(row["started"]),
        authorization_id=row["authorization_id"],
        mark=row["mark"],
        user=_newer(row, "user", ""),
        reason=_newer(row, "reason", ""),
        upkeep=read_upkeep(_newer(row, "upkeep", "{}")),
        new_name=_newer(row, "new_name", ""),
        key=row["key"],
    )
    return _with_follow_up(intent, _newer(row, "follow_up", ""))


def _newer(row: sqlite3.Row, column: str, otherwise: str) -> str:
    """Return a column that a file of an earlier version does not have."""
    found = row[column] if column in row.keys() else None  # noqa: SIM118 - a Row is no dict
    return otherwise if found is None else str(found)


def _written(moment: datetime) -> str:
    """Write an aware time as RFC 3339 in UTC, to the microsecond if it has any."""
    if moment.tzinfo is None:
        msg = "a time without a zone cannot be remembered"
        raise ValueError(msg)
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
