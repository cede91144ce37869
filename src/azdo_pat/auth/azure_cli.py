"""The access token of the user who is signed in to the Azure CLI."""

import json
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from azdo_pat.auth.chain import Absent
from azdo_pat.auth.claims import AZURE_DEVOPS, Resource, inspect
from azdo_pat.auth.entra_errors import explained
from azdo_pat.errors import SignInError
from azdo_pat.executables import captured, find_program
from azdo_pat.homes import home_folder
from azdo_pat.models import AccessToken
from azdo_pat.redaction import masked
from azdo_pat.waiting import Waits, unheard

NAME: Final = "Azure CLI"

# `az` needs a second to start and may then ask Entra for a new token.
_SECONDS: Final = 60.0
_MOST_SHOWN: Final = 500

# The messages of knack and azure-cli-core (`Profile.get_subscription`): no account, or none chosen.
_NO_ACCOUNT: Final = re.compile(r"please run '?\"?az login|run 'az login' to setup", re.IGNORECASE)
_NO_SUBSCRIPTION: Final = re.compile(r"no subscription found|az account set", re.IGNORECASE)

_CACHE: Final = re.compile(
    r"msal_token_cache|service_principal_entries|msal_http_cache|decryption failed"
    r"|PersistenceDecryptionError|token from msal cache|azureProfile\.json",
    re.IGNORECASE,
)
_BROKER: Final = re.compile(r"Response_Status\.|\(pii\)|broker|\bWAM\b", re.IGNORECASE)
_INTERACTION: Final = re.compile(r"interactive authentication is needed|AADSTS", re.IGNORECASE)
_ITS_LOGIN: Final = re.compile(r"^\s*(az login\b[^\n]*)$", re.MULTILINE)
"""The command that `az` itself suggests, on a line of its own."""

_ADVICE: Final = re.compile(
    r"^(?:az (?:login|logout|account)\b|WARNING\b|interactive authentication is needed"
    r"|run the command below|please explicitly log in|to re-?authenticate, please"
    r"|If the problem persists|(?:Trace|Correlation) ID:|Timestamp:|~+$|\^+$)",
    re.IGNORECASE,
)
"""Lines with instructions or locations, not the cause."""
_SIGN_IN_HINT: Final = (
    "the Azure CLI returns the same access token until you sign in again; to do so, run:"
    " az account clear, then az login; or run: pat login"
)
"""Its tokens are valid up to 28 hours, and it does not know that one was rejected (Azure SDK for
Python, issue 42194)."""


@dataclass(frozen=True, kw_only=True)
class AzureCliSource:
    """`az account get-access-token` for a service.

    Attributes:
        environment: the environment of `az`, which is searched for on its PATH.
        tenant: the tenant of the token; empty for the one selected in `az`.
        resource: the service.
        waits: is told while `az` runs.
    """

    environment: Mapping[str, str]
    tenant: str = ""
    resource: Resource = AZURE_DEVOPS
    name: str = NAME
    seconds: float = _SECONDS
    waits: Waits = unheard

    @property
    def program(self) -> str | None:
        """The path of `az`; None if it is not installed."""
        return find_program("az", {"PATH": "", **self.environment})

    @property
    def was_used(self) -> bool:
        """Whether it is installed, and a user has signed in with it."""
        folder = self.environment.get("AZURE_CONFIG_DIR") or home_folder() / ".azure"
        return self.program is not None and Path(folder, "azureProfile.json").is_file()

    @property
    def _folder(self) -> str:
        """The folder of its sign-ins, as the user would type it."""
        usual = r"%USERPROFILE%\.azure" if sys.platform == "win32" else "~/.azure"
        return self.environment.get("AZURE_CONFIG_DIR") or usual

    def access_token(self, now: datetime) -> AccessToken | Absent:
        """Run `az`; see `TokenSource`.

        Raises:
            SignInError: `az` fails for another reason than a missing sign-in.
        """
        program = self.program
        if program is None:
            return Absent(reason="not installed")
        done = self._run(program)
        if done.returncode == 0:
            text = _token_of(done.stdout)
            found = inspect(text, source=self.name, now=now, resource=self.resource)
            return found._replace(sign_in_hint=_SIGN_IN_HINT)
        said = done.stderr.strip()
        if not _INTERACTION.search(said):
            if _NO_SUBSCRIPTION.search(said):
                return Absent(reason="no subscription is selected (az account set)")
            if _NO_ACCOUNT.search(said) and not _CACHE.search(said) and not _BROKER.search(said):
                return Absent(reason="no user is signed in (az login)")
        raise self._failure(said, done.returncode)

    def in_place_of(self, rejected: AccessToken, now: datetime) -> AccessToken | None:
        """Return a replacement for a token that the service rejected; None if `az` has no other.

        It returns the same one until shortly before the expiry that it knows. A token of another
        user, who has signed in meanwhile, would go on with what this user began.

        Raises:
            SignInError: `az` cannot get a token.
        """
        fresh = self.access_token(now)
        if isinstance(fresh, Absent) or fresh.secret == rejected.secret:
            return None
        return fresh if fresh.user == rejected.user else None

    def _failure(self, said: str, status: int) -> SignInError:
        """Return the error for the output of `az`, with its message and suggested command."""
        own = _ITS_LOGIN.search(said)
        login = own[1].strip() if own else "az login"
        if self.tenant and not own:
            login += f" --tenant {self.tenant}"
        message, hint = "the Azure CLI could not get an access token", f"run: {login}"
        line = _meaningful(said)
        if reason := explained(said):
            message += f": {reason}"
        elif _CACHE.search(said):
            message += ": it cannot read its saved sign-in"
            hint = (
                f"check who owns the files in {self._folder}; or, to sign in again, run:"
                " az account clear, then az login"
            )
        elif _BROKER.search(said):
            message += ": the sign-in broker of the system (WAM) failed"
            hint = (
                f"run: {login}; if that fails as well, sign in without the broker:"
                " az config set core.enable_broker_on_windows=false, then az login"
            )
        elif not _INTERACTION.search(said) and not own:
            hint = (
                "to see the cause, run: az account get-access-token; to sign in again, run:"
                f" {login}"
            )
        return SignInError(message, hint=hint, server_message=line or f"exit status {status}")

    def _run(self, program: str) -> subprocess.CompletedProcess[str]:
        # The output contains a bearer: it is captured, and must not appear in a message.
        wanted = ["--resource", self.resource.id, "-o", "json"]
        command = [program, "account", "get-access-token", *wanted]
        if self.tenant:
            command += ["--tenant", self.tenant]
        try:
            environment = {**self.environment, "AZURE_CORE_NO_COLOR": "true"}
            if own := environment.get("AZURE_CONFIG_DIR"):
                environment["AZURE_CONFIG_DIR"] = str(Path(own).absolute())
            # Its Python may look for modules in the folder that it is started in.
            folder = Path(program).parent
            with self.waits("waiting for the Azure CLI (az)"):
                done = captured(command, environment, folder=folder, seconds=self.seconds)
        except subprocess.TimeoutExpired:
            raise SignInError(
                f"the Azure CLI did not answer within {self.seconds:.0f} seconds",
                hint="to see the cause, run: az account get-access-token; or set"
                f" {self.resource.variable}",
            ) from None
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or error
            raise SignInError(
                f"the Azure CLI at {program} cannot be run: {reason}",
                hint=f"repair the Azure CLI, or set {self.resource.variable}",
            ) from error
        texts = (each.decode("utf-8", "replace") for each in (done.stdout, done.stderr))
        return subprocess.CompletedProcess(command, done.returncode, *texts)


def _meaningful(said: str) -> str:
    """Return the line of the output that names the cause, without secrets; empty if none does."""
    lines = [each.strip() for each in said.splitlines() if each.strip()]
    telling = [each for each in lines if not _ADVICE.search(each)]
    found = next((each for each in telling if "AADSTS" in each), "")
    if not found:
        marked = [each for each in telling if each.startswith("ERROR:")]
        found = (marked or telling or lines or [""])[-1]
    found = re.split(r"\s*Trace ID:", found.removeprefix("ERROR:").strip(), maxsplit=1)[0]
    return masked(found)[:_MOST_SHOWN]


def _token_of(output: str) -> str:
    try:
        document = json.loads(output)
    except (ValueError, RecursionError):
        document = None
    token = document.get("accessToken") if isinstance(document, dict) else None
    if not isinstance(token, str) or not token:
        raise SignInError(
            "the output of the Azure CLI is not an access token",
            hint="to see the output, run: az account get-access-token",
        ) from None
    return token
