"""Lists of strings as JSON, read without the json library in simple cases.

The library takes 3 ms to import, and `pat ensure` reads one list of scopes.
"""

from __future__ import annotations


def read_texts(text: str) -> tuple[str, ...]:
    """Parse an array of strings.

    Raises:
        ValueError: it is not one.
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
    """Serialize an array of strings."""
    import json  # noqa: PLC0415 - see above

    return json.dumps(texts)
