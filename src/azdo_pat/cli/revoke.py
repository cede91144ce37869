"""revoke."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import click

from azdo_pat.cli.command import command
from azdo_pat.cli.complete import complete_scopes, complete_tokens
from azdo_pat.cli.confirmation import Question, confirm, count
from azdo_pat.cli.global_options import option
from azdo_pat.cli.leftovers import say_where_it_lies
from azdo_pat.cli.signals import ctrl_c_noted
from azdo_pat.errors import (
    ExitCode,
    NotFoundError,
    PartialError,
    PatError,
    PendingError,
    UsageError,
)
from azdo_pat.naming import as_argument

if TYPE_CHECKING:
    from collections.abc import Sequence

    from azdo_pat.cli.app import App
    from azdo_pat.models import Pat
    from azdo_pat.services.revoke import Revoked


@command("revoke")
@click.argument("texts", metavar="[TOKEN]...", nargs=-1, shell_complete=complete_tokens)
@option("--name", "names", metavar="GLOB", multiple=True, help="All that are named so. Repeatable.")
@option(
    "--scope",
    "scopes",
    metavar="S",
    multiple=True,
    shell_complete=complete_scopes,
    help="All that have this scope. Repeatable.",
)
@option("--expired", is_flag=True, help="Expired ones instead of active ones.")
@option("--yes", is_flag=True, help="Do not ask.")
@option("--dry-run", is_flag=True, help="Only show what would be revoked.")
def revoke_command(  # noqa: PLR0913  # one argument for each option
    app: App,
    texts: tuple[str, ...],
    *,
    names: tuple[str, ...],
    scopes: tuple[str, ...],
    expired: bool,
    yes: bool,
    dry_run: bool,
) -> None:
    """Revoke tokens for good, and take their secrets out of the keyring.

    Each TOKEN is a name, an id, or 8 or more characters of the id. Instead of tokens, --name,
    --scope and --expired choose all of this organization that fulfil every one of them. Tokens
    for all organizations are revoked only when they are named.

    \b
    Examples:
      pat revoke laptop 3f2a9c1e
      pat revoke --name "ci-*" --dry-run
      pat revoke --expired --yes
    """
    from azdo_pat.services.revoke import plan, revoke
    from azdo_pat.services.stored_secrets import still_works

    if texts and (names or scopes or expired):
        raise UsageError(
            "tokens are either named or chosen with --name, --scope or --expired",
            hint="leave out the one or the other",
        )
    render = app.render
    not_found = 0
    if texts:
        pats, not_found = _named(app, texts)
    else:
        pats, not_found = _selected(app, names, scopes, expired=expired)
    if dry_run:
        living = _living(pats)
        app.messages.notice(f"{count(living)} would be revoked{_where(living)}; nothing was")
        render.revocations(plan(pats))
        _complain(not_found, len(pats) + not_found)
        return
    if not pats:
        render.revocations(())
        _complain(not_found, not_found)
        app.messages.notice("there is nothing to revoke")
        return
    if not yes and _living(pats):
        _ask(app, _living(pats))
    brought = {each.id: each.renewal.deliveries for each in app.state.stored(app.organization.url)}
    with app.progress(len(pats), "revoking") as show, ctrl_c_noted() as stopped:

        def done() -> None:
            show()
            if stopped():
                raise KeyboardInterrupt

        revoked = revoke(
            app.organization,
            pats,
            tokens=app.tokens,
            secrets=lambda: app.secrets,
            state=app.state,
            exclusive=app.exclusive,
            user=app.user,
            now=app.now,
            works=lambda secret: still_works(app.organization, secret, app.directory),
            done=done,
        )
        revoked = replace(revoked, interrupted=stopped())
    render.revocations(revoked.items)
    for item in revoked.items:
        if item.pat.status == "revoked":
            say_where_it_lies(app.messages, item.pat.name, brought.get(item.pat.id, ()), "useless")
    _conclude(app, revoked, not_found)


def _named(app: App, texts: Sequence[str]) -> tuple[Sequence[Pat], int]:
    """Find the tokens; say which of several cannot be told, and go on with the others."""
    pats, failures = app.browser.find_each(app.organization, texts)
    if failures and len(set(texts)) == 1:
        raise failures[0]
    for failure in failures:
        app.messages.warn(f"{failure.message} ({'; '.join(failure.hint.splitlines())})")
    if not pats:
        raise NotFoundError(
            f"none of the {len(failures)} tokens is there to revoke",
            hint="pat list --status all shows those there are",
        )
    return pats, len(failures)


def _complain(failed: int, of: int, *, certain: bool = True) -> None:
    """End with the code for a bulk operation of which some failed."""
    if failed:
        raise PartialError(
            f"{failed} of {of} tokens could not be revoked{'' if certain else ' for certain'}",
            hint="the others could; pat list shows what is left" if failed < of else "see above",
        )


def _selected(
    app: App, names: tuple[str, ...], scopes: Sequence[str], *, expired: bool
) -> tuple[Sequence[Pat], int]:
    """Find the tokens that fulfil the conditions; return also of how many that is not known."""
    from azdo_pat.models import Status
    from azdo_pat.scopes import parse_scopes
    from azdo_pat.services.browse import Filters
    from azdo_pat.services.revoke import bulk

    if not (names or scopes or expired):
        raise UsageError(
            "which tokens?", hint="name them, or choose with --name, --scope or --expired"
        )
    filters = Filters(
        statuses=(Status.EXPIRED if expired else Status.ACTIVE,),
        names=names,
        scopes=parse_scopes(scopes, allow_unknown=True) if scopes else (),
        doubtful=True,
    )
    app.organization_cache.confirm(
        app.organization
    )  # a name given to another one would choose its tokens
    own, left_out = bulk(list(app.browser.listing(app.organization, filters)), app.organization)
    for pat in left_out:
        why = "cannot be read in full" if pat.unread else "is for all organizations"
        how = f" (pat revoke {as_argument(pat.id)})" if pat.id else ""
        tell = app.messages.warn if pat.unread else app.messages.notice
        tell(f"left out, as it {why}: {pat.name or 'name unknown'}{how}")
    return own, sum(bool(pat.unread) for pat in left_out)


def _ask(app: App, pats: Sequence[Pat]) -> None:
    """Show what will be revoked and have it confirmed."""
    where = _where(pats) or f" in {app.organization.name}"
    question = Question(
        text=f"Revoke {count(pats)}{where}?",
        effect=f"{count(pats)} would be revoked{_where(pats)}",
        hint="--yes confirms, --dry-run shows them",
        declined="nothing was revoked",
    )
    confirm(app, pats, question)


def _where(pats: Sequence[Pat]) -> str:
    """Say which tokens end in more than the organization at hand; empty for none."""
    everywhere = [pat.name for pat in pats if pat.is_global]
    if not everywhere:
        return ""
    if len(everywhere) == len(pats):
        return " in all your organizations"
    return f", {len(everywhere)} of them in all your organizations ({', '.join(everywhere)})"


def _conclude(app: App, revoked: Revoked, not_found: int) -> None:
    """Say how it went, and end with the code for it."""
    done = len(revoked.items) - revoked.failed
    if revoked.interrupted:
        app.messages.warn(f"interrupted: {done} of {len(revoked.items)} tokens are revoked")
        raise click.exceptions.Exit(ExitCode.INTERRUPTED)
    for item in revoked.items:
        if item.error:
            doubt = "; whether it is revoked is not known, and pat list finds out" * item.doubtful
            app.messages.warn(
                f"{item.pat.name} ({item.pat.id or 'id unknown'}): {item.error}{doubt}"
            )
    doubtful = any(item.doubtful for item in revoked.items)
    _complain(revoked.failed + not_found, len(revoked.items) + not_found, certain=not doubtful)
    pending: Sequence[PatError] = [
        PendingError(
            f"{item.pat.name} is revoked, but its secret could not be taken out of the keyring:"
            f" {item.left_in_keyring}",
            # By its id: another secret may be stored under the name by then.
            hint="it is useless now; to take it out later, the same again:"
            f" pat revoke {as_argument(item.pat.id or item.pat.name)}",
        )
        for item in revoked.left_in_keyring
    ]
    for error in pending:
        raise error
    gone = [item.pat for item in revoked.items if item.outcome == "revoked"]
    before = [item.pat for item in revoked.items if item.outcome != "revoked"]
    words = [f"revoked {count(gone)}{_where(gone)}"] if gone else []
    words += [f"revoked before: {count(before)}"] if before else []
    app.messages.notice("; ".join(words))
    for item in revoked.items:
        if item.pat.stored:
            app.messages.notice(
                f"a secret that is stored under {item.pat.name!r} stays: the service still takes it"
            )


def _living(pats: Sequence[Pat]) -> list[Pat]:
    """Return those that are not revoked yet."""
    return [pat for pat in pats if pat.status != "revoked"]
