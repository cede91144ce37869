"""Answers git's credential requests, and explains why a token was refused."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final, NamedTuple

from azdo_pat.errors import PatError
from azdo_pat.models import USER_NAME
from azdo_pat.naming import as_argument
from azdo_pat.organizations import hosted_name, is_of_root, serves
from azdo_pat.services.renewal_window import renewal_window
from azdo_pat.tools.selection import GIT_SCOPES, at_place, for_git

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from azdo_pat.gitcredential import CredentialRequest
    from azdo_pat.models import AccessToken, Secret, StoredPat

_RETRY_AFTER: Final = timedelta(hours=1)
"""How long after a renewal that failed another one is tried: git must not wait for it each time."""

_HOST: Final = frozenset("abcdefghijklmnopqrstuvwxyz0123456789.-")


class Helper(NamedTuple):
    """The dependencies for answering git.

    Attributes:
        entries: the stored tokens.
        chosen: the name of the token that the user has chosen for git, if any.
        api_root: `PAT_API_URL`.
        secret: reads a secret; None where it is gone.
        is_doubted: git was refused with it, and it has not been checked since.
        works: asks the service whether it takes a secret.
        renews: the user wants tokens to be renewed.
        failed_at: tells when renewing a token failed last; None if it did not.
        renewed: renews a token and returns it as it is then; None if it is no longer stored.
        bearer: gives the Entra access token, or says why not.
    """

    entries: Sequence[StoredPat]
    chosen: str | None
    now: datetime
    api_root: str | None
    secret: Callable[[StoredPat], Secret | None]
    is_doubted: Callable[[StoredPat], bool]
    works: Callable[[StoredPat, Secret], bool]
    renews: Callable[[], bool]
    failed_at: Callable[[StoredPat], datetime | None]
    renewed: Callable[[StoredPat], StoredPat | None]
    bearer: Callable[[], AccessToken]


class CredentialAnswer(NamedTuple):
    """The credential for git, and notes for the user.

    Attributes:
        attributes: empty if there is no credential: git then asks the next helper.
        notes: sentences for stderr.
    """

    attributes: tuple[tuple[str, str], ...] = ()
    notes: tuple[str, ...] = ()


def answer(asked: CredentialRequest, helper: Helper) -> CredentialAnswer:
    """Find a token for git's request, and rotate it if it is due.

    Without one, a git that supports it gets the Entra access token of the signed-in user.
    """
    notes: list[str] = []
    entries = of_place(asked, helper)
    if not entries and not is_ours(asked, helper.api_root):
        return CredentialAnswer()
    for entry in for_git(entries, helper.chosen):
        found = _usable(entry, helper, notes)
        if found is not None:
            return CredentialAnswer(_as_password(asked, *found), tuple(notes))
    if "authtype" in asked.capabilities and is_ours(asked, helper.api_root):
        try:
            return CredentialAnswer(_as_bearer(helper.bearer()), tuple(notes))
        except PatError as error:
            notes.append(f"{error.message}{f' ({error.hint})' if error.hint else ''}")
    elif not notes:
        url = f"{asked.protocol}://{asked.host}/{asked.path}"
        name = (hosted_name(url, helper.api_root) or "").lower()
        notes.append(
            f"no token for git is stored for {name or asked.host}:"
            f" pat create NAME --for git{f' --org {name}' if name else ''}"
        )
    return CredentialAnswer((), tuple(notes))


def of_place(asked: CredentialRequest, helper: Helper) -> Sequence[StoredPat]:
    """Return the tokens of the organization, or the server, of git's request."""
    return at_place(
        helper.entries,
        asked.protocol,
        asked.host,
        asked.path,
        username=asked.username,
        api_root=helper.api_root,
    )


def is_ours(asked: CredentialRequest, api_root: str | None) -> bool:
    """Return whether git's request is for Azure DevOps Services, or its replacement."""
    if api_root:
        return serves(api_root, asked.protocol, asked.host, asked.path) is not False
    host = asked.host.lower().removesuffix(":443")
    # git decodes percent signs: a host may contain an encoded slash, and mean another server.
    if asked.protocol != "https" or not set(host) <= _HOST:
        return False
    return hosted_name(f"https://{host}/{asked.path or asked.username or 'any'}") is not None


def _usable(entry: StoredPat, helper: Helper, notes: list[str]) -> tuple[StoredPat, Secret] | None:
    """Return a token that works and its secret, renewed where it is due."""
    if _is_to_renew(entry, helper):
        try:
            entry = helper.renewed(entry) or entry
        except PatError as error:
            notes.append(f"{entry.name!r} could not be rotated: {error.message}")
    end = entry.expires
    if end is not None and end <= helper.now:
        notes.append(_expired(entry, end))
        return None
    secret = helper.secret(entry)
    if secret is None:
        notes.append(f"the secret of {entry.name!r} is no longer in the keyring")
        return None
    if helper.is_doubted(entry):
        try:
            works = helper.works(entry, secret)
        except PatError as error:  # at worst git is refused again
            notes.append(_not_known(entry, error))
        else:
            if not works:
                notes.append(_refused(entry))
                return None
    return entry, secret


def _is_to_renew(entry: StoredPat, helper: Helper) -> bool:
    """Tell whether a token is due, can be renewed, and did not fail to be a moment ago."""
    end, now = entry.expires, helper.now
    if end is None or end - renewal_window(entry) > now:
        return False
    hosted = is_of_root(entry.org_url, entry.org, helper.api_root)
    if entry.id is None or not hosted or not helper.renews():
        return False
    failed_at = helper.failed_at(entry)
    return end <= now or failed_at is None or now - failed_at >= _RETRY_AFTER


def _as_password(
    asked: CredentialRequest, entry: StoredPat, secret: Secret
) -> tuple[tuple[str, str], ...]:
    attributes = [("capability[]", each) for each in asked.capabilities if each == "authtype"]
    attributes += [("username", asked.username or USER_NAME), ("password", secret.reveal())]
    if entry.expires is not None:
        attributes.append(("password_expiry_utc", str(int(entry.expires.timestamp()))))
    return tuple(attributes)


def _as_bearer(token: AccessToken) -> tuple[tuple[str, str], ...]:
    """Return the access token as a credential that no helper stores (`ephemeral`)."""
    attributes = [
        ("capability[]", "authtype"),
        ("authtype", "Bearer"),
        ("credential", token.secret.reveal()),
        ("ephemeral", "1"),
    ]
    if token.expires is not None:
        attributes.append(("password_expiry_utc", str(int(token.expires.timestamp()))))
    return tuple(attributes)


def used(asked: CredentialRequest, helper: Helper) -> StoredPat | None:
    """Return the token whose secret git used; None for another password."""
    if asked.password is None:
        return None
    for entry in of_place(asked, helper):
        if entry.stored and helper.secret(entry) == asked.password:
            return entry
    return None


def why_refused(entry: StoredPat, secret: Secret, helper: Helper) -> str:
    """Explain why git was refused with a token, by its expiry and the service's answer."""
    if entry.expires is not None and entry.expires <= helper.now:
        return _expired(entry, entry.expires)
    try:
        works = helper.works(entry, secret)
    except PatError as error:
        return _not_known(entry, error)
    if not works:
        return _refused(entry)
    if entry.scopes and not set(entry.scopes) & set(GIT_SCOPES):
        return (
            f"{entry.name!r} works, but its scopes ({' '.join(entry.scopes)}) do not include code:"
            f" pat update {as_argument(entry.name)} --scope code_write"
        )
    only_reads = set(entry.scopes) & set(GIT_SCOPES) == {"vso.code"}
    reading = "; its scope vso.code allows fetch, not push" if only_reads else ""
    return (
        f"{entry.name!r} works, but git was refused: you may have no access to the"
        f" repository{reading}"
    )


def _expired(entry: StoredPat, end: datetime) -> str:
    return f"{entry.name!r} expired on {end:%Y-%m-%d}: pat rotate {as_argument(entry.name)}"


def _not_known(entry: StoredPat, error: PatError) -> str:
    return f"git was refused with {entry.name!r}; the reason is unknown ({error.message})"


def _refused(entry: StoredPat) -> str:
    return (
        f"{entry.org} no longer accepts {entry.name!r}: it was revoked, or has not been used"
        f" for a long time; to create a new one: pat create {as_argument(entry.name)} --for"
        " git --replace"
    )
