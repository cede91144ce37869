"""Checks that a file can be written, without writing it."""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING

from azdo_pat.errors import NotFoundError, RefusedError
from azdo_pat.files import check_writable, read_text, resolved

if TYPE_CHECKING:
    from pathlib import Path


def content_to_change(path: Path) -> str:
    """Return the content of a file that can be written, empty if it can be created.

    Raises:
        NotFoundError: its folder does not exist.
        RefusedError: it cannot be read or written.
    """
    try:
        folder = resolved(path).parent
        if not folder.is_dir():
            raise NotFoundError(
                f"{path} cannot be written: its folder does not exist", hint="create the folder"
            )
        content = read_text(path)
        check_writable(path)
        if not os.access(folder, os.W_OK):  # it is replaced by a new file
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    except (OSError, RuntimeError) as error:  # RuntimeError: a loop of symbolic links
        reason = getattr(error, "strerror", None) or error
        raise RefusedError(
            f"{path} cannot be written: {reason}", hint="check its folder and permissions"
        ) from error
    return content
