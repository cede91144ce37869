"""Finds users of an organization."""

from __future__ import annotations

import re
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from azdo_pat.api.graph import PEOPLE
from azdo_pat.errors import ConflictError, NotFoundError, PatError, UsageError
from azdo_pat.models import User
from azdo_pat.near_names import near_names, question
from azdo_pat.services.parallel import results_side_by_side

if TYPE_CHECKING:
    from collections.abc import Sequence

    from azdo_pat.api.graph import FoundUsers
    from azdo_pat.models import Organization
    from azdo_pat.operations.deps import AdminDeps

_DESCRIPTOR: Final = rf"({'|'.join(PEOPLE)})\.[A-Za-z0-9_-]{{8,}}"
_MOST_LISTED: Final = 20
_MOST_PROPOSED: Final = 3
_SHORTER: Final = (3, 1)
"""How many letters of a name that no user has are asked for, one after the other."""


class _UnknownNameError(NotFoundError):
    """No user's name begins like that."""


def find_users(
    texts: Sequence[str], deps: AdminDeps, *, jobs: int = 1, exactly: bool = False
) -> tuple[User, ...]:
    """Return the user for each text, each user once.

    A text is a descriptor, a sign-in name, a mail address or a display name, without regard to
    case; or the beginning of one that only one user has.

    Args:
        texts: what names the users.
        deps: the parts of the program.
        jobs: how many to search for side by side.
        exactly: the beginning is not enough: the user with that very address may have left, and
            another one's begin with it.

    Raises:
        NotFoundError: a text is that of no user.
        ConflictError: a text is that of several; the hint lists them.
    """
    organization = deps.organization
    _ = deps.graph  # made before threads share it
    found = results_side_by_side(
        lambda place: _found(texts[place], organization, deps, exactly=exactly),
        range(len(texts)),
        jobs,
    )
    by_place = dict(found)
    users = [by_place[place] for place in range(len(texts))]
    failures = [each for each in users if isinstance(each, PatError)]
    if len(failures) == 1:
        raise _with_proposal(failures[0], texts[users.index(failures[0])], organization, deps)
    if failures:
        listed = [each.one_line for each in failures[:_MOST_LISTED]]
        more = ["…"] * (len(failures) > _MOST_LISTED)
        raise type(failures[0])(
            f"{len(failures)} of {len(texts)} users were not found",
            hint="\n".join([*listed, *more]),
        )
    return tuple({each.descriptor: each for each in users if isinstance(each, User)}.values())


def _found(
    text: str, organization: Organization, deps: AdminDeps, *, exactly: bool
) -> User | PatError:
    try:
        return _find(text, organization, deps, exactly=exactly)
    except (NotFoundError, ConflictError, UsageError) as error:
        return error


def _find(text: str, organization: Organization, deps: AdminDeps, *, exactly: bool) -> User:
    wanted = text.strip()
    if not wanted:
        raise UsageError("the user's name is empty", hint="give a sign-in name, mail or name")
    if re.fullmatch(_DESCRIPTOR, wanted):
        return deps.graph.user(organization, wanted)
    matching = deps.graph.find(organization, wanted)
    found = _exact(wanted, matching.users)
    if not found and exactly and matching.users:
        near = "\n".join(_listed(matching))
        raise NotFoundError(
            f"no user of {organization.name} is exactly {wanted!r}",
            hint=f"these begin like that; give the whole sign-in name:\n{near}",
        )
    found = found or matching.users
    if not found:
        raise _UnknownNameError(
            f"{organization.name} has no user {wanted!r}",
            hint="to list its users, run: pat admin users",
        )
    if len(found) > 1:
        near = "\n".join(_listed(matching._replace(users=found)))
        raise ConflictError(
            f"{len(found)} users match {wanted!r}",
            hint=f"choose one by the sign-in name:\n{near}",
        )
    return found[0]


def _with_proposal(
    failure: PatError, text: str, organization: Organization, deps: AdminDeps
) -> PatError:
    """Return the failure with the most similar users in its hint, if no user has such a name."""
    if isinstance(failure, _UnknownNameError):
        with suppress(PatError):  # then there is no proposal
            failure.hint = f"{_proposal(text.strip(), organization, deps)}{failure.hint}"
    return failure


def _proposal(wanted: str, organization: Organization, deps: AdminDeps) -> str:
    """Return a question that names the most similar users; empty if none is similar.

    The service finds users by the beginning of a name only, so it is asked for a shorter one.
    """
    for length in _SHORTER:
        names: dict[str, str] = {}
        for each in deps.graph.find(organization, wanted[:length]).users:
            for own in (each.name, each.mail, each.upn.partition("@")[0], each.upn):
                names[own] = each.upn or each.descriptor
        if near := near_names(wanted, names, most=_MOST_PROPOSED):
            return question(dict.fromkeys(names[each] for each in near))
    return ""


def _listed(found: FoundUsers) -> Sequence[str]:
    """Return lines that name users, not too many."""
    lines = [f"{each.upn or each.descriptor}  {each.name}" for each in found.users[:_MOST_LISTED]]
    return [*lines, *["…"] * (len(found.users) > _MOST_LISTED or found.may_be_more)]


def _exact(text: str, users: tuple[User, ...]) -> tuple[User, ...]:
    """Return the users with exactly this sign-in name; or else mail, or else name."""
    wanted = text.casefold()
    for texts in (
        [(each.upn, each) for each in users],
        [(each.mail, each) for each in users],
        [(each.name, each) for each in users],
    ):
        exact = tuple(user for own, user in texts if own.casefold() == wanted)
        if exact:
            return exact
    return ()
