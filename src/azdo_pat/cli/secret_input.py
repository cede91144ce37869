"""Read a secret from the user: at a prompt, or from standard input."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final

import click

from azdo_pat.errors import UsageError
from azdo_pat.files import decoded

if TYPE_CHECKING:
    from azdo_pat.cli.app import App


_MOST_BYTES: Final = 8192
_ALONE: Final = "pipe in the secret alone, as plain text"


def secret_from_user(app: App, prompt: str, usage: str) -> str:
    """Return what the user types at a prompt without echo, or all of standard input.

    Args:
        app: the program.
        prompt: what to ask for.
        usage: the command line that reads standard input, for the hint.

    Raises:
        UsageError: no one can be asked, or the input is not text, or too long for a token.
    """
    if app.runtime.may_ask:
        try:
            answer: str = click.prompt(prompt, hide_input=True, err=True)
        except click.Abort as ended:
            raise click.Abort from ended  # click has ended the line here; see `cli.exit`
        return answer.removeprefix("\ufeff")  # pasted with the mark of a file
    if sys.stdin.isatty():
        raise UsageError(
            "pat cannot ask for the secret here", hint=f"pipe the secret in: … | {usage}"
        )
    try:
        given = sys.stdin.buffer.read(_MOST_BYTES + 1)
        if len(given) > _MOST_BYTES:
            raise UsageError(
                f"the input is not a token: it has more than {_MOST_BYTES} bytes", hint=_ALONE
            )
        return decoded(given)
    except ValueError as error:
        raise UsageError("the input is not a token: it is not text", hint=_ALONE) from error
