"""What there is to say about one request to the service."""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Final, NamedTuple

from requests.auth import AuthBase

from azdo_pat.api.addresses import Addresses, Service, segment, with_query
from azdo_pat.api.response import Response
from azdo_pat.api.retries import LONG_PATIENCE, RETRYING_SECONDS
from azdo_pat.errors import PatError
from azdo_pat.models import Organization

NO_HEADERS: Final[Mapping[str, str]] = MappingProxyType({})


class ApiCall(NamedTuple):
    """One request to make.

    Attributes:
        url: complete, with its query.
        organization: its name, for error messages.
        body: sent as JSON.
        credential: what to sign in with instead of the access token.
        acts_as: the method whose effect a POST has: GET for a search, DELETE for one that may be
            repeated. Retries and failures are those of that method.
        is_last: the same request failed before, so another failure inside the service is final.
        patience: seconds that a pause may take which the service asks for before the request, and
            all those together that it answers the request with.
        headers: in addition to those of every request.
        setting: what the address comes from, if the user set it; for error messages.
        holds_secrets: the request or its response may hold secrets of others, so their bodies are
            not traced.
        failure_of: returns the error that a response of a service other than Azure DevOps stands
            for, and None for success; None for Azure DevOps.
        is_cancelled: returns whether the user has cancelled it, for one whose Ctrl-C is recorded
            only. It then ends a pause, but no attempt.
    """

    method: str
    url: str
    organization: str = ""
    body: Mapping[str, object] | Sequence[object] | None = None
    credential: AuthBase | None = None
    acts_as: str = ""
    is_last: bool = False
    patience: float = RETRYING_SECONDS
    headers: Mapping[str, str] = NO_HEADERS
    setting: str = "PAT_API_URL"
    holds_secrets: bool = False
    failure_of: Callable[[Response], PatError | None] | None = None
    is_cancelled: Callable[[], bool] | None = None

    @property
    def effect(self) -> str:
        """The method that has the same effect on the service."""
        return self.acts_as or self.method


def admin_call(
    addresses: Addresses,
    method: str,
    organization: Organization,
    place: str,
    query: dict[str, str],
) -> ApiCall:
    """Return a request to an API for administrators, for which long pauses are waited.

    Args:
        addresses: of the service.
        method: GET or POST.
        organization: that it is about.
        place: the path below `_apis`, quoted.
        query: the parameters.
    """
    url = f"{addresses.base(Service.TOKENS)}/{segment(organization.name)}/_apis/{place}"
    return ApiCall(
        method=method,
        url=with_query(url, query),
        organization=organization.name,
        patience=LONG_PATIENCE,
    )
