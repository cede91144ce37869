"""Define the command `check`."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from azdo_pat.cli import options
from azdo_pat.cli.check_output import output_options
from azdo_pat.cli.command import command
from azdo_pat.cli.completers import complete_tokens
from azdo_pat.errors import ExitCode, PartialError, PatError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from azdo_pat.cli.app import App
    from azdo_pat.cli.check_output import Show
    from azdo_pat.findings import Checked, Finding, Kind

_NEVER: Final = "none"


@command("check")
@click.argument("tokens", metavar="[TOKEN]...", nargs=-1, shell_complete=complete_tokens)
@click.option(
    "--within",
    metavar="SPAN",
    default="7d",
    show_default=True,
    help="Report tokens that expire within this span.",
)
@click.option(
    "--max-life",
    metavar="SPAN",
    default="90d",
    show_default=True,
    help="Report tokens with a longer lifetime.",
)
@click.option("--all-orgs", is_flag=True, help="Check the tokens of all your organizations.")
@click.option(
    "--stored",
    is_flag=True,
    help="Check what this machine knows of its stored tokens, without network and sign-in.",
)
@options.verify(help="Also try each stored secret at the service.")
@click.option(
    "--fail-on",
    "fail_on",
    metavar="LEVEL|KIND",
    multiple=True,
    default=["warning"],
    show_default="warning",
    help="Exit with 10 for findings of this kind, or from this level up: error, warning, note,"
    " none. Repeatable.",
)
@click.option("--ignore", "ignored", metavar="KIND", multiple=True, help="Leave out. Repeatable.")
@output_options
def check_command(  # noqa: PLR0913  # one argument for each option
    app: App,
    tokens: tuple[str, ...],
    *,
    within: str,
    max_life: str,
    all_orgs: bool,
    stored: bool,
    verify: bool,
    fail_on: tuple[str, ...],
    ignored: tuple[str, ...],
    show: Show,
) -> None:
    """Find tokens that need attention, and show the command that fixes each finding.

    Checks the active tokens of one organization, and the secrets that are stored here. Without
    TOKEN, it checks all tokens.

    Exits with 10 if there are findings of level warning or error (see --fail-on), with 9 if
    something could not be read.

    \b
    Examples:
      pat check
      pat check --stored --within 14d
      pat check --all-orgs --ignore made-by-tool -o json
      pat check --stored --as prometheus --to tokens.prom
    """
    from azdo_pat.expiry import parse_span
    from azdo_pat.findings import Limits
    from azdo_pat.results import OrganizationFailure
    from azdo_pat.services.check import CheckRequest, check, check_stored

    now = app.now()
    fails = _threshold(fail_on)
    request = CheckRequest(
        texts=tokens,
        limits=Limits(within=parse_span(within, now), max_life=parse_span(max_life, now)),
        ignored=frozenset(_kind(each) for each in _words(ignored)),
        verify=verify,
        line_of=_lines(app),
    )
    if stored:
        app.require_whole_state()
        organization = None if all_orgs else app.session.located[0]
        checked = check_stored(organization.url if organization else None, request, app)
    else:
        organizations = app.organization_cache.all() if all_orgs else [app.organization]
        checked = check(organizations, request, app)
        if app.damaged_states:
            lost = OrganizationFailure(
                "this machine", "the state file was damaged; to rebuild it, run: pat doctor --fix"
            )
            checked = checked._replace(failures=(*checked.failures, lost))
    show(checked, fails)
    _conclude(app, checked, [each for each in checked.findings if fails(each)])


def _conclude(app: App, checked: Checked, failing: list[Finding]) -> None:
    if not checked.findings and not checked.failures:
        count = len(checked.pats)
        app.runtime.messages.notice(
            f"nothing needs attention; checked {count} token{'' if count == 1 else 's'}"
        )
    if checked.failures:
        for failure in checked.failures:
            app.runtime.messages.warn(f"{failure.org}: {failure.reason}")
        raise PartialError(
            "not everything could be checked",
            hint="the findings are those of what could be read; fix the cause, and check again",
        )
    if failing:
        raise click.exceptions.Exit(ExitCode.FOUND)


def _words(texts: Iterable[str]) -> list[str]:
    return [word for text in texts for word in text.replace(",", " ").split()]


def _kind(word: str) -> Kind:
    """Return the kind of that name.

    Raises:
        UsageError: there is none.
    """
    from azdo_pat.findings import Kind

    try:
        return Kind(word)
    except ValueError:
        raise _unknown("--ignore", word, "not a kind of finding", list(Kind)) from None


def _threshold(texts: Iterable[str]) -> Callable[[Finding], bool]:
    """Return the function that tells which findings fail the check.

    Raises:
        UsageError: a word is neither a level nor a kind.
    """
    from azdo_pat.findings import Kind, Severity

    words = _words(texts)
    if not words:
        raise UsageError("--fail-on is empty", hint=f"to never exit with 10: --fail-on {_NEVER}")
    levels = [Severity(word) for word in words if word in list(Severity)]
    kinds = [Kind(word) for word in words if word in list(Kind)]
    for word in words:
        if word not in {*Severity, *Kind, _NEVER}:
            known = [*Severity, _NEVER, *Kind]
            raise _unknown("--fail-on", word, "neither a level nor a kind of finding", known)
    if _NEVER in words and len(words) > 1:
        raise UsageError(f"--fail-on {_NEVER} excludes all others", hint="leave the others out")
    lowest = min((level.rank for level in levels), default=None)

    def fails(finding: Finding) -> bool:
        return finding.kind in kinds or (lowest is not None and finding.severity.rank >= lowest)

    return fails


def _unknown(option: str, word: str, what: str, known: list[str]) -> UsageError:
    from difflib import get_close_matches

    near = get_close_matches(word, [each for each in known if each != _NEVER], n=1)
    proposal = f"did you mean {near[0]}? " if near else ""
    return UsageError(f"{option}: {word!r} is {what}", hint=f"{proposal}valid: {', '.join(known)}")


def _lines(app: App) -> Callable[[str, str, str], int | None]:
    """Return the function that tells where a file declares a token; None if it is unknown."""
    lines: dict[str, dict[tuple[str, str], int]] = {}

    def line_of(file: str, org: str, name: str) -> int | None:
        if file not in lines:
            from azdo_pat.config.declarations import read_declarations

            lines[file] = {}
            with suppress(PatError):  # it may have changed since
                declared = read_declarations(Path(file), expires="30d", now=app.now())
                lines[file] = {(each.org.lower(), each.name): each.line for each in declared}
        # Without an organization in the file, it was the one at hand.
        return lines[file].get((org, name)) or lines[file].get(("", name))

    return line_of
