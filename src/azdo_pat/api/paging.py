"""Notices a list that never ends."""

from typing import Final

from azdo_pat.api.response import Response
from azdo_pat.api.service_errors import unreadable

_MOST_PAGES: Final = 10_000
"""Of the longest lists, with 20 or more in a page."""


class Continuations:
    """The continuation tokens of one list; only their hashes are held.

    Args:
        most_pages: more are not read.
    """

    def __init__(self, most_pages: int = _MOST_PAGES) -> None:
        self._most_pages = most_pages
        self._seen: set[int] = set()

    def require_new(self, continuation: str, answer: Response, what: str) -> None:
        """Check that a continuation token leads to a page that was not read before.

        Args:
            continuation: the continuation token.
            answer: the response that contained it.
            what: what the pages should be, with its article, for the error.

        Raises:
            UnavailableError: the page is repeated, or there are too many.
        """
        if hash(continuation) in self._seen:
            raise unreadable(answer, f"{what} (a page is repeated)")
        self._seen.add(hash(continuation))
        if len(self._seen) >= self._most_pages:
            raise unreadable(answer, f"{what} (it does not end after {self._most_pages} pages)")
