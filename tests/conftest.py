"""Every test starts from nothing: an empty environment, its own home, a keyring in memory."""

import gc
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import keyring
import pytest
from hypothesis import settings

from azdo_pat import redaction
from azdo_pat.cli.main import pat as root
from azdo_pat.emulator.run import Options, start
from drivers import AzureCli, Emulator, InProcess, Installed
from fakes import MemoryKeyring

# No example is timed: how long one takes depends on what else the machine does.
settings.register_profile("whole", deadline=None)
settings.load_profile("whole")
settings.register_profile("quick", deadline=None, max_examples=20)
"""For the Pythons that the tests have been run on before with all examples."""

KEPT = {"PATH", "LANG", "TMPDIR", "VIRTUAL_ENV", "PYTEST_CURRENT_TEST"}
if sys.platform == "win32":  # without these, few programs start
    KEPT |= {"COMSPEC", "PATHEXT", "SYSTEMDRIVE", "SYSTEMROOT", "TEMP", "TMP", "USERNAME", "WINDIR"}
    KEPT |= {name for name in os.environ if name.startswith("WINE")}
_numbers = count()
HOME_FOLDERS = {
    "HOME": "",
    "USERPROFILE": "",
    "APPDATA": "AppData/Roaming",
    "LOCALAPPDATA": "AppData/Local",
    "XDG_CONFIG_HOME": ".config",
    "XDG_DATA_HOME": ".local/share",
    "XDG_STATE_HOME": ".local/state",
    "XDG_CACHE_HOME": ".cache",
    "XDG_RUNTIME_DIR": "run",
    "PAT_CONFIG_DIR": "pat/config",
    "PAT_STATE_DIR": "pat/state",
}


def pytest_configure() -> None:
    # A shell starts what runs in the background with Ctrl-C ignored, and so would be what the tests
    # start and interrupt.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let CI ask that nothing be skipped for want of a program."""
    parser.addoption(
        "--require-components",
        action="store_true",
        help="fail, instead of skipping, where a real component (gnome-keyring, git…) is missing",
    )
    parser.addoption(
        "--rewrite-outcomes",
        action="store_true",
        help="write the tables of what happens on failures anew instead of comparing with them",
    )
    parser.addoption(
        "--git-tree",
        default="",
        metavar="DIR",
        help="a Debian tree with git 2.46 or later and with pat (CONTRIBUTING.md)",
    )
    parser.addoption(
        "--bundles",
        default="",
        metavar="DIR",
        help="the folder with the bundles that `nox -s bundle` has built",
    )
    parser.addoption(
        "--sequences",
        type=int,
        default=0,
        metavar="N",
        help="run N new random sequences of commands, instead of the forty that are always run",
    )


@pytest.hookimpl(trylast=True)
def pytest_collection_finish() -> None:
    """Spare the garbage collector what stays to the end: modules, and thousands of tests."""
    gc.collect()
    gc.freeze()


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip on Windows what is about POSIX; give Ctrl-C its usual meaning, as in a new process."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    marker = item.get_closest_marker("posix")
    if marker and sys.platform == "win32":
        pytest.skip(f"POSIX: {marker.args[0]}")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say on Windows, where much is about other systems, how much was tested."""
    if sys.platform == "win32":
        counts = {
            outcome: len(terminalreporter.stats.get(outcome, ()))
            for outcome in ("passed", "skipped", "failed", "error")
        }
        share = 100 * (counts["passed"] + counts["failed"]) // max(1, sum(counts.values()))
        said = ", ".join(f"{number} {outcome}" for outcome, number in counts.items())
        terminalreporter.write_line(f"On Windows, {share} % of the tests ran: {said}")


@pytest.fixture(scope="session")
def homes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a folder for the homes of all tests: pytest would count them for each new folder."""
    return tmp_path_factory.mktemp("homes")


@pytest.fixture(autouse=True)
def home(homes: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give the test an environment with nothing in it but a home of its own; return that home."""
    for name in set(os.environ) - KEPT:
        monkeypatch.delenv(name)
    number = next(_numbers)
    folder = homes / f"home{number}"
    folder.mkdir()
    for name, below in HOME_FOLDERS.items():
        monkeypatch.setenv(name, str(folder / below))
    (folder / "run").mkdir(mode=0o700)
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    elsewhere = homes / f"cwd{number}"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)  # no git repository, no remote to find
    return folder


@pytest.fixture(autouse=True)
def _nothing_masked() -> None:
    """Let no secret of another test be masked in this one."""
    redaction.forget()


@pytest.fixture(autouse=True)
def memory_keyring(home: Path) -> MemoryKeyring:
    """Make an empty keyring in memory the one that keyring uses here; return it."""
    _ = home  # the environment first: keyring reads it
    backend = MemoryKeyring()
    keyring.set_keyring(backend)
    return backend


@pytest.fixture(autouse=True)
def time_zone(home: Path) -> Iterator[Callable[[str], None]]:
    """Set this process' time zone to UTC; return a function that sets it to another."""
    _ = home  # the environment is emptied first
    environ = os.environ  # held on to: keyring's own tests put a dictionary in its place

    def put(name: str) -> None:
        if sys.platform == "win32" and name != "UTC":
            pytest.skip("POSIX: a process with a time zone of its own")
        environ["TZ"] = name
        if sys.platform != "win32":  # which has one time zone for all
            time.tzset()

    put("UTC")
    yield put
    del environ["TZ"]
    if sys.platform != "win32":
        time.tzset()


@pytest.fixture
def emulator(request: pytest.FixtureRequest) -> Iterator[Emulator]:
    """Start an emulator of this test's own; what `az` has is for one that answers by https."""
    with start(Options(tls="az" in request.fixturenames)) as running:
        yield Emulator(running)


@pytest.fixture
def pat(emulator: Emulator) -> InProcess:
    """Run `pat` in this process, against the emulator, with the keyring in memory."""
    return InProcess(root, emulator.environment)


@pytest.fixture
def pat_process(emulator: Emulator, home: Path) -> Installed:
    """Run the installed `pat`, against the emulator, with a keyring in a file of this test."""
    throwaway = {
        "PAT_KEYRING": "azdo_pat.store.sandbox_keyring.SandboxKeyring",
        "PAT_THROWAWAY_KEYRING": str(home / "keyring.json"),
    }
    return Installed({**emulator.environment, **throwaway})


@pytest.fixture
def az(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> AzureCli:
    """Put an `az` first on PATH, with nobody signed in to it."""
    folder = tmp_path_factory.mktemp("az")
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    return AzureCli(folder)


@pytest.fixture
def no_finalizers() -> Iterator[None]:
    """Keep other tests' garbage from being finalized at the recursion limit.

    A finalizer that runs there fails with a RecursionError, which pytest reports as this test's.
    """
    gc.collect()
    gc.disable()
    yield
    gc.enable()
