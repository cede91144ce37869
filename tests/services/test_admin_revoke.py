"""Revoking tokens of many users, without a service."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast
from uuid import UUID

from azdo_pat.models import Organization, OwnedPat, User
from azdo_pat.results.tokens import Outcome
from azdo_pat.services.admin_revoke import revoke
from azdo_pat.services.parallel import Progress
from test_findings import TOKEN

if TYPE_CHECKING:
    from azdo_pat.operations.deps import AdminDeps
    from azdo_pat.services.admin_tokens import Scan

GRACE = User("aad.g", "Grace Hopper", "grace@contoso.example", "")
MANY = 20_000


@contextmanager
def _unseen(_total: int) -> Iterator[Progress]:
    yield Progress(lambda: None, lambda: False)


def test_the_cost_of_many_tokens_is_proportional_to_their_number() -> None:
    """A set of all ids that is built for each token takes more than two minutes."""
    deps = SimpleNamespace(
        organization=Organization(name="contoso", url="https://dev.azure.com/contoso"),
        session=SimpleNamespace(user=lambda: "ada@contoso.example"),
        state=SimpleNamespace(stored=lambda _: (), made=frozenset, unfinished=lambda _: ()),
        token_admin=SimpleNamespace(revoke=lambda *_, **__: None),
        now=lambda: datetime(2026, 6, 15, tzinfo=UTC),
    )
    pats = [OwnedPat(replace(TOKEN, id=str(UUID(int=number))), GRACE) for number in range(MANY)]

    @contextmanager
    def rescan(_users: Sequence[User]) -> "Iterator[Scan]":
        scan = SimpleNamespace(deps=deps, tokens=lambda: (), failures=(), gone=())
        yield cast("Scan", scan)

    before = time.process_time()
    ended = revoke(pats, cast("AdminDeps", deps), ssh=False, progress=_unseen, rescan=rescan)
    assert (ended.sent, ended.count(Outcome.REVOKED)) == (MANY, MANY)
    assert time.process_time() - before < 30
