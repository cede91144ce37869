"""`pat check --as` and `--to`, from the command line."""

import re
from pathlib import Path

import junitparser
import pytest

from azdo_pat.formats import CheckForm
from drivers import Emulator, InProcess

GITHUB = {"GITHUB_ACTIONS": "true"}
AZURE = {"TF_BUILD": "True"}


@pytest.fixture(autouse=True)
def _one_warning(pat: InProcess, emulator: Emulator) -> None:
    emulator.remove_tokens()
    made = pat("create", "ci", "--scope", "code", "--expires", "200d", "-q", "-o", "none")
    assert made.exit_code == 0, made.stderr


@pytest.mark.parametrize("form", list(CheckForm))
def test_each_form_tells_of_the_finding_and_of_the_exit_code(
    pat: InProcess, form: CheckForm
) -> None:
    ran = pat("check", "--stored", "--as", str(form))
    assert (ran.exit_code, ran.stderr) == (10, "")
    assert "ci" in ran.stdout
    assert pat("check", "--stored", "--as", str(form), "--fail-on", "error").exit_code == 0


@pytest.mark.parametrize(
    ("environment", "start"), [(GITHUB, "::warning"), (AZURE, "##vso["), ({}, "         NAME")]
)
def test_ci_is_the_form_of_the_runner(
    pat: InProcess, environment: dict[str, str], start: str
) -> None:
    ran = pat("check", "--stored", "--as", "ci", env=environment)
    assert ran.stdout.startswith(start)


def test_the_step_fails_as_the_command_does(pat: InProcess) -> None:
    end = "##vso[task.complete result=SucceededWithIssues]\n"
    lenient = pat("check", "--as", "ci", "--fail-on", "error", env=AZURE)
    assert (lenient.exit_code, lenient.stdout.endswith(end)) == (0, True)
    strict = pat("check", "--as", "ci", env=AZURE)
    assert (strict.exit_code, end in strict.stdout) == (10, False)


def test_an_organization_that_refuses(pat: InProcess, emulator: Emulator) -> None:
    emulator.fail("GET /fabrikam/* status=403 times=always")
    ran = pat("check", "--all-orgs", "--as", "prometheus")
    assert ran.exit_code == 9
    assert "\npat_check_complete 0\n" in ran.stdout
    assert re.search(r'^pat_token_expiry.*name="ci"', ran.stdout, re.MULTILINE)
    said = pat("check", "--all-orgs", "--as", "ci", env=GITHUB)
    assert said.exit_code == 9
    assert said.stdout.startswith("::error::fabrikam could not be checked: ")


def test_a_file_is_replaced(pat: InProcess, tmp_path: Path) -> None:
    file = tmp_path / "tokens.xml"
    file.write_text("old")
    ran = pat("check", "--as", "junit", "--to", str(file))
    assert (ran.exit_code, ran.stdout) == (10, "")
    [[case]] = junitparser.JUnitXml.fromfile(str(file))
    assert case.name == "ci"


def test_a_file_that_cannot_be_written(pat: InProcess, tmp_path: Path) -> None:
    file = tmp_path / "none" / "tokens.xml"
    ran = pat("check", "--as", "junit", "--to", str(file))
    assert ran.exit_code == 1
    assert ran.stderr.startswith(f"pat: cannot write to {file}: ")


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (("--to", "x"), "--to needs --as prometheus, junit or ics"),
        (("--as", "ci", "--to", "x"), "--to needs --as prometheus, junit or ics"),
        (("--as", "azure-pipelines", "--to", "x"), "--to needs --as prometheus, junit or ics"),
        (("--as", "junit", "--to", "."), ". is not a regular file"),
        (("--as", "junit", "--query", "[]"), "--query does not apply to --as"),
        (("--as", "sarif"), "Invalid value for '--as': 'sarif' is not one of"),
    ],
)
def test_options_that_do_not_fit(pat: InProcess, args: tuple[str, ...], message: str) -> None:
    ran = pat("check", "--stored", *args)
    assert ran.exit_code == 2
    assert ran.stderr.startswith(f"pat: {message}")
