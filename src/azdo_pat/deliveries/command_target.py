"""Deliver to a command: the secret on its standard input, the other values in its environment."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from azdo_pat.deliveries.placeholders import facts
from azdo_pat.errors import NotFoundError, PendingError
from azdo_pat.executables import command_line, kill_with_children, require_program
from azdo_pat.waiting import interruptible

if TYPE_CHECKING:
    from collections.abc import Mapping

    from azdo_pat.deliveries.placeholders import DeliveryContext
    from azdo_pat.delivery_targets import CommandTarget
    from azdo_pat.models import Handover


def probe(target: CommandTarget, context: DeliveryContext) -> None:
    """Check that the program is there; whether it will succeed is not known.

    Raises:
        NotFoundError: it is not, or the file is not a program.
    """
    try:
        _program(target, context.environment)
    except OSError as error:
        raise NotFoundError(
            f"the command {target.words[0]!r} cannot be started: {error.strerror or error}",
            hint="install it, or write its path; deliveries run no shell",
        ) from error


def deliver(target: CommandTarget, handover: Handover, context: DeliveryContext) -> None:
    """Run the command to its end, with the secret on its stdin and no line end behind it.

    It is no shell's line: its words are the program and its arguments. What it prints goes
    nowhere. It may print its secret in any form, and what an error says is
    kept in the journal and shown: that is what this program knows, and no word of the command's.

    Raises:
        PendingError: it cannot be started, did not end in time, or ended with another status
            than 0.
    """
    environment = {
        **context.environment,
        **{f"PAT_TOKEN_{name.upper()}": text for name, text in facts(handover).items()},
    }
    try:
        status = _run(target, handover.secret.reveal(), environment)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise _failed(target, f"cannot be started: {reason}") from error
    if status is None:
        raise _failed(target, f"did not end within {target.seconds} seconds")
    if status < 0:
        raise _failed(target, f"was killed by signal {-status}")
    if status > 0:
        raise _failed(target, f"ended with status {status}")


def _run(target: CommandTarget, secret: str, environment: dict[str, str]) -> int | None:
    """Return the exit status; None if it did not end in time, and was killed with its children."""
    program = _program(target, environment)
    with (
        subprocess.Popen(  # noqa: S603 - the user's own command, without a shell
            command_line([program, *target.words[1:]], environment),
            cwd=target.folder or None,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=sys.platform != "win32",  # so that its children can be killed with it
        ) as process
    ):
        try:
            interruptible(lambda: process.communicate(secret.encode(), timeout=target.seconds))
        except subprocess.TimeoutExpired:
            _kill(process)
            return None
        except BaseException:  # Ctrl-C: nothing is left running
            _kill(process)
            raise
    return process.returncode


def _program(target: CommandTarget, environment: Mapping[str, str]) -> str:
    """Return the path of the program.

    Raises:
        OSError: there is none.
    """
    given = target.words[0]
    if Path(given).name != given:
        given = str(Path(target.folder, given).absolute())
    return require_program(given, environment)


def _kill(process: subprocess.Popen[bytes]) -> None:
    if sys.platform != "win32":
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
    kill_with_children(process)
    if process.stdin is not None:
        with suppress(OSError):
            process.stdin.close()


def _failed(target: CommandTarget, reason: str) -> PendingError:
    return PendingError(
        f"the command {target.words[0]!r} {reason}",
        hint="the secret is on its standard input; to test the command, run: pat get NAME |"
        " COMMAND",
    )
