"""--deliver keyvault: a new secret goes to Azure Key Vault."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from azdo_pat.emulator.run import Options, start
from azdo_pat.models import Secret
from azdo_pat.operations.fingerprint import matches
from cli.stage import names
from drivers import Emulator, InProcess, Result, put_program

TENANT = "7f0b9c1e-5d43-4f6a-9a51-2c8e6f1d0b37"
OTHER_TENANT = "c2a6e0d4-93b1-4e7f-8d25-6b0f4a1c7e58"
RESOURCE = "https://vault.azure.net"
VAULT = "contoso-ci"
TARGET = f"keyvault:{VAULT}/Build-PAT"
CREATE = ("create", "ci", "--scope", "code", "-q", "-o", "none")
ROTATE = ("rotate", "ci", "-o", "none")


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    """Start an emulator with vaults."""
    with start(Options(vaults=True)) as running:
        emulator = Emulator(running)
        emulator.remove_tokens()
        yield emulator


@pytest.fixture
def pat(pat: InProcess, emulator: Emulator) -> InProcess:
    """Run `pat` with an access token for vaults, too."""
    token = emulator.mint("user", resource=RESOURCE)
    return InProcess(pat.root, {**pat.env, "PAT_KEYVAULT_ACCESS_TOKEN": token})


def versions(emulator: Emulator, vault: str = VAULT) -> list[dict[str, Any]]:
    """The versions of the secret there, oldest first; none if there is none."""
    return emulator.vault_secrets(vault).get("Build-PAT", [])


def values(emulator: Emulator, vault: str = VAULT) -> list[str]:
    return [each["value"] for each in versions(emulator, vault)]


def secret(pat: InProcess) -> str:
    return pat("get", "ci").stdout.strip()


def make(pat: InProcess) -> None:
    assert pat(*CREATE).exit_code == 0


def rotated(pat: InProcess, *options: str) -> Result:
    result = pat(*ROTATE, *options)
    assert result.exit_code == 0, result.stderr
    return result


def vault_requests(emulator: Emulator) -> list[str]:
    return [
        f"{each['method']} {each['status']}"
        for each in emulator.requests
        if "/secrets" in each["path"] or "/deletedsecrets" in each["path"]
    ]


def test_the_old_token_stays_for_a_day_as_readers_poll(pat: InProcess, emulator: Emulator) -> None:
    make(pat)
    first = rotated(pat, "--deliver", TARGET)
    assert "so the old token stays active for a day" in " ".join(first.stderr.split())
    assert names(emulator) == ["ci", "ci"]
    (pending,) = pat("status", "-o", "json").json["pending"]
    left = datetime.fromisoformat(pending["until"]) - datetime.now(UTC)
    assert timedelta(hours=23) < left <= timedelta(days=1)
    again = rotated(pat, "--grace", "none")
    assert "for a day" not in again.stderr
    assert "is revoked" in again.stderr
    assert names(emulator) == ["ci", "ci"]  # the new one, and the first one, whose day is not over


def test_a_new_secret_is_set_and_says_whose_it_is(pat: InProcess, emulator: Emulator) -> None:
    make(pat)
    rotated(pat, "--deliver", TARGET)
    (made,) = versions(emulator)
    token = [each for each in emulator.tokens if each["displayName"] == "ci"][-1]
    end = int(datetime.fromisoformat(token["validTo"]).timestamp())
    fingerprint = made["tags"].pop("azdo-pat-fingerprint")
    assert matches(Secret(made["value"]), fingerprint)
    assert (made["value"], made["contentType"], made["tags"], made["attributes"]["exp"]) == (
        secret(pat),
        None,
        {"azdo-pat-id": token["authorizationId"]},
        end,
    )


def test_tags_content_type_and_beginning_are_kept(pat: InProcess, emulator: Emulator) -> None:
    kept = {"contentType": "text/plain", "tags": {"team": "build", "azdo-pat-id": "old"}}
    emulator.set_secret(VAULT, "Build-PAT", "theirs", **kept, attributes={"nbf": 1_700_000_000})
    make(pat)
    for _ in range(2):
        rotated(pat, "--deliver", TARGET)
    assert len(versions(emulator)) == 3
    for made in versions(emulator)[1:]:
        assert (made["contentType"], made["tags"]["team"]) == ("text/plain", "build")
        assert made["attributes"]["nbf"] == 1_700_000_000
    assert values(emulator)[-1] == secret(pat)
    assert versions(emulator)[-1]["tags"].keys() == {"team", "azdo-pat-id", "azdo-pat-fingerprint"}


def test_no_tag_is_added_to_fifteen(pat: InProcess, emulator: Emulator) -> None:
    tags = {f"tag{number}": "x" for number in range(15)}
    emulator.set_secret(VAULT, "Build-PAT", "theirs", tags=tags)
    make(pat)
    rotated(pat, "--deliver", TARGET)
    assert versions(emulator)[-1]["tags"] == tags


def test_the_old_token_lives_on_for_readers_who_poll(pat: InProcess, emulator: Emulator) -> None:
    make(pat)
    rotated(pat, "--deliver", TARGET)
    assert names(emulator) == ["ci", "ci"]


def test_delivered_again_it_is_not_set_again(pat: InProcess, emulator: Emulator) -> None:
    make(pat)
    emulator.set_secret(VAULT, "Build-PAT", secret(pat))
    ensured = pat("ensure", "ci", "--scope", "code", "--deliver", TARGET, "-q", "-o", "none")
    assert ensured.exit_code == 0, ensured.stderr
    assert values(emulator) == [secret(pat)]


def test_an_answer_that_is_lost_after_the_change(pat: InProcess, emulator: Emulator) -> None:
    make(pat)
    emulator.fail("PUT */secrets/* cut=after")
    rotated(pat, "--deliver", TARGET)
    assert set(values(emulator)) == {secret(pat)}


def test_a_pause_that_the_vault_asks_for(pat: InProcess, emulator: Emulator) -> None:
    make(pat)
    emulator.fail("PUT */secrets/* status=429 retry-after=1")
    rotated(pat, "--deliver", TARGET)
    assert values(emulator) == [secret(pat)]


class TestProbe:
    """What can be found out beforehand costs no token."""

    @pytest.mark.parametrize(
        ("terms", "code", "message"),
        [
            (
                {"firewall": True},
                5,
                "the firewall of the key vault contoso-ci refuses this machine",
            ),
            (
                {"rights": [], "access": "on-behalf-of"},
                5,
                "a policy of the key vault contoso-ci refuses the application that ada@contoso",
            ),
            ({"tenant": OTHER_TENANT}, 4, f"but the vault belongs to the tenant {OTHER_TENANT}"),
            ({"resource": "https://vault.azure.cn"}, 4, "not for Azure Key Vault"),
        ],
    )
    def test_a_vault_that_refuses(
        self, pat: InProcess, emulator: Emulator, terms: dict[str, Any], code: int, message: str
    ) -> None:
        emulator.set_vault(VAULT, **terms)
        self.refused(pat, emulator, code, message)

    def test_a_disabled_secret(self, pat: InProcess, emulator: Emulator) -> None:
        emulator.set_secret(VAULT, "Build-PAT", "theirs", attributes={"enabled": False})
        self.refused(pat, emulator, 6, "the secret is disabled")
        assert values(emulator) == ["theirs"]

    def test_a_deleted_secret(self, pat: InProcess, emulator: Emulator) -> None:
        emulator.set_secret(VAULT, "Build-PAT", "theirs")
        emulator.delete_secret(VAULT, "Build-PAT")
        hint = "run: az keyvault secret recover --vault-name contoso-ci --name Build-PAT"
        self.refused(pat, emulator, 6, hint)

    @pytest.mark.parametrize(
        ("fault", "code", "message"),
        [
            ("status=401 times=always", 4, "did not accept the access token"),
            ("status=500 times=always", 11, "failed (HTTP 500)"),
            ("html", 11, "answered with a web page instead of data"),
            ("body=x", 11, "it is not valid JSON"),
            ("body='{\"id\": 1}'", 11, "value is missing"),
            (
                """body='{"id": "a/b", "value": "x", "tags": {"a": 1}}'""",
                11,
                "tags are of the wrong type",
            ),
        ],
    )
    def test_a_vault_that_answers_wrongly(
        self, pat: InProcess, emulator: Emulator, fault: str, code: int, message: str
    ) -> None:
        emulator.fail(f"GET */secrets/Build-PAT {fault}")
        self.refused(pat, emulator, code, message)

    def test_someone_else_has_changed_it(self, pat: InProcess, emulator: Emulator) -> None:
        make(pat)
        rotated(pat, "--deliver", TARGET, "--grace", "none")
        emulator.set_secret(VAULT, "Build-PAT", "theirs")
        result = pat(*ROTATE)
        assert result.exit_code == 6
        assert "the vault holds a secret that this machine has not delivered" in result.stderr
        assert names(emulator) == ["ci"]

    def refused(self, pat: InProcess, emulator: Emulator, code: int, message: str) -> None:
        make(pat)
        before = secret(pat)
        result = pat(*ROTATE, "--deliver", TARGET)
        assert result.exit_code == code, result.stderr
        assert message in result.stderr
        assert f"{TARGET}: " in result.stderr
        assert (names(emulator), secret(pat)) == (["ci"], before)
        assert not any(each.startswith("PUT") for each in vault_requests(emulator))


class TestMeanwhile:
    """What happens between the probe and the delivery."""

    def pending(self, pat: InProcess, emulator: Emulator, message: str) -> None:
        result = pat(*ROTATE, "--deliver", TARGET)
        assert result.exit_code == 8, result.stderr
        assert message in result.stderr
        assert names(emulator) == ["ci", "ci"]

    def test_the_secret_is_deleted(self, pat: InProcess, emulator: Emulator) -> None:
        make(pat)
        emulator.set_secret(VAULT, "Build-PAT", "theirs")
        emulator.delete_secret(VAULT, "Build-PAT", meanwhile="before")
        self.pending(pat, emulator, "a deleted secret has this name, and can still be recovered")

    def test_someone_else_sets_it_before(self, pat: InProcess, emulator: Emulator) -> None:
        make(pat)
        emulator.set_secret(VAULT, "Build-PAT", "first")
        emulator.set_secret(VAULT, "Build-PAT", "theirs", meanwhile="before")
        self.pending(pat, emulator, "someone else has set the secret at the same time")
        assert values(emulator) == ["first", "theirs", secret(pat)]
        # Nothing else has changed since: the next run finds its own there.
        again = pat("ensure", "ci", "--scope", "code", "-o", "none")
        assert again.exit_code == 0, again.stderr
        assert values(emulator) == ["first", "theirs", secret(pat)]

    def test_someone_else_sets_it_after(self, pat: InProcess, emulator: Emulator) -> None:
        make(pat)
        emulator.set_secret(VAULT, "Build-PAT", "theirs", meanwhile="after")
        self.pending(pat, emulator, "someone else has changed the secret right after it was set")
        assert values(emulator) == [secret(pat), "theirs"]

    @pytest.mark.parametrize(
        ("access", "message"),
        [
            ("rbac", "ada@contoso.example has no role that allows this"),
            ("policy", "no access policy of the key vault contoso-ci allows this"),
        ],
    )
    def test_it_may_be_read_and_not_set(
        self, pat: InProcess, emulator: Emulator, access: str, message: str
    ) -> None:
        make(pat)
        emulator.set_vault(VAULT, rights=["get"], access=access)
        self.pending(pat, emulator, message)
        assert "Caller" not in pat("status", "-o", "json").stdout
        emulator.set_vault(VAULT, rights=["get", "set"])
        again = pat("ensure", "ci", "--scope", "code", "-o", "none")
        assert again.exit_code == 0, again.stderr
        assert values(emulator) == [secret(pat)]


@pytest.mark.parametrize("access", ["rbac", "policy"])
def test_it_may_be_set_and_not_read(pat: InProcess, emulator: Emulator, access: str) -> None:
    emulator.set_vault(VAULT, rights=["set"], access=access)
    emulator.set_secret(VAULT, "Build-PAT", "theirs", tags={"team": "build"})
    make(pat)
    said = rotated(pat, "--deliver", TARGET).stderr
    assert f"{TARGET}: was set without the tags and the content type that it may have had" in said
    assert values(emulator) == ["theirs", secret(pat)]
    assert versions(emulator)[-1]["tags"] is None


def test_another_cloud(pat: InProcess, emulator: Emulator) -> None:
    resource = "https://vault.azure.cn"
    emulator.set_vault("beijing", resource=resource)
    make(pat)
    env = {"PAT_KEYVAULT_ACCESS_TOKEN": emulator.mint("user", resource=resource)}
    target = "keyvault:beijing.vault.azure.cn/Build-PAT"
    assert pat(*ROTATE, "--deliver", target, env=env).exit_code == 0
    assert values(emulator, "beijing") == [secret(pat)]
    nobody = pat(*ROTATE, "--deliver", target, env={"PAT_KEYVAULT_ACCESS_TOKEN": None})
    assert nobody.exit_code == 4
    assert "pat login: " not in nobody.stderr  # the account of the public cloud is not there
    versions_asked = {
        each["query"].get("api-version")
        for each in emulator.requests
        if each["path"].startswith("/beijing/")
    }
    assert versions_asked == {"7.4"}


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("http://127.0.0.1:1", "PAT_KEYVAULT_URL is not an https address on this machine"),
        ("https://vaults.example", "PAT_KEYVAULT_URL is not an https address on this machine"),
    ],
)
def test_vaults_elsewhere(pat: InProcess, emulator: Emulator, url: str, message: str) -> None:
    make(pat)
    result = pat(*ROTATE, "--deliver", TARGET, env={"PAT_KEYVAULT_URL": url})
    assert (result.exit_code, names(emulator)) == (2, ["ci"])
    assert message in result.stderr


def test_a_host_that_is_no_vault(pat: InProcess, emulator: Emulator) -> None:
    make(pat)
    target = "keyvault:contoso.vault.azure.net.evil.example/pat"
    result = pat(*ROTATE, "--deliver", target)
    assert (result.exit_code, names(emulator)) == (2, ["ci"])
    assert "is not the host of a key vault" in result.stderr


def test_nobody_is_signed_in(pat: InProcess, emulator: Emulator) -> None:
    make(pat)
    result = pat(*ROTATE, "--deliver", TARGET, env={"PAT_KEYVAULT_ACCESS_TOKEN": None})
    assert (result.exit_code, names(emulator)) == (4, ["ci"])
    assert "PAT_KEYVAULT_ACCESS_TOKEN: not set; pat login: not signed in" in result.stderr
    assert "set PAT_KEYVAULT_ACCESS_TOKEN to a Microsoft Entra access token" in result.stderr


def test_no_secret_is_shown(pat: InProcess, emulator: Emulator) -> None:
    emulator.set_secret(VAULT, "Build-PAT", "the-former-value")
    make(pat)
    token = pat.env["PAT_KEYVAULT_ACCESS_TOKEN"]
    result = pat("--debug", *ROTATE, "--deliver", TARGET)
    shown = result.stdout + result.stderr
    assert "/contoso-ci/secrets/Build-PAT" in shown
    for hidden in (token, secret(pat), "the-former-value"):
        assert hidden
        assert hidden not in shown


def test_no_other_program_is_told_the_access_token(
    pat: InProcess, emulator: Emulator, tmp_path: Path
) -> None:
    source = f"import os; open({str(tmp_path / 'told')!r}, 'w').write(str(dict(os.environ)))"
    program = put_program(tmp_path / "keep", source)
    make(pat)
    rotated(pat, "--deliver", f"command:{program}", "--deliver", TARGET)
    assert values(emulator) == [secret(pat)]
    told = (tmp_path / "told").read_text()
    assert "PAT_KEYVAULT_URL" in told
    assert "PAT_KEYVAULT_ACCESS_TOKEN" not in told


def test_each_token_goes_to_its_own_service(pat: InProcess, emulator: Emulator) -> None:
    make(pat)
    rotated(pat, "--deliver", TARGET)
    # The emulator accepts none that is for the other service.
    assert vault_requests(emulator)[0] == "GET 401"
    assert "GET 401" not in vault_requests(emulator)[1:]
