"""The options `--as`, `--var` and `--shell`, which choose the format of a printed secret."""

from __future__ import annotations

import functools
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from azdo_pat.errors import UsageError
from azdo_pat.formats import SecretForm, Shell, runner_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from azdo_pat.cli.app import App
    from azdo_pat.output.secret_request import SecretRequest

_CI: Final = "ci"
"""Stands for the form of the runner that runs this step."""
_NAME: Final = r"[A-Za-z_][A-Za-z0-9_]*"
_DOTTED_NAME: Final = rf"{_NAME}(\.[A-Za-z0-9_]+)*"


def secret_options(summary: str) -> Callable[[Callable[..., object]], Callable[..., object]]:
    """Add `--as`, `--var` and `--shell` to a command; its function gets one `secret_request`.

    Args:
        summary: the help of `--as`.
    """
    forms = [*map(str, SecretForm), _CI]

    def declare(function: Callable[..., object]) -> Callable[..., object]:
        @click.option(
            "--as",
            "form",
            metavar="FORMAT",
            type=click.Choice(forms),
            help=f"{summary} ({', '.join(forms)})",
        )
        @click.option(
            "--var",
            "names",
            metavar="NAME",
            multiple=True,
            help="Variable to set to the secret [AZURE_DEVOPS_EXT_PAT]. Repeatable.",
        )
        @click.option(
            "--shell", type=click.Choice([*map(str, Shell)]), help="Shell syntax for --as env."
        )
        @functools.wraps(function)
        def folded(
            app: App,
            *args: Any,  # noqa: ANN401  # the command's own
            form: str | None,
            names: tuple[str, ...],
            shell: str | None,
            **rest: Any,  # noqa: ANN401  # as above
        ) -> object:
            secret_request = _secret_request(app.runtime.environment, form, names, shell)
            in_json = secret_request is None or secret_request.form is SecretForm.JSON
            if not in_json and app.runtime.options.query is not None:
                raise UsageError("--query needs JSON", hint="add --as json, or leave out --query")
            return function(app, *args, secret_request=secret_request, **rest)

        return folded

    return declare


def _secret_request(
    environment: Mapping[str, str], text: str | None, names: tuple[str, ...], shell: str | None
) -> SecretRequest | None:
    """Return the format that the options ask for, or None.

    Raises:
        UsageError: the options do not fit together.
    """
    form = None if text is None else _runner(environment) if text == _CI else SecretForm(text)
    if names and not (form and form.sets_variables):
        raise UsageError(
            f"--var does not apply to --as {form}" if form else "--var needs --as",
            hint="add --as env, dotenv, azure-pipelines, github-actions or ci",
        )
    if shell and form is not SecretForm.ENV:
        raise UsageError("--shell needs --as env", hint="add --as env, or leave out --shell")
    if form is None:
        return None
    from azdo_pat.models import VARIABLE
    from azdo_pat.output.secret_request import SecretRequest

    return SecretRequest(
        form=form,
        names=checked_names(names, dots=form is SecretForm.AZURE_PIPELINES) or (VARIABLE,),
        shell=Shell(shell) if shell else Shell.usual(),
        file=_runner_file(environment) if form is SecretForm.GITHUB_ACTIONS else "",
    )


def checked_names(names: tuple[str, ...], *, dots: bool = False) -> tuple[str, ...]:
    """Check names of variables and return each once.

    Args:
        names: what the user typed.
        dots: allow them, as Azure Pipelines does.

    Raises:
        UsageError: a name is not a valid variable name.
    """
    for name in names:
        if not re.fullmatch(_DOTTED_NAME if dots else _NAME, name, re.ASCII):
            raise UsageError(
                f"{name!r} is not a valid variable name",
                hint="use letters, digits and _, for example NPM_TOKEN",
            )
    return tuple(dict.fromkeys(names))


def _runner(environment: Mapping[str, str]) -> SecretForm:
    """Return the format for the CI runner that runs this step."""
    if runner := runner_of(environment):
        return SecretForm(runner)
    raise UsageError(
        "this is not a step of Azure Pipelines, which sets TF_BUILD, or of GitHub Actions, which"
        " sets GITHUB_ACTIONS",
        hint="name the format: --as azure-pipelines, github-actions, env or dotenv",
    )


def _runner_file(environment: Mapping[str, str]) -> str:
    """Return the file in which GitHub Actions expects the variables for later steps."""
    file = environment.get("GITHUB_ENV", "")
    if not file:
        raise UsageError(
            "this is not a step of GitHub Actions: GITHUB_ENV is not set",
            hint="to print a line for a shell instead, use --as env",
        )
    if not os.access(file if Path(file).exists() else Path(file).parent, os.W_OK):
        raise UsageError(
            f"GITHUB_ENV names {file!r}, which cannot be written",
            hint="do not change GITHUB_ENV, which GitHub Actions sets for each step",
        )
    return file
