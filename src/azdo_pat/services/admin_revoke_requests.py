"""Sends the ids of tokens to revoke, many with one request."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from azdo_pat.api.service_errors import BadRequestError
from azdo_pat.api.token_admin import MOST_REVOKED
from azdo_pat.errors import (
    NotFoundError,
    PatError,
    RefusedError,
    SignInError,
    UnavailableError,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from azdo_pat.operations.deps import AdminDeps
    from azdo_pat.services.parallel import Progress

_MOST_REFUSED: Final = 25
"""Tokens in a row that are refused alone: then the reason is not their ids."""


@dataclass(kw_only=True)
class Requests:
    """What the service answered.

    Attributes:
        accepted: the ids in requests that the service confirmed.
        unanswered: the ids in requests whose outcome is unknown, with the reason.
        failed: the ids that certainly are not revoked, with the reason: the service refused them,
            or no request with them reached it.
        interrupted: the user cancelled.
        stopped_by: the error after which no request was sent; None if there was none.
    """

    accepted: set[str] = field(default_factory=set)
    unanswered: dict[str, str] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)
    interrupted: bool = False
    stopped_by: PatError | None = None

    @property
    def sent(self) -> int:
        """How many tokens are, or may be, revoked."""
        return len(self.accepted) + len(self.unanswered)

    def may_have_revoked(self, identifier: str) -> bool:
        """Return whether the token with that id is, or may be, revoked."""
        return identifier in self.accepted or identifier in self.unanswered


def send(ids: Sequence[str], deps: AdminDeps, *, ssh: bool, shown: Progress) -> Requests:
    """Send ids until all are sent, the user cancels, or the service refuses all.

    A request that is refused is halved until the ids that the service refuses are alone.
    """
    requests = Requests()
    waiting = deque(ids[start : start + MOST_REVOKED] for start in range(0, len(ids), MOST_REVOKED))
    refused_in_a_row = 0
    try:
        while waiting:
            batch = waiting.popleft()
            try:
                deps.token_admin.revoke(
                    deps.organization, batch, ssh=ssh, is_cancelled=shown.stopped
                )
            except BadRequestError as error:
                if len(batch) > 1:
                    half = len(batch) // 2
                    waiting.extendleft((batch[half:], batch[:half]))
                    continue
                refused_in_a_row += 1
                if refused_in_a_row == _MOST_REFUSED:
                    batch = [*batch, *(each for rest in waiting for each in rest)]
                    waiting.clear()
                requests.failed |= dict.fromkeys(batch, error.message)
            except (SignInError, RefusedError, NotFoundError) as error:
                requests.stopped_by = error
                break
            except PatError as error:
                is_certain = isinstance(error, UnavailableError) and error.had_no_effect
                ended = requests.failed if is_certain else requests.unanswered
                ended |= dict.fromkeys(batch, error.message)
            else:
                refused_in_a_row = 0
                requests.accepted.update(batch)
            _show(batch, shown)
    except KeyboardInterrupt:
        requests.interrupted = True
    return requests


def _show(batch: Iterable[str], shown: Progress) -> None:
    for _ in batch:
        shown.done()
