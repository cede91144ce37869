"""Gradle: the properties that `credentials(PasswordCredentials)` of a repository reads.

Source: Gradle's user manual, "Handling credentials": the name of the repository, then `Username`
or `Password`, in `gradle.properties` of the user. The name must be of letters and digits alone
("Identity may contain only letters and digits").
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

from azdo_pat.errors import UsageError
from azdo_pat.tools.line_editing import with_keys
from azdo_pat.tools.tool import feed_name

if TYPE_CHECKING:
    from collections.abc import Mapping

    from azdo_pat.tools.tool import ToolInput

_LINE: Final = re.compile(r"((?:\\.|[^\\=:\s])*)[ \t\f]*[=:]?[ \t\f]*(.*)")
"""A key, ended by `=`, `:` or a blank, and a value."""


def file(environment: Mapping[str, str], home: Path) -> Path:
    """Return the user's properties."""
    return Path(environment.get("GRADLE_USER_HOME") or home / ".gradle") / "gradle.properties"


def edited(text: str, tool_input: ToolInput) -> str:
    """Return it with user name and password for the repository.

    Raises:
        UsageError: a line that continues on the next one is where these would be, or the
            name of the feed has no letters or digits that Gradle accepts.
    """
    name = repository(tool_input.feed)
    if not name:
        raise UsageError(
            "Gradle's repository names have letters and digits only, and this feed's name has none",
            hint="rename the feed",
        )
    wanted = {f"{name}Username": tool_input.user, f"{name}Password": tool_input.secret}
    changed = with_keys(text, {key: f"{key}={value}" for key, value in wanted.items()}, _key)
    if _properties(changed) != {**_properties(text), **wanted}:
        raise UsageError(
            "pat would have to change a line that continues on the next line",
            hint=f"write {name}Username, {name}Password and the line before them on one line each",
        )
    return changed


def repository(feed: str) -> str:
    """Return the name that a repository must have to get the credentials of a feed.

    It is the feed's name without characters that Gradle does not accept: `myfeed` for `my-feed`.
    """
    return re.sub(r"[^A-Za-z0-9]", "", feed_name(feed))


def variables(feed: str) -> tuple[str, ...]:
    """Return the environment variables that override the properties of a feed.

    Source: Gradle's user manual, "Build Environment", `ORG_GRADLE_PROJECT_`.
    """
    name = repository(feed)
    return tuple(f"ORG_GRADLE_PROJECT_{name}{what}" for what in ("Username", "Password"))


def _properties(text: str) -> dict[str, str]:
    """Parse properties like Java, but without unescaping values.

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
        if match := _LINE.match(whole):
            found[_plain(match[1])] = match[2]
        whole = ""
    return {key: value for key, value in found.items() if key}


def _key(line: str) -> str:
    stripped = line.strip()
    match = None if stripped.startswith(("#", "!")) else _LINE.match(stripped)
    return _plain(match[1]) if match else ""


def _plain(key: str) -> str:
    """Unescape a key."""
    return re.sub(
        r"\\(?:u([0-9a-fA-F]{4})|(.))",
        lambda found: chr(int(found[1], 16)) if found[1] else found[2],
        key,
    )
