"""Stores secrets in the operating system's keyring, and reads each back after writing.

keyring takes 110 ms to import and up to 75 ms to look for backends, so both wait until they are
needed: most reads need neither.
"""

import sys
import time
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar

from azdo_pat.errors import StoreError
from azdo_pat.models import Secret
from azdo_pat.store.backend_cache import BackendCache
from azdo_pat.store.probes import Probes
from azdo_pat.waiting import TimeLimitError, Waits, unheard, within

if TYPE_CHECKING:
    from azdo_pat.store.keyring_backends import KeyringBackends

DEFAULT_TIMEOUT: Final = 8.0
"""Seconds for one operation without a user: a hanging backend is reported within ten."""

DEFAULT_PATIENCE: Final = 60.0
"""Seconds for one operation when the user may be asked to unlock the keyring."""

SANDBOX_BACKEND: Final = "azdo_pat.store.sandbox_keyring.SandboxKeyring"
"""The class path of the keyring of `pat sandbox`, a file that is removed at its end."""

_SECOND_LOOK: Final = 0.2
"""Seconds until the Secret Service is asked again for a secret that it did not find.

gnome-keyring, once in some ten thousand times, does not find an item that is there and that it
finds a moment later.
"""

_OWN_BACKENDS: Final = "keyring.backends."

_ITS_SERVICE: Final = (
    "" if sys.platform in {"darwin", "win32"} else " (for the Secret Service: gnome-keyring-daemon)"
)
_READ_OVER_DBUS: Final = "keyring.backends.SecretService.Keyring"

Result = TypeVar("Result")


def service_name(org_url: str) -> str:
    """Return the keyring service under which the secrets of an organization are stored."""
    return f"azdo-pat:{org_url}"


class SecretStore:
    """The keyring. Every method raises `StoreError` on failure.

    Args:
        backend: a class path from PAT_KEYRING or the configuration; naming a plaintext backend
            here is the permission to use it. None leaves the choice to keyring.
        cache_file: the cache of the backend used last, and beside it the lock by which
            several processes take turns; None for neither.
        environment: the process's environment variables.
        timeout: seconds for one operation where there is no desktop.
        patience: the same where a person may be asked, by a desktop or on a terminal.
        on_terminal: a person is at a terminal, where some backends ask for their passphrase.
        waits: is told of the wait for each answer, unless the backend may ask on the terminal.
    """

    def __init__(  # noqa: PLR0913 - the composition root sets each once, by name
        self,
        *,
        backend: str | None,
        cache_file: Path | None,
        environment: Mapping[str, str],
        timeout: float = DEFAULT_TIMEOUT,
        patience: float = DEFAULT_PATIENCE,
        on_terminal: bool = False,
        waits: Waits = unheard,
    ) -> None:
        self._backend = backend
        self._environment = environment
        self._found: tuple[str, ...] = ()
        self._remembered = BackendCache(cache_file, environment)
        self._lock_file = cache_file and cache_file.with_name("keyring.lock")
        self._probes = Probes(cache_file and cache_file.with_name("probes"))
        asks = _has_desktop(environment) or (on_terminal and self._may_ask_on_terminal())
        self._seconds = max(timeout, patience) if asks else timeout
        self._hangs = False
        self._opened: KeyringBackends | None = None
        self._waits = waits

    def _may_ask_on_terminal(self) -> bool:
        """Return whether the backend may prompt on the terminal; keyring's own do not."""
        in_use = self._in_use()
        return not in_use or not all(each.startswith(_OWN_BACKENDS) for each in in_use)

    def check(self) -> None:
        """Write, read back and delete a test entry."""
        self._run(lambda vault: vault.check())

    def clear_probes(self) -> None:
        """Delete the test entries that killed processes have left behind, if any.

        Usually there are none, and the keyring is not opened.
        """
        if self._probes.left_behind():
            self._run(lambda vault: vault.clear_probes())

    def get(self, org_url: str, name: str, *, confirm_absence: bool = True) -> Secret | None:
        """Return the stored secret of a token, or None if there is none.

        Args:
            org_url: the URL of the token's organization.
            name: the name of the token.
            confirm_absence: ask twice before returning None where a keyring may be mistaken. It
                takes 0.2 seconds, which a caller who expects no secret need not spend.
        """
        _require_text("name", name)
        text = self._within(lambda: self._read(service_name(org_url), name))
        if text is None and confirm_absence and self._may_overlook():
            time.sleep(_SECOND_LOOK)
            text = self._within(lambda: self._read(service_name(org_url), name))
        return None if text is None else Secret(text)

    def put(self, org_url: str, name: str, secret: Secret) -> None:
        """Store a secret, replacing the one of that name, and read it back.

        On failure the previous secret is still stored, or the error says that it may be lost.
        """
        _require_text("name", name)
        _require_text("secret", secret.reveal())
        self._run(lambda vault: vault.put(service_name(org_url), name, secret.reveal()))

    def delete(self, org_url: str, name: str) -> bool:
        """Delete a secret; False if there was none."""
        _require_text("name", name)
        return self._run(lambda vault: vault.delete(service_name(org_url), name))

    def keep_before(self, service: str, account: str) -> None:
        """Back up another program's entry before replacing it."""
        held = self._run(lambda vault: vault.get(service, account))
        if held is None:
            self.drop_aside(service, account)
        else:
            self.set_aside(service, account, Secret(held))

    def lend(self, service: str, account: str, secret: Secret) -> None:
        """Store a secret in another program's entry; see `keep_before`."""
        self._run(lambda vault: vault.put(service, account, secret.reveal()))

    def take_back(self, service: str, account: str, ours: Collection[str] = ()) -> None:
        """Restore the other program's entry from before `lend`; the backup stays.

        Args:
            service: that program's own.
            account: the user name of the entry.
            ours: the secret that was stored there, if known; any other is left unchanged.
        """
        held = self._run(lambda vault: vault.get(service, account))
        if ours and held is not None and held not in ours:
            return
        before = self.was_before(service, account)
        if before is None:
            self._run(lambda vault: vault.delete(service, account))
            return
        self._run(lambda vault: vault.put(service, account, before.reveal()))

    def set_aside(self, service: str, account: str, held: Secret) -> None:
        """Store the backup of another program's entry."""
        self._run(lambda vault: vault.put(_before(service), account, held.reveal()))

    def was_before(self, service: str, account: str) -> Secret | None:
        """Return the backup; None if there is none."""
        text = self._run(lambda vault: vault.get(_before(service), account))
        return None if text is None else Secret(text)

    def drop_aside(self, service: str, account: str) -> None:
        """Delete the backup."""
        self._run(lambda vault: vault.delete(_before(service), account))

    def describe(self) -> str:
        """Return the backend in use: `Secret Service (keyring.backends.SecretService.Keyring)`."""
        return self._run(lambda vault: vault.describe())

    def _in_use(self) -> tuple[str, ...]:
        """Return the class paths of the backends used last, best first; none if not known."""
        if self._backend:
            return (self._backend,)
        return self._found or self._remembered.recall()

    def _may_overlook(self) -> bool:
        return _READ_OVER_DBUS in self._in_use()

    def _read(self, service: str, user: str) -> str | None:
        found, text = self._read_directly(service, user)
        return text if found else self._vault().get(service, user)

    def _read_directly(self, service: str, user: str) -> tuple[bool, str | None]:
        """Read from the Secret Service without keyring if that is the only backend in use.

        Returns:
            Whether the answer is final, and the secret.
        """
        configured = any(name.startswith("KEYRING_PROPERTY_") for name in self._environment)
        known = () if self._found else self._in_use()  # what was just found has yet to work once
        if known == (_READ_OVER_DBUS,) and sys.platform == "linux" and not configured:
            with suppress(Exception):  # whatever it is, keyring tries, and explains
                from azdo_pat.store.secret_service import read  # noqa: PLC0415 - it is Linux only

                return True, read(service, user)
        return False, None

    def _vault(self) -> "KeyringBackends":
        if self._opened is None:
            from azdo_pat.store.keyring_backends import KeyringBackends  # noqa: PLC0415 - it imports keyring

            self._opened = KeyringBackends(
                self._backend,
                self._remembered,
                asks_somebody=_has_desktop(self._environment),
                probes=self._probes,
                lock_file=self._lock_file,
            )
        return self._opened

    def _run(self, work: "Callable[[KeyringBackends], Result]") -> Result:
        return self._within(lambda: work(self._vault()))

    def _within(self, work: Callable[[], Result]) -> Result:
        if self._hangs:
            # The next call of a bulk operation would wait as long again.
            raise _no_answer(self._seconds)
        try:
            if not self._in_use():  # the first time on this machine: nothing asks for anything yet
                with self._waits("waiting for the keyring"):
                    self._found = within(self._seconds, lambda: self._vault().paths())
            if self._may_ask_on_terminal():
                return within(self._seconds, work)
            with self._waits("waiting for the keyring, which may ask to be unlocked"):
                return within(self._seconds, work)
        except TimeLimitError:
            self._hangs = True
            raise _no_answer(self._seconds) from None
        except StoreError as error:
            # The backend's exception is dropped: its message and frames may contain a secret.
            error.__context__ = None
            raise


def _before(service: str) -> str:
    return service_name(f"before {service}")


def _has_desktop(environment: Mapping[str, str]) -> bool:
    return sys.platform in {"darwin", "win32"} or any(
        environment.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY")
    )


def _require_text(what: str, text: str) -> None:
    # Without an exception, which would contain the text itself.
    if any("\ud800" <= character <= "\udfff" for character in text):
        raise StoreError(
            f"the {what} cannot be stored: it contains a character that is not valid text",
            hint=f"use a {what} without it",
        )


def _no_answer(seconds: float) -> StoreError:
    return StoreError(
        f"the keyring did not answer within {seconds:g} seconds",
        hint=f"unlock the keyring, or restart its service{_ITS_SERVICE}; to use another backend,"
        " set PAT_KEYRING",
    )
