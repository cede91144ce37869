"""Opens the SQLite file of the state: schema, migrations, and failures as `StoreError`."""

import errno
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Final

from azdo_pat.errors import DamagedError, StoreError
from azdo_pat.files import require_own, require_private
from azdo_pat.store.folders import make_private

BUSY_TIMEOUT: Final = 5.0
"""Seconds that one process waits for another one's transaction."""

APPLICATION_ID: Final = 0x70617431  # "pat1"
"""Identifies a SQLite file as ours (source: "PRAGMA application_id" in SQLite's manual)."""

SCHEMA_VERSION: Final = 8

_DISMISSED: Final = "CREATE TABLE dismissed (authorization_id TEXT PRIMARY KEY)"

_DELIVERED: Final = """
    CREATE TABLE delivered (
        org_url TEXT NOT NULL,
        name TEXT NOT NULL,
        target TEXT NOT NULL,
        at TEXT NOT NULL,
        fingerprint TEXT NOT NULL,
        reason TEXT NOT NULL,
        PRIMARY KEY (org_url, name, target)
    )
    """

_SCHEMA: Final = (
    """
    CREATE TABLE tokens (
        org_url TEXT NOT NULL,
        org TEXT NOT NULL,
        name TEXT NOT NULL,
        id TEXT,
        scopes TEXT NOT NULL,
        created TEXT,
        expires TEXT,
        stored INTEGER NOT NULL,
        origin TEXT NOT NULL,
        upkeep TEXT NOT NULL DEFAULT '{}',
        fingerprint TEXT NOT NULL DEFAULT '',
        is_global INTEGER NOT NULL DEFAULT 0,
        PRIMARY KEY (org_url, name)
    )
    """,
    "CREATE TABLE made (authorization_id TEXT PRIMARY KEY)",
    _DISMISSED,
    _DELIVERED,
    """
    CREATE TABLE organizations (
        api_root TEXT NOT NULL,
        position INTEGER NOT NULL,
        name TEXT NOT NULL,
        url TEXT NOT NULL,
        id TEXT,
        hosted INTEGER NOT NULL,
        PRIMARY KEY (api_root, position)
    )
    """,
    """
    CREATE TABLE journal (
        key INTEGER PRIMARY KEY AUTOINCREMENT,
        operation TEXT NOT NULL,
        org_url TEXT NOT NULL,
        org TEXT NOT NULL,
        name TEXT NOT NULL,
        scopes TEXT NOT NULL,
        valid_to TEXT NOT NULL,
        started TEXT NOT NULL,
        authorization_id TEXT,
        mark TEXT NOT NULL DEFAULT '',
        user TEXT NOT NULL DEFAULT '',
        reason TEXT NOT NULL DEFAULT '',
        upkeep TEXT NOT NULL DEFAULT '{}',
        follow_up TEXT,
        new_name TEXT NOT NULL DEFAULT '',
        entry TEXT,
        looked TEXT
    )
    """,
    f"PRAGMA application_id = {APPLICATION_ID}",
    f"PRAGMA user_version = {SCHEMA_VERSION}",
)

_UPGRADES: Final = {
    1: ("ALTER TABLE journal ADD COLUMN user TEXT NOT NULL DEFAULT ''", "PRAGMA user_version = 2"),
    2: (
        "ALTER TABLE journal ADD COLUMN reason TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE journal ADD COLUMN upkeep TEXT NOT NULL DEFAULT '{}'",
        "ALTER TABLE journal ADD COLUMN follow_up TEXT",
        "ALTER TABLE tokens ADD COLUMN upkeep TEXT NOT NULL DEFAULT '{}'",
        "PRAGMA user_version = 3",
    ),
    3: (
        "ALTER TABLE journal ADD COLUMN new_name TEXT NOT NULL DEFAULT ''",
        "PRAGMA user_version = 4",
    ),
    4: (
        "ALTER TABLE tokens ADD COLUMN fingerprint TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE journal ADD COLUMN entry TEXT",
        "ALTER TABLE journal ADD COLUMN looked TEXT",
        _DISMISSED,
        "PRAGMA user_version = 5",
    ),
    5: (
        "ALTER TABLE tokens ADD COLUMN is_global INTEGER NOT NULL DEFAULT 0",
        "PRAGMA user_version = 6",
    ),
    6: (_DELIVERED, "PRAGMA user_version = 7"),
    7: ("PRAGMA user_version = 8",),  # the journal may hold a new operation, `exec`
}
"""The migrations by version. A read-only process must work without them."""

_MOVE_ASIDE: Final = (
    "move the file aside and try again: secrets are in the keyring and are not lost"
)
UNREADABLE: Final = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
_WAITING: Final = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})
_LOCKING: Final = frozenset(
    {
        sqlite3.SQLITE_IOERR_LOCK,
        sqlite3.SQLITE_IOERR_RDLOCK,
        sqlite3.SQLITE_IOERR_UNLOCK,
        sqlite3.SQLITE_IOERR_CHECKRESERVEDLOCK,
        sqlite3.SQLITE_PROTOCOL,
    }
)
"""Errors of a file system that cannot lock files (fcntl(2))."""


def has_header(path: Path) -> bool:
    """Return whether a file has SQLite's header, or is empty or missing.

    Only for a file on which this process has no transaction open, as `_make_file` says.
    (https://www.sqlite.org/fileformat.html, "Magic Header String")
    """
    try:
        with path.open("rb") as file:
            start = file.read(16)
    except OSError:
        return True  # opening it will report why it cannot be read
    return start in {b"", b"SQLite format 3\0"}


class Database:
    """One SQLite file, opened anew for each transaction.

    The journal mode is SQLite's default, a rollback journal, and not a write-ahead log: that does
    not work on network file systems, which may contain homes, and fails in a read-only folder
    (https://www.sqlite.org/wal.html). For a file that is opened for one transaction it is slower,
    too. With `synchronous = EXTRA` a transaction is on the disk when it ends, with the folder:
    a journal entry must be there before the request that it announces is sent.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection | None]:
        """Open the file for reading; None if it does not exist, without creating it.

        Raises:
            StoreError: the file cannot be read, is damaged, not ours, or of a newer version.
        """
        with self._explained("read"):
            self._require_private()
            if not self._path.exists():
                yield None
                return
            with closing(self._connect()) as connection:
                connection.execute("BEGIN")
                yield connection if self._version(connection) else None
                connection.execute("ROLLBACK")

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Open the file, created on first use, for one transaction.

        Raises:
            StoreError: as for `reading`, or the file cannot be written.
        """
        with self._explained("written"):
            self._require_private()
            self._make_file()
            with closing(self._connect()) as connection:
                connection.execute("BEGIN IMMEDIATE")
                try:
                    version = self._version(connection)
                    for statement in () if version else _SCHEMA:
                        connection.execute(statement)
                    for older in range(version or SCHEMA_VERSION, SCHEMA_VERSION):
                        for statement in _UPGRADES[older]:
                            connection.execute(statement)
                    yield connection
                except BaseException:
                    # An interrupt, too: closing would roll back, but later and without a trace.
                    connection.rollback()
                    raise
                connection.execute("COMMIT")

    def _require_private(self) -> None:
        """Refuse a file that other users can write: it names commands to run."""
        require_own(self._path)
        for each in (self._path.parent, self._path):
            require_private(each)

    def _make_file(self) -> None:
        """Create the folder and the file for their owner only; existing ones are unchanged.

        SQLite itself would leave the mode to the umask.
        """
        make_private(self._path.parent)
        # An existing file is never opened: closing it would release the locks that SQLite holds
        # on it for other threads of this process (fcntl(2);
        # https://www.sqlite.org/howtocorrupt.html, section 2.2).
        if self._path.exists():
            if not os.access(self._path, os.W_OK):
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
            return
        target = os.path.realpath(self._path)  # O_EXCL follows no symbolic link
        with suppress(FileExistsError):  # created by another thread or process since
            os.close(os.open(target, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))

    def _connect(self) -> sqlite3.Connection:
        # For writing, even to read, so that a killed process's partial transaction is rolled back
        # by the next process. SQLite falls back to read-only if it cannot write.
        connection = sqlite3.connect(
            self._path.absolute(), timeout=BUSY_TIMEOUT, isolation_level=None
        )
        connection.row_factory = sqlite3.Row
        try:
            # With FULL a power failure right after a transaction may undo it, as the journal file
            # may reappear (https://www.sqlite.org/pragma.html#pragma_synchronous).
            connection.execute("PRAGMA synchronous = EXTRA")
        except BaseException:  # detects a file that is not SQLite's
            connection.close()
            raise
        return connection

    def _version(self, connection: sqlite3.Connection) -> int:
        """Return the schema's version, 0 for an empty file; refuse files that are not ours."""
        version = int(connection.execute("PRAGMA user_version").fetchone()[0])
        mark = int(connection.execute("PRAGMA application_id").fetchone()[0])
        if (mark, version) == (APPLICATION_ID, SCHEMA_VERSION):
            return version
        tables = int(connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0])
        if mark == 0 and version == 0 and tables == 0:
            return 0
        if mark != APPLICATION_ID:
            raise StoreError(
                f"{self._path} is a database of another program",
                hint="move it aside, or set PAT_STATE_DIR to another folder",
            )
        if version > SCHEMA_VERSION:
            raise StoreError(
                f"{self._path} was written by a newer version of pat",
                hint=f"upgrade pat, or {_MOVE_ASIDE}",
            )
        return version

    @contextmanager
    def _explained(self, done: str) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise self._explain(error, done) from error
        except OSError as error:
            raise StoreError(
                f"the state file {self._path} cannot be {done}: {error.strerror or error}",
                hint="set PAT_STATE_DIR to a folder of your own",
            ) from error

    def _explain(self, error: sqlite3.Error, done: str) -> StoreError:
        # The lower byte is the primary code (https://www.sqlite.org/rescode.html).
        extended = getattr(error, "sqlite_errorcode", 0)
        code = extended & 0xFF
        if extended in _LOCKING:
            return StoreError(
                f"the state file {self._path} cannot be locked: {error}",
                hint="its file system may not support locks: set PAT_STATE_DIR to a folder on a"
                " local disk",
            )
        if code in UNREADABLE:
            return self.damaged(str(error))
        if code in _WAITING:  # SQLite also reports this if the system has no locks (ENOLCK)
            return StoreError(
                f"the state file {self._path} is locked: another process uses it, or its file"
                " system cannot lock files",
                hint="try again; if the problem persists, set PAT_STATE_DIR to a folder on a local"
                " disk",
            )
        return StoreError(
            f"the state file {self._path} cannot be {done}: {error}",
            hint="check its permissions and the disk, or set PAT_STATE_DIR to another folder",
        )

    def damaged(self, reason: str) -> StoreError:
        """Return the error for a damaged file."""
        return DamagedError(
            f"{self._path} is damaged or not a state file: {reason}",
            hint=f"to repair it, run: pat doctor --fix; or {_MOVE_ASIDE}",
        )
