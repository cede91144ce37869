"""The options `--as` and `--to` of `check`, which write findings for other programs."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from azdo_pat.errors import UsageError
from azdo_pat.formats import CheckForm

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from azdo_pat.cli.app import App
    from azdo_pat.findings import Checked, Finding

    Show = Callable[[Checked, Callable[[Finding], bool]], None]

_CI: Final = "ci"
"""Stands for the form of the runner that runs this step; outside of one, for `-o`."""

_STDOUT: Final = Path("-")


def output_options(function: Callable[..., object]) -> Callable[..., object]:
    """Add `--as` and `--to` to a command; its function gets `show`, which writes findings.

    `show` takes what was found, and the function that tells which findings fail the check.
    """
    forms = [*map(str, CheckForm), _CI]

    @click.option(
        "--as",
        "form",
        metavar="FORMAT",
        type=click.Choice(forms),
        help=f"Write for another program ({', '.join(forms)}).",
    )
    @click.option(
        "--to",
        "to",
        metavar="FILE",
        type=click.Path(path_type=Path),
        help="Replace FILE, for --as prometheus, junit or ics; - is stdout.",
    )
    @functools.wraps(function)
    def folded(
        app: App,
        *args: Any,  # noqa: ANN401  # the command's own
        form: str | None,
        to: Path | None,
        **rest: Any,  # noqa: ANN401  # as above
    ) -> object:
        return function(app, *args, show=_show(app, form, to), **rest)

    return folded


def _show(app: App, text: str | None, to: Path | None) -> Show:
    """Return what writes findings as the options ask for.

    Raises:
        UsageError: the options do not fit together, or the file cannot be replaced.
        PatError: the file cannot be written.
    """
    environment = app.runtime.environment
    form = _form(environment, text)
    to = None if to == _STDOUT else to
    if to is not None and (form is None or form.is_for_runner):
        raise UsageError(
            "--to needs --as prometheus, junit or ics",
            hint="add one of them, or leave out --to and write to a file with >",
        )
    if to is not None:
        from azdo_pat.output.result_file import check_replaceable

        check_replaceable(to)  # before the tokens of many users are read
    if form is None:
        return lambda checked, _: app.runtime.render.findings(checked.findings)
    if app.runtime.options.query is not None:
        raise UsageError("--query does not apply to --as", hint="leave out one of the two")

    def show(checked: Checked, fails: Callable[[Finding], bool]) -> None:
        from azdo_pat.output.checked_writer import write_checked

        write_checked(checked, form, fails, out=app.runtime.out, environment=environment, to=to)

    return show


def _form(environment: Mapping[str, str], text: str | None) -> CheckForm | None:
    if text != _CI:
        return None if text is None else CheckForm(text)
    from azdo_pat.output.checked_writer import form_for_ci

    return form_for_ci(environment)
