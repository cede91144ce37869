"""Show a progress bar on stderr."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple, TextIO

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from azdo_pat.output.escape import visible


class Bar(NamedTuple):
    """What can be done with a bar; from any thread.

    Attributes:
        step: counts a finished item.
        say: writes a line above the bar.
    """

    step: Callable[[], None]
    say: Callable[[str], None]


class _RateColumn(ProgressColumn):
    """How many items are finished per second."""

    def render(self, task: Task) -> Text:
        """Return the text; see rich."""
        return Text("" if task.speed is None else f"{task.speed:.1f}/s")


@contextmanager
def progress(
    err: TextIO,
    total: Callable[[], int | None],
    label: str,
    *,
    color: bool = True,
) -> Iterator[Bar]:
    """Show a bar on `err` while the block runs; it is gone when the block ends.

    Args:
        err: a terminal.
        total: returns how many items there are, or None while that is not known.
        label: what they are.
        color: use colors.
    """
    bar = Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=30),
        MofNCompleteColumn(),
        _RateColumn(),
        TimeRemainingColumn(compact=True),
        console=Console(file=err, no_color=not color, highlight=False, markup=False, emoji=False),
        transient=True,
        redirect_stdout=False,
        redirect_stderr=False,
    )
    with bar:
        task = bar.add_task(visible(label), total=total())
        yield Bar(
            step=lambda: bar.update(task, advance=1, total=total()),
            say=lambda line: bar.console.print(line, soft_wrap=True),
        )
