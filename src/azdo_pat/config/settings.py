"""The settings of the configuration file, and their valid values."""

from collections.abc import Callable, Mapping
from typing import Final, NamedTuple, TypeAlias

from azdo_pat.errors import UsageError
from azdo_pat.formats import Format
from azdo_pat.near_names import did_you_mean

Value: TypeAlias = str | bool | int


class Key(NamedTuple):
    """A key of the configuration file.

    Attributes:
        name: as in the file and on the command line.
        parse: parses what the user typed; raises ValueError with the expected values.
        default: the value if nothing is set; None for none.
    """

    name: str
    summary: str
    parse: Callable[[str], Value]
    default: Value | None = None

    @property
    def variable(self) -> str:
        """The environment variable that overrides the file."""
        return "PAT_" + self.name.upper().replace("-", "_")


def _text(text: str) -> str:
    if not text.strip():
        raise ValueError("a non-empty string")
    return text.strip()


def _switch(text: str) -> bool:
    lowered = text.strip().lower()
    if lowered in {"true", "yes", "on", "1"}:
        return True
    if lowered in {"false", "no", "off", "0"}:
        return False
    raise ValueError("true or false")


def _one_of(*choices: str) -> Callable[[str], str]:
    def parse(text: str) -> str:
        if text not in choices:
            raise ValueError(f"one of {', '.join(choices)}")
        return text

    return parse


def _seconds(text: str) -> int:
    # Leading zeros apart, three digits: int() refuses some thousands of them in words of its own.
    digits = text.lstrip("0") if text.isascii() and text.isdigit() else ""
    if not (1 <= len(digits) <= 3 and int(digits) <= 600):  # noqa: PLR2004  # bounds are said in the message
        raise ValueError("a whole number of seconds from 1 to 600")
    return int(digits)


KEYS: Final = (
    Key(name="org", summary="organization: name or URL", parse=_text),
    Key(
        name="output",
        summary="output format",
        parse=_one_of(*Format),
        default=Format.TABLE,
    ),
    Key(
        name="color",
        summary="when to use colors",
        parse=_one_of("auto", "always", "never"),
        default="auto",
    ),
    Key(name="quiet", summary="no notices on stderr", parse=_switch, default=False),
    Key(name="verbose", summary="more notices on stderr", parse=_switch, default=False),
    Key(name="no-input", summary="never ask", parse=_switch, default=False),
    Key(name="expires", summary="lifetime of a new token", parse=_text, default="30d"),
    Key(
        name="sort",
        summary="order of pat list",
        parse=_one_of("name", "created", "expires"),
        default="name",
    ),
    Key(name="keyring", summary="keyring backend, as a class path", parse=_text),
    Key(name="git-token", summary="name of the token used for git", parse=_text),
    Key(name="packages-token", summary="name of the token used for feeds", parse=_text),
    Key(
        name="git-renew",
        summary="rotate a due token when git asks for it",
        parse=_switch,
        default=True,
    ),
    Key(name="ca-bundle", summary="file of trusted certificates", parse=_text),
    Key(name="client-id", summary="application that pat login signs in with", parse=_text),
    Key(name="tenant", summary="Entra tenant to sign in to, also with az", parse=_text),
    Key(name="timeout", summary="seconds to wait for a response", parse=_seconds, default=30),
)


def key_named(name: str, *, where: str = "") -> Key:
    """Return the key of that name.

    Raises:
        UsageError: there is none; the nearest names are proposed. The error says where it stands,
            and how to remove it there.
    """
    for key in KEYS:
        if key.name == name:
            return key
    names = [key.name for key in KEYS]
    hint = did_you_mean(name, names).rstrip() or f"valid settings: {', '.join(names)}"
    if where:
        where, hint = f"{where}: ", f"{hint}; to remove the setting, run: pat config unset {name}"
    raise UsageError(f"{where}unknown setting {name!r}", hint=hint)


def parse_value(key: Key, text: str, *, where: str) -> Value:
    """Parse a value for a key.

    Args:
        key: the key.
        text: what the user typed.
        where: its source, for the error: a file, a variable, the command line.

    Raises:
        UsageError: it is not a valid value for the key.
    """
    try:
        return key.parse(text)
    except ValueError as error:
        raise UsageError(
            f"{f'{where}: ' if where else ''}{text!r} is not a valid value for {key.name}",
            hint=f"use {error}",
        ) from error


def checked(document: Mapping[str, object], *, where: str) -> dict[str, Value]:
    """Check the file's content against the keys.

    Raises:
        UsageError: an unknown key, or a value of the wrong kind.
    """
    values: dict[str, Value] = {}
    for name, value in document.items():
        key = key_named(name, where=where)
        if not isinstance(value, str | bool | int):
            raise UsageError(
                f"{where}: {name} is not a simple value",
                hint="to list all settings, run: pat config list",
            )
        try:
            text = str(value).lower() if isinstance(value, bool) else str(value)
        except ValueError:  # thousands of digits, which TOML can write in hexadecimal
            raise UsageError(
                f"{where}: {name} is too large", hint="to list all settings, run: pat config list"
            ) from None
        values[name] = parse_value(key, text, where=where)
    return values
