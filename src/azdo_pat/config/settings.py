"""The settings that the configuration file may hold, and what each of them may be."""

from collections.abc import Callable, Mapping
from typing import Final, NamedTuple, TypeAlias

from azdo_pat.errors import UsageError

Value: TypeAlias = str | bool | int


class Setting(NamedTuple):
    """One setting as it stands, and where its value came from.

    Attributes:
        value: None where it is not set.
        source: `default`, `config file`, the name of the environment variable, or the option.
    """

    key: str
    value: Value | None
    source: str
    summary: str = ""


class Key(NamedTuple):
    """A key of the configuration file.

    Attributes:
        name: as it stands in the file and on the command line.
        parse: makes the value of what a user typed; raises ValueError with what is expected.
        default: what holds where nothing is set; None for nothing.
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
        raise ValueError("a text that is not empty")
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
    Key(name="org", summary="organization: its name or its URL", parse=_text),
    Key(
        name="output",
        summary="form of the output",
        parse=_one_of("table", "json", "jsonl", "csv", "tsv", "none"),
        default="table",
    ),
    Key(
        name="color",
        summary="when to use colour",
        parse=_one_of("auto", "always", "never"),
        default="auto",
    ),
    Key(name="quiet", summary="no notices on stderr", parse=_switch, default=False),
    Key(name="verbose", summary="more notices on stderr", parse=_switch, default=False),
    Key(name="no-input", summary="never ask", parse=_switch, default=False),
    Key(name="expires", summary="life of a new token", parse=_text, default="30d"),
    Key(
        name="sort",
        summary="order of pat list",
        parse=_one_of("name", "created", "expires"),
        default="name",
    ),
    Key(name="keyring", summary="keyring backend, as a class path", parse=_text),
    Key(name="git-token", summary="name of the token that git gets", parse=_text),
    Key(name="packages-token", summary="name of the token that feeds get", parse=_text),
    Key(name="git-renew", summary="renew tokens when git needs them", parse=_switch, default=True),
    Key(name="ca-bundle", summary="file of certificates to trust", parse=_text),
    Key(name="client-id", summary="application that pat login signs in with", parse=_text),
    Key(name="tenant", summary="Entra tenant to sign in to, and to ask az for", parse=_text),
    Key(name="timeout", summary="seconds to wait for an answer", parse=_seconds, default=30),
)


def key_named(name: str) -> Key:
    """Return the key of that name.

    Raises:
        UsageError: there is none; the nearest names are proposed.
    """
    for key in KEYS:
        if key.name == name:
            return key
    import difflib  # noqa: PLC0415 - only a mistake needs it

    names = [key.name for key in KEYS]
    near = difflib.get_close_matches(name, names, n=1)
    raise UsageError(
        f"there is no setting {name!r}",
        hint=f"did you mean {near[0]}?" if near else f"there are: {', '.join(names)}",
    )


def parse_value(key: Key, text: str, *, where: str) -> Value:
    """Turn what was typed into the key's value.

    Args:
        key: the key it is for.
        text: what was typed.
        where: where it was typed, for the error: a file, a variable, the command line.

    Raises:
        UsageError: it is not what the key takes.
    """
    try:
        return key.parse(text)
    except ValueError as error:
        raise UsageError(
            f"{f'{where}: ' if where else ''}{key.name} cannot be {text!r}",
            hint=f"it takes {error}",
        ) from error


def checked(document: Mapping[str, object], *, where: str) -> dict[str, Value]:
    """Hold the file's content to the keys.

    Raises:
        UsageError: an unknown key, or a value of the wrong kind.
    """
    values: dict[str, Value] = {}
    for name, value in document.items():
        key = key_named_in(name, where)
        if not isinstance(value, str | bool | int):
            raise UsageError(f"{where}: {name} is not a simple value", hint="see pat config list")
        try:
            text = str(value).lower() if isinstance(value, bool) else str(value)
        except ValueError:  # thousands of digits, which TOML can write in hexadecimal
            raise UsageError(f"{where}: {name} is too large", hint="see pat config list") from None
        values[name] = parse_value(key, text, where=where)
    return values


def key_named_in(name: str, where: str) -> Key:
    """Return the key of that name, or say in which file the unknown one stands.

    Raises:
        UsageError: there is none.
    """
    try:
        return key_named(name)
    except UsageError as error:
        raise UsageError(
            f"{where}: {error.message}", hint=f"{error.hint}; pat config unset {name} removes it"
        ) from error
