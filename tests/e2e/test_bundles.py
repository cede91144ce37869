"""The bundles of `nox -s bundle` do the main job, with nothing of the package around them."""

import hmac
import json
import os
import shutil
import signal
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

from drivers import TIME_LIMIT, Emulator, Installed, Result, told
from e2e.hosts import Hosts
from e2e.stage import accepts, active, captured, in_keyring
from e2e.test_clipboard import clearing, pasted
from store.keyring_service import KeyringService

URL = "https://dev.azure.com/contoso/_git/app"
FEED = "https://pkgs.dev.azure.com/contoso/_packaging/feed/Cargo/index/"
PROGRAMS = {"folder": "pat/pat", "archive": "pat.pyz"}
ROOT = hasattr(os, "getuid") and os.getuid() == 0
NOBODY = "65534"
KINDS = {"folder": "single folder", "archive": "zip archive"}


@pytest.fixture(scope="session")
def bundles(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Copy the bundles that `--bundles` names to a path that every shell must quote."""
    given = request.config.getoption("--bundles")
    if not given:
        pytest.skip("no bundles were given (--bundles)")
    target = tmp_path_factory.mktemp("bundles") / "Ada's programs"
    shutil.copytree(given, target, symlinks=True)
    return target


@pytest.fixture(scope="session")
def unpacked(bundles: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Unpack the archive for all tests, and compile it: imports count for the keyring's limit."""
    folder = tmp_path_factory.mktemp("unpacked")
    archive = bundles / PROGRAMS["archive"]
    env = {**os.environ, "SHIV_ROOT": str(folder)}
    subprocess.run([archive, "--version"], env=env, stdout=subprocess.DEVNULL, check=True)
    subprocess.run([sys.executable, "-m", "compileall", "-q", folder], check=True)
    return folder


@pytest.fixture(params=PROGRAMS)
def form(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture
def bundled(form: str, bundles: Path, unpacked: Path, pat: Installed) -> Installed:
    """Run a bundle against the emulator and a real keyring, without the package on the PATH."""
    env = {**pat.env, "SHIV_ROOT": str(unpacked), "PYTHON_KEYRING_BACKEND": None}
    return Installed(env, bundles / PROGRAMS[form])


def test_the_main_job(
    bundled: Installed, form: str, emulator: Emulator, gnome_keyring: KeyringService
) -> None:
    assert bundled("--version").stdout.endswith(f" ({KINDS[form]})\n")
    page = Path(bundled("help", "check").stdout.rpartition("Documentation:\n")[2].strip())
    assert page.read_text("utf-8").startswith("# ")
    made = bundled("create", "laptop", "--for", "git", "-o", "json")
    assert made.exit_code == 0
    secret = bundled("get", "laptop").stdout.strip()
    assert in_keyring(gnome_keyring.environment, emulator, "laptop") == secret
    assert accepts(emulator, secret)
    assert bundled("list", "--name", "laptop", "-o", "json").json == [made.json]
    assert bundled("rotate", "laptop", "--yes").exit_code == 0
    assert not accepts(emulator, secret)
    assert bundled("check", "--stored").exit_code == 0
    assert bundled("revoke", "laptop", "--yes").exit_code == 0
    assert active(emulator, "laptop") == []
    assert in_keyring(gnome_keyring.environment, emulator, "laptop") is None


def test_git_starts_the_bundle(
    bundled: Installed, hosts: Hosts, home: Path, tmp_path: Path
) -> None:
    at_microsoft = Installed(
        {**bundled.env, "PAT_API_URL": None, **hosts.environment}, bundled.program
    )
    assert at_microsoft("create", "work", "--for", "git").exit_code == 0
    secret = at_microsoft("get", "work").stdout.strip()
    hosts.repository("contoso/_git/app")
    assert at_microsoft("setup", "git").exit_code == 0
    git = at_microsoft.environment({"GIT_TERMINAL_PROMPT": "0"})
    cloned = told(captured(["git", "clone", "-q", URL, str(tmp_path / "clone")], git))
    assert cloned.exit_code == 0, cloned.stderr
    assert hosts.secrets() == {secret}
    assert at_microsoft("setup", "git", "-o", "json").json[0]["outcome"] == "unchanged"
    assert at_microsoft("setup", "git", "--undo").exit_code == 0
    assert not (home / ".gitconfig").exists()


def test_cargo_starts_the_bundle(bundled: Installed, hosts: Hosts, home: Path) -> None:
    at_microsoft = Installed(
        {**bundled.env, "PAT_API_URL": None, **hosts.environment}, bundled.program
    )
    assert at_microsoft("create", "crates", "--for", "packages").exit_code == 0
    assert at_microsoft("setup", "cargo", "--feed", FEED).exit_code == 0
    config = tomllib.loads((home / ".cargo/config.toml").read_text())
    (registry,) = config["registries"].values()
    asked = {"v": 1, "kind": "get", "registry": {"index-url": registry["index"]}}
    answered = subprocess.run(
        [*registry["credential-provider"], "--cargo-plugin"],
        input=json.dumps(asked) + "\n",
        env=at_microsoft.environment(),
        capture_output=True,
        encoding="utf-8",
        timeout=TIME_LIMIT,
        check=True,
    )
    hello, answer = map(json.loads, answered.stdout.splitlines())
    assert hello == {"v": [1]}
    assert answer["Ok"]["token"].startswith("Basic ")


def test_what_imports_pat_is_refused(bundled: Installed, tmp_path: Path) -> None:
    keyring = tmp_path / "programs/keyring"
    keyring.parent.mkdir()
    keyring.write_text("#!/bin/sh\necho keyring.backends.SecretService.Keyring\n")
    keyring.chmod(0o755)
    env = {"PATH": f"{keyring.parent}{os.pathsep}{os.environ['PATH']}"}
    assert bundled("create", "packages", "--for", "packages").exit_code == 0
    for tool in ("pip", "uv"):
        refused = bundled(
            "setup", tool, "--feed", FEED.replace("Cargo/index", "pypi/simple"), env=env
        )
        assert refused.exit_code == 3
        assert "this pat is a bundle, which keyring cannot import" in refused.stderr
        assert refused.stderr.endswith(
            "pipx inject keyring FOLDER; FOLDER is a clone of pat's repository\n"
        )


def test_programs_get_the_environment_of_the_user(bundled: Installed, home: Path) -> None:
    assert bundled("create", "ci", "--for", "git").exit_code == 0
    for before in (None, "/opt/of-the-user"):
        ran = bundled("exec", "ci", "--", "env", "-0", env={"LD_LIBRARY_PATH": before})
        variables = dict(each.split("=", 1) for each in ran.stdout.split("\0") if each)
        assert variables.get("LD_LIBRARY_PATH") == before
        assert not [name for name in variables if name.startswith("_PYI")]
        assert variables["HOME"] == str(home)


def test_the_clipboard_is_cleared(bundled: Installed, display: str, home: Path) -> None:
    env = {"DISPLAY": display}
    assert bundled("create", "ci", "--for", "git").exit_code == 0
    assert bundled("get", "ci", "--copy", env=env).exit_code == 0
    secret = pasted(bundled, display)
    assert secret == bundled("get", "ci").stdout.strip()
    ((process, words),) = clearing(home).items()  # in 45 seconds
    os.kill(process, signal.SIGTERM)
    assert str(bundled.program) in words
    digest = hmac.digest(b"salt", secret.encode(), "sha256").hex()
    order = {"salt": "salt", "digest": digest, "seconds": 0}
    subprocess.run(
        [bundled.program, "-m", "azdo_pat.output.clipboard"],
        input=json.dumps(order),
        env=bundled.environment(env),
        stdout=subprocess.DEVNULL,  # xclip keeps it
        stderr=subprocess.DEVNULL,
        encoding="utf-8",
        timeout=TIME_LIMIT,
        check=True,
    )
    assert pasted(bundled, display) == ""


def test_the_tour(bundled: Installed) -> None:
    toured = bundled("sandbox", "--tour")
    assert (toured.exit_code, toured.stderr) == (0, "")
    assert "$ pat get demo --as header" in toured.stdout
    assert "$ keyring" not in toured.stdout


def test_extras_are_inside(bundled: Installed, tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    assert bundled("admin", "report", "-o", "none", "--html", str(page)).exit_code == 0
    assert page.read_text().startswith("<!DOCTYPE html>")
    sealing = bundled("-m", "azdo_pat.deliveries.sealed_box")
    assert (sealing.exit_code, sealing.stderr) == (0, "")


def test_two_first_starts_at_once_unpack_one_program(
    bundles: Path, home: Path, pat: Installed
) -> None:
    """Even if the user's umask would let everyone write there."""
    command = ["sh", "-c", 'umask 0; exec "$0" --version', str(bundles / PROGRAMS["archive"])]
    started = [
        subprocess.Popen(
            command, env=pat.environment({"SHIV_ROOT": None}), stdout=subprocess.PIPE, text=True
        )
        for _ in range(3)
    ]
    told = {process.communicate(timeout=TIME_LIMIT)[0] for process in started}
    assert [process.returncode for process in started] == [0, 0, 0]
    assert len(told) == 1
    assert (home / ".shiv").stat().st_mode & 0o777 == 0o700
    assert len(list((home / ".shiv").glob("pat.pyz_*"))) == 1


@pytest.fixture
def started(bundles: Path, home: Path, pat: Installed) -> Callable[[Path | str], Result]:
    """Return what starts the archive with a folder to unpack to."""
    archive = Installed({**pat.env, "HOME": str(home)}, bundles / PROGRAMS["archive"])
    return lambda folder: archive("--version", env={"SHIV_ROOT": str(folder)})


@pytest.mark.parametrize("folder", ["$HOME/programs", "$HOME", "programs"])
def test_a_folder_that_depends_on_where_pat_starts_is_refused(
    started: Callable[[Path | str], Result], folder: str
) -> None:
    refused = started(folder)
    assert (refused.exit_code, refused.stdout) == (1, "")
    assert refused.stderr == f"pat: SHIV_ROOT must be an absolute path, and {folder!r} is not\n"


def test_a_folder_that_cannot_be_created(
    started: Callable[[Path | str], Result], tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    for folder in (tmp_path / "file", tmp_path / "file/below", "~no-such-user/programs"):
        refused = started(folder)
        assert (refused.exit_code, refused.stdout) == (1, "")
        (line,) = refused.stderr.splitlines()
        assert line.startswith("pat: its folder cannot be prepared: ")
        assert line.endswith("; to use another, set SHIV_ROOT")


@pytest.mark.skipif(not ROOT, reason="only root can give a file to another user")
def test_no_other_user_can_put_a_program_in_its_place(
    started: Callable[[Path | str], Result], tmp_path: Path
) -> None:
    own = tmp_path / "own"
    own.mkdir(mode=0o755)
    planted, theirs, everyones = (tmp_path / name for name in ("planted", "theirs", "everyones"))
    planted.symlink_to(own)
    theirs.mkdir()
    subprocess.run(["chown", "--no-dereference", NOBODY, planted, theirs], check=True)
    everyones.mkdir()
    everyones.chmod(0o777)
    for folder in (planted, planted / "below", theirs, theirs / "below", everyones / "below"):
        refused = started(folder)
        assert (refused.exit_code, refused.stdout) == (1, "")
        assert refused.stderr.endswith("; set SHIV_ROOT to a folder of your own\n")
    assert [*own.iterdir(), *theirs.iterdir(), *everyones.iterdir()] == []
    assert own.stat().st_mode & 0o777 == 0o755
    planted.unlink()
    planted.symlink_to(own)  # by the user
    assert started(planted).exit_code == 0
    assert own.stat().st_mode & 0o777 == 0o700


def test_a_full_disk_leaves_nothing_that_looks_complete(
    started: Callable[[Path | str], Result], bundles: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "$programs"
    archive = str(bundles / PROGRAMS["archive"])
    command = ["bash", "-c", 'ulimit -f 100; exec "$0" --version', archive]
    full = subprocess.run(
        command,
        env={**os.environ, "SHIV_ROOT": str(folder)},
        capture_output=True,
        encoding="utf-8",
        timeout=TIME_LIMIT,
        check=False,
    )
    assert (full.returncode, full.stdout) == (1, "")
    assert full.stderr.startswith("pat: its folder cannot be prepared: ")
    assert started(folder).exit_code == 0
    (unpacked,) = folder.glob("pat.pyz_*")
    shutil.rmtree(unpacked / "site-packages")
    assert started(folder).stderr == (
        f"pat: {unpacked} is not complete: delete it, and start pat again\n"
    )
