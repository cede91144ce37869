"""A real gnome-keyring on a D-Bus of its own, for tests that need one; nothing of the user's."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

PASSWORD = "test-pass"
PROGRAMS = ("dbus-daemon", "dbus-send", "gnome-keyring-daemon")
START_LIMIT = 15.0


def missing_programs() -> list[str]:
    """Tell which of the programs that are needed here are not installed."""
    return [name for name in PROGRAMS if shutil.which(name) is None]


@dataclass(frozen=True, kw_only=True)
class KeyringService:
    """A session of its own.

    Attributes:
        environment: for the child processes that are to use it; nothing else of this process's
            environment but PATH and the coverage settings.
        daemon: the process id of the gnome-keyring-daemon that was started, None without one.
    """

    environment: dict[str, str]
    daemon: int | None


@contextmanager
def gnome_keyring(folder: Path) -> Iterator[dict[str, str]]:
    """Start an unlocked gnome-keyring whose home is `folder`, and give the environment for it."""
    with keyring_session(folder) as service:
        yield service.environment


@contextmanager
def keyring_session(folder: Path, *, unlocked: bool = True) -> Iterator[KeyringService]:
    """Start a D-Bus and, if it is to be unlocked, a gnome-keyring on it.

    Without `unlocked` the bus starts the daemon by itself when it is first asked for, locked.
    All processes are the caller's children and are ended by their ids.
    """
    # The path of a socket is limited to 107 bytes: too few for pytest's folders.
    runtime = Path(tempfile.mkdtemp(prefix="keyring-"))
    environment = _environment(folder, runtime)
    bus, address = _start_bus(runtime, environment)
    environment["DBUS_SESSION_BUS_ADDRESS"] = address
    daemon = None
    try:
        if unlocked:
            daemon = _start_daemon(runtime, environment)
        yield KeyringService(environment=environment, daemon=daemon.pid if daemon else None)
    finally:
        if daemon is not None:
            _end(daemon)
        _end(bus)
        shutil.rmtree(runtime, ignore_errors=True)


def _environment(folder: Path, runtime: Path) -> dict[str, str]:
    kept = {
        name: value
        for name, value in os.environ.items()
        if name in {"PATH", "LANG", "LC_ALL"} or name.startswith("COV")
    }
    homes = {
        "HOME": folder,
        "XDG_DATA_HOME": folder / ".local" / "share",
        "XDG_CONFIG_HOME": folder / ".config",
        "XDG_CACHE_HOME": folder / ".cache",
    }
    for home in homes.values():
        home.mkdir(parents=True, exist_ok=True)
    return (
        kept | {name: str(home) for name, home in homes.items()} | {"XDG_RUNTIME_DIR": str(runtime)}
    )


def _start_bus(runtime: Path, environment: dict[str, str]) -> tuple[subprocess.Popen[str], str]:
    bus = subprocess.Popen(
        [
            "dbus-daemon",
            "--session",
            "--nofork",
            "--print-address=1",
            f"--address=unix:path={runtime}/bus",
        ],
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert bus.stdout is not None
    return bus, bus.stdout.readline().strip()


def _start_daemon(runtime: Path, environment: dict[str, str]) -> subprocess.Popen[str]:
    daemon = subprocess.Popen(
        [
            "gnome-keyring-daemon",
            "--foreground",
            "--unlock",
            "--components=secrets",
            f"--control-directory={runtime}/control",
        ],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert daemon.stdin is not None
    daemon.stdin.write(PASSWORD)
    daemon.stdin.close()
    limit = time.monotonic() + START_LIMIT
    while not (_is_on_bus(environment) and _has_default_collection(environment)):
        if time.monotonic() > limit or daemon.poll() is not None:
            _end(daemon)
            raise TimeoutError("gnome-keyring-daemon did not come up")
        time.sleep(0.05)
    return daemon


def _is_on_bus(environment: dict[str, str]) -> bool:
    asked = subprocess.run(
        [
            "dbus-send",
            "--session",
            "--print-reply",
            "--dest=org.freedesktop.DBus",
            "/org/freedesktop/DBus",
            "org.freedesktop.DBus.NameHasOwner",
            "string:org.freedesktop.secrets",
        ],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    return "boolean true" in asked.stdout


def _has_default_collection(environment: dict[str, str]) -> bool:
    asked = subprocess.run(
        [
            "dbus-send",
            "--session",
            "--print-reply",
            "--dest=org.freedesktop.secrets",
            "/org/freedesktop/secrets",
            "org.freedesktop.Secret.Service.ReadAlias",
            "string:default",
        ],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    return "/collection/" in asked.stdout


def _end(process: subprocess.Popen[str]) -> None:
    if process.poll() is None:
        if sys.platform != "win32":
            process.send_signal(signal.SIGCONT)  # a test may have stopped it
        process.terminate()
    try:
        process.wait(timeout=5)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if process.stdout is not None:
        process.stdout.close()
