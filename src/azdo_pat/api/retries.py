"""Which requests may be repeated, and for how long."""

from http import HTTPStatus
from typing import Final

from azdo_pat.api.rate_limit import retry_after
from azdo_pat.api.response import Problem, Response

ATTEMPTS: Final = 4
RETRYING_SECONDS: Final = 75.0
"""Seconds after which no attempt is started, apart from pauses that the service asked for."""
LONG_PATIENCE: Final = 900.0
"""Seconds that a pause may take where giving up loses much: the service counts the load of five
minutes ("Rate and usage limits"), and many requests were made before."""
_PASSING_STATUSES: Final = frozenset(
    {
        HTTPStatus.TOO_MANY_REQUESTS,
        HTTPStatus.BAD_GATEWAY,
        HTTPStatus.SERVICE_UNAVAILABLE,
        HTTPStatus.GATEWAY_TIMEOUT,
    }
)


def may_repeat(effect: str, outcome: Response | Problem, *, is_first: bool) -> bool:
    """Return whether a retry is safe and may help.

    Args:
        effect: the method that has the same effect on the service.
        outcome: of the attempt.
        is_first: the same request has not failed before.
    """
    if isinstance(outcome, Problem):
        return outcome.passing and (effect != "POST" or not outcome.sent)
    if effect == "POST":
        return outcome.status == HTTPStatus.TOO_MANY_REQUESTS
    if outcome.status == HTTPStatus.INTERNAL_SERVER_ERROR:
        return effect == "GET" and is_first
    if outcome.status == HTTPStatus.FORBIDDEN:
        # GitHub's answer to too many requests (GitHub, "Rate limits for the REST API").
        return retry_after(outcome.headers) is not None
    return outcome.status in _PASSING_STATUSES
