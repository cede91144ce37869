"""What variable groups and service connections have in common in requests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from azdo_pat.emulator.errors import ARGUMENT, ServiceError
from azdo_pat.emulator.library.items import Item, Reference, Role

if TYPE_CHECKING:
    from collections.abc import Iterable

    from azdo_pat.emulator.pipelines.access import Visit
    from azdo_pat.emulator.pipelines.bodies import ReferenceRequest

_ACTIONS: Final = {
    "none": Role.READER,
    "view": Role.READER,
    "use": Role.USER,
    "manage": Role.ADMINISTRATOR,
}


def least_role(visit: Visit) -> Role:
    """The role that ``actionFilter`` asks for.

    Raises:
        ServiceError: 400; it is not one of its values.
    """
    word = visit.call.arguments.get("actionfilter", "none")
    role = _ACTIONS.get(word.casefold())
    if role is None:
        raise ServiceError(ARGUMENT, f"The value '{word}' is not valid for actionFilter.")
    return role


def words(visit: Visit, name: str) -> set[str]:
    """The words of an argument with commas, in lower case; ``name`` is in lower case, too."""
    listed = visit.call.arguments.get(name, "").split(",")
    return {word.strip().casefold() for word in listed} - {""}


def whole_number(visit: Visit, name: str) -> int | None:
    """An argument that is a number; None where it is not there.

    Raises:
        ServiceError: 400; it is not a number.
    """
    text = visit.call.arguments.get(name)
    if text is None:
        return None
    if not text.isascii() or not text.isdecimal():
        raise ServiceError(ARGUMENT, f"The value '{text}' is not valid for {name}.")
    return int(text)


def references(visit: Visit, sent: Iterable[ReferenceRequest]) -> tuple[Reference, ...]:
    """The references of a request, each to a project that there is.

    Raises:
        ServiceError: 400; one has no name, as seen of the service (azure-devops-node-api issue
            572), or names no project. 404; there is no such project.
    """
    found = []
    for each in sent:
        word = each.project_id or each.project_name
        if not each.name or not word:
            raise ServiceError(
                ARGUMENT, "Project information name is not valid for variable group."
            )
        found.append(
            Reference(
                project_id=visit.project(word).project_id,
                name=each.name,
                description=each.description,
            )
        )
    return tuple(found)


def leaving(visit: Visit, item: Item) -> tuple[Reference, ...]:
    """The references that are left once an item is deleted from ``projectIds``.

    Raises:
        ServiceError: 400; there are no such ids.
    """
    gone = words(visit, "projectids")
    if not gone:
        raise ServiceError(ARGUMENT, "At least one project id is required.")
    return tuple(each for each in item.references if each.project_id not in gone)
