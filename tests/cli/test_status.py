"""pat status."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import keyring
import pytest
from keyring.backends.fail import Keyring as NoKeyring

from cli.stage import RESOURCE, as_json, lines
from drivers import AzureCli, Emulator, InProcess, Result

MEMORY = "fakes MemoryKeyring (fakes.MemoryKeyring)"
TENANT = "7f0b9c1e-5d43-4f6a-9a51-2c8e6f1d0b37"
ADA = {
    "id": "d6245f20-2af8-44f4-9451-8107cb2767db",
    "name": "Ada Lovelace",
    "mail": "ada@contoso.example",
}
UNASKED = "not used: PAT_ACCESS_TOKEN takes precedence"
CONTOSO_ID = "38aaa865-2c70-4bf7-a308-0c6539c38c1a"
FABRIKAM_ID = "6affcbef-fe5d-44c6-8a29-439b79aaa118"


def organization(emulator: Emulator, name: str, identifier: str | None) -> dict[str, object]:
    return {"name": name, "url": f"{emulator.url}/{name}", "id": identifier, "hosted": True}


def report(emulator: Emulator, home: Path, result: Result, **changes: object) -> dict[str, object]:
    """What all is well looks like; when the access token ends is the result's own word."""
    return {
        "api_root": emulator.url,
        "organization": organization(emulator, "contoso", CONTOSO_ID),
        "organization_source": "PAT_ORG",
        "signed_in": True,
        "user": "ada@contoso.example",
        "tenant": TENANT,
        "token_source": "PAT_ACCESS_TOKEN",
        "token_expires": result.json["token_expires"],
        "sources": [
            {"name": "PAT_ACCESS_TOKEN", "used": True, "detail": "used"},
            {"name": "pat login", "used": False, "detail": UNASKED},
            {"name": "Azure CLI", "used": False, "detail": UNASKED},
        ],
        "identity": ADA,
        "organizations": [
            organization(emulator, "contoso", CONTOSO_ID),
            organization(emulator, "fabrikam", FABRIKAM_ID),
        ],
        "keyring": MEMORY,
        "keyring_usable": True,
        "stored_secrets": 0,
        "config_file": str(home / "pat/config/config.toml"),
        "state_file": str(home / "pat/state/state.db"),
        "problems": [],
        "pending": [],
        **changes,
    }


def signed_out(emulator: Emulator, **changes: object) -> dict[str, object]:
    nobody = dict.fromkeys(("user", "tenant", "token_source", "token_expires", "identity"))
    at_hand = organization(emulator, "contoso", None)
    return {
        "signed_in": False,
        "organization": at_hand,
        "organizations": [],
        **nobody,
        **changes,
    }


def whole(document: dict[str, object], exit_code: int = 0) -> Result:
    return Result(exit_code=exit_code, stdout=as_json(document), stderr="")


def test_all_is_well(pat: InProcess, emulator: Emulator, home: Path) -> None:
    pat("create", "laptop", "--scope", "code", "-q", "-o", "none")
    result = pat("status", "-o", "json")
    assert result == whole(report(emulator, home, result, stored_secrets=1))
    until = datetime.strptime(result.json["token_expires"], "%Y-%m-%dT%H:%M:%S%z")
    assert abs(until - datetime.now(UTC) - timedelta(hours=12)) < timedelta(minutes=1)


def test_as_a_table(pat: InProcess, emulator: Emulator, home: Path) -> None:
    until = pat("status", "-o", "json").json["token_expires"]
    assert pat("status") == Result(
        exit_code=0,
        stdout=lines(
            "Signed in      yes, as ada@contoso.example",
            "Profile        Ada Lovelace <ada@contoso.example>",
            f"Tenant         {TENANT}",
            "Access token   from PAT_ACCESS_TOKEN, expires in 12 hours"
            f" ({until[:10]} {until[11:16]})",
            "Sources        PAT_ACCESS_TOKEN: used",
            f"               pat login: {UNASKED}",
            f"               Azure CLI: {UNASKED}",
            "Organization   contoso (from PAT_ORG)",
            f"               {emulator.url}/contoso",
            "Organizations  contoso, fabrikam",
            f"Service        {emulator.url}",
            f"Keyring        {MEMORY}",
            "Secrets        0 stored",
            f"Config         {home / 'pat/config/config.toml'}",
            f"State          {home / 'pat/state/state.db'}",
        ),
        stderr="",
    )


UNKNOWN = "there is no organization {}, or the signed-in user has no access to it"


@pytest.mark.parametrize(("name", "near"), [("contosso", "did you mean contoso? "), ("zz", "")])
def test_an_organization_that_the_service_does_not_know(
    pat: InProcess, name: str, near: str
) -> None:
    instead = "to use another organization, add --org (known: contoso, fabrikam)"
    assert pat("status", "--org", name, "-o", "json").json["problems"] == [
        f"{UNKNOWN.format(name)}; {near}{instead}"
    ]


def test_an_organization_that_does_not_know_the_user(pat: InProcess, emulator: Emulator) -> None:
    grace = {"PAT_ACCESS_TOKEN": emulator.mint("user", user="grace")}
    (said,) = pat("status", "--org", "fabrikam", "-o", "json", env=grace).json["problems"]
    assert said.startswith("fabrikam does not know the signed-in user")


def test_without_a_sign_in_no_organization_is_taken_for_a_mistake(pat: InProcess) -> None:
    pat("create", "laptop", "--scope", "code", "-q", "-o", "none")
    alone = {"PAT_ACCESS_TOKEN": None, "PATH": "/nowhere"}  # no az
    for name in ("contoso-test", "contoso", "nosuch"):
        (problem,) = pat("status", "--org", name, "-o", "json", env=alone).json["problems"]
        assert problem.startswith("not signed in")


def test_nobody_is_signed_in(
    pat: InProcess, emulator: Emulator, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")  # no az
    result = pat("status", "-o", "json", env={"PAT_ACCESS_TOKEN": None})
    sources = [
        {"name": "PAT_ACCESS_TOKEN", "used": False, "detail": "not set"},
        {"name": "pat login", "used": False, "detail": "not signed in"},
        {"name": "Azure CLI", "used": False, "detail": "not installed"},
    ]
    problem = (
        "not signed in (PAT_ACCESS_TOKEN: not set; pat login: not signed in; Azure CLI: not"
        " installed); to sign in, run: pat login; or use the Azure CLI (az login), or set"
        " PAT_ACCESS_TOKEN to a Microsoft Entra access token"
    )
    changes = signed_out(emulator, sources=sources, problems=[problem])
    assert result == whole(report(emulator, home, result, **changes), exit_code=4)
    assert emulator.requests == []


def test_signed_in_to_the_azure_cli(
    pat: InProcess, emulator: Emulator, home: Path, az: AzureCli
) -> None:
    az.sign_in(emulator.access_token)
    result = pat("status", "-o", "json", env={"PAT_ACCESS_TOKEN": None})
    sources = [
        {"name": "PAT_ACCESS_TOKEN", "used": False, "detail": "not set"},
        {"name": "pat login", "used": False, "detail": "not signed in"},
        {"name": "Azure CLI", "used": True, "detail": "used"},
    ]
    changes = {"token_source": "Azure CLI", "sources": sources}
    assert result == whole(report(emulator, home, result, **changes))
    assert az.calls == [f"account get-access-token --resource {RESOURCE} -o json"]


def test_the_environment_comes_before_the_azure_cli(
    pat: InProcess, emulator: Emulator, az: AzureCli
) -> None:
    az.sign_in(emulator.mint("user", user="grace"))
    result = pat("status", "-o", "json", "--query", "[user, token_source]")
    expected = as_json(["ada@contoso.example", "PAT_ACCESS_TOKEN"])
    assert (result, az.calls) == (Result(exit_code=0, stdout=expected, stderr=""), [])


def test_nobody_is_signed_in_to_the_azure_cli(
    pat: InProcess, emulator: Emulator, home: Path, az: AzureCli
) -> None:
    result = pat("status", "-o", "json", env={"PAT_ACCESS_TOKEN": None})
    detail = "no user is signed in (az login)"
    sources = [
        {"name": "PAT_ACCESS_TOKEN", "used": False, "detail": "not set"},
        {"name": "pat login", "used": False, "detail": "not signed in"},
        {"name": "Azure CLI", "used": False, "detail": detail},
    ]
    problem = (
        "not signed in (PAT_ACCESS_TOKEN: not set; pat login: not signed in; Azure CLI:"
        f" {detail});"
        " to sign in, run: pat login; or use the Azure CLI (az login), or set PAT_ACCESS_TOKEN"
        " to a Microsoft Entra access token"
    )
    changes = signed_out(emulator, sources=sources, problems=[problem])
    assert result == whole(report(emulator, home, result, **changes), exit_code=4)
    assert len(az.calls) == 1


def test_a_keyring_that_cannot_be_used_is_a_problem(
    pat: InProcess, emulator: Emulator, home: Path
) -> None:
    keyring.set_keyring(NoKeyring())  # type: ignore[no-untyped-call]  # keyring's own class
    result = pat("status", "-o", "json")
    (problem,) = result.json["problems"]
    changes = {"keyring": "", "keyring_usable": False, "problems": [problem]}
    assert result == whole(report(emulator, home, result, **changes))
    assert "keyring" in problem


def test_a_damaged_state_file_is_moved_aside(
    pat: InProcess, emulator: Emulator, home: Path
) -> None:
    file = home / "pat/state/state.db"
    file.parent.mkdir(parents=True)
    file.write_bytes(b"no database" * 100)
    result = pat("status", "-o", "json")
    (aside,) = file.parent.glob("state.db.damaged-*")
    assert f"the state file was damaged and is now {aside}" in result.stderr
    assert replace(result, stderr="") == whole(report(emulator, home, result))
    assert aside.read_bytes() == b"no database" * 100


def test_a_service_that_refuses_has_not_let_anybody_in(
    pat: InProcess, emulator: Emulator, home: Path
) -> None:
    emulator.fail("GET /_apis/* status=403 times=always")
    result = pat("status", "-o", "json")
    (problem,) = result.json["problems"]
    changes = {
        "signed_in": False,
        "organization": organization(emulator, "contoso", None),
        "identity": None,
        "organizations": [],
        "problems": [problem],
    }
    assert result == whole(report(emulator, home, result, **changes), exit_code=4)
    assert problem.startswith(
        f"{emulator.url.removeprefix('http://')} does not allow the operation"
    )


def test_a_service_that_does_not_answer_has_refused_nobody(
    pat: InProcess, emulator: Emulator, home: Path
) -> None:
    emulator.fail("GET /_apis/* status=501 times=always")
    result = pat("status", "-o", "json")
    (problem,) = result.json["problems"]
    changes = {
        "signed_in": None,
        "organization": organization(emulator, "contoso", None),
        "identity": None,
        "organizations": [],
        "problems": [problem],
    }
    assert result == whole(report(emulator, home, result, **changes), exit_code=11)
    assert problem.startswith(f"{emulator.url.removeprefix('http://')} failed (HTTP 501)")


def test_a_sign_in_at_microsoft_is_not_for_a_plain_http_root(
    pat: InProcess, emulator: Emulator, az: AzureCli
) -> None:
    az.sign_in(emulator.access_token)
    env = {"PAT_ACCESS_TOKEN": None, "PAT_API_URL": "http://127.0.0.1:9"}
    result = pat("list", env=env)
    assert result.exit_code == 4
    assert "Azure CLI: not used: PAT_API_URL is not https" in result.stderr
    assert "unset PAT_API_URL" in result.stderr
    assert az.calls == []


def test_how_to_get_another_of_the_azure_cli_once_its_own_is_rejected(
    pat: InProcess, emulator: Emulator, az: AzureCli
) -> None:
    az.sign_in(emulator.access_token)
    emulator.reject_access_tokens()
    result = pat("list", env={"PAT_ACCESS_TOKEN": None})
    assert result.exit_code == 4
    assert (
        "requires a new sign-in: it no longer accepts the access token from Azure CLI"
        in result.stderr
    )
    assert "returns the same access token" in result.stderr
    assert "az account clear, then az login; or run: pat login" in " ".join(result.stderr.split())
