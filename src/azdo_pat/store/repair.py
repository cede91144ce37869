"""Moves a damaged state file aside, so that a new one can be used."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, suppress
from datetime import datetime
from pathlib import Path
from typing import Final

from azdo_pat.errors import StoreError
from azdo_pat.store.database import APPLICATION_ID, BUSY_TIMEOUT, UNREADABLE

_BESIDE: Final = ("-journal", "-wal", "-shm")
_DAMAGED: Final = "damaged"
_REBUILT: Final = "rebuilt"


def set_aside_if_damaged(file: Path, now: datetime) -> Path | None:
    """Move a damaged state file aside; return its new path, or None if nothing was done.

    A file of another program, or of a newer version, is not moved. One that cannot
    be moved is reported when it is used.
    """
    try:
        if not file.exists() or not _is_damaged(file):
            return None
    except OSError:
        return None  # opening it will report why it cannot be read
    from azdo_pat.store.locks import waiting  # noqa: PLC0415 - a good file needs no lock: 4 ms

    with suppress(StoreError, OSError), waiting(file.parent / "locks" / "state.lock", BUSY_TIMEOUT):
        if _is_damaged(file):  # another process may have done it
            return _moved(file, f"{_DAMAGED}-{now:%Y%m%dT%H%M%SZ}")
    return None


def set_aside(file: Path, now: datetime) -> Path | None:
    """Move a state file with invalid rows aside; None if that fails."""
    with suppress(OSError):
        return _moved(file, f"{_DAMAGED}-{now:%Y%m%dT%H%M%SZ}")
    return None


def damaged_files(file: Path) -> tuple[Path, ...]:
    """Return the damaged files that were moved aside and not yet rebuilt from, oldest first."""
    found = file.parent.glob(f"{file.name}.{_DAMAGED}-*")
    return tuple(sorted(each for each in found if not each.name.endswith(_BESIDE)))


def mark_rebuilt(file: Path) -> None:
    """Rename a moved file to record that the state was rebuilt."""
    with suppress(OSError):
        file.rename(file.with_name(file.name.replace(f".{_DAMAGED}-", f".{_REBUILT}-")))


def _is_damaged(file: Path) -> bool:
    try:
        with closing(sqlite3.connect(file.absolute(), timeout=BUSY_TIMEOUT)) as connection:
            answer = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
            mark = int(connection.execute("PRAGMA application_id").fetchone()[0])
            return bool(answer != "ok" and mark == APPLICATION_ID)
    except sqlite3.Error as error:
        return getattr(error, "sqlite_errorcode", 0) & 0xFF in UNREADABLE


def _moved(file: Path, ending: str) -> Path:
    target = next(each for each in _names(file, ending) if not each.exists())
    file.rename(target)
    for suffix in _BESIDE:
        with suppress(FileNotFoundError):
            file.with_name(file.name + suffix).rename(target.with_name(target.name + suffix))
    return target


def _names(file: Path, ending: str) -> Iterator[Path]:
    yield file.with_name(f"{file.name}.{ending}")
    number = 2
    while True:
        yield file.with_name(f"{file.name}.{ending}-{number}")
        number += 1
