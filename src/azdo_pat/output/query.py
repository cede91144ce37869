"""Apply `--query` to documents; the only importer of jmespath."""

from collections.abc import Callable
from typing import Final, cast

import jmespath
from jmespath.exceptions import JMESPathError, ParseError

from azdo_pat.errors import UsageError

Query = Callable[[object], object]

# jmespath lets some of Python's own errors out: a slice with step 0, a nesting too deep.
_FAILURES: Final = (JMESPathError, ValueError, TypeError, RecursionError)
_EXAMPLE: Final = "use a JMESPath expression, for example '[].name'; see https://jmespath.org"
_SHOWN: Final = 60


def compile_query(text: str) -> Query:
    """Return the function that applies the JMESPath expression `text` to a JSON document.

    Raises:
        UsageError: the expression is not valid or, when the function is called, cannot be applied
            to that document.
    """
    if not text.strip():
        raise UsageError("--query is empty", hint=_EXAMPLE)
    try:
        expression = jmespath.compile(text)
    except ParseError as error:
        place = error.lex_position or 0
        near = f"near '{_short(text[place:])}'" if text[place:] else "at its end"
        raise UsageError(
            f"--query is not valid JMESPath {near} (character {place + 1})", hint=_EXAMPLE
        ) from error
    except _FAILURES as error:
        raise _refused(text, error) from error

    def apply(document: object) -> object:
        try:
            return cast("object", expression.search(document))
        except _FAILURES as error:
            raise _refused(text, error) from error

    return apply


def _refused(text: str, error: Exception) -> UsageError:
    return UsageError(
        f"--query '{_short(text)}' cannot be applied: {error}",
        hint="to see the whole document, use -o json without --query",
    )


def _short(text: str) -> str:
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
