"""Any number of invented users with tokens, made when asked for: numbers and a seed tell all."""

from __future__ import annotations

import hashlib
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from azdo_pat.emulator import times
from azdo_pat.emulator.directory import CONTOSO, User
from azdo_pat.emulator.tokens import Token, derived_secret, hash_secret

LARGEST: Final = 100_000
_FIRST_NAMES: Final = """
Aisha Björn Chloé Dmitri Elif Fatima Giorgos Hana Ines Jamal Kofi Lucía Mateus Nadia Olu Priya
Quentin Rosa Sven Thi
"""
_LAST_NAMES: Final = """
Abe Bergström Costa Dubois Evans Fischer García Haddad Ito Jensen Kowalski Lindqvist Müller Nguyen
Okafor Petrov Quiroga Rossi Singh Tanaka Usman Vargas Weber Xu Zhang
"""
_ONE_IN: Final = {"guest": 20, "deleted": 50, "global": 25, "revoked": 20}
_NAMES: Final = ("build", "release", "feed", "laptop", "nightly", "script", "report", "mirror")
_SCOPES: Final = (
    "vso.code",
    "vso.code_write",
    "vso.packaging",
    "vso.packaging_write",
    "vso.build_execute vso.code",
    "vso.work",
    "app_token",
)
_LIVES: Final = (30, 90, 180, 365)
_TIME_PASSED: Final = 1.25
"""At most, as a share of a token's life; the ones above 1 have expired."""
MOST_TOKENS: Final = 99
_WIDTHS: Final = (6, 2)
"""Of the numbers that a secret begins with."""


@dataclass(frozen=True, kw_only=True)
class Crowd:
    """``count`` users with up to ``tokens`` tokens each; the same seed makes the same ones.

    Tokens are as they were ``since`` then.
    """

    count: int
    seed: int = 1
    tokens: int = 5
    since: datetime = datetime(2026, 1, 1, tzinfo=UTC)

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

    def tokens_of(self, user: User) -> list[Token]:
        """The tokens of one of these users; of anyone else none."""
        number, _ = self._numbers("user", user.user_id) or (self.count, 0)
        return [self._token(number, index) for index in range(self._count_of(number))]

    def token(self, authorization_id: str) -> Token | None:
        """The token with this id."""
        return self._numbered(self._numbers("token", authorization_id))

    def token_with(self, secret: str) -> Token | None:
        """The token with this secret, which begins with the token's numbers."""
        number, index = secret[: _WIDTHS[0]], secret[_WIDTHS[0] : sum(_WIDTHS)]
        if not (number + index).isascii() or not number.isdecimal() or not index.isdecimal():
            return None
        token = self._numbered((int(number), int(index)))
        return token if token is not None and token.secret_hash == hash_secret(secret) else None

    def secrets_of(self, user: User) -> list[str]:
        """The secrets of the user's tokens, in their order."""
        number, _ = self._numbers("user", user.user_id) or (self.count, 0)
        return [self._secret(number, index) for index in range(self._count_of(number))]

    def _count_of(self, number: int) -> int:
        if number >= self.count:
            return 0
        return self._digest("tokens", number)[0] % (self.tokens + 1)

    def _numbered(self, numbers: tuple[int, int] | None) -> Token | None:
        if numbers is None or numbers[1] >= self._count_of(numbers[0]):
            return None
        return self._token(*numbers)

    def _token(self, number: int, index: int) -> Token:
        chance = self._digest("token", number, index)
        life = timedelta(days=_LIVES[chance[0] % len(_LIVES)])
        start = self.since - life * (_TIME_PASSED * chance[1] / 255) - timedelta(seconds=chance[2])
        everywhere = chance[3] % _ONE_IN["global"] == 0
        return Token(
            authorization_id=self._guid("token", number, index),
            owner_id=self._guid("user", number),
            display_name=f"{_NAMES[chance[4] % len(_NAMES)]} {index + 1}",
            scope=_SCOPES[chance[5] % len(_SCOPES)],
            target_accounts=None if everywhere else (CONTOSO.organization_id,),
            valid_from=times.quantise(start),
            valid_to=times.quantise(start + life),
            secret_hash=hash_secret(self._secret(number, index)),
            revoked=chance[6] % _ONE_IN["revoked"] == 0,
        )

    def _secret(self, number: int, index: int) -> str:
        beginning = f"{number:0{_WIDTHS[0]}d}{index:0{_WIDTHS[1]}d}"
        return derived_secret(beginning, self._digest("secret", number, index), self.since)

    def _digest(self, *words: object) -> bytes:
        text = " ".join(map(str, (self.seed, *words)))
        return hashlib.blake2b(text.encode()).digest()

    def _guid(self, kind: str, number: int, second: int = 0) -> str:
        """A GUID that ends with its numbers, so that none has to be remembered.

        It begins differently for each, as the service's do: people type the beginning.
        """
        tail = number.to_bytes(4) + second.to_bytes(4)
        return str(uuid.UUID(bytes=self._digest(kind, number, second)[:8] + tail))

    def _numbers(self, kind: str, text: str) -> tuple[int, int] | None:
        """The numbers that a GUID of this kind tells; None if it is not one."""
        try:
            found = uuid.UUID(text).bytes
        except ValueError:
            return None
        numbers = int.from_bytes(found[8:12]), int.from_bytes(found[12:])
        return numbers if found[:8] == self._digest(kind, *numbers)[:8] else None
