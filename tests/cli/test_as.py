"""`--as`: the forms in which other programs take a secret."""

import sys
from pathlib import Path

import pytest

from drivers import Emulator, InProcess


@pytest.fixture
def secret(pat: InProcess) -> str:
    """Store a token named `ci`; return its secret."""
    assert pat("create", "ci", "--scope", "code").exit_code == 0
    return pat("get", "ci").stdout.removesuffix("\n")


def test_env(pat: InProcess, secret: str) -> None:
    here = (
        f"$env:AZURE_DEVOPS_EXT_PAT = '{secret}'\n"
        if sys.platform == "win32"
        else f"AZURE_DEVOPS_EXT_PAT={secret}\nexport AZURE_DEVOPS_EXT_PAT\n"
    )
    assert pat("get", "ci", "--as", "env").stdout == here
    fish = pat("get", "ci", "--as", "env", "--var", "A", "--var", "B", "--shell", "fish")
    assert fish.stdout == f"set -gx A '{secret}'\nset -gx B '{secret}'\n"


def test_every_command_that_makes_or_reads_a_secret_takes_it(
    pat: InProcess, emulator: Emulator
) -> None:
    made = pat("create", "ci", "--scope", "code", "--as", "dotenv", "--var", "A")
    secret = pat("get", "ci").stdout.strip()
    assert made.stdout == f"A={secret}\n"
    assert pat("ensure", "ci", "--scope", "code", "--as", "dotenv").stdout == (
        f"AZURE_DEVOPS_EXT_PAT={secret}\n"
    )
    rotated = pat("rotate", "ci", "--as", "netrc").stdout
    assert rotated == f"machine 127.0.0.1 login pat password {pat('get', 'ci').stdout}"
    assert secret not in rotated
    assert emulator.url.startswith("http://127.0.0.1:")


def test_ci_is_the_runner_that_it_runs_on(pat: InProcess, secret: str, tmp_path: Path) -> None:
    pipelines = pat("get", "ci", "--as", "ci", env={"TF_BUILD": "True"})
    assert pipelines.stdout.splitlines()[-1] == (
        f"##vso[task.setvariable variable=AZURE_DEVOPS_EXT_PAT;issecret=true]{secret}"
    )
    file = tmp_path / "env"
    github = {"GITHUB_ACTIONS": "true", "GITHUB_ENV": str(file)}
    actions = pat("get", "ci", "--as", "ci", "--var", "MY_PAT", env=github)
    assert actions.stdout.splitlines()[0] == f"::add-mask::{secret}"
    assert file.read_text() == f"MY_PAT={secret}\n"
    nowhere = pat("get", "ci", "--as", "ci")
    assert nowhere.exit_code == 2
    assert "TF_BUILD" in nowhere.stderr


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (("--var", "A"), "--var needs --as"),
        (("--as", "basic", "--var", "A"), "--var does not apply to --as basic"),
        (("--as", "env", "--var", "A-B"), "'A-B' is not a valid variable name"),
        (("--as", "env", "--var", "A=B"), "'A=B' is not a valid variable name"),
        (("--as", "env", "--var", "A.B"), "'A.B' is not a valid variable name"),
        (("--as", "azure-pipelines", "--var", "A;B"), "'A;B' is not a valid variable name"),
        (("--as", "dotenv", "--shell", "sh"), "--shell needs --as env"),
        (("--as", "github-actions"), "this is not a step of GitHub Actions: GITHUB_ENV is not set"),
        (("--as", "ci"), "this is not a step of Azure Pipelines"),
    ],
)
def test_a_mistake_is_found_before_anything_is_made(
    args: tuple[str, ...], message: str, pat: InProcess, emulator: Emulator
) -> None:
    result = pat("create", "ci", "--scope", "code", *args)
    assert result.exit_code == 2
    assert message in result.stderr
    assert emulator.tokens == []


def test_a_runners_file_that_is_not_there(pat: InProcess, emulator: Emulator) -> None:
    env = {"GITHUB_ENV": "/nowhere/env"}
    result = pat("create", "ci", "--scope", "code", "--as", "github-actions", env=env)
    assert result.exit_code == 2
    assert "GITHUB_ENV names '/nowhere/env', which cannot be written" in result.stderr
    assert emulator.tokens == []


def test_a_variable_for_all_commands_disturbs_none(pat: InProcess, secret: str) -> None:
    assert pat("get", "ci", env={"PAT_VAR": "A", "PAT_SHELL": "fish"}).stdout == f"{secret}\n"


def test_a_runners_form_is_not_for_the_clipboard(pat: InProcess, secret: str) -> None:
    result = pat("get", "ci", "--as", "azure-pipelines", "--copy")
    assert result.exit_code == 2
    assert secret not in result.stdout + result.stderr


@pytest.mark.parametrize("command", ["create new", "rotate ci", "ensure new", "get ci"])
def test_a_query_chooses_from_json_alone(command: str, pat: InProcess, secret: str) -> None:
    name, token = command.split()
    scope = ("--scope", "code") if name in {"create", "ensure"} else ()
    refused = pat(name, token, *scope, "--as", "token", "--query", "id")
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert pat("get", "ci").stdout.strip() == secret
    assert pat("get", "new").exit_code == 3


def test_what_ensure_took_is_in_its_json(pat: InProcess) -> None:
    for outcome in ("created", "kept"):
        ensured = pat("ensure", "new", "--scope", "code", "--as", "json").json
        assert (ensured["outcome"], list(ensured)[-1]) == (outcome, "token")
