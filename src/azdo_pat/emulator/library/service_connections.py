"""Service connections, whose confidential parameters are written and never read."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from azdo_pat.emulator.library.connection_types import confidential_inputs
from azdo_pat.emulator.library.items import Item

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime


class State(StrEnum):
    """How far an operation is (``operationStatus.state``)."""

    IN_PROGRESS = "InProgress"
    READY = "Ready"
    FAILED = "Failed"


@dataclass(frozen=True, kw_only=True)
class Operation:
    """What a write sets off: it ends at a time, and fails where there is a ``failure``."""

    ends: datetime
    failure: str | None = None

    def state(self, now: datetime) -> State:
        """How far it is."""
        if now < self.ends:
            return State.IN_PROGRESS
        return State.READY if self.failure is None else State.FAILED


@dataclass(frozen=True, kw_only=True)
class ServiceConnection(Item):
    """A service connection; ``operation`` is what the last write set off, if anything."""

    url: str | None
    scheme: str
    parameters: Mapping[str, str | None] = field(repr=False)
    data: Mapping[str, str] = field(default_factory=dict)
    owner: str = "Library"
    operation: Operation | None = None

    def is_confidential(self, parameter: str) -> bool:
        """Whether a parameter is never told."""
        return parameter.casefold() in confidential_inputs(self.kind, self.scheme)

    def is_ready(self, now: datetime) -> bool:
        """Whether it can be used."""
        return self.operation is None or self.operation.state(now) is State.READY

    def written(self, scheme: str, sent: Mapping[str, str | None]) -> dict[str, str | None]:
        """The parameters after a write: those that were sent and no others.

        Null keeps a confidential one, as long as the connection has no other: what happens to
        several is not known, so here all that are sent as null are lost.
        """
        secrets = {
            name.casefold(): value
            for name, value in self.parameters.items()
            if value is not None and self.is_confidential(name)
        }
        keeps = len(secrets) == 1 and scheme.casefold() == self.scheme.casefold()
        return {
            name: secrets.get(name.casefold()) if value is None and keeps else value
            for name, value in sent.items()
        }
