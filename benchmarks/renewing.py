"""Renewing 100 tokens at 100 ms a request, side by side against one by one."""

import statistics
from collections.abc import Iterator
from pathlib import Path

from measuring import Bound, FailedError, Program, Result, cost
from staging import Stage, keyring_stage

ROUNDS = 2
TOKENS = 100
SLOW = "* */_apis/* delay=100ms times=always"


def measure(quick: int) -> Iterator[Result]:
    """Measure `pat renew` against `pat renew --jobs 1`, with a real Secret Service."""
    with keyring_stage() as scene:
        file = Path(scene.environment["HOME"], "tokens.toml")
        table = '[[token]]\nname = "t{}"\nscopes = "code"\nexpires = "2d"\n'
        file.write_text("".join(table.format(number) for number in range(TOKENS)))
        scene.pat("apply", str(file)).output()
        together = scene.pat("renew", "--within", "3d")
        single = scene.pat("renew", "--within", "3d", "--jobs", "1")
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
