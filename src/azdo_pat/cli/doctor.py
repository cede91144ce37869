"""Define the command `doctor`."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from azdo_pat.cli.command import command
from azdo_pat.errors import ExitCode, UsageError
from azdo_pat.homes import expanded

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import timedelta

    from azdo_pat.cli.app import App
    from azdo_pat.models import Organization, Status
    from azdo_pat.results import Recovered


@command("doctor")
@click.option("--fix", is_flag=True, help="Repair what can be repaired.")
@click.option(
    "--dismiss",
    "dismissed",
    metavar="ID",
    multiple=True,
    help="Leave this token alone: no interrupted command created it. Repeatable.",
)
def doctor_command(app: App, *, fix: bool, dismissed: tuple[str, ...]) -> None:
    """Diagnose problems and say how to fix them.

    Checks the sign-in, the network, the service, the clock, the organization, the permission to
    list tokens, the keyring, the state file, unfinished operations of interrupted commands, and
    the stored secrets.

    --fix completes or rolls back interrupted commands, rebuilds a damaged state file, and deletes
    the stored secrets of revoked tokens. It revokes only tokens that an interrupted command
    created or was about to revoke. If it is not certain that an interrupted command created a
    token, the token is left alone and reported until you revoke it, or dismiss it with --dismiss.

    Ends with exit code 10 if a problem remains.

    \b
    Examples:
      pat doctor
      pat doctor --fix
    """
    from azdo_pat.services.doctor import DoctorDeps, examine

    render = app.runtime.render
    state = app.state
    app.look_at_state()  # a damaged one is moved aside here, and told
    for identifier in dismissed:
        _dismiss(app, identifier)
    deps = DoctorDeps(
        now=app.runtime.now(),
        api_root=app.session.api_root,
        sign_in=partial(_sign_in, app),
        organization=partial(_organization, app),
        identity=partial(_identity, app),
        active=partial(_active, app),
        listed=partial(_listed, app),
        clock=partial(_clock, app),
        network=partial(_network, app),
        recover=partial(_recover, app),
        recover_local=app.recover_local,
        set_aside=partial(_set_aside, app),
        rebuild=partial(_rebuild, app),
        damaged=[each.name for each in app.damaged_states],
        secrets=app.session.secrets,
        state=state,
        exclusive=app.exclusive,
    )
    checks = examine(deps, fix=fix)
    render.show_all(checks)
    if any(each.status == "problem" for each in checks):
        raise click.exceptions.Exit(ExitCode.FOUND)


def _dismiss(app: App, identifier: str) -> None:
    """Record that no interrupted command created a token.

    Raises:
        UsageError: the id is not complete, or is of a token that will be revoked.
    """
    from azdo_pat.journal import revoked_by
    from azdo_pat.naming import is_full_id

    if not is_full_id(identifier):
        raise UsageError(
            f"{identifier!r} is not a full token id",
            hint="copy the id from the warning, or run: pat list --status all -o json",
        )
    for operation in app.state.unfinished():
        entry = operation.entry
        if (revoked_by(operation) or "").lower() == identifier.lower():
            raise UsageError(
                f"the token {identifier.lower()} cannot be dismissed: an interrupted command for"
                f" {entry.name!r} in {entry.organization.name} left it to be revoked",
                hint="--dismiss is for tokens that an interrupted command may have created",
            )
    app.state.dismiss(identifier)
    app.runtime.messages.notice(f"dismissed the token {identifier}: pat leaves it alone")


def _sign_in(app: App) -> str:
    token = app.session.access_token()
    until = f", expires {token.expires:%Y-%m-%d %H:%M} UTC" if token.expires else ""
    return f"{token.user or 'unknown user'} via {token.source}{until}"


def _organization(app: App) -> tuple[Organization, str]:
    found, source = app.session.located
    organization = app.organization
    return organization, source if found else "your only organization"


def _identity(app: App) -> str:
    identity = app.organization_cache.me()
    return f"signed in as {identity.name}{f' <{identity.mail}>' if identity.mail else ''}"


def _active(app: App, organization: Organization) -> str:
    from azdo_pat.models import GLOBAL_TOKENS_STOP, Status

    found = list(app.untouched_tokens.list(organization, Status.ACTIVE))
    words = f"active tokens: {len(found)}"
    everywhere = sum(each.target_accounts is None for each in found)
    if not everywhere:
        return words
    return (
        f"{words}; valid in all your organizations until {GLOBAL_TOKENS_STOP}:"
        f" {everywhere} (pat list --global)"
    )


def _listed(app: App, organization: Organization, status: Status) -> frozenset[str]:
    found = app.untouched_tokens.list(organization, status)
    return frozenset(each.authorization_id.lower() for each in found)


def _clock(app: App) -> timedelta | None:
    if app.session.service_time() is None:  # not signed in, perhaps because the clock is wrong
        app.directory.knock()
    told = app.session.service_time()
    return None if told is None else app.runtime.now() - told


def _network(app: App) -> str:
    from azdo_pat.redaction import masked_hosts, masked_proxy

    # In any case: urllib accepts upper and lower case names.
    shown = {"https_proxy": masked_proxy, "all_proxy": masked_proxy, "no_proxy": masked_hosts}
    words = [
        f"{name}={shown[name.lower()](given)}"
        for name, given in sorted(app.runtime.environment.items())
        if given and name.lower() in shown
    ]
    bundle = app.runtime.setting("ca-bundle") or app.runtime.environment.get("REQUESTS_CA_BUNDLE")
    if bundle:
        if not expanded(Path(str(bundle))).exists():
            raise UsageError(
                f"the certificate file {bundle} does not exist",
                hint="set ca-bundle (pat config) or REQUESTS_CA_BUNDLE to a file that exists",
            )
        words.append(f"certificates from {bundle}")
    return ", ".join(words) or "no proxy, default certificates"


def _recover(app: App) -> Sequence[Recovered]:
    app.session.access_token()
    return app.recover(app.untouched_tokens, again=True)


def _set_aside(app: App) -> bool:
    from azdo_pat.store.repair import set_aside

    return set_aside(app.runtime.state_folder / "state.db", app.runtime.now()) is not None


def _rebuild(app: App) -> tuple[str, bool]:
    from azdo_pat.services.state_rebuild import rebuild
    from azdo_pat.services.stored_secrets import still_works
    from azdo_pat.store.repair import mark_rebuilt
    from azdo_pat.store.state import State

    app.session.access_token()
    rebuilt = rebuild(
        app.organization_cache.all(),
        app.deps_for(app.untouched_tokens),
        works=lambda organization, secret: still_works(organization, secret, app.directory),
        damaged=[State(each) for each in app.damaged_states],
    )
    for each in app.damaged_states:
        mark_rebuilt(each)
    found = len(rebuilt.found)
    words = f"rebuilt: found {found} stored token{'s' * (found != 1)}"
    if rebuilt.unkept and rebuilt.found:
        words += (
            "; their delivery targets and renewal windows (--renew-before) are lost: set them"
            " again with pat rotate --deliver or pat apply"
        )
    if rebuilt.unsure:
        words += (
            "; some secrets belong to an unknown token, and no command overwrites or deletes them"
            " for a token of that name; to name the token, run: pat get NAME | pat import NAME"
            " --id ID (" + "; ".join(rebuilt.unsure) + ")"
        )
    if rebuilt.carried_over:
        words += f"; {rebuilt.carried_over} unfinished operations carried over"
    if rebuilt.unread:
        words += (
            "; its journal could not be read: an interrupted command may have left a token; to"
            " look for it, run: pat list --sort created"
        )
    return words, bool(rebuilt.found or rebuilt.carried_over)
