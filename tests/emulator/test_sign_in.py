"""Who gets in, and what those get who do not."""

import base64

import pytest

from emulator.stage import ADA_ID, CONNECTION, CONTOSO_ID, GRACE_ID, PATS, Stage

TENANT = "7f0b9c1e-5d43-4f6a-9a51-2c8e6f1d0b37"
OTHER_TENANT = "c2a6e0d4-93b1-4e7f-8d25-6b0f4a1c7e58"
PROFILE = "/_apis/profile/profiles/me"
BLANK = {"X-TFS-FedAuthRedirect": ""}


def spoil(stage: Stage, kind: str) -> None:
    """Give the stage a credential that is no good."""
    if kind == "none":
        stage.token = None
    elif kind == "rubbish":
        stage.token = "x"
    elif kind == "forged":
        assert stage.token is not None
        stage.token = stage.token[:-4] + "AAAA"
    else:
        stage.token = stage.access_token(kind=kind)


@pytest.mark.parametrize("kind", ["none", "rubbish", "forged", "expired", "wrong-audience"])
@pytest.mark.parametrize("path", [PATS, PROFILE, "/_apis/accounts", CONNECTION])
def test_whoever_suppresses_the_redirect_gets_a_401(stage: Stage, kind: str, path: str) -> None:
    spoil(stage, kind)
    answer = stage.ask("GET", path)
    assert (answer.status_code, answer.json()) == (
        401,
        {
            "$id": "1",
            "innerException": None,
            "message": "TF400813: Resource not available for anonymous access. "
            "Client authentication required.",
            "typeName": "Microsoft.TeamFoundation.Framework.Server.UnauthorizedRequestException, "
            "Microsoft.TeamFoundation.Framework.Server",
            "typeKey": "UnauthorizedRequestException",
            "errorCode": 0,
            "eventId": 3000,
        },
    )
    authority = f"https://login.microsoftonline.com/{TENANT}"
    assert f"Bearer authorization_uri={authority}" in answer.headers["WWW-Authenticate"]
    assert answer.headers["X-VSS-ResourceTenant"] == TENANT


@pytest.mark.parametrize("token", [None, "ada"])
def test_an_organization_of_another_tenant_names_it(stage: Stage, token: str | None) -> None:
    if token is None:
        stage.token = None
    answer = stage.ask("GET", "/tailspin/_apis/tokens/pats")
    assert answer.status_code == 401
    assert answer.headers["X-VSS-ResourceTenant"] == OTHER_TENANT
    authority = f"https://login.microsoftonline.com/{OTHER_TENANT}"
    assert f"Bearer authorization_uri={authority}" in answer.headers["WWW-Authenticate"]


@pytest.mark.parametrize(
    ("kind", "method", "status"),
    [
        ("none", "GET", 203),
        ("none", "POST", 203),
        ("none", "PUT", 401),
        ("none", "DELETE", 401),
        ("rubbish", "GET", 203),
        ("forged", "GET", 302),
        ("expired", "GET", 302),
        ("expired", "POST", 302),
        ("expired", "DELETE", 401),
        ("wrong-audience", "GET", 401),
    ],
)
def test_others_meet_the_sign_in_page(stage: Stage, kind: str, method: str, status: int) -> None:
    spoil(stage, kind)
    answer = stage.ask(method, PATS, headers=BLANK)
    assert answer.status_code == status
    if status == 401:
        assert answer.json()["typeKey"] == "UnauthorizedRequestException"
    else:
        assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
        assert "Sign in" in answer.text
    assert ("Location" in answer.headers) == (status == 302)


def test_who_follows_the_redirect_gets_a_page_and_not_data(stage: Stage) -> None:
    spoil(stage, "expired")
    address = stage.ask("GET", PATS, headers=BLANK).headers["Location"]
    assert address.startswith(f"{stage.emulator.url}/_signin?")
    answer = stage.session.get(address, timeout=10)
    assert (answer.status_code, answer.headers["Content-Type"]) == (
        200,
        "text/html; charset=utf-8",
    )


def test_an_access_token_reads_like_a_real_one(stage: Stage) -> None:
    assert stage.token is not None
    payload = stage.token.split(".")[1]
    text = base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)).decode()
    for claim in (
        '"aud":"499b84ac-1321-427f-aa17-267ca6975798"',
        f'"iss":"https://sts.windows.net/{TENANT}/"',
        f'"tid":"{TENANT}"',
        '"upn":"ada@contoso.example"',
        '"unique_name":"ada@contoso.example"',
        '"name":"Ada Lovelace"',
        '"scp":"user_impersonation"',
        '"ver":"1.0"',
    ):
        assert claim in text


@pytest.mark.parametrize("path", [PATS, PROFILE, "/_apis/accounts"])
def test_service_principals_are_refused(stage: Stage, path: str) -> None:
    stage.token = stage.access_token(kind="app")
    answer = stage.ask("GET", path)
    assert (answer.status_code, answer.json()["message"], answer.json()["typeKey"]) == (
        403,
        "Service principals are not allowed to perform this action.",
        "InvalidAccessException",
    )


@pytest.mark.parametrize("path", [PATS, PROFILE, "/_apis/accounts"])
def test_personal_access_tokens_are_refused(bare: Stage, path: str) -> None:
    secret = bare.create()["token"]
    query = {"api-version": "7.2-preview.1"}
    address = bare.emulator.url + path
    good = bare.session.get(address, params=query, auth=("", secret), timeout=10)
    assert (good.status_code, good.json()["typeKey"]) == (403, "InvalidAccessException")
    bad = bare.session.get(
        address, params=query, auth=("", "wrong"), headers=bare.headers, timeout=10
    )
    assert bad.status_code == 401


def test_the_scopes_of_an_access_token_count(stage: Stage) -> None:
    reader, manager, other = (
        stage.access_token(scopes=scopes)
        for scopes in ("vso.pats", "vso.pats_manage", "vso.code vso.profile")
    )
    found = {}
    for name, token in {"reader": reader, "manager": manager, "other": other}.items():
        stage.token = token
        found[name] = [stage.ask(method, PATS, body={}).status_code for method in ("GET", "POST")]
    assert found == {"reader": [200, 403], "manager": [200, 200], "other": [403, 403]}


def test_an_organization_of_others_refuses(stage: Stage) -> None:
    for path in ("/northwind/_apis/tokens/pats", "/northwind/_apis/connectionData"):
        answer = stage.ask("GET", path)
        assert (answer.status_code, answer.json()["message"], answer.json()["typeKey"]) == (
            401,
            f"TF400813: The user '{ADA_ID}' is not authorized to access this resource.",
            "UnauthorizedRequestException",
        )
    stage.token = stage.access_token(user="grace")
    assert stage.ask("GET", "/fabrikam/_apis/tokens/pats").status_code == 401
    assert stage.names() == ["grace's own"]


@pytest.mark.parametrize("token", ["Ada's", None])
def test_an_unknown_organization_is_not_found(stage: Stage, token: str | None) -> None:
    if token is None:
        stage.token = None
    answer = stage.ask("GET", "/nowhere/_apis/tokens/pats")
    assert (answer.status_code, answer.json()["typeKey"]) == (404, "HostDoesNotExistException")
    page = stage.ask("GET", "/nowhere/_apis/tokens/pats", headers={"Accept": "*/*"})
    assert (page.status_code, page.headers["Content-Type"]) == (404, "text/html; charset=utf-8")


def test_a_personal_access_token_works_until_it_is_revoked(bare: Stage) -> None:
    token = bare.create()
    answer = bare.connect(token["token"])
    assert answer.status_code == 200
    identity = answer.json()["authenticatedUser"]
    assert (identity["id"], identity["providerDisplayName"]) == (ADA_ID, "Ada Lovelace")
    assert answer.json()["instanceId"] == CONTOSO_ID
    assert bare.ask("GET", CONNECTION).json() == answer.json()
    assert bare.connect(token["token"], "/fabrikam/_apis/connectionData").status_code == 401
    bare.ask("DELETE", PATS, {"authorizationId": token["authorizationId"]})
    assert bare.connect(token["token"]).status_code == 401
    assert bare.connect(token["token"], headers=BLANK).status_code == 203


def test_a_personal_access_token_works_until_it_expires(bare: Stage) -> None:
    secret = bare.create(validTo="2026-06-15T12:01:00Z")["token"]
    assert bare.connect(secret).status_code == 200
    bare.control("POST", "clock", {"advanceSeconds": 60})
    assert bare.connect(secret).status_code == 401


def test_global_tokens_work_everywhere_until_december_2026(bare: Stage) -> None:
    order = {"allOrgs": True, "validTo": "2027-01-01", "withSecrets": True}
    secret = bare.control("POST", "tokens", order)["secrets"][0]
    fabrikam = "/fabrikam/_apis/connectionData"
    assert [bare.connect(secret, path).status_code for path in (CONNECTION, fabrikam)] == [
        200,
        200,
    ]
    assert bare.connect(secret, "/northwind/_apis/connectionData").status_code == 401
    bare.control("POST", "clock", {"advanceSeconds": 169 * 86400})
    assert bare.connect(secret).status_code == 401


def test_public_projects_answer_strangers_as_nobody(stage: Stage) -> None:
    stage.control("PUT", "policies", ["public-projects"])
    answer = stage.connect("wrong")
    assert answer.status_code == 200
    nobody = "aaaaaaaa-aaaa-aaaa-aaaa-aaaaaaaaaaaa"
    assert answer.json()["authenticatedUser"]["id"] == nobody
    assert stage.ask("GET", "/northwind/_apis/connectionData").status_code == 401


def test_profiles(stage: Stage) -> None:
    stage.version = "7.1-preview.3"
    own = stage.ask("GET", PROFILE)
    assert own.json() == {
        "displayName": "Ada Lovelace",
        "publicAlias": ADA_ID,
        "emailAddress": "ada@contoso.example",
        "coreRevision": 1647,
        "timeStamp": "2024-05-12T22:23:07.727+00:00",
        "id": ADA_ID,
        "revision": 1647,
    }
    assert stage.ask("GET", f"/_apis/Profile/Profiles/{ADA_ID.upper()}").json() == own.json()
    assert stage.ask("GET", f"/_apis/profile/profiles/{GRACE_ID}").json()["id"] == GRACE_ID
    assert stage.ask("GET", f"/_apis/profile/profiles/{CONTOSO_ID}").status_code == 404


def test_accounts(stage: Stage) -> None:
    def names(**query: str) -> list[str]:
        answer = stage.ask("GET", "/_apis/accounts", query).json()
        assert answer["count"] == len(answer["value"])
        return [account["accountName"] for account in answer["value"]]

    first = stage.ask("GET", "/_apis/accounts", {"memberId": ADA_ID}).json()["value"][0]
    assert first == {
        "accountId": CONTOSO_ID,
        "accountUri": f"{stage.emulator.url}/contoso/",
        "accountName": "contoso",
        "properties": {},
    }
    assert names(memberId=ADA_ID) == ["contoso", "fabrikam"]
    assert names(OWNERID=ADA_ID) == ["fabrikam"]
    assert names(memberId=GRACE_ID) == []
    for query in ({}, {"memberId": "x"}):
        assert stage.ask("GET", "/_apis/accounts", query).status_code == 400
    stage.token = stage.access_token(user="grace")
    assert names(memberId=GRACE_ID) == ["contoso"]
