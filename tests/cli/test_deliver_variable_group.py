"""--deliver variable-group: one variable changes, and the rest of the group stays."""

import json
from pathlib import Path
from typing import Any

import pytest

from cli.stage import names
from drivers import Emulator, InProcess

SAMPLE = "variable-group:fabric/ci-secrets#AZURE_DEVOPS_PAT"
KEPT = {"PLAIN": {"value": "a", "isReadOnly": True}, "OTHER": {"value": "b", "isSecret": True}}


def ensure(pat: InProcess, target: str, *more: str) -> Any:  # noqa: ANN401 - what the driver returns
    return pat("ensure", "ci", "--scope", "code", "--deliver", target, *more)


def secret(pat: InProcess) -> str:
    return pat("get", "ci").stdout.strip()


def test_the_secret_arrives_and_the_rest_stays(pat: InProcess, emulator: Emulator) -> None:
    before = emulator.variables("ci-secrets")
    assert ensure(pat, SAMPLE).exit_code == 0
    first = secret(pat)
    assert emulator.variables("ci-secrets") == {**before, "AZURE_DEVOPS_PAT": first}
    assert pat("rotate", "ci", "-q", "-o", "none").exit_code == 0
    assert secret(pat) != first
    assert emulator.variables("ci-secrets") == {**before, "AZURE_DEVOPS_PAT": secret(pat)}


@pytest.mark.parametrize("name", ["a/b", "50%#1", "Schlüssel", "with*star"])
def test_odd_names_and_a_shared_group(pat: InProcess, emulator: Emulator, name: str) -> None:
    emulator.add_variable_group(name, projects=["fabric", "Web Shop"], variables=KEPT)
    emulator.add_variable_group(f"{name} two", variables=KEPT)
    quoted = name.replace("%", "%25").replace("/", "%2F").replace("#", "%23")
    assert ensure(pat, f"variable-group:WEB SHOP/{quoted.upper()}#plain").exit_code == 0
    assert emulator.variables(name) == {"PLAIN": secret(pat), "OTHER": "b"}
    assert emulator.variables(f"{name} two") == {"PLAIN": "a", "OTHER": "b"}


def test_a_plain_variable_becomes_secret_and_that_is_said(
    pat: InProcess, emulator: Emulator
) -> None:
    emulator.add_variable_group("g", variables=KEPT)
    result = ensure(pat, "variable-group:fabric/g#PLAIN")
    assert "the variable was plain, and is a secret one now" in result.stderr
    assert secret(pat) not in result.stderr


@pytest.mark.parametrize(
    ("target", "code", "said"),
    [
        ("variable-group:fabric/none#A", 3, "there is no variable group 'none'"),
        ("variable-group:nowhere/g#A", 3, "there is no project 'nowhere'"),
        ("variable-group:fabric/linked#A", 2, "--deliver keyvault:safe/NAME"),
    ],
)
def test_the_probe_refuses_before_a_token_is_made(
    pat: InProcess, emulator: Emulator, target: str, code: int, said: str
) -> None:
    emulator.add_variable_group(
        "linked", type="AzureKeyVault", variables={"A": "x"}, providerData={"vault": "safe"}
    )
    result = ensure(pat, target)
    assert (result.exit_code, names(emulator)) == (code, [])
    assert said in result.stderr


def test_who_is_no_administrator_learns_which_role_is_missing(
    pat: InProcess, emulator: Emulator
) -> None:
    emulator.add_variable_group("g", variables=KEPT, roles={"ada": "reader"})
    result = ensure(pat, "variable-group:fabric/g#A")
    assert result.exit_code == 8
    assert "role Administrator on the variable group" in result.stderr
    emulator.change_variable_group("g", roles={"ada": "administrator"})
    assert ensure(pat, "variable-group:fabric/g#A").exit_code == 0
    assert emulator.variables("g")["A"] == secret(pat)


def test_a_change_right_after_the_write_is_told_and_not_overwritten(
    pat: InProcess, emulator: Emulator
) -> None:
    emulator.add_variable_group("g", variables=KEPT)
    emulator.change_variable_group("g", when="after-write", variables={"PLAIN": "theirs"})
    result = ensure(pat, "variable-group:fabric/g#A")
    assert result.exit_code == 8
    assert "someone else has changed the variable group" in result.stderr
    assert emulator.variables("g")["PLAIN"] == "theirs"
    puts = [each for each in emulator.requests if each["method"] == "PUT"]
    assert len([each for each in puts if "variablegroups" in json.dumps(each)]) == 1


@pytest.mark.parametrize("status", [409, 500, 503])
def test_a_failed_write_is_done_later(pat: InProcess, emulator: Emulator, status: int) -> None:
    emulator.fail(f"PUT */variablegroups/* status={status} times=1")
    assert ensure(pat, SAMPLE).exit_code == 8
    assert ensure(pat, SAMPLE).exit_code == 0
    assert emulator.variables("ci-secrets")["AZURE_DEVOPS_PAT"] == secret(pat)


def test_a_group_that_goes_between_reading_and_writing(pat: InProcess, emulator: Emulator) -> None:
    emulator.add_variable_group("g", variables=KEPT)
    emulator.change_variable_group("g", when="before-write", removed=True)
    result = ensure(pat, "variable-group:fabric/g#A")
    assert result.exit_code == 8
    assert "there is no variable group" in result.stderr


def test_who_revokes_a_token_hears_where_its_secret_still_is(pat: InProcess) -> None:
    assert ensure(pat, SAMPLE, "-q", "-o", "none").exit_code == 0
    revoked = pat("revoke", "ci", "--yes", "-o", "none")
    assert revoked.exit_code == 0
    assert f"{SAMPLE} still holds the secret of 'ci'" in " ".join(revoked.stderr.split())


def test_many_new_variables_of_one_group_at_once(
    pat: InProcess, emulator: Emulator, tmp_path: Path
) -> None:
    """A group is written as a whole, so whoever writes one that has grown takes that away."""
    before = emulator.variables("ci-secrets")
    tokens = [f"token-{number}" for number in range(8)]
    file = tmp_path / "tokens.toml"
    file.write_text(
        "".join(
            f'[[token]]\nname = "{name}"\nscopes = "code"\ndeliver = '
            f'{{ variable_group = "ci-secrets", project = "fabric", variable = "{name}" }}\n'
            for name in tokens
        )
    )
    assert pat("apply", str(file), "-q", "-o", "none").exit_code == 0
    delivered = {name: pat("get", name).stdout.strip() for name in tokens}
    assert emulator.variables("ci-secrets") == {**before, **delivered}
