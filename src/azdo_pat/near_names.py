"""Suggest the names that a misspelt one is most similar to."""

from collections.abc import Iterable
from typing import Final

from azdo_pat.command_lines import quoted

_LEAST_BEGUN: Final = 3
_MOST_BEGUN: Final = 3
"""A beginning of fewer letters, or of more names, says too little."""


def near_names(
    word: str, names: Iterable[str], *, most: int = 1, similarity: float = 0.6
) -> list[str]:
    """Return the names that are most similar to a word, the nearest first; case does not count.

    Names that begin with the word come last, if it has three letters or more, and they are few.

    Args:
        word: what the user wrote.
        names: what exists. The word itself is never among what is returned, nor is a name that
            cannot be typed: with control characters, or others that are not visible.
        most: how many to return at most.
        similarity: how similar a name must be, from 0 to 1; see `difflib.get_close_matches`.
    """
    from difflib import get_close_matches  # noqa: PLC0415 - only a mistake needs it: 2 ms

    by_folded: dict[str, list[str]] = {}
    for name in dict.fromkeys(names):
        if name != word and name.isprintable():
            by_folded.setdefault(name.casefold(), []).append(name)
    begun = word.casefold()
    near = get_close_matches(begun, by_folded, n=most, cutoff=similarity)
    begin = [each for each in by_folded if each.startswith(begun)]
    if len(begun) >= _LEAST_BEGUN and len(begin) <= _MOST_BEGUN:
        near += [each for each in begin if each not in near]
    return [name for folded in near for name in by_folded[folded]][:most]


def did_you_mean(word: str, names: Iterable[str], *, most: int = 1, similarity: float = 0.6) -> str:
    """Return a question that begins a hint, such as `did you mean laptop? `.

    Returns:
        The question and a space; or nothing if no name is similar. Arguments as of `near_names`.
    """
    return question(near_names(word, names, most=most, similarity=similarity))


def question(names: Iterable[str]) -> str:
    """Return the question whether the user meant one of these names; see `did_you_mean`."""
    near = [*map(quoted, names)]
    if not near:
        return ""
    *others, last = near
    return f"did you mean {', '.join(others)} or {last}? " if others else f"did you mean {last}? "
