"""The policies of a tenant that restrict tokens, as far as the service tells them.

No public API reads them. What the administration pages of an organization use is undocumented (it
was found in ADOPS, `Get-ADOPSTenantPolicy`), so everything here is a best effort: an answer that is
not understood means that the policy is unknown, and is no failure.
"""

from http import HTTPStatus
from typing import Final

from azdo_pat.api.addresses import Service, segment
from azdo_pat.api.call import ApiCall
from azdo_pat.api.http import Http
from azdo_pat.api.json_fields import Record
from azdo_pat.api.response import Response
from azdo_pat.errors import UnavailableError
from azdo_pat.models import Organization, PolicyName, TenantPolicy

_POLICY: Final = "a policy"
_LONGEST: Final = 36_500
"""Days beyond which a limit is none: no token lives for more than a year."""


class TenantPolicies:
    """Reads the policies of the tenant to which an organization belongs."""

    def __init__(self, http: Http) -> None:
        self._http = http

    def read(self, organization: Organization, name: PolicyName) -> TenantPolicy | None:
        """Return a policy; None if the service does not tell it. One request, never repeated."""
        base = self._http.addresses.base(Service.TOKENS)
        answer = self._http.probe(
            ApiCall(
                method="GET",
                url=f"{base}/{segment(organization.name)}/_apis/TenantPolicy/Policies"
                f"/TenantPolicy.{name}",
                organization=organization.name,
            )
        )
        if answer is None or answer.status != HTTPStatus.OK:
            return None
        try:
            return _policy(name, answer)
        except (ValueError, UnavailableError):
            return None


def _policy(name: PolicyName, answer: Response) -> TenantPolicy | None:
    """Read a policy.

    Raises:
        ValueError: it is not JSON.
        UnavailableError: it is not an object.
    """
    policy = Record(answer.json(), _POLICY, answer)
    on = policy.value("value")
    if not isinstance(on, bool):
        return None
    properties = policy.record("properties", _POLICY)
    days = properties.value("MaxPatLifespanInDays") if properties else None
    allowed = properties.value("AllowedUsersAndGroupObjectIds") if properties else None
    return TenantPolicy(
        name=name,
        is_on=on,
        max_days=_lifetime(days),
        # A list, or a list that is written as a text.
        has_exceptions=bool(str(allowed or "").strip("[] ")),
    )


def _lifetime(days: object) -> int | None:
    """Return a number of days, as a number or a text; None if it limits nothing."""
    text = str(days)
    if not (text.isascii() and text.isdecimal() and len(text) <= len(str(_LONGEST))):
        return None
    return int(text) if 0 < int(text) <= _LONGEST else None
