"""Shorten ids to prefixes that are still unique."""

from collections.abc import Sequence
from itertools import pairwise, takewhile
from typing import Final

_LEAST_PREFIX: Final = 8


def short_ids(ids: Sequence[str]) -> list[str]:
    """Return for each id its shortest prefix, of 8 characters or more, that no other id has.

    An id that stands there twice (two records of one token) need only differ from the others.
    """
    ordered = sorted({each.lower() for each in ids})
    lengths = dict.fromkeys(ordered, _LEAST_PREFIX)
    for one, other in pairwise(ordered):
        needed = _shared_length(one, other) + 1
        lengths[one] = max(lengths[one], needed)
        lengths[other] = max(lengths[other], needed)
    return [each[: lengths[each.lower()]] for each in ids]


def _shared_length(one: str, other: str) -> int:
    pairs = zip(one, other, strict=False)
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))
