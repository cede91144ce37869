"""Commands over the Keychain and the Credential Manager, which fail while a secret is replaced."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Protocol

import keyring
import pytest

from azdo_pat.auth.storage import KeyringStorage
from azdo_pat.errors import PatError
from azdo_pat.models import PatChanges, Secret
from azdo_pat.operations.recovery import recover
from azdo_pat.services.create import create
from azdo_pat.services.rotate import RotateRequest, rotate
from azdo_pat.services.update import update
from azdo_pat.store.secrets import SecretStore, service_name
from services.machine import Machine
from store.credential_api import Api, credential_manager
from store.security_api import Security, keychain

Act = Callable[[Machine], object]
FOR_GOOD = 1_000_000


class System(Protocol):
    """A keyring of a system, in memory."""

    def refuse(self, call: str, status: int, /, *, times: int = FOR_GOOD) -> None:
        """Let the next calls of a kind fail."""

    def heal(self) -> None:
        """Let all calls succeed from now on."""


class Broken:
    """A system whose keyring stores nothing, once or for good, from a moment on.

    Attributes:
        code: what the message has.
    """

    def __init__(self, system: System, call: str, code: int) -> None:
        self._system = system
        self._call = call
        self.code = code

    def after(self, calls: int, times: int, service: str) -> None:
        """Let calls that store an entry of a service fail, but for the first ones."""
        made = [0]

        def answer(call: str, target: str, *_: str) -> int:
            # To Windows, a service is a part of the target.
            ours = target == service or target.endswith(f"@{service}")
            if call != self._call or not ours:
                return 0
            made[0] += 1
            return self.code if calls < made[0] <= calls + times else 0

        self._system.answer = answer  # type: ignore[attr-defined]  # each has it, for its own calls

    def heal(self) -> None:
        """Let it store again."""
        self._system.heal()


@pytest.fixture(params=["keychain", "credential-manager"])
def broken(
    request: pytest.FixtureRequest, machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> Broken:
    """Give the machine a keyring of a system, which works so far."""
    if request.param == "keychain":
        security = Security()
        keyring.set_keyring(keychain(monkeypatch, security))
        found = Broken(security, "add", -25308)
    else:
        api = Api()
        keyring.set_keyring(credential_manager(monkeypatch, api))
        found = Broken(api, "CredWrite", 8)
    machine.secrets = SecretStore(backend=None, cache_file=None, environment={})
    return found


def replaced(machine: Machine) -> None:
    create(machine.contoso, machine.request(replace=True), machine.deps)


def rotated(machine: Machine) -> None:
    (pat,) = machine.finder.find(machine.contoso, ["ci"])
    asked = RotateRequest(expires=None, otherwise=machine.now + timedelta(days=9))
    rotate(machine.contoso, pat, asked, machine.deps)


def imported(machine: Machine) -> None:
    machine.import_secret("ci", machine.emulator.add_with_secret("another"), replace=True)


def renamed(machine: Machine) -> None:
    (pat,) = machine.finder.find(machine.contoso, ["ci"])
    update(machine.contoso, pat, PatChanges(display_name="new"), machine.deps)


def works(machine: Machine, secret: Secret | None) -> bool:
    """Return whether the service accepts a secret."""
    if secret is None:
        return False
    try:
        machine.directory.check_secret(machine.contoso, secret)
    except PatError:
        return False
    return True


@pytest.mark.parametrize("act", [replaced, rotated, imported, renamed])
@pytest.mark.parametrize("times", [1, FOR_GOOD], ids=["once", "for-good"])
@pytest.mark.parametrize("calls", range(3))
def test_no_command_loses_a_secret(
    machine: Machine, broken: Broken, act: Act, times: int, calls: int
) -> None:
    machine.made()
    url = machine.contoso.url
    old = machine.secrets.get(url, "ci")
    broken.after(calls, times, service_name(url))
    failure = None
    try:
        act(machine)
    except PatError as error:
        failure = error
    broken.heal()
    if failure is not None:
        assert f"(error {broken.code})" in failure.message
        assert machine.secrets.get(url, "ci") == old
        assert works(machine, old)
    recover(replace(machine.deps))
    held = [machine.secrets.get(url, name) for name in ("ci", "new")]
    assert [works(machine, each) for each in held if each is not None] == [True]


@pytest.mark.parametrize("times", [1, FOR_GOOD], ids=["once", "for-good"])
def test_no_sign_in_is_lost(machine: Machine, broken: Broken, times: int) -> None:
    owner = "sign-in:https://login.microsoftonline.com"
    place = KeyringStorage(machine.secrets, owner, "sign-ins")
    place.save(Secret("old"))
    broken.after(0, times, service_name(owner))
    with pytest.raises(PatError, match=f"error {broken.code}"):
        place.save(Secret("new"))
    assert place.load() == Secret("old")
    broken.heal()
    place.save(Secret("new"))
    assert place.load() == Secret("new")


@pytest.mark.parametrize("code", [5, 8, 1168, 1312, 1783])
def test_an_error_of_windows_leaves_the_secret(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    api = Api()
    keyring.set_keyring(credential_manager(monkeypatch, api))
    machine.secrets = SecretStore(backend=None, cache_file=None, environment={})
    machine.made()
    old = machine.secrets.get(machine.contoso.url, "ci")
    api.refuse("CredWrite", code)
    with pytest.raises(PatError, match=rf"\(error {code}\)"):
        replaced(machine)
    api.heal()
    assert machine.secrets.get(machine.contoso.url, "ci") == old
    assert machine.alive == ["ci"]


def test_a_secret_of_windows_has_a_limit(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    keyring.set_keyring(credential_manager(monkeypatch, Api()))
    secrets = SecretStore(backend=None, cache_file=None, environment={})
    for length in (84, 1280):
        secrets.put(machine.contoso.url, "ci", Secret("x" * length))
    with pytest.raises(PatError) as caught:
        secrets.put(machine.contoso.url, "ci", Secret("y" * 1281))
    assert (caught.value.message, caught.value.hint) == (
        "the secret is too long for the Windows Credential Manager (error 1783)",
        "it accepts 1280 characters; a personal access token has at most 84",
    )
    assert secrets.get(machine.contoso.url, "ci") == Secret("x" * 1280)
