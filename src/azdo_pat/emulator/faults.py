"""Faults on request: which requests they hit, how often, and what goes wrong.

A fault is written ``METHOD PATH key=value …``, for instance
``POST */tokens/pats status=503 times=2 retry-after=1``; docs/emulator.md has the keys.
"""

from __future__ import annotations

import fnmatch
import math
import random
import re
import shlex
import threading
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final, TypeVar

from azdo_pat.emulator.errors import EmulatorError

if TYPE_CHECKING:
    from collections.abc import Callable

_SPAN: Final = re.compile(r"(\d+(?:\.\d+)?)(ms|s)?")
_HEADER_NAME: Final = re.compile(r"[A-Za-z0-9-]+")
_TRUTH: Final = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
_Number = TypeVar("_Number", int, float)


class Moment(StrEnum):
    """Before or after the request took effect."""

    BEFORE = "before"
    AFTER = "after"


class Special(StrEnum):
    """An answer that is wrong in a way of its own."""

    HTML = "html"
    BROKEN_JSON = "broken-json"
    REPEAT_CONTINUATION = "repeat-continuation"


@dataclass(frozen=True, kw_only=True)
class Fault:
    """One fault; ``delay`` is in seconds, ``times`` None is always, ``rate`` from 0 to 1.

    With ``status``, ``body``, ``pat_error`` or HTML the request is answered and not carried out,
    unless ``commit``. Without any of them it is carried out and only its answer touched.
    """

    text: str
    method: str = "*"
    path: str = "*"
    times: int | None = 1
    skip: int = 0
    rate: float = 1.0
    seed: int = 0
    delay: float = 0.0
    status: int | None = None
    body: str | None = None
    pat_error: str | None = None
    aadsts: int | None = None
    special: Special | None = None
    cut: Moment | None = None
    commit: bool = False
    headers: tuple[tuple[str, str], ...] = ()

    @property
    def replaces_answer(self) -> bool:
        """Whether the client gets something made up."""
        made_up = self.status, self.body, self.pat_error, self.aadsts
        return any(part is not None for part in made_up) or self.special is Special.HTML

    def matches(self, method: str, path: str) -> bool:
        """Whether it is meant for this request; case does not matter."""
        wanted = self.method.casefold().split("|")
        return ("*" in wanted or method.casefold() in wanted) and fnmatch.fnmatchcase(
            path.casefold(), self.path.casefold()
        )


@dataclass(kw_only=True)
class _Standing:
    fault: Fault
    seen: int = 0
    hits: int = 0
    dice: random.Random = field(default_factory=random.Random)


class FaultBoard:
    """The faults that stand, in the order they were posted; the first that fits strikes."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._standing: dict[int, _Standing] = {}
        self._next = 1

    def add(self, fault: Fault) -> int:
        """Post a fault; gives its number."""
        with self._lock:
            number = self._next
            self._next += 1
            # Repeatable on purpose: the dice are no secret.
            dice = random.Random(fault.seed)  # noqa: S311 -- see the line above
            self._standing[number] = _Standing(fault=fault, dice=dice)
            return number

    def remove(self, number: int | None = None) -> int:
        """Take down one fault, or all; gives how many went."""
        with self._lock:
            if number is None:
                count = len(self._standing)
                self._standing.clear()
                return count
            return 0 if self._standing.pop(number, None) is None else 1

    def take(self, method: str, path: str) -> Fault | None:
        """The fault that strikes this request, if any; it is counted."""
        with self._lock:
            for standing in self._standing.values():
                if standing.fault.matches(method, path) and _strikes(standing):
                    standing.hits += 1
                    return standing.fault
            return None

    def to_json(self) -> list[dict[str, Any]]:
        """For the control endpoint."""
        with self._lock:
            return [
                {
                    "id": number,
                    "fault": standing.fault.text,
                    "seen": standing.seen,
                    "hits": standing.hits,
                }
                for number, standing in self._standing.items()
            ]


def _strikes(standing: _Standing) -> bool:
    fault = standing.fault
    if fault.times is not None and standing.hits >= fault.times:
        return False
    standing.seen += 1
    return standing.seen > fault.skip and standing.dice.random() < fault.rate


def parse_fault(text: str) -> Fault:
    """A fault from its string.

    Raises:
        EmulatorError: a part of it is not understood.
    """
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise EmulatorError(f"fault {text!r}: {error}") from error
    places = [word for word in words if "=" not in word and word not in set(Special)]
    if len(places) != 2:  # noqa: PLR2004 -- a method and a path
        raise EmulatorError(f"fault {text!r} does not begin with a method and a path")
    fault = Fault(text=text, method=places[0], path=places[1])
    if any(word.startswith("rate=") for word in words):
        fault = replace(fault, times=None)
    for word in words:
        if word not in places:
            key, _, value = word.partition("=")
            fault = _apply(fault, key, value)
    return fault


def _apply(fault: Fault, key: str, value: str) -> Fault:
    try:
        changes = _changes(fault, key, value)
    except (ValueError, KeyError) as error:
        raise EmulatorError(f"fault {fault.text!r}: {value!r} is no value for {key}") from error
    if changes is None:
        raise EmulatorError(f"fault {fault.text!r}: unknown key {key!r}")
    return replace(fault, **changes)


def _changes(fault: Fault, key: str, value: str) -> dict[str, Any] | None:
    header = _HEADERS.get(key) or key.removeprefix("header.")
    if header != key:
        if not _HEADER_NAME.fullmatch(header):
            raise ValueError(header)
        return {"headers": (*fault.headers, (header, _header_value(value)))}
    if key in set(Special):
        return {"special": Special(key)} if not value or _TRUTH[value] else {}
    reader = _READERS.get(key)
    return None if reader is None else {key.replace("-", "_"): reader(value)}


def _number(value: str) -> int:
    return _checked(int(value), 0, math.inf)


def _checked(number: _Number, least: float, most: float) -> _Number:
    if not least <= number <= most:
        raise ValueError(number)
    return number


def _seconds(value: str) -> float:
    found = _SPAN.fullmatch(value)
    if found is None:
        raise ValueError(value)
    return float(found.group(1)) / (1 if found.group(2) == "s" else 1000)


def _header_value(value: str) -> str:
    if not value.isprintable():
        raise ValueError(value)
    return value


_HEADERS: Final = {
    "retry-after": "Retry-After",
    "content-type": "Content-Type",
    "location": "Location",
    "ratelimit-resource": "X-RateLimit-Resource",
    "ratelimit-delay": "X-RateLimit-Delay",
    "ratelimit-limit": "X-RateLimit-Limit",
    "ratelimit-remaining": "X-RateLimit-Remaining",
    "ratelimit-reset": "X-RateLimit-Reset",
}
_READERS: Final[dict[str, Callable[[str], object]]] = {
    "times": lambda value: None if value == "always" else _number(value),
    "skip": _number,
    "seed": _number,
    "rate": lambda value: _checked(float(value), 0, 1),
    "delay": _seconds,
    "status": lambda value: _checked(int(value), 200, 599),
    "body": str,
    "pat-error": str,
    "aadsts": _number,
    "cut": Moment,
    "commit": lambda value: _TRUTH[value],
}
