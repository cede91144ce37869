"""Keeps what a scan of the tokens of users has read, so that a later run need not ask for it again.

The first line of the file holds the organization and the users, each further one the tokens of a
user. A line that was cut off, as the process was killed or the disk is full, does not count.
"""

from __future__ import annotations

import json
import tempfile
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from azdo_pat.command_lines import quoted
from azdo_pat.errors import NotFoundError, PatError, UsageError
from azdo_pat.files import replace_whole, require_own, resolved
from azdo_pat.models import Field, ServicePat, SessionToken, User

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from io import FileIO
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
        unlisted: how many others there are, who could not be read in the list of users.
    """

    org: str
    org_url: str
    ssh: bool
    started: datetime
    users: tuple[User, ...]
    unlisted: int


class ScanFile:
    """A file to which the tokens of each user are added as soon as they are read.

    It is written, and an older one replaced, when the first of them are added.

    Attributes:
        path: the file.
        subject: what is scanned.
        done: the descriptors of the users who are in the file.
    """

    def __init__(self, path: Path, subject: ScanSubject, found: SavedScan | None = None) -> None:
        self.path = path
        self.subject = subject
        self.done = set(found.done if found else ())
        self._found = found
        self._opened: FileIO | None = None

    def read(self) -> Iterator[tuple[User, tuple[SessionToken, ...] | None]]:
        """Yield the users in the file with their tokens; None for one who had left.

        What is added meanwhile is left out.
        """
        if self._found is None:
            return
        users = {each.descriptor: each for each in self.subject.users}
        with self.path.open("rb") as opened:
            end = self._found.end - len(next(opened))
            for line in opened:
                end -= len(line)
                if end < 0:
                    return
                descriptor, tokens = _answer(line)
                if descriptor in users:  # each counts once
                    yield users.pop(descriptor), tokens

    def add(self, user: User, tokens: Sequence[SessionToken] | None) -> None:
        """Add the tokens of a user; None for one who has left.

        Raises:
            PatError: the file cannot be written; what was added before is still in it.
        """
        rows = None if tokens is None else [_row(each) for each in tokens]
        line = memoryview(_encoded({"user": user.descriptor, "tokens": rows}))
        try:
            if self._opened is None:
                self._opened = self._open()
            while line:  # a disk that is full takes a part of it
                line = line[self._opened.write(line) :]
        except OSError as error:
            raise _unusable(self.path, "written", error) from error
        self.done.add(user.descriptor)

    def close(self) -> None:
        """Close the file; it stays as it is."""
        if self._opened is not None:
            self._opened.close()

    def _open(self) -> FileIO:
        # Without a buffer, whose rest would be written, and fail, once more when it is closed.
        if self._found is None:
            subject = self.subject
            header = {
                "pat_scan": _VERSION,
                "org": subject.org,
                "org_url": subject.org_url,
                "ssh": subject.ssh,
                "started": subject.started.isoformat(),
                "unlisted": subject.unlisted,
                "users": [each._asdict() for each in subject.users],
            }
            replace_whole(self.path, _encoded(header), mode=_OWNER_ONLY)
            return self.path.open("ab", buffering=0)
        opened = self.path.open("r+b", buffering=0)
        opened.truncate(self._found.end)
        opened.seek(self._found.end)
        return opened


class SavedScan(NamedTuple):
    """What a file holds.

    Attributes:
        done: the descriptors of the users whose tokens are in it.
        end: where its whole lines end, in bytes.
    """

    subject: ScanSubject
    done: frozenset[str]
    end: int

    @property
    def is_complete(self) -> bool:
        """Whether the tokens of all users are in it."""
        return self.done.issuperset(each.descriptor for each in self.subject.users)


def require_replaceable(path: Path) -> None:
    """Check that a scan can be saved to a file, and nothing is lost by that.

    Raises:
        UsageError: it is another file, or a scan that is not complete.
        PatError: its folder cannot be written.
    """
    found = _examined(path)
    if found is not None and not found.is_complete:
        raise UsageError(
            f"{path} is a scan that is not complete ({len(found.done)} of"
            f" {len(found.subject.users)} users)",
            hint=f"to continue the scan, use --resume {quoted(str(path))}; to begin again, delete"
            " the file",
        )
    try:
        with tempfile.TemporaryFile(dir=resolved(path).parent):
            pass
    except OSError as error:
        raise _unusable(path, "written", error) from error


def saved_scan(path: Path) -> SavedScan:
    """Return what a file holds, to go on with it.

    Raises:
        NotFoundError: there is none.
        UsageError: it is another file, or it is damaged.
        PatError: it cannot be read.
    """
    found = _examined(path)
    if found is None:
        raise NotFoundError(
            f"{path} does not exist, so there is nothing to go on with",
            hint="to begin it, run the command with --save instead of --resume",
        )
    return found


def _examined(path: Path) -> SavedScan | None:
    """Return what a file holds; None if there is none.

    Raises:
        UsageError: it is another file, or it is damaged.
        PatError: it cannot be read.
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
    return SavedScan(subject, frozenset(done), end)


def _subject(path: Path, line: bytes) -> ScanSubject:
    try:
        header = json.loads(line)
        if header["pat_scan"] != _VERSION:
            raise UsageError(
                f"{path} was saved by another version of pat",
                hint="to begin again, give --save another file",
            )
        org, org_url = _text(header["org"]), _text(header["org_url"])
        if not org_url.endswith(f"/{org}"):
            raise ValueError("the name of the organization is not that of its URL")
        return ScanSubject(
            org=org,
            org_url=org_url,
            ssh=_flag(header["ssh"]),
            started=_moment(header["started"]),
            users=tuple(map(_user, header["users"])),
            unlisted=int(header["unlisted"]),
        )
    except _UNREADABLE:
        raise UsageError(
            f"{path} is not a file that pat has saved",
            hint="give another file; --save begins one, and --resume goes on with it",
        ) from None


def _user(row: dict[str, object]) -> User:
    return User(
        descriptor=_text(row["descriptor"]),
        name=_text(row["name"]),
        upn=_text(row["upn"]),
        mail=_text(row["mail"]),
        is_guest=_flag(row["is_guest"]),
        is_deleted=_flag(row["is_deleted"]),
    )


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
    return _text(row["user"]), None if tokens is None else tuple(map(_token, tokens))


def _encoded(document: object) -> bytes:
    text = json.dumps(document, ensure_ascii=False)
    return f"{text}\n".encode("utf-8", "surrogatepass")


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
    targets, valid = row[Field.TARGETS], row["isValid"]
    created, expires = row[Field.CREATED], row[Field.EXPIRES]
    return SessionToken(
        pat=ServicePat(
            authorization_id=_text(row[Field.ID]),
            display_name=_text(row[Field.NAME]),
            scopes=tuple(map(_text, row[Field.SCOPES])),
            valid_from=None if created is None else _moment(created),
            valid_to=None if expires is None else _moment(expires),
            target_accounts=None if targets is None else tuple(map(_text, targets)),
            unread=frozenset(map(Field, row["unread"])),
        ),
        is_valid=None if valid is None else _flag(valid),
        correlating_id=_text(row["crossCompanyCorrelatingId"]),
    )


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("not a text")
    return value


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise TypeError("neither true nor false")
    return value


def _moment(value: object) -> datetime:
    moment = datetime.fromisoformat(_text(value))
    if moment.tzinfo is None:
        raise ValueError("a time without a zone")
    return moment


def _unusable(path: Path, done: str, error: OSError) -> PatError:
    return PatError(
        f"{path} cannot be {done}: {error.strerror or error}",
        hint="check its folder, its permissions and the space on its disk",
    )
