"""Any number of invented users, each made when asked for: a number and a seed tell all of them."""

from __future__ import annotations

import hashlib
import uuid
from dataclasses import dataclass
from typing import Final

from azdo_pat.emulator.directory import User

LARGEST: Final = 100_000
_FIRST_NAMES: Final = """
Aisha Björn Chloé Dmitri Elif Fatima Giorgos Hana Ines Jamal Kofi Lucía Mateus Nadia Olu Priya
Quentin Rosa Sven Thi
"""
_LAST_NAMES: Final = """
Abe Bergström Costa Dubois Evans Fischer García Haddad Ito Jensen Kowalski Lindqvist Müller Nguyen
Okafor Petrov Quiroga Rossi Singh Tanaka Usman Vargas Weber Xu Zhang
"""
_ONE_IN: Final = {"guest": 20, "deleted": 50}


@dataclass(frozen=True, kw_only=True)
class Crowd:
    """``count`` users; the same seed makes the same ones."""

    count: int
    seed: int = 1

    def user(self, number: int) -> User:
        """One of them, counted from 0."""
        chance = self._digest("person", number)
        firsts, lasts = _FIRST_NAMES.split(), _LAST_NAMES.split()
        first, last = firsts[chance[0] % len(firsts)], lasts[chance[1] % len(lasts)]
        guest = chance[2] % _ONE_IN["guest"] == 0
        domain = "partner" if guest else "contoso"
        return User(
            key=f"user{number}",
            user_id=self._guid("user", number),
            object_id=self._guid("object", number),
            display_name=f"{first} {last}",
            mail=f"user{number}@{domain}.example",
            guest=guest,
            deleted=chance[3] % _ONE_IN["deleted"] == 0,
            invented=True,
        )

    def with_guid(self, text: str) -> User | None:
        """The user whose member id or object id it is."""
        for kind in ("user", "object"):
            number, rest = self._numbers(kind, text) or (self.count, 0)
            if number < self.count and not rest:
                return self.user(number)
        return None

    def _digest(self, *words: object) -> bytes:
        text = " ".join(map(str, (self.seed, *words)))
        return hashlib.blake2b(text.encode()).digest()

    def _guid(self, kind: str, number: int, second: int = 0) -> str:
        """A GUID that tells its numbers, so that none has to be remembered."""
        tail = number.to_bytes(4) + second.to_bytes(4)
        return str(uuid.UUID(bytes=self._digest(kind)[:8] + tail))

    def _numbers(self, kind: str, text: str) -> tuple[int, int] | None:
        """The numbers that a GUID of this kind tells; None if it is not one."""
        try:
            found = uuid.UUID(text).bytes
        except ValueError:
            return None
        if found[:8] != self._digest(kind)[:8]:
            return None
        return int.from_bytes(found[8:12]), int.from_bytes(found[12:])
