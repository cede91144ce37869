"""`pat ensure` with nothing due against `pat get`, both from a real Secret Service."""

from collections.abc import Iterator

from measuring import Bound, FailedError, Result, compare
from staging import keyring_stage

ROUNDS = 60
NAME = "laptop"


def measure(quick: int) -> Iterator[Result]:
    """Measure it with the organization from the environment."""
    with keyring_stage() as scene:
        ensure = scene.pat("ensure", NAME, "--for", "git", "--expires", "90d", "--as", "token")
        yardstick = scene.pat("get", NAME)
        ensure.output()
        before = len(scene.emulator.requests)
        if ensure.output() != yardstick.output():
            raise FailedError("pat ensure and pat get do not give the same secret")
        ratio, figures = compare("pat ensure", ensure, yardstick, ROUNDS // quick)
        if len(scene.emulator.requests) != before:
            raise FailedError("pat ensure asked the service")
        yield Result(
            measured="pat ensure with nothing due : pat get",
            ratio=ratio,
            bound=Bound.AT_MOST,
            target=1.1,
            figures=figures,
        )
