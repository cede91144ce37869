"""`pat list -o json` of one page against a bare script with requests that prints the same."""

import json
import sys
from collections.abc import Iterator

from measuring import YARDSTICKS, Bound, FailedError, Program, Result, compare
from staging import stage

ROUNDS = 60
PAGE = 100


def measure(quick: int) -> Iterator[Result]:
    """Measure it once the organization's GUID is known, as it is from the first listing on."""
    with stage() as scene:
        scene.emulator.add_tokens(PAGE, name="token {n}")
        pat = scene.pat("list", "-o", "json")
        argv = [sys.executable, str(YARDSTICKS / "list_page.py")]
        script = Program(argv=argv, environment=scene.environment)
        ours, theirs = json.loads(pat.output()), json.loads(script.output())
        if ours != theirs or len(ours) != PAGE:
            raise FailedError("pat list and the bare script do not print the same")
        ratio, figures = compare("pat list", pat, script, ROUNDS // quick)
        yield Result(
            measured="pat list -o json, 1 page : script with requests",
            ratio=ratio,
            bound=Bound.AT_MOST,
            target=1.15,
            figures=figures,
        )
