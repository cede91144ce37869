"""`pat ensure` with nothing due against `pat get`, both from a real Secret Service."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

from measuring import PAT, Bound, FailedError, Program, Result, compare
from staging import stage
from store.keyring_service import gnome_keyring, missing_programs

ROUNDS = 60
NAME = "laptop"


def measure(quick: int) -> Iterator[Result]:
    """Measure it with the organization from the environment."""
    if missing := missing_programs():
        raise FailedError(f"not installed: {', '.join(missing)}")
    with tempfile.TemporaryDirectory() as home, stage() as scene, gnome_keyring(Path(home)) as own:
        access = {**own, **scene.environment, "HOME": own["HOME"]}
        words = [PAT, "ensure", NAME, "--for", "git", "--expires", "90d", "--as", "token"]
        ensure = Program(argv=words, environment=access)
        yardstick = Program(argv=[PAT, "get", NAME], environment=access)
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
