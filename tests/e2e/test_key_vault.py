"""A rotated token in Key Vault: with the sign-in of pat login, and read by Microsoft's client."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from azdo_pat.emulator.run import Options, start
from drivers import AzureCli, Emulator, Installed
from e2e.hosts import running as stand_in
from e2e.stage import captured
from e2e.test_login import log_in

RESOURCE = "https://vault.azure.net"
OTHER_TENANT = "c2a6e0d4-93b1-4e7f-8d25-6b0f4a1c7e58"
CREATE = ("create", "ci", "--scope", "code", "-q", "-o", "none")
ROTATE = ("rotate", "ci", "-q", "-o", "none", "--deliver")
READ = """
import sys
from azure.core.credentials import AccessToken
from azure.keyvault.secrets import SecretClient


class Credential:
    def get_token(self, *scopes, **options):
        return AccessToken(sys.argv[1], 1 << 40)


client = SecretClient("https://contoso-ci.vault.azure.net", Credential())
found = client.get_secret("build-pat")
tags = {
    name: value
    for name, value in found.properties.tags.items()
    if not name.startswith("azdo-pat-")
}
print(found.value)
print(found.properties.content_type, tags, found.properties.enabled)
print(found.properties.not_before < found.properties.created_on < found.properties.expires_on)
print(len(list(client.list_properties_of_secret_versions("build-pat"))))
"""


@pytest.fixture
def emulator(request: pytest.FixtureRequest) -> Iterator[Emulator]:
    """Start an emulator with vaults, and with an Entra unless a test brings access tokens."""
    with start(Options(entra="az" not in request.fixturenames, vaults=True, tls=True)) as running:
        yield Emulator(running)


@pytest.fixture
def pat(pat_process: Installed, monkeypatch: pytest.MonkeyPatch) -> Installed:
    """Run the installed `pat`, on a machine without `az`."""
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    return pat_process


def delivered(emulator: Emulator, vault: str) -> list[str]:
    return [each["value"] for each in emulator.vault_secrets(vault).get("pat", [])]


@pytest.mark.parametrize("vault", ["contoso-ci", "tailspin-ci"])
def test_the_account_of_pat_login_in_the_tenant_of_the_vault(
    pat: Installed, emulator: Emulator, vault: str
) -> None:
    assert log_in(pat, emulator).exit_code == 0
    assert pat(*CREATE).exit_code == 0
    # A vault may reject an access token before its end: another one is requested, once.
    emulator.fail("GET /*/secrets/pat status=401")
    rotated = pat(*ROTATE, f"keyvault:{vault}/pat")
    assert rotated.exit_code == 0, rotated.stderr
    assert delivered(emulator, vault) == [pat("get", "ci").stdout.strip()]
    # The sign-in for Azure DevOps is the same as before, and the one for the vault remembered.
    asked = len([each for each in emulator.requests if each["path"].endswith("/token")])
    assert pat(*ROTATE, f"keyvault:{vault}/pat").exit_code == 0
    assert len([each for each in emulator.requests if each["path"].endswith("/token")]) == asked


def test_access_tokens_that_were_revoked(pat: Installed, emulator: Emulator) -> None:
    assert log_in(pat, emulator).exit_code == 0
    assert pat(*CREATE).exit_code == 0
    for _ in range(2):
        rotated = pat(*ROTATE, "keyvault:tailspin-ci/pat")
        assert rotated.exit_code == 0, rotated.stderr
        assert delivered(emulator, "tailspin-ci")[-1] == pat("get", "ci").stdout.strip()
        # The next ones must be newer, which the vault, too, says by the claims that it requires.
        emulator.reject_access_tokens()


def test_an_account_that_the_tenant_of_the_vault_does_not_know(
    pat: Installed, emulator: Emulator
) -> None:
    assert log_in(pat, emulator, user="grace").exit_code == 0
    assert pat(*CREATE).exit_code == 0
    refused = pat(*ROTATE, "keyvault:tailspin-ci/pat")
    assert refused.exit_code == 4
    assert "keyvault:tailspin-ci/pat: the tenant does not know this user" in refused.stderr
    assert len([each for each in emulator.tokens if each["displayName"] == "ci"]) == 1


def test_the_azure_cli_is_asked_for_the_tenant_of_the_vault(
    pat_process: Installed, emulator: Emulator, az: AzureCli
) -> None:
    az.sign_in(emulator.mint("user", resource=RESOURCE, user="ada-abroad"))
    assert pat_process(*CREATE).exit_code == 0
    rotated = pat_process(*ROTATE, "keyvault:tailspin-ci/pat")
    assert rotated.exit_code == 0, rotated.stderr
    assert az.calls == [
        f"account get-access-token --resource {RESOURCE} -o json --tenant {OTHER_TENANT}"
    ]
    assert delivered(emulator, "tailspin-ci") == [pat_process("get", "ci").stdout.strip()]


def test_microsofts_client_reads_what_was_delivered(tmp_path: Path, home: Path) -> None:
    kept = {"contentType": "text/plain", "tags": {"team": "build"}, "attributes": {"nbf": 1}}
    with start(Options(vaults=True)) as running:
        emulator = Emulator(running)
        token = emulator.mint("user", resource=RESOURCE)
        emulator.set_secret("contoso-ci", "build-pat", "former", **kept)
        with stand_in(emulator, tmp_path) as hosts:
            pat = Installed(
                {
                    **emulator.environment,
                    **hosts.environment,
                    "PAT_KEYRING": "azdo_pat.store.sandbox_keyring.SandboxKeyring",
                    "PAT_THROWAWAY_KEYRING": str(home / "keyring.json"),
                    "PAT_KEYVAULT_URL": None,
                    "PAT_CA_BUNDLE": None,
                    "PAT_KEYVAULT_ACCESS_TOKEN": token,
                }
            )
            assert pat(*CREATE).exit_code == 0
            rotated = pat(*ROTATE, "keyvault:contoso-ci/build-pat")
            assert rotated.exit_code == 0, rotated.stderr
            assert set(hosts.asked) == {"contoso-ci.vault.azure.net"}
            command = [sys.executable, "-c", READ, token]
            done = captured(command, {**os.environ, **hosts.environment}, cwd=tmp_path)
            secret = pat("get", "ci").stdout.strip()
    assert done.exit_code == 0, done.stderr
    assert done.stdout == f"{secret}\ntext/plain {{'team': 'build'}} True\nTrue\n2\n"
