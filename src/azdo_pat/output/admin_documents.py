"""Convert what `pat admin` shows to JSON documents for scripts; see `serialize`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from azdo_pat.output.serialize import Document, pat_document

if TYPE_CHECKING:
    from datetime import datetime

    from azdo_pat.models import OwnedPat, User
    from azdo_pat.results import PolicyState

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
    owner = user_document(owned.owner)
    return pat_document(owned.pat, now) | {
        "owner": {key: owner[key] for key in ("name", "upn", "descriptor")}
    }


def owned_row(owned: OwnedPat, now: datetime) -> Document:
    """Return the token object with the owner in columns, for spreadsheets."""
    owner = user_document(owned.owner)
    return pat_document(owned.pat, now) | {
        key: owner[key.removeprefix("owner_")] for key in OWNER_KEYS
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
