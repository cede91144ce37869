r"""Copy a secret to the clipboard of the user's own terminal, which may be far away (over SSH).

The terminal is asked by a control sequence, `OSC 52` (XTerm Control Sequences, "Operating System
Commands": Manipulate Selection Data). It does not say whether it obeyed.
"""

import os
import sys
from base64 import b64encode
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final, TextIO

from azdo_pat.models import Secret

_CONSOLE: Final = Path("CONOUT$" if sys.platform == "win32" else "/dev/tty")
_MOST_IN_SCREEN: Final = 700
"""Bytes; GNU screen drops what is longer than 768 (its MAXSTR)."""


def is_remote(environment: Mapping[str, str]) -> bool:
    """Return whether this is a session of SSH (ssh(1), "ENVIRONMENT")."""
    return any(environment.get(name) for name in ("SSH_CONNECTION", "SSH_TTY"))


def is_in_tmux(environment: Mapping[str, str]) -> bool:
    """Return whether the terminal is one of tmux."""
    return bool(environment.get("TMUX"))


def send(secret: Secret, err: TextIO, environment: Mapping[str, str]) -> bool:
    """Ask the terminal to copy a secret; return False if there is no terminal to ask.

    Args:
        secret: the secret.
        err: stderr; if it is not the terminal, the controlling terminal is opened.
        environment: the environment variables, which tell what the terminal is.
    """
    text = _sequence(secret, environment)
    if environment.get("TERM") == "dumb" or not text:
        return False
    with suppress(OSError):
        if err.isatty():
            err.write(text)
            err.flush()
            return True
        console = os.open(_CONSOLE, os.O_RDWR if sys.platform == "win32" else os.O_WRONLY)
        try:
            os.write(console, text.encode())
        finally:
            os.close(console)
        return True
    return False


def _sequence(secret: Secret, environment: Mapping[str, str]) -> str:
    """Return the sequence, wrapped for what stands between; empty if that cannot pass it on."""
    osc = f"\x1b]52;c;{b64encode(secret.reveal().encode()).decode()}\x07"
    if is_in_tmux(environment):
        # Not as tmux' own OSC 52: it would keep the secret in a buffer (tmux(1), set-clipboard).
        doubled = osc.replace("\x1b", "\x1b\x1b")
        return f"\x1bPtmux;{doubled}\x1b\\"
    if environment.get("STY"):
        return f"\x1bP{osc}\x1b\\" if len(osc) <= _MOST_IN_SCREEN else ""
    return osc
