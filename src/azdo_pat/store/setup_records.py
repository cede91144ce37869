"""Records the original content of files that `pat setup` has changed, to undo it."""

import json
import os
from base64 import b64decode, b64encode
from binascii import Error
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

from azdo_pat.errors import StoreError
from azdo_pat.files import replace_whole, require_private
from azdo_pat.store.folders import make_private


class SetupEntry(NamedTuple):
    """One thing that a tool was set up for.

    Attributes:
        feed: the URL of the feed; empty if the tool has none.
        org_url: of the organization whose token it uses; empty for none.
        name: of that token.
        earlier: the names of tokens that it used before.
        servers: URLs of servers that it was set up for.
    """

    feed: str = ""
    org_url: str = ""
    name: str = ""
    earlier: tuple[str, ...] = ()
    servers: tuple[str, ...] = ()

    @property
    def about(self) -> str:
        """Its key among the setups of a file: the feed, or the organization."""
        return self.feed or self.org_url


def _setup(*, earlier: list[str], servers: list[str], **texts: str) -> SetupEntry:
    return SetupEntry(**texts, earlier=tuple(earlier), servers=tuple(servers))


class SetupRecord(NamedTuple):
    """A file that was changed for a tool.

    Attributes:
        path: the file, absolute; empty if the tool has none.
        before: its content before the first setup; None if it did not exist.
        mode: its permissions; None likewise.
        setups: those that are not undone, in order.
    """

    tool: str
    path: str
    before: bytes | None
    mode: int | None
    setups: tuple[SetupEntry, ...] = ()

    def find(self, about: str) -> SetupEntry | None:
        """Return the setup for a feed, or for an organization."""
        return next((each for each in self.setups if each.about == about), None)

    def without(self, setup: SetupEntry) -> "SetupRecord":
        """Return it without one setup."""
        return self._replace(setups=tuple(each for each in self.setups if each != setup))


class SetupRecords:
    """A folder with a file for each record, which may contain secrets of the user's files.

    So only their owner can read them.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def find(self, tool: str, path: str) -> SetupRecord | None:
        """Return the record of a file; None if there is none.

        Raises:
            StoreError: it cannot be read.
        """
        return self._read(self._file(tool, path))

    def of_tool(self, tool: str) -> tuple[SetupRecord, ...]:
        """Return the records of a tool.

        Raises:
            StoreError: one cannot be read.
        """
        try:
            files = sorted(self._folder.iterdir()) if self._folder.is_dir() else []
        except OSError as error:
            raise self._failure("read", error) from error
        read = [self._read(each) for each in files if each.match(f"{tool}-*.json")]
        return tuple(each for each in read if each is not None and each.tool == tool)

    def put(self, record: SetupRecord) -> None:
        """Save a record before its file is changed; delete one without setups.

        Raises:
            StoreError: it cannot be written.
        """
        file = self._file(record.tool, record.path)
        if not record.setups:
            with suppress(OSError):
                file.unlink(missing_ok=True)
            return
        before = None if record.before is None else b64encode(record.before).decode("ascii")
        setups = [each._asdict() for each in record.setups]
        document = {**record._asdict(), "before": before, "setups": setups}
        try:
            make_private(self._folder)
            replace_whole(file, json.dumps(document).encode(), mode=0o600)
        except OSError as error:
            raise self._failure("written", error) from error

    def _file(self, tool: str, path: str) -> Path:
        digest = sha256(os.fsencode(path)).hexdigest()[:16]
        return self._folder / f"{tool}-{digest}.json"

    def _read(self, file: Path) -> SetupRecord | None:
        try:
            for each in (self._folder.parent, self._folder, file):
                require_private(each)
            document = json.loads(file.read_bytes())
            before = document["before"]
            kept = None if before is None else b64decode(before, validate=True)
            setups = tuple(_setup(**each) for each in document["setups"])
            return SetupRecord(**{**document, "before": kept, "setups": setups})
        except FileNotFoundError:
            return None
        except OSError as error:
            raise self._failure("read", error) from error
        except (ValueError, TypeError, KeyError, Error) as error:
            raise StoreError(
                f"{file} is damaged",
                hint="undo the setup by hand, then delete this file",
            ) from error

    def _failure(self, done: str, error: OSError) -> StoreError:
        return StoreError(
            f"the record for undoing it cannot be {done} in {self._folder}:"
            f" {error.strerror or error}",
            hint="check its permissions, or set PAT_STATE_DIR to another folder",
        )
