"""The requested format of a secret; apart from the writers, which few runs need."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from azdo_pat.formats import SecretForm, Shell
from azdo_pat.models import VARIABLE

if TYPE_CHECKING:
    from collections.abc import Sequence


class SecretRequest(NamedTuple):
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
