"""The secret store over backends that go wrong; the real ones are in test_real_keyring.py."""

import os
import sys
import time
import traceback
from collections.abc import Callable, Iterator

import pytest
from keyring.errors import InitError, KeyringLocked, NoKeyringError, PasswordSetError

from azdo_pat.errors import StoreError
from azdo_pat.models import Secret
from azdo_pat.store.secrets import SecretStore, service_name
from keyring_contract import KeyringContract
from store.backends import (
    Blurting,
    Breaking,
    CredWriteError,
    Forgetting,
    Hanging,
    Layered,
    Mangling,
    Raising,
    Sticky,
    Unpicked,
    use,
)

ORG = "https://dev.azure.com/contoso"
SERVICE = f"azdo-pat:{ORG}"
Act = Callable[[], object]
NEW = Secret("new-secret-0123456789")


class TestUnpicked(KeyringContract):
    """What the failing backends are made from passes keyring's own tests."""

    def init_keyring(self) -> Unpicked:
        return Unpicked()


def store(
    backend: str | None = None, *, timeout: float = 8.0, patience: float = 60.0
) -> SecretStore:
    return SecretStore(
        backend=backend, cache_file=None, environment={}, timeout=timeout, patience=patience
    )


def held(backend: Unpicked) -> dict[tuple[str, str], str]:
    return backend.held


def failure(error: pytest.ExceptionInfo[StoreError]) -> tuple[str, str]:
    return error.value.message, error.value.hint


def test_put_get_delete() -> None:
    backend = Unpicked()
    use(backend)
    secrets = store()
    assert secrets.get(ORG, "ci") is None
    secrets.put(ORG, "ci", NEW)
    assert held(backend) == {(SERVICE, "ci"): NEW.reveal()}
    assert secrets.get(ORG, "ci") == NEW
    assert secrets.delete(ORG, "ci") is True
    assert secrets.delete(ORG, "ci") is False
    assert held(backend) == {}


def test_service_name_is_what_other_programs_look_for() -> None:
    assert service_name(ORG) == SERVICE


def test_names_may_hold_anything_that_is_text() -> None:
    backend = Unpicked()
    use(backend)
    names = ["Ünïcode 🔑", "two\nlines", "a/b:c", "'quoted\"", " "]
    for name in names:
        store().put(ORG, name, Secret(f"secret of {name}"))
    assert held(backend) == {(SERVICE, name): f"secret of {name}" for name in names}


@pytest.mark.parametrize("name", ["half \ud83d", "\udcff"])
def test_a_name_that_is_no_text(name: str) -> None:
    use(Unpicked())
    for act in (store().get, store().delete):
        with pytest.raises(StoreError) as caught:
            act(ORG, name)
        assert failure(caught) == (
            "the name cannot be stored: it contains a character that is not valid text",
            "use a name without it",
        )


def test_a_secret_that_is_no_text() -> None:
    use(Unpicked())
    with pytest.raises(StoreError) as caught:
        store().put(ORG, "ci", Secret("abc\udc80"))
    assert failure(caught) == (
        "the secret cannot be stored: it contains a character that is not valid text",
        "use a secret without it",
    )


def test_check_leaves_nothing_behind() -> None:
    backend = Unpicked()
    use(backend)
    store().check()
    assert held(backend) == {}


def test_describe() -> None:
    use(Unpicked())
    assert store().describe() == "backends Unpicked (store.backends.Unpicked)"
    path = "azdo_pat.store.sandbox_keyring.SandboxKeyring"
    assert store(path).describe() == f"throw-away keyring ({path})"


class FileAccessError(OSError):
    """As an OSError on Windows, which has an error code of Windows, too."""

    winerror = 5


LOCKED = "the keyring is locked, or access to it was denied"


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (KeyringLocked("Failed to unlock the collection!"), LOCKED),
        (
            InitError("Failed to create the collection: Prompt dismissed.."),
            "the keyring has no collection to store in, and creating one was not confirmed",
        ),
        (NoKeyringError("none"), "no usable keyring on this machine"),
        (
            NotImplementedError(),
            "the keyring backend store.backends.Raising can only read, not store",
        ),
        (
            UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid start byte"),
            "the keyring backend store.backends.Raising contains a text that it cannot decode",
        ),
        (
            ConnectionResetError("gone"),
            "the keyring backend store.backends.Raising cannot be reached",
        ),
        (
            CredWriteError(1783),
            "the secret is too long for the Windows Credential Manager (error 1783)",
        ),
        (
            CredWriteError(1312),
            "the Windows Credential Manager is not available in this logon session (error 1312)",
        ),
        (
            CredWriteError(1168),
            "the Windows Credential Manager lost the entry during the operation (error 1168)",
        ),
        (CredWriteError(8), "the Windows Credential Manager is full (error 8)"),
        (CredWriteError(5), "Windows denied access to the Credential Manager (error 5)"),
        (CredWriteError(87), "the Windows Credential Manager failed (error 87)"),
        (
            FileAccessError(13, "in the system's language"),
            f"the keyring backend store.backends.Raising failed: {os.strerror(13)}",
        ),
        (
            PasswordSetError("no"),
            "the keyring backend store.backends.Raising failed with PasswordSetError",
        ),
        (
            RuntimeError("boom"),
            "the keyring backend store.backends.Raising failed with RuntimeError",
        ),
    ],
    ids=lambda value: type(value).__name__,
)
def test_each_failure_has_its_message(error: Exception, message: str) -> None:
    use(Raising(error))
    acts: list[Act] = [lambda: store().get(ORG, "ci"), lambda: store().put(ORG, "ci", NEW)]
    for act in acts:
        with pytest.raises(StoreError) as caught:
            act()
        assert caught.value.message == message
        assert caught.value.hint


def test_check_quotes_the_backend() -> None:
    use(Raising(RuntimeError("it is\x1b[31m on fire\nsecond line")))
    with pytest.raises(StoreError) as caught:
        store().check()
    assert failure(caught) == (
        "the keyring backend store.backends.Raising failed with RuntimeError: it is?[31m on fire",
        "for details, run: keyring diagnose; to use another backend, set PAT_KEYRING",
    )


def test_a_failure_never_carries_the_secret() -> None:
    use(Blurting())
    with pytest.raises(StoreError) as caught:
        store().put(ORG, "ci", NEW)
    assert failure(caught) == (
        "the keyring backend store.backends.Blurting failed with PasswordSetError",
        "for details, run: keyring diagnose; to use another backend, set PAT_KEYRING",
    )
    assert NEW.reveal() not in "".join(traceback.format_exception(caught.value))
    assert (caught.value.__cause__, caught.value.__context__) == (None, None)


@pytest.mark.parametrize("backend", [Forgetting(), Mangling()], ids=["forgetting", "mangling"])
def test_what_was_not_kept_is_a_failure(backend: Unpicked) -> None:
    use(backend)
    with pytest.raises(StoreError) as caught:
        store().put(ORG, "ci", NEW)
    name = type(backend).__name__
    assert caught.value.message == (
        f"the keyring backend store.backends.{name} did not store the secret"
    )
    assert held(backend) == {}


@pytest.mark.parametrize("kind", [Forgetting, Mangling, Blurting])
def test_a_failed_put_leaves_the_former_secret(kind: type[Unpicked]) -> None:
    backend = kind()
    backend.held[SERVICE, "ci"] = "old"
    use(backend)
    with pytest.raises(StoreError):
        store().put(ORG, "ci", NEW)
    assert held(backend) == {(SERVICE, "ci"): "old"}


def test_a_former_secret_that_may_be_lost_is_told() -> None:
    backend = Breaking()
    backend.held[SERVICE, "ci"] = "old"
    use(backend)
    with pytest.raises(StoreError) as caught:
        store().put(ORG, "ci", NEW)
    assert caught.value.message == (
        f"{LOCKED}; it is unknown whether the previous secret is still stored"
    )


def test_another_programs_item_is_replaced() -> None:
    backend = Layered({(SERVICE, "ci"): "foreign"})
    use(backend)
    store().put(ORG, "ci", NEW)
    assert (backend.foreign, held(backend)) == ({}, {(SERVICE, "ci"): NEW.reveal()})


def test_delete_deletes_every_item() -> None:
    backend = Layered({(SERVICE, "ci"): "foreign"})
    backend.held[SERVICE, "ci"] = "own"
    use(backend)
    assert store().delete(ORG, "ci") is True
    assert (backend.foreign, held(backend)) == ({}, {})


def test_a_delete_that_did_not_happen_is_a_failure() -> None:
    backend = Sticky()
    backend.held[SERVICE, "ci"] = "old"
    use(backend)
    with pytest.raises(StoreError, match="did not delete the secret"):
        store().delete(ORG, "ci")


@pytest.fixture
def hanging() -> Iterator[Hanging]:
    """Give a backend that hangs until the test is over."""
    backend = Hanging()
    yield backend
    backend.released.set()


def test_a_hanging_backend_is_left_alone(hanging: Hanging) -> None:
    use(hanging)
    secrets = store(timeout=0.2, patience=0.2)
    started = time.monotonic()
    acts: list[Act] = [lambda: secrets.get(ORG, "ci"), lambda: secrets.put(ORG, "ci", NEW)]
    for act in acts:
        with pytest.raises(StoreError) as caught:
            act()
        assert caught.value.message == "the keyring did not answer within 0.2 seconds"
    assert (hanging.asked, time.monotonic() - started < 2) == (1, True)


@pytest.mark.skipif(sys.platform in {"darwin", "win32"}, reason="there is always a desktop")
@pytest.mark.parametrize(
    ("environment", "limit"),
    [({}, "0.1"), ({"DISPLAY": ":0"}, "0.3"), ({"WAYLAND_DISPLAY": "w"}, "0.3")],
    ids=["none", "x11", "wayland"],
)
def test_a_desktop_gets_time_to_ask(
    hanging: Hanging, environment: dict[str, str], limit: str
) -> None:
    use(hanging)
    secrets = SecretStore(
        backend=None, cache_file=None, environment=environment, timeout=0.1, patience=0.3
    )
    with pytest.raises(StoreError, match=f"within {limit} seconds"):
        secrets.get(ORG, "ci")


@pytest.mark.posix("a machine without a desktop")
@pytest.mark.parametrize(("on_terminal", "limit"), [(False, "0.1"), (True, "0.3")])
def test_a_backend_that_asks_on_the_terminal_gets_time(
    hanging: Hanging, *, on_terminal: bool, limit: str
) -> None:
    use(hanging)
    secrets = SecretStore(
        backend=None,
        cache_file=None,
        environment={},
        timeout=0.1,
        patience=0.3,
        on_terminal=on_terminal,
    )
    with pytest.raises(StoreError, match=f"within {limit} seconds"):
        secrets.get(ORG, "ci")


class ItemNotFoundException(Exception):  # noqa: N818 - its name is what is known of it
    """Named as SecretStorage's, for an object that is off the bus for a moment."""


NO_COLLECTION = InitError("Failed to create the collection: Prompt dismissed..")
OFF_THE_BUS = ItemNotFoundException("Item does not exist!")


class Stumbling(Unpicked):
    """Fails at some of its calls, counted over all of its methods, and works at the others."""

    def __init__(self, error: Exception, *failing: int) -> None:
        super().__init__()
        self.error = error
        self.failing = failing
        self.asked = 0

    def _stumble(self) -> None:
        self.asked += 1
        if self.asked in self.failing:
            raise self.error

    def get_password(self, service: str, username: str) -> str | None:
        self._stumble()
        return super().get_password(service, username)

    def set_password(self, service: str, username: str, password: str) -> None:
        self._stumble()
        super().set_password(service, username, password)

    def delete_password(self, service: str, username: str) -> None:
        super().delete_password(service, username)
        self._stumble()


@pytest.mark.posix("a Secret Service that nobody looks at")
@pytest.mark.parametrize("error", [NO_COLLECTION, OFF_THE_BUS], ids=["collection", "object"])
@pytest.mark.parametrize("failing", range(1, 8))
def test_what_is_gone_for_a_moment_is_asked_for_again(error: Exception, failing: int) -> None:
    backend = Stumbling(error, failing, failing + 1)
    use(backend)
    secrets = store()
    secrets.put(ORG, "ci", Secret("one"))
    assert secrets.get(ORG, "ci") == Secret("one")
    assert secrets.delete(ORG, "ci")
    assert secrets.get(ORG, "ci") is None
    assert backend.asked > failing + 1


def test_what_stays_gone_is_told() -> None:
    backend = Stumbling(OFF_THE_BUS, *range(1, 50))
    use(backend)
    with pytest.raises(StoreError, match="failed with ItemNotFoundException"):
        store().get(ORG, "ci")
    assert backend.asked == 5


def test_who_waited_in_vain_does_not_wait_again() -> None:
    backend = Stumbling(OFF_THE_BUS, *range(1, 7), 9)
    use(backend)
    secrets = store()
    for asked in (5, 6):  # the first one tries again, the next does not
        with pytest.raises(StoreError):
            secrets.get(ORG, "ci")
        assert backend.asked == asked
    for asked in (7, 8, 10):  # it works again, and so is worth a second try again
        assert secrets.get(ORG, "ci") is None
        assert backend.asked == asked


def test_somebody_who_would_not_make_a_collection_is_not_asked_again() -> None:
    backend = Stumbling(NO_COLLECTION, 1)
    use(backend)
    desktop = SecretStore(backend=None, cache_file=None, environment={"DISPLAY": ":0"})
    with pytest.raises(StoreError):
        desktop.get(ORG, "ci")
    assert backend.asked == 1
