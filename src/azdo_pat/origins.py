"""The tools that create tokens for their users, by the names that they give them.

Sources: "Use personal access tokens", question on unexpected notifications; the code of Git
Credential Manager, of the credential providers for Azure Artifacts, and of the plug-in for
IntelliJ.
"""

import re
from typing import Final, NamedTuple

from azdo_pat.models import Origin


class _Form(NamedTuple):
    """How a tool names its tokens, as `_plain` returns a name.

    Attributes:
        start: the beginning of the name; all of it, if the name contains no machine.
        machine_after: the word before the machine at the end; empty if there is none.
    """

    start: str
    origin: Origin
    machine_after: str = ""


_FORMS: Final = (
    _Form("git https //", Origin.GIT, " on "),
    _Form("git http //", Origin.GIT, " on "),
    _Form("service hooks azure app service deploy web app", Origin.SERVICE_HOOKS),
    _Form("webapploadtestcdinttoken", Origin.LOAD_TEST),
    _Form("microsoft teams integration", Origin.TEAMS),
    _Form("azure devops artifacts credential provider", Origin.ARTIFACTS),
    _Form("vsts intellij plugin http", Origin.IDE, " on "),
)
_BEFORE_MACHINE: Final = r"[\s:]+on[\s:]+"
_LONGEST_NETBIOS_NAME: Final = 15


_NAMES: Final = {
    Origin.PAT: "pat",
    Origin.GIT: "Git Credential Manager",
    Origin.SERVICE_HOOKS: "Azure App Service",
    Origin.LOAD_TEST: "cloud-based load tests",
    Origin.TEAMS: "Microsoft Teams",
    Origin.ARTIFACTS: "the Artifacts credential provider",
    Origin.IDE: "the VSTS plug-in of JetBrains IDEs",
    Origin.UNKNOWN: "unknown",
}


class Maker(NamedTuple):
    """What is known of a tool that creates tokens.

    Attributes:
        occasion: when it creates a token, as sentences.
        rights: what its tokens can do; empty if that is not known.
        scopes: the scopes that it asks for at most; empty if they are not known.
        use: the use that makes such a token harmless: "you …"; empty if nothing does.
        advice: what to do with such a token, as sentences.
    """

    occasion: str
    rights: str
    scopes: frozenset[str]
    use: str
    advice: str


MAKERS: Final = {
    Origin.GIT: Maker(
        occasion="It creates a token when git signs in to Azure Repos on a machine, and another one"
        " at each later sign-in. It revokes none of them.",
        rights="read and write code, and read packages",
        scopes=frozenset({"vso.code", "vso.code_write", "vso.packaging"}),
        use="you use git on that machine",
        advice="Keep the newest one if git works with it, and revoke the older ones. If git needs a"
        " token again, it asks you to sign in.",
    ),
    Origin.SERVICE_HOOKS: Maker(
        occasion="Its Deployment Center creates a token when someone sets up the deployment of a"
        " web app from Azure Repos.",
        rights="",
        scopes=frozenset(),
        use="you set up such a deployment",
        advice="Keep the token while the web app is deployed that way.",
    ),
    Origin.LOAD_TEST: Maker(
        occasion="They created a token for each test. That service has ended, so nothing uses the"
        " token any more.",
        rights="",
        scopes=frozenset(),
        use="",
        advice="Revoke the token.",
    ),
    Origin.TEAMS: Maker(
        occasion="Its messaging extension creates a token when you connect it to Azure DevOps.",
        rights="",
        scopes=frozenset(),
        use="you use Azure DevOps in Microsoft Teams",
        advice="Keep the token while you use the extension.",
    ),
    Origin.ARTIFACTS: Maker(
        occasion="It creates a token when NuGet, dotnet, Maven or pip needs a feed, valid for hours"
        " to a year.",
        rights="read and publish packages, and read and write drops",
        scopes=frozenset({"vso.packaging", "vso.packaging_write", "vso.drop_write"}),
        use="you use feeds of Azure Artifacts",
        advice="Keep the newest one. Often the token is a self-describing one, which is in no list:"
        " only a revocation rule of a Project Collection Administrator ends it.",
    ),
    Origin.IDE: Maker(
        occasion="It creates a token when it signs in.",
        rights="",
        scopes=frozenset(),
        use="you use the plug-in on that machine",
        advice="Revoke the token if you no longer use the plug-in.",
    ),
}
"""The tools other than `pat`, in the order of the documentation."""


def maker_name(origin: Origin) -> str:
    """Return who or what created a token, in the words of every command."""
    return _NAMES[origin]


def origin_of(name: str) -> Origin:
    """Return which tool created a token, by the display name that the tool uses.

    Runs of colons and spaces count as one space: the documentation spells the name of the
    service hooks in three ways.
    """
    form = _form_of(name)
    return form.origin if form else Origin.UNKNOWN


def same_name(one: str, other: str) -> bool:
    """Return whether two names differ only in case, colons and spaces, as spellings do."""
    return _plain(one) == _plain(other)


def machine_of(name: str) -> str | None:
    """Return the machine in the name that a tool gave; None if such a name contains none."""
    form = _form_of(name)
    if form is None or not form.machine_after:
        return None
    return re.split(_BEFORE_MACHINE, name, flags=re.IGNORECASE)[-1].strip(" :\t\r\n") or None


def is_same_machine(named: str, own: str) -> bool:
    """Return whether a machine in a name may be one of this name.

    Some programs write the domain, others do not; Windows has a name of 15 characters, too.
    """
    named, own = named.casefold(), own.casefold()
    if "." in named and "." in own:
        return named == own
    named, own = named.partition(".")[0], own.partition(".")[0]
    if len(named) == _LONGEST_NETBIOS_NAME:
        own = own[:_LONGEST_NETBIOS_NAME]
    return bool(named) and named == own


def _form_of(name: str) -> _Form | None:
    plain = _plain(name)
    for form in _FORMS:
        if form.machine_after:
            if plain.startswith(form.start) and form.machine_after in plain:
                return form
        elif plain == form.start:
            return form
    return None


def _plain(name: str) -> str:
    return " ".join(name.casefold().replace(":", " ").split())
