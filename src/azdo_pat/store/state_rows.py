"""Rows of the state file and the values that they stand for."""

import sqlite3
from datetime import UTC, datetime

from azdo_pat.models import Intent, Origin, StoredPat
from azdo_pat.store.documents import read_texts, written_texts
from azdo_pat.store.upkeep import read_upkeep, written_upkeep
from azdo_pat.upkeep import NO_UPKEEP


def insert_intent(connection: sqlite3.Connection, intent: Intent) -> int:
    """Insert an entry of the journal and return its key."""
    cursor = connection.execute(
        "INSERT INTO journal (operation, org_url, org, name, scopes, valid_to, started,"
        " authorization_id, mark, user, reason, upkeep, follow_up, new_name, entry, looked)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            intent.operation,
            intent.org_url,
            intent.org,
            intent.name,
            written_texts(intent.scopes),
            written_moment(intent.valid_to),
            written_moment(intent.started),
            intent.authorization_id,
            intent.mark,
            intent.user,
            intent.reason,
            written_upkeep(intent.upkeep),
            _written_follow_up(intent.follow_up),
            intent.new_name,
            _written_entry(intent.entry),
            None if intent.looked is None else written_moment(intent.looked),
        ),
    )
    key = cursor.lastrowid
    assert key is not None  # noqa: S101 - sqlite3 sets it after every INSERT
    return key


def insert_token(connection: sqlite3.Connection, pat: StoredPat) -> None:
    """Insert a token, in place of the one of the same organization and name."""
    connection.execute(
        "INSERT OR REPLACE INTO tokens VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            pat.org_url,
            pat.org,
            pat.name,
            pat.id,
            written_texts(pat.scopes),
            None if pat.created is None else written_moment(pat.created),
            None if pat.expires is None else written_moment(pat.expires),
            pat.stored,
            pat.origin.value,
            written_upkeep(pat.upkeep),
            pat.fingerprint,
        ),
    )
    if pat.id is not None and pat.origin is Origin.PAT:
        insert_made(connection, pat.id)


def insert_made(connection: sqlite3.Connection, authorization_id: str) -> None:
    """Note that `pat` made a token on this machine."""
    connection.execute("INSERT OR IGNORE INTO made VALUES (?)", (authorization_id.lower(),))


def stored_pat(row: sqlite3.Row) -> StoredPat:
    """Read a token.

    Raises:
        ValueError: the row makes no sense.
        TypeError: the same.
    """
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
        fingerprint=_newer(row, "fingerprint", ""),
    )


def _written_entry(entry: StoredPat | None) -> str | None:
    """Write what of it is not the same as in the entry of the journal that it is part of."""
    if entry is None:
        return None
    import json  # noqa: PLC0415 - a look at what is stored needs none of it

    return json.dumps(
        {
            "id": entry.id,
            "scopes": entry.scopes,
            "created": None if entry.created is None else written_moment(entry.created),
            "expires": None if entry.expires is None else written_moment(entry.expires),
            "origin": entry.origin.value,
            "upkeep": written_upkeep(entry.upkeep),
        }
    )


def _with_entry(intent: Intent, text: str | None) -> Intent:
    if not text:
        return intent
    import json  # noqa: PLC0415 - as above

    document = json.loads(text)
    created, expires = document.get("created"), document.get("expires")
    entry = StoredPat(
        org_url=intent.org_url,
        org=intent.org,
        name=intent.name,
        id=document.get("id"),
        scopes=tuple(map(str, document.get("scopes"))),
        created=None if created is None else datetime.fromisoformat(created),
        expires=None if expires is None else datetime.fromisoformat(expires),
        origin=Origin(document.get("origin")),
        upkeep=read_upkeep(document.get("upkeep")),
        fingerprint=intent.mark,
    )
    return intent._replace(entry=entry)


def _written_follow_up(follow_up: Intent | None) -> str | None:
    """Write what of it is not the same as in the entry that it follows."""
    if follow_up is None:
        return None
    import json  # noqa: PLC0415 - a look at what is stored needs none of it

    return json.dumps(
        {
            "operation": follow_up.operation,
            "valid_to": written_moment(follow_up.valid_to),
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


def read_intent(row: sqlite3.Row) -> Intent:
    """Read an entry of the journal.

    Raises:
        ValueError: the row makes no sense.
        TypeError: the same.
    """
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
        looked=datetime.fromisoformat(looked) if (looked := _newer(row, "looked", "")) else None,
        key=row["key"],
    )
    intent = _with_entry(intent, _newer(row, "entry", ""))
    return _with_follow_up(intent, _newer(row, "follow_up", ""))


def _newer(row: sqlite3.Row, column: str, otherwise: str) -> str:
    """Return a column that a file of an earlier version does not have."""
    found = row[column] if column in row.keys() else None  # noqa: SIM118 - a Row is no dict
    return otherwise if found is None else str(found)


def written_moment(moment: datetime) -> str:
    """Write an aware time as RFC 3339 in UTC, to the microsecond if it has any."""
    if moment.tzinfo is None:
        msg = "a time without a zone cannot be remembered"
        raise ValueError(msg)
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
