"""The emulated Key Vault. Microsoft's own client uses it in e2e/."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from jsonschema import Draft4Validator, FormatChecker

from azdo_pat.emulator.run import Options, start
from emulator.stage import NOW, Stage

SPEC = Path(__file__).parents[3] / "shared" / "specs" / "keyvault-secrets-2025-07-01.json"
TENANT = "7f0b9c1e-5d43-4f6a-9a51-2c8e6f1d0b37"
OTHER_TENANT = "c2a6e0d4-93b1-4e7f-8d25-6b0f4a1c7e58"
RESOURCE = "https://vault.azure.net"
SECONDS = int(NOW.timestamp())
ATTRIBUTES = {
    "enabled": True,
    "created": SECONDS,
    "updated": SECONDS,
    "recoveryLevel": "Recoverable+Purgeable",
    "recoverableDays": 90,
}
PAT = "/contoso-ci/secrets/pat"

Ask = Callable[..., requests.Response]


@pytest.fixture
def stage() -> Iterator[Stage]:
    """An emulator with vaults, and Ada's access token for them."""
    options = Options(vaults=True)
    with start(options, clock=lambda: NOW) as emulator, requests.Session() as session:
        session.verify = str(emulator.authority_file)
        stage = Stage(emulator=emulator, session=session, token="", version="7.4")
        stage.token = stage.access_token(resource=RESOURCE)
        yield stage


@pytest.fixture
def ask(stage: Stage) -> Ask:
    """Send one request to the vaults."""

    def send(
        method: str, path: str, body: object = None, *, token: str | None = "", **query: str
    ) -> requests.Response:
        bearer = stage.token if token == "" else token
        return stage.session.request(
            method,
            f"{stage.emulator.vaults}{path}",
            params={"api-version": stage.version or "", **query},
            json=body,
            headers={} if bearer is None else {"Authorization": f"Bearer {bearer}"},
            timeout=10,
        )

    return send


def refused(answer: requests.Response) -> tuple[int, str, str]:
    """The status, the code and the inner code of a refusal."""
    error = answer.json()["error"]
    return answer.status_code, error["code"], error.get("innererror", {}).get("code", "")


def stored(stage: Stage, name: str = "contoso-ci") -> dict[str, Any]:
    """A vault as it is behind the scenes."""
    vaults: list[dict[str, Any]] = stage.control("GET", "vaults")["vaults"]
    return next(each for each in vaults if each["vault"] == name)


def test_a_new_version_inherits_nothing(stage: Stage, ask: Ask) -> None:
    body = {
        "value": "first",
        "contentType": "text/plain",
        "tags": {"team": "build"},
        "attributes": {"exp": SECONDS + 60, "nbf": SECONDS, "enabled": True},
    }
    first = ask("PUT", PAT, body).json()
    second = ask("PUT", PAT, {"value": "second"}).json()
    address = f"{stage.emulator.vaults}{PAT}"
    versions = [each["id"].removeprefix(f"{address}/") for each in (first, second)]
    assert [len(each) for each in versions] == [32, 32]
    assert first == {
        "value": "first",
        "id": f"{address}/{versions[0]}",
        "contentType": "text/plain",
        "attributes": {**ATTRIBUTES, "exp": SECONDS + 60, "nbf": SECONDS},
        "tags": {"team": "build"},
    }
    assert second == {
        "value": "second",
        "id": f"{address}/{versions[1]}",
        "attributes": ATTRIBUTES,
    }
    assert ask("GET", PAT).json() == second
    assert ask("GET", f"{PAT}/{versions[0]}").json() == first
    stage.version = "2025-07-01"
    assert ask("GET", PAT).json() == {**second, "previousVersion": versions[0]}
    assert [each["value"] for each in stored(stage)["secrets"]["pat"]] == ["first", "second"]


def test_names_have_no_case(ask: Ask) -> None:
    ask("PUT", "/contoso-ci/secrets/Build-PAT", {"value": "x"})
    ask("PUT", "/CONTOSO-CI/secrets/build-pat", {"value": "y"})
    assert ask("GET", "/contoso-ci/secrets/BUILD-PAT").json()["value"] == "y"


def test_an_update_changes_a_version_in_place(ask: Ask) -> None:
    ask("PUT", PAT, {"value": "x", "tags": {"a": "b"}, "contentType": "text/plain"})
    changed = ask("PATCH", f"{PAT}/", {"attributes": {"enabled": False}}).json()
    assert changed["tags"] == {"a": "b"}
    assert "value" not in changed
    version = changed["id"].rpartition("/")[2]
    assert refused(ask("GET", PAT)) == (403, "Forbidden", "SecretDisabled")
    ask("PATCH", f"{PAT}/{version}", {"attributes": {"enabled": True}, "tags": {"c": "d"}})
    found = ask("GET", PAT).json()
    assert (found["value"], found["tags"], found["contentType"]) == ("x", {"c": "d"}, "text/plain")


@pytest.mark.parametrize("window", [{"exp": SECONDS - 60}, {"nbf": SECONDS + 60}])
def test_a_secret_outside_its_window_can_be_read(ask: Ask, window: dict[str, int]) -> None:
    ask("PUT", PAT, {"value": "x", "attributes": window})
    assert ask("GET", PAT).json()["value"] == "x"


def test_the_list_of_versions_goes_by_their_ids_and_in_pages(stage: Stage, ask: Ask) -> None:
    made = [ask("PUT", PAT, {"value": str(number)}).json()["id"] for number in range(30)]
    page = ask("GET", f"{PAT}/versions").json()
    assert len(page["value"]) == 25
    assert page["nextLink"].startswith(f"{stage.emulator.vaults}{PAT}/versions?")
    headers = {"Authorization": f"Bearer {stage.token}"}
    rest = stage.session.get(page["nextLink"], headers=headers, timeout=10).json()
    found = [each["id"] for each in (*page["value"], *rest["value"])]
    assert found == sorted(made)
    assert "value" not in page["value"][0]
    assert rest["nextLink"] is None
    assert refused(ask("GET", f"{PAT}/versions", maxresults="26"))[0] == 400


def test_what_is_deleted_can_be_recovered_until_it_is_purged(stage: Stage, ask: Ask) -> None:
    made = ask("PUT", PAT, {"value": "x", "tags": {"a": "b"}}).json()
    deleted = ask("DELETE", PAT).json()
    bare = {name: made[name] for name in ("id", "attributes", "tags")}
    assert deleted == {
        "recoveryId": f"{stage.emulator.vaults}/contoso-ci/deletedsecrets/pat",
        "deletedDate": SECONDS,
        "scheduledPurgeDate": SECONDS + 90 * 86400,
        **bare,
    }
    gone = "/contoso-ci/deletedsecrets/pat"
    assert ask("GET", gone).json() == deleted
    assert refused(ask("GET", PAT)) == (404, "SecretNotFound", "")
    conflict = (409, "Conflict", "ObjectIsDeletedButRecoverable")
    assert refused(ask("PUT", PAT, {"value": "y"})) == conflict
    assert ask("POST", f"{gone}/recover").json() == bare
    assert ask("GET", PAT).json() == made
    ask("DELETE", PAT)
    assert ask("DELETE", gone).status_code == 204
    assert refused(ask("GET", gone)) == (404, "SecretNotFound", "")
    assert ask("PUT", PAT, {"value": "y"}).status_code == 200


@pytest.mark.parametrize("token", [None, "no.token.", ""])
@pytest.mark.parametrize(
    ("vault", "tenant"), [("contoso-ci", TENANT), ("tailspin-ci", OTHER_TENANT)]
)
def test_a_stranger_is_told_the_tenant_of_the_vault(
    ask: Ask, stage: Stage, vault: str, tenant: str, token: str | None
) -> None:
    bearer = stage.emulator.access_token if token == "" else token  # one for Azure DevOps
    answer = ask("PUT", f"/{vault}/secrets/pat", token=bearer)
    assert refused(answer) == (401, "Unauthorized", "")
    said = f'Bearer authorization="https://login.microsoftonline.com/{tenant}"'
    assert answer.headers["WWW-Authenticate"] == f'{said}, resource="{RESOURCE}"'


def test_the_token_is_of_the_tenant_of_the_vault(ask: Ask, stage: Stage) -> None:
    path = "/tailspin-ci/secrets/pat"
    answer = ask("PUT", path, {"value": "x"})
    assert refused(answer) == (401, "Unauthorized", "")
    assert answer.json()["error"]["message"] == (
        f"AKV10032: Invalid issuer. Expected one of https://sts.windows.net/{OTHER_TENANT}/, found"
        f" https://sts.windows.net/{TENANT}/."
    )
    abroad = stage.access_token(resource=RESOURCE, user="ada-abroad")
    assert ask("PUT", path, {"value": "x"}, token=abroad).status_code == 200
    other_cloud = stage.access_token(resource="https://vault.azure.cn")
    assert ask("GET", PAT, token=other_cloud).status_code == 401
    stage.control("PUT", "vaults", {"vault": "new", "resource": "https://vault.azure.cn"})
    assert refused(ask("GET", "/new/secrets/pat", token=other_cloud))[0] == 404
    expired = stage.access_token(resource=RESOURCE, kind="expired")
    assert ask("GET", PAT, token=expired).status_code == 401
    stage.control("DELETE", "access-tokens")
    assert ask("GET", PAT).status_code == 401


@pytest.mark.parametrize(
    ("access", "inner"),
    [
        ("rbac", "ForbiddenByRbac"),
        ("policy", "AccessDenied"),
        ("on-behalf-of", "ForbiddenByPolicy"),
    ],
)
def test_rights_are_given_one_by_one(stage: Stage, ask: Ask, access: str, inner: str) -> None:
    requests_of = {
        "set": ("PUT", PAT, {"value": "x"}),
        "get": ("GET", PAT, None),
        "list": ("GET", f"{PAT}/versions", None),
        "delete": ("DELETE", PAT, None),
        "recover": ("POST", "/contoso-ci/deletedsecrets/pat/recover", None),
        "purge": ("DELETE", "/contoso-ci/deletedsecrets/pat", None),
    }
    stage.control("PUT", "vaults", {"vault": "contoso-ci", "access": access, "rights": []})
    for request in requests_of.values():
        assert refused(ask(*request)) == (403, "Forbidden", inner)
    for right, request in requests_of.items():
        stage.control("PUT", "vaults", {"vault": "contoso-ci", "rights": [right]})
        assert ask(*request).status_code in {200, 204, 404}
        others = [ask(*each).status_code for name, each in requests_of.items() if name != right]
        assert others == [403] * 5


def test_a_firewall_goes_before_the_rights(stage: Stage, ask: Ask) -> None:
    stage.control("PUT", "vaults", {"vault": "contoso-ci", "firewall": True, "rights": []})
    assert refused(ask("GET", PAT)) == (403, "Forbidden", "ForbiddenByFirewall")


@pytest.mark.parametrize("name", ["bad_name", "a" * 128, "a.b", "%20", "é"])
def test_a_name_that_cannot_be(ask: Ask, name: str) -> None:
    for method, body in (("PUT", {"value": "x"}), ("GET", None)):
        answer = ask(method, f"/contoso-ci/secrets/{name}", body)
        assert refused(answer) == (400, "BadParameter", "")


@pytest.mark.parametrize(
    "body",
    [
        None,
        {},
        [],
        {"value": None},
        {"value": 7},
        {"value": "x" * 25_601},
        {"value": "x", "contentType": 7},
        {"value": "x", "tags": {"a": 7}},
        {"value": "x", "tags": ["a"]},
        {"value": "x", "tags": dict.fromkeys(map(str, range(16)), "x")},
        {"value": "x", "tags": {"a": "x" * 513}},
        {"value": "x", "attributes": {"enabled": "yes"}},
        {"value": "x", "attributes": {"exp": "2027-01-01"}},
        {"value": "x", "attributes": {"exp": 1, "nbf": 2}},
    ],
)
def test_a_secret_that_cannot_be(ask: Ask, body: object) -> None:
    assert refused(ask("PUT", PAT, body)) == (400, "BadParameter", "")
    assert ask("GET", PAT).status_code == 404


def test_the_version_of_the_api_is_needed(stage: Stage, ask: Ask) -> None:
    for version in ("", "6.0", "7.4-preview.1"):
        stage.version = version
        assert refused(ask("GET", PAT)) == (400, "BadParameter", "")


def test_a_vault_answers_by_the_name_of_its_host(stage: Stage) -> None:
    answer = stage.session.put(
        f"{stage.emulator.vaults}/secrets/pat?api-version=7.4",
        json={"value": "x"},
        headers={"Authorization": f"Bearer {stage.token}", "Host": "contoso-ci.vault.azure.net"},
        timeout=10,
    )
    assert answer.json()["id"].startswith("https://contoso-ci.vault.azure.net/secrets/pat/")
    assert stored(stage)["secrets"].keys() == {"pat"}


@pytest.mark.parametrize("path", ["/nowhere/secrets/pat", "/"])
def test_where_there_is_no_vault_nothing_answers(ask: Ask, path: str) -> None:
    with pytest.raises(requests.ConnectionError):
        ask("GET", path)


def test_nothing_else_is_there(ask: Ask) -> None:
    assert refused(ask("GET", "/contoso-ci/keys/x"))[0] == 400
    with pytest.raises(requests.ConnectionError):
        ask("GET", "/contoso/_apis/projects")
    assert ask("GET", "/_emulator/vaults").status_code == 403


@pytest.mark.parametrize(
    ("status", "code", "inner"),
    [
        (401, "Unauthorized", ""),
        (403, "Forbidden", "ForbiddenByRbac"),
        (404, "SecretNotFound", ""),
        (409, "Conflict", "ObjectIsDeletedButRecoverable"),
        (429, "Throttled", ""),
        (503, "InternalServerError", ""),
    ],
)
def test_faults_are_in_the_words_of_key_vault(
    stage: Stage, ask: Ask, status: int, code: str, inner: str
) -> None:
    stage.fault(f"PUT */secrets/* status={status} retry-after=3")
    answer = ask("PUT", PAT, {"value": "x"})
    assert refused(answer) == (status, code, inner)
    assert answer.headers["Retry-After"] == "3"
    assert ("WWW-Authenticate" in answer.headers) is (status == 401)
    assert stored(stage)["secrets"] == {}


def test_other_faults_are_those_of_everywhere(stage: Stage, ask: Ask) -> None:
    stage.fault("PUT * cut=after")
    with pytest.raises(requests.ConnectionError):
        ask("PUT", PAT, {"value": "x"})
    assert stored(stage)["secrets"].keys() == {"pat"}
    stage.fault("GET * html")
    assert "Sign in" in ask("GET", PAT).text


def test_the_log_of_requests_holds_no_value(stage: Stage, ask: Ask) -> None:
    ask("PUT", PAT, {"value": "hidden", "tags": {"a": "b"}})
    (entry,) = stage.control("GET", "requests")["requests"]
    assert (entry["path"], entry["status"], entry["body"]) == (
        PAT,
        200,
        {"value": "***", "tags": {"a": "b"}},
    )


def test_someone_else_makes_a_change_meanwhile(stage: Stage, ask: Ask) -> None:
    place = {"vault": "contoso-ci", "secret": "pat"}
    stage.control("POST", "vault-secrets", {**place, "value": "theirs", "meanwhile": "before"})
    assert ask("GET", PAT).status_code == 404
    ask("PUT", PAT, {"value": "mine"})
    stage.control("POST", "vault-secrets", {**place, "value": "theirs again", "meanwhile": "after"})
    ask("PUT", PAT, {"value": "mine again"})
    values = [each["value"] for each in stored(stage)["secrets"]["pat"]]
    assert values == ["theirs", "mine", "mine again", "theirs again"]
    stage.control("DELETE", "vault-secrets", {**place, "meanwhile": "before"})
    assert ask("PUT", PAT, {"value": "late"}).status_code == 409
    assert stored(stage)["deleted"].keys() == {"pat"}


@pytest.mark.parametrize(
    ("method", "name", "body"),
    [
        ("PUT", "vaults", {}),
        ("PUT", "vaults", {"vault": "x", "rights": ["read"]}),
        ("PUT", "vaults", {"vault": "x", "access": "none"}),
        ("PUT", "vaults", {"vault": "x", "resource": "https://vault.example"}),
        ("PUT", "vaults", {"vault": "x", "typo": 1}),
        ("POST", "vault-secrets", {"vault": "nowhere", "secret": "a", "value": "x"}),
        ("POST", "vault-secrets", {"vault": "contoso-ci", "secret": "a_b", "value": "x"}),
        ("POST", "vault-secrets", {"vault": "contoso-ci", "secret": "a", "meanwhile": "soon"}),
        ("DELETE", "vault-secrets", {"vault": "contoso-ci", "secret": "a"}),
    ],
)
def test_control_calls_that_are_not_understood(
    stage: Stage, method: str, name: str, body: object
) -> None:
    address = f"{stage.emulator.url}/_emulator/{name}"
    answer = stage.session.request(method, address, json=body, timeout=10)
    assert (answer.status_code, set(answer.json())) == (400, {"error"})


@pytest.mark.skipif(not SPEC.is_file(), reason=f"Microsoft's OpenAPI document is not at {SPEC}")
def test_each_answer_keeps_to_the_specification(stage: Stage, ask: Ask) -> None:
    stage.version = "2025-07-01"
    gone = "/contoso-ci/deletedsecrets/pat"
    body = {"value": "x", "tags": {"a": "b"}, "contentType": "t", "attributes": {"exp": SECONDS}}
    answers = [
        ("SecretBundle", ask("PUT", PAT, body)),
        ("SecretBundle", ask("PUT", PAT, {"value": "y"})),
        ("SecretBundle", ask("GET", PAT)),
        ("SecretBundle", ask("PATCH", f"{PAT}/", {"tags": {"c": "d"}})),
        ("SecretListResult", ask("GET", f"{PAT}/versions", maxresults="1")),
        ("DeletedSecretBundle", ask("DELETE", PAT)),
        ("DeletedSecretBundle", ask("GET", gone)),
        ("KeyVaultError", ask("GET", PAT)),
        ("KeyVaultError", ask("PUT", PAT, {"value": "z"})),
        ("KeyVaultError", ask("GET", PAT, token=None)),
        ("SecretBundle", ask("POST", f"{gone}/recover")),
    ]
    for definition, answer in answers:
        hold(answer.json(), definition)
    hold(answers[4][1].json()["value"][0], "SecretItem")


def hold(value: dict[str, Any], name: str) -> None:
    """Assert that a value fits a definition and has no field that the definition does not."""
    definitions: dict[str, Any] = json.loads(SPEC.read_text("utf-8-sig"))["definitions"]
    schema = {"$ref": f"#/definitions/{name}", "definitions": definitions}
    errors = Draft4Validator(schema, format_checker=FormatChecker()).iter_errors(value)
    assert [error.message for error in errors] == []
    assert set(value) <= set(definitions[name]["properties"])
