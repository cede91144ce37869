"""NuGet: the user's `NuGet.Config`, credentials for the package source that has the feed's URL.

Source: the `nuget.config` reference, `packageSources` and `packageSourceCredentials`. An encrypted
password works on Windows alone, and for one user; elsewhere it must be clear text.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote
from xml.sax.saxutils import quoteattr

from azdo_pat.errors import UsageError
from azdo_pat.tools.tool import feed_name, spellings, view_name
from azdo_pat.tools.xml_edit import inserted_into, section, with_children
from azdo_pat.urls import parse

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from azdo_pat.tools.tool import ToolInput
    from azdo_pat.tools.xml_edit import Element

ENDING = "/nuget/v3/index.json"

_NEW: Final = '<?xml version="1.0" encoding="utf-8"?>\n<configuration>\n</configuration>\n'


def file(environment: Mapping[str, str], home: Path) -> Path:
    """Return the user's configuration, where dotnet has it (NuGet's source, `NuGetEnvironment`)."""
    if os.name == "nt":
        return Path(environment.get("APPDATA", home)) / "NuGet" / "NuGet.Config"
    return Path(environment.get("DOTNET_CLI_HOME") or home) / ".nuget" / "NuGet" / "NuGet.Config"


def edited(text: str, tool_input: ToolInput) -> str:
    """Return it with the feed as a source, and its credentials; see `Tool.edited`."""
    content = (text or _NEW).encode("utf-8", "surrogateescape")
    content, sources = section(content, "configuration", "packageSources")
    urls = {each.lower() for each in spellings(tool_input.feed)}
    known = [each.attributes for each in sources.named("add")]
    mine = (each for each in known if each.get("value", "").rstrip("/").lower() in urls)
    key = next(mine, {}).get("key", "")
    if not key:
        key = _free_key(tool_input.feed, {each.get("key", "").lower() for each in known})
        line = f"<add key={quoteattr(key)} value={quoteattr(tool_input.feed)} />"
        content = inserted_into(content, sources, [line], 2)
    content, credentials = section(content, "configuration", "packageSourceCredentials")
    name = _as_element(key)
    values = {"Username": tool_input.user, "ClearTextPassword": tool_input.secret}
    tags = {
        key.lower(): f'<add key="{key}" value={quoteattr(value)} />'
        for key, value in values.items()
    }
    source = credentials.first(name)
    if source is None:
        lines = [f"<{name}>", *(f"  {tag}" for tag in tags.values()), f"</{name}>"]
        content = inserted_into(content, credentials, lines, 2)
    else:
        content = with_children(content, source, tags | {"password": ""}, _key_of, 3)
    return content.decode("utf-8", "surrogateescape")


def _key_of(element: Element) -> str:
    return element.attributes.get("key", "").lower() if element.name == "add" else ""


def _free_key(feed: str, taken: Collection[str]) -> str:
    """Return a key for a feed: organization, project and view tell those of one name apart.

    A source's credentials are found by its key alone.

    Raises:
        UsageError: another source has that key.
    """
    url = parse(feed)
    above = url.path.partition("/_packaging/")[0].strip("/").split("/")
    if url.host.endswith(".pkgs.visualstudio.com"):
        above.insert(0, url.host.partition(".")[0])
    steps = [unquote(each) for each in (*above, feed_name(feed), view_name(feed)) if each]
    key = "-".join(re.sub(r"[^\w.-]", "_", each) for each in steps).lower()
    if key in taken:
        raise UsageError(
            f"a source with the key {key!r} exists, and has another URL",
            hint="change the key of that source, or delete it",
        )
    return key


def _as_element(key: str) -> str:
    """Encode a key as the name of an element, as .NET's `XmlConvert.EncodeLocalName` does."""
    encoded = re.sub(r"[^A-Za-z0-9_.-]", lambda found: f"_x{ord(found[0]):04X}_", key)
    if not re.match(r"[A-Za-z_]", encoded):
        encoded = f"_x{ord(encoded[0]):04X}_{encoded[1:]}"
    return encoded
