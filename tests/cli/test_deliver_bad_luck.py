"""Variable groups and service connections, when the service or someone else is in the way."""

import json
import shlex
from typing import Any

import pytest

from cli.stage import names
from drivers import Emulator, InProcess

GROUP = "variable-group:fabric/ci-secrets#AZURE_DEVOPS_PAT"
CONNECTION = "service-connection:fabric/fabrikam"
PLACES = {GROUP: "variablegroups", CONNECTION: "serviceendpoint/endpoints"}
REFERENCES = "variableGroupProjectReferences"
both = pytest.mark.parametrize("target", [GROUP, CONNECTION])


def ensure(pat: InProcess, target: str) -> Any:  # noqa: ANN401 - what the driver returns
    return pat("ensure", "ci", "--scope", "code", "--deliver", target, "-q", "-o", "none")


def secret(pat: InProcess) -> str:
    return pat("get", "ci").stdout.strip()


def there(emulator: Emulator, target: str) -> str | None:
    if target == GROUP:
        return emulator.variables("ci-secrets")["AZURE_DEVOPS_PAT"]
    return emulator.parameters("fabrikam")["apitoken"]


def puts(emulator: Emulator) -> list[dict[str, Any]]:
    return [each for each in emulator.requests if each["method"] == "PUT"]


@both
def test_a_pause_is_waited_for(pat: InProcess, emulator: Emulator, target: str) -> None:
    emulator.fail(f"PUT */{PLACES[target]}/* status=429 retry-after=0.1 times=1")
    result = ensure(pat, target)
    assert result.exit_code == 0, result.stderr
    assert there(emulator, target) == secret(pat)
    assert [each["status"] for each in puts(emulator)] == [429, 200]


@both
def test_an_answer_that_is_lost_is_not_sent_for_again(
    pat: InProcess, emulator: Emulator, target: str
) -> None:
    emulator.fail(f"PUT */{PLACES[target]}/* cut=after times=1")
    result = ensure(pat, target)
    assert result.exit_code == 8
    assert "delivering again is safe" in result.stderr
    assert len(puts(emulator)) == 1
    assert pat("deliver", "ci", "-q").exit_code == 0
    assert there(emulator, target) == secret(pat)


@both
def test_a_refused_access_token_makes_nothing(
    pat: InProcess, emulator: Emulator, target: str
) -> None:
    emulator.fail(f"GET */{PLACES[target]}* status=401 times=9")
    result = ensure(pat, target)
    assert result.exit_code == 4
    assert target in result.stderr
    assert names(emulator) == []


@both
def test_another_organization(pat: InProcess, emulator: Emulator, target: str) -> None:
    emulator.add_variable_group("there", organization="fabrikam", variables={"A": "a"})
    emulator.add_service_connection("there", organization="fabrikam")
    elsewhere = (
        "variable-group:fabrikam/fabric/there#A"
        if target == GROUP
        else "service-connection:fabrikam/fabric/there"
    )
    result = ensure(pat, elsewhere)
    assert result.exit_code == 0, result.stderr
    (sent,) = puts(emulator)
    assert sent["path"].startswith("/fabrikam/")


@both
def test_nothing_of_theirs_is_in_the_trace(pat: InProcess, emulator: Emulator, target: str) -> None:
    emulator.add_variable_group("ours", variables={"A": {"value": "x", "isSecret": True}})
    result = pat("ensure", "ci", "--scope", "code", "--deliver", target, "--debug", "-o", "none")
    assert result.exit_code == 0
    assert PLACES[target] in result.stderr
    assert secret(pat) not in result.stderr
    assert "SIGNING_KEY" not in result.stderr
    assert "not shown, as it may hold secrets" in result.stderr


def test_the_projects_and_marks_of_a_group_stay(pat: InProcess, emulator: Emulator) -> None:
    variables = {"KEPT": {"value": "a", "isSecret": True, "isReadOnly": True}, "A": "a"}
    emulator.add_variable_group("g", projects=["fabric", "Web Shop"], variables=variables)
    assert ensure(pat, "variable-group:fabric/g#A").exit_code == 0
    (sent,) = puts(emulator)
    assert len(sent["body"]["variableGroupProjectReferences"]) == 2
    assert sent["body"]["variables"]["KEPT"] == {
        "value": None,
        "isSecret": True,
        "isReadOnly": True,
    }
    assert emulator.variables("g") == {"KEPT": "a", "A": secret(pat)}


@pytest.mark.parametrize("left", [{}, {REFERENCES: None}, {REFERENCES: []}])
def test_a_group_of_no_project_is_never_sent(
    pat: InProcess, emulator: Emulator, left: dict[str, object]
) -> None:
    """The service answers 401 to it, as if the role were missing."""
    group = {"id": 1, "name": "ci-secrets", "type": "Vsts", "variables": {}, **left}
    answer = shlex.quote(json.dumps(group))
    emulator.fail(f"GET */variablegroups/1 status=200 times=9 body={answer}")
    result = ensure(pat, GROUP)
    assert result.exit_code == 11
    assert "a variable group with its projects" in result.stderr
    assert names(emulator) == []
    assert puts(emulator) == []


def test_a_connection_that_is_ready_later(pat: InProcess, emulator: Emulator) -> None:
    emulator.set_readiness(delay=1)
    result = ensure(pat, CONNECTION)
    assert result.exit_code == 0, result.stderr
    assert there(emulator, CONNECTION) == secret(pat)


def test_a_reader_of_a_connection_makes_nothing(pat: InProcess, emulator: Emulator) -> None:
    emulator.change_service_connection("fabrikam", roles={"ada": "reader"})
    result = ensure(pat, CONNECTION)
    assert result.exit_code == 5
    assert "become Administrator of the connection in every project" in result.stderr
    assert names(emulator) == []


def test_a_user_of_a_connection_cannot_change_it(pat: InProcess, emulator: Emulator) -> None:
    emulator.change_service_connection("fabrikam", roles={"ada": "user"})
    result = ensure(pat, CONNECTION)
    assert result.exit_code == 8
    assert "you cannot" in result.stderr
    assert there(emulator, CONNECTION) != secret(pat)


def test_a_connection_that_goes_between_reading_and_writing(
    pat: InProcess, emulator: Emulator
) -> None:
    emulator.change_service_connection("fabrikam", when="before-write", removed=True)
    result = ensure(pat, CONNECTION)
    assert result.exit_code == 8
    assert "there is no service connection" in result.stderr
