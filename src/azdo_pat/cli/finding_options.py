"""The options of `check` and `admin check` that say what a finding is, and which ones matter."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import click

from azdo_pat.errors import ExitCode, UsageError
from azdo_pat.near_names import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from azdo_pat.cli.app import App
    from azdo_pat.findings import Checked, Finding, Kind, Limits

_NEVER: Final = "none"


class Judging(NamedTuple):
    """What the options say.

    Attributes:
        limits: what is too near, and what is too long.
        ignored: kinds of findings to leave out.
        fails: tells which findings fail the check.
    """

    limits: Limits
    ignored: frozenset[Kind]
    fails: Callable[[Finding], bool]

    def exit_if_failing(self, checked: Checked) -> None:
        """End the command with 10 if a finding fails the check."""
        if any(map(self.fails, checked.findings)):
            raise click.exceptions.Exit(ExitCode.FOUND)


def finding_options(function: Callable[..., object]) -> Callable[..., object]:
    """Add the options to a command; its function gets what they say as `judging`."""

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
    @click.option(
        "--fail-on",
        "fail_on",
        metavar="LEVEL|KIND",
        multiple=True,
        default=["warning"],
        help="Exit with 10 for findings of this kind, or from this level up: error, warning, note,"
        " none [warning]. Repeatable.",
    )
    @click.option(
        "--ignore", "ignored", metavar="KIND", multiple=True, help="Leave out. Repeatable."
    )
    @functools.wraps(function)
    def folded(
        app: App,
        *args: Any,  # noqa: ANN401  # the command's own
        within: str,
        max_life: str,
        fail_on: tuple[str, ...],
        ignored: tuple[str, ...],
        **rest: Any,  # noqa: ANN401  # as above
    ) -> object:
        from azdo_pat.expiry import parse_span
        from azdo_pat.findings import Limits

        now = app.now()
        judging = Judging(
            fails=_threshold(fail_on),
            limits=Limits(within=parse_span(within, now), max_life=parse_span(max_life, now)),
            ignored=frozenset(_kind(each) for each in _words(ignored)),
        )
        return function(app, *args, judging=judging, **rest)

    return folded


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
    proposal = did_you_mean(word, [each for each in known if each != _NEVER])
    return UsageError(f"{option}: {word!r} is {what}", hint=f"{proposal}valid: {', '.join(known)}")
