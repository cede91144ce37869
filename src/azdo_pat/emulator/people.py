"""Everyone that the emulator knows: those of the directory, and a crowd of invented users."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING

from azdo_pat.emulator.directory import SUBJECTS, Organization, User, find_user

if TYPE_CHECKING:
    from collections.abc import Iterator

    from azdo_pat.emulator.crowd import Crowd


class People:
    """Finds users; the invented ones are made anew each time."""

    def __init__(self, crowd: Crowd) -> None:
        self.crowd = crowd

    def count(self, organization: Organization) -> int:
        """How many members the organization has."""
        invented = self.crowd.count if organization.crowded else 0
        return len(_fixed(organization)) + invented

    def members(
        self, organization: Organization, start: int = 0, end: int | None = None
    ) -> Iterator[User]:
        """The members of an organization in their order, or a stretch of them."""
        fixed = _fixed(organization)
        stop = self.count(organization)
        for position in range(start, stop if end is None else min(end, stop)):
            invented = position - len(fixed)
            yield fixed[position] if invented < 0 else self.crowd.user(invented)

    def find(self, word: str) -> User | None:
        """The person with this key, member id, object id or mail address, in any case."""
        found = find_user(word) or self.crowd.with_guid(word)
        if found is not None:
            return found
        number = word.casefold().partition("@")[0].removeprefix("user")
        if not number.isascii() or not number.isdecimal() or int(number) >= self.crowd.count:
            return None
        user = self.crowd.user(int(number))
        return user if word.casefold() in {user.key, user.mail} else None

    def with_id(self, user_id: str) -> User | None:
        """The subject with this member id."""
        fixed = next((user for user in SUBJECTS if user.user_id == user_id), None)
        invented = self.crowd.with_guid(user_id) if fixed is None else None
        return invented if invented is not None and invented.user_id == user_id else fixed

    def with_descriptor(self, descriptor: str) -> User | None:
        """The subject that a descriptor names."""
        object_id = decoded(descriptor)
        user = next((each for each in SUBJECTS if each.object_id == object_id), None)
        if user is None and object_id is not None:
            user = self.crowd.with_guid(object_id)
        return user if user is not None and user.descriptor == descriptor else None


def decoded(descriptor: str) -> str | None:
    """What stands behind the prefix of a descriptor; None if it is not one."""
    prefix, dot, encoded = descriptor.partition(".")
    if not prefix.isalnum() or not prefix.isascii() or not dot or not encoded:
        return None
    try:
        data = base64.b64decode(
            encoded.encode("ascii") + b"=" * (-len(encoded) % 4), altchars=b"-_", validate=True
        )
        return data.decode("ascii")
    except (ValueError, binascii.Error):
        return None


def _fixed(organization: Organization) -> list[User]:
    return [user for user in SUBJECTS if organization.has(user)]
