"""Entries of the Windows Credential Manager, over an API whose targets have no case."""

from typing import Any

import pytest
from keyring.errors import PasswordDeleteError

from azdo_pat.store.credential_manager import CredentialManager

SERVICE = "azdo-pat:https://dev.azure.com/contoso"
PERSIST = 3


class WindowsError(Exception):
    """As `pywintypes.error`."""

    def __init__(self, winerror: int) -> None:
        super().__init__(winerror)
        self.winerror = winerror


class Api:
    """The API of Windows, in memory."""

    def __init__(self) -> None:
        self.held: dict[str, dict[str, Any]] = {}

    def CredRead(self, target: str, kind: int) -> dict[str, Any]:  # noqa: N802  # as it is called
        assert kind == 1
        if target.casefold() not in self.held:
            raise WindowsError(1168)
        return self.held[target.casefold()]

    def CredWrite(self, credential: dict[str, Any], flags: int) -> None:  # noqa: N802  # as above
        assert flags == 0
        text = credential["CredentialBlob"].encode("utf-16-le")
        if len(text) > 2560:
            raise WindowsError(1783)
        target = credential["TargetName"].casefold()
        self.held[target] = {**credential, "CredentialBlob": text}

    def CredDelete(self, target: str, kind: int) -> None:  # noqa: N802  # as above
        assert kind == 1
        del self.held[target.casefold()]

    def put(self, target: str, user: str, text: str) -> None:
        """Store an entry as keyring does."""
        self.CredWrite({"TargetName": target, "UserName": user, "CredentialBlob": text}, 0)

    @property
    def texts(self) -> dict[str, str]:
        """The secrets, by target."""
        return {
            each["TargetName"]: each["CredentialBlob"].decode("utf-16-le")
            for each in self.held.values()
        }


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


def test_a_text_that_another_program_stored_as_utf_8(manager: CredentialManager, api: Api) -> None:
    api.put(SERVICE, "ci", "x")
    api.held[SERVICE.casefold()]["CredentialBlob"] = b"abc"
    assert held(manager, "ci") == {"ci": "abc"}


def test_other_errors_are_passed_on(manager: CredentialManager, api: Api) -> None:
    with pytest.raises(WindowsError, match="1783"):
        manager.set_password(SERVICE, "ci", "x" * 1281)
    api.CredRead = lambda *_: (_ for _ in ()).throw(WindowsError(1312))  # type: ignore[method-assign]  # it fails
    with pytest.raises(WindowsError, match="1312"):
        manager.get_password(SERVICE, "ci")
