"""Deliver to a file that holds the secret alone, or in a line among others."""

from __future__ import annotations

import stat
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from azdo_pat.command_lines import quoted
from azdo_pat.deliveries.placeholders import values
from azdo_pat.deliveries.template import placed
from azdo_pat.deliveries.writable_files import content_to_change
from azdo_pat.errors import ConflictError, PendingError
from azdo_pat.files import check_writable, read_text, split_mark, write_text
from azdo_pat.naming import looks_like_secret

if TYPE_CHECKING:
    from azdo_pat.deliveries.placeholders import DeliveryContext
    from azdo_pat.delivery_targets import FileTarget
    from azdo_pat.models import Handover

_MODE: Final = 0o600
"""Readable by its owner alone, whatever it was before: it holds a secret."""


def probe(target: FileTarget) -> None:
    """Check that the file can be written, and holds nothing else that would be lost.

    Raises:
        NotFoundError: its folder does not exist.
        RefusedError: it cannot be read or written.
        ConflictError: it is to hold the secret alone, and holds something else.
    """
    path = Path(target.path)
    _, rest = split_mark(content_to_change(path))
    if not target.template and _is_something_else(rest):
        raise ConflictError(_other_content(path), hint=_with_template(path))


def deliver(target: FileTarget, handover: Handover, context: DeliveryContext) -> None:
    """Put the secret into the file, in one step; other lines stay as they are, byte for byte.

    Raises:
        PendingError: it cannot be read or written, is no regular file, is read-only or has
            several names, or, where it is to hold
            the secret alone, holds something else.
    """
    path = Path(target.path)
    with context.writing(path):
        before = read_text(path)
        mark, rest = split_mark(before)
        if target.template:
            after = mark + placed(rest, target.template, values(handover))
        else:
            after = f"{handover.secret.reveal()}\n"
            if _is_something_else(rest):
                raise PendingError(_other_content(path), hint=_with_template(path))
        if after != before:
            check_writable(path)
            write_text(path, after, mode=_MODE)
        elif sys.platform != "win32" and stat.S_IMODE(path.stat().st_mode) != _MODE:
            path.chmod(_MODE)


def _is_something_else(content: str) -> bool:
    return bool(content.strip()) and not looks_like_secret(content.strip())


def _other_content(path: Path) -> str:
    return f"{path} holds something other than a token, which would be overwritten"


def _with_template(path: Path) -> str:
    return (
        "give a template, which keeps the other lines:"
        f" --deliver {quoted(f'file:{path}|NAME={{token}}')}"
    )
