"""Ask for confirmation before a destructive command."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import click

from azdo_pat.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from azdo_pat.cli.app import App
    from azdo_pat.models import Pat


class Question(NamedTuple):
    """A question, and the messages for any answer but yes.

    Attributes:
        text: the question.
        effect: what would happen, for the error without a terminal: `1 token would be revoked`.
        hint: the options that answer the question.
        declined: the message after the answer no.
    """

    text: str
    effect: str
    hint: str
    declined: str


def confirm(app: App, pats: Sequence[Pat], question: Question) -> None:
    """Show the tokens and ask for confirmation; exit with 130 if the user declines.

    Raises:
        UsageError: the user cannot be asked.
    """
    confirm_shown(app, lambda: app.runtime.preview.pats(pats), question)


def confirm_shown(app: App, show: Callable[[], object], question: Question) -> None:
    """Show something and ask for confirmation, as `confirm` does."""
    if not app.runtime.may_ask:
        raise UsageError(
            f"{question.effect}, but pat cannot ask for confirmation here", hint=question.hint
        )
    from azdo_pat.output.escape import visible

    show()
    if not click.confirm(visible(question.text), err=True):
        app.runtime.messages.notice(question.declined)
        raise click.exceptions.Exit(ExitCode.INTERRUPTED)


def count(pats: Sequence[Pat]) -> str:
    """Return the number of tokens as text; for a single token, with its name."""
    if len(pats) == 1:
        return f"1 token ({pats[0].name or pats[0].id})"
    return f"{len(pats)} tokens"
