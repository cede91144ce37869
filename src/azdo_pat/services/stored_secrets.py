"""Finds and lists the secrets stored on this machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from azdo_pat.errors import ConflictError, NotFoundError, PatError, SignInError, UsageError
from azdo_pat.models import Organization, Pat, Secret, Status, StoredPat
from azdo_pat.naming import as_argument, looks_like_id
from azdo_pat.organizations import hosted_name
from azdo_pat.results import StoredSecret

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from azdo_pat.api.directory import Directory
    from azdo_pat.store.secrets import SecretStore
    from azdo_pat.store.state import State


def get(
    organization: Organization | None,
    text: str,
    *,
    secrets: SecretStore,
    state: Callable[[], State],
    api_root: str | None = None,
) -> tuple[Organization, str, Secret]:
    """Find a stored secret by its token's name, id or prefix of the id, without the network.

    Args:
        organization: the current one; None if none is set, and then the only stored token
            that matches is used.
        text: what the user typed.
        secrets: the keyring.
        state: returns the state file, which is opened only if the name alone does not find it.
        api_root: `PAT_API_URL`, which may host organizations too.

    Returns:
        The organization, the name under which the secret is stored, and the secret.

    Raises:
        NotFoundError: no such secret is stored.
        ConflictError: several match.
    """
    if organization is not None:
        secret = secrets.get(organization.url, text)
        if secret is not None:
            return organization, text, secret
    entry = entry_named(organization, text, state())
    secret = secrets.get(entry.org_url, entry.name)
    if secret is None:
        raise NotFoundError(
            f"the secret of {entry.name!r} for {entry.org} is no longer in the keyring",
            hint="the service never shows a secret twice: create a new token, and revoke the old"
            f" one (pat revoke {as_argument(entry.id or entry.name)})",
        )
    require_intended(entry, text, secret)
    return known_organization(entry, api_root), entry.name, secret


def require_intended(entry: StoredPat, text: str, secret: Secret) -> None:
    """Check that the stored secret is the one the user named, if they named it by id.

    Raises:
        NotFoundError: the stored secret does not belong to the token of that id.
    """
    if text == entry.name or not entry.fingerprint:
        return
    from azdo_pat.operations.fingerprint import matches  # noqa: PLC0415 - a name needs none of it

    if not matches(secret, entry.fingerprint):
        raise NotFoundError(
            f"the secret of the token {entry.id} is no longer stored: another program has"
            f" stored another secret under {entry.name!r} for {entry.org}",
            hint=f"pat get {as_argument(entry.name)} prints that one",
        )


def held(
    organization: Organization, name: str, secret: Secret, *, state: State, now: datetime
) -> StoredSecret:
    """Return a secret together with the index entry of its token."""
    entry = state.find(organization.url, name)
    return StoredSecret(
        pat=entry.as_pat(entry.status_at(now)) if entry else _unknown(organization, name),
        secret=secret,
        org_url=organization.url,
    )


def require_free(organization: Organization, name: str, secrets: SecretStore) -> None:
    """Check that no secret is stored under a name.

    Raises:
        ConflictError: one is.
        StoreError: the keyring failed.
    """
    if secrets.get(organization.url, name) is not None:
        raise ConflictError(
            f"a secret is already stored under {name!r} for {organization.name}",
            hint=f"--replace overwrites it; pat forget {as_argument(name)} deletes it",
        )


def still_works(organization: Organization, secret: Secret, directory: Directory) -> bool:
    """Return whether the service accepts a secret; True if the service cannot be asked."""
    try:
        directory.check_secret(organization, secret)
    except SignInError:
        return False
    except PatError:
        return True
    return True


def read_secret(text: str) -> Secret:
    """Parse input as a token's secret.

    Raises:
        UsageError: empty, or more than one word of visible characters.
    """
    secret = text.strip()
    if not secret:
        raise UsageError("no secret given", hint="pipe it in, or type it at the prompt")
    if not (secret.isascii() and secret.isprintable()) or " " in secret:
        raise UsageError(
            "the input is not a token: it contains spaces or other characters that no token has",
            hint="enter the token alone, without quotes",
        )
    return Secret(secret)


def stored_here(organization: Organization | None, *, state: State, now: datetime) -> list[Pat]:
    """Return the indexed tokens whose secrets are in this machine's keyring.

    Args:
        organization: of this organization only; None for all.
        state: the state file.
        now: the time, to find which have expired.
    """
    entries = state.stored(organization.url if organization else None)
    return [each.as_pat(each.status_at(now)) for each in entries if each.stored]


def entry_named(organization: Organization | None, text: str, state: State) -> StoredPat:
    """Find the only stored token that a text names.

    Raises:
        NotFoundError: none.
        ConflictError: several.
    """
    entries = state.stored(organization.url if organization else None)
    found = [
        each
        for each in entries
        if each.stored
        and (
            each.name == text
            or (looks_like_id(text) and each.id and each.id.lower().startswith(text.lower()))
        )
    ]
    if len(found) == 1:
        return found[0]
    if found:
        lines = [f"{as_argument(each.id or each.name)}  {each.org}" for each in found]
        raise ConflictError(
            f"{len(found)} stored tokens match {text!r}",
            hint="\n".join(["choose one by its id, or with --org:", *lines]),
        )
    where = f" for {organization.name}" if organization else ""
    raise NotFoundError(
        f"no secret is stored under {text!r}{where}",
        hint="to see what is stored, run: pat list --stored; to create a token: pat create;"
        " to store an existing secret: pat import",
    )


def known_organization(entry: StoredPat, api_root: str | None) -> Organization:
    """Return the organization of a stored token."""
    hosted = hosted_name(entry.org_url, api_root) is not None
    return Organization(name=entry.org, url=entry.org_url, hosted=hosted)


def _unknown(organization: Organization, name: str) -> Pat:
    return Pat(
        name=name,
        id=None,
        org=organization.name,
        status=Status.UNKNOWN,
        scopes=(),
        created=None,
        expires=None,
        stored=True,
    )
