"""The tools that `pat setup` knows, and what they are set up for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from azdo_pat.results import KnownTool, ToolSetup
from azdo_pat.services.tool_setup.wiring import setup_records
from azdo_pat.tools.registry import OFFERED

if TYPE_CHECKING:
    from azdo_pat.operations.deps import Deps


def known_tools(deps: Deps) -> tuple[KnownTool, ...]:
    """Return all tools of this system, each with its setups.

    Raises:
        StoreError: a record cannot be read.
    """
    records = setup_records(deps)
    return tuple(
        KnownTool(
            name=tool.name,
            summary=tool.summary,
            secret_in_file=tool.keeps_secret,
            feed=tool.feed,
            setups=tuple(
                ToolSetup(record.path, setup.feed, setup.org_url, setup.name)
                for record in records.of_tool(tool.known_as)
                for setup in record.setups
            ),
        )
        for tool in OFFERED
    )
