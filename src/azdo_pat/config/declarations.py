"""Reads a file that declares tokens, reporting each mistake with its line."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from azdo_pat.config.file import parsed, text_of
from azdo_pat.config.line_numbers import lines_of
from azdo_pat.deliveries.parsing import WrittenIn, from_table, from_text
from azdo_pat.errors import UsageError
from azdo_pat.expiry import parse_expiry, parse_grace, parse_span
from azdo_pat.naming import checked_name
from azdo_pat.near_names import did_you_mean
from azdo_pat.renewal import Declaration
from azdo_pat.scopes import parse_scopes

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from azdo_pat.delivery_targets import Delivery

_TOP: Final = ("defaults", "token")
_DEFAULTS: Final = ("org", "expires", "renew_before", "grace")
_KEYS: Final = (
    "name",
    "org",
    "scopes",
    "for",
    "expires",
    "renew_before",
    "grace",
    "deliver",
    "allow_unknown_scopes",
)


def read_declarations(
    file: Path, *, expires: str, now: datetime, environment: Mapping[str, str]
) -> tuple[Declaration, ...]:
    """Return the tokens that a file declares.

    Args:
        file: the file.
        expires: the expiry of tokens without one of their own or from the file's defaults.
        now: an aware time, from which spans are counted.
        environment: the environment variables.

    Raises:
        UsageError: it cannot be read, or has mistakes, each reported with
            its line.
    """
    text = text_of(file)
    if text is None:
        raise UsageError(
            f"{file} does not exist", hint="to see the format of the file, run: pat apply --help"
        )
    return _DeclarationReader(file, text, expires, now, environment).read()


class _DeclarationReader:
    """Reads one document."""

    def __init__(
        self, file: Path, text: str, expires: str, now: datetime, environment: Mapping[str, str]
    ) -> None:
        self._file = file
        self._document = parsed(text, file)
        self._lines = lines_of(text)  # of what is valid TOML
        self._now = now
        self._expires: object = expires
        self._mistakes: list[tuple[int, str, str]] = []
        self._where = WrittenIn(file.absolute().parent, environment)

    def read(self) -> tuple[Declaration, ...]:
        self._known(self._document, _TOP, "the file")
        defaults = self._document.get("defaults", {})
        tokens = self._document.get("token", [])
        if not isinstance(defaults, dict):
            self._note(self._line("defaults"), "write defaults as a table: [defaults]")
            defaults = {}
        self._known(defaults, _DEFAULTS, "defaults", "defaults")
        if not isinstance(tokens, list) or not all(isinstance(each, dict) for each in tokens):
            self._note(self._line("token"), "write each token as a table of its own: [[token]]")
            tokens = []
        found = [self._token(place, table, defaults) for place, table in enumerate(tokens)]
        declarations = tuple(each for each in found if each is not None)
        self._twice(declarations)
        if self._mistakes:
            raise self._complaint()
        return declarations

    def _token(
        self, place: int, table: Mapping[str, Any], defaults: Mapping[str, Any]
    ) -> Declaration | None:
        before = len(self._mistakes)

        def line(key: str) -> int:
            if key not in table:  # a default, or missing
                return self._line(*(("defaults", key) if key in defaults else ("token", place)))
            return self._line("token", place, key)

        def held(key: str, read: Callable[[], Any]) -> Any:  # noqa: ANN401  # of each its own
            try:
                return read()
            except UsageError as error:
                self._note(line(key), error.message, error.hint)
                return None

        self._known(table, _KEYS, "a token", "token", place)
        values = {"expires": self._expires, **defaults, **table}
        if "name" not in table:
            self._note(self._line("token", place), "the token has no name", 'add: name = "…"')
            return None
        name = held("name", lambda: checked_name(_text(table, "name")))
        org = held("org", lambda: _text(values, "org") if "org" in values else "")
        unknown = held("allow_unknown_scopes", lambda: _switch(table, "allow_unknown_scopes"))
        scopes = held(
            "scopes" if "scopes" in table else "for", lambda: _scopes(table, unknown=bool(unknown))
        )
        expires = held("expires", lambda: parse_expiry(_moment(values, "expires"), self._now))
        renew_before = held("renew_before", lambda: self._renew_before(values))
        grace = held("grace", lambda: self._grace(values))
        deliveries = held("deliver", lambda: self._deliveries(table))
        if expires and renew_before and self._now + renew_before >= expires:
            self._note(
                line("renew_before"),
                f"with renew_before = {values['renew_before']!r} the token would be due as soon as"
                " it is created",
                "use a longer expires, or a shorter renew_before",
            )
        if len(self._mistakes) > before:
            return None
        own = self._line("token", place)
        return Declaration(name, org, scopes, expires, renew_before, deliveries, own, grace)

    def _renew_before(self, values: Mapping[str, Any]) -> timedelta | None:
        if "renew_before" not in values:
            return None
        return parse_span(_text(values, "renew_before"), self._now)

    def _grace(self, values: Mapping[str, Any]) -> timedelta | None:
        return parse_grace(_text(values, "grace"), self._now) if "grace" in values else None

    def _deliveries(self, table: Mapping[str, Any]) -> tuple[Delivery, ...]:
        given = table.get("deliver", [])
        found = []
        for each in given if isinstance(given, list) else [given]:
            if isinstance(each, str):
                found.append(from_text(each, self._where))
            elif isinstance(each, dict):
                found.append(from_table(each, self._where))
            else:
                raise UsageError("deliver must be a string, a table, or an array of them")
        return tuple(dict.fromkeys(found))

    def _known(
        self, table: Mapping[str, Any], keys: tuple[str, ...], where: str, *path: str | int
    ) -> None:
        for key in table:
            if key not in keys:
                hint = did_you_mean(key, keys).rstrip() or f"valid keys: {', '.join(keys)}"
                self._note(self._line(*path, key), f"unknown key {key!r} in {where}", hint)

    def _twice(self, declarations: tuple[Declaration, ...]) -> None:
        first: dict[tuple[str, str], int] = {}
        for each in declarations:
            key = (each.org.lower(), each.name)
            if key in first:
                self._note(
                    each.line,
                    f"{each.name!r} is already declared on line {first[key]}",
                    "rename or remove one of them",
                )
            first.setdefault(key, each.line)

    def _note(self, line: int, message: str, hint: str = "") -> None:
        self._mistakes.append((line, message, hint))

    def _complaint(self) -> UsageError:
        mistakes = sorted(dict.fromkeys(self._mistakes))
        lines = [
            f"{self._file}{f', line {line}' if line else ''}: {message}"
            for line, message, _ in mistakes
        ]
        if len(mistakes) == 1:
            return UsageError(lines[0], hint=mistakes[0][2])
        return UsageError(
            f"{self._file} has {len(mistakes)} mistakes",
            hint="\n".join(
                f"{line}{hint and f' ({hint})'}"
                for line, (_, _, hint) in zip(lines, mistakes, strict=True)
            ),
        )

    def _line(self, *path: str | int) -> int:
        return self._lines.get(path, 0)


def _text(values: Mapping[str, Any], key: str) -> str:
    value = values[key]
    if not isinstance(value, str) or not value.strip():
        raise UsageError(f"{key} = {value!r} is not a string", hint=f'write {key} = "…"')
    return value


def _moment(values: Mapping[str, Any], key: str) -> str:
    """Return a span or a date as a string; TOML has dates of its own."""
    value = values[key]
    if isinstance(value, date):  # a datetime is one, too
        return value.isoformat()
    return _text(values, key)


def _texts(table: Mapping[str, Any], key: str) -> list[str]:
    value = table.get(key, [])
    texts = [value] if isinstance(value, str) else value
    if not isinstance(texts, list) or not all(isinstance(each, str) for each in texts):
        raise UsageError(
            f"{key} = {value!r} is not a string or an array of strings", hint=f'write {key} = ["…"]'
        )
    return texts


def _switch(table: Mapping[str, Any], key: str) -> bool:
    value = table.get(key, False)
    if not isinstance(value, bool):
        raise UsageError(f"{key} = {value!r} is not true or false")
    return value


def _scopes(table: Mapping[str, Any], *, unknown: bool) -> tuple[str, ...]:
    scopes, recipes = _texts(table, "scopes"), _texts(table, "for")
    if not scopes and not recipes:
        raise UsageError(
            "the token has no scopes",
            hint='add: scopes = ["code_write"], or a recipe: for = "git"'
            " (to list all, run: pat scopes)",
        )
    try:
        return parse_scopes(scopes, recipes=recipes, allow_unknown=unknown)
    except UsageError as error:
        option = "to use it unchecked, add --allow-unknown-scope"
        hint = error.hint.replace(option, "to use it unchecked, add: allow_unknown_scopes = true")
        raise UsageError(error.message, hint=hint) from error
