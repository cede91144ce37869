"""Reading the configuration file."""

import tomllib
from pathlib import Path

from azdo_pat.config.settings import Value, checked
from azdo_pat.errors import UsageError


def read(file: Path) -> dict[str, Value]:
    """Return what the configuration file sets; nothing where there is none.

    Raises:
        UsageError: it cannot be read, or is not what `KEYS` describe. It is left as it is.
    """
    try:
        text = file.read_text(encoding="utf-8")
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(
            f"{file} cannot be read: {error}", hint="mend it, or move it aside"
        ) from error
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UsageError(
            f"{file} is not valid TOML: {error}", hint="mend it, or move it aside"
        ) from error
    return checked(document, where=str(file))
