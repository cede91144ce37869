"""--deliver service-connection: the secret changes, and the rest of the connection stays."""

from typing import Any

import pytest

from cli.stage import names
from drivers import Emulator, InProcess

SAMPLE = "service-connection:fabric/fabrikam"
TWO = {"type": "kubernetes", "parameters": {"apitoken": "a", "serviceAccountCertificate": "b"}}


def ensure(pat: InProcess, target: str) -> Any:  # noqa: ANN401 - what the driver returns
    return pat("ensure", "ci", "--scope", "code", "--deliver", target)


def secret(pat: InProcess) -> str:
    return pat("get", "ci").stdout.strip()


def test_the_secret_arrives_and_is_replaced(pat: InProcess, emulator: Emulator) -> None:
    assert ensure(pat, SAMPLE).exit_code == 0
    assert emulator.parameters("fabrikam") == {"apitoken": secret(pat)}
    assert pat("rotate", "ci", "-q", "-o", "none").exit_code == 0
    assert emulator.parameters("fabrikam") == {"apitoken": secret(pat)}


@pytest.mark.parametrize("name", ["a/b", "50%#1", "Schlüssel", "a,b"])
def test_odd_names_and_a_shared_connection(pat: InProcess, emulator: Emulator, name: str) -> None:
    emulator.add_service_connection(
        name,
        projects=["fabric", "Web Shop"],
        scheme="UsernamePassword",
        parameters={"username": "u", "password": "old"},
    )
    quoted = name.replace("%", "%25").replace("/", "%2F").replace("#", "%23")
    assert ensure(pat, f"service-connection:Web Shop/{quoted}#PASSWORD").exit_code == 0
    assert emulator.parameters(name) == {"username": "u", "password": secret(pat)}


@pytest.mark.parametrize(
    ("target", "code", "said"),
    [
        ("fabric/none", 3, "there is no service connection 'none'"),
        ("fabric/arm", 2, "holds no personal access token"),
        ("fabric/two", 2, "add one of them after #"),
        ("fabric/two#apitoken", 2, "has another secret, serviceAccountCertificate"),
        ("fabric/fabrikam#password", 2, "no confidential parameter 'password'"),
    ],
)
def test_the_probe_refuses_before_a_token_is_made(
    pat: InProcess, emulator: Emulator, target: str, code: int, said: str
) -> None:
    emulator.add_service_connection("two", **TWO)
    emulator.add_service_connection(
        "arm", type="azurerm", scheme="ServicePrincipal", parameters={"serviceprincipalkey": "a"}
    )
    result = ensure(pat, f"service-connection:{target}")
    assert (result.exit_code, names(emulator)) == (code, [])
    assert said in result.stderr


def test_a_connection_that_fails_tells_why(pat: InProcess, emulator: Emulator) -> None:
    emulator.set_readiness(failure="the server refused the token")
    result = ensure(pat, SAMPLE)
    assert result.exit_code == 8
    assert "failed after its change" in result.stderr
    emulator.set_readiness()
    assert ensure(pat, SAMPLE).exit_code == 0


def test_a_change_right_after_the_write_is_told(pat: InProcess, emulator: Emulator) -> None:
    emulator.change_service_connection("fabrikam", when="after-write", url="https://theirs.example")
    result = ensure(pat, SAMPLE)
    assert result.exit_code == 8
    assert "someone else has changed the service connection" in result.stderr


@pytest.mark.parametrize("status", [409, 500, 503])
def test_a_failed_write_is_done_later(pat: InProcess, emulator: Emulator, status: int) -> None:
    emulator.fail(f"PUT */endpoints/* status={status} times=1")
    assert ensure(pat, SAMPLE).exit_code == 8
    assert ensure(pat, SAMPLE).exit_code == 0
    assert emulator.parameters("fabrikam") == {"apitoken": secret(pat)}
