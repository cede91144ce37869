"""Programs timed side by side with a yardstick, in processes of their own.

A figure of one run says little on a machine that does other things, too; the ratio of two
programs that took turns says much.
"""

import math
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

PAT = str(Path(sys.executable).with_name("pat"))
YARDSTICKS = Path(__file__).parent / "yardsticks"

_LAUNCHER = """\
import resource, subprocess, sys
done = subprocess.run(sys.argv[1:], stderr=subprocess.PIPE)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, file=sys.stderr, flush=True)
sys.stderr.buffer.write(done.stderr)
sys.exit(done.returncode)
"""
"""Small, because what a process takes at its start counts as its child's: exec passes it on."""


class FailedError(Exception):
    """What was to be measured did not do what it should; a time of it would mean nothing."""


class Bound(Enum):
    """Which way a target points."""

    AT_MOST = "at most"
    AT_LEAST = "at least"


@dataclass(frozen=True, kw_only=True)
class Result:
    """One ratio and the target that it is held to.

    Attributes:
        measured: what was measured, in words.
        figures: what the ratio was made of, in words.
    """

    measured: str
    ratio: float
    bound: Bound
    target: float
    figures: str

    @property
    def met(self) -> bool:
        """Tell whether the target is met."""
        if self.bound is Bound.AT_MOST:
            return self.ratio <= self.target
        return self.ratio >= self.target


@dataclass(frozen=True, kw_only=True)
class Program:
    """A program and the whole of its environment."""

    argv: Sequence[str]
    environment: Mapping[str, str]

    def output(self) -> str:
        """Run it and return what it says on stdout.

        Raises:
            FailedError: it did not end with 0.
        """
        done = subprocess.run(
            self.argv, env=self.environment, capture_output=True, encoding="utf-8", check=False
        )
        if done.returncode:
            raise FailedError(f"{' '.join(self.argv)}: {done.stderr}")
        return done.stdout


@dataclass(frozen=True, kw_only=True)
class Cost:
    """What one run took, in seconds: by the clock, and of the processor."""

    wall: float
    cpu: float


def cost(program: Program) -> Cost:
    """Run a program to its end, its output thrown away.

    Raises:
        FailedError: it did not end with 0, or this is Windows.
    """
    if sys.platform != "win32":
        quiet = [(os.POSIX_SPAWN_OPEN, stream, os.devnull, os.O_RDWR, 0) for stream in (0, 1, 2)]
        started = time.perf_counter()
        argv = list(program.argv)
        pid = os.posix_spawn(argv[0], argv, program.environment, file_actions=quiet)
        _, status, usage = os.wait4(pid, 0)
        wall = time.perf_counter() - started
        if status:
            raise FailedError(f"{' '.join(program.argv)}: status {status}")
        return Cost(wall=wall, cpu=usage.ru_utime + usage.ru_stime)
    raise FailedError("Windows does not tell what a program has cost")


def compare(measured: str, program: Program, yardstick: Program, rounds: int) -> tuple[float, str]:
    """Let two programs take turns.

    Args:
        measured: what the program is called in the figures.
        program: what is measured.
        yardstick: what it is measured against.
        rounds: how often each runs, after one run that does not count.

    Returns:
        The ratio of the medians of their times by the clock, and the figures.
    """
    pairs = [(cost(program), cost(yardstick)) for _ in range(rounds + 1)][1:]
    ours = statistics.median(pair[0].wall for pair in pairs)
    theirs = statistics.median(pair[1].wall for pair in pairs)
    cpu = statistics.median(a.cpu for a, _ in pairs) / statistics.median(b.cpu for _, b in pairs)
    figures = f"{measured} {ours * 1e3:.0f} ms, yardstick {theirs * 1e3:.0f} ms; CPU {cpu:.2f}"
    return ours / theirs, figures


@dataclass(frozen=True, kw_only=True)
class Run:
    """What one run wrote and took.

    Attributes:
        lines: how many lines it wrote on stdout.
        first: seconds until the first of them; infinite if there was none.
        wall: seconds until its end.
        memory: the most that it held at once, in KiB.
    """

    lines: int
    first: float
    wall: float
    memory: int


def observe(program: Program) -> Run:
    """Run a program to its end, reading each line that it writes as soon as it is there.

    Raises:
        FailedError: it did not end with 0.
    """
    launcher = [sys.executable, "-I", "-S", "-c", _LAUNCHER]
    lines, first = 0, math.inf
    started = time.perf_counter()
    with tempfile.TemporaryFile("w+", encoding="utf-8") as errors:
        with subprocess.Popen(
            [*launcher, *program.argv],
            env=program.environment,
            stdout=subprocess.PIPE,
            stderr=errors,
        ) as running:
            for _ in running.stdout or ():
                lines += 1
                first = min(first, time.perf_counter() - started)
        wall = time.perf_counter() - started
        errors.seek(0)
        memory, _, said = errors.read().partition("\n")
    if running.returncode:
        raise FailedError(f"{' '.join(program.argv)}: {said}")
    return Run(lines=lines, first=first, wall=wall, memory=int(memory))


def peak_memory(program: Program) -> int:
    """Run a program and return the most memory that it held at once, in KiB.

    Raises:
        FailedError: it did not end with 0.
    """
    return observe(program).memory
