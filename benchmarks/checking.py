"""`pat check` against `pat list`, with and without the network, and with many stored tokens."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from azdo_pat.models import StoredPat
from azdo_pat.store.state import State
from measuring import Bound, FailedError, Result, compare
from staging import Stage, stage

ROUNDS = 40
FEW, MANY = 20, 2_000
LISTED = 5_000


def measure(quick: int) -> Iterator[Result]:
    """Measure it with the organization from the environment."""
    rounds = ROUNDS // quick
    with stage() as few, stage() as many:
        store(few, FEW)
        store(many, MANY)
        check = few.pat("check", "--stored", "--fail-on", "none", "-o", "json")
        ratio, figures = compare(
            "check --stored", check, few.pat("list", "--stored", "-o", "json"), rounds
        )
        yield Result(
            measured="pat check --stored -o json : pat list --stored -o json",
            ratio=ratio,
            bound=Bound.AT_MOST,
            target=1.1,
            figures=figures,
        )
        larger = many.pat("check", "--stored", "--fail-on", "none", "-o", "json")
        ratio, figures = compare(f"{MANY} tokens", larger, check, rounds)
        yield Result(
            measured=f"pat check --stored, {MANY} tokens : {FEW} tokens",
            ratio=ratio,
            bound=Bound.AT_MOST,
            target=3,
            figures=figures,
        )
    with stage() as scene:
        scene.emulator.add_tokens(LISTED, name="token {n}")
        check = scene.pat("check", "--fail-on", "none", "-o", "json")
        ratio, figures = compare(
            "check", check, scene.pat("list", "-o", "json"), max(3, rounds // 8)
        )
        yield Result(
            measured=f"pat check -o json, {LISTED} tokens : pat list -o json",
            ratio=ratio,
            bound=Bound.AT_MOST,
            target=1.1,
            figures=figures,
        )


def store(scene: Stage, count: int) -> None:
    """Make the state file know tokens, of which nothing needs attention."""
    now = datetime.now(UTC)
    folder = Path(scene.environment["HOME"], "state")
    folder.mkdir(mode=0o700)
    scene.environment["PAT_STATE_DIR"] = str(folder)
    state = State(folder / "state.db")
    for number in range(count):
        state.remember(
            StoredPat(
                org_url=f"{scene.emulator.url}/{scene.emulator.organization}",
                org=scene.emulator.organization,
                name=f"token {number}",
                id=f"{number:08d}-0000-0000-0000-000000000000",
                scopes=("vso.packaging",),
                created=now,
                expires=now + timedelta(days=30),
            )
        )
    if len(state.stored()) != count:
        raise FailedError("the state file does not hold the tokens")
