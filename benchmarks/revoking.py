"""Revoking 200 tokens at 100 ms a request against one by one; and a pause that is ordered."""

import statistics
import sys
from collections.abc import Iterator
from datetime import datetime

from measuring import YARDSTICKS, Bound, FailedError, Program, Result, cost
from staging import Stage, stage

ROUNDS = 2
TOKENS = 200
SLOW = "* */tokens/pats delay=100ms times=always"
PAUSE = 3.0
"""Seconds that the service orders."""
UNDER_WAY = 12
"""How many requests may still come that left before the order was heard…"""
HEARD = 0.5
"""…and within how many seconds."""
TOO_MANY = 429


def measure(quick: int) -> Iterator[Result]:
    """Measure the speed, then the pause."""
    rounds = ROUNDS // quick or 1
    with stage() as scene:
        pat = scene.pat("revoke", "--name", "x-*", "--yes")
        scene.emulator.add_tokens(name="x-{n}")
        pat.output()  # from here on the organization's GUID is known
        argv = [sys.executable, str(YARDSTICKS / "revoke_one_by_one.py"), "x-"]
        script = Program(argv=argv, environment=scene.environment)
        scene.emulator.fail(SLOW)
        pairs = [(_seconds(scene, pat), _seconds(scene, script)) for _ in range(rounds)]
    ours = statistics.median(pair[0] for pair in pairs)
    theirs = statistics.median(pair[1] for pair in pairs)
    yield Result(
        measured=f"revoking {TOKENS} tokens at 100 ms, one by one : pat revoke",
        ratio=theirs / ours,
        bound=Bound.AT_LEAST,
        target=6.0,
        figures=f"one by one {theirs:.1f} s, pat revoke {ours:.1f} s",
    )
    waited = _pause()
    yield Result(
        measured="pause before the next request : Retry-After",
        ratio=waited / PAUSE,
        bound=Bound.AT_LEAST,
        target=1.0,
        figures=f"{waited:.2f} s, {PAUSE:.0f} s were ordered",
    )


def _seconds(scene: Stage, program: Program) -> float:
    """Time a program that has to revoke all of the tokens made for it."""
    scene.emulator.add_tokens(TOKENS, name="x-{n}")
    seconds = cost(program).wall
    _check_all_revoked(scene)
    return seconds


def _check_all_revoked(scene: Stage) -> None:
    left = [token for token in scene.emulator.tokens if token["status"] != "revoked"]
    if left:
        raise FailedError(f"{len(left)} tokens were not revoked")


def _pause() -> float:
    """Order a pause in the middle of it; return the seconds until the next request came."""
    with stage() as scene:
        scene.emulator.fail(
            f"DELETE */tokens/pats status={TOO_MANY} retry-after={PAUSE:.0f} skip=50 times=1"
        )
        scene.emulator.add_tokens(TOKENS, name="x-{n}")
        scene.pat("revoke", "--name", "x-*", "--yes").output()
        _check_all_revoked(scene)
        log = scene.emulator.requests
    ordered = next(datetime.fromisoformat(each["time"]) for each in log if _is_order(each))
    gaps = [(datetime.fromisoformat(each["time"]) - ordered).total_seconds() for each in log]
    later = sorted(gap for gap in gaps if gap > 0)
    under_way = [gap for gap in later[:UNDER_WAY] if gap < HEARD]
    return later[len(under_way)]


def _is_order(request: dict[str, object]) -> bool:
    return request["status"] == TOO_MANY
