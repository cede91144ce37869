"""The programs that `pat setup` knows."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final

from azdo_pat.models import VARIABLE
from azdo_pat.tools import az, bun, cargo, git, gradle, maven, netrc, npm, nuget, python, yarn
from azdo_pat.tools.osxkeychain import KEEPER
from azdo_pat.tools.tool import Guidance, Program, Tool, feed_name

if TYPE_CHECKING:
    from collections.abc import Mapping

_NPM: Final = Tool(
    name="npm",
    summary="the secret for a feed, in the user's .npmrc",
    file=npm.file,
    edited=npm.edited,
    keeps_secret=True,
    feed=npm.ENDING,
)

_ALL: Final = (
    Tool(
        name="git",
        summary="git asks pat, for Azure DevOps and imported servers only",
        file=git.file,
        edited=git.edited,
        keeps_secret=False,
    ),
    _NPM,
    _NPM._replace(name="pnpm", summary="the same file as npm", kept_as="npm"),
    Tool(
        name="yarn",
        summary="the secret for a feed, in the user's .yarnrc.yml (Yarn 2 and later)",
        file=yarn.file,
        edited=yarn.edited,
        keeps_secret=True,
        feed=npm.ENDING,
    ),
    Tool(
        name="bun",
        summary="a feed as the registry, and the secret, in the user's .bunfig.toml",
        file=bun.file,
        edited=bun.edited,
        slot=lambda _: "registry",
        outranked_by=lambda _: dict.fromkeys(bun.VARIABLES, ""),
        keeps_secret=True,
        feed=npm.ENDING,
    ),
    Tool(
        name="pip",
        summary="pip asks keyring, which asks pat",
        file=python.pip_file,
        edited=python.pip_edited,
        keeps_secret=False,
        bears_mark=False,
        asks="keyring",
        outranked_by=lambda _: {"PIP_KEYRING_PROVIDER": python.PROVIDER},
        asks_with="--mode=creds",  # keyring 25.2.1; pip 26.3 refuses an older one
    ),
    Tool(
        name="uv",
        summary="uv asks keyring, which asks pat",
        file=python.uv_file,
        edited=python.uv_edited,
        keeps_secret=False,
        asks="keyring",
        outranked_by=lambda _: {"UV_KEYRING_PROVIDER": python.PROVIDER},
    ),
    Tool(
        name="cargo",
        summary="a feed as a registry, for which cargo asks pat for a token",
        file=cargo.file,
        edited=cargo.edited,
        slot=cargo.registry,
        keeps_secret=False,
        feed=cargo.ENDING,
    ),
    Tool(
        name="nuget",
        summary="the secret for a feed, in the user's NuGet.Config",
        file=nuget.file,
        edited=nuget.edited,
        keeps_secret=True,
        feed=nuget.ENDING,
    ),
    Tool(
        name="maven",
        summary="the secret for a feed, in the user's settings.xml",
        file=maven.file,
        edited=maven.edited,
        slot=feed_name,
        keeps_secret=True,
        feed=maven.ENDING,
    ),
    Tool(
        name="gradle",
        summary="the secret for a feed, in the user's gradle.properties",
        file=gradle.file,
        edited=gradle.edited,
        slot=gradle.repository,
        outranked_by=lambda feed: dict.fromkeys(gradle.variables(feed), ""),
        keeps_secret=True,
        bears_mark=False,
        feed=maven.ENDING,
    ),
    Tool(
        name="az",
        summary="the secret in the keyring where az devops looks, and its default organization",
        file=az.file,
        edited=az.edited,
        keeps_secret=False,
        bears_mark=False,
        service=az.service,
        account=az.USER,
        outranked_by=lambda _: {VARIABLE: ""},
    ),
    Tool(
        name="netrc",
        summary="the secret for all hosts of the organization, in .netrc",
        file=netrc.file,
        edited=netrc.edited,
        keeps_secret=True,
        bears_mark=False,
        by_host=True,
    ),
)

TOOLS: Final[Mapping[str, Tool]] = {tool.name: tool for tool in _ALL}

_NOTHING: Final = "asks keyring in its own environment, where pat answers: no setup needed"

ADVICE: Final[Mapping[str, Guidance]] = {
    advice.name: advice
    for advice in (
        Guidance(
            name="twine",
            summary="twine asks keyring, which asks pat: nothing is changed",
            text=f"twine {_NOTHING}",
            needs_backend=True,
        ),
        Guidance(
            name="poetry",
            summary="poetry asks keyring, which asks pat: nothing is changed",
            text=f"poetry {_NOTHING}",
            needs_backend=True,
        ),
        Guidance(
            name="terraform",
            summary="takes the token from its environment only: pat exec TOKEN -- terraform",
            text="terraform takes the token from its environment only, and no file is changed:"
            " pat exec TOKEN -- terraform plan",
        ),
    )
}

ALL: Final[tuple[Program, ...]] = (*_ALL, KEEPER, *ADVICE.values())
"""Every program that `pat setup` accepts."""

OFFERED: Final = tuple(each for each in ALL if each is not KEEPER or sys.platform == "darwin")
"""Those that this system can have."""
