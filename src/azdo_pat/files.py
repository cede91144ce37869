"""Reads files, and replaces them atomically, so that no reader or crash sees a partial one."""

import codecs
import errno
import os
import re
import shlex
import stat
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Final

_NEW: Final = 0o600
LARGEST: Final = 10_000_000
_MARK: Final = "\ufeff"
_UTF_16: Final = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_OTHERS: Final = stat.S_IWGRP | stat.S_IWOTH
_MOST_LINKS: Final = 40
"""As many as Linux follows (path_resolution(7))."""
_AT_WORK: Final = 3600
"""Seconds after which no process is still writing a file."""


def replace_whole(file: Path, content: bytes, *, mode: int | None = None) -> None:
    """Replace a file's content atomically; its folder must exist.

    Args:
        file: what to replace; a symbolic link stays one, and its target is replaced.
        content: the whole content.
        mode: of the file; None keeps the mode of the replaced file, or else is 0600.

    Raises:
        OSError: it cannot be written; it is unchanged.
    """
    require_own(file)
    target = resolved(file)
    clear_scratch(target)
    prefix = f".{target.name}.pat-{os.getpid()}-"
    scratch_handle, scratch_name = tempfile.mkstemp(dir=target.parent, prefix=prefix)
    scratch = Path(scratch_name)
    try:
        with os.fdopen(scratch_handle, "wb") as opened:
            opened.write(content)
            opened.flush()
            os.fsync(opened.fileno())
        before = target.stat() if target.exists() else None
        if before is not None and hasattr(os, "chown"):
            with suppress(PermissionError):  # only root may give files away, and must
                os.chown(scratch, before.st_uid, before.st_gid)
        if mode is None:
            mode = _NEW if before is None else before.st_mode & 0o777
        scratch.chmod(mode)
        scratch.replace(target)
    except BaseException:
        scratch.unlink(missing_ok=True)
        raise


def resolved(file: Path) -> Path:
    """Return a file's path with all links resolved.

    Raises:
        OSError: the links form a loop.
    """
    try:
        target = file.resolve()
    except RuntimeError:  # Python before 3.13
        target = file
    if target.is_symlink():
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
    return target


def require_own(path: Path, *, links: int = 0) -> None:
    """Refuse a link, folder or file that another user has put where a file is read or written.

    In a folder that others can write to, such as `/tmp`, each part of the path must be this user's,
    root's, or the folder owner's; other folders are under their owner's control. This matches
    `protected_symlinks` and `protected_regular` of Linux. Windows has no such owners, so nothing
    is checked there.

    Raises:
        OSError: another user's link, folder or file is on the path, or its links form a loop.
    """
    if sys.platform != "win32":
        if links > _MOST_LINKS:
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
        whole = Path(os.path.abspath(path))  # noqa: PTH100  # links are what is looked at
        found, linked = Path(whole.anchor).stat(), False
        for part in (*reversed(whole.parents[:-1]), whole):
            try:
                above = part.parent.stat() if linked else found
                found = part.lstat()
            except OSError:
                return  # it does not exist, or reading it will report why it cannot be read
            linked = stat.S_ISLNK(found.st_mode)
            trusted = found.st_uid in {os.geteuid(), 0, above.st_uid}
            if above.st_mode & _OTHERS and not trusted:
                what = "link" if linked else "file" if part == whole else "folder"
                owner = f"another user (uid {found.st_uid})"
                raise OSError(None, f"the {what} {part} belongs to {owner}")
            if linked:
                require_own(part.parent / part.readlink(), links=links + 1)


def require_private(path: Path) -> None:
    """Check that no other user can have written a file or folder.

    Only a group of this user alone may write: where each user has such a group, files allow it
    (umask 002, as on Fedora and Ubuntu).

    Raises:
        OSError: it belongs to another user, or others can write to it; the message has the fix.
    """
    if sys.platform != "win32":  # which has access control lists, and they are not checked
        try:
            found = path.stat()
        except OSError:
            return  # as above
        if found.st_uid not in {os.geteuid(), 0}:
            raise OSError(None, f"{path} belongs to another user (uid {found.st_uid})")
        group_alone = found.st_mode & _OTHERS == stat.S_IWGRP
        if found.st_mode & _OTHERS and not (group_alone and _is_of_one(found.st_gid, path)):
            fix = f"run: chmod go-w {shlex.quote(str(path))}"
            if found.st_mode & stat.S_ISVTX:  # as /tmp has it, which everyone must be able to write
                fix = f"use a folder of your own; or, if {path} is not meant to be shared, {fix}"
            raise OSError(None, f"other users can write to {path}; to fix this, {fix}")


def _is_of_one(group: int, path: Path) -> bool:
    """Return whether a group is this user's own, by name and members, as in pam_umask(8).

    With an access control list on the path the mode does not say who can write: then it is not.
    """
    is_of_one = False
    if sys.platform != "win32":
        import grp  # noqa: PLC0415 - not on Windows
        import pwd  # noqa: PLC0415 - as above

        with suppress(KeyError, OSError):
            user, found = pwd.getpwuid(os.geteuid()), grp.getgrgid(group)
            listed = sys.platform == "linux" and "system.posix_acl_access" in os.listxattr(path)
            own = (user.pw_gid, user.pw_name) == (group, found.gr_name)
            is_of_one = own and not listed and not {*found.gr_mem} - {user.pw_name}
    return is_of_one


def clear_scratch(file: Path) -> None:
    """Delete temporary files that killed processes have left beside a file."""
    pattern = re.compile(rf"\.{re.escape(file.name)}\.pat-(\d+)-\w+")
    with suppress(OSError):
        for other in file.parent.iterdir():
            found = pattern.fullmatch(other.name)
            if found and not _may_be_alive(int(found[1]), other):
                other.unlink(missing_ok=True)


def _may_be_alive(process: int, file: Path) -> bool:
    if os.name == "nt":  # on systems where checking for a process would kill it
        return time.time() - file.stat().st_mtime < _AT_WORK
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        pass
    return time.time() - file.stat().st_mtime < _AT_WORK


def encoding_of(content: bytes) -> str:
    """Return the codec of a text by its byte order mark; UTF-8 without one.

    Notepad writes one to UTF-8 on request, and the `>` of Windows PowerShell writes UTF-16.
    """
    if content.startswith(codecs.BOM_UTF8):
        return "utf-8-sig"
    return "utf-16" if content.startswith(_UTF_16) else "utf-8"


def decoded(content: bytes) -> str:
    """Decode a file's bytes, without the byte order mark.

    Raises:
        UnicodeDecodeError: it is neither UTF-8 nor UTF-16 with a byte order mark.
    """
    return content.decode(encoding_of(content))


def split_mark(text: str) -> tuple[str, str]:
    """Split a text into its byte order mark, if any, and the rest."""
    return (_MARK, text[1:]) if text.startswith(_MARK) else ("", text)


def read_text(path: Path) -> str:
    """Return a file's content; empty if it does not exist. Bytes that are not UTF-8 are preserved.

    A byte order mark stays the first character, see `split_mark`.

    Raises:
        OSError: it cannot be read, is not a regular file, is too large, or is in UTF-16.
    """
    require_own(path)
    path = resolved(path)
    if not path.exists():
        return ""
    if not path.is_file():
        raise OSError(None, "not a regular file")
    with path.open("rb") as opened:
        content = opened.read(LARGEST + 1)
    if len(content) > LARGEST:
        raise OSError(None, f"larger than {LARGEST // 1_000_000} MB")
    if content.startswith(_UTF_16):
        raise OSError(None, "it is encoded in UTF-16, and must be in UTF-8")
    return content.decode("utf-8", "surrogateescape")


def write_text(path: Path, text: str, *, mode: int | None = None) -> None:
    """Write a file with `replace_whole`; the opposite of `read_text`."""
    replace_whole(path, text.encode("utf-8", "surrogateescape"), mode=mode)


def check_writable(path: Path) -> None:
    """Check that a file is not read-only and has one name, as replacing it would ignore both.

    Raises:
        OSError: it is read-only, or has several names.
    """
    if not path.exists():
        return
    if not os.access(path, os.W_OK):
        raise OSError(errno.EACCES, "it is read-only")
    if path.stat().st_nlink > 1:
        raise OSError(
            None, ("it has several names (hard links), and replacing it would separate them")
        )
