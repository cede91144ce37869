"""Stores a token in the macOS keychain, for programs that only have a password field."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from azdo_pat.command_lines import pat_command
from azdo_pat.delivery_targets import ToolTarget
from azdo_pat.errors import ConflictError, UsageError
from azdo_pat.models import Secret
from azdo_pat.redaction import remember
from azdo_pat.results.tools import SetupOutcome, SetupResult
from azdo_pat.services.tool_setup.token_choice import chosen
from azdo_pat.services.tool_setup.wiring import (
    follow,
    followers_locked,
    is_sandbox,
    possible_secrets,
    recorded,
    setup_records,
    stored_secret,
)
from azdo_pat.store.setup_records import SetupEntry, SetupRecord
from azdo_pat.tools.osxkeychain import KEEPER, items, put, read, take_out

if TYPE_CHECKING:
    from collections.abc import Sequence

    from azdo_pat.models import StoredPat
    from azdo_pat.operations.deps import Deps
    from azdo_pat.services.tool_setup.wiring import SetupRequest

SERVICE: Final = "git-credential-osxkeychain"
"""The organization URL under which our own keyring keeps the previous content."""


def install_in_keychain(request: SetupRequest, deps: Deps) -> SetupResult:
    """Put a stored token into the macOS keychain, and let each rotation update it.

    Raises:
        UsageError: a feed is named, this is a sandbox, or several organizations are possible.
        NotFoundError: there is no such token, its secret is gone, or git has no such helper.
        ConflictError: the token of another collection of the same server is there, or the token
            is being rotated.
        StoreError: one of the two keyrings refuses.
    """
    with deps.in_line("setup"):
        _check_asked_for(request, deps)
        entry, why = chosen(request, deps)
        delivery = _delivery(entry.org_url)
        with followers_locked(delivery, entry, deps):
            result = _put_in(entry, stored_secret(entry, deps), deps, dry_run=request.dry_run)
            if not request.dry_run:
                follow(delivery, entry, deps)
    return replace(result, why=why)


def uninstall_from_keychain(request: SetupRequest, deps: Deps) -> list[SetupResult]:
    """Delete the tokens that were put into the macOS keychain; see `install_in_keychain`.

    Raises:
        NotFoundError: none was put there.
    """
    results = []
    with deps.in_line("setup"):
        _check_asked_for(request, deps)
        for _, setup in recorded(KEEPER, request, deps):
            delivery = _delivery(setup.org_url)
            record = setup_records(deps).find(KEEPER.name, "")
            if record is None:
                continue
            with followers_locked(delivery, None, deps):
                ours = possible_secrets(delivery, setup, deps)
                results.append(_give_back(record, setup, ours, deps, dry_run=request.dry_run))
                if not request.dry_run:
                    follow(delivery, None, deps)
    return results


def _check_asked_for(request: SetupRequest, deps: Deps) -> None:
    if request.feed:
        raise UsageError(f"{KEEPER.name} is set up for all feeds", hint="leave out --feed")
    if is_sandbox(deps) and not request.dry_run:
        raise UsageError(
            "the macOS keychain is outside the sandbox, so pat does not change it",
            hint="to see what would change, add --dry-run",
        )


def _put_in(entry: StoredPat, secret: Secret, deps: Deps, *, dry_run: bool) -> SetupResult:
    """Put the secret of a token where other programs look for that of its organization.

    What is there already is kept in our own keyring, for `_give_back`.

    Raises:
        NotFoundError: git has no such helper.
        ConflictError: the token of another collection of the same server is there.
        StoreError: one of the two keyrings refuses.
    """
    remember(secret.reveal())
    record = setup_records(deps).find(KEEPER.name, "") or SetupRecord(KEEPER.name, "", None, None)
    known = record.find(entry.org_url)
    for other in record.setups:
        if other != known and (shared := set(items(other.org_url)) & set(items(entry.org_url))):
            raise ConflictError(
                f"the keychain already has the token of {other.org_url}: {min(map(str, shared))}",
                hint="to remove it, run: "
                + pat_command("setup", KEEPER.name, options=("--undo", "--org", other.org_url)),
            )
    held = {item: read(item, deps.environment) for item in items(entry.org_url)}
    others = [item for item, text in held.items() if text != secret.reveal()]
    outcome = SetupOutcome.PLANNED if dry_run else SetupOutcome.SET_UP
    if known is not None and not others:
        outcome = SetupOutcome.UNCHANGED
    elif not dry_run:
        for item, text in held.items():
            if known is None and text is not None:
                deps.secrets.set_aside(SERVICE, str(item), Secret(text))
            elif known is None:
                deps.secrets.drop_aside(SERVICE, str(item))
        if known is None:
            setup = SetupEntry(org_url=entry.org_url, name=entry.name)
            setup_records(deps).put(record._replace(setups=(*record.setups, setup)))
        for item in others:
            put(item, secret.reveal(), deps.environment)
    return SetupResult(
        tool=KEEPER.name,
        file="",
        outcome=outcome,
        token=entry.name,
        diff="\n".join(f"+{item}: ***" for item in others),
    )


def _give_back(
    record: SetupRecord, setup: SetupEntry, ours: Sequence[str], deps: Deps, *, dry_run: bool
) -> SetupResult:
    """Give the keychain what it had before `_put_in`, or nothing; see there for what it raises.

    An item that another program has stored there since stays.
    """
    places = items(setup.org_url)
    if not dry_run:
        for item in places:
            before = deps.secrets.was_before(SERVICE, str(item))
            if ours and read(item, deps.environment) not in {None, *ours}:
                continue
            if before is None:
                take_out(item, deps.environment)
            else:
                put(item, before.reveal(), deps.environment)
        # In this order: killed between any two, the same again does the rest.
        setup_records(deps).put(record.without(setup))
        for item in places:
            deps.secrets.drop_aside(SERVICE, str(item))
    return SetupResult(
        tool=KEEPER.name,
        file="",
        outcome=SetupOutcome.PLANNED if dry_run else SetupOutcome.UNDONE,
        token=setup.name,
        diff="\n".join(f"-{item}: ***" for item in places),
    )


def _delivery(org_url: str) -> ToolTarget:
    """Return what puts each new secret into the keychain."""
    return ToolTarget(KEEPER.name, "", org_url)
