"""Putting a token into the macOS keychain for programs that have only a password box."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from azdo_pat.errors import ConflictError
from azdo_pat.models import Secret
from azdo_pat.naming import as_argument
from azdo_pat.redaction import remember
from azdo_pat.renewal import ToolTarget
from azdo_pat.results import SetupOutcome, SetupResult
from azdo_pat.store.setup_records import SetupEntry, SetupRecord
from azdo_pat.tools.osxkeychain import KEEPER, items, put, read, take_out

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from azdo_pat.models import StoredPat
    from azdo_pat.store.secrets import SecretStore
    from azdo_pat.store.setup_records import SetupRecords

SERVICE: Final = "git-credential-osxkeychain"
"""Under which our own keyring keeps what was there before."""


def keep(
    entry: StoredPat,
    secret: Secret,
    records: SetupRecords,
    secrets: SecretStore,
    environment: Mapping[str, str],
    *,
    dry_run: bool,
) -> SetupResult:
    """Put the secret of a token where other programs look for that of its organization.

    What is there already is kept in our own keyring, for `give_back`.

    Raises:
        NotFoundError: git has no such helper.
        ConflictError: the token of another collection of the same server is there.
        StoreError: one of the two keyrings refuses.
    """
    remember(secret.reveal())
    record = records.find(KEEPER.name, "") or SetupRecord(KEEPER.name, "", None, None)
    known = record.find(entry.org_url)
    for other in record.setups:
        if other != known and (shared := set(items(other.org_url)) & set(items(entry.org_url))):
            raise ConflictError(
                f"the keychain has the token of {other.org_url} already: {min(map(str, shared))}",
                hint=f"pat setup {KEEPER.name} --undo --org {as_argument(other.org_url)}"
                " takes that one out",
            )
    held = {item: read(item, environment) for item in items(entry.org_url)}
    others = [item for item, text in held.items() if text != secret.reveal()]
    outcome = SetupOutcome.PLANNED if dry_run else SetupOutcome.SET_UP
    if known is not None and not others:
        outcome = SetupOutcome.UNCHANGED
    elif not dry_run:
        for item, text in held.items():
            if known is None and text is not None:
                secrets.set_aside(SERVICE, str(item), Secret(text))
            elif known is None:
                secrets.drop_aside(SERVICE, str(item))
        if known is None:
            setup = SetupEntry(org_url=entry.org_url, name=entry.name)
            records.put(record._replace(setups=(*record.setups, setup)))
        for item in others:
            put(item, secret.reveal(), environment)
    return SetupResult(
        tool=KEEPER.name,
        file="",
        outcome=outcome,
        token=entry.name,
        diff="\n".join(f"+{item}: ***" for item in others),
    )


def give_back(  # noqa: PLR0913  # the collaborators are the arguments, as in every use case
    record: SetupRecord,
    setup: SetupEntry,
    records: SetupRecords,
    secrets: SecretStore,
    environment: Mapping[str, str],
    *,
    ours: Sequence[str],
    dry_run: bool,
) -> SetupResult:
    """Give the keychain what it had before `keep`, or nothing; see there for what it raises.

    What somebody else has put there since stays.
    """
    places = items(setup.org_url)
    if not dry_run:
        for item in places:
            before = secrets.was_before(SERVICE, str(item))
            if ours and read(item, environment) not in {None, *ours}:
                continue
            if before is None:
                take_out(item, environment)
            else:
                put(item, before.reveal(), environment)
        # In this order: killed between any two, the same again does the rest.
        records.put(record.without(setup))
        for item in places:
            secrets.drop_aside(SERVICE, str(item))
    return SetupResult(
        tool=KEEPER.name,
        file="",
        outcome=SetupOutcome.PLANNED if dry_run else SetupOutcome.UNDONE,
        token=setup.name,
        diff="\n".join(f"-{item}: ***" for item in places),
    )


def delivery_to_keychain(org_url: str) -> ToolTarget:
    """Return what brings each new secret there."""
    return ToolTarget(KEEPER.name, "", org_url)
