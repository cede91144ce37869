"""Files that are replaced in one step, so that no reader and no crash meets half of one."""

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
_AT_WORK: Final = 3600
"""Seconds after which nobody is still writing a file."""


def replace_whole(file: Path, content: bytes, *, mode: int | None = None) -> None:
    """Give a file this content; the folder must be there.

    Args:
        file: what to replace; a symbolic link stays one, and what it leads to is replaced.
        content: all of it.
        mode: of the file; None keeps that of the one it replaces, or else is 0600.

    Raises:
        OSError: it cannot be written; it is as it was.
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
    """Return what a file is once all links are followed.

    Raises:
        OSError: they lead in a circle.
    """
    try:
        target = file.resolve()
    except RuntimeError:  # Python before 3.13
        target = file
    if target.is_symlink():
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
    return target


def require_own(path: Path) -> None:
    """Refuse what another user has laid where a file is to be read or written.

    In a folder that others may write to, as `/tmp`, each part of the path must be of this user,
    of root, or of the folder's owner; what lies in any other folder, its owner has let in. So do
    kernels with `protected_symlinks` and `protected_regular`. Windows has no such owners: nothing
    is looked at there.

    Raises:
        OSError: another user's link, folder or file is there.
    """
    if sys.platform == "win32":
        return
    whole = Path(os.path.abspath(path))  # noqa: PTH100  # links are what is looked at
    for part in (*reversed(whole.parents[:-1]), whole):
        try:
            found, above = part.lstat(), part.parent.stat()
        except OSError:
            return  # it is not there, or whoever uses it will say why it cannot be read
        linked = stat.S_ISLNK(found.st_mode)
        trusted = found.st_uid in {os.geteuid(), 0, above.st_uid}
        if above.st_mode & _OTHERS and not trusted:
            what = "link" if linked else "file" if part == whole else "folder"
            raise OSError(None, f"the {what} {part} is another user's (uid {found.st_uid})")
        if linked:
            require_own(part.parent / part.readlink())


def require_private(path: Path) -> None:
    """Refuse a file or folder whose content another user may have written.

    The group of that user alone may write: where each user has such a group, files are made so
    (umask 002, as on Fedora and Ubuntu).

    Raises:
        OSError: it is another user's, or others may write to it; says what mends that.
    """
    if sys.platform == "win32":  # access lists are not looked at
        return
    try:
        found = path.stat()
    except OSError:
        return  # as above
    if found.st_uid not in {os.geteuid(), 0}:
        raise OSError(None, f"{path} is another user's (uid {found.st_uid})")
    group_alone = found.st_mode & _OTHERS == stat.S_IWGRP
    if found.st_mode & _OTHERS and not (group_alone and _is_of_one(found.st_gid, path)):
        raise OSError(None, f"others may write to {path}: chmod go-w {shlex.quote(str(path))}")


def _is_of_one(group: int, path: Path) -> bool:
    """Tell whether a group is this user's own, by name and members, as pam_umask(8) knows it.

    With an access list on the path the mode does not say who may write: then it is not.
    """
    if sys.platform == "win32":
        return False
    import grp  # noqa: PLC0415 - not on Windows
    import pwd  # noqa: PLC0415 - as above

    try:
        user, found = pwd.getpwuid(os.geteuid()), grp.getgrgid(group)
        listed = sys.platform == "linux" and "system.posix_acl_access" in os.listxattr(path)
    except (KeyError, OSError):
        return False
    own = (user.pw_gid, user.pw_name) == (group, found.gr_name)
    return own and not listed and not {*found.gr_mem} - {user.pw_name}


def clear_scratch(file: Path) -> None:
    """Delete what a process that was killed while it replaced a file has left beside it."""
    pattern = re.compile(rf"\.{re.escape(file.name)}\.pat-(\d+)-\w+")
    with suppress(OSError):
        for other in file.parent.iterdir():
            found = pattern.fullmatch(other.name)
            if found and not _may_be_alive(int(found[1]), other):
                other.unlink(missing_ok=True)


def _may_be_alive(process: int, file: Path) -> bool:
    if os.name == "nt":  # where one cannot ask without ending it
        return time.time() - file.stat().st_mtime < _AT_WORK
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        pass
    return time.time() - file.stat().st_mtime < _AT_WORK


def encoding_of(content: bytes) -> str:
    """Return the codec of a text, by the byte order mark that it begins with; UTF-8 without one.

    Notepad marks UTF-8 on request, and the `>` of Windows PowerShell writes UTF-16.
    """
    if content.startswith(codecs.BOM_UTF8):
        return "utf-8-sig"
    return "utf-16" if content.startswith(_UTF_16) else "utf-8"


def decoded(content: bytes) -> str:
    """Return a text that somebody saved, without its byte order mark.

    Raises:
        UnicodeDecodeError: it is neither UTF-8 nor marked UTF-16.
    """
    return content.decode(encoding_of(content))


def split_mark(text: str) -> tuple[str, str]:
    """Return the byte order mark that a text begins with, or nothing, and the rest."""
    return (_MARK, text[1:]) if text.startswith(_MARK) else ("", text)


def read_text(path: Path) -> str:
    """Return what a file holds; nothing where there is none. Bytes that are no UTF-8 survive.

    A byte order mark stays the first character, see `split_mark`.

    Raises:
        OSError: it cannot be read, is no regular file, is far too large, or in UTF-16.
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
        raise OSError(None, "it is in UTF-16, and must be in UTF-8")
    return content.decode("utf-8", "surrogateescape")


def write_text(path: Path, text: str, *, mode: int | None = None) -> None:
    """Give a file this content, as `replace_whole` does; the opposite of `read_text`."""
    replace_whole(path, text.encode("utf-8", "surrogateescape"), mode=mode)


def check_writable(path: Path) -> None:
    """Hold that a file is not read-only and has one name: it would be replaced all the same.

    Raises:
        OSError: it is.
    """
    if not path.exists():
        return
    if not os.access(path, os.W_OK):
        raise OSError(errno.EACCES, "it is read-only")
    if path.stat().st_nlink > 1:
        raise OSError(None, "it has several names (hard links), which would part")
