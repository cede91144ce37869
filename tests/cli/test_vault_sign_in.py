"""Which token and certificates a delivery to a Vault server uses."""

import re
from pathlib import Path

import pytest

from azdo_pat.cli.vault_sign_in import VaultSignIn
from azdo_pat.errors import SignInError, UsageError
from azdo_pat.models import Secret

ADDRESS = "https://vault.example.com:8200"
TOKEN, OTHER = "hvs.of-the-variable", "s.of-the-file"


def sign_in(**environment: str) -> VaultSignIn:
    return VaultSignIn(environment, lambda _: None)


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({"VAULT_TOKEN": TOKEN}, TOKEN),
        ({"BAO_TOKEN": TOKEN, "VAULT_TOKEN": OTHER}, TOKEN),
        ({"VAULT_TOKEN": f" {TOKEN}\n"}, TOKEN),
        ({"VAULT_TOKEN": ""}, OTHER),
        ({}, OTHER),
    ],
)
def test_the_variables_are_read_before_the_file_of_the_programs(
    home: Path, environment: dict[str, str], expected: str
) -> None:
    (home / ".vault-token").write_text(f"{OTHER}\n")
    assert sign_in(VAULT_ADDR=ADDRESS, **environment).token(ADDRESS) == Secret(expected)


@pytest.mark.parametrize(
    "address",
    [ADDRESS, f"{ADDRESS}/", "https://VAULT.example.com:8200", "https://vault.example.com:8200//"],
)
def test_an_address_may_be_written_in_another_way(address: str) -> None:
    assert sign_in(VAULT_ADDR=address, VAULT_TOKEN=TOKEN).token(ADDRESS) == Secret(TOKEN)


@pytest.mark.parametrize(
    "address",
    [
        "https://vault.example.com",
        "http://vault.example.com:8200",
        "https://vault.example.com.evil.example:8200",
        "https://other.example.com:8200",
        f"{ADDRESS}/path",
        "nonsense",
    ],
)
@pytest.mark.parametrize("variable", ["VAULT_ADDR", "BAO_ADDR"])
def test_the_token_of_another_server_is_not_sent(variable: str, address: str) -> None:
    with pytest.raises(UsageError) as caught:
        sign_in(**{variable: address, "VAULT_TOKEN": TOKEN}).token(ADDRESS)
    assert f"the target is on {ADDRESS}, but {variable} and the token are for" in str(caught.value)
    assert TOKEN not in f"{caught.value.message}{caught.value.hint}"


def test_a_token_goes_nowhere_while_no_server_is_set(home: Path) -> None:
    (home / ".vault-token").write_text(f"{OTHER}\n")
    with pytest.raises(UsageError) as caught:
        sign_in(VAULT_TOKEN=TOKEN).token(ADDRESS)
    assert f"set VAULT_ADDR (or BAO_ADDR) to {ADDRESS}" in caught.value.hint


def test_the_address_of_the_error_has_no_password() -> None:
    with pytest.raises(UsageError) as caught:
        sign_in(VAULT_ADDR="https://user:hunter2@other.example").token(ADDRESS)
    assert "hunter2" not in caught.value.message


def test_openbaos_own_address_counts() -> None:
    found = sign_in(BAO_ADDR=ADDRESS, VAULT_ADDR="https://other.example", BAO_TOKEN=TOKEN)
    assert found.token(ADDRESS) == Secret(TOKEN)


def test_without_a_token_there_is_no_sign_in(home: Path) -> None:
    with pytest.raises(SignInError, match=f"no token for {re.escape(ADDRESS)} is set or saved"):
        sign_in(VAULT_ADDR=ADDRESS).token(ADDRESS)
    (home / ".vault-token").write_bytes(b"\xff\xfe")
    with pytest.raises(SignInError, match="cannot be read"):
        sign_in(VAULT_ADDR=ADDRESS).token(ADDRESS)


@pytest.mark.parametrize("variable", ["VAULT_CACERT", "BAO_CACERT"])
def test_certificates_are_a_file(variable: str, tmp_path: Path) -> None:
    assert sign_in().ca_bundle is None
    file = tmp_path / "ca.pem"
    with pytest.raises(UsageError, match=f"{variable} names no file"):
        _ = sign_in(**{variable: str(file)}).ca_bundle
    file.touch()
    assert sign_in(**{variable: str(file)}).ca_bundle == str(file)


@pytest.mark.parametrize(("value", "says"), [("true", 1), ("1", 1), ("false", 0), ("", 0)])
def test_skipping_the_check_is_refused_once(value: str, says: int) -> None:
    said: list[str] = []
    found = VaultSignIn({"VAULT_SKIP_VERIFY": value}, said.append)
    assert (found.ca_bundle, found.ca_bundle) == (None, None)
    assert len(said) == says
