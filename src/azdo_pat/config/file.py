"""Reads the configuration file."""

import stat
import tomllib
from pathlib import Path
from typing import Final

from azdo_pat.config.settings import Value, checked
from azdo_pat.errors import UsageError
from azdo_pat.files import decoded, require_private

_MEND: Final = "correct the file, or move it aside"
_LARGEST: Final = 1_000_000
"""Bytes; a file with all settings has less than a thousand."""


def read(file: Path) -> dict[str, Value]:
    """Return the settings in the configuration file; none if it does not exist.

    Raises:
        UsageError: it cannot be read, or is not what `KEYS` describe. It is left as it is.
    """
    text = text_of(file)
    return {} if text is None else checked(parsed(text, file), where=str(file))


def text_of(file: Path) -> str | None:
    """Return the file's text with its line ends unchanged; None if it does not exist.

    It may be saved by Notepad or PowerShell, with a byte order mark.

    Raises:
        UsageError: it is not a regular file (which may be endless), too large, or not text.
    """
    try:
        if not stat.S_ISREG(file.stat().st_mode):
            raise UsageError(f"{file} cannot be read: not a regular file", hint=_MEND)
        _require_private(file)
        with file.open("rb") as opened:
            content = opened.read(_LARGEST + 1)
        if len(content) > _LARGEST:
            raise UsageError(f"{file} cannot be read: larger than 1 MB", hint=_MEND)
        return decoded(content)
    except FileNotFoundError:
        return None
    except UnicodeDecodeError as error:
        raise UsageError(
            f"{file} cannot be read: it is not in UTF-8", hint="save it as UTF-8, or move it aside"
        ) from error
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error}", hint=_MEND) from error


def parsed(text: str, file: Path) -> dict[str, object]:
    """Return the document.

    Args:
        text: what the file holds.
        file: where it stands, for the words of an error.

    Raises:
        UsageError: it is not valid TOML, or nested too deeply.
    """
    try:
        return tomllib.loads(text)
    except ValueError as error:
        raise UsageError(f"{file} is not valid TOML: {error}", hint=_MEND) from error
    except (RecursionError, MemoryError) as error:
        raise UsageError(f"{file} is not valid TOML: nested too deeply", hint=_MEND) from error


def _require_private(file: Path) -> None:
    """Refuse a file that other users can write: it names the keyring, and so code to run."""
    try:
        require_private(file.parent)
        require_private(file)
    except OSError as error:
        raise UsageError(
            f"{file} is refused: {error.strerror}",
            hint="other users must not be able to change this file: it can name programs to run",
        ) from error
