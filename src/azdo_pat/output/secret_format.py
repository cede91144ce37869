"""The form of a secret that a user wishes: apart from the forms, which few runs print."""

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
    """The form of a secret that a user wishes.

    Attributes:
        names: of the variables that it goes into, where it goes into variables.
        shell: whose syntax `env` is in.
        file: what `$GITHUB_ENV` names, for `github-actions`.
    """

    form: SecretForm
    names: Sequence[str] = (VARIABLE,)
    shell: Shell = Shell.SH
    file: str = ""
