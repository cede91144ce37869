"""Converts rows of tokens in the state file to values, and back."""

import sqlite3
from datetime import UTC, datetime

from azdo_pat.models import Origin, StoredPat
from azdo_pat.store.renewal_codec import read_renewal, written_renewal
from azdo_pat.store.text_lists import read_texts, written_texts


def insert_token(connection: sqlite3.Connection, pat: StoredPat) -> None:
    """Insert a token, replacing the one of the same organization and name."""
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
            written_renewal(pat.renewal),
            pat.fingerprint,
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
        scopes=read_texts(row["scopes"]),
        created=None if row["created"] is None else datetime.fromisoformat(row["created"]),
        expires=None if row["expires"] is None else datetime.fromisoformat(row["expires"]),
        stored=bool(row["stored"]),
        origin=Origin(row["origin"]),
        renewal=read_renewal(newer(row, "upkeep", "{}")),
        fingerprint=newer(row, "fingerprint", ""),
    )


def newer(row: sqlite3.Row, column: str, otherwise: str) -> str:
    """Return a column that files of earlier versions lack."""
    found = row[column] if column in row.keys() else None  # noqa: SIM118 - a Row is no dict
    return otherwise if found is None else str(found)


def written_moment(moment: datetime) -> str:
    """Format an aware time as RFC 3339 in UTC, with microseconds if it has any."""
    if moment.tzinfo is None:
        msg = "a time without a zone cannot be remembered"
        raise ValueError(msg)
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
