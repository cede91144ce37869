"""The requested format of a secret; apart from the writers, which few runs need."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from azdo_pat.models import VARIABLE

if TYPE_CHECKING:
    from collections.abc import Sequence


class SecretForm(StrEnum):
    """What `--as` takes; `ci` stands for one of the two runners."""

    TOKEN = "token"  # noqa: S105 - the name of a form
    BASIC = "basic"
    HEADER = "header"
    JSON = "json"
    ENV = "env"
    DOTENV = "dotenv"
    NETRC = "netrc"
    AZURE_PIPELINES = "azure-pipelines"
    GITHUB_ACTIONS = "github-actions"


class Shell(StrEnum):
    """Whose syntax `env` is written in; `sh` is every shell of its kind."""

    SH = "sh"
    FISH = "fish"
    POWERSHELL = "powershell"


class SecretFormat(NamedTuple):
    """The requested format of a secret.

    Attributes:
        names: the variables to set, for formats that set variables.
        shell: the shell whose syntax `env` uses.
        file: the file that `$GITHUB_ENV` names, for `github-actions`.
    """

    form: SecretForm
    names: Sequence[str] = (VARIABLE,)
    shell: Shell = Shell.SH
    file: str = ""
