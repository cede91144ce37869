"""Finds what needs attention about the tokens of many users, for administrators."""

from __future__ import annotations

from contextlib import suppress
from itertools import groupby
from typing import TYPE_CHECKING, Final, NamedTuple

from azdo_pat.errors import PatError
from azdo_pat.findings import Checked, Everyone, worst_first
from azdo_pat.judgement import command_for, is_active, of_policies, of_tokens
from azdo_pat.models import OwnedPat, PolicyName, Status
from azdo_pat.results.tokens import OrganizationFailure
from azdo_pat.services.admin_tokens import OwnedTokens, revoke_command
from azdo_pat.services.parallel import results_side_by_side

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime

    from azdo_pat.findings import Finding, Kind, Limits
    from azdo_pat.models import Pat, SessionToken, TenantPolicy, User
    from azdo_pat.operations.deps import AdminDeps
    from azdo_pat.services.admin_tokens import Scan

_POLICIES: Final = (PolicyName.GLOBAL, PolicyName.FULL_ACCESS, PolicyName.LIFESPAN)


class Judge(NamedTuple):
    """Judges the tokens of one user after the other.

    Attributes:
        org: the name of the users' organization.
        me: the sign-in name and the descriptor of the user who reads the findings, as far as they
            are known.
        now: the current time.
        limits: what is too near, and what is too long.
        policies: those of the tenant, as far as they are known.
    """

    org: str
    me: frozenset[str]
    now: datetime
    limits: Limits
    policies: Sequence[TenantPolicy] = ()

    def of_owner(self, owner: User, pats: Sequence[Pat]) -> Iterator[Finding]:
        """Yield what there is to say of all tokens of a user.

        One that has expired matters only if it is stored here, and so may be missed.
        """
        pats = [pat for pat in pats if pat.stored or pat.status is not Status.EXPIRED]
        by_id = {pat.id: pat for pat in pats if pat.id}
        is_me = not self.me.isdisjoint({owner.upn.casefold(), owner.descriptor})
        for finding in self._findings(pats, of_another=not is_me):
            pat = by_id.get(finding.id or "")
            if is_me or (pat and pat.stored):
                yield finding._replace(owner=owner)
            else:
                yield self._for_administrator(finding, owner, pat)

    def _findings(self, pats: Sequence[Pat], *, of_another: bool) -> Iterator[Finding]:
        yield from of_tokens(pats, self.now, self.limits, of_another=of_another)
        for pat in pats:
            if is_active(pat, self.now):
                yield from of_policies(pat, self.policies, self.now)

    def _for_administrator(self, finding: Finding, owner: User, pat: Pat | None) -> Finding:
        """Return a finding about the token of another user, who alone can change or replace it.

        An administrator can only revoke it, if its id could be read.
        """
        left = "; its owner's account no longer exists" if owner.is_deleted else ""
        found = finding._replace(owner=owner, message=f"{finding.message}{left}", fix="")
        own = command_for("revoke", finding.id, finding.name or "", org=finding.org)
        if finding.fix and (finding.fix == own or owner.is_deleted):
            return found._replace(fix=revoke_command(OwnedPat(pat, owner), self.org) if pat else "")
        return found._replace(owner_fix=finding.fix)


def check_users(scan: Scan, limits: Limits, ignored: frozenset[Kind]) -> Checked:
    """Look at the active tokens of the users of a scan.

    Tokens are judged user by user, and kept only if there is something to say of them.

    Args:
        scan: reads the tokens.
        limits: what is too near, and what is too long.
        ignored: kinds of findings to leave out.

    Raises:
        PatError: as `Scan.tokens`.
    """
    deps = scan.deps
    policies = _policies(deps)
    judge = _judge(deps, limits, [each for each in policies if each])
    found: list[Finding] = []
    kept: list[OwnedPat] = []
    tokens = 0
    for owner, pats in _by_owner(scan.tokens(), OwnedTokens(deps)):
        tokens += sum(is_active(pat, judge.now) for pat in pats)
        of_owner = [each for each in judge.of_owner(owner, pats) if each.kind not in ignored]
        found += of_owner
        about = {(each.org, each.name, each.id) for each in of_owner}
        kept += [OwnedPat(pat, owner) for pat in pats if (pat.org, pat.name, pat.id) in about]
    failures = [
        OrganizationFailure(judge.org, each.error.message, each.user.handle)
        for each in scan.failures
    ]
    if scan.unlisted:
        failures.append(OrganizationFailure(judge.org, scan.why_unlisted))
    return Checked(
        findings=tuple(worst_first(found)),
        pats=(),
        failures=tuple(failures),
        now=judge.now,
        everyone=Everyone(
            judge.org,
            tokens,
            tuple(sorted(kept, key=lambda each: each.place)),
            knows_policies=None not in policies,
            read_since=scan.saved.subject.started if scan.saved else None,
        ),
    )


def _judge(deps: AdminDeps, limits: Limits, policies: Sequence[TenantPolicy]) -> Judge:
    org = deps.organization.name
    lifespan = next((each for each in policies if each.name is PolicyName.LIFESPAN), None)
    days = lifespan.max_days if lifespan and lifespan.is_on else None
    return Judge(
        org,
        me=_me(deps),
        now=deps.now(),
        limits=limits._replace(allowed={org: days} if days else {}),
        policies=policies,
    )


def _me(deps: AdminDeps) -> frozenset[str]:
    signed_in = deps.session.search.token
    if signed_in is None:
        return frozenset()
    descriptor = ""
    if not signed_in.user:  # a personal access token does not tell whose it is
        with suppress(PatError):
            descriptor = deps.directory.descriptor(deps.organization)
    return frozenset({signed_in.user.casefold(), descriptor} - {""})


def _by_owner(
    tokens: Iterable[tuple[User, SessionToken]], owned: OwnedTokens
) -> Iterator[tuple[User, Sequence[Pat]]]:
    """Yield each user with all tokens of the user, which come together."""
    for _, of_user in groupby(tokens, key=lambda each: each[0].descriptor):
        found = [owned.owned(owner, token) for owner, token in of_user]
        yield found[0].owner, [each.pat for each in found]


def _policies(deps: AdminDeps) -> Sequence[TenantPolicy | None]:
    """Read the policies of the tenant that forbid tokens; None for those that are not told."""

    def read(name: PolicyName) -> TenantPolicy | None:
        try:
            return deps.tenant_policies.read(deps.organization, name)
        except PatError:  # the scan says so, unless it needs no sign-in, as all was saved
            return None

    return [policy for _, policy in results_side_by_side(read, _POLICIES)]
