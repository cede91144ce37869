"""The installed program among real components: a Secret Service, git, a terminal."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from drivers import PROGRAM, Emulator, Installed, need
from e2e import openbao as bao
from e2e.hosts import Hosts, running
from e2e.stage import CRON, create
from store.keyring_service import KeyringService, keyring_session, missing_programs

HERE = Path(__file__).parent
if sys.platform == "win32":  # their components are Linux's; tests/windows has the like of these
    collect_ignore_glob = ["test_*.py"]


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark every test of this folder `e2e`."""
    for item in items:
        if item.path.parent == HERE:
            item.add_marker(pytest.mark.e2e)


@pytest.fixture
def gnome_keyring(request: pytest.FixtureRequest, home: Path) -> Iterator[KeyringService]:
    """Start a gnome-keyring of this test's own, unlocked, on a D-Bus of its own."""
    need(request.config, missing_programs())
    with keyring_session(home) as service:
        yield service


@pytest.fixture
def pat(emulator: Emulator, gnome_keyring: KeyringService) -> Installed:
    """Run the installed `pat` against the emulator and the real keyring."""
    session = dict(gnome_keyring.environment)
    del session["PATH"]  # the test's own: a fixture may have put a program on it since
    return Installed({**session, **emulator.environment})


@pytest.fixture(scope="session")
def openbao(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[bao.OpenBao]:
    """Start an OpenBao for all tests: each uses paths of its own."""
    need(request.config, bao.missing())
    with bao.running(tmp_path_factory.mktemp("openbao")) as started:
        yield started


@pytest.fixture
def hosts(emulator: Emulator, tmp_path: Path) -> Iterator[Hosts]:
    """Stand in for Microsoft's hosts; see `e2e.hosts`."""
    folder = tmp_path / "hosts"
    folder.mkdir()
    with running(emulator, folder, emulator.environment["PAT_ACCESS_TOKEN"] or "") as started:
        yield started


@pytest.fixture
def at_microsoft(pat: Installed, hosts: Hosts) -> Installed:
    """Run the installed `pat` as its users do: with Microsoft's own URLs, and nothing else set."""
    return Installed({**pat.env, "PAT_API_URL": None, **hosts.environment})


@pytest.fixture
def display(request: pytest.FixtureRequest) -> Iterator[str]:
    """Start an X server without a screen, for the clipboard; return its `DISPLAY`."""
    need(request.config, [name for name in ("Xvfb", "xclip") if shutil.which(name) is None])
    command = [
        "Xvfb",
        "-displayfd",
        "1",
        "-screen",
        "0",
        "640x480x8",
        "-nolisten",
        "tcp",
        "-noreset",
    ]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as server:
        try:
            assert server.stdout is not None
            yield f":{server.stdout.readline().strip()}"
        finally:
            server.terminate()


@pytest.fixture
def bare(pat: Installed, home: Path) -> dict[str, str]:
    """What a clock's job has: where the emulator is stands for the network and the sign-in."""
    programs = home / "bin"
    programs.mkdir()
    (programs / "pat").symlink_to(PROGRAM)
    own = pat.environment()
    session = ("DBUS_SESSION_BUS_ADDRESS", "XDG_RUNTIME_DIR", "XDG_DATA_HOME")
    kept = {name: own[name] for name in own if name.startswith("PAT_") or name in session}
    return {**kept, **CRON, "HOME": str(home), "PATH": f"{programs}:{CRON['PATH']}"}


@pytest.fixture
def watched(pat: Installed, bare: dict[str, str]) -> dict[str, str]:
    """What a job has that looks at a token with one warning, without the session of a user."""
    create(pat, "ci", "200d")
    session = ("DBUS_SESSION_BUS_ADDRESS", "XDG_RUNTIME_DIR", "PAT_ACCESS_TOKEN")
    return {name: text for name, text in bare.items() if name not in session}
