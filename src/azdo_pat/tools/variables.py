"""The environment variables that give a token to programs."""

from __future__ import annotations

from base64 import b64encode
from typing import TYPE_CHECKING, Final, NamedTuple

from azdo_pat.errors import UsageError
from azdo_pat.models import USER_NAME, VARIABLE
from azdo_pat.organizations import serves
from azdo_pat.tools.tool import spellings
from azdo_pat.urls import parse

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from azdo_pat.models import Organization, Secret


class Given(NamedTuple):
    """The facts from which the variables are made.

    Attributes:
        feeds: URLs of package feeds, if the program needs them.
        environment: the program's other variables.
        words: the command.
    """

    secret: Secret
    organization: Organization
    feeds: Sequence[str]
    environment: Mapping[str, str]
    words: Sequence[str]


def _az(given: Given) -> dict[str, str]:
    return {VARIABLE: given.secret.reveal()}


def _terraform(given: Given) -> dict[str, str]:
    """Source: the provider microsoft/azuredevops, "Authenticating with a PAT"."""
    return {
        "AZDO_PERSONAL_ACCESS_TOKEN": given.secret.reveal(),
        "AZDO_ORG_SERVICE_URL": given.organization.url,
    }


def _npm(given: Given) -> dict[str, str]:
    """Return the token unencoded, and in base64 for `:_password=${…}` in an `.npmrc`."""
    text = given.secret.reveal()
    return {"NPM_TOKEN": text, "NPM_TOKEN_BASE64": b64encode(text.encode()).decode("ascii")}


def _nuget(given: Given) -> dict[str, str]:
    """Source: the Azure Artifacts credential provider's README."""
    import json  # noqa: PLC0415 - one program of many

    if not given.feeds:
        raise UsageError(
            "no feed given",
            hint="add --feed https://pkgs.dev.azure.com/ORG/_packaging/FEED/nuget/v3/index.json",
        )
    for feed in given.feeds:
        _check_feed(feed, given.organization)
    credentials = [
        {"endpoint": feed, "username": USER_NAME, "password": given.secret.reveal()}
        for named in given.feeds
        for feed in spellings(named)
    ]
    return {"VSS_NUGET_EXTERNAL_FEED_ENDPOINTS": json.dumps({"endpointCredentials": credentials})}


def _check_feed(feed: str, organization: Organization) -> None:
    """Check that a feed belongs to the token's organization.

    Raises:
        UsageError: it is not.
    """
    plain = feed.isprintable() and not set(feed) & set(" \\")
    if not plain or not serves(organization.url, *parse(feed).place, feeds=True):
        raise UsageError(
            f"{feed!r} is not a feed of {organization.name}, whose token would be sent to it",
            hint="as in https://pkgs.dev.azure.com/ORG/_packaging/FEED/nuget/v3/index.json",
        )


def _twine(given: Given) -> dict[str, str]:
    return {"TWINE_USERNAME": USER_NAME, "TWINE_PASSWORD": given.secret.reveal()}


def _agent(given: Given) -> dict[str, str]:
    """Source: "Self-hosted Linux agents", unattended configuration; "Run an agent in Docker"."""
    return {
        "VSTS_AGENT_INPUT_URL": given.organization.url,
        "VSTS_AGENT_INPUT_AUTH": "pat",
        "VSTS_AGENT_INPUT_TOKEN": given.secret.reveal(),
        "AZP_URL": given.organization.url,
        "AZP_TOKEN": given.secret.reveal(),
    }


def _git(given: Given) -> dict[str, str]:
    """Send the token to the organization only, replacing other credentials for it."""
    from azdo_pat.tools.headers import variables  # noqa: PLC0415 - one program of many

    header = f"Authorization: Basic {given.secret.basic(USER_NAME)}"
    return variables(header, given.organization.url, given.words, given.environment)


PROGRAMS: Final[Mapping[str, Callable[[Given], dict[str, str]]]] = {
    "az": _az,
    "terraform": _terraform,
    "npm": _npm,
    "nuget": _nuget,
    "twine": _twine,
    "agent": _agent,
    "git": _git,
}
"""By the value of `--for`."""

_SAME: Final = {
    "tofu": "terraform",
    "pulumi": "terraform",
    "pnpm": "npm",
    "yarn": "npm",
    "bun": "npm",
    "config.sh": "agent",
    "config.cmd": "agent",
}
_NEEDS_FEED: Final = {"nuget", "dotnet", "msbuild", "nuget.exe", "dotnet.exe", "msbuild.exe"}


def program_of(command: str, *, feeds: Sequence[str]) -> str:
    """Return the program whose variables a command probably needs; `az` if unknown.

    Args:
        command: its first word, with or without a folder.
        feeds: the given feeds, which NuGet's programs need.
    """
    name = command.replace("\\", "/").rpartition("/")[2].lower()
    if name in _NEEDS_FEED:
        return "nuget" if feeds else "az"
    name = _SAME.get(name, name.removesuffix(".exe").removesuffix(".cmd"))
    return name if name in PROGRAMS and name != "nuget" else "az"
