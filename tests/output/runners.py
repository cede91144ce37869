"""The runners of CI pipelines, as far as they read the output of a step.

Written after their own parsers: `Command.TryParse` of the agent of Azure Pipelines, whose `%` is
`%AZP25` by now, and `ActionCommand.TryParseV2` and `TryParse` of the runner of GitHub Actions.
"""

import re
from collections.abc import Callable
from typing import NamedTuple

NOT_SEEN = re.compile(
    "[\xad\u034f\u115f\u180b-\u180f\u200b-\u200f\u2060-\u206f\ufe00-\ufe0f\ufeff]"
)
"""What .NET does not see when it compares texts."""


class Command(NamedTuple):
    name: str
    properties: dict[str, str]
    text: str


def azure_command(line: str) -> Command | None:
    """Return the command that the agent obeys in a line."""
    start = re.search(r"##vso\[", line, re.IGNORECASE)
    if start is None:
        return None
    inside, end, text = line[start.end() :].partition("]")
    if not end:
        return None
    name, _, properties = inside.partition(" ")
    return Command(name, _properties(properties, ";", _azure_decoded), _azure_decoded(text))


def github_command(line: str) -> Command | None:
    """Return the command that the runner obeys in a line."""
    line = line.lstrip()
    if not line.startswith("::"):
        return None
    inside, end, text = line.removeprefix("::").partition("::")
    if not end:
        return None
    name, _, properties = inside.partition(" ")
    return Command(name, _properties(properties, ",", _github_property), _github_text(text))


def obeyed(text: str) -> list[str]:
    """Return the lines of an output that one of the two would take for a command."""
    lines = re.split(r"\r\n|\r|\n", NOT_SEEN.sub("", text))
    return [
        line
        for line in lines
        if re.search(r"##(vso)?\[", line, re.IGNORECASE) or github_command(line)
    ]


def _properties(text: str, separator: str, decoded: Callable[[str], str]) -> dict[str, str]:
    pairs = [each.partition("=") for each in text.strip().split(separator) if each]
    return {key: decoded(value) for key, _, value in pairs}


def _azure_decoded(text: str) -> str:
    return _replaced(text, {"%3B": ";", "%0D": "\r", "%0A": "\n", "%5D": "]", "%AZP25": "%"})


def _github_property(text: str) -> str:
    return _replaced(text, {"%0D": "\r", "%0A": "\n", "%3A": ":", "%2C": ",", "%25": "%"})


def _github_text(text: str) -> str:
    return _replaced(text, {"%0D": "\r", "%0A": "\n", "%25": "%"})


def _replaced(text: str, pairs: dict[str, str]) -> str:
    for escape, character in pairs.items():
        text = text.replace(escape, character)
    return text
