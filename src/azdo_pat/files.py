"""Files that are replaced in one step, so that no reader and no crash meets half of one."""

import errno
import os
import tempfile
from pathlib import Path
from typing import Final

_NEW: Final = 0o600
LARGEST: Final = 10_000_000


def replace_whole(file: Path, content: bytes, *, mode: int | None = None) -> None:
    """Give a file this content; the folder must be there.

    Args:
        file: what to replace; a symbolic link stays one, and what it leads to is replaced.
        content: all of it.
        mode: of the file; None keeps that of the one it replaces, or else is 0600.

    Raises:
        OSError: it cannot be written; it is as it was.
    """
    target = file.resolve()
    if target.is_symlink():  # since Python 3.13 `resolve` leaves a loop as it is
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
    scratch_handle, scratch_name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    scratch = Path(scratch_name)
    try:
        with os.fdopen(scratch_handle, "wb") as opened:
            opened.write(content)
            opened.flush()
            os.fsync(opened.fileno())
        if mode is None:
            mode = target.stat().st_mode & 0o777 if target.exists() else _NEW
        scratch.chmod(mode)
        scratch.replace(target)
    except BaseException:
        scratch.unlink(missing_ok=True)
        raise


def read_text(path: Path) -> str:
    """Return what a file holds; nothing where there is none. Bytes that are no UTF-8 survive.

    Raises:
        OSError: it cannot be read, is no regular file, is far too large, or in UTF-16.
    """
    if not path.exists():
        return ""
    if not path.is_file():
        raise OSError(None, "not a regular file")
    with path.open("rb") as opened:
        content = opened.read(LARGEST + 1)
    if len(content) > LARGEST:
        raise OSError(None, f"larger than {LARGEST // 1_000_000} MB")
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise OSError(None, "it is in UTF-16, and must be in UTF-8")
    return content.decode("utf-8", "surrogateescape")


def write_text(path: Path, text: str, *, mode: int | None = None) -> None:
    """Give a file this content, as `replace_whole` does; the opposite of `read_text`."""
    replace_whole(path, text.encode("utf-8", "surrogateescape"), mode=mode)


def check_writable(path: Path) -> None:
    """Hold that a file is not read-only: it would be replaced all the same.

    Raises:
        OSError: it is.
    """
    if path.exists() and not os.access(path, os.W_OK):
        raise OSError(errno.EACCES, "it is read-only")
