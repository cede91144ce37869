"""npm and pnpm: `.npmrc` of the user.

Source: "Connect to Azure Artifacts feeds - npm": user name, password in base64 and a mail address
that is not used, for the registry and for the feed above it. npm finds them by the letters of the
URL. Yarn 1, which reads the same file, sends them for packages without a scope only where it is
told `always-auth`.
"""

from __future__ import annotations

from base64 import b64encode
from pathlib import Path
from typing import TYPE_CHECKING

from azdo_pat.tools.line_editing import end_of_line, with_keys
from azdo_pat.tools.tool import spellings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from azdo_pat.tools.tool import ToolInput

ENDING = "/npm/registry/"


def file(environment: Mapping[str, str], home: Path) -> Path:
    """Return the user's `.npmrc`."""
    given = environment.get("NPM_CONFIG_USERCONFIG") or environment.get("npm_config_userconfig")
    return Path(given or home / ".npmrc")


def edited(text: str, tool_input: ToolInput) -> str:
    """Return it with the credentials of the feed; see `Tool.edited`."""
    password = b64encode(tool_input.secret.encode()).decode("ascii")
    values: dict[str, str] = {}
    dropped: list[str] = []
    registries = [f"{feed.partition(':')[2]}/" for feed in spellings(tool_input.feed)]
    for place in (each for one in registries for each in (one, one.removesuffix("registry/"))):
        values[f"{place}:username"] = f"{place}:username={tool_input.user}"
        values[f"{place}:_password"] = f"{place}:_password={password}"
        values[f"{place}:email"] = f"{place}:email=npm wants one and does not use it"
        # npm would use these instead of ours.
        dropped += [f"{place}:_authToken", f"{place}:_auth"]
    for place in registries:
        values[f"{place}:always-auth"] = f"{place}:always-auth=true"
    # npm ignores settings below a section header.
    lines = text.splitlines(keepends=True)
    first = next((n for n, line in enumerate(lines) if line.lstrip().startswith("[")), len(lines))
    head, rest = "".join(lines[:first]), "".join(lines[first:])
    return with_keys(head, values, _key, dropped=dropped, end=end_of_line(text)) + rest


def _key(line: str) -> str:
    if line.lstrip().startswith(("#", ";")):
        return ""
    return line.partition("=")[0].strip().strip("\"'")
