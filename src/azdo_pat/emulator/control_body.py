"""The bodies of control requests."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, TypeGuard

from azdo_pat.emulator.directory import find_organization
from azdo_pat.emulator.errors import EmulatorError

if TYPE_CHECKING:
    from werkzeug.wrappers import Request

    from azdo_pat.emulator.directory import Organization, User
    from azdo_pat.emulator.people import People


def read(request: Request) -> object:
    """The document of a body; an empty object without one.

    Raises:
        EmulatorError: it is not JSON.
    """
    data = request.get_data()
    if not data:
        return {}
    try:
        return json.loads(data)
    except (ValueError, RecursionError) as error:
        raise EmulatorError("the body is not JSON") from error


def fields_of(value: object, known: set[str]) -> dict[str, Any]:
    """The fields of a document.

    Raises:
        EmulatorError: it is not an object, or has a field that is not known.
    """
    if not isinstance(value, dict):
        raise EmulatorError("the body is not a JSON object")
    unknown = sorted(set(value) - known)
    if unknown:
        raise EmulatorError(f"unknown field {unknown[0]!r}; known: {', '.join(sorted(known))}")
    return value


def user_of(fields: dict[str, Any], people: People, *, usual: str = "ada") -> User:
    """The user that a field names.

    Raises:
        EmulatorError: there is no such user.
    """
    name = str(fields.get("user", usual))
    user = people.find(name)
    if user is None:
        raise EmulatorError(f"no user {name!r}")
    return user


def organization_of(fields: dict[str, Any]) -> Organization:
    """The organization that a field names, contoso without one.

    Raises:
        EmulatorError: there is no such organization.
    """
    name = str(fields.get("organization", "contoso"))
    organization = find_organization(name)
    if organization is None:
        raise EmulatorError(f"no organization {name!r}")
    return organization


def is_whole(value: object) -> TypeGuard[int]:
    """Whether a value is a whole number."""
    return isinstance(value, int) and not isinstance(value, bool)


def is_number(value: object) -> TypeGuard[float]:
    """Whether a value is a number."""
    return isinstance(value, int | float) and not isinstance(value, bool)
