"""Changes one key of the configuration file, and preserves the rest."""

from pathlib import Path

import tomlkit

from azdo_pat.config.file import parsed, text_of
from azdo_pat.config.settings import Value
from azdo_pat.errors import UsageError
from azdo_pat.files import encoding_of, replace_whole
from azdo_pat.store.folders import make_private


def set_value(file: Path, key: str, value: Value) -> None:
    """Set a key, keeping comments and order.

    Raises:
        UsageError: the file cannot be parsed or written; it is left as it is.
    """
    document = _parsed(file)
    document[key] = value
    _write(file, tomlkit.dumps(document))


def unset_value(file: Path, key: str) -> bool:
    """Remove a key; False where it was not set.

    Raises:
        UsageError: the file cannot be parsed or written; it is left as it is.
    """
    document = _parsed(file)
    if key not in document:
        return False
    del document[key]
    _write(file, tomlkit.dumps(document))
    return True


def _parsed(file: Path) -> tomlkit.TOMLDocument:
    text = text_of(file)
    if text is None:
        return tomlkit.document()
    parsed(text, file)  # so that a mistake has the same message everywhere
    try:
        return tomlkit.parse(text)
    except (ValueError, RecursionError, MemoryError) as error:
        raise UsageError(
            f"{file} is not valid TOML: {error}", hint="correct the file, or move it aside"
        ) from error


def _write(file: Path, text: str) -> None:
    try:
        make_private(file.resolve().parent)
        encoding = encoding_of(file.read_bytes()) if file.exists() else "utf-8"
        replace_whole(file, text.encode(encoding))
    except OSError as error:
        raise UsageError(
            f"{file} cannot be written: {error}", hint="to use another folder, set PAT_CONFIG_DIR"
        ) from error
