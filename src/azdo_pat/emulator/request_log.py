"""What was asked of the emulator, for tests to count and look at; never a secret."""

from __future__ import annotations

import json
import threading
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from azdo_pat.emulator.library.connection_types import EVERY_CONFIDENTIAL

if TYPE_CHECKING:
    from datetime import datetime

_KEPT: Final = 20_000
_SECRET_FIELDS: Final = EVERY_CONFIDENTIAL | {
    "token",
    "secret",
    "access_token",
    "accesstoken",
    "password",
}
_MASK: Final = "***"


@dataclass(kw_only=True)
class Entry:
    """One request; ``status`` is None while it runs and when its connection was cut."""

    number: int
    time: datetime
    method: str
    path: str
    query: dict[str, str]
    user_agent: str | None
    authorization: str | None
    body: object
    activity_id: str
    status: int | None = None
    fault: str | None = None

    def to_json(self) -> dict[str, Any]:
        """For the control endpoint."""
        return {
            "id": self.number,
            "time": self.time.isoformat(),
            "method": self.method,
            "path": self.path,
            "query": self.query,
            "userAgent": self.user_agent,
            "authorization": self.authorization,
            "body": self.body,
            "activityId": self.activity_id,
            "status": self.status,
            "fault": self.fault,
        }


class RequestLog:
    """The last 20,000 requests, in the order they came."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._entries: deque[Entry] = deque(maxlen=_KEPT)
        self._next = 1

    def add(self, entry: Entry) -> Entry:
        """Number a request and keep it."""
        with self._lock:
            entry.number = self._next
            self._next += 1
            self._entries.append(entry)
            return entry

    def clear(self) -> int:
        """Forget all; gives how many there were."""
        with self._lock:
            count = len(self._entries)
            self._entries.clear()
            return count

    def to_json(self) -> list[dict[str, Any]]:
        """All entries, oldest first."""
        with self._lock:
            return [entry.to_json() for entry in self._entries]


def masked_body(data: bytes) -> object:
    """A body fit for the log: JSON with its secrets starred out, of anything else the size."""
    if not data:
        return None
    try:
        document = _masked(json.loads(data))
    except (ValueError, RecursionError):
        return f"{len(data)} bytes that are not JSON"
    if isinstance(document, dict) and document.get("value") is not None:  # a key vault's secret
        document["value"] = _MASK
    return document


def _masked(value: object) -> object:
    if isinstance(value, dict):
        secrets = _SECRET_FIELDS | ({"value"} if value.get("isSecret") else set())
        return {
            # Null shows that a client left a secret as it is.
            name: _MASK if name.casefold() in secrets and content is not None else _masked(content)
            for name, content in value.items()
        }
    if isinstance(value, list):
        return [_masked(item) for item in value]
    return value
