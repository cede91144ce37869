"""Signals that `pat` passes on to the command that it runs."""

from __future__ import annotations

import signal
import sys
from typing import TYPE_CHECKING, cast

from azdo_pat.cli.child import Child

if TYPE_CHECKING:
    import subprocess


class OfAnotherUser:
    """A process that may not be signalled, as of `sudo`; root, as in CI, may signal every one."""

    def send_signal(self, _number: int) -> None:
        raise PermissionError(1, "Operation not permitted")

    def poll(self) -> int:
        return 3

    wait = poll


def test_a_program_that_cannot_be_signalled_is_waited_for() -> None:
    child = Child()
    child._process = cast("subprocess.Popen[bytes]", OfAnotherUser())  # noqa: SLF001 - see above
    child._pass_on(signal.SIGTERM, None)  # noqa: SLF001 - as a signal does
    assert child.wait() == 3


def test_the_status_is_that_of_the_command() -> None:
    with Child() as child:
        child.start([sys.executable, "-c", "raise SystemExit(7)"], {})
        assert child.wait() == 7
