"""The secret store on a real gnome-keyring, and on one that is locked, dead, or hangs."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from drivers import need, posix_only
from store.child import ORG, Answers, run
from store.keyring_service import KeyringService, keyring_session, missing_programs

posix_only("a Secret Service")
assert sys.platform != "win32"  # mypy reads no further

pytestmark = pytest.mark.e2e

SERVICE = f"azdo-pat:{ORG}"
BACKEND = "keyring.backends.SecretService.Keyring"
LOCKED = "StoreError: the keyring is locked, or access to it was denied"
EVERYTHING = [("put", "ci", "new"), ("get", "ci"), ("delete", "ci"), ("check",)]


@pytest.fixture(autouse=True)
def _components(request: pytest.FixtureRequest) -> None:
    need(request.config, missing_programs())


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "state" / "keyring-backend"


@pytest.fixture
def service(tmp_path: Path) -> Iterator[KeyringService]:
    with keyring_session(tmp_path / "home") as running:
        yield running


def silent(answers: Answers) -> list[object]:
    """Return what was answered, where nothing else was said."""
    assert answers.stderr == ""
    return answers.values


def test_what_is_put_can_be_got(service: KeyringService, cache: Path) -> None:
    answers = run(
        service.environment,
        cache,
        ("describe",),
        ("check",),
        ("get", "ci"),
        ("put", "ci", "first"),
        ("put", "ci", "second"),
        ("get", "ci"),
        ("delete", "ci"),
        ("delete", "ci"),
        ("get", "ci"),
    )
    assert silent(answers) == [
        f"Secret Service ({BACKEND})",
        None,
        None,
        None,
        None,
        "second",
        True,
        False,
        None,
    ]
    items = subprocess.run(
        ["secret-tool", "search", "--all", "application", "Python keyring library"],
        env=service.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert items.stdout == ""


def test_other_programs_find_it(service: KeyringService, cache: Path) -> None:
    assert silent(run(service.environment, cache, ("put", "ci", "s3cret"))) == [None]
    for command in (
        [sys.executable, "-m", "keyring", "get", SERVICE, "ci"],
        ["secret-tool", "lookup", "service", SERVICE, "username", "ci"],
    ):
        found = subprocess.run(
            command, env=service.environment, capture_output=True, text=True, check=True
        )
        assert found.stdout.strip() == "s3cret"


def test_reading_needs_no_keyring_once_the_backend_is_known(
    service: KeyringService, cache: Path
) -> None:
    first = run(service.environment, cache, ("get", "ci"), ("put", "ci", "s3cret"), ("loaded",))
    assert silent(first) == [None, None, ["filelock", "jeepney", "keyring"]]
    later = run(service.environment, cache, ("get", "ci"), ("get", "none"), ("loaded",))
    assert silent(later) == ["s3cret", None, ["jeepney"]]
    named = service.environment | {"PAT_KEYRING": BACKEND}
    unknown = cache.with_name("none")
    assert silent(run(named, unknown, ("get", "ci"), ("loaded",))) == ["s3cret", ["jeepney"]]


def test_a_secret_that_is_not_found_at_once(cache: Path, tmp_path: Path) -> None:
    with keyring_session(tmp_path / "home", unlocked=False) as session:
        named = session.environment | {"PAT_KEYRING": BACKEND}
        program = Path(__file__).with_name("forgetful_service.py")
        with subprocess.Popen(
            [sys.executable, program], env=named, stdout=subprocess.PIPE, text=True
        ) as service:
            try:
                assert service.stdout is not None
                assert service.stdout.readline() == "ready\n"
                assert silent(run(named, cache, ("get", "ci"), ("loaded",))) == [
                    "s3cret",
                    ["jeepney"],
                ]
            finally:
                service.kill()


def test_a_configured_backend_is_left_to_keyring(service: KeyringService, cache: Path) -> None:
    environment = service.environment | {"KEYRING_PROPERTY_SCHEME": "KeePassXC"}
    assert silent(run(environment, cache, ("put", "ci", "s3cret"), ("get", "ci"))) == [
        None,
        "s3cret",
    ]
    found = subprocess.run(
        ["secret-tool", "lookup", "Title", SERVICE, "UserName", "ci"],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert found.stdout == "s3cret"
    loaded = run(environment, cache, ("get", "ci"), ("loaded",)).values[1]
    assert loaded == ["filelock", "jeepney", "keyring"]


@pytest.mark.parametrize(
    "secret",
    ["", "Ünïcode 🔑", "two\nlines\n", "nul\0inside", "x" * 100_000],
    ids=["empty", "unicode", "lines", "nul", "long"],
)
def test_every_text_comes_back(service: KeyringService, cache: Path, secret: str) -> None:
    name = "näme 'of' it"
    assert silent(run(service.environment, cache, ("put", name, secret), ("get", name))) == [
        None,
        secret,
    ]
    assert silent(run(service.environment, cache, ("get", name), ("loaded",))) == [
        secret,
        ["jeepney"],
    ]


def test_an_item_of_secret_tool_is_read_and_replaced(service: KeyringService, cache: Path) -> None:
    subprocess.run(
        ["secret-tool", "store", "--label=x", "service", SERVICE, "username", "ci"],
        env=service.environment,
        input="theirs",
        text=True,
        check=True,
    )
    answers = run(
        service.environment,
        cache,
        ("get", "ci"),
        ("put", "ci", "ours"),
        ("get", "ci"),
        ("delete", "ci"),
        ("get", "ci"),
    )
    assert silent(answers) == ["theirs", None, "ours", True, None]


@pytest.mark.parametrize("known", [False, True], ids=["scanned", "remembered"])
def test_a_locked_collection(service: KeyringService, cache: Path, known: bool) -> None:  # noqa: FBT001 - a parameter of the test
    seeded = run(service.environment, cache, ("put", "ci", "old"))
    assert silent(seeded) == [None]
    lock_everything(service)
    other = cache if known else cache.with_name("none")
    assert silent(run(service.environment, other, *EVERYTHING)) == [LOCKED] * 4


def lock_everything(service: KeyringService) -> None:
    script = (
        "import secretstorage as s\n"
        "for one in s.get_all_collections(s.dbus_init()):\n"
        "    one.lock()\n"
    )
    subprocess.run([sys.executable, "-c", script], env=service.environment, check=True)


def test_a_killed_daemon_comes_back_locked(service: KeyringService, cache: Path) -> None:
    assert silent(run(service.environment, cache, ("put", "ci", "old"))) == [None]
    assert service.daemon is not None
    os.kill(service.daemon, signal.SIGKILL)
    assert silent(run(service.environment, cache, *EVERYTHING)) == [LOCKED] * 4


@pytest.mark.parametrize("known", [False, True], ids=["scanned", "remembered"])
def test_a_stopped_daemon_is_told_within_ten_seconds(
    service: KeyringService,
    cache: Path,
    known: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    if known:
        assert silent(run(service.environment, cache, ("put", "ci", "old"))) == [None]
    assert service.daemon is not None
    os.kill(service.daemon, signal.SIGSTOP)
    answers = run(service.environment, cache, ("get", "ci"), *EVERYTHING)
    message = "StoreError: the keyring did not answer within 8 seconds"
    assert silent(answers) == [message] * 5
    assert answers.seconds < 10


def test_no_login_keyring_and_nobody_to_make_one(tmp_path: Path, cache: Path) -> None:
    with keyring_session(tmp_path / "home", unlocked=False) as service:
        answers = run(service.environment, cache, *EVERYTHING)
    message = (
        "StoreError: the keyring has no collection to store in, and creating one was not confirmed"
    )
    assert silent(answers) == [message] * 4


@pytest.mark.parametrize("known", [False, True], ids=["scanned", "remembered"])
def test_a_bus_that_is_gone(tmp_path: Path, cache: Path, known: bool) -> None:  # noqa: FBT001 - a parameter of the test
    with keyring_session(tmp_path / "home") as service:
        if known:
            assert silent(run(service.environment, cache, ("put", "ci", "old"))) == [None]
    message = "StoreError: no usable keyring on this machine"
    assert silent(run(service.environment, cache, *EVERYTHING)) == [message] * 4
    assert not cache.exists()


def test_the_secret_service_named_without_a_bus(service: KeyringService, cache: Path) -> None:
    environment = service.environment | {"PAT_KEYRING": BACKEND}
    del environment["DBUS_SESSION_BUS_ADDRESS"]
    message = (
        f"StoreError: the keyring backend {BACKEND} cannot be used on this machine: Unable"
        " to initialize"
        " SecretService: Environment variable DBUS_SESSION_BUS_ADDRESS is unset"
    )
    assert silent(run(environment, cache, *EVERYTHING)) == [message] * 4


def test_many_processes_at_once(service: KeyringService, cache: Path) -> None:
    script = (
        "import os, sys\n"
        "from pathlib import Path\n"
        "from azdo_pat.models import Secret\n"
        "from azdo_pat.store.secrets import SecretStore\n"
        "store = SecretStore(backend=None, cache_file=Path(sys.argv[1]), environment=os.environ)\n"
        "for number in range(5):\n"
        "    name = f'{sys.argv[2]}{number}'\n"
        "    store.put('o', name, Secret(name))\n"
        "    assert store.get('o', name) == Secret(name)\n"
    )
    writers = [
        subprocess.Popen([sys.executable, "-c", script, str(cache), name], env=service.environment)
        for name in "abc"
    ]
    assert [writer.wait(timeout=60) for writer in writers] == [0, 0, 0]
    assert cache.read_text().splitlines()[1:] == [BACKEND]
    assert {path.name for path in cache.parent.iterdir()} == {cache.name, "keyring.lock"}
