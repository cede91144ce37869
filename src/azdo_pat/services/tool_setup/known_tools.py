"""The tools that `pat setup` knows, what they are set up for, and where else secrets go."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from azdo_pat.delivery_targets import (
    CommandTarget,
    FileTarget,
    GitHubTarget,
    KeyVaultTarget,
    ServiceConnectionTarget,
    ToolTarget,
    VariableGroupTarget,
    VaultTarget,
    kind_of,
)
from azdo_pat.results.tools import KnownTool, ToolSetup
from azdo_pat.services.destinations import all_destinations
from azdo_pat.services.tool_setup.wiring import setup_records
from azdo_pat.tools.registry import OFFERED

if TYPE_CHECKING:
    from collections.abc import Sequence

    from azdo_pat.operations.deps import Deps
    from azdo_pat.renewal import Destination

_SUMMARIES: Final = {
    CommandTarget.KIND: "pat gives the secret to a command",
    FileTarget.KIND: "pat writes the secret to a file",
    KeyVaultTarget.KIND: "pat writes the secret to Azure Key Vault",
    VaultTarget.KIND: "pat writes the secret to HashiCorp Vault or OpenBao",
    VariableGroupTarget.KIND: "pat writes the secret to a variable group",
    ServiceConnectionTarget.KIND: "pat writes the secret to a service connection",
    GitHubTarget.KIND: "pat writes the secret to a secret of GitHub",
}
"""How the delivery targets that `--deliver` takes get a secret."""


def known_tools(deps: Deps) -> tuple[KnownTool, ...]:
    """Return all tools of this system with their setups, and the delivery targets in use.

    Raises:
        StoreError: a record cannot be read.
    """
    records = setup_records(deps)
    destinations = all_destinations(deps)
    tools = tuple(
        KnownTool(
            name=tool.name,
            summary=tool.summary,
            secret_in_file=tool.keeps_secret,
            feed=tool.feed,
            setups=tuple(
                ToolSetup(
                    record.path,
                    setup.feed,
                    setup.org_url,
                    setup.name,
                    _destination_of(tool.known_as, record.path, setup.feed, destinations),
                )
                for record in records.of_tool(tool.known_as)
                for setup in record.setups
            ),
        )
        for tool in OFFERED
    )
    return (*tools, *_other_targets(destinations))


def _destination_of(
    tool: str, path: str, feed: str, destinations: Sequence[Destination]
) -> Destination | None:
    """Return the delivery target that a setup has made; None for a tool that asks for secrets."""
    for each in destinations:
        match each.target:
            case ToolTarget(tool=its_tool, path=its_path, about=about):
                if (its_tool, its_path) == (tool, path) and feed in {"", about}:
                    return each
            case _:
                pass
    return None


def _other_targets(destinations: Sequence[Destination]) -> list[KnownTool]:
    """Return the delivery targets of `--deliver` that are in use, by their kinds."""
    kinds: dict[str, list[ToolSetup]] = {}
    for each in destinations:
        if not isinstance(each.target, ToolTarget):
            setup = ToolSetup(each.target.place, "", "", each.name, each)
            kinds.setdefault(kind_of(each.target), []).append(setup)
    return [
        KnownTool(
            name=kind,
            summary=_SUMMARIES.get(kind, "a newer version of pat writes the secret to it"),
            secret_in_file=kind == FileTarget.KIND,
            feed="",
            setups=tuple(setups),
        )
        for kind, setups in kinds.items()
    ]
