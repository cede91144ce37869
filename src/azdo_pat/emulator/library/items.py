"""What groups and connections have in common: projects, roles, who made and changed them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import IntEnum
from typing import TYPE_CHECKING, Final

from azdo_pat.emulator import times
from azdo_pat.emulator.errors import EmulatorError

if TYPE_CHECKING:
    from collections.abc import Mapping

_STEP: Final = timedelta(milliseconds=4)


class Role(IntEnum):
    """What a user may do with an item; each role may do what those before it may.

    Source: Microsoft Learn, "Library" and "Service connections", on their security.
    """

    NONE = 0
    READER = 1
    USER = 2
    ADMINISTRATOR = 3

    @classmethod
    def named(cls, name: object) -> Role:
        """The role with a name, in any case.

        Raises:
            EmulatorError: there is none.
        """
        for role in cls:
            if role.name.casefold() == str(name).casefold():
                return role
        names = ", ".join(role.name.lower() for role in cls)
        raise EmulatorError(f"{name!r} is none of {names}")


@dataclass(frozen=True, kw_only=True)
class Reference:
    """That an item is there in a project, and as what."""

    project_id: str
    name: str
    description: str | None = None


@dataclass(frozen=True, kw_only=True)
class Item:
    """A variable group or a service connection; users are member ids, ``roles`` theirs."""

    key: str
    """A number or a GUID."""
    organization_id: str
    kind: str
    """Its ``type``."""
    name: str
    description: str | None
    references: tuple[Reference, ...]
    created_by: str
    created_on: datetime
    modified_by: str
    modified_on: datetime
    roles: Mapping[str, Role] = field(default_factory=dict)

    def in_project(self, project_id: str) -> Reference | None:
        """How it is there in a project; None where it is not."""
        return next((each for each in self.references if each.project_id == project_id), None)


def later(now: datetime, before: datetime) -> datetime:
    """The time of a change: now, but after the last one, as each change has its own time."""
    return times.quantise(max(now, before + _STEP))
