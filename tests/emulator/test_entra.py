"""The emulated Entra: what it refuses, as the real one does. Real MSAL signs in in e2e/."""

import base64
import hashlib
import json
import ssl
from collections.abc import Iterator
from urllib.error import HTTPError
from urllib.parse import parse_qs, urlencode, urlsplit
from urllib.request import urlopen

import pytest

import browser
from azdo_pat.emulator.run import Options, RunningEmulator, start

TENANT = "7f0b9c1e-5d43-4f6a-9a51-2c8e6f1d0b37"
OTHER_TENANT = "c2a6e0d4-93b1-4e7f-8d25-6b0f4a1c7e58"
VAULTS = "https://vault.azure.net"
CLIENT = "04b07795-8ddb-461a-bbee-02f9e1bf7b46"
SCOPE = "499b84ac-1321-427f-aa17-267ca6975798/.default offline_access openid profile"
VERIFIER = "v" * 43
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).decode()[:43]
REDIRECT = "http://localhost:1234"
REQUEST = {
    "client_id": CLIENT,
    "response_type": "code",
    "redirect_uri": REDIRECT,
    "scope": SCOPE,
    "state": "s",
    "response_mode": "form_post",
    "code_challenge": CHALLENGE,
    "code_challenge_method": "S256",
}


@pytest.fixture
def running() -> Iterator[RunningEmulator]:
    with start(Options(entra=True)) as emulator:
        yield emulator


def ask(
    running: RunningEmulator, path: str, fields: dict[str, str] | None = None
) -> tuple[int, str]:
    context = ssl.create_default_context(cafile=str(running.authority_file))
    data = None if fields is None else urlencode(fields).encode()
    try:
        with urlopen(f"{running.authority}{path}", data, context=context, timeout=20) as answer:  # noqa: S310  # the emulator's
            return answer.status, answer.read().decode()
    except HTTPError as error:
        with error:
            return error.code, error.read().decode()


def code_for(running: RunningEmulator, monkeypatch: pytest.MonkeyPatch, user: str = "ada") -> str:
    monkeypatch.setenv("PAT_CA_BUNDLE", str(running.authority_file))
    url = f"{running.authority}/organizations/oauth2/v2.0/authorize?{urlencode(REQUEST)}"
    action, fields = browser.form_of(browser.fetch(url), url)
    back, answer = browser.form_of(browser.fetch(action, {**fields, "user": user}), action)
    assert (back, answer["state"]) == (REDIRECT, "s")
    return answer["code"]


def redeem(running: RunningEmulator, code: str, **changes: str) -> tuple[int, dict[str, object]]:
    fields = {
        "grant_type": "authorization_code",
        "client_id": CLIENT,
        "code": code,
        "redirect_uri": REDIRECT,
        "code_verifier": VERIFIER,
        **changes,
    }
    status, text = ask(running, "/organizations/oauth2/v2.0/token", fields)
    document: dict[str, object] = json.loads(text)
    return status, document


def test_a_code_is_good_once(running: RunningEmulator, monkeypatch: pytest.MonkeyPatch) -> None:
    code = code_for(running, monkeypatch)
    status, tokens = redeem(running, code)
    assert status == 200
    assert set(tokens) == {
        *("token_type", "scope", "expires_in", "ext_expires_in", "access_token"),
        *("refresh_token", "id_token", "client_info"),
    }
    assert redeem(running, code)[1]["error_codes"] == [70000]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"code_verifier": "x" * 43}, 501481),
        ({"redirect_uri": "http://localhost:1"}, 70000),
        ({"client_id": "872cd9fa-d31f-45e0-9eab-6e460a02d1f1"}, 70000),
        ({"client_id": "no guid"}, 700016),
        ({"grant_type": "password"}, 90100),
        ({"code": "made up"}, 70000),
        ({"grant_type": "refresh_token", "refresh_token": "made up"}, 50173),
        ({"grant_type": "urn:ietf:params:oauth:grant-type:device_code"}, 70018),
    ],
)
def test_what_the_token_endpoint_refuses(
    running: RunningEmulator, monkeypatch: pytest.MonkeyPatch, changes: dict[str, str], code: int
) -> None:
    status, answer = redeem(running, **{"code": code_for(running, monkeypatch), **changes})
    assert (status, answer["error_codes"]) == (400, [code])
    assert str(answer["error_description"]).startswith(f"AADSTS{code}: ")


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"redirect_uri": "https://attacker.example"}, 50011),
        ({"code_challenge_method": "plain"}, 90100),
        ({"response_mode": "query"}, 90100),
        ({"scope": "openid https://graph.microsoft.com/.default"}, 70011),
        ({"scope": "openid"}, 70011),
        ({"scope": f"{VAULTS}/secrets"}, 70011),
        ({"scope": f"{SCOPE} {VAULTS}/.default"}, 70011),
        ({"client_id": "x"}, 700016),
    ],
)
def test_what_the_authorize_endpoint_refuses(
    running: RunningEmulator, changes: dict[str, str], code: int
) -> None:
    query = urlencode({**REQUEST, **changes})
    status, page = ask(running, f"/organizations/oauth2/v2.0/authorize?{query}")
    assert status == 400
    assert f"AADSTS{code}: " in page
    assert "<form" not in page


def renewed(
    running: RunningEmulator, tenant: str, refresh: object, scope: str
) -> tuple[int, dict[str, object]]:
    fields = {"grant_type": "refresh_token", "client_id": CLIENT, "scope": scope}
    fields["refresh_token"] = str(refresh)
    status, text = ask(running, f"/{tenant}/oauth2/v2.0/token", fields)
    document: dict[str, object] = json.loads(text)
    return status, document


def claims_of(token: object) -> dict[str, object]:
    payload = str(token).split(".")[1]
    claims: dict[str, object] = json.loads(base64.urlsafe_b64decode(payload + "=" * 3))
    return claims


@pytest.mark.parametrize(
    ("tenant", "tenant_id"),
    [
        ("organizations", TENANT),
        (TENANT, TENANT),
        (OTHER_TENANT, OTHER_TENANT),
        ("tailspin.example", OTHER_TENANT),
    ],
)
def test_a_refresh_token_is_good_for_other_services_and_tenants(
    running: RunningEmulator, monkeypatch: pytest.MonkeyPatch, tenant: str, tenant_id: str
) -> None:
    _, first = redeem(running, code_for(running, monkeypatch))
    status, tokens = renewed(running, tenant, first["refresh_token"], f"{VAULTS}/.default openid")
    assert status == 200
    assert tokens["scope"] == f"{VAULTS}/user_impersonation {VAULTS}/.default"
    claims, own = claims_of(tokens["access_token"]), claims_of(first["access_token"])
    assert (claims["aud"], claims["tid"]) == (VAULTS, tenant_id)
    assert claims["iss"] == f"https://sts.windows.net/{tenant_id}/"
    assert (claims["oid"] == own["oid"]) is (tenant_id == TENANT)
    assert claims_of(tokens["id_token"])["tid"] == tenant_id
    # By this, MSAL knows the account again.
    assert tokens["client_info"] == first["client_info"]


def test_a_tenant_does_not_know_every_user(
    running: RunningEmulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, tokens = redeem(running, code_for(running, monkeypatch, "grace"))
    status, answer = renewed(running, OTHER_TENANT, tokens["refresh_token"], f"{VAULTS}/.default")
    assert (status, answer["error"], answer["error_codes"]) == (400, "invalid_grant", [50020])


def test_no_such_tenant(running: RunningEmulator) -> None:
    status, text = ask(running, "/nowhere.example/v2.0/.well-known/openid-configuration")
    assert (status, json.loads(text)["error"]) == (400, "invalid_tenant")


def test_nothing_else_is_there(running: RunningEmulator) -> None:
    assert ask(running, "/contoso/_apis/tokens/pats")[0] == 404
    assert ask(running, "/_emulator/state")[0] != 200


def test_a_page_shows_what_it_was_given_as_text(running: RunningEmulator) -> None:
    query = urlencode({**REQUEST, "state": '"><script>x</script>'})
    _, page = ask(running, f"/organizations/oauth2/v2.0/authorize?{query}")
    assert "<script>x" not in page
    assert parse_qs(urlsplit(f"?{query}").query)["state"] == ['"><script>x</script>']


def test_the_certificate_goes_with_the_emulator() -> None:
    with start(Options(entra=True)) as emulator:
        file = emulator.authority_file
        assert file is not None
        assert file.exists()
    assert not file.exists()
