"""Converts rows of tokens in the state file to values, and back."""

import json
import sqlite3
from datetime import datetime

from azdo_pat.models import Origin, StoredPat
from azdo_pat.store.renewal_codec import read_renewal, written_renewal
from azdo_pat.times import rfc3339


def insert_token(connection: sqlite3.Connection, pat: StoredPat) -> None:
    """Insert a token, replacing the one of the same organization and name."""
    connection.execute(
        "INSERT OR REPLACE INTO tokens VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            pat.org_url,
            pat.org,
            pat.name,
            pat.id,
            json.dumps(pat.scopes),
            written_if_known(pat.created),
            written_if_known(pat.expires),
            pat.stored,
            pat.origin.value,
            written_renewal(pat.renewal),
            pat.fingerprint,
            pat.is_global,
        ),
    )
    if pat.id is not None and pat.origin is Origin.PAT:
        insert_made(connection, pat.id)


def insert_made(connection: sqlite3.Connection, authorization_id: str) -> None:
    """Record that `pat` created a token on this machine."""
    connection.execute("INSERT OR IGNORE INTO made VALUES (?)", (authorization_id.lower(),))


def stored_pat(row: sqlite3.Row) -> StoredPat:
    """Read a token.

    Raises:
        ValueError: the row is invalid.
        TypeError: the same.
    """
    return StoredPat(
        org_url=row["org_url"],
        org=row["org"],
        name=row["name"],
        id=row["id"],
        scopes=read_scopes(row),
        created=read_if_known(row["created"]),
        expires=read_if_known(row["expires"]),
        stored=bool(row["stored"]),
        origin=Origin(row["origin"]),
        renewal=read_renewal(newer(row, "upkeep", "{}")),
        fingerprint=newer(row, "fingerprint", ""),
        is_global=newer(row, "is_global", "0") != "0",
    )


def read_scopes(row: sqlite3.Row) -> tuple[str, ...]:
    """Read the scopes of a row; raises as `stored_pat` does."""
    return tuple(map(str, json.loads(row["scopes"])))


def newer(row: sqlite3.Row, column: str, otherwise: str) -> str:
    """Return a column that files of earlier versions lack."""
    found = row[column] if column in row.keys() else None  # noqa: SIM118 - a Row is no dict
    return otherwise if found is None else str(found)


def written_moment(moment: datetime) -> str:
    """Format an aware time as RFC 3339 in UTC, with microseconds if it has any."""
    return rfc3339(moment, "auto")


def written_if_known(moment: datetime | None) -> str | None:
    """Format an aware time; None if it is not known."""
    return None if moment is None else written_moment(moment)


def read_if_known(text: str | None) -> datetime | None:
    """Read a time; None if it is not known."""
    return None if text is None else datetime.fromisoformat(text)
