"""The policies of tenant and organization that restrict tokens, each with its switch."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final, TypeVar

from azdo_pat.emulator.directory import ADA, find_organization, find_user
from azdo_pat.emulator.errors import EmulatorError, TokenError, TokenRefusedError
from azdo_pat.emulator.scopes import FULL_ACCESS, are_packaging_only

if TYPE_CHECKING:
    from collections.abc import Mapping

_Choice = TypeVar("_Choice", bound=StrEnum)


class Lifespan(StrEnum):
    """What happens to a request beyond the maximum lifespan."""

    CLAMP = "clamp"
    REFUSE = "refuse"


class Creation(StrEnum):
    """Who may create tokens in an organization."""

    ALLOWED = "allowed"
    PACKAGING_ONLY = "packaging-only"
    DISABLED = "disabled"


@dataclass(frozen=True, kw_only=True)
class Policies:
    """All switches; the default is a tenant without restrictions.

    ``public_projects`` makes ``connectionData`` answer bad credentials as the anonymous user,
    as organizations with public projects do. ``auditing_disabled`` turns "Log Audit Events" off,
    ``audit_log_forbidden`` takes away the permission "View audit log". ``global_hidden`` leaves
    global tokens out of the list once they have stopped working: no one knows yet whether the
    service will. ``policies_forbidden`` keeps members from reading the tenant's policies.

    ``administrators`` are the Project Collection Administrators, each by key, id or mail address.
    A revocation by one takes effect after ``revocation_delay_seconds``.

    ``organizations`` holds, by the name of an organization, the policies that differ there, as
    ``to_json`` writes them.
    """

    full_scope_forbidden: bool = False
    global_forbidden: bool = False
    global_blocked: bool = False
    global_hidden: bool = False
    maximum_lifespan_days: int | None = None
    lifespan_mode: Lifespan = Lifespan.CLAMP
    creation: Creation = Creation.ALLOWED
    public_projects: bool = False
    auditing_disabled: bool = False
    audit_log_forbidden: bool = False
    policies_forbidden: bool = False
    administrators: tuple[str, ...] = (ADA.key,)
    revocation_delay_seconds: int = 0
    organizations: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def of(self, organization: str) -> Policies:
        """Those in force in an organization."""
        own = self.organizations.get(organization)
        return Policies.from_json({**self._common(), **own}) if own else self

    def check_creation(self, scope: str) -> None:
        """Raises TokenRefusedError where the organization does not let this be created."""
        if self.creation is Creation.DISABLED:
            raise TokenRefusedError(TokenError.CREATION_POLICY)
        if self.creation is Creation.PACKAGING_ONLY and not are_packaging_only(scope):
            raise TokenRefusedError(TokenError.CREATION_POLICY)

    def check_scope(self, scope: str) -> None:
        """Raises TokenRefusedError for full access where that is forbidden."""
        if self.full_scope_forbidden and FULL_ACCESS in scope.split():
            raise TokenRefusedError(TokenError.FULL_SCOPE_POLICY)

    def check_global(self) -> None:
        """Raises TokenRefusedError for a global token where that is forbidden.

        Microsoft announced a block of all of them for March 2026 and withdrew it; the error it
        would have had is still part of the contract.
        """
        if self.global_forbidden:
            raise TokenRefusedError(TokenError.GLOBAL_POLICY)
        if self.global_blocked:
            raise TokenRefusedError(TokenError.GLOBAL_BLOCKED)

    def limit(self, valid_to: datetime, *, start: datetime) -> datetime:
        """The end that a token gets: as asked, or shortened, counted from ``start``.

        Raises:
            TokenRefusedError: the mode is to refuse.
        """
        if self.maximum_lifespan_days is None:
            return valid_to
        latest = start + timedelta(days=self.maximum_lifespan_days)
        if valid_to <= latest:
            return valid_to
        if self.lifespan_mode is Lifespan.REFUSE:
            raise TokenRefusedError(TokenError.LIFESPAN_POLICY)
        return latest

    def to_json(self) -> dict[str, Any]:
        """As the control endpoint and the state file hold it."""
        own = {name: dict(policies) for name, policies in self.organizations.items()}
        return self._common() | ({"organizations": own} if own else {})

    def _common(self) -> dict[str, Any]:
        values = {name: getattr(self, attribute) for name, attribute in _NAMES.items()}
        return values | {"administrators": list(self.administrators)}

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Policies:
        """The opposite of ``to_json``; what is left out is off.

        Raises:
            EmulatorError: a name or a value is unknown.
        """
        organizations = _organizations(value.get("organizations", {}))
        value = {name: value[name] for name in value if name != "organizations"}
        unknown = sorted(set(value) - set(_NAMES))
        if unknown:
            raise EmulatorError(f"unknown policy {unknown[0]!r}")
        if any(not isinstance(value.get(name, False), bool) for name in _BOOLEANS):
            raise EmulatorError(f"{', '.join(_BOOLEANS)} are true or false")
        days = value.get("maximumLifespanDays")
        if days is not None and (not isinstance(days, int) or isinstance(days, bool) or days < 1):
            raise EmulatorError("maximumLifespanDays is a number of days, 1 or more, or null")
        delay = value.get("revocationDelaySeconds", 0)
        if (
            not isinstance(delay, int)
            or isinstance(delay, bool)
            or not 0 <= delay <= _LONGEST_DELAY
        ):
            raise EmulatorError(f"revocationDelaySeconds lies between 0 and {_LONGEST_DELAY}")
        if "administrators" in value:
            value["administrators"] = _administrators(value["administrators"])
        chosen = {name: _choice(kind, value[name]) for name, kind in _CHOICES if name in value}
        attributes = {_NAMES[name]: content for name, content in (value | chosen).items()}
        return cls(**attributes, organizations=organizations)


_LONGEST_DELAY: Final = 86_400
_INVENTED: Final = re.compile(r"user\d+(@|$)", re.IGNORECASE)
_BOOLEANS: Final = {
    "fullScopeForbidden": "full_scope_forbidden",
    "globalForbidden": "global_forbidden",
    "globalBlocked": "global_blocked",
    "globalHidden": "global_hidden",
    "publicProjects": "public_projects",
    "auditingDisabled": "auditing_disabled",
    "auditLogForbidden": "audit_log_forbidden",
    "policiesForbidden": "policies_forbidden",
}
_NAMES: Final = _BOOLEANS | {
    "maximumLifespanDays": "maximum_lifespan_days",
    "lifespanMode": "lifespan_mode",
    "creation": "creation",
    "administrators": "administrators",
    "revocationDelaySeconds": "revocation_delay_seconds",
}
"""The attributes by their names in JSON."""
_CHOICES: Final[tuple[tuple[str, type[StrEnum]], ...]] = (
    ("lifespanMode", Lifespan),
    ("creation", Creation),
)


def _choice(kind: type[_Choice], value: object) -> _Choice:
    try:
        return kind(str(value))
    except ValueError as error:
        allowed = ", ".join(member.value for member in kind)
        raise EmulatorError(f"{value!r} is none of {allowed}") from error


def _administrators(value: object) -> tuple[str, ...]:
    if not isinstance(value, list | tuple):
        raise EmulatorError("administrators is a list of users")
    for name in value:
        if find_user(str(name)) is None and not _INVENTED.match(str(name)):
            raise EmulatorError(f"no user {name!r}")
    return tuple(str(name).casefold() for name in value)


def _organizations(value: object) -> dict[str, dict[str, Any]]:
    """The policies of single organizations, checked.

    Raises:
        EmulatorError: an organization is unknown, or a policy of it is.
    """
    if not isinstance(value, dict) or not all(isinstance(each, dict) for each in value.values()):
        raise EmulatorError("organizations is an object of the policies of each organization")
    for name, policies in value.items():
        _require_organization(name)
        if "organizations" in policies:
            raise EmulatorError(f"the policies of {name} hold organizations of their own")
        Policies.from_json(policies)
    return {name.casefold(): dict(policies) for name, policies in value.items()}


def _require_organization(name: str) -> None:
    if find_organization(name) is None:
        raise EmulatorError(f"no organization {name!r}")


def parse_policies(texts: tuple[str, ...]) -> Policies:
    """Policies from strings such as ``maximum-lifespan=7 mode=refuse`` or ``full-scope-forbidden``.

    ``fabrikam:creation-disabled`` is one of that organization alone.

    Raises:
        EmulatorError: a string is not understood.
    """
    policies = Policies()
    for text in texts:
        organization, colon, policy = text.partition(":")
        policies = (
            _applied_in(organization.casefold(), policy, policies)
            if colon
            else _apply(policies, text)
        )
    return policies


def _applied_in(organization: str, policy: str, policies: Policies) -> Policies:
    """Policies with one more in an organization: what that policy says, and nothing else."""
    _require_organization(organization)
    off = Policies().to_json()
    switched = _apply(Policies(), policy).to_json()
    own = {name: switched[name] for name in switched if switched[name] != off[name]}
    before = policies.organizations.get(organization, {})
    changed = {**policies.organizations, organization: {**before, **own}}
    return replace(policies, organizations=changed)


_SWITCHES: Final[dict[str, dict[str, Any]]] = {
    "full-scope-forbidden": {"full_scope_forbidden": True},
    "global-forbidden": {"global_forbidden": True},
    "global-blocked": {"global_blocked": True},
    "global-hidden": {"global_hidden": True},
    "creation-disabled": {"creation": Creation.DISABLED},
    "creation-packaging-only": {"creation": Creation.PACKAGING_ONLY},
    "public-projects": {"public_projects": True},
    "auditing-disabled": {"auditing_disabled": True},
    "audit-log-forbidden": {"audit_log_forbidden": True},
    "policies-forbidden": {"policies_forbidden": True},
}


def _apply(policies: Policies, text: str) -> Policies:
    name, *options = text.split() or [""]
    key, _, value = name.partition("=")
    mode = [option.removeprefix("mode=") for option in options if option.startswith("mode=")]
    if len(mode) != len(options) or (options and key != "maximum-lifespan"):
        raise EmulatorError(f"policy {text!r} is not understood")
    match key, value:
        case switch, "" if switch in _SWITCHES:
            return replace(policies, **_SWITCHES[switch])
        case "maximum-lifespan", days if days.isdecimal() and int(days) > 0:
            lifespan = _choice(Lifespan, mode[-1]) if mode else Lifespan.CLAMP
            return replace(policies, maximum_lifespan_days=int(days), lifespan_mode=lifespan)
        case "administrators", names:
            listed = _administrators([name for name in names.split(",") if name])
            return replace(policies, administrators=listed)
        case "revocation-delay", seconds if seconds.isdecimal() and int(seconds) <= _LONGEST_DELAY:
            return replace(policies, revocation_delay_seconds=int(seconds))
        case _:
            raise EmulatorError(f"policy {text!r} is not understood")
