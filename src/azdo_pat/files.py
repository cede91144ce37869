"""Files that are replaced in one step, so that no reader and no crash meets half of one."""

import errno
import os
import tempfile
from pathlib import Path
from typing import Final

_NEW: Final = 0o600


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
