"""Describes a request and its response, for `-v` and `--debug`."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final, NamedTuple

import requests

from azdo_pat.api.response import printable
from azdo_pat.redaction import masked, masked_body, masked_headers

_LONGEST_BODY: Final = 8000
_LONGEST_LINE: Final = 2000
_LATEST_RESET: Final = 4_000_000_000


class Message(NamedTuple):
    """One direction of an exchange; contains secrets."""

    headers: tuple[tuple[str, str], ...]
    body: bytes


@dataclass(frozen=True, kw_only=True)
class Exchange:
    """One request and its response.

    Attributes:
        status: None if no answer came.
        seconds: how long it took.
        activity_id: the id under which the service logged it; empty if it gave none.
        note: why no answer came, or what follows; may be empty.
        sent: the request; None if it was never made.
        received: the response; None if none came.
    """

    method: str
    url: str
    status: int | None
    seconds: float
    activity_id: str = ""
    note: str = ""
    sent: Message | None = field(default=None, repr=False, compare=False)
    received: Message | None = field(default=None, repr=False, compare=False)

    def summary(self) -> str:
        """Return one line for `-v`."""
        status = self.status if self.status is not None else "no answer"
        activity = f", activity {self.activity_id}" if self.activity_id else ""
        note = f" ({self.note})" if self.note else ""
        text = f"{self.method} {self.url}: {status} in {self.seconds:.3f} s{activity}{note}"
        return masked(text)

    def rate_limit(self) -> str:
        """Return the rate limit information of the response; empty if there is none.

        Source: Azure DevOps, "Rate and usage limits", on the `X-RateLimit-` headers.
        """
        headers = dict(self.received.headers) if self.received else {}
        found = {
            name[len("x-ratelimit-") :].lower(): printable(value)
            for name, value in headers.items()
            if name.lower().startswith("x-ratelimit-")
        }
        if not found:
            return ""
        text = "rate limit"
        if resource := found.get("resource"):
            text += f" of {resource}"
        parts = []
        if (left := found.get("remaining")) is not None:
            of = f" of {found['limit']}" if "limit" in found else ""
            parts.append(f"{left}{of} left")
        elif "limit" in found:
            parts.append(found["limit"])
        if reset := found.get("reset"):
            parts.append(f"reset at {_moment(reset)}")
        if delay := found.get("delay"):
            parts.append(f"delayed by {delay} s")
        return f"{text}: {', '.join(parts)}" if parts else text

    def lines(self) -> list[str]:
        """Return headers and bodies for `--debug`, every secret masked."""
        shown = []
        for mark, message in ((">", self.sent), ("<", self.received)):
            if message is not None:
                shown += [f"{mark} {line}"[:_LONGEST_LINE] for line in _written(message)]
        return shown


def sent_message(request: object) -> Message | None:
    """Return the request; None if it is unknown.

    Args:
        request: of an answer or of an exception of requests; other things come there too.
    """
    if not isinstance(request, requests.PreparedRequest):
        return None
    # The types of requests say less than what its own code does: a form is a str.
    body: object = request.body
    plain = body.encode() if isinstance(body, str) else body
    return Message(
        headers=tuple((name, _text(value)) for name, value in request.headers.items()),
        body=plain if isinstance(plain, bytes) else b"",
    )


def received_message(response: requests.Response, body: bytes) -> Message:
    """Return the response."""
    return Message(headers=tuple(response.headers.items()), body=body)


def without_body(message: Message) -> Message:
    """Return a message whose body must not be shown."""
    return message._replace(body=b"(not shown, as it may hold secrets)" if message.body else b"")


def _written(message: Message) -> list[str]:
    lines = [f"{name}: {value}" for name, value in masked_headers(message.headers)]
    if message.body:
        content_type = next(
            (value for name, value in message.headers if name.lower() == "content-type"), ""
        )
        text = masked_body(message.body, content_type)
        cut = len(text) - _LONGEST_BODY
        lines += text[:_LONGEST_BODY].splitlines()
        lines += [f"… and {cut} more characters"] if cut > 0 else []
    return lines


def _text(value: str | bytes) -> str:
    return value if isinstance(value, str) else value.decode("latin-1")


def _moment(seconds: str) -> str:
    """Return Unix time as a time of day; other text unchanged."""
    if seconds.isascii() and seconds.isdigit() and int(seconds) < _LATEST_RESET:
        return datetime.fromtimestamp(int(seconds), UTC).strftime("%H:%M:%S UTC")
    return seconds
