"""Maven: `settings.xml` of the user, a `server` whose id is that of the repository in the POM.

Source: "Connect to Azure Artifacts feeds - Maven"; Maven's settings reference.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from azdo_pat.tools.tool import feed_name
from azdo_pat.tools.xml_edit import escape, inserted_into, section, with_children

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from azdo_pat.tools.tool import ToolInput

ENDING = "/maven/v1"

_NEW: Final = """\
<settings xmlns="http://maven.apache.org/SETTINGS/1.0.0"
  xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"
  xsi:schemaLocation="http://maven.apache.org/SETTINGS/1.0.0 https://maven.apache.org/xsd/settings-1.0.0.xsd">
</settings>
"""


def file(environment: Mapping[str, str], home: Path) -> Path:
    """Return the user's settings."""
    del environment
    return home / ".m2" / "settings.xml"


def edited(text: str, tool_input: ToolInput) -> str:
    """Return it with the credentials of the feed; see `Tool.edited`."""
    content = (text or _NEW).encode("utf-8", "surrogateescape")
    name = feed_name(tool_input.feed)
    content, servers = section(content, "settings", "servers")
    mine = [
        server
        for server in servers.named("server")
        if (identifier := server.first("id")) is not None and identifier.text.strip() == name
    ]
    tags = {
        "username": f"<username>{tool_input.user}</username>",
        "password": f"<password>{escape(tool_input.secret)}</password>",
    }
    if not mine:
        inside = (f"  {tag}" for tag in (f"<id>{escape(name)}</id>", *tags.values()))
        content = inserted_into(content, servers, ["<server>", *inside, "</server>"], 2)
    for server in reversed(mine):  # of several Maven uses the last one, other programs the first
        content = with_children(content, server, tags, lambda child: child.name, 3)
    return content.decode("utf-8", "surrogateescape")
