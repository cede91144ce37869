"""`pat login`'s own sign-in as a source of access tokens, renewed when it is due."""

from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from azdo_pat.auth.claims import inspect
from azdo_pat.auth.client import Granted
from azdo_pat.auth.places import SignInStorage
from azdo_pat.auth.sign_ins import SignIn, SignIns, read, written
from azdo_pat.auth.source import Absent
from azdo_pat.errors import SignInError, StoreError, UnavailableError
from azdo_pat.models import AccessToken, Secret

if TYPE_CHECKING:
    from azdo_pat.auth.msal_client import MsalClient

NAME: Final = "pat login"
_MARGIN: Final = timedelta(minutes=5)
"""A token that ends sooner is renewed: a command may take a while."""

_SHORTEST: Final = timedelta(seconds=60)
"""What is left of a token must be, for it to be used where it cannot be renewed."""


class SavedSignIns(NamedTuple):
    """Where sign-ins are remembered, and how they are changed by one process at a time.

    Attributes:
        sign_ins: the place of what is read without MSAL.
        cache: the place of MSAL's cache, with the refresh tokens.
        turn: gives the lock for changing them.
        marker: a file that is there while something is remembered: whoever never signed in pays
            for no look into the keyring.
        name: what to write into it: the authority.
    """

    sign_ins: SignInStorage
    cache: SignInStorage
    turn: Callable[[], AbstractContextManager[None]]
    marker: Path
    name: str

    @property
    def any(self) -> bool:
        """Whether something is remembered for this authority."""
        return self.name in self._marked()

    def load(self) -> SignIns:
        """Return what is remembered."""
        return read(self.sign_ins.load())

    def keep(self, sign_ins: SignIns, cache: Secret | None = None) -> None:
        """Remember it. The marker comes first: a look into the keyring for nothing is no harm."""
        if not self.any:
            self._mark([*self._marked(), self.name])
        if cache is not None:
            self.cache.save(cache)
        self.sign_ins.save(written(sign_ins))

    def forget(self) -> bool:
        """Remove all of it; False if there was nothing."""
        with self.turn():
            known = [self.cache.delete(), self.sign_ins.delete()]
            if self.any:
                self._mark([each for each in self._marked() if each != self.name])
        return any(known)

    def _marked(self) -> list[str]:
        try:
            return self.marker.read_text("utf-8").splitlines()
        except (OSError, ValueError):
            return []

    def _mark(self, names: list[str]) -> None:
        if not names:
            self.marker.unlink(missing_ok=True)
            return
        self.marker.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.marker.touch(mode=0o600)
        self.marker.write_text("".join(f"{each}\n" for each in names), "utf-8")


class OwnSource:
    """The sign-in that `pat login` left, for the organization at hand.

    Args:
        memory: what is remembered.
        organization: finds the URL of the organization at hand; empty where none is known.
        entra: makes the client that renews, from the sign-in and MSAL's cache; imports MSAL.
    """

    name = NAME

    def __init__(
        self,
        *,
        memory: SavedSignIns,
        organization: Callable[[], str],
        entra: Callable[[SignIn, Secret | None], "MsalClient"],
    ) -> None:
        self._memory = memory
        self._organization = organization
        self._entra = entra

    def access_token(self, now: datetime) -> AccessToken | Absent:
        """Return the remembered token, or a renewed one; see `TokenSource`."""
        if not self._memory.any:
            return Absent(reason="not signed in")
        url = self._organization()
        sign_in = self._memory.load().of(url)
        if sign_in is None:
            return Absent(reason="not signed in")
        if sign_in.expires - now < _MARGIN:
            sign_in = self._renewed(url, now)
        return inspect(sign_in.token.reveal(), source=NAME, now=now)

    def in_place_of(self, rejected: Secret, claims: str, now: datetime) -> AccessToken:
        """Return another token in place of one that the service rejected before its end.

        Args:
            rejected: that one; it is not used again, whatever comes of this.
            claims: what the service asked for, as JSON; empty for nothing.
            now: the time.

        Raises:
            PatError: MsalClient gives none without the user, or cannot be asked.
        """
        url = self._organization()
        with self._memory.turn():
            sign_ins = self._memory.load()
            sign_in = sign_ins.of(url)
            if sign_in is not None and sign_in.token == rejected:
                ended = sign_in._replace(expires=now, challenge=claims or sign_in.challenge)
                self._memory.keep(sign_ins.with_fresh(ended))
        # Another pat may have renewed it meanwhile.
        sign_in = self._renewed(url, now)
        return inspect(sign_in.token.reveal(), source=NAME, now=now)

    def _renewed(self, url: str, now: datetime) -> SignIn:
        with self._memory.turn():
            # Another pat may have renewed it while this one waited.
            sign_ins = self._memory.load()
            sign_in = sign_ins.of(url)
            if sign_in is None:
                raise SignInError("the sign-in was removed just now", hint="run: pat login")
            if sign_in.expires - now >= _MARGIN:
                return sign_in
            try:
                outcome = self._entra(sign_in, self._memory.cache.load()).renew(sign_in)
            except UnavailableError:
                if sign_in.expires - now > _SHORTEST:
                    return sign_in  # it does for now, and Entra may answer the next one
                raise
            if isinstance(outcome, Granted):
                with suppress(StoreError):  # it serves this command all the same
                    self._memory.keep(sign_ins.with_fresh(outcome.sign_in), outcome.cache)
                return outcome.sign_in
            if outcome.claims:
                challenged = sign_in._replace(challenge=outcome.claims)
                self._memory.keep(sign_ins.with_fresh(challenged))
            raise outcome.failure
