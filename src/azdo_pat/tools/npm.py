"""npm and pnpm: `.npmrc` of the user.

Source: "Connect to Azure Artifacts feeds - npm": user name, password in base64 and a mail address
that is not used, for the registry and for the feed above it.
"""

from __future__ import annotations

from base64 import b64encode
from pathlib import Path
from typing import TYPE_CHECKING

from azdo_pat.tools.texts import with_keys

if TYPE_CHECKING:
    from collections.abc import Mapping

    from azdo_pat.tools.tool import Handing

ENDING = "/npm/registry/"


def file(environment: Mapping[str, str], home: Path) -> Path:
    """Return the user's `.npmrc`."""
    given = environment.get("NPM_CONFIG_USERCONFIG") or environment.get("npm_config_userconfig")
    return Path(given) if given else home / ".npmrc"


def edited(text: str, handing: Handing) -> str:
    """Return it with the credentials of the feed; see `Tool.edited`."""
    password = b64encode(handing.secret.encode()).decode("ascii")
    registry = handing.feed.partition(":")[2] + "/"
    values: dict[str, str] = {}
    dropped: list[str] = []
    for place in (registry, registry.removesuffix("registry/")):
        values[f"{place}:username"] = f"{place}:username={handing.user}"
        values[f"{place}:_password"] = f"{place}:_password={password}"
        values[f"{place}:email"] = f"{place}:email=npm wants one and does not use it"
        # npm would take these in place of ours.
        dropped += [f"{place}:_authToken", f"{place}:_auth"]
    return with_keys(text, values, _key, dropped=dropped)


def _key(line: str) -> str:
    return "" if line.lstrip().startswith(("#", ";")) else line.partition("=")[0].strip()
