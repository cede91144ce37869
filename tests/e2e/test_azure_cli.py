"""Signed in to the Azure CLI, and nothing set."""

from pathlib import Path

import pytest

from drivers import AzureCli, Emulator, Installed
from e2e.stage import active, in_keyring
from store.keyring_service import KeyringService

RESOURCE = "499b84ac-1321-427f-aa17-267ca6975798"
WITHOUT = {"PAT_ACCESS_TOKEN": None}


def test_the_main_job_with_az(
    pat: Installed, emulator: Emulator, gnome_keyring: KeyringService, az: AzureCli
) -> None:
    az.sign_in(emulator.access_token)
    made = pat("create", "ci", "--scope", "vso.code", "-o", "json", env=WITHOUT)
    assert made.exit_code == 0, made.stderr
    assert active(emulator, "ci") == [made.json["id"]]
    assert in_keyring(gnome_keyring.environment, emulator, "ci") is not None
    assert len(az.calls) == 1
    assert az.calls[0].startswith("account get-access-token")
    assert RESOURCE in az.calls[0]
    assert pat("get", "ci", env=WITHOUT).exit_code == 0
    assert len(az.calls) == 1, "what is in the keyring needs no sign-in"
    assert pat("revoke", "ci", "--yes", env=WITHOUT).exit_code == 0
    assert active(emulator, "ci") == []


def test_status_tells_where_the_access_token_comes_from(
    pat: Installed, emulator: Emulator, az: AzureCli
) -> None:
    az.sign_in(emulator.access_token)
    assert "Azure CLI" in pat("status", env=WITHOUT).stdout
    assert len(az.calls) == 1
    assert "PAT_ACCESS_TOKEN" in pat("status").stdout
    assert len(az.calls) == 1, "the environment comes first"


def test_nobody_is_signed_in_to_az(pat: Installed, emulator: Emulator, az: AzureCli) -> None:
    refused = pat("create", "ci", "--scope", "vso.code", env=WITHOUT)
    assert (refused.exit_code, refused.stdout) == (4, "")
    assert "az login" in refused.stderr
    assert len(az.calls) == 1
    assert active(emulator, "ci") == []
    status = pat("status", "-o", "json", env=WITHOUT)
    assert (status.exit_code, status.json["signed_in"]) == (4, False)


def test_there_is_no_az(pat: Installed, tmp_path: Path) -> None:
    refused = pat("list", env={**WITHOUT, "PATH": str(tmp_path)})
    assert (refused.exit_code, refused.stdout) == (4, "")
    assert "PAT_ACCESS_TOKEN" in refused.stderr
    assert "az login" in refused.stderr


@pytest.mark.parametrize(("kind", "code"), [("app", 5), ("expired", 4), ("wrong-audience", 4)])
def test_az_gives_a_token_that_will_not_do(
    pat: Installed, emulator: Emulator, az: AzureCli, kind: str, code: int
) -> None:
    token = emulator.mint(kind)
    az.sign_in(token)
    refused = pat("list", env=WITHOUT)
    assert (refused.exit_code, refused.stdout) == (code, "")
    assert refused.stderr.startswith("pat: ")
    assert token not in refused.stderr
