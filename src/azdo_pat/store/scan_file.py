"""Keeps what a scan of the tokens of users has read, so that a later run need not ask for it again.

The first line of the file holds the organization and the users, each further one the tokens of a
user. A line that was cut off, as the process was killed or the disk is full, does not count.
"""

from __future__ import annotations

import json
import tempfile
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any, BinaryIO, Final, NamedTuple

from azdo_pat.command_lines import quoted
from azdo_pat.errors import NotFoundError, UnavailableError, UsageError
from azdo_pat.files import replace_whole, require_own, resolved
from azdo_pat.models import Field, ServicePat, SessionToken, User

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

_VERSION: Final = 1
_OWNER_ONLY: Final = 0o600
_LONGEST: Final = 200_000_000
"""Bytes of the first line: of far more users than any organization has."""
_UNREADABLE: Final = (ValueError, TypeError, KeyError, AttributeError, RecursionError)


class ScanSubject(NamedTuple):
    """What is scanned, and since when.

    Attributes:
        org: the name of the organization.
        org_url: its URL.
        ssh: the SSH keys are read instead of the tokens.
        users: all users whose tokens are to be read.
    """

    org: str
    org_url: str
    ssh: bool
    started: datetime
    users: tuple[User, ...]


class ScanFile:
    """A file to which the tokens of each user are added as soon as they are read.

    Attributes:
        path: the file.
        subject: what is scanned.
        done: the descriptors of the users who are in the file.
    """

    def __init__(
        self, path: Path, subject: ScanSubject, done: Iterable[str], opened: BinaryIO
    ) -> None:
        self.path = path
        self.subject = subject
        self.done = set(done)
        self._opened = opened

    def read(self) -> Iterator[tuple[User, tuple[SessionToken, ...] | None]]:
        """Yield the users in the file with their tokens; None for one who had left."""
        users = {each.descriptor: each for each in self.subject.users}
        with self.path.open("rb") as opened:
            next(opened)
            for line in opened:
                descriptor, tokens = _answer(line)
                if descriptor in users:  # each counts once
                    yield users.pop(descriptor), tokens

    def add(self, user: User, tokens: Sequence[SessionToken] | None) -> None:
        """Add the tokens of a user; None for one who has left.

        Raises:
            UnavailableError: the file cannot be written; what was added before is still in it.
        """
        rows = None if tokens is None else [_row(each) for each in tokens]
        line = json.dumps({"user": user.descriptor, "tokens": rows}, ensure_ascii=False)
        try:
            self._opened.write(f"{line}\n".encode("utf-8", "surrogatepass"))
            self._opened.flush()
        except OSError as error:
            raise _unusable(self.path, "written", error) from error
        self.done.add(user.descriptor)


def require_replaceable(path: Path) -> None:
    """Check that a scan can be saved to a file, and nothing is lost by that.

    Raises:
        UsageError: it is another file, or a scan that is not complete.
        UnavailableError: its folder cannot be written.
    """
    found = _examined(path)
    if found is not None and {each.descriptor for each in found.subject.users} - found.done:
        raise UsageError(
            f"{path} is a scan that is not complete ({len(found.done)} of"
            f" {len(found.subject.users)} users)",
            hint=f"to go on with it, use --resume {quoted(str(path))}; to begin again, delete it",
        )
    try:
        with tempfile.TemporaryFile(dir=resolved(path).parent):
            pass
    except OSError as error:
        raise _unusable(path, "written", error) from error


@contextmanager
def started(path: Path, subject: ScanSubject) -> Iterator[ScanFile]:
    """Begin a file, and close it after the block; see `require_replaceable`.

    Raises:
        UnavailableError: it cannot be written.
    """
    header = {
        "pat_scan": _VERSION,
        "org": subject.org,
        "org_url": subject.org_url,
        "ssh": subject.ssh,
        "started": subject.started.isoformat(),
        "users": [each._asdict() for each in subject.users],
    }
    text = json.dumps(header, ensure_ascii=False)
    try:
        replace_whole(path, f"{text}\n".encode("utf-8", "surrogatepass"), mode=_OWNER_ONLY)
        opened = path.open("ab")
    except OSError as error:
        raise _unusable(path, "written", error) from error
    with opened:
        yield ScanFile(path, subject, (), opened)


@contextmanager
def resumed(path: Path) -> Iterator[ScanFile]:
    """Open a file to go on with it, and close it after the block.

    Raises:
        NotFoundError: there is none.
        UsageError: it is another file, or it is damaged.
        UnavailableError: it cannot be read, or written.
    """
    found = _examined(path)
    if found is None:
        raise NotFoundError(
            f"{path} does not exist, so there is nothing to go on with",
            hint="to begin it, run the command with --save instead of --resume",
        )
    try:
        opened = path.open("r+b")
        opened.truncate(found.end)
        opened.seek(found.end)
    except OSError as error:
        raise _unusable(path, "written", error) from error
    with opened:
        yield ScanFile(path, found.subject, found.done, opened)


class _Examined(NamedTuple):
    """What a file holds; its whole lines end at `end`, in bytes."""

    subject: ScanSubject
    done: frozenset[str]
    end: int


def _examined(path: Path) -> _Examined | None:
    """Return what a file holds; None if there is none.

    Raises:
        UsageError: it is another file, or it is damaged.
        UnavailableError: it cannot be read.
    """
    done: set[str] = set()
    try:
        require_own(path)
        if path.exists() and not path.is_file():
            raise UsageError(f"{path} is not a regular file", hint="give the option another file")
        with path.open("rb") as opened:
            first = opened.readline(_LONGEST)
            subject = _subject(path, first)
            end = len(first)
            for number, line in enumerate(opened, 2):
                if not line.endswith(b"\n"):
                    break  # its writer was killed
                done.add(_descriptor(path, number, line))
                end += len(line)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise _unusable(path, "read", error) from error
    return _Examined(subject, frozenset(done), end)


def _subject(path: Path, line: bytes) -> ScanSubject:
    try:
        header = json.loads(line)
        if header["pat_scan"] != _VERSION:
            raise UsageError(
                f"{path} was saved by another version of pat",
                hint="to begin again, give --save another file",
            )
        return ScanSubject(
            org=str(header["org"]),
            org_url=str(header["org_url"]),
            ssh=bool(header["ssh"]),
            started=datetime.fromisoformat(header["started"]),
            users=tuple(User(**each) for each in header["users"]),
        )
    except _UNREADABLE:
        raise UsageError(
            f"{path} is not a file that pat has saved", hint="give --save another file"
        ) from None


def _descriptor(path: Path, number: int, line: bytes) -> str:
    try:
        return _answer(line)[0]
    except _UNREADABLE:
        raise UsageError(
            f"line {number} of {path} is damaged",
            hint="to read the rest of the users again, delete the line; or begin a new file with"
            " --save",
        ) from None


def _answer(line: bytes) -> tuple[str, tuple[SessionToken, ...] | None]:
    row = json.loads(line)
    tokens = row["tokens"]
    return str(row["user"]), None if tokens is None else tuple(map(_token, tokens))


def _row(token: SessionToken) -> dict[str, object]:
    pat = token.pat
    return {
        Field.ID.value: pat.authorization_id,
        Field.NAME.value: pat.display_name,
        Field.SCOPES.value: pat.scopes,
        Field.CREATED.value: pat.valid_from and pat.valid_from.isoformat(),
        Field.EXPIRES.value: pat.valid_to and pat.valid_to.isoformat(),
        Field.TARGETS.value: pat.target_accounts,
        "unread": sorted(pat.unread),
        "isValid": token.is_valid,
        "crossCompanyCorrelatingId": token.correlating_id,
    }


def _token(row: dict[str, Any]) -> SessionToken:
    targets = row[Field.TARGETS]
    return SessionToken(
        pat=ServicePat(
            authorization_id=row[Field.ID],
            display_name=row[Field.NAME],
            scopes=tuple(row[Field.SCOPES]),
            valid_from=_moment(row[Field.CREATED]),
            valid_to=_moment(row[Field.EXPIRES]),
            target_accounts=None if targets is None else tuple(targets),
            unread=frozenset(map(Field, row["unread"])),
        ),
        is_valid=row["isValid"],
        correlating_id=row["crossCompanyCorrelatingId"],
    )


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def _unusable(path: Path, done: str, error: OSError) -> UnavailableError:
    return UnavailableError(
        f"{path} cannot be {done}: {error.strerror or error}",
        hint="check its folder, its permissions and the space on its disk",
    )
