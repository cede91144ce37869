"""Define the command `explain`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import click

from azdo_pat.cli.command import command
from azdo_pat.cli.completers import complete_tokens
from azdo_pat.cli.token_messages import AUDITING_MAY_BE_OFF
from azdo_pat.errors import NotFoundError, PartialError, PatError

if TYPE_CHECKING:
    from azdo_pat.cli.app import App
    from azdo_pat.results.explanation import Explained, Explanation

_MOST_NAMES: Final = 3
"""More than these are counted."""


@command("explain")
@click.argument("names", metavar="[NAME]...", nargs=-1, shell_complete=complete_tokens)
@click.option(
    "--since",
    metavar="SPAN|DATE",
    help="Without NAME, only tokens created within this span or since this date. With --audit, only"
    " events since then; the default is 30d, and 90d is all that the log keeps.",
)
@click.option(
    "--audit",
    is_flag=True,
    help="Show from the audit log who created the token, when, from which address and with which"
    " program. Needs the permission View audit log.",
)
def explain_command(app: App, names: tuple[str, ...], *, since: str | None, audit: bool) -> None:
    """Explain who or what created a token that you do not recognize, and what to do.

    Azure DevOps sends a mail about each new token, also if a tool created it for you. NAME is the
    name of the token in the mail; pat knows the names that tools give. Without a sign-in, pat
    explains the name alone. With one, it shows the tokens that have the name, too; NAME can then
    also be an id. Without NAME, all active tokens that pat did not create are listed.

    Exits with 3 if neither a tool nor a token is known by the name.

    \b
    Examples:
      pat explain "git: https://dev.azure.com/contoso on ada-laptop"
      pat explain ci --audit --since 90d
      pat explain --since 30d
    """
    from azdo_pat.expiry import parse_since
    from azdo_pat.services.explain import Question, explain

    now = app.runtime.now()
    moment = None if since is None else parse_since(since, now)
    render = app.runtime.render
    if audit and app.runtime.err.isatty():
        app.runtime.messages.notice("reading the audit log, which may take a while…")
    explained = explain(Question(names, app.runtime.machine, moment, audit), app)
    render.show_all(explained.explanations)
    if explained.explanations:
        _say(app, explained)
    else:
        time = " in that time" if moment else ""
        app.runtime.messages.notice(
            f"no active token of {app.organization.name} was created{time} except by pat"
        )
    if explained.unaudited:
        raise explained.unaudited
    missing = [each for each in explained.explanations if each.is_missing]
    if missing:
        raise _missing(missing, explained)


def _say(app: App, explained: Explained) -> None:
    """Say what could not be looked up, and what to do in doubt."""
    notice = app.runtime.messages.notice
    if explained.unseen and not any(each.is_missing for each in explained.explanations):
        notice(f"tokens of that name were not looked up: {explained.unseen.message}")
        for line in explained.unseen.hint.splitlines():
            notice(f"     {line}")
    if len(explained.explanations) > 1:
        notice("to see all about one of them, run: pat explain NAME")
    _say_what_the_log_lacks(app, explained)
    notice("if in doubt:")
    for number, step in enumerate(explained.steps, 1):
        notice(f"  {number}. {step}")


def _say_what_the_log_lacks(app: App, explained: Explained) -> None:
    """Say why the audit log may have no event about a name."""
    from azdo_pat.dates import local_date
    from azdo_pat.services.explain import LOG_KEPT

    notice = app.runtime.messages.notice
    silent = [each for each in explained.explanations if each.audit == ()]
    since = silent[0].audited_since if silent else None
    if since is None:
        return
    names = ", ".join(repr(each.name) for each in silent)
    if len(silent) > _MOST_NAMES:
        names = f"{len(silent)} of the names"
    notice(f"the audit log has no event about {names} since {local_date(since, zone=None)}")
    if since > app.runtime.now() - LOG_KEPT:
        notice(f"     for all that it keeps, add --since {LOG_KEPT.days}d")
    if len(silent) == len(explained.explanations):
        notice(f"     {AUDITING_MAY_BE_OFF}")


def _missing(missing: list[Explanation], explained: Explained) -> PatError:
    names = ", ".join(repr(each.name) for each in missing)
    unseen = explained.unseen
    message = f"neither a tool nor a token is known by the name {names}"
    hint = "check the name in the mail; to look in another organization, add --org ORG"
    hint = f"{explained.near}{hint}"
    if unseen:
        message += f"; tokens were not looked up: {unseen.message}"
        hint = unseen.hint or hint
    if len(missing) < len(explained.explanations):
        return PartialError(message, hint=hint)
    return NotFoundError(message, hint=hint)
