"""What there is to say about one request to the service."""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from requests.auth import AuthBase

from azdo_pat.api.addresses import Addresses, Service, segment, with_query
from azdo_pat.api.retries import LONG_PATIENCE, RETRYING_SECONDS
from azdo_pat.models import Organization


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
