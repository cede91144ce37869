"""A backend for keyring that answers pip, uv, twine and poetry for feeds of Azure Artifacts.

keyring finds it by its entry point wherever `pat` is installed. It stores nothing, and for every
service but our package hosts it says at once that it has nothing: the next backend is asked then.
Where there is no next one, keyring's own `fail` backend answers, as it would without this one: by
its `NoKeyringError` programs know that there is no keyring, and keep passwords in another way.
"""

from __future__ import annotations

from typing import ClassVar
from urllib.parse import urlsplit

import keyring
from keyring.backend import KeyringBackend
from keyring.backends import fail
from keyring.credentials import Credential, SimpleCredential
from keyring.errors import KeyringError


class PackagesBackend(KeyringBackend):
    """Gives the stored token that may read packages of the feed's organization."""

    priority: ClassVar[float] = 9  # before what stores, behind Microsoft's own artifacts-keyring

    def get_credential(self, service: str, username: str | None) -> Credential | None:
        """Return user name and secret for the URL of a feed; else None.

        Raises:
            KeyringError: it is a feed of ours, and its token cannot be had; says why.
        """
        place = _place(service)
        if place is None:
            return _nobody().get_credential(service, username) if self._is_alone() else None
        from azdo_pat.cli.feeds import secret_for_feed  # noqa: PLC0415 - other services pay nothing
        from azdo_pat.errors import PatError  # noqa: PLC0415 - as above
        from azdo_pat.models import USER_NAME  # noqa: PLC0415 - as above

        try:
            secret = secret_for_feed(*place)
        except PatError as error:
            from azdo_pat.output.defused import harmless  # noqa: PLC0415 - as above

            raise KeyringError(harmless(f"{error.message} ({error.hint})")) from None
        if secret is None:
            return None
        return SimpleCredential(username or USER_NAME, secret.reveal())

    def get_password(self, service: str, username: str) -> str | None:
        """Return the secret for the URL of a feed, whatever the user name.

        Raises:
            NoKeyringError: it is no feed, and there is no other backend.
        """
        found = self.get_credential(service, username)
        return None if found is None else found.password

    def set_password(self, service: str, username: str, password: str) -> None:
        """Leave that to the next backend.

        Raises:
            NoKeyringError: there is none.
        """
        if self._is_alone():
            _nobody().set_password(service, username, password)
        raise NotImplementedError

    def delete_password(self, service: str, username: str) -> None:
        """Leave that to the next backend.

        Raises:
            NoKeyringError: there is none.
        """
        if self._is_alone():
            _nobody().delete_password(service, username)
        raise NotImplementedError

    def _is_alone(self) -> bool:
        """Tell whether keyring asks this backend alone, and not one after the other."""
        return isinstance(keyring.get_keyring(), PackagesBackend)


def _nobody() -> KeyringBackend:
    """Return what keyring asks where there is no keyring."""
    return fail.Keyring()  # type: ignore[no-untyped-call]  # keyring's own has no types


def _place(service: str) -> tuple[str, str, str] | None:
    """Return protocol, host and path of what may be a feed of ours; None for other services.

    pip and uv ask by the URL first, and then by the host alone: that names neither the protocol
    nor the organization, and gets no answer.
    """
    if not service.isprintable() or set(service) & set("\\ "):
        return None  # programs do not agree on what host such a URL names
    try:
        parts = urlsplit(service)
        host = parts.hostname or ""
    except ValueError:
        return None
    if parts.scheme not in {"https", "http"} or not host:
        return None
    # What is exactly ours is said by azdo_pat.organizations; servers that were imported have any
    # host, and feeds with `_packaging` in their path.
    ours = host == "pkgs.dev.azure.com" or host.endswith(".pkgs.visualstudio.com")
    if not ours and "/_packaging/" not in parts.path:
        return None
    return parts.scheme, parts.netloc.rpartition("@")[2], parts.path
