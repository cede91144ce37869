"""Copy a secret to the clipboard and clear it later; the only importer of pyperclip.

Run as a program, this module is the process that clears the clipboard. It gets a salted hash, not
the secret, so no process that outlives the command knows the secret.
"""

import hmac
import json
import os
import secrets
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, TextIO

import pyperclip

from azdo_pat.errors import UsageError
from azdo_pat.executables import searched_safely
from azdo_pat.installation import running_module
from azdo_pat.models import Secret
from azdo_pat.redaction import without_credentials

CLEAR_AFTER: Final = 45.0
"""Seconds until the clipboard is emptied (as `pass` does)."""

_LOOKS: Final = 10
_BETWEEN_LOOKS: Final = 0.05

_FAILURES: Final = (pyperclip.PyperclipException, OSError, subprocess.SubprocessError)


def copy(secret: Secret, *, clear_after: float = CLEAR_AFTER) -> None:
    """Copy `secret` to the clipboard and clear it after `clear_after` seconds.

    Returns at once. The clipboard is cleared only if it still holds the secret. A clipboard manager
    with a history keeps the secret; no program can prevent that.

    Raises:
        UsageError: this machine has no usable clipboard; no process was started.
    """
    try:
        with searched_safely():
            with _own_output_closed():
                pyperclip.copy(secret.reveal())
            arrived = _arrives(secret)
    except _FAILURES as error:
        raise _no_clipboard() from error
    if not arrived:  # pyperclip does not look at the exit status of its programs
        raise _no_clipboard()
    _start_clearing(secret, clear_after)


def _arrives(secret: Secret) -> bool:
    """Return whether the clipboard holds the secret; xclip serves it only after a moment."""
    for _ in range(_LOOKS):
        if pyperclip.paste() == secret.reveal():
            return True
        time.sleep(_BETWEEN_LOOKS)
    return False


def _no_clipboard() -> UsageError:
    if sys.platform in {"darwin", "win32"}:  # which have one: it is in use, or out of reach
        hint = "try again; over SSH and in jobs, leave out --copy"
    else:
        hint = "install xclip, xsel or wl-clipboard, or leave out --copy"
    return UsageError("no usable clipboard found", hint=hint)


@contextmanager
def _own_output_closed() -> Iterator[None]:
    """Redirect file descriptors 1 and 2 to the null device while the block runs.

    xclip keeps running to serve the clipboard and inherits our output: a reader of our output
    through a pipe would wait until xclip exits.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    with open(os.devnull, "wb") as nothing:  # noqa: PTH123 - a device, not a path
        kept = [(number, os.dup(number)) for number in (1, 2)]
        try:
            for number, _ in kept:
                os.dup2(nothing.fileno(), number)
            yield
        finally:
            for number, copy_of_it in kept:
                os.dup2(copy_of_it, number)
                os.close(copy_of_it)


def _start_clearing(secret: Secret, seconds: float) -> None:
    salt = secrets.token_hex(16)
    order = {"salt": salt, "digest": _digest(secret.reveal(), salt), "seconds": seconds}
    # It lives longer than the command: the access token does not go along.
    process = subprocess.Popen(  # noqa: S603  # this program itself
        running_module("azdo_pat.output.clipboard"),
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,  # closing the terminal must not stop it
        creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        text=True,
        env=without_credentials(os.environ),
    )
    if process.stdin is not None:
        with process.stdin as its_input:
            json.dump(order, its_input)
    process.returncode = 0  # never waited for: suppresses Python's warning


def _digest(text: str, salt: str) -> str:
    return hmac.digest(salt.encode(), text.encode(errors="surrogatepass"), "sha256").hex()


def clear_when_due(order: TextIO) -> bool:
    """Read an order (salt, digest, seconds), wait, and empty the clipboard if it still matches.

    Returns whether it was emptied.
    """
    task = json.load(order)
    time.sleep(task["seconds"])
    with searched_safely():
        if not hmac.compare_digest(_digest(pyperclip.paste(), task["salt"]), task["digest"]):
            return False
        pyperclip.copy("")
    return True


if __name__ == "__main__":
    try:
        clear_when_due(sys.stdin)
    except _FAILURES:
        sys.exit(1)
