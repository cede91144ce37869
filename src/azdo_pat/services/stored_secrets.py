"""Finds and lists the secrets stored on this machine."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from azdo_pat.command_lines import pat_command, quoted
from azdo_pat.errors import ConflictError, NotFoundError, UsageError
from azdo_pat.models import Organization, Pat, Secret, StoredPat
from azdo_pat.naming import begins_id
from azdo_pat.organizations import hosted_name
from azdo_pat.results.tokens import StoredSecret

if TYPE_CHECKING:
    from collections.abc import Sequence

    from azdo_pat.operations.deps import Deps
    from azdo_pat.services.find_tokens import Filters
    from azdo_pat.store.secrets import SecretStore
    from azdo_pat.store.state import State


def get(text: str, deps: Deps) -> tuple[Organization, str, Secret]:
    """Find a stored secret by its token's name, id or prefix of the id, without the network.

    If no organization is set, the only stored token that matches is used. The state file is
    opened only if the name alone does not find it.

    Returns:
        The organization, the name under which the secret is stored, and the secret.

    Raises:
        NotFoundError: no such secret is stored.
        ConflictError: several match.
    """
    organization, _ = deps.session.located
    if organization is not None:
        secret = deps.secrets.get(organization.url, text)
        if secret is not None:
            return organization, text, secret
    entry = entry_named(organization, text, deps.state)
    secret = deps.secrets.get(entry.org_url, entry.name)
    if secret is None:
        raise NotFoundError(
            f"the secret of {entry.name!r} for {entry.org} is no longer in the keyring",
            hint="the service never shows a secret twice: create a new token, and revoke the old"
            f" one ({pat_command('revoke', entry.id or entry.name)})",
        )
    require_intended(entry, text, secret)
    return known_organization(entry, deps.session.api_root), entry.name, secret


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
            f" stored a different secret under {entry.name!r} for {entry.org}",
            hint=f"to print that secret, run: {pat_command('get', entry.name)}",
        )


def held(organization: Organization, name: str, secret: Secret, deps: Deps) -> StoredSecret:
    """Return a secret together with the index entry of its token."""
    entry = deps.state.find(organization.url, name) or StoredPat.unknown(organization, name)
    return StoredSecret(
        pat=entry.as_pat(entry.status_at(deps.now())),
        secret=secret,
        org_url=organization.url,
    )


def require_unchanged(known: StoredPat, deps: Deps) -> None:
    """Check, under the lock, that the entry read before it has not changed.

    Raises:
        ConflictError: it has.
    """
    if deps.state.find(known.org_url, known.name) != known:
        raise ConflictError(
            f"another process has changed the secret stored under {known.name!r} for {known.org}",
            hint="to see what is stored now, run: pat list --stored",
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
            hint="to overwrite it, add --replace; to delete it, run:"
            f" {pat_command('forget', name)}",
        )


def read_secret(text: str) -> Secret:
    """Parse input as a token's secret.

    Raises:
        UsageError: empty, or more than one word of visible characters.
    """
    secret = text.strip()
    if not secret:
        raise UsageError("no secret given", hint="pipe the secret in, or type it at the prompt")
    if not (secret.isascii() and secret.isprintable()) or " " in secret:
        raise UsageError(
            "the input is not a token: it contains spaces or other characters that no token has",
            hint="enter the token alone, without quotes",
        )
    return Secret(secret)


def stored_here(organization: Organization | None, filters: Filters, deps: Deps) -> list[Pat]:
    """Return the tokens whose secrets are in this machine's keyring and that match the filters.

    The index knows no status but expired. Interrupted imports and forgets are recovered first.
    """
    url = organization.url if organization else None
    now = deps.now()
    if not deps.state.unfinished(url):
        known = [each.as_pat(each.status_at(now)) for each in deps.state.stored(url) if each.stored]
        return [pat for pat in known if filters.match(pat)]
    from azdo_pat.operations.local_secrets import recover_local  # noqa: PLC0415 - mostly there is none
    from azdo_pat.services.pending import pending_by_id  # noqa: PLC0415 - as above

    recover_local(deps, org_url=url)
    entries = deps.state.stored(url)
    marked = pending_by_id(entries, deps.state.unfinished(url), now)
    known = [
        replace(each.as_pat(each.status_at(now)), pending=marked.get(each.id or "", ()))
        for each in entries
        if each.stored
    ]
    return [pat for pat in known if filters.match(pat)]


def entry_named(organization: Organization | None, text: str, state: State) -> StoredPat:
    """Find the only stored token that a text names.

    Raises:
        NotFoundError: none.
        ConflictError: several.
    """
    entries = state.stored(organization.url if organization else None)
    found = [
        each for each in entries if each.stored and (each.name == text or begins_id(text, each.id))
    ]
    if len(found) == 1:
        return found[0]
    if found:
        lines = [f"{each.id or quoted(each.name)}  {each.org}" for each in found]
        raise ConflictError(
            f"{len(found)} stored tokens match {text!r}",
            hint="\n".join(["choose one by its id, or with --org:", *lines]),
        )
    raise _missing(text, organization, entries, state)


def _missing(
    text: str, organization: Organization | None, entries: Sequence[StoredPat], state: State
) -> NotFoundError:
    """Return the error for a text that names no stored token, with what may be meant."""
    from azdo_pat.near_names import did_you_mean  # noqa: PLC0415 - only a mistake needs it

    where = f" for {organization.name}" if organization else ""
    elsewhere = [each.org for each in state.stored() if each.stored and each.name == text]
    proposal = did_you_mean(text, [each.name for each in entries if each.stored], most=3)
    if elsewhere:
        proposal = f"one is stored for {elsewhere[0]}: add --org {quoted(elsewhere[0])}; "
    return NotFoundError(
        f"no secret is stored under {text!r}{where}",
        hint=f"{proposal}to see what is stored, run: pat list --stored; to create a token, run:"
        " pat create; to store an existing secret, run: pat import",
    )


def known_organization(entry: StoredPat, api_root: str | None) -> Organization:
    """Return the organization of a stored token."""
    return replace(entry.organization, hosted=hosted_name(entry.org_url, api_root) is not None)
