"""Keeps the variable groups and the service connections."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Generic, TypeVar

from azdo_pat.emulator.library.items import Item
from azdo_pat.emulator.library.service_connections import Operation, ServiceConnection

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from threading import RLock

    from azdo_pat.emulator.library.variable_groups import VariableGroup

Kept = TypeVar("Kept", bound=Item)


class Moment(StrEnum):
    """When a change by someone else takes effect, seen from the next write of the same item."""

    BEFORE_WRITE = "before-write"
    AFTER_WRITE = "after-write"


@dataclass(frozen=True, kw_only=True)
class Readiness:
    """How long service connections take to be ready after a write, and why they fail if at all."""

    delay: timedelta = timedelta()
    failure: str | None = None

    def operation(self, now: datetime) -> Operation | None:
        """What a write at this time sets off."""
        if not self.delay and self.failure is None:
            return None
        return Operation(ends=now + self.delay, failure=self.failure)


@dataclass(frozen=True, kw_only=True)
class Holdings:
    """Everything that a state file keeps of a library."""

    groups: tuple[VariableGroup, ...] = ()
    connections: tuple[ServiceConnection, ...] = ()


class Shelf(Generic[Kept]):
    """Items of one kind by their keys; safe to use from many threads at once."""

    def __init__(self, kept: Iterable[Kept], *, lock: RLock, changed: Callable[[], None]) -> None:
        self._kept = {each.key: each for each in kept}
        self._waiting: list[tuple[Moment, str, Callable[[Kept], Kept | None]]] = []
        self._lock = lock
        self._changed = changed

    def all(self) -> tuple[Kept, ...]:
        """Of every organization, in the order they were made."""
        with self._lock:
            return tuple(self._kept.values())

    def find(self, key: str, organization_id: str) -> Kept | None:
        """The one of an organization with this key."""
        with self._lock:
            found = self._kept.get(key)
        return found if found is not None and found.organization_id == organization_id else None

    def keep(self, item: Kept) -> None:
        """Add an item, or put it in place of the one with its key."""
        with self._lock:
            self._kept[item.key] = item
            self._changed()

    def remove(self, key: str) -> None:
        """Remove an item, if it is there."""
        with self._lock:
            self._kept.pop(key, None)
            self._changed()

    def clear(self) -> int:
        """Remove everything; gives how many there were."""
        with self._lock:
            count = len(self._kept)
            self._kept.clear()
            self._waiting.clear()
            self._changed()
            return count

    def change(
        self, key: str, changed: Callable[[Kept], Kept | None], moment: Moment | None = None
    ) -> None:
        """Change an item as someone else does: at once, or around its next write.

        ``changed`` gives the item as it is then, or None to remove it.
        """
        with self._lock:
            if moment is None:
                self._apply(key, changed)
            else:
                self._waiting.append((moment, key, changed))

    @contextmanager
    def writing(self, key: str, organization_id: str) -> Iterator[Kept | None]:
        """The item to write to, while no one else writes; what waits for that happens around it."""
        with self._lock:
            self._strike(Moment.BEFORE_WRITE, key)
            yield self.find(key, organization_id)
            self._strike(Moment.AFTER_WRITE, key)

    def _strike(self, moment: Moment, key: str) -> None:
        due = [each for each in self._waiting if each[:2] == (moment, key)]
        self._waiting = [each for each in self._waiting if each[:2] != (moment, key)]
        for _, _, changed in due:
            self._apply(key, changed)

    def _apply(self, key: str, changed: Callable[[Kept], Kept | None]) -> None:
        before = self._kept.get(key)
        if before is None:
            return
        after = changed(before)
        if after is None:
            self.remove(key)
        else:
            self.keep(after)


class Library:
    """The groups and the connections; ``changed`` is called after each change, under the lock."""

    def __init__(self, holdings: Holdings, *, lock: RLock, changed: Callable[[], None]) -> None:
        self._lock = lock
        self.groups = Shelf(holdings.groups, lock=lock, changed=changed)
        self.connections = Shelf(holdings.connections, lock=lock, changed=changed)
        self.readiness = Readiness()
        """Of the connections that are written from now on; not kept in a state file."""
        self._last_group = max((int(each.key) for each in holdings.groups), default=0)

    def next_group(self) -> str:
        """The key of a new group: a number that no group has had."""
        with self._lock:
            self._last_group += 1
            return str(self._last_group)

    @property
    def holdings(self) -> Holdings:
        """What a state file keeps."""
        return Holdings(groups=self.groups.all(), connections=self.connections.all())
