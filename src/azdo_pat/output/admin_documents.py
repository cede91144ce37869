"""Convert what `pat admin` shows to JSON documents for scripts; see `serialize`."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from azdo_pat.models import OwnedPat
from azdo_pat.output.serialize import (
    Document,
    finding_document,
    outcome_document,
    pat_document,
)
from azdo_pat.times import rfc3339

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from azdo_pat.findings import Finding
    from azdo_pat.models import User
    from azdo_pat.results.admin import (
        Group,
        OwnedRevocation,
        Owner,
        PolicyState,
        RevocationRule,
        TokenReport,
    )

OWNER_KEYS: Final = ("owner_name", "owner_upn", "owner_descriptor")
"""The columns of csv and tsv for the owner of a token, after `PAT_KEYS`."""

USER_KEYS: Final = ("name", "upn", "mail", "descriptor", "guest", "deleted")
"""The keys of a user in order."""


def user_document(user: User) -> Document:
    """Return a user; unknown texts are null."""
    return {
        "name": user.name or None,
        "upn": user.upn or None,
        "mail": user.mail or None,
        "descriptor": user.descriptor,
        "guest": user.is_guest,
        "deleted": user.is_deleted,
    }


def owned_document(owned: OwnedPat, now: datetime) -> Document:
    """Return the token object with `owner`."""
    return pat_document(owned.pat, now) | {"owner": _owner(owned.owner)}


def owned_row(owned: OwnedPat, now: datetime) -> Document:
    """Return the token object with the owner in columns, for spreadsheets."""
    return pat_document(owned.pat, now) | _owner_columns(owned.owner)


def owned_finding_document(finding: Finding, owner: User, now: datetime) -> Document:
    """Return a finding with its `owner`, and `owner_fix`: the command that only the owner can run.

    One of `fix` and `owner_fix` is null at least.
    """
    return finding_document(finding, now) | {
        "owner": _owner(owner),
        "owner_fix": finding.owner_fix or None,
    }


def owned_finding_row(finding: Finding, owner: User, now: datetime) -> Document:
    """Return a finding with the owner in columns, for spreadsheets."""
    document = owned_finding_document(finding, owner, now) | _owner_columns(owner)
    del document["owner"]
    return document


def _owner(owner: User) -> Document:
    document = user_document(owner)
    return {key: document[key] for key in ("name", "upn", "descriptor")}


def _owner_columns(owner: User) -> Document:
    document = user_document(owner)
    return {key: document[key.removeprefix("owner_")] for key in OWNER_KEYS}


def owned_revocation_document(revocation: OwnedRevocation, now: datetime) -> Document:
    """Return the token object with `owner`, and the keys of `revoke`."""
    item, owner = revocation
    return owned_document(OwnedPat(item.pat, owner), now) | outcome_document(item)


def owned_revocation_row(revocation: OwnedRevocation, now: datetime) -> Document:
    """Return the same with the owner in columns, for spreadsheets."""
    item, owner = revocation
    return owned_row(OwnedPat(item.pat, owner), now) | outcome_document(item)


def rule_document(rule: RevocationRule) -> Document:
    """Return a rule that ends access tokens; `before` is null for the time of its creation."""
    return {
        "org": rule.org,
        "scopes": list(rule.scopes),
        "before": rfc3339(rule.before) if rule.before else None,
        "outcome": "planned" if rule.is_planned else "created",
    }


def policy_document(policy: PolicyState) -> Document:
    """Return a policy of the tenant; `max_days` and `exceptions` are null if unknown."""
    return {
        "name": str(policy.name),
        "state": str(policy.state),
        "meaning": policy.meaning,
        "max_days": policy.max_days,
        "exceptions": policy.has_exceptions,
    }


def report_document(report: TokenReport) -> Document:
    """Return the numbers of a report; where `complete` is false, they are of the users read."""
    numbers = report.numbers
    return {
        "org": report.org,
        "at": rfc3339(report.at),
        "complete": report.is_complete,
        "users": report.users,
        "users_with_tokens": report.owners.total,
        "tokens": numbers.tokens,
        "global": numbers.is_global,
        "full_access": numbers.full_access,
        "expired": report.expired,
        "expiring": numbers.expiring,
        "long_lived": numbers.long_lived,
        "by_scope": _groups("scope", report.by_scope),
        "by_month": _groups("month", report.by_month),
        "top_owners": [_owner_numbers(each) for each in report.owners.items],
        "by_age": _groups("age", report.by_age),
        "read_since": rfc3339(report.read_since),
        "users_unread": report.unread,
        "within_days": _days(report.within),
        "max_life_days": _days(report.max_life),
    }


def _days(span: timedelta) -> float:
    """Return a span in days: a whole number, where it is one."""
    days = span / timedelta(days=1)
    return int(days) if days.is_integer() else days


def _groups(key: str, groups: Sequence[Group]) -> list[Document]:
    return [{key: each.name, "tokens": each.tokens, "users": each.users} for each in groups]


def _owner_numbers(owner: Owner) -> Document:
    numbers = owner.numbers
    return _owner(owner.user) | {
        "tokens": numbers.tokens,
        "global": numbers.is_global,
        "full_access": numbers.full_access,
        "expiring": numbers.expiring,
        "long_lived": numbers.long_lived,
    }
