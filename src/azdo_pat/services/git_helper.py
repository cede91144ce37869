"""Answers git's credential requests, and explains why a token was refused."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final, NamedTuple

from azdo_pat.command_lines import pat_command
from azdo_pat.dates import local_date
from azdo_pat.errors import PatError
from azdo_pat.models import USER_NAME
from azdo_pat.operations.lock_keys import renewal_lock_key
from azdo_pat.organizations import hosted_name, is_of_root, serves
from azdo_pat.services.refused_tokens import (
    marker_key,
    organization_of,
    refusals,
    still_works,
    was_refused,
)
from azdo_pat.store.marker_files import MarkerFiles
from azdo_pat.tools.selection import GIT_SCOPES, at_place, for_git

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from azdo_pat.gitcredential import CredentialRequest
    from azdo_pat.models import AccessToken, Secret, StoredPat
    from azdo_pat.operations.deps import Deps

_RETRY_AFTER: Final = timedelta(hours=1)
"""The pause after a failed renewal before the next attempt, so that git does not wait each time."""
_GRACE: Final = timedelta(hours=1)
"""How long a replaced token stays active: another git process may be using it."""
_HOST: Final = frozenset("abcdefghijklmnopqrstuvwxyz0123456789.-")


class CredentialAnswer(NamedTuple):
    """The credential for git, and notes for the user.

    Attributes:
        attributes: empty if there is no credential: git then asks the next helper.
        problems: sentences for stderr.
        renewed: the tokens that were renewed.
    """

    attributes: tuple[tuple[str, str], ...] = ()
    problems: tuple[str, ...] = ()
    renewed: tuple[StoredPat, ...] = ()


def answer(
    asked: CredentialRequest,
    deps: Deps,
    *,
    chosen: str | None,
    new_expiry: Callable[[], datetime | None],
) -> CredentialAnswer:
    """Find a token for git's request, and rotate it if it is due.

    Without one, a git that supports it gets the Entra access token of the signed-in user.

    `chosen` is the name of the token that the user has chosen for git, if any. `new_expiry` returns
    the expiry of a new token if the lifetime of the old one is unknown, and None if the user does
    not want tokens to be renewed.
    """
    entries = of_place(asked, deps)
    if not entries and not is_ours(asked, deps.session.api_root):
        return CredentialAnswer()
    search = _Search(deps, new_expiry)
    attributes: Sequence[tuple[str, str]] = ()
    for entry in for_git(entries, chosen):
        if found := search.usable(entry):
            attributes = _as_password(asked, *found)
            break
    else:
        if "authtype" in asked.capabilities and is_ours(asked, deps.session.api_root):
            attributes = search.bearer()
        elif not search.problems:
            url = f"{asked.protocol}://{asked.host}/{asked.path}"
            name = (hosted_name(url, deps.session.api_root) or "").lower()
            search.problems.append(
                f"no token for git is stored for {name or asked.host}; to create one, run:"
                f" pat create NAME --for git{f' --org {name}' if name else ''}"
            )
    return CredentialAnswer(tuple(attributes), tuple(search.problems), tuple(search.renewed))


def of_place(asked: CredentialRequest, deps: Deps) -> Sequence[StoredPat]:
    """Return the stored tokens of the organization, or the server, of git's request."""
    return at_place(
        [entry for entry in deps.state.stored() if entry.stored],
        asked.protocol,
        asked.host,
        asked.path,
        username=asked.username,
        api_root=deps.session.api_root,
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


class _Search:
    """The search for a token that git can use, and the messages about it."""

    def __init__(self, deps: Deps, new_expiry: Callable[[], datetime | None]) -> None:
        self._deps = deps
        self._new_expiry = new_expiry
        self.problems: list[str] = []
        self.renewed: list[StoredPat] = []

    def usable(self, entry: StoredPat) -> tuple[StoredPat, Secret] | None:
        """Return a token that works and its secret, rotated first if due; None if unusable."""
        entry = self._up_to_date(entry)
        end = entry.expires
        if end is not None and end <= self._deps.now():
            self.problems.append(_expired(entry, end))
            return None
        secret = self._deps.secrets.get(entry.org_url, entry.name)
        if secret is None:
            self.problems.append(f"the secret of {entry.name!r} is no longer in the keyring")
            return None
        if was_refused(entry, self._deps):
            try:
                if not still_works(entry, secret, self._deps):
                    self.problems.append(_refused(entry))
                    return None
            except PatError as error:  # at worst git is refused again
                self.problems.append(_not_known(entry, error))
        return entry, secret

    def bearer(self) -> Sequence[tuple[str, str]]:
        """Return the access token of the signed-in user; nothing without one."""
        try:
            return _as_bearer(self._deps.session.access_token())
        except PatError as error:
            self.problems.append(error.one_line)
            return ()

    def _up_to_date(self, entry: StoredPat) -> StoredPat:
        """Rotate a token if it is due and can be rotated; return its current entry."""
        deps, end = self._deps, entry.expires
        now = deps.now()
        if end is None or end - entry.renewal.window(entry.life) > now:
            return entry
        hosted = is_of_root(entry.organization, deps.session.api_root)
        otherwise = self._new_expiry() if entry.id is not None and hosted else None
        failures = MarkerFiles(deps.state_folder / "renewals")
        failed_at = failures.since(marker_key(entry))
        if otherwise is None or (end > now and failed_at and now - failed_at < _RETRY_AFTER):
            return entry
        try:
            if _renewed(entry, otherwise, deps, failures):
                self.renewed.append(entry)
        except PatError as error:
            self.problems.append(f"{entry.name!r} could not be rotated: {error.message}")
            return entry
        return deps.state.find(entry.org_url, entry.name) or entry


def _renewed(entry: StoredPat, otherwise: datetime, deps: Deps, failures: MarkerFiles) -> bool:
    """Rotate a token, and return False if another git that asked for it has done so meanwhile.

    `otherwise` is the expiry of the new token if the lifetime of the old one is not known. A
    failure is marked in `failures`, so that it is not tried each time.

    Raises:
        PatError: as for `rotate`, or the user is not signed in.
    """
    from azdo_pat.services.find_tokens import TokenFinder  # noqa: PLC0415 - seldom is one due
    from azdo_pat.services.rotate import RotateRequest, rotate  # noqa: PLC0415 - as above

    with deps.in_line(renewal_lock_key(entry.name, entry.org_url)):
        now = deps.state.find(entry.org_url, entry.name)
        if now is not None and now.id != entry.id:
            return False
        request = RotateRequest(
            expires=None, otherwise=otherwise, least_grace=_GRACE, name=entry.name
        )
        try:
            there = deps.at(organization_of(entry, deps))
            organization = there.organization
            (pat,) = TokenFinder(there).find(organization, [entry.id or ""])
            rotate(organization, pat, request, there)
        except PatError:
            failures.put(marker_key(entry))
            raise
    return True


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


def used(asked: CredentialRequest, deps: Deps) -> StoredPat | None:
    """Return the token whose secret git used; None for another password."""
    if asked.password is None:
        return None
    for entry in of_place(asked, deps):
        if deps.secrets.get(entry.org_url, entry.name) == asked.password:
            return entry
    return None


def accept(asked: CredentialRequest, deps: Deps) -> None:
    """Record that the service accepted a token from git."""
    if refusals(deps) and (entry := used(asked, deps)):
        refusals(deps).remove(marker_key(entry))


def refuse(asked: CredentialRequest, deps: Deps) -> str:
    """Record that the service refused git's token, and return the reason; empty for none.

    Raises:
        SignInError: the service refused an access token, and the user is not signed in any more.
        PatError: there is no other access token without the user, or Entra cannot be asked.
    """
    if asked.credential is not None:
        return _new_bearer(asked.credential, deps)
    entry = used(asked, deps)
    if entry is not None and asked.password is not None:
        refusals(deps).put(marker_key(entry))
        return _why_refused(entry, asked.password, deps)
    if asked.password is not None and of_place(asked, deps):
        return "Azure DevOps rejected a password that pat does not know; try again"
    return ""


def _new_bearer(refused: Secret, deps: Deps) -> str:
    """Get another access token in place of the one that the service refused.

    Otherwise git would get the refused token again until its expiry.
    """
    token = deps.session.access_token()
    if token.secret != refused:
        return ""
    said = f"the service refused the access token from {token.source} when git used it"
    if deps.session.renewed_token(token, "") is None:
        return f"{said}: {token.sign_in_hint}"
    return f"{said}; pat has a new access token: try again"


def _why_refused(entry: StoredPat, secret: Secret, deps: Deps) -> str:
    """Explain why the service refused a token, by its expiry and the service's answer."""
    if entry.expires is not None and entry.expires <= deps.now():
        return _expired(entry, entry.expires)
    try:
        if not still_works(entry, secret, deps):
            return _refused(entry)
    except PatError as error:
        return _not_known(entry, error)
    if entry.scopes and not set(entry.scopes) & set(GIT_SCOPES):
        scopes = [word for each in (*entry.scopes, "code_write") for word in ("--scope", each)]
        return (
            f"{entry.name!r} works, but its scopes ({' '.join(entry.scopes)}) do not include"
            f" code; to add it, run: {pat_command('update', entry.name, options=scopes)}"
        )
    only_reads = set(entry.scopes) & set(GIT_SCOPES) == {"vso.code"}
    reading = "; its scope vso.code allows fetch, not push" if only_reads else ""
    return (
        f"{entry.name!r} works, but the service refused git: you may have no access to the"
        f" repository{reading}"
    )


def _expired(entry: StoredPat, end: datetime) -> str:
    rotate = pat_command("rotate", entry.name)
    return f"{entry.name!r} expired on {local_date(end)}; to replace it, run: {rotate}"


def _not_known(entry: StoredPat, error: PatError) -> str:
    return f"the service refused {entry.name!r}; the reason is unknown ({error.message})"


def _refused(entry: StoredPat) -> str:
    return (
        f"{entry.org} no longer accepts {entry.name!r}: it was revoked, or has not been used"
        " for a long time; to create a new one, run: "
        + pat_command("create", entry.name, options=("--for", "git", "--replace"))
    )
