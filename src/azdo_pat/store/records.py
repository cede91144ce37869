"""What the files were like that `pat setup` has changed, so that it can be undone."""

import json
import os
import time
from base64 import b64decode, b64encode
from binascii import Error
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

from azdo_pat.errors import StoreError
from azdo_pat.files import replace_whole
from azdo_pat.store.folders import make_private


class Record(NamedTuple):
    """A change of one file for one tool.

    Attributes:
        path: the file, absolute.
        feed: the URL of the feed; empty where the tool has none.
        org_url: of the organization whose token it got; empty where it got none.
        name: of that token.
        before: what the file held; None where there was none.
        mode: its permissions; None likewise.
        when: nanoseconds since 1970; 0 for now.
    """

    tool: str
    path: str
    feed: str
    org_url: str
    name: str
    before: bytes | None
    mode: int | None
    when: int = 0

    @property
    def about(self) -> str:
        """What tells it from other changes of the same file: the feed, or the organization."""
        return self.feed or self.org_url


class Records:
    """A folder with a file for each change. They hold what the user's files held, secrets too.

    So they are readable by their owner alone, as those files should be.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def find(self, tool: str, path: str, about: str) -> Record | None:
        """Return the record of a change; None where there is none.

        Raises:
            StoreError: it cannot be read.
        """
        return self._read(self._file(tool, path, about))

    def of_tool(self, tool: str) -> tuple[Record, ...]:
        """Return the changes that were made for a tool, the last first: so they are undone.

        Raises:
            StoreError: one cannot be read.
        """
        read = [self._read(file) for file in self._folder.glob("*.json")]
        found = [each for each in read if each is not None and each.tool == tool]
        return tuple(sorted(found, key=lambda each: each.when, reverse=True))

    def put(self, record: Record) -> None:
        """Keep a record, before the file is changed.

        Raises:
            StoreError: it cannot be written.
        """
        before = None if record.before is None else b64encode(record.before).decode("ascii")
        when = record.when or time.time_ns()
        document = {**record._asdict(), "before": before, "when": when}
        file = self._file(record.tool, record.path, record.about)
        try:
            make_private(self._folder)
            replace_whole(file, json.dumps(document).encode(), mode=0o600)
        except OSError as error:
            raise self._failure("written", error) from error

    def remove(self, record: Record) -> None:
        """Forget a change that is undone."""
        with suppress(OSError):
            self._file(record.tool, record.path, record.about).unlink(missing_ok=True)

    def _file(self, tool: str, path: str, about: str) -> Path:
        digest = sha256(os.fsencode(f"{path}\0{about}")).hexdigest()[:16]
        return self._folder / f"{tool}-{digest}.json"

    def _read(self, file: Path) -> Record | None:
        try:
            document = json.loads(file.read_bytes())
            before = document["before"]
            kept = None if before is None else b64decode(before, validate=True)
            return Record(**{**document, "before": kept})
        except FileNotFoundError:
            return None
        except OSError as error:
            raise self._failure("read", error) from error
        except (ValueError, TypeError, KeyError, Error) as error:
            raise StoreError(
                f"{file} is damaged",
                hint="what it was to undo must be undone by hand; then delete it",
            ) from error

    def _failure(self, done: str, error: OSError) -> StoreError:
        return StoreError(
            f"what is needed to undo it cannot be {done} in {self._folder}: {error.strerror}",
            hint="see to its permissions, or set PAT_STATE_DIR to another folder",
        )
