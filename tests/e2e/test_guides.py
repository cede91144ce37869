"""The snippets of the guides, run as cron, systemd and CI would run them."""

import configparser
import os
import re
import shutil
import stat
import subprocess
import textwrap
from pathlib import Path

import pytest

from drivers import PROGRAM, TIME_LIMIT, Emulator, Installed
from e2e.stage import accepts, active, in_keyring

GUIDES = Path(__file__).parents[2] / "docs" / "guides"
CRON = {"PATH": "/usr/bin:/bin", "SHELL": "/bin/sh", "LOGNAME": "ada"}
"""What cron gives to what it runs (crontab(5)), beside HOME."""


def snippet(guide: str, mark: str) -> str:
    """Return the block of a guide that stands below its mark."""
    text = (GUIDES / f"{guide}.md").read_text("utf-8")
    found = re.search(rf"<!-- test: {mark} -->\n```\w+\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
    assert found, f"{guide}.md has no block below <!-- test: {mark} -->"
    return found[1]


def script(yaml: str, key: str) -> str:
    """Return the script of a step, as the runner writes it to a file."""
    lines = yaml.splitlines()
    start = next(i for i, line in enumerate(lines) if line.strip().lstrip("- ") == f"{key}: |")
    depth = len(lines[start + 1]) - len(lines[start + 1].lstrip())
    body = []
    for line in lines[start + 1 :]:
        if line.strip() and len(line) - len(line.lstrip()) < depth:
            break
        body.append(line)
    return textwrap.dedent("\n".join(body))


def run(command: list[str], env: dict[str, str], cwd: Path) -> str:
    """Run it; it must end well; return what it said."""
    ran = subprocess.run(
        command,
        env=env,
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        timeout=TIME_LIMIT,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout + ran.stderr


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


def make(pat: Installed, name: str, expires: str = "12h") -> None:
    made = ("create", name, "--scope", "code", "--expires", expires, "-q", "-o", "none")
    assert pat(*made).exit_code == 0


def test_cron(pat: Installed, emulator: Emulator, bare: dict[str, str], home: Path) -> None:
    make(pat, "ci")
    *settings, line = snippet("renew", "cron").splitlines()
    assert [each.partition("=")[0] for each in settings] == ["DBUS_SESSION_BUS_ADDRESS"]
    minute, hour, *rest = line.split(maxsplit=5)
    assert (minute.isdigit(), hour, rest[:3]) == (True, "5,17", ["*", "*", "*"])
    command = rest[3]
    env = {name: text for name, text in bare.items() if name != "XDG_RUNTIME_DIR"}
    before = in_keyring(pat.environment(), emulator, "ci")
    assert run(["/bin/sh", "-c", command], env, home) == ""
    assert in_keyring(pat.environment(), emulator, "ci") == before
    said = run(["/bin/sh", "-c", f"{command} --within 13h -o none"], env, home)
    assert said == ""
    after = in_keyring(pat.environment(), emulator, "ci")
    assert after not in {None, before}
    assert len(active(emulator, "ci")) == 1


def test_systemd(pat: Installed, emulator: Emulator, bare: dict[str, str], home: Path) -> None:
    make(pat, "ci")
    service = configparser.ConfigParser(interpolation=None)
    service.read_string(snippet("renew", "service"))
    timer = configparser.ConfigParser(interpolation=None)
    timer.read_string(snippet("renew", "timer"))
    assert service["Service"]["Type"] == "oneshot"
    assert timer["Timer"]["Persistent"] == "true"
    if shutil.which("systemd-analyze"):
        run(["systemd-analyze", "calendar", timer["Timer"]["OnCalendar"]], dict(os.environ), home)
    before = in_keyring(pat.environment(), emulator, "ci")
    start = service["Service"]["ExecStart"].split()
    assert "renewed 1 token\n" in run([*start, "--within", "13h"], bare, home)
    assert in_keyring(pat.environment(), emulator, "ci") != before


def test_azure_pipelines(
    pat: Installed, emulator: Emulator, bare: dict[str, str], home: Path
) -> None:
    (home / "tokens.toml").write_text(snippet("apply", "apply"), "utf-8")
    deploy = home / "deploy-secret"
    deploy.write_text('#!/bin/sh\n[ "$1" = production ] && cat > deployed\n')
    deploy.chmod(0o700)
    step = home / "step.sh"
    step.write_text(script(snippet("renew", "azure-pipelines"), "bash"))
    env = {**bare, "CI": "true"}
    assert "created 2\n" in run(["/bin/bash", str(step)], env, home)
    deployed = (home / "deployed").read_text()
    assert in_keyring(pat.environment(), emulator, "deploy") == deployed
    assert accepts(emulator, deployed)
    packages = (home / ".env").read_text().removeprefix("AZURE_PACKAGES=").strip()
    assert in_keyring(pat.environment(), emulator, "packages") == packages
    assert stat.S_IMODE((home / ".env").stat().st_mode) == 0o600
    assert "kept 2\n" in run(["/bin/bash", str(step)], env, home)


def test_github_actions(emulator: Emulator, bare: dict[str, str], home: Path) -> None:
    gh = home / "bin" / "gh"
    gh.write_text('#!/bin/sh\necho "$*" > gh-arguments; cat > gh-secret\n')
    gh.chmod(0o700)
    step = home / "step.sh"
    step.write_text(script(snippet("renew", "github-actions"), "run"))
    env = {**bare, "CI": "true", "GITHUB_REPOSITORY": "contoso/app"}
    for said in ("created 'ci' in contoso", "kept 'ci' in contoso"):
        assert said in run(["/bin/bash", str(step)], env, home)
    assert (home / "gh-arguments").read_text() == "secret set AZURE_PAT --repo contoso/app\n"
    assert accepts(emulator, (home / "gh-secret").read_text())
    assert len(active(emulator, "ci")) == 1
