"""`pat --help` and `pat --version` against the import of click, which they cannot do without."""

import sys
import tempfile
from collections.abc import Iterator

from measuring import PAT, Bound, Program, Result, compare
from staging import bare_environment

ROUNDS = 60


def measure(quick: int) -> Iterator[Result]:
    """Measure both; `quick` divides the number of rounds."""
    with tempfile.TemporaryDirectory() as home:
        environment = bare_environment(home)
        click = Program(argv=[sys.executable, "-c", "import click"], environment=environment)
        for option in ("--help", "--version"):
            program = Program(argv=[PAT, option], environment=environment)
            ratio, figures = compare(f"pat {option}", program, click, ROUNDS // quick)
            yield Result(
                measured=f"pat {option} : import click",
                ratio=ratio,
                bound=Bound.AT_MOST,
                target=1.3,
                figures=figures,
            )
