"""Answers about tokens that break the specification on request: odd fields, odd rows."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from azdo_pat.emulator.errors import EmulatorError

if TYPE_CHECKING:
    from collections.abc import Mapping

_NAMING: Final = ("displayName", "authorizationId")


@dataclass(frozen=True, kw_only=True)
class Spoiler:
    """What happens to each answer about one token; the token itself stays as it is.

    ``token`` is its display name or its id; ``fields`` are put in, ``without`` is left out.
    ``row`` takes the place of the whole object where ``replaces``.
    """

    token: str
    fields: Mapping[str, Any]
    without: frozenset[str] = frozenset()
    row: Any = None
    replaces: bool = False

    def spoil(self, value: Mapping[str, Any]) -> Any:  # noqa: ANN401 -- whatever was asked for
        """The object as it is sent."""
        if self.replaces:
            return self.row
        return {k: v for k, v in {**value, **self.fields}.items() if k not in self.without}


class Spoilers:
    """Those that stand, and the rows that each list of active tokens has besides its own."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._spoilers: list[Spoiler] = []
        self._rows: list[Any] = []

    def add(self, spoiler: Spoiler | None, rows: list[Any]) -> None:
        """Spoil the answers about a token, and add rows to the lists."""
        with self._lock:
            self._spoilers += [] if spoiler is None else [spoiler]
            self._rows += rows

    def clear(self) -> int:
        """Let every answer be right again; gives how many spoilers and rows there were."""
        with self._lock:
            count = len(self._spoilers) + len(self._rows)
            self._spoilers.clear()
            self._rows.clear()
            return count

    @property
    def rows(self) -> list[Any]:
        """The rows to add to a list."""
        with self._lock:
            return list(self._rows)

    def applied(self, value: dict[str, Any]) -> Any:  # noqa: ANN401 -- as in Spoiler
        """An object about a token, spoilt if it is to be."""
        with self._lock:
            standing = list(self._spoilers)
        for spoiler in standing:
            if spoiler.token in {value[name] for name in _NAMING}:
                return spoiler.spoil(value)
        return value


def parse_spoiler(order: Mapping[str, Any]) -> tuple[Spoiler | None, list[Any]]:
    """From the body of a control request.

    Raises:
        EmulatorError: it is not understood.
    """
    rows = order.get("rows", [])
    fields, without = order.get("fields", {}), order.get("without", [])
    if not isinstance(rows, list) or not isinstance(without, list):
        raise EmulatorError("rows and without are lists")
    if not isinstance(fields, dict):
        raise EmulatorError("fields is an object")
    if "token" not in order:
        return None, rows
    spoiler = Spoiler(
        token=str(order["token"]),
        fields=fields,
        without=frozenset(map(str, without)),
        row=order.get("row"),
        replaces="row" in order,
    )
    return spoiler, rows
