"""Gradle: the properties that `credentials(PasswordCredentials)` of a repository reads.

Source: Gradle's user manual, "Handling credentials": the name of the repository, then `Username`
or `Password`, in `gradle.properties` of the user.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

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
    """Return it with user name and password for a repository of the feed's name."""
    name = feed_name(handing.feed)
    values = {"Username": handing.user, "Password": handing.secret}
    lines = {f"{name}{what}": f"{name}{what}={value}" for what, value in values.items()}
    return with_keys(text, lines, _key)


def _key(line: str) -> str:
    stripped = line.strip()
    if stripped.startswith(("#", "!")):
        return ""
    return stripped.replace(":", "=").partition("=")[0].strip()
