"""What HashiCorp Vault's and OpenBao's own programs use to reach a server, for deliveries to it.

Sources: HashiCorp Vault and OpenBao, "CLI", on environment variables and the token helper. OpenBao
reads `BAO_…` before `VAULT_…`.
"""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from azdo_pat.errors import SignInError, UsageError
from azdo_pat.homes import expanded, home_folder
from azdo_pat.models import Secret
from azdo_pat.urls import parse

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


class VaultSignIn:
    """The token and the certificates of one run.

    Args:
        environment: its variables.
        say: tells the user something.
    """

    def __init__(self, environment: Mapping[str, str], say: Callable[[str], None]) -> None:
        self._environment = environment
        self._say = say

    def token(self, address: str) -> Secret:
        """Return the token for a server.

        Raises:
            SignInError: there is none.
            UsageError: the environment names another server, whose token it must be.
        """
        set_for, variable = self._given("ADDR")
        if not set_for:
            raise UsageError(
                "VAULT_ADDR is not set, so it is not known which server the token is for",
                hint=f"set VAULT_ADDR (or BAO_ADDR) to {_shown(address)}, the target's server",
            )
        if _place(set_for) != _place(address):
            raise UsageError(
                f"the target is on {_shown(address)}, but {variable} and the token are for"
                f" {_shown(set_for)}",
                hint=f"set {variable} to the target's server, with a token of it; to move the"
                " target, deliver it anew with --deliver",
            )
        given, _ = self._given("TOKEN")
        text = given or self._saved()
        if not text:
            raise SignInError(
                f"no token for {_shown(address)} is set or saved",
                hint="sign in: vault login (or bao login); or set VAULT_TOKEN (or BAO_TOKEN)",
            )
        return Secret(text)

    @cached_property
    def ca_bundle(self) -> str | None:
        """The file of certificates to trust; None for the usual ones.

        Raises:
            UsageError: there is no such file.
        """
        skipping, variable = self._given("SKIP_VERIFY")
        if skipping.lower() in {"1", "t", "true"}:
            self._say(
                f"{variable} is not heeded: the secret is sent only to a server with a certificate"
                " that is trusted; to trust one, set VAULT_CACERT (or BAO_CACERT)"
            )
        given, variable = self._given("CACERT")
        if not given:
            return None
        file = expanded(Path(given))
        if not file.is_file():
            raise UsageError(
                f"{variable} names no file: {file}",
                hint="set it to a file of certificates, as PEM, or unset it",
            )
        return str(file)

    def _given(self, name: str) -> tuple[str, str]:
        """Return the value of a variable, and which it is; OpenBao's own is read first."""
        for variable in (f"BAO_{name}", f"VAULT_{name}"):
            if value := self._environment.get(variable, "").strip():
                return value, variable
        return "", f"VAULT_{name}"

    def _saved(self) -> str:
        """Return the token that `vault login` or `bao login` has saved; both use one file."""
        file = home_folder() / ".vault-token"
        try:
            return file.read_text("utf-8").strip()
        except FileNotFoundError:
            return ""
        except (OSError, ValueError):
            raise SignInError(
                f"{file} cannot be read", hint="check it, or set VAULT_TOKEN (or BAO_TOKEN)"
            ) from None


def _place(address: str) -> tuple[str, str, int, str]:
    url = parse(address)
    port = url.port or (443 if url.scheme == "https" else 80)
    return url.scheme, url.host, port, url.path.strip("/")


def _shown(address: str) -> str:
    """Return the address without a user name or password."""
    url = parse(address)
    return f"{url.scheme}://{url.netloc.rpartition('@')[2]}{url.path.rstrip('/')}"
