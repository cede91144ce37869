"""Revocation rules: which access tokens an organization takes no more."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from azdo_pat.emulator.scopes import FULL_ACCESS

if TYPE_CHECKING:
    from datetime import datetime

_ALL_OF_THE_USER: Final = "user_impersonation"


@dataclass(frozen=True, kw_only=True)
class Rule:
    """Ends self-describing tokens of any of the scopes that were made before a moment."""

    organization_id: str
    scopes: tuple[str, ...]
    created_before: datetime

    def matches(self, scopes: frozenset[str], made: datetime) -> bool:
        """Whether a token with these scopes is refused; one for everything has full access."""
        full = frozenset({FULL_ACCESS}) if _ALL_OF_THE_USER in scopes else frozenset()
        return made < self.created_before and not (scopes | full).isdisjoint(self.scopes)
