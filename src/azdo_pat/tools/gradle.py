"""Gradle: the properties that `credentials(PasswordCredentials)` of a repository reads.

Source: Gradle's user manual, "Handling credentials": the name of the repository, then `Username`
or `Password`, in `gradle.properties` of the user.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from azdo_pat.errors import UsageError
from azdo_pat.tools.texts import with_keys
from azdo_pat.tools.tool import feed_name

if TYPE_CHECKING:
    from collections.abc import Mapping

    from azdo_pat.tools.tool import Handing


def file(environment: Mapping[str, str], home: Path) -> Path:
    """Return the user's properties."""
    given = environment.get("GRADLE_USER_HOME")
    return (Path(given) if given else home / ".gradle") / "gradle.properties"


def edited(text: str, handing: Handing) -> str:
    """Return it with user name and password for a repository of the feed's name.

    Raises:
        UsageError: a line that goes on in the next one stands where these are to stand.
    """
    name = feed_name(handing.feed)
    values = {"Username": handing.user, "Password": handing.secret}
    lines = {f"{name}{what}": f"{name}{what}={value}" for what, value in values.items()}
    changed = with_keys(text, lines, _key)
    wanted = {f"{name}{what}": value for what, value in values.items()}
    if _properties(changed) != {**_properties(text), **wanted}:
        raise UsageError(
            "a line that goes on in the next one stands where pat would write",
            hint=f"take the line end before it out, and those of {name}Username and {name}Password",
        )
    return changed


def _properties(text: str) -> dict[str, str]:
    """Read it as Java does, but for what backslashes stand for.

    Source: the documentation of `java.util.Properties.load`.
    """
    found: dict[str, str] = {}
    whole = ""
    for line in text.splitlines():
        part = line.lstrip(" \t\f")
        if not whole and part.startswith(("#", "!")):
            continue
        whole += part
        if (len(whole) - len(whole.rstrip("\\"))) % 2:
            whole = whole[:-1]
            continue
        if match := re.match(r"((?:\\.|[^\\=:\s])*)[ \t\f]*[=:]?[ \t\f]*(.*)", whole):
            found[match[1]] = match[2]
        whole = ""
    return {key: value for key, value in found.items() if key}


def _key(line: str) -> str:
    stripped = line.strip()
    if stripped.startswith(("#", "!")):
        return ""
    return stripped.replace(":", "=").partition("=")[0].strip()
