"""What the journal adds to `pat create`: its three writes, each on the disk before it returns."""

import statistics
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from azdo_pat.journal import Create, JournalEntry, NewToken
from azdo_pat.models import Organization, StoredPat
from azdo_pat.store.state import State
from measuring import Bound, Result

ROUNDS = 200
ALLOWED = 5.0
"""Milliseconds."""


def measure(quick: int) -> Iterator[Result]:
    """Measure beginning, noting and finishing an entry, less the write that an index takes."""
    now = datetime.now(UTC)
    url = "https://dev.azure.com/contoso"
    entry = JournalEntry(Organization(name="contoso", url=url), "ci", now)
    operation = Create(entry, NewToken(("vso.code",), now + timedelta(days=30)))
    pat = StoredPat(
        org_url=url,
        org="contoso",
        name="ci",
        id="1b4e28ba-2fa1-11d2-883f-0016d3cca427",
        scopes=operation.new.scopes,
        created=now,
        expires=operation.new.valid_to,
    )
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as folder:  # a disk, not memory as /tmp may be
        state = State(Path(folder, "state.db"))
        state.remember(pat)
        pairs = [
            (_journaled(state, operation, pat), _bare(state, pat)) for _ in range(ROUNDS // quick)
        ]
    journaled = statistics.median(pair[0] for pair in pairs)
    bare = statistics.median(pair[1] for pair in pairs)
    added = journaled - bare
    yield Result(
        measured=f"what the journal adds to a create : {ALLOWED:g} ms",
        ratio=added / ALLOWED,
        bound=Bound.AT_MOST,
        target=1.0,
        figures=f"{journaled:.2f} ms with it, {bare:.2f} ms without",
    )


def _journaled(state: State, operation: Create, pat: StoredPat) -> float:
    started = time.perf_counter()
    key = state.begin(operation)
    state.note(key, pat.id or "", "salt:digest")
    state.finish(key, pat)
    return (time.perf_counter() - started) * 1e3


def _bare(state: State, pat: StoredPat) -> float:
    started = time.perf_counter()
    state.remember(pat)
    return (time.perf_counter() - started) * 1e3
