"""Reading the tokens of 10,000 users at 100 ms a request, and going on after a kill."""

import json
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from measuring import Bound, FailedError, Program, Result, observe
from staging import Stage, stage

MANY, FEW = 10_000, 1_000
JOBS = 24
SAMPLES = 20, 120
"""Users that are read one by one, to know how long one of them takes."""
SLOW = ("* */tokenadmin/* delay=100ms times=always", "* */graph/* delay=100ms times=always")
LONGEST = 150.0
"""Seconds for 10,000 users."""
FIRST = 2.0
"""Seconds."""
MORE_MEMORY = 20 * 1024
"""KiB."""
TIME_LIMIT = 120.0


def measure(quick: int) -> Iterator[Result]:
    """Measure the speed, the memory and the first row; then what a resumed run asks for."""
    many = MANY // quick
    with crowd(SAMPLES[0]) as fewer, crowd(SAMPLES[1]) as more:
        seconds = observe(scan(more, jobs=1)).wall - observe(scan(fewer, jobs=1)).wall
        one_by_one = many * seconds / (SAMPLES[1] - SAMPLES[0])
    with crowd(many) as scene:
        ours = observe(scan(scene))
    with crowd(FEW) as scene:
        few = observe(scan(scene))
        resumed, left = killed_and_resumed(scene, few.lines)
    yield Result(
        measured=f"{many:,} users at 100 ms, one by one : --jobs {JOBS}",
        ratio=one_by_one / ours.wall,
        bound=Bound.AT_LEAST,
        target=8,
        figures=f"one by one {one_by_one:.0f} s (from a sample), pat admin list {ours.wall:.1f} s",
    )
    longest = LONGEST * many / MANY
    yield Result(
        measured=f"{many:,} users at 100 ms : {longest:g} s",
        ratio=ours.wall / longest,
        bound=Bound.AT_MOST,
        target=1,
        figures=f"{ours.wall:.1f} s, {ours.lines:,} tokens",
    )
    yield Result(
        measured=f"first row of {many:,} users : {FIRST:g} s",
        ratio=ours.first / FIRST,
        bound=Bound.AT_MOST,
        target=1,
        figures=f"{ours.first:.2f} s",
    )
    yield Result(
        measured=f"memory more for {many:,} users than for {FEW:,} : 20 MiB",
        ratio=(ours.memory - few.memory) / MORE_MEMORY,
        bound=Bound.AT_MOST,
        target=1,
        figures=f"{ours.memory / 1024:.1f} MiB, {few.memory / 1024:.1f} MiB at most",
    )
    yield Result(
        measured="users read by a resumed run : users left by a killed one",
        ratio=resumed / left,
        bound=Bound.AT_MOST,
        target=1,
        figures=f"{resumed} of {FEW:,} users, {left} were left",
    )


@contextmanager
def crowd(users: int) -> Iterator[Stage]:
    """Start an emulator with that many users more, which takes 100 ms for each request."""
    with stage() as scene:
        scene.emulator.invent_users(users)
        scene.emulator.fail(*SLOW)
        yield scene


def scan(scene: Stage, *more: str, jobs: int = JOBS) -> Program:
    """Return the listing of the tokens of all users."""
    return scene.pat("admin", "list", "--all-users", "--jobs", f"{jobs}", "-o", "jsonl", *more)


def killed_and_resumed(scene: Stage, rows: int) -> tuple[int, int]:
    """Kill a scan halfway, and go on with it.

    Returns:
        How many users the second run asked for, and how many the first had left.

    Raises:
        FailedError: the second run does not list the tokens of all.
    """
    file = Path(scene.environment["HOME"], "scan")
    saving = scan(scene, "--save", str(file))
    with subprocess.Popen(
        saving.argv,
        env=saving.environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as running:
        end = time.monotonic() + TIME_LIMIT
        while _whole_lines(file) < FEW // 2:
            if running.poll() is not None or time.monotonic() > end:
                raise FailedError("the scan did not come halfway")
            time.sleep(0.05)
        running.kill()
    users = len(json.loads(file.read_bytes().partition(b"\n")[0])["users"])
    left = users + 1 - _whole_lines(file)
    before = len(scene.emulator.requests)
    resuming = scene.pat("admin", "list", "--resume", str(file), "--jobs", f"{JOBS}", "-o", "jsonl")
    if len(resuming.output().splitlines()) != rows:
        raise FailedError("the resumed scan does not list the tokens of all users")
    paths = [each["path"] for each in scene.emulator.requests[before:]]
    if any("/tokenadmin/" not in path for path in paths):
        raise FailedError("the resumed scan asked for more than tokens")
    return len(set(paths)), left


def _whole_lines(file: Path) -> int:
    return file.read_bytes().count(b"\n") if file.exists() else 0
