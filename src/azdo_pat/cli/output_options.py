"""What the user wishes of an error: its form, its colour, its detail.

The arguments are looked at by themselves, as a mistake in them can come before they are understood.
"""

from __future__ import annotations

import os
import re
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

_OFF: Final = {"", "0", "f", "false", "n", "no", "off"}


def as_json(args: Sequence[str]) -> bool:
    """Tell whether an error is to be a JSON object."""
    return _wish(args, "output", letter="o") in {"json", "jsonl"}


def in_color(args: Sequence[str]) -> bool:
    """Tell whether stderr is to have colours."""
    requested = _wish(args, "color")
    if requested in {"always", "never"}:
        return requested == "always"
    plain = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
    return sys.stderr.isatty() and not plain


def in_detail(args: Sequence[str]) -> bool:
    """Tell whether a traceback is wanted."""
    return "--debug" in args or os.environ.get("PAT_DEBUG", "").lower() not in _OFF


def _wish(args: Sequence[str], name: str, *, letter: str = "") -> str:
    """Return what an option says: the last of the arguments, the environment, the file."""
    # Flags may stand in one word with the letter: -qo json.
    forms = rf"--{name}(?:=(.*))?" + (rf"|-[qv]*{letter}(.*)" if letter else "|(?!)()")
    given = os.environ.get(f"PAT_{name.upper()}", "")
    for place, arg in enumerate(args):
        if found := re.fullmatch(forms, arg, re.DOTALL):
            given = found[1] or found[2] or "".join(args[place + 1 : place + 2])
    if not given:
        # Whatever is wrong with the settings too, it must not hide the error that is to be said.
        with suppress(Exception):
            from azdo_pat.cli.app import App  # an error that says it all needs no settings
            from azdo_pat.cli.global_options import GlobalOptions

            given = str(App(GlobalOptions()).file_values.get(name, ""))
    return given
