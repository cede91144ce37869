"""What came back, or why nothing did."""

import json
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple

_LONGEST_SERVER_TEXT: Final = 500


class RequestSummary(NamedTuple):
    """What was asked, as far as a failure has to name it.

    Attributes:
        method: GET, POST, PUT or DELETE.
        host: the host and, where unusual, the port.
        organization: its name; empty for a call that concerns none.
        source: where the access token came from; empty where none was sent.
        anew: how the user gets another one from there; empty for as usual.
    """

    method: str
    host: str
    organization: str = ""
    source: str = ""
    anew: str = ""


@dataclass(frozen=True, kw_only=True)
class Response:
    """One HTTP answer, read to its end.

    Attributes:
        headers: by name, in any case.
        body: may hold a secret: never quoted, never shown.
        asked: the question.
    """

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    asked: RequestSummary

    @property
    def activity_id(self) -> str:
        """The id under which the service logged the request; empty where it gave none."""
        headers = self.headers
        names = ("ActivityId", "X-TFS-Session", "X-VSS-E2EID")
        return printable(next((headers[name] for name in names if headers.get(name)), ""))

    @property
    def is_html(self) -> bool:
        """It is a web page, whatever its status says."""
        return "html" in self.headers.get("Content-Type", "").lower()

    def json(self) -> object:
        """Return the body as JSON.

        A text in it with bytes that are not UTF-8 gets lone surrogates, which whoever reads the
        field refuses; one with raw control characters is taken. Neither hides the rest.

        Raises:
            ValueError: it is none.
        """
        try:
            return json.loads(self.body.decode("utf-8-sig", "surrogateescape"), strict=False)
        except RecursionError:
            raise ValueError("nested too deeply") from None


class Problem(NamedTuple):
    """Why no answer came.

    Attributes:
        reason: in words, without a full stop.
        hint: the next step; empty where there is none.
        sent: the request may have reached the service.
        passing: it may go better the next time.
    """

    reason: str
    hint: str = ""
    sent: bool = True
    passing: bool = True


def printable(text: str) -> str:
    """Return a server's text as one harmless line: no control characters, of bounded length."""
    line = " ".join(text[: 4 * _LONGEST_SERVER_TEXT].split())
    kept = "".join(char for char in line if unicodedata.category(char)[0] != "C")
    if len(kept) > _LONGEST_SERVER_TEXT:
        return kept[: _LONGEST_SERVER_TEXT - 1] + "…"
    return kept
