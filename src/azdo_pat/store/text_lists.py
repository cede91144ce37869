"""JSON in the columns of the state file: read without the library where it is plain.

The library takes 3 ms to import, and `pat ensure` reads one list of scopes.
"""

from __future__ import annotations


def read_texts(text: str) -> tuple[str, ...]:
    """Read an array of texts.

    Raises:
        ValueError: it is none.
        TypeError: the same.
    """
    if text == "[]":
        return ()
    plain = text.startswith('["') and text.endswith('"]') and "\\" not in text
    if plain and text.count('"') == 2 * (text.count('", "') + 1):
        return tuple(text[2:-2].split('", "'))
    import json  # noqa: PLC0415 - see above

    return tuple(map(str, json.loads(text)))


def written_texts(texts: tuple[str, ...]) -> str:
    """Write an array of texts."""
    import json  # noqa: PLC0415 - see above

    return json.dumps(texts)
