"""Finds users of an organization."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from azdo_pat.api.graph import PEOPLE
from azdo_pat.errors import ConflictError, NotFoundError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from azdo_pat.models import Organization, User
    from azdo_pat.operations.deps import AdminDeps

_DESCRIPTOR: Final = rf"({'|'.join(PEOPLE)})\.[A-Za-z0-9_-]{{8,}}"
_MOST_LISTED: Final = 20


def find_users(texts: Iterable[str], deps: AdminDeps) -> tuple[User, ...]:
    """Return the user for each text, each user once.

    A text is a descriptor, a sign-in name, a mail address or a display name, without regard to
    case; or the beginning of one that only one user has.

    Raises:
        NotFoundError: a text is that of no user.
        ConflictError: a text is that of several; the hint lists them.
    """
    users = [_find(text, deps.organization, deps) for text in texts]
    return tuple({each.descriptor: each for each in users}.values())


def _find(text: str, organization: Organization, deps: AdminDeps) -> User:
    wanted = text.strip()
    if not wanted:
        raise UsageError("the user's name is empty", hint="give a sign-in name, mail or name")
    if re.fullmatch(_DESCRIPTOR, wanted):
        return deps.graph.user(organization, wanted)
    matching = deps.graph.find(organization, wanted)
    found = _nearest(wanted, matching.users)
    if not found:
        raise NotFoundError(
            f"{organization.name} has no user {wanted!r}",
            hint="to list its users, run: pat admin users",
        )
    if len(found) > 1:
        listed = [f"{each.upn or each.descriptor}  {each.name}" for each in found[:_MOST_LISTED]]
        more = ["…"] if len(found) > _MOST_LISTED or matching.may_be_more else []
        raise ConflictError(
            f"{len(found)} users match {wanted!r}",
            hint="\n".join(["choose one by the sign-in name:", *listed, *more]),
        )
    return found[0]


def _nearest(text: str, users: tuple[User, ...]) -> tuple[User, ...]:
    """Return the users with exactly this sign-in name, mail or name; or else all."""
    wanted = text.casefold()
    for texts in (
        [(each.upn, each) for each in users],
        [(each.mail, each) for each in users],
        [(each.name, each) for each in users],
    ):
        exact = tuple(user for own, user in texts if own.casefold() == wanted)
        if exact:
            return exact
    return users
