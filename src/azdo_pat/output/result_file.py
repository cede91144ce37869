"""Write a result into a file that the user names, instead of to stdout."""

from __future__ import annotations

import tempfile
from typing import TYPE_CHECKING

from azdo_pat.errors import PatError, UsageError
from azdo_pat.files import check_writable, replace_whole, require_own, resolved

if TYPE_CHECKING:
    from pathlib import Path


def replace_file(file: Path, text: str, *, mode: int) -> None:
    """Replace a file in one step. A symbolic link stays one.

    Args:
        file: what to replace.
        text: the whole content.
        mode: of the file, whatever that of the replaced one was.

    Raises:
        UsageError: it is a folder or a device.
        PatError: it cannot be written; it is unchanged.
    """
    try:
        _require_file(file)
        replace_whole(file, text.encode(), mode=mode)
    except OSError as error:
        raise unwritten(file, error) from error


def check_replaceable(file: Path) -> None:
    """Check that a file can be replaced, before the work whose result it is to hold.

    Raises:
        UsageError: it is a folder or a device.
        PatError: it cannot be written.
    """
    try:
        _require_file(file)
        require_own(file)
        with tempfile.TemporaryFile(dir=resolved(file).parent):
            pass
    except OSError as error:
        raise unwritten(file, error) from error


def unwritten(file: Path, error: OSError) -> PatError:
    """Return the error for a file that could not be written."""
    return PatError(
        f"cannot write to {file}: {error.strerror or error}",
        hint="check its folder, its permissions and the space on its disk",
    )


def _require_file(file: Path) -> None:
    """Check that a path is that of a file, or of none yet.

    Raises:
        UsageError: it is a folder or a device.
        OSError: it is read-only, or has several names.
    """
    target = resolved(file)
    if target.exists() and not target.is_file():
        raise UsageError(
            f"{file} is not a regular file", hint="name a file, or leave out the option"
        )
    check_writable(target)
