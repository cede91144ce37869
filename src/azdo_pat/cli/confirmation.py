"""Asking before something is done that cannot be undone."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import click

from azdo_pat.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from azdo_pat.cli.app import App
    from azdo_pat.models import Pat


class Question(NamedTuple):
    """What is asked, and said where it is not answered with yes.

    Attributes:
        text: the question.
        effect: what would be done, for whoever cannot answer: `1 token (ci) would be revoked`.
        hint: the options that answer.
        declined: what is said after no.
    """

    text: str
    effect: str
    hint: str
    declined: str


def confirm(app: App, pats: Sequence[Pat], question: Question) -> None:
    """Show what will happen to tokens, and have it confirmed; end with 130 after no.

    Raises:
        UsageError: no one is there to answer.
    """
    if not app.may_ask:
        raise UsageError(f"{question.effect}, and no one is here to confirm it", hint=question.hint)
    from azdo_pat.output.plain import visible

    app.preview(pats)
    if not click.confirm(visible(question.text), err=True):
        app.messages.notice(question.declined)
        raise click.exceptions.Exit(ExitCode.INTERRUPTED)


def count(pats: Sequence[Pat]) -> str:
    """Return how many tokens they are, and the name of the only one."""
    if len(pats) == 1:
        return f"1 token ({pats[0].name or pats[0].id})"
    return f"{len(pats)} tokens"
