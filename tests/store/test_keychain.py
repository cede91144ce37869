"""The macOS Keychain: what its errors say, and that no failure loses a secret."""

from collections.abc import Callable

import pytest

from azdo_pat.errors import StoreError
from azdo_pat.keyring_codes import Meaning
from azdo_pat.models import Secret
from azdo_pat.store.secrets import SecretStore
from keyring_contract import KeyringContract
from store.backends import use
from store.security_api import DENIED, LOCKED, NOT_FOUND, Security, keychain

ORG = "https://dev.azure.com/contoso"
SERVICE = f"azdo-pat:{ORG}"
COPY = f"azdo-pat:previous {SERVICE}"
OLD, NEW = Secret("old-secret-0123456789"), Secret("new-secret-0123456789")
NO_STORE = "without a keyring, as in CI, run: pat create NAME --no-store --as token"
Act = Callable[[SecretStore], object]


class Killed(BaseException):
    """As a process that is killed, in the middle of a call."""


@pytest.fixture
def security(monkeypatch: pytest.MonkeyPatch) -> Security:
    """Give the framework of a Mac, whose Keychain has become keyring's choice."""
    found = Security()
    use(keychain(monkeypatch, found))
    return found


def store() -> SecretStore:
    return SecretStore(backend=None, cache_file=None, environment={})


def put_new(secrets: SecretStore) -> None:
    secrets.put(ORG, "ci", NEW)


ACTS: dict[str, Act] = {
    "get": lambda secrets: secrets.get(ORG, "ci"),
    "add": put_new,
    "delete": lambda secrets: secrets.delete(ORG, "ci"),
}

ERRORS = {
    DENIED: Meaning(
        "macOS denied access to the Keychain (error -128)",
        "run the command again, and choose Always Allow when macOS asks",
    ),
    -25244: Meaning(
        "the Keychain entry belongs to another program, often to an earlier Python (error -25244)",
        "delete the entry in Keychain Access (its name begins with azdo-pat), and try again",
    ),
    -25291: Meaning(
        "no Keychain is available (error -25291)",
        "macOS has one for a user who is logged in, not for a daemon; to see yours: security"
        f" list-keychains; {NO_STORE}",
    ),
    -25293: Meaning(
        "the Keychain rejected the password or this Python (error -25293)",
        "run: security unlock-keychain; if that does not help: open a new terminal, or reinstall"
        " Python, whose signature may be damaged",
    ),
    NOT_FOUND: Meaning(
        "the Keychain entry disappeared during the operation (error -25300)",
        "another program may have deleted it; try again",
    ),
    LOCKED: Meaning(
        "the Keychain is locked, and macOS cannot ask for its password here (error -25308)",
        f"over SSH, in screen and in jobs, first run: security unlock-keychain; {NO_STORE}",
    ),
    -34018: Meaning(
        "macOS does not let this Python use the Keychain (error -34018)",
        "run pat in Terminal, with a Python from python.org or Homebrew that is not part of"
        f" another program; {NO_STORE}",
    ),
    -67030: Meaning(
        "macOS rejected the code signature of this Python (error -67030)",
        "reinstall Python, or sign it: codesign --force --sign - PATH-OF-PYTHON",
    ),
    -25999: Meaning(
        "the macOS Keychain failed (error -25999)",
        "for its meaning: security error -25999",
    ),
}


@pytest.mark.parametrize("status", ERRORS)
@pytest.mark.parametrize("call", ACTS)
def test_each_status_has_its_sentence(security: Security, call: str, status: int) -> None:
    store().put(ORG, "ci", OLD)
    security.refuse(call, status)
    if status == NOT_FOUND and call == "get":
        assert store().get(ORG, "ci") is None
        return
    if status == NOT_FOUND and call == "delete":
        with pytest.raises(StoreError, match="did not delete the secret"):
            store().delete(ORG, "ci")
        return
    with pytest.raises(StoreError) as caught:
        ACTS[call](store())
    assert (caught.value.message, caught.value.hint) == ERRORS[status]
    security.heal()
    assert store().get(ORG, "ci") == OLD


@pytest.mark.parametrize("status", [each for each in ERRORS if each != NOT_FOUND])
@pytest.mark.parametrize("call", ACTS)
def test_check_says_it_too(security: Security, call: str, status: int) -> None:
    security.refuse(call, status)
    with pytest.raises(StoreError) as caught:
        store().check()
    assert (caught.value.message, caught.value.hint) == ERRORS[status]


class TestKeychain(KeyringContract):
    """The stand-in passes keyring's own tests, with keyring's own backend on it."""

    def setup_method(self) -> None:
        self.patches = pytest.MonkeyPatch()

    def teardown_method(self) -> None:
        self.patches.undo()

    def init_keyring(self) -> object:
        return keychain(self.patches, Security())


def test_a_secret_is_replaced_and_no_copy_is_left(security: Security) -> None:
    store().put(ORG, "ci", OLD)
    store().put(ORG, "ci", NEW)
    assert security.held == {(SERVICE, "ci"): NEW.reveal()}
    assert store().delete(ORG, "ci")
    assert security.held == {}
    assert not store().delete(ORG, "ci")


@pytest.mark.parametrize("call", ["add", "delete", "get"])
@pytest.mark.parametrize("service", [SERVICE, COPY, ""], ids=["entry", "copy", "any"])
@pytest.mark.parametrize("times", [1, 2, 3, 1_000_000])
@pytest.mark.parametrize("after", range(4))
def test_no_failure_loses_a_secret(
    security: Security, call: str, service: str, times: int, after: int
) -> None:
    store().put(ORG, "ci", OLD)
    made, failed = [0], [0]

    def answer(asked: str, of: str, _: str) -> int:
        if asked != call or service not in {"", of}:
            return 0
        made[0] += 1
        if made[0] <= after or failed[0] >= times:
            return 0
        failed[0] += 1
        return LOCKED

    security.answer = answer
    refused = None
    try:
        put_new(store())
    except StoreError as error:
        refused = error
    security.heal()
    found = store().get(ORG, "ci")
    if refused is None:
        assert found == NEW
    elif "unknown" in refused.message:
        assert found in {OLD, NEW}  # NEW was read back, and could not be read once more
    else:
        assert found == OLD
    put_new(store())
    assert security.held == {(SERVICE, "ci"): NEW.reveal()}


def test_a_copy_answers_until_the_secret_is_stored_again(security: Security) -> None:
    store().put(ORG, "ci", OLD)
    security.refuse("add", service=SERVICE)
    with pytest.raises(StoreError) as caught:
        put_new(store())
    assert (caught.value.message, caught.value.hint) == ERRORS[LOCKED]
    assert security.held == {(COPY, "ci"): OLD.reveal()}
    assert store().get(ORG, "ci") == OLD
    with pytest.raises(StoreError):
        put_new(store())
    assert store().get(ORG, "ci") == OLD
    security.heal()
    put_new(store())
    assert security.held == {(SERVICE, "ci"): NEW.reveal()}


def test_what_only_a_copy_has_is_deleted(security: Security) -> None:
    security.held[COPY, "ci"] = OLD.reveal()
    assert store().delete(ORG, "ci")
    assert security.held == {}


def test_a_failed_add_is_undone_at_once(security: Security) -> None:
    store().put(ORG, "ci", OLD)
    security.refuse("add", service=SERVICE, times=1)
    with pytest.raises(StoreError):
        put_new(store())
    assert security.held == {(SERVICE, "ci"): OLD.reveal()}


@pytest.mark.parametrize("moment", range(40))
def test_no_kill_loses_a_secret(security: Security, moment: int) -> None:
    store().put(ORG, "ci", OLD)
    made = [0]

    def answer(*_: str) -> int:
        made[0] += 1
        if made[0] > moment:  # as nothing of that process comes after it
            raise Killed
        return 0

    security.answer = answer
    try:
        put_new(store())
    except Killed:
        security.heal()
        assert store().get(ORG, "ci") in {OLD, NEW}
    else:
        security.heal()
        assert store().get(ORG, "ci") == NEW


def test_a_secret_that_does_not_come_back_is_a_failure(
    security: Security, monkeypatch: pytest.MonkeyPatch
) -> None:
    store().put(ORG, "ci", OLD)
    add = security.add

    def mangle(query: dict[str, str], attributes: None) -> int:
        if query["kSecValueData"] == NEW.reveal():
            query = {**query, "kSecValueData": "mangled"}
        return add(query, attributes)

    monkeypatch.setattr(security, "add", mangle)
    use(keychain(monkeypatch, security))
    with pytest.raises(StoreError, match="the macOS Keychain did not store the secret"):
        put_new(store())
    assert security.held == {(SERVICE, "ci"): OLD.reveal()}


def test_another_program_that_deletes_first_is_no_failure(security: Security) -> None:
    store().put(ORG, "ci", OLD)

    def answer(call: str, *_: str) -> int:
        if call == "delete":
            security.held.clear()
        return 0

    security.answer = answer
    assert store().delete(ORG, "ci")
    assert security.held == {}
