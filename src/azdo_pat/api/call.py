"""What there is to say about one request to the service."""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from requests.auth import AuthBase

from azdo_pat.api.retries import RETRYING_SECONDS


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
