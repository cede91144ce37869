"""Finds what needs attention: about the tokens of organizations, or those stored here."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from azdo_pat.dates import local_date
from azdo_pat.errors import NotFoundError, PatError
from azdo_pat.findings import (
    DEFAULT_LIMITS,
    Checked,
    Finding,
    Kind,
    Limits,
    Severity,
    worst_first,
)
from azdo_pat.judgement import (
    command_for,
    is_missed,
    of_policies,
    of_tokens,
    scope_options,
    span_text,
)
from azdo_pat.models import PendingKind, PolicyName, Status
from azdo_pat.naming import begins_id
from azdo_pat.near_names import did_you_mean
from azdo_pat.operations.left_behind import left_behind
from azdo_pat.operations.ownership import is_own
from azdo_pat.organizations import is_of_root
from azdo_pat.results.tokens import OrganizationFailure
from azdo_pat.scopes import FULL_ACCESS
from azdo_pat.services.refused_tokens import marker_key, refusals, still_works, was_refused

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from datetime import datetime

    from azdo_pat.models import Organization, Pat, Pending, Secret, StoredPat, TenantPolicy
    from azdo_pat.operations.deps import Deps


class CheckRequest(NamedTuple):
    """What to look at, and how closely.

    Attributes:
        texts: only tokens that these name, by name, id or prefix of the id; empty for all.
        limits: what is too near, and what is too long.
        ignored: kinds of findings to leave out.
        verify: try each stored secret at the service.
        line_of: returns where a file declares a token of an organization; None if unknown.
    """

    texts: tuple[str, ...] = ()
    limits: Limits = DEFAULT_LIMITS
    ignored: frozenset[Kind] = frozenset()
    verify: bool = False
    line_of: Callable[[str, str, str], int | None] = lambda _file, _org, _name: None


class _Subjects(NamedTuple):
    """What is looked at: tokens, the index entries of the stored ones, and what is pending."""

    pats: Sequence[Pat]
    entries: Sequence[StoredPat]
    pending: Sequence[Pending]

    def named(self, texts: Sequence[str], *, complete: bool = True) -> _Subjects:
        """Return what these texts name; everything if there are none.

        Raises:
            NotFoundError: nothing has a name or id that was given, though all could be read.
        """
        if not texts:
            return self
        for text in texts if complete else ():
            if not any(_is_named(each, [text]) for part in self for each in part):
                names = [*(pat.name for pat in self.pats), *(each.name for each in self.entries)]
                near = did_you_mean(text, names, most=3)
                raise NotFoundError(
                    f"no active or stored token {text!r}", hint=f"{near}to see all, run: pat check"
                )
        return _Subjects(
            pats=[each for each in self.pats if _is_named(each, texts)],
            entries=[each for each in self.entries if _is_named(each, texts)],
            pending=[each for each in self.pending if _is_named(each, texts)],
        )


def check_stored(org_url: str | None, request: CheckRequest, deps: Deps) -> Checked:
    """Look at the tokens that this machine knows, without a sign-in.

    Only `verify` reads the keyring and asks the service. Nothing else uses the network.

    Args:
        org_url: of the organization; None for all.
        request: what to look at, and how closely.
        deps: the parts of the program.

    Raises:
        NotFoundError: no stored token has the name or id that was given.
    """
    now = deps.now()
    entries = [each for each in deps.state.stored(org_url) if each.stored]
    pats = [_known(each, deps) for each in entries]
    subjects = _Subjects(pats, entries, _pending(org_url, deps)).named(request.texts)
    unrenewed = _no_sign_in(subjects.pats, now, now + request.limits.within, deps)
    return _checked(subjects, request, deps, [*unrenewed], [], reads_secrets=request.verify)


def check(organizations: Sequence[Organization], request: CheckRequest, deps: Deps) -> Checked:
    """Look at the active tokens of organizations, and at what this machine knows of them.

    Raises:
        NotFoundError: no token has the name or id that was given.
        PatError: the only organization cannot be listed.
    """
    # `check_stored` starts without these.
    from azdo_pat.services.find_tokens import Filters, TokenFinder  # noqa: PLC0415

    failures: list[OrganizationFailure] = []
    listed: Sequence[Pat]
    finder = TokenFinder(deps)
    if len(organizations) == 1:
        listed = list(finder.listing(organizations[0], Filters()))
    else:
        listed, unread = finder.listing_everywhere(organizations, Filters())
        failures += unread
    missing = {each.org for each in failures}
    urls = {each.url for each in organizations if each.name not in missing}
    entries = [each for each in deps.state.stored() if each.stored and each.org_url in urls]
    listed = _told_apart(listed, entries)
    ids = {pat.id for pat in listed}
    names = {(pat.org, pat.name) for pat in listed}
    unlisted = [
        each
        for each in entries
        if (each.id not in ids if each.id else (each.org, each.name) not in names)
    ]
    known = [_known(each, deps) for each in unlisted]
    ended = [each for each in known if each.id is None or each.status is Status.EXPIRED]
    pending = [each for each in _pending(None, deps) if each.org_url in urls]
    subjects = _Subjects([*listed, *ended], entries, pending)
    subjects = subjects.named(request.texts, complete=not failures)
    alive = [
        each
        for each in unlisted
        if each in subjects.entries and each.id and each.status_at(deps.now()) is Status.UNKNOWN
    ]
    policies = _policies(organizations, subjects.pats, deps.now() + request.limits.within, deps)
    found = [*_revoked(alive, deps, failures), *_forbidden(subjects.pats, policies, deps.now())]
    allowed = {
        org: each.max_days
        for org, known in policies.items()
        for each in known
        if each.name is PolicyName.LIFESPAN and each.is_on and each.max_days
    }
    request = request._replace(limits=request.limits._replace(allowed=allowed))
    return _checked(subjects, request, deps, found, failures, reads_secrets=True)


def _told_apart(pats: Sequence[Pat], entries: Sequence[StoredPat]) -> Sequence[Pat]:
    """Return tokens as not stored where only a secret of their name is, imported without an id.

    No command replaces the token of such a secret, as it may be another one.
    """
    unsure = {(each.org, each.name) for each in entries if each.id is None}
    return [replace(pat, stored=False) if (pat.org, pat.name) in unsure else pat for pat in pats]


def _known(entry: StoredPat, deps: Deps) -> Pat:
    """Return a stored token as this machine knows it."""
    pat = entry.as_pat(entry.status_at(deps.now()))
    if is_of_root(entry.organization, deps.session.api_root):
        return pat
    return replace(pat, renewal_due=None)  # it is not of the service at hand


def _checked(
    subjects: _Subjects,
    request: CheckRequest,
    deps: Deps,
    found: list[Finding],
    failures: list[OrganizationFailure],
    *,
    reads_secrets: bool,
) -> Checked:
    """Add to what was found what else there is to find, and sort it."""
    pats, entries, pending = subjects
    now = deps.now()
    revoked = {each.id for each in found if each.kind is Kind.REFUSED}
    leaving = {each.id for each in pending if each.id}
    judged = of_tokens([each for each in pats if each.id not in leaving], now, request.limits)
    shared = {(each.org, each.name) for each in entries if _is_in_vault(each)}
    # Another machine may have made the other one of that name, which must keep it.
    found += (
        each
        for each in judged
        if each.kind is not Kind.SAME_NAME or (each.org, each.name) not in shared
    )
    found += _shortened(entries)
    found += _without_expiry(entries)
    found += map(_left_pending, pending)
    alive = [each for each in entries if each.id is None or each.id not in revoked]
    if reads_secrets:
        found += _secrets(alive, request, deps, failures)
    else:
        found += _reported(alive, deps)
    dead = {(each.org, each.name, each.id) for each in found if each.kind is Kind.REFUSED}
    kept = [
        each
        for each in found
        if each.kind not in request.ignored
        # Of a secret that does not work, nothing else matters.
        and (each.kind is Kind.REFUSED or (each.org, each.name, each.id) not in dead)
    ]
    return Checked(
        findings=tuple(worst_first(_declared(kept, entries, request.line_of))),
        pats=tuple(pats),
        failures=tuple(failures),
        now=now,
    )


def _is_in_vault(entry: StoredPat) -> bool:
    if not entry.renewal.deliveries:
        return False
    from azdo_pat.delivery_targets import is_polled  # noqa: PLC0415 - see that module

    return any(map(is_polled, entry.renewal.deliveries))


def _pending(org_url: str | None, deps: Deps) -> Sequence[Pending]:
    """Return what earlier runs have left pending."""
    unfinished = left_behind(deps, org_url)
    if not unfinished:
        return ()
    from azdo_pat.services.pending import pending  # noqa: PLC0415 - mostly there is none

    return pending(unfinished, deps.now())


def _left_pending(left: Pending) -> Finding:
    return Finding(
        Kind.PENDING,
        Severity.NOTE if left.kind is PendingKind.GRACE else Severity.WARNING,
        f"{left.message}{f': {left.reason}' if left.reason else ''}",
        left.fix,
        org=left.org,
        name=left.name,
        id=left.id,
        until=left.until,
    )


def _is_named(token: Pat | StoredPat | Pending, texts: Sequence[str]) -> bool:
    return not texts or any(text == token.name or begins_id(text, token.id) for text in texts)


def _about(entry: StoredPat, kind: Kind, severity: Severity, message: str, *fix: str) -> Finding:
    """Return a finding about a stored token; `fix` is the verb of its command, and its options."""
    verb, *options = fix
    return Finding(
        kind,
        severity,
        message,
        command_for(verb, entry.id, entry.name, *options, org=entry.org),
        org=entry.org,
        name=entry.name,
        id=entry.id,
        scopes=entry.scopes,
        expires=entry.expires,
        until=entry.expires,
    )


def _shortened(entries: Sequence[StoredPat]) -> Iterator[Finding]:
    for entry in entries:
        if entry.renewal.shortened and entry.life is not None:
            yield _about(
                entry,
                Kind.SHORTENED,
                Severity.NOTE,
                "a policy gave it a shorter lifetime than requested",
                *("rotate", "--expires", f"{max(1, entry.life // timedelta(days=1))}d"),
            )


def _without_expiry(entries: Sequence[StoredPat]) -> Iterator[Finding]:
    for entry in entries:
        if entry.id is None and entry.expires is None:
            yield _about(
                entry,
                Kind.UNREADABLE,
                Severity.NOTE,
                "its expiry is not known, so nothing warns before it",
                *("import", "--replace", "--expires", "DATE"),
            )


def _no_sign_in(pats: Sequence[Pat], now: datetime, end: datetime, deps: Deps) -> Iterator[Finding]:
    """Yield a finding if nothing is signed in to renew what is due until `end`."""
    due = [
        pat.renewal_due
        for pat in pats
        if pat.renewal_due and pat.renewal_due <= end and is_missed(pat, now)
    ]
    if due and not deps.session.may_be_signed_in:
        yield Finding(
            Kind.NO_SIGN_IN,
            Severity.ERROR,
            f"no user is signed in, so pat renew cannot renew {_count(len(due))} due by"
            f" {local_date(end)}",
            "pat login",
            until=max(now, min(due)),
        )


def _count(number: int) -> str:
    return "a token that is" if number == 1 else f"{number} tokens that are"


def _revoked(
    entries: Sequence[StoredPat], deps: Deps, failures: list[OrganizationFailure]
) -> Iterator[Finding]:
    """Yield a finding for each token that was revoked, though its secret is stored."""
    for organization in {each.org_url: each.organization for each in entries}.values():
        try:
            listed = deps.tokens.list(organization, Status.REVOKED)
            revoked = {each.authorization_id for each in listed}
        except PatError as error:
            failures.append(OrganizationFailure(organization.name, error.message))
            continue
        for entry in entries:
            if entry.org_url == organization.url and entry.id in revoked:
                message = "it was revoked, and its secret is still stored"
                yield _about(entry, Kind.REFUSED, Severity.ERROR, message, "forget")


def _policies(
    organizations: Sequence[Organization], pats: Sequence[Pat], soon: datetime, deps: Deps
) -> Mapping[str, Sequence[TenantPolicy]]:
    """Read the policies where one may matter: a token is renewed, or is to live longer.

    Returns:
        Those that the service tells, by the organization's name.
    """
    from azdo_pat.services.parallel import results_side_by_side  # noqa: PLC0415 - as above

    asked: dict[str, set[PolicyName]] = defaultdict(set)
    for pat in pats:
        ends = pat.expires is not None and deps.now() < pat.expires <= soon
        if pat.org and (pat.renewal_due or ends):
            asked[pat.org].add(PolicyName.LIFESPAN)
        if pat.org and pat.renewal_due and FULL_ACCESS in pat.scopes:
            asked[pat.org].add(PolicyName.FULL_ACCESS)
    found: dict[str, list[TenantPolicy]] = defaultdict(list)
    questions = [(each, name) for each in organizations for name in sorted(asked[each.name])]
    read = results_side_by_side(lambda question: deps.tenant_policies.read(*question), questions)
    for (organization, _), policy in read:
        found[organization.name] += [policy] if policy else []
    return found


def _forbidden(
    pats: Sequence[Pat], policies: Mapping[str, Sequence[TenantPolicy]], now: datetime
) -> Iterator[Finding]:
    """Yield a finding for each token that `pat renew` renews, and a policy does not let it."""
    for pat in pats:
        if pat.renewal_due:
            yield from of_policies(pat, policies.get(pat.org or "", ()), now)


def _secrets(
    entries: Sequence[StoredPat],
    request: CheckRequest,
    deps: Deps,
    failures: list[OrganizationFailure],
) -> Iterator[Finding]:
    """Look at the stored secrets, and try them if that is asked for; note what cannot be read."""
    held: list[tuple[StoredPat, Secret]] = []
    lost: set[tuple[str, str]] = set()
    for entry in entries:
        try:
            secret = deps.secrets.get(entry.org_url, entry.name)
        except PatError as error:  # the next one would not be readable, either
            failures.append(OrganizationFailure(entry.org, error.message))
            break
        if finding := of_secret(entry, secret):
            lost.add((entry.org_url, entry.name))
            yield finding
        elif secret is not None:
            held.append((entry, secret))
    if request.verify:
        yield from _tried(held, deps, failures)
    else:
        left = [each for each in entries if (each.org_url, each.name) not in lost]
        yield from _reported(left, deps)


def of_secret(entry: StoredPat, secret: Secret | None) -> Finding | None:
    """Return a finding if the secret that the keyring has is not the token's."""
    if secret is None:
        message = "its secret is no longer in the keyring"
        fix = "rotate" if entry.id else "forget"
        return _about(entry, Kind.SECRET_LOST, Severity.WARNING, message, fix)
    if entry.id is None or is_own(secret, entry):
        return None
    then = command_for("rotate", entry.id, entry.name, org=entry.org)
    message = (
        f"another program has overwritten its secret; to replace the token after the fix: {then}"
    )
    found = _about(entry, Kind.SECRET_LOST, Severity.WARNING, message, "forget")
    return found._replace(fix=command_for("forget", None, entry.name, org=entry.org))


def _tried(
    held: Sequence[tuple[StoredPat, Secret]], deps: Deps, failures: list[OrganizationFailure]
) -> Sequence[Finding]:
    """Try secrets at the service, in parallel."""
    from azdo_pat.services.parallel import side_by_side  # noqa: PLC0415 - only --verify needs it

    found: list[Finding] = []

    def attempt(place: int) -> None:
        entry, secret = held[place]
        try:
            if not still_works(entry, secret, deps):
                refusals(deps).put(marker_key(entry))  # so that `ensure` replaces it
                found.append(_refused(entry, "the service refuses it"))
        except PatError as error:
            failures.append(OrganizationFailure(entry.org, f"{entry.name}: {error.message}"))

    if side_by_side(attempt, range(len(held)), lambda: None):
        raise KeyboardInterrupt
    return found


def _reported(entries: Sequence[StoredPat], deps: Deps) -> Iterator[Finding]:
    """Yield a finding for each token of which a program said that the service refused it."""
    if refusals(deps):
        for entry in entries:
            if was_refused(entry, deps):
                yield _refused(entry, "a program reported that the service refused it")


def _refused(entry: StoredPat, message: str) -> Finding:
    """Return the finding for a secret that does not work; `rotate` replaces no revoked token."""
    found = _about(entry, Kind.REFUSED, Severity.ERROR, message, "forget")
    if not entry.scopes:
        return found
    life = ("--expires", span_text(entry.life)) if entry.life else ()
    options = (*scope_options(entry.scopes), *life)
    return found._replace(fix=command_for("ensure", None, entry.name, *options, org=entry.org))


def _declared(
    findings: Sequence[Finding],
    entries: Sequence[StoredPat],
    line_of: Callable[[str, str, str], int | None],
) -> Iterator[Finding]:
    """Add to each finding the file that declares its token, and the line there."""
    files = {(each.org, each.id): each.renewal.source for each in entries if each.id}
    for each in findings:
        file = files.get((each.org or "", each.id or ""), "")
        line = line_of(file, each.org or "", each.name or "") if file else None
        yield each._replace(file=file, line=line)
