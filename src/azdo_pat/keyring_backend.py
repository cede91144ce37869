"""A keyring backend that gives pip, uv, twine and poetry the token for Azure Artifacts feeds.

keyring finds it by its entry point wherever `pat` is installed. It stores nothing, and for every
service except our package hosts it returns nothing, so that the next backend is asked.
If there is no next one, keyring's own `fail` backend answers, as it would without this one:
programs see its `NoKeyringError` and store passwords in another way.
"""

from __future__ import annotations

from typing import ClassVar

import keyring
from keyring.backend import KeyringBackend
from keyring.backends import fail
from keyring.credentials import Credential, SimpleCredential
from keyring.errors import KeyringError

from azdo_pat.urls import parse


class PackagesBackend(KeyringBackend):
    """Returns the stored token that can read packages of the feed's organization."""

    priority: ClassVar[float] = 9  # before backends that store, after artifacts-keyring

    def get_credential(self, service: str, username: str | None) -> Credential | None:
        """Return user name and secret for the URL of a feed; None for other services.

        Raises:
            KeyringError: it is a feed of Azure Artifacts, but its token cannot be provided.
        """
        place = _place(service)
        if place is None:
            return _nobody().get_credential(service, username) if self._is_alone() else None
        from azdo_pat.cli.feed_lookup import secret_for_feed  # noqa: PLC0415 - other services pay nothing
        from azdo_pat.errors import PatError  # noqa: PLC0415 - as above
        from azdo_pat.models import USER_NAME  # noqa: PLC0415 - as above

        try:
            secret = secret_for_feed(*place)
        except PatError as error:
            from azdo_pat.output.sanitize import harmless  # noqa: PLC0415 - as above

            raise KeyringError(harmless(error.one_line)) from None
        if secret is None:
            return None
        return SimpleCredential(username or USER_NAME, secret.reveal())

    def get_password(self, service: str, username: str) -> str | None:
        """Return the secret for the URL of a feed, whatever the user name.

        Raises:
            NoKeyringError: it is not a feed, and there is no other backend.
        """
        found = self.get_credential(service, username)
        return None if found is None else found.password

    def set_password(self, service: str, username: str, password: str) -> None:
        """Leave this to the next backend.

        Raises:
            NoKeyringError: there is no other backend.
        """
        if self._is_alone():
            _nobody().set_password(service, username, password)
        raise NotImplementedError

    def delete_password(self, service: str, username: str) -> None:
        """Leave this to the next backend.

        Raises:
            NoKeyringError: there is no other backend.
        """
        if self._is_alone():
            _nobody().delete_password(service, username)
        raise NotImplementedError

    def _is_alone(self) -> bool:
        """Return whether this is the only backend that keyring asks."""
        return isinstance(keyring.get_keyring(), PackagesBackend)


def _nobody() -> KeyringBackend:
    """Return the backend that keyring uses when there is no keyring."""
    return fail.Keyring()  # type: ignore[no-untyped-call]  # keyring's own has no types


def _place(service: str) -> tuple[str, str, str] | None:
    """Return protocol, host and path of a possible Azure Artifacts feed; None for other services.

    pip and uv ask for the URL first, and then for the host alone, which has neither the protocol
    nor the organization and so gets no answer.
    """
    if not service.isprintable() or set(service) & set("\\ "):
        return None  # programs disagree on the host of such a URL
    url = parse(service)
    if url.scheme not in {"https", "http"} or not url.host:
        return None
    # azdo_pat.organizations decides which hosts are ours; imported servers can have any
    # host, and feeds with `_packaging` in their path.
    ours = url.host == "pkgs.dev.azure.com" or url.host.endswith(".pkgs.visualstudio.com")
    if not ours and "/_packaging/" not in url.path:
        return None
    return url.scheme, url.authority, url.path
