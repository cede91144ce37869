"""Entries of the Windows Credential Manager, over an API whose targets have no case."""

import pytest
from keyring.errors import PasswordDeleteError

from azdo_pat.store.credential_manager import CredentialManager
from store.credential_api import Api, WindowsError

SERVICE = "azdo-pat:https://dev.azure.com/contoso"
PERSIST = 3


@pytest.fixture
def api() -> Api:
    return Api()


@pytest.fixture
def manager(api: Api) -> CredentialManager:
    return CredentialManager(api, PERSIST)


def held(manager: CredentialManager, *names: str) -> dict[str, str | None]:
    return {name: manager.get_password(SERVICE, name) for name in names}


@pytest.mark.parametrize(
    "names", [("ci", "CI", "Ci", "cI"), ("CI", "ci"), ("STRASSE", "straße", "Straße")]
)
def test_names_that_differ_in_case(manager: CredentialManager, names: tuple[str, ...]) -> None:
    secrets = {name: f"secret of {name}" for name in names}
    for name, text in secrets.items():
        assert manager.get_password(SERVICE, name) is None
        manager.set_password(SERVICE, name, text)
    assert held(manager, *names) == secrets
    for name in names:
        manager.set_password(SERVICE, name, f"new {name}")
        secrets[name] = f"new {name}"
        assert held(manager, *names) == secrets
    for name in names:
        manager.delete_password(SERVICE, name)
        assert held(manager, *names) == {**secrets, name: None}
        del secrets[name]
        names = tuple(secrets)


def test_keyring_finds_a_name_by_itself(manager: CredentialManager, api: Api) -> None:
    manager.set_password(SERVICE, "ci", "one")
    assert api.texts == {f"ci@{SERVICE}": "one"}
    assert api.held[f"ci@{SERVICE}".casefold()]["Persist"] == PERSIST


@pytest.mark.parametrize("target", [SERVICE, f"ci@{SERVICE}"])
def test_an_entry_of_keyrings_own(manager: CredentialManager, api: Api, target: str) -> None:
    api.put(target, "ci", "one")
    assert held(manager, "ci", "CI") == {"ci": "one", "CI": None}
    manager.set_password(SERVICE, "ci", "two")
    manager.set_password(SERVICE, "CI", "other")
    assert held(manager, "ci", "CI") == {"ci": "two", "CI": "other"}
    assert api.texts[target] == "two"
    manager.delete_password(SERVICE, "ci")
    assert held(manager, "ci", "CI") == {"ci": None, "CI": "other"}


def test_no_entry_is_moved(manager: CredentialManager, api: Api) -> None:
    before = {SERVICE: "of ci", f"CI@{SERVICE}": "of CI"}
    api.put(SERVICE, "ci", "of ci")
    api.put(f"CI@{SERVICE}", "CI", "of CI")
    manager.set_password(SERVICE, "other", "x")
    assert api.texts == {**before, f"other@{SERVICE}": "x"}


def test_a_copy_that_keyring_made_is_deleted_too(manager: CredentialManager, api: Api) -> None:
    api.put(SERVICE, "ci", "new")
    api.put(f"ci@{SERVICE}", "ci", "old")
    assert held(manager, "ci") == {"ci": "new"}
    manager.delete_password(SERVICE, "ci")
    assert api.held == {}
    with pytest.raises(PasswordDeleteError):
        manager.delete_password(SERVICE, "ci")


@pytest.mark.parametrize("text", ["abc", "a" * 84])  # an even number may be UTF-16, too
def test_a_text_that_another_program_stored_as_utf_8(
    text: str, manager: CredentialManager, api: Api
) -> None:
    api.put(SERVICE, "ci", "x")
    api.held[SERVICE.casefold()]["CredentialBlob"] = text.encode()
    assert held(manager, "ci") == {"ci": text}


def test_other_errors_are_passed_on(manager: CredentialManager, api: Api) -> None:
    with pytest.raises(WindowsError, match="1783"):
        manager.set_password(SERVICE, "ci", "x" * 1281)
    api.CredRead = lambda *_: (_ for _ in ()).throw(WindowsError(1312))  # type: ignore[method-assign]  # it fails
    with pytest.raises(WindowsError, match="1312"):
        manager.get_password(SERVICE, "ci")
