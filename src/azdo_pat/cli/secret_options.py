"""`--as` and what belongs to it: in which form a command prints a secret."""

from __future__ import annotations

import functools
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click
from click.core import ParameterSource

from azdo_pat.cli.global_options import option
from azdo_pat.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from azdo_pat.cli.app import App
    from azdo_pat.output.secret_format import SecretForm, SecretFormat

_FORMS: Final = (
    "token",
    "basic",
    "header",
    "json",
    "env",
    "dotenv",
    "netrc",
    "azure-pipelines",
    "github-actions",
    "ci",
)
_IN_VARIABLES: Final = {"env", "dotenv", "azure-pipelines", "github-actions"}
_NAME: Final = r"[A-Za-z_][A-Za-z0-9_]*"
_DOTTED_NAME: Final = rf"{_NAME}(\.[A-Za-z0-9_]+)*"


def secret_options(summary: str) -> Callable[[Callable[..., object]], Callable[..., object]]:
    """Let a command take `--as`, `--var` and `--shell`; its function gets them as `secret_format`.

    Args:
        summary: the help of `--as`.
    """

    def declare(function: Callable[..., object]) -> Callable[..., object]:
        @functools.wraps(function)
        def folded(
            app: App,
            *args: Any,  # noqa: ANN401  # the command's own
            form: str | None,
            names: tuple[str, ...],
            shell: str | None,
            **rest: Any,  # noqa: ANN401  # as above
        ) -> object:
            secret_format = _secret_format(app.environment, form, names, shell)
            if (
                secret_format is not None
                and secret_format.form != "json"
                and app.options.query is not None
            ):
                raise UsageError(
                    "--query chooses from JSON", hint="give --as json, or leave out --query"
                )
            return function(app, *args, secret_format=secret_format, **rest)

        options = (
            option(
                "--as",
                "form",
                metavar="FORM",
                type=click.Choice(_FORMS),
                help=f"{summary} ({', '.join(_FORMS)})",
            ),
            option(
                "--var",
                "names",
                metavar="NAME",
                multiple=True,
                help="The variable that it goes into [AZURE_DEVOPS_EXT_PAT]. Repeatable.",
            ),
            option(
                "--shell",
                type=click.Choice(["sh", "fish", "powershell"]),
                help="Whose syntax --as env is in.",
            ),
        )
        for each in reversed(options):
            folded = each(folded)
        return folded

    return declare


def _secret_format(
    environment: Mapping[str, str], form: str | None, names: tuple[str, ...], shell: str | None
) -> SecretFormat | None:
    """Read the options before anything is made.

    Raises:
        UsageError: it makes no sense here.
    """
    if form == "ci":
        form = _runner(environment)
    if names and form not in _IN_VARIABLES:
        if _typed("names"):
            raise UsageError(
                f"--var names a variable, and {f'--as {form}' if form else 'nothing'} sets one",
                hint="add --as env, dotenv, azure-pipelines, github-actions or ci",
            )
        names = ()
    if shell and form != "env" and _typed("shell"):
        raise UsageError("--shell is the syntax of --as env", hint="add --as env, or leave it out")
    if form is None:
        return None
    from azdo_pat.models import VARIABLE
    from azdo_pat.output.secret_format import SecretForm, SecretFormat, Shell

    known = SecretForm(form)
    return SecretFormat(
        form=known,
        names=checked_names(names, dots=known is SecretForm.AZURE_PIPELINES) or (VARIABLE,),
        shell=Shell(shell or ("powershell" if os.name == "nt" else "sh")),
        file=_file_of(environment, known),
    )


def checked_names(names: tuple[str, ...], *, dots: bool = False) -> tuple[str, ...]:
    """Return names of variables, each once.

    Args:
        names: what the user typed.
        dots: allow them, as Azure Pipelines does.

    Raises:
        UsageError: one that no variable can have.
    """
    for name in names:
        if not re.fullmatch(_DOTTED_NAME if dots else _NAME, name, re.ASCII):
            raise UsageError(
                f"{name!r} is no name of a variable", hint="letters, digits and _, as in NPM_TOKEN"
            )
    return tuple(dict.fromkeys(names))


def _runner(environment: Mapping[str, str]) -> str:
    """Return the form for the runner that this is one of the steps of."""
    if environment.get("TF_BUILD", "").lower() == "true":
        return "azure-pipelines"
    if environment.get("GITHUB_ACTIONS", "").lower() == "true":
        return "github-actions"
    raise UsageError(
        "this is no step of a runner that pat knows: Azure Pipelines sets TF_BUILD, and GitHub"
        " Actions GITHUB_ACTIONS",
        hint="name the form: --as azure-pipelines, github-actions, env or dotenv",
    )


def _file_of(environment: Mapping[str, str], form: SecretForm) -> str:
    if form != "github-actions":
        return ""
    file = environment.get("GITHUB_ENV", "")
    if not file:
        raise UsageError(
            "this is no step of GitHub Actions: GITHUB_ENV is not set",
            hint="--as env prints a line for a shell instead",
        )
    if not os.access(file if Path(file).exists() else Path(file).parent, os.W_OK):
        raise UsageError(
            f"GITHUB_ENV names {file!r}, which cannot be written",
            hint="GitHub Actions sets it for each step; leave it as it is",
        )
    return file


def _typed(name: str) -> bool:
    """Tell whether an option stands on the command line: the environment is for all commands."""
    return click.get_current_context().get_parameter_source(name) is ParameterSource.COMMANDLINE
