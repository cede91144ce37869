"""The client of Key Vault: whom it signs in to, and where it sends the access token."""

import json
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest
import requests

from api.stage import Hands
from azdo_pat.api.addresses import KEY_VAULTS, key_vault
from azdo_pat.api.credentials import BearerOfService
from azdo_pat.api.http import Http
from azdo_pat.api.key_vault import KeyVault, SignIn
from azdo_pat.emulator.run import Options, RunningEmulator, start
from azdo_pat.errors import PatError, RefusedError, SignInError, UnavailableError, UsageError
from azdo_pat.models import AccessToken, Secret
from drivers import Emulator

TENANT = "7f0b9c1e-5d43-4f6a-9a51-2c8e6f1d0b37"
RESOURCE = "https://vault.azure.net"
END = datetime(2027, 1, 31, 12, tzinfo=UTC)


@dataclass
class Stage:
    """A vault and its client; `tokens` are handed out one after the other."""

    running: RunningEmulator
    tokens: list[str] = field(default_factory=list)
    claims: str = ""
    wanted: list[tuple[SignIn, bool]] = field(default_factory=list)
    hands: Hands = field(default_factory=Hands)

    @property
    def emulator(self) -> Emulator:
        return Emulator(self.running)

    def client(self, vault: str = "contoso-ci") -> KeyVault:
        def access_token(wanted: SignIn, rejected: AccessToken | None, claims: str) -> AccessToken:
            self.claims = claims
            self.wanted.append((wanted, rejected is not None))
            text = self.tokens.pop(0) if self.tokens else self.token()
            return AccessToken(Secret(text), source="the test", user="ada@contoso.example")

        http = Http(
            api_root=None,
            access_token=lambda: AccessToken(Secret("not-for-vaults"), source="the test"),
            timeout=(5.0, 5.0),
            ca_bundle=str(self.running.authority_file),
            sleep=self.hands.sleep,
            clock=self.hands.clock,
            version="1.2.3",
            headers={},
        )
        return KeyVault(http, key_vault(vault, self.running.vaults), access_token)

    def token(self, **order: Any) -> str:  # noqa: ANN401 - of the control call
        return self.emulator.mint("user", **{"resource": RESOURCE, **order})

    def challenge(self, header: str) -> None:
        words = f"header.WWW-Authenticate={header}"
        self.emulator.fail(f"GET */secrets status=401 {shlex.quote(words)}")


@pytest.fixture
def stage() -> Iterator[Stage]:
    with start(Options(vaults=True)) as running:
        yield Stage(running)


@pytest.mark.parametrize("domain", KEY_VAULTS)
def test_a_vault_of_each_cloud(domain: str) -> None:
    found = key_vault(f"contoso-ci.{domain}", None)
    assert (found.url, found.name) == (f"https://contoso-ci.{domain}", "contoso-ci")
    assert found.resources == {f"https://{domain}"}


def test_a_name_is_of_the_public_cloud() -> None:
    assert key_vault("contoso-ci", None) == key_vault("contoso-ci.vault.azure.net", None)
    assert list(KEY_VAULTS) == ["vault.azure.net", "vault.azure.cn", "vault.usgovcloudapi.net"]


@pytest.mark.parametrize(
    "vault",
    [
        "contoso.vault.azure.net.evil.example",
        "contoso.evilvault.azure.net",
        "a.b.vault.azure.net",
        "contoso.managedhsm.azure.net",
        "contoso.vault.azure.net.",
        "contoso.localhost",
    ],
)
@pytest.mark.parametrize("root", [None, "https://localhost:1"])
def test_a_host_that_no_vault_has(vault: str, root: str | None) -> None:
    with pytest.raises(UsageError, match="is not the host of a key vault"):
        key_vault(vault, root)


@pytest.mark.parametrize(
    "root",
    ["http://localhost:1", "https://vaults.example", "https://127.0.0.1.example", "localhost:1"],
)
def test_a_root_that_may_not_see_an_access_token(root: str) -> None:
    with pytest.raises(UsageError):
        key_vault("contoso-ci", root)


@pytest.mark.parametrize(
    "header",
    [
        f'Bearer authorization="https://login.windows.net/{TENANT}", resource="{RESOURCE}"',
        f'Bearer authorization_uri="https://login/{TENANT.upper()}/x", resource="{RESOURCE}/"',
        f'PoP realm="", Bearer authorization="https://a/{TENANT}",resource="HTTPS://Vault.Azure.Net"',
    ],
)
def test_what_a_challenge_asks_for(stage: Stage, header: str) -> None:
    stage.challenge(header)
    assert stage.client().get("pat") is None
    assert stage.wanted == [(SignIn(RESOURCE, TENANT), False)]


@pytest.mark.parametrize(
    ("header", "error"),
    [
        (
            f'Bearer authorization="https://a/{TENANT}", resource="https://graph.example"',
            SignInError,
        ),
        (
            f'Bearer authorization="https://a/{TENANT}", resource="https://evil.vault.azure.net"',
            SignInError,
        ),
        (f'Bearer authorization="https://a/{TENANT}"', UnavailableError),
        (f'Bearer authorization="https://a/common", resource="{RESOURCE}"', UnavailableError),
        (f'Bearer authorization="https://a", resource="{RESOURCE}"', UnavailableError),
        (f'Basic authorization="https://a/{TENANT}", resource="{RESOURCE}"', UnavailableError),
        ("", UnavailableError),
    ],
)
def test_nothing_is_sent_to_whoever_asks_for_something_else(
    stage: Stage, header: str, error: type[PatError]
) -> None:
    stage.challenge(header)
    with pytest.raises(error):
        stage.client().get("pat")
    assert stage.wanted == []
    assert [each["authorization"] for each in stage.emulator.requests] == [None]


def test_a_rejected_token_is_replaced_once(stage: Stage) -> None:
    stage.tokens = [stage.token(lifetimeSeconds=1000), stage.token(lifetimeSeconds=2000)]
    stage.emulator.fail("PUT * status=401")
    stage.client().put("pat", Secret("x"), expires=END)
    assert [rejected for _, rejected in stage.wanted] == [False, True]
    stage.emulator.fail("GET */secrets/pat status=401 times=always")
    with pytest.raises(SignInError) as caught:
        stage.client().get("pat")
    assert caught.value.message.endswith("did not accept the access token from the test")
    assert "PAT_KEYVAULT_ACCESS_TOKEN" in caught.value.hint


def test_a_vault_says_what_it_requires_of_another_token(stage: Stage) -> None:
    stage.tokens = [stage.token(), stage.token(lifetimeSeconds=1000)]
    stage.emulator.reject_access_tokens()
    with pytest.raises(SignInError):
        stage.client().get("pat")
    assert json.loads(stage.claims)["access_token"]["nbf"]["essential"] is True


def test_what_is_put_is_read(stage: Stage) -> None:
    vault = stage.client()
    first = vault.put("pat", Secret("first"), expires=None)
    second = vault.put(
        "pat",
        Secret("second"),
        content_type="text/plain",
        tags={"team": "build"},
        not_before=1_700_000_000,
        expires=END,
    )
    assert (first.previous, second.previous) == ("", first.version)
    assert vault.get("pat") == second
    assert (second.value.reveal(), second.content_type, second.tags, second.not_before) == (
        "second",
        "text/plain",
        {"team": "build"},
        1_700_000_000,
    )
    attributes = [each["attributes"] for each in stage.emulator.vault_secrets("contoso-ci")["pat"]]
    assert "exp" not in attributes[0]
    assert attributes[1]["exp"] == int(END.timestamp())


def test_a_deleted_secret_is_known(stage: Stage) -> None:
    vault = stage.client()
    assert not vault.is_deleted("pat")
    stage.emulator.set_secret("contoso-ci", "pat", "x")
    stage.emulator.delete_secret("contoso-ci", "pat")
    assert vault.is_deleted("pat")
    assert vault.get("pat") is None
    stage.emulator.set_vault("contoso-ci", rights=[])
    with pytest.raises(RefusedError) as caught:
        vault.is_deleted("pat")
    assert caught.value.code == "ForbiddenByRbac"
    assert "Key Vault Secrets Officer" in caught.value.hint


@pytest.mark.parametrize("status", [403, 404, 409, 429, 400, 503, 302])
def test_words_of_no_service_are_not_believed(stage: Stage, status: int) -> None:
    stage.emulator.fail(f"PUT * status={status} body='[1, {{}}]' times=always")
    with pytest.raises(PatError) as caught:
        stage.client().put("pat", Secret("x"), expires=None)
    assert caught.value.message


def test_hostile_words_are_one_printable_line(stage: Stage) -> None:
    body = '{"error": {"code": "\\u001b[31m{vault}", "message": "\\u001b]0;x\\u0007a\\nb {0}"}}'
    stage.emulator.fail(f"PUT * status=400 {shlex.quote(f'body={body}')}")
    with pytest.raises(RefusedError) as caught:
        stage.client().put("pat", Secret("x"), expires=None)
    assert caught.value.server_message == "]0;xa b {0}"
    assert caught.value.code == "[31m{vault}"


def test_a_vault_that_does_not_exist(stage: Stage) -> None:
    with pytest.raises(UnavailableError) as caught:
        stage.client("nowhere").get("pat")
    assert "did not answer" in caught.value.message
    assert stage.wanted == []


def test_an_access_token_goes_to_the_host_of_the_vault_only() -> None:
    credential = BearerOfService(
        AccessToken(Secret("bearer"), "the test"), "https://a.vault.azure.net"
    )
    for url, sent in (
        ("https://a.vault.azure.net/secrets/x", "Bearer bearer"),
        ("https://A.vault.azure.net:443/", "Bearer bearer"),
        ("https://b.vault.azure.net/secrets/x", None),
        ("http://a.vault.azure.net/secrets/x", None),
        ("https://a.vault.azure.net:444/secrets/x", None),
    ):
        request = requests.Request("GET", url, auth=credential).prepare()
        assert request.headers.get("Authorization") == sent
