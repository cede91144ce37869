"""The saved sign-in of `pat login` as a source of access tokens, renewed when due."""

from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from azdo_pat.auth.chain import Absent
from azdo_pat.auth.claims import inspect
from azdo_pat.auth.client import Granted, Wanted
from azdo_pat.auth.sign_ins import SignIn, SignIns, read, written
from azdo_pat.auth.storage import SignInStorage
from azdo_pat.errors import SignInError, StoreError, UnavailableError
from azdo_pat.models import AccessToken, Secret

if TYPE_CHECKING:
    from azdo_pat.auth.msal_client import MsalClient

NAME: Final = "pat login"
_MARGIN: Final = timedelta(minutes=5)
"""An access token that expires within this time is renewed: a command may take minutes."""

_SHORTEST: Final = timedelta(seconds=60)
"""Minimum remaining lifetime of an access token to use if renewing fails."""


class SavedSignIns(NamedTuple):
    """Loads and saves sign-ins; one process at a time changes them.

    Attributes:
        sign_ins: stores the access tokens, which are read without MSAL.
        cache: stores MSAL's cache, with the refresh tokens.
        turn: returns the lock to hold while changing them.
        marker: a file that exists while something is saved, so that users who never signed in
            need no access to the keyring.
        name: the authority, which is written to the marker.
    """

    sign_ins: SignInStorage
    cache: SignInStorage
    turn: Callable[[], AbstractContextManager[None]]
    marker: Path
    name: str

    @property
    def any(self) -> bool:
        """Whether a sign-in is saved for this authority."""
        return self.name in self._marked()

    def load(self) -> SignIns:
        """Return the saved sign-ins."""
        return read(self.sign_ins.load())

    def keep(self, sign_ins: SignIns, cache: Secret | None = None) -> None:
        """Save sign-ins, after the marker: a marker without a saved sign-in does no harm."""
        if not self.any:
            self._mark([*self._marked(), self.name])
        if cache is not None:
            self.cache.save(cache)
        self.sign_ins.save(written(sign_ins))

    def forget(self) -> bool:
        """Delete all saved sign-ins; return False if there was none."""
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
    """The sign-in saved by `pat login`, for the current organization.

    Args:
        memory: the saved sign-ins.
        organization: finds the URL of the current organization; empty if none is known.
        entra: creates the client that renews a sign-in, from MSAL's cache; imports MSAL.
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
        """Return the saved token, or a renewed one; see `TokenSource`."""
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
        """Return a replacement for a token that the service rejected before its expiry.

        Args:
            rejected: the rejected token; it is not used again in any case.
            claims: the claims that the service asked for, as JSON; empty for none.
            now: the current time.

        Raises:
            PatError: Entra requires the user to sign in, or cannot be reached.
        """
        url = self._organization()
        with self._memory.turn():
            sign_ins = self._memory.load()
            sign_in = sign_ins.of(url)
            if sign_in is not None and sign_in.token == rejected:
                ended = sign_in._replace(expires=now, challenge=claims or sign_in.challenge)
                self._memory.keep(sign_ins.with_fresh(ended))
        # Another process may have renewed it in the meantime.
        sign_in = self._renewed(url, now)
        return inspect(sign_in.token.reveal(), source=NAME, now=now)

    def _renewed(self, url: str, now: datetime) -> SignIn:
        with self._memory.turn():
            # Another process may have renewed it while this one waited.
            sign_ins = self._memory.load()
            sign_in = sign_ins.of(url)
            if sign_in is None:
                raise SignInError("another process has just signed out", hint="run: pat login")
            if sign_in.expires - now >= _MARGIN:
                return sign_in
            try:
                outcome = self._entra(sign_in, self._memory.cache.load()).renew(sign_in)
            except UnavailableError:
                if sign_in.expires - now > _SHORTEST:
                    return sign_in  # still valid; the next command tries again
                raise
            if isinstance(outcome, Granted):
                with suppress(StoreError):  # it can be used without being saved
                    self._memory.keep(sign_ins.with_fresh(outcome.sign_in), outcome.cache)
                return outcome.sign_in
            if outcome.claims:
                challenged = sign_in._replace(challenge=outcome.claims)
                self._memory.keep(sign_ins.with_fresh(challenged))
            raise outcome.failure


class SourceForService:
    """The account of the saved sign-in, as a source of access tokens for another service.

    Its access tokens are in MSAL's cache, not among the saved sign-ins.

    Args:
        memory: the saved sign-ins.
        organization: the URL of the organization whose sign-in to use; empty if none is known.
        entra: creates the client of a tenant, from MSAL's cache; imports MSAL.
        wanted: the access token.
    """

    name = NAME

    def __init__(
        self,
        *,
        memory: SavedSignIns,
        organization: str,
        entra: Callable[[SignIn, Secret | None], "MsalClient"],
        wanted: Wanted,
    ) -> None:
        self._memory = memory
        self._organization = organization
        self._entra = entra
        self._wanted = wanted

    def access_token(self, now: datetime) -> AccessToken | Absent:
        """Return an access token of the tenant; see `TokenSource`."""
        if not self._memory.any:
            return Absent(reason="not signed in")
        with self._memory.turn():
            sign_ins = self._memory.load()
            sign_in = sign_ins.of(self._organization)
            if sign_in is None:
                return Absent(reason="not signed in")
            there = sign_in._replace(tenant=self._wanted.tenant)
            entra = self._entra(there, self._memory.cache.load())
            outcome = entra.for_service(there, self._wanted)
            if not isinstance(outcome, Granted):
                raise outcome.failure
            with suppress(StoreError):  # it can be used without being saved
                self._memory.keep(sign_ins, outcome.cache)
        text = outcome.sign_in.token.reveal()
        return inspect(text, source=NAME, now=now, resource=self._wanted.resource)
