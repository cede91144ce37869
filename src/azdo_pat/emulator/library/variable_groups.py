"""Variable groups, whose secrets are written and never read."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from azdo_pat.emulator.library.items import Item

if TYPE_CHECKING:
    from collections.abc import Mapping

LINKED: Final = "AzureKeyVault"
"""The type of a group whose variables are secrets of a vault."""


@dataclass(frozen=True, kw_only=True)
class Variable:
    """A variable; ``vault`` is what a linked one has besides (``enabled``, ``contentType``…)."""

    value: str | None = field(repr=False)
    secret: bool = False
    read_only: bool = False
    vault: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class VariableGroup(Item):
    """A variable group; ``provider_data`` tells the vault of a linked one."""

    variables: Mapping[str, Variable]
    provider_data: Mapping[str, Any] | None = None

    @property
    def is_linked(self) -> bool:
        """Whether its variables are in a vault."""
        return self.kind.casefold() == LINKED.casefold()


def written(before: Mapping[str, Variable], sent: Mapping[str, Variable]) -> dict[str, Variable]:
    """The variables after a write: those that were sent and no others.

    A secret that is sent without a value keeps the one it has: Microsoft's example of an update
    sends null, ``az pipelines variable-group variable update`` leaves the value out. An empty one
    counts as none, and a secret that becomes plain without a value loses it. Names have no case.
    """
    known = {name.casefold(): variable for name, variable in before.items()}
    names: dict[str, str] = {}
    result = {}
    for name, variable in sent.items():
        old, value = known.get(name.casefold()), variable.value
        if variable.secret and not value and old is not None:
            value = old.value
        result[names.setdefault(name.casefold(), name)] = replace(variable, value=value)
    return result
