"""The access token of the user who is signed in to the Azure CLI."""

import json
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from azdo_pat.auth.claims import RESOURCE, inspect
from azdo_pat.auth.source import Absent
from azdo_pat.errors import SignInError
from azdo_pat.models import AccessToken

# `az` needs a second to start and may then ask Entra for a new token.
_SECONDS: Final = 60.0
_NOT_SIGNED_IN: Final = ("az login", "az account set", "no subscription found")


@dataclass(frozen=True, kw_only=True)
class AzureCliSource:
    """`az account get-access-token` for the Azure DevOps resource.

    Attributes:
        environment: what `az` runs in; its PATH is where `az` is looked for.
    """

    environment: Mapping[str, str]
    name: str = "Azure CLI"
    seconds: float = _SECONDS

    def access_token(self, now: datetime) -> AccessToken | Absent:
        """Ask `az`; see `TokenSource`.

        Raises:
            SignInError: `az` is there, and fails for another reason than nobody being signed in.
        """
        program = shutil.which("az", path=self.environment.get("PATH", ""))
        if program is None:
            return Absent(reason="not installed")
        done = self._run(program)
        if done.returncode == 0:
            return inspect(_token_of(done.stdout), source=self.name, now=now)
        said = done.stderr.strip()
        if "AADSTS" not in said and any(words in said.lower() for words in _NOT_SIGNED_IN):
            return Absent(reason="nobody is signed in (az login)")
        last = said.splitlines()[-1] if said else f"exit status {done.returncode}"
        raise SignInError(
            "the Azure CLI could not get an access token",
            hint="az login signs in again; pat works with what it then has",
            server_message=last,
        )

    def _run(self, program: str) -> subprocess.CompletedProcess[str]:
        # The output holds a bearer: it is captured, and goes into no message.
        command = [program, "account", "get-access-token", "--resource", RESOURCE, "-o", "json"]
        try:
            return subprocess.run(  # noqa: S603  # the user's own az, found on the user's PATH
                command,
                env={**self.environment, "AZURE_CORE_NO_COLOR": "true"},
                stdin=subprocess.DEVNULL,
                capture_output=True,
                encoding="utf-8",
                errors="replace",
                timeout=self.seconds,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise SignInError(
                f"the Azure CLI did not answer within {self.seconds:.0f} seconds",
                hint="try az account get-access-token by itself, or set PAT_ACCESS_TOKEN",
            ) from None
        except OSError as error:
            raise SignInError(
                f"the Azure CLI at {program} cannot be run: {error.strerror}",
                hint="mend it, or set PAT_ACCESS_TOKEN",
            ) from error


def _token_of(output: str) -> str:
    try:
        document = json.loads(output)
    except (ValueError, RecursionError):
        document = None
    token = document.get("accessToken") if isinstance(document, dict) else None
    if not isinstance(token, str) or not token:
        raise SignInError(
            "the Azure CLI answered with something that is not an access token",
            hint="az account get-access-token shows what it says",
        ) from None
    return token
