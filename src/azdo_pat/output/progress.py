"""Show a progress bar on stderr."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TextIO

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
    enabled: bool,
    color: bool = True,
) -> Iterator[Callable[[], None]]:
    """Show a bar on `err` while the block runs; call the yielded function once per finished item.

    Not `enabled` (stderr is no terminal, or `--quiet`), it writes nothing. The bar is gone when
    the block ends, and the call may come from any thread. `total` returns how many items there
    are, or None while that is not known.
    """
    if not enabled:
        yield lambda: None
        return
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
        yield lambda: bar.update(task, advance=1, total=total())
