"""Decide how to show an error: its format, colors and detail.

These functions read the raw arguments, because an error can occur before they are parsed.
"""

from __future__ import annotations

import os
import re
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Final, TextIO

from azdo_pat.cli import standard_streams
from azdo_pat.formats import Format

if TYPE_CHECKING:
    from collections.abc import Sequence

_OFF: Final = {"", "0", "f", "false", "n", "no", "off"}


def as_json(args: Sequence[str]) -> bool:
    """Return whether to show an error as a JSON object."""
    return _requested(args, "output", letter="o") in [each for each in Format if each.is_json]


def in_color(args: Sequence[str]) -> bool:
    """Return whether to use colors on stderr."""
    return standard_streams.in_color(sys.stderr, _requested(args, "color"), os.environ)


def help_in_color(args: Sequence[str], out: TextIO) -> bool:
    """Return whether to use colors in a help page.

    Off a terminal the settings are not read for it: `pat --help` imports click and no more.
    """
    chosen = "PAT_COLOR" in os.environ or any(each.startswith("--color") for each in args)
    requested = _requested(args, "color") if chosen or out.isatty() else ""
    return standard_streams.in_color(out, requested, os.environ)


def in_detail(args: Sequence[str]) -> bool:
    """Return whether to show a traceback."""
    return "--debug" in args or os.environ.get("PAT_DEBUG", "").lower() not in _OFF


def _requested(args: Sequence[str], name: str, *, letter: str = "") -> str:
    """Return the value of an option: from the arguments (the last wins), environment or file."""
    # Flags may stand in one word with the letter: -qo json.
    forms = rf"--{name}(?:=(.*))?" + (rf"|-[qv]*{letter}(.*)" if letter else "|(?!)()")
    given = os.environ.get(f"PAT_{name.upper()}", "")
    for place, arg in enumerate(args):
        if found := re.fullmatch(forms, arg, re.DOTALL):
            given = found[1] or found[2] or "".join(args[place + 1 : place + 2])
    if not given:
        # An error in the settings must not hide the error to be shown.
        with suppress(Exception):
            from azdo_pat.cli.global_options import GlobalOptions
            from azdo_pat.cli.runtime import Runtime  # an error that says it all needs no settings

            given = str(Runtime(GlobalOptions()).file_values.get(name, ""))
    return given
