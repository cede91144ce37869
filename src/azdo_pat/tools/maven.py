"""Maven: `settings.xml` of the user, a `server` whose id is that of the repository in the POM.

Source: "Connect to Azure Artifacts feeds - Maven"; Maven's settings reference.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from azdo_pat.tools.tool import feed_name
from azdo_pat.tools.xml_edit import escape, inserted_into, section

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
    lines = [
        "<server>",
        f"  <id>{escape(name)}</id>",
        f"  <username>{tool_input.user}</username>",
        f"  <password>{escape(tool_input.secret)}</password>",
        "</server>",
    ]
    content, servers = section(content, "settings", "servers")
    mine = [
        server.start
        for server in servers.named("server")
        if (identifier := server.first("id")) is not None and identifier.text.strip() == name
    ]
    for start in reversed(mine):  # of several Maven uses the last one, other programs the first
        content = _replaced(content, start, tool_input)
    if mine:
        return content.decode("utf-8", "surrogateescape")
    return inserted_into(content, servers, lines, 2).decode("utf-8", "surrogateescape")


def _replaced(content: bytes, start: int, tool_input: ToolInput) -> bytes:
    """Set user and password of an existing server; its other settings stay."""
    for name, value in (("password", tool_input.secret), ("username", tool_input.user)):
        _, servers = section(content, "settings", "servers")
        server = next(each for each in servers.named("server") if each.start == start)
        inside = server.first(name)
        tag = f"<{name}>{escape(value)}</{name}>"
        if inside is None:
            content = inserted_into(content, server, [tag], 3)
        else:
            content = content[: inside.start] + tag.encode() + content[inside.end :]
    return content
