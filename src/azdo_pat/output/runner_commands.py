"""Write commands to the runners of CI pipelines, which find them in the output of a step.

Sources: "Logging commands" of Azure Pipelines; "Workflow commands for GitHub Actions"; the parsers
of both, `Command.TryParse` and `ActionCommand.TryParseV2`.
"""

import os
from pathlib import Path
from typing import Final

from azdo_pat.files import require_own

_AZURE_TEXT: Final = (("%", "%AZP25"), ("\r", "%0D"), ("\n", "%0A"))
_AZURE_PROPERTY: Final = (*_AZURE_TEXT, (";", "%3B"), ("]", "%5D"))
_GITHUB_TEXT: Final = (("%", "%25"), ("\r", "%0D"), ("\n", "%0A"))
_GITHUB_PROPERTY: Final = (*_GITHUB_TEXT, (":", "%3A"), (",", "%2C"))
"""What the runners decode, and what would end a property or the line; `%` comes first."""


def azure_command(name: str, text: str = "", **properties: str) -> str:
    """Return a command to the agent of Azure Pipelines, without a line end.

    Args:
        name: of the command: `task.logissue`.
        text: after the brackets; the agent gets back what is given here.
        properties: empty ones are left out.
    """
    pairs = [
        f"{key}={_escaped(value, _AZURE_PROPERTY)}" for key, value in properties.items() if value
    ]
    options = f" {';'.join(pairs)}" if pairs else ""
    return f"##vso[{name}{options}]{_escaped(text, _AZURE_TEXT)}"


def github_command(name: str, text: str, **properties: str) -> str:
    """Return a command to the runner of GitHub Actions; see `azure_command`."""
    pairs = [
        f"{key}={_escaped(value, _GITHUB_PROPERTY)}" for key, value in properties.items() if value
    ]
    options = f" {','.join(pairs)}" if pairs else ""
    return f"::{name}{options}::{_escaped(text, _GITHUB_TEXT)}"


def append_lines(file: Path, lines: str) -> None:
    """Append lines to a file in which a runner expects them.

    Raises:
        OSError: the file cannot be written.
    """
    require_own(file)
    os.close(os.open(file, os.O_WRONLY | os.O_CREAT, 0o600))
    before = file.read_bytes()[-1:] if file.is_file() else b""
    with file.open("a", encoding="utf-8", newline="\n") as opened:
        # Another step may have left its last line without an end.
        opened.write(lines if before in {b"", b"\n"} else f"\n{lines}")


def _escaped(text: str, pairs: tuple[tuple[str, str], ...]) -> str:
    for character, escape in pairs:
        text = text.replace(character, escape)
    return text
