"""Deliver to a file that holds the secret alone, or in a line among others."""

from __future__ import annotations

import stat
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from azdo_pat.command_lines import quoted
from azdo_pat.deliveries.placeholders import values
from azdo_pat.deliveries.template import placed
from azdo_pat.errors import PendingError
from azdo_pat.files import check_writable, read_text, split_mark, write_text
from azdo_pat.naming import looks_like_secret

if TYPE_CHECKING:
    from azdo_pat.deliveries.placeholders import DeliveryContext
    from azdo_pat.delivery_targets import FileTarget
    from azdo_pat.models import Handover

_MODE: Final = 0o600
"""Readable by its owner alone, whatever it was before: it holds a secret."""


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
            if rest.strip() and not looks_like_secret(rest.strip()):
                raise PendingError(
                    f"{path} holds something other than a token, which would be overwritten",
                    hint="give a template, which keeps the other lines:"
                    f" --deliver {quoted(f'file:{path}|NAME={{token}}')}",
                )
        if after != before:
            check_writable(path)
            write_text(path, after, mode=_MODE)
        elif sys.platform != "win32" and stat.S_IMODE(path.stat().st_mode) != _MODE:
            path.chmod(_MODE)
