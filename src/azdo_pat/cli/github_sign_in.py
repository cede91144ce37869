"""The token of GitHub that a delivery uses: that of GitHub's own client, `gh`.

Source: GitHub CLI, "gh environment" and "gh auth token".
"""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING, Final

from azdo_pat.api.addresses import github
from azdo_pat.api.github_errors import sign_in_hint
from azdo_pat.errors import SignInError, UsageError
from azdo_pat.executables import captured, find_program
from azdo_pat.models import AccessToken, Secret
from azdo_pat.redaction import without_credentials

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_HOSTED: Final = ("GH_TOKEN", "GITHUB_TOKEN")
_OWN_SERVER: Final = ("GH_ENTERPRISE_TOKEN", "GITHUB_ENTERPRISE_TOKEN")
_QUIET: Final = {"GH_NO_UPDATE_NOTIFIER": "1", "GH_PROMPT_DISABLED": "1"}
_SECONDS: Final = 60.0
"""gh may have to ask the keyring."""


class GitHubSignIn:
    """The tokens of one run, each asked for once.

    Args:
        environment: the variables, and the PATH on which `gh` is searched for.
        detail: tells the user of -v where a token comes from.
    """

    def __init__(self, environment: Mapping[str, str], detail: Callable[[str], None]) -> None:
        self._environment = environment
        self._detail = detail
        self._found: dict[str, AccessToken] = {}

    def token(self, host: str) -> AccessToken:
        """Return the token for a host.

        A variable counts for the host that `GH_HOST` names, if it names one.

        Raises:
            SignInError: there is none.
            UsageError: the host is not that of a GitHub.
        """
        if host not in self._found:
            found = self._of_variables(host) or self._of_gh(host)
            hint = sign_in_hint(host, is_hosted=github(host).is_hosted)
            if found is None:
                raise SignInError(f"no token for {host} is set or saved", hint=hint)
            if not _is_one_word(found.secret.reveal()):
                raise SignInError(
                    f"the token from {found.source} contains spaces or other characters that no"
                    " token has",
                    hint=hint,
                )
            self._detail(f"token for {host} from {found.source}")
            self._found[host] = found
        return self._found[host]

    def _of_variables(self, host: str) -> AccessToken | None:
        is_hosted = github(host).is_hosted
        theirs = self._environment.get("GH_HOST", "").strip().lower() or host
        if theirs != host and _is_hosted(theirs) == is_hosted:
            return None
        for variable in _HOSTED if is_hosted else _OWN_SERVER:
            if text := self._environment.get(variable, "").strip():
                return AccessToken(Secret(text), source=variable)
        return None

    def _of_gh(self, host: str) -> AccessToken | None:
        """Return the token that `gh auth login` has saved; None without one."""
        environment = {
            name: value
            for name, value in without_credentials(self._environment).items()
            if name not in {*_HOSTED, *_OWN_SERVER}  # it would pass on one of another host
        }
        program = find_program("gh", {"PATH": "", **environment})
        if program is None:
            return None
        words = [program, "auth", "token", "--hostname", host]
        try:
            done = captured(words, {**environment, **_QUIET}, folder=None, seconds=_SECONDS)
            text = done.stdout.decode("ascii").strip()
        except (OSError, ValueError, subprocess.TimeoutExpired) as error:
            raise SignInError(
                f"gh could not be asked for the token of {host}: {type(error).__name__}",
                hint=f"run: gh auth token --hostname {host}",
            ) from None
        if done.returncode or not text:
            return None
        return AccessToken(Secret(text), source="gh")


def _is_hosted(host: str) -> bool | None:
    """Return whether GitHub runs a host; None if it is none of a GitHub."""
    try:
        return github(host).is_hosted
    except UsageError:
        return None


def _is_one_word(text: str) -> bool:
    return text.isascii() and text.isprintable() and " " not in text
