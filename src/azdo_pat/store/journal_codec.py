"""Converts rows of the journal to operations, and back.

The columns are older than the types: one table holds all operations, and some columns are used by
several. Only this module knows which.
"""

import json
import sqlite3
from collections.abc import Mapping
from datetime import datetime
from typing import Final, TypeVar, assert_never

from azdo_pat.journal import (
    Create,
    Deliver,
    Exec,
    Forget,
    Import,
    JournalEntry,
    NewToken,
    Operation,
    Rename,
    Replaced,
    Revoke,
    RevokeReplaced,
    Rotate,
    TakeOver,
)
from azdo_pat.models import Organization, Origin, StoredPat
from azdo_pat.store.renewal_codec import read_renewal, written_renewal
from azdo_pat.store.token_rows import (
    newer,
    read_if_known,
    read_scopes,
    written_if_known,
    written_moment,
)

Value = TypeVar("Value")

_GLOBAL: Final = "global"
"""The mark of a replaced token that is valid for all of its user's organizations."""


def insert_operation(connection: sqlite3.Connection, operation: Operation) -> int:
    """Insert an operation and return the key of its entry."""
    entry = operation.entry
    columns: dict[str, str | None] = {
        "org_url": entry.organization.url,
        "org": entry.organization.name,
        "name": entry.name,
        "scopes": "[]",
        "valid_to": written_moment(entry.started),
        "started": written_moment(entry.started),
        "mark": "",
        "user": entry.user,
        "reason": entry.reason,
        **_columns(operation),
    }
    names, places = ", ".join(columns), ", ".join(f":{each}" for each in columns)
    cursor = connection.execute(
        f"INSERT INTO journal ({names}) VALUES ({places})",  # noqa: S608 - our own column names
        columns,
    )
    key = cursor.lastrowid
    assert key is not None  # noqa: S101 - sqlite3 sets it after every INSERT
    return key


def read_operation(row: sqlite3.Row) -> Operation:  # noqa: C901, PLR0911 - one line for each operation
    """Read an operation.

    Raises:
        ValueError: the row makes no sense.
        TypeError: the same.
    """
    entry = JournalEntry(
        organization=Organization(name=row["org"], url=row["org_url"]),
        name=row["name"],
        started=datetime.fromisoformat(row["started"]),
        user=newer(row, "user", ""),
        reason=newer(row, "reason", ""),
        key=row["key"],
    )
    identifier = row["authorization_id"]
    match row["operation"]:
        case "create" | "replace" as kind:
            return Create(entry, _new_token(row), overwrites=kind == "replace")
        case "rotate":
            return Rotate(entry, _new_token(row), _follow_up(newer(row, "follow_up", "")))
        case "exec":
            return Exec(entry, _new_token(row))
        case "deliver":
            return Deliver(entry, _replaced(identifier, row["valid_to"], row["mark"]))
        case "revoke":
            replaced = _replaced(identifier, row["valid_to"], row["mark"])
            return RevokeReplaced(entry, _required(replaced))
        case "end":
            return Revoke(entry, _required(identifier))
        case "move":
            return Rename(entry, _required(identifier), newer(row, "new_name", ""), _searched(row))
        case "import":
            return Import(entry, _stored(entry, row))
        case "take over":
            stored = _stored(entry, row)
            return TakeOver(entry, stored, _follow_up(newer(row, "follow_up", "")))
        case "forget":
            return Forget(entry, identifier, row["mark"])
        case unknown:
            msg = f"an operation {unknown!r} is not known"
            raise ValueError(msg)


def _columns(  # noqa: C901, PLR0911 - as above
    operation: Operation,
) -> Mapping[str, str | None]:
    """Return the columns specific to an operation's type."""
    match operation:
        case Create(new=new, overwrites=overwrites):
            return {"operation": "replace" if overwrites else "create", **_written_new(new)}
        case Rotate(new=new, replaced=replaced):
            return {"operation": "rotate", **_written_follow_up(replaced), **_written_new(new)}
        case Exec(new=new):
            return {"operation": "exec", **_written_new(new)}
        case Deliver(replaced=replaced):
            return {"operation": "deliver", **_written_replaced(replaced)}
        case RevokeReplaced(replaced=replaced):
            return {"operation": "revoke", **_written_replaced(replaced)}
        case Revoke(authorization_id=identifier):
            return {"operation": "end", "authorization_id": identifier}
        case Rename(authorization_id=identifier, new_name=new_name, searched=searched):
            columns = {"operation": "move", "authorization_id": identifier, "new_name": new_name}
            return columns | {"looked": written_if_known(searched)}
        case Import(stored=stored):
            return {"operation": "import", **_written_stored(stored)}
        case TakeOver(stored=stored, replaced=replaced):
            follow_up = _written_follow_up(replaced)
            return {"operation": "take over", **follow_up, **_written_stored(stored)}
        case Forget(authorization_id=authorization_id, fingerprint=fingerprint):
            return {
                "operation": "forget",
                "authorization_id": authorization_id,
                "mark": fingerprint,
            }
        case _:
            assert_never(operation)


def _written_new(new: NewToken) -> Mapping[str, str | None]:
    return {
        "scopes": json.dumps(new.scopes),
        "valid_to": written_moment(new.valid_to),
        "upkeep": written_renewal(new.renewal),
        "authorization_id": new.authorization_id,
        "mark": new.fingerprint,
        "looked": written_if_known(new.searched),
    }


def _new_token(row: sqlite3.Row) -> NewToken:
    return NewToken(
        scopes=read_scopes(row),
        valid_to=datetime.fromisoformat(row["valid_to"]),
        renewal=read_renewal(newer(row, "upkeep", "{}")),
        authorization_id=row["authorization_id"],
        fingerprint=row["mark"],
        searched=_searched(row),
    )


def _searched(row: sqlite3.Row) -> datetime | None:
    return read_if_known(newer(row, "looked", "") or None)


def _written_replaced(replaced: Replaced | None) -> Mapping[str, str | None]:
    if replaced is None:
        return {}
    return {
        "authorization_id": replaced.authorization_id,
        "valid_to": written_moment(replaced.due),
        "mark": _GLOBAL if replaced.is_global else "",
    }


def _written_follow_up(replaced: Replaced | None) -> Mapping[str, str | None]:
    return {"follow_up": replaced and json.dumps(_written_replaced(replaced))}


def _replaced(identifier: str | None, due: str, mark: str) -> Replaced | None:
    if identifier is None:
        return None
    return Replaced(identifier, datetime.fromisoformat(due), is_global=mark == _GLOBAL)


def _follow_up(text: str) -> Replaced | None:
    """Read which token a rotation or takeover replaces.

    Earlier versions also stored the follow-up here; the targets of the new token determine it.
    """
    if not text:
        return None
    document = json.loads(text)
    identifier, due = document.get("authorization_id"), document.get("valid_to")
    return _replaced(identifier, due, document.get("mark", ""))


def _written_stored(stored: StoredPat) -> Mapping[str, str | None]:
    scopes = json.dumps(stored.scopes)
    return {"mark": stored.fingerprint, "scopes": scopes, "entry": _written(stored)}


def _written(stored: StoredPat) -> str:
    """Serialize an entry without the values that its row already has."""
    return json.dumps(
        {
            "id": stored.id,
            "scopes": stored.scopes,
            "created": written_if_known(stored.created),
            "expires": written_if_known(stored.expires),
            "origin": stored.origin.value,
            "upkeep": written_renewal(stored.renewal),
            "global": stored.is_global,
        }
    )


def _stored(entry: JournalEntry, row: sqlite3.Row) -> StoredPat:
    document = json.loads(_required(newer(row, "entry", "") or None))
    return StoredPat(
        org_url=entry.organization.url,
        org=entry.organization.name,
        name=entry.name,
        id=document.get("id"),
        scopes=tuple(map(str, document.get("scopes"))),
        created=read_if_known(document.get("created")),
        expires=read_if_known(document.get("expires")),
        origin=Origin(document.get("origin")),
        renewal=read_renewal(document.get("upkeep")),
        fingerprint=row["mark"],
        is_global=bool(document.get("global")),
    )


def _required(value: Value | None) -> Value:
    if value is None:
        msg = "an entry of the journal lacks what its operation needs"
        raise ValueError(msg)
    return value
