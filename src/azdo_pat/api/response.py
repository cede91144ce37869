"""A response of the service, or the reason why there is none."""

import json
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Final, NamedTuple

_LONGEST_SERVER_TEXT: Final = 500


class RequestSummary(NamedTuple):
    """The facts of a request that error messages name.

    Attributes:
        method: GET, POST, PUT or DELETE, by its effect; see `ApiCall.acts_as`.
        host: the host and, if unusual, the port.
        organization: its name; empty for a request without one.
        source: where the access token came from; empty if none was sent.
        sign_in_hint: how the user gets another one from there; empty for the usual way.
        setting: what the address comes from, if the user set it.
    """

    method: str
    host: str
    organization: str = ""
    source: str = ""
    sign_in_hint: str = ""
    setting: str = "PAT_API_URL"


@dataclass(frozen=True, kw_only=True)
class Response:
    """One HTTP response, completely read.

    Attributes:
        headers: by case-insensitive name.
        body: may contain a secret: never quote or show it.
        asked: the request.
    """

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    asked: RequestSummary

    @property
    def activity_id(self) -> str:
        """The id under which the service logged the request; empty if it gave none."""
        headers = self.headers
        names = ("ActivityId", "X-TFS-Session", "X-VSS-E2EID")
        return printable(next((headers[name] for name in names if headers.get(name)), ""))

    @property
    def is_html(self) -> bool:
        """Whether it is a web page, whatever its status."""
        return "html" in self.headers.get("Content-Type", "").lower()

    def json(self) -> object:
        """Return the body as JSON.

        Bytes that are not UTF-8 become lone surrogates, which the code that reads the
        field rejects; raw control characters are accepted. Neither hides the other fields.

        Raises:
            ValueError: it is not JSON.
        """
        try:
            return json.loads(self.body.decode("utf-8-sig", "surrogateescape"), strict=False)
        except RecursionError:
            raise ValueError("nested too deeply") from None


class Problem(NamedTuple):
    """The reason why no answer came.

    Attributes:
        reason: in words, without a full stop.
        hint: the next step; empty if there is none.
        sent: the request may have reached the service.
        passing: temporary, so a retry may succeed.
    """

    reason: str
    hint: str = ""
    sent: bool = True
    passing: bool = True


def may_have_acted(outcome: Response | Problem) -> bool:
    """Return whether the service may have acted on a request; 401 and 429 turn it away."""
    if isinstance(outcome, Problem):
        return outcome.sent
    return outcome.status not in {HTTPStatus.UNAUTHORIZED, HTTPStatus.TOO_MANY_REQUESTS}


def printable(text: str) -> str:
    """Return a server's text as one line of limited length, without control characters."""
    line = " ".join(text[: 4 * _LONGEST_SERVER_TEXT].split())
    kept = "".join(char for char in line if unicodedata.category(char)[0] != "C")
    if len(kept) > _LONGEST_SERVER_TEXT:
        return kept[: _LONGEST_SERVER_TEXT - 1] + "…"
    return kept
