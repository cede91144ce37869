"""Listing 5,000 tokens: how many requests, and how much memory."""

import statistics
from collections.abc import Iterator

from measuring import Bound, FailedError, Program, Result, peak_memory
from staging import Stage, stage

ROUNDS = 6
PAGE = 100
FEW = 500
MANY = 5_000


def measure(quick: int) -> Iterator[Result]:
    """Count the requests for the pages, and compare the memory that many and few take."""
    rounds = ROUNDS // quick or 1
    with stage() as scene:
        listing = scene.pat("list", "-o", "jsonl")
        scene.emulator.add_tokens(FEW)
        listing.output()  # from here on the organization's GUID is known
        few = _memory(listing, rounds)
        scene.emulator.add_tokens(MANY - FEW)
        requests = _requests(scene, listing)
        many = _memory(listing, rounds)
    yield Result(
        measured=f"requests for {MANY:,} tokens : pages of {PAGE}",
        ratio=requests / (MANY / PAGE),
        bound=Bound.AT_MOST,
        target=1.0,
        figures=f"{requests} requests",
    )
    yield Result(
        measured=f"memory of pat list -o jsonl, {MANY:,} : {FEW} tokens",
        ratio=many / few,
        bound=Bound.AT_MOST,
        target=1.1,
        figures=f"{many / 1024:.1f} MiB, {few / 1024:.1f} MiB at most",
    )


def _memory(listing: Program, rounds: int) -> float:
    return statistics.median(peak_memory(listing) for _ in range(rounds))


def _requests(scene: Stage, listing: Program) -> int:
    before = len(scene.emulator.requests)
    lines = listing.output().splitlines()
    if len(lines) != MANY:
        raise FailedError(f"{len(lines)} tokens were listed instead of {MANY}")
    return len(scene.emulator.requests) - before
