"""A command that is given the secret on its standard input, and the facts in its environment."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final

from azdo_pat.deliveries.facts import facts
from azdo_pat.errors import PendingError
from azdo_pat.redaction import holds_piece, masked

if TYPE_CHECKING:
    from azdo_pat.deliveries.facts import Surroundings
    from azdo_pat.models import Handover
    from azdo_pat.upkeep import Delivery

_MOST_HEARD: Final = 10_000
"""Bytes of a command's output that are looked at."""


def deliver(delivery: Delivery, handover: Handover, surroundings: Surroundings) -> None:
    """Run the command to its end, with the secret on its stdin and no line end behind it.

    It is no shell's line: its words are the program and its arguments. What it prints is not
    printed, since stdout belongs to `pat`; its last line stands in the error.

    Raises:
        PendingError: it cannot be started, did not end in time, or ended with another status
            than 0.
    """
    environment = {
        **surroundings.environment,
        **{f"PAT_TOKEN_{name.upper()}": text for name, text in facts(handover).items()},
    }
    # A file, as a pipe would have to be read to its end, which a grandchild may keep open.
    with tempfile.TemporaryFile() as output:
        try:
            status = _run(delivery, handover.secret.reveal(), environment, output)
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or error
            raise _failed(delivery, f"cannot be started: {reason}") from error
        finally:
            output.seek(0)
            # It may have printed what it was given, and its last line is kept in the journal.
            heard = masked(output.read(_MOST_HEARD).decode("utf-8", "replace"))
            if holds_piece(heard, handover.secret.reveal()):  # cut off here, or wrapped by it
                heard = "what it printed is not shown, as the secret stands in it"
            for line in heard.splitlines():
                surroundings.heard(f"{delivery.target[0]}: {line}")
    if status is None:
        raise _failed(delivery, f"did not end within {delivery.seconds} seconds")
    if status != 0:
        last = next((line.strip() for line in reversed(heard.splitlines()) if line.strip()), "")
        how = f"was killed by signal {-status}" if status < 0 else f"ended with status {status}"
        raise _failed(delivery, f"{how}{last and f': {last[:200]}'}")


def _run(
    delivery: Delivery, secret: str, environment: dict[str, str], output: IO[bytes]
) -> int | None:
    """Return the exit status; None if it did not end in time, and was killed with its children."""
    program, *arguments = delivery.target
    if Path(program).name != program:
        program = str(Path(delivery.folder, program).absolute())
    with subprocess.Popen(  # noqa: S603 - the user's own command, without a shell
        [program, *arguments],
        cwd=delivery.folder or None,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=output,
        stderr=output,
        start_new_session=sys.platform != "win32",  # so that its children can be killed with it
    ) as process:
        try:
            process.communicate(secret.encode(), timeout=delivery.seconds)
        except subprocess.TimeoutExpired:
            _kill(process)
            return None
        except BaseException:  # Ctrl-C: nothing is left running
            _kill(process)
            raise
    return process.returncode


def _kill(process: subprocess.Popen[bytes]) -> None:
    if sys.platform != "win32":
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
    process.kill()
    if process.stdin is not None:
        with suppress(OSError):
            process.stdin.close()


def _failed(delivery: Delivery, reason: str) -> PendingError:
    return PendingError(
        f"the command {delivery.target[0]!r} {reason}",
        hint="it gets the secret on its standard input; try it by hand: pat get NAME | COMMAND",
    )
