"""Renewing 100 tokens at 100 ms a request, side by side against one by one."""

import statistics
import tempfile
from collections.abc import Iterator
from pathlib import Path

from measuring import PAT, Bound, FailedError, Program, Result, cost
from staging import Stage, stage
from store.keyring_service import gnome_keyring, missing_programs

ROUNDS = 2
TOKENS = 100
SLOW = "* */_apis/* delay=100ms times=always"


def measure(quick: int) -> Iterator[Result]:
    """Measure `pat renew` against `pat renew --jobs 1`, with a real Secret Service."""
    if missing := missing_programs():
        raise FailedError(f"not installed: {', '.join(missing)}")
    with tempfile.TemporaryDirectory() as home, stage() as scene, gnome_keyring(Path(home)) as own:
        access = {**own, **scene.environment, "HOME": own["HOME"]}
        file = Path(home, "tokens.toml")
        table = '[[token]]\nname = "t{}"\nscopes = "code"\nexpires = "2d"\n'
        file.write_text("".join(table.format(number) for number in range(TOKENS)))
        Program(argv=[PAT, "apply", str(file)], environment=access).output()
        renew = [PAT, "renew", "--within", "3d"]
        together = Program(argv=renew, environment=access)
        single = Program(argv=[*renew, "--jobs", "1"], environment=access)
        scene.emulator.fail(SLOW)
        rounds = ROUNDS // quick or 1
        pairs = [(_seconds(scene, together), _seconds(scene, single)) for _ in range(rounds)]
    ours = statistics.median(pair[0] for pair in pairs)
    theirs = statistics.median(pair[1] for pair in pairs)
    yield Result(
        measured=f"renewing {TOKENS} tokens at 100 ms, one by one : side by side",
        ratio=theirs / ours,
        bound=Bound.AT_LEAST,
        target=6.0,
        figures=f"one by one {theirs:.1f} s, side by side {ours:.1f} s",
    )


def _seconds(scene: Stage, program: Program) -> float:
    """Time a program that has to replace each token by another one."""
    before = _active(scene)
    seconds = cost(program).wall
    after = _active(scene)
    if len(after) != TOKENS or before & after:
        raise FailedError(f"{len(after)} tokens are active, {len(before & after)} as before")
    return seconds


def _active(scene: Stage) -> set[str]:
    return {
        token["authorizationId"] for token in scene.emulator.tokens if token["status"] == "active"
    }
