"""Several machines renew one token, with a real OpenBao as the source for those who read it."""

import base64
import configparser
import os
import re
import subprocess
import time
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import yaml

from drivers import PROGRAM, Emulator, Installed, Result, posix_only
from e2e.openbao import OpenBao
from e2e.stage import CRON, accepts, run
from published import snippet

POLICY = """\
path "secret/data/{folder}/*" {{
  capabilities = ["create", "read", "patch", "update"]
}}
path "secret/metadata/{folder}/*" {{
  capabilities = ["patch"]
}}
path "old/*" {{
  capabilities = ["read"]
}}
"""
RENEW = ("renew", "--within", "10d", "--expires", "30d", "--no-input", "-o", "json")


class Fleet:
    """Machines of one user, each with a state and a keyring of its own, and their vault."""

    def __init__(self, pat: Installed, emulator: Emulator, bao: OpenBao, folder: Path) -> None:
        self._pat, self._folder = pat, folder
        self.emulator, self.bao = emulator, bao
        self.path = f"fleet-{uuid4().hex[:8]}"
        self.target = f"vault:secret/{self.path}/ci#pat"
        self.lease = f"vault:secret/{self.path}/lease"
        self._token = bao.token(POLICY.format(folder=self.path))
        bao.put(f"{self.path}/ci", {"user": "theirs"})

    def machine(self, name: str) -> Installed:
        own = {
            "PAT_STATE_DIR": str(self._folder / name),
            "PAT_THROWAWAY_KEYRING": str(self._folder / f"{name}.json"),
            "VAULT_ADDR": self.bao.address,
            "VAULT_TOKEN": self._token,
        }
        return Installed({**self._pat.env, **own})

    def share(self, machine: Installed, *options: str) -> None:
        words = ("ensure", "ci", "--scope", "code", "--expires", "5d", "--deliver", self.target)
        ran = machine(*words, *options, "-q", "-o", "none")
        assert ran.exit_code == 0, ran.stderr

    def start(self, machine: Installed) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [PROGRAM, *RENEW, "--lease", self.lease],
            env=machine.environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def renew(self, machine: Installed) -> Result:
        return machine(*RENEW, "--lease", self.lease)

    def end_the_lease(self) -> None:
        """Do what ten minutes do."""
        fields = self.bao.fields(f"{self.path}/lease")
        self.bao.put(f"{self.path}/lease", {**fields, "until": "2026-01-01T00:00:00Z"})

    @property
    def held(self) -> object:
        """The secret in the vault; the field of someone else is still there."""
        fields = self.bao.fields(f"{self.path}/ci")
        assert fields["user"] == "theirs"
        return fields["pat"]

    @property
    def versions(self) -> int:
        """How often the secret was written."""
        return int(self.bao.metadata(f"{self.path}/ci")["current_version"])

    @property
    def active(self) -> list[dict[str, Any]]:
        return [
            each
            for each in self.emulator.tokens
            if each["displayName"] == "ci" and each["status"] == "active"
        ]


@pytest.fixture
def fleet(pat_process: Installed, emulator: Emulator, openbao: OpenBao, tmp_path: Path) -> Fleet:
    return Fleet(pat_process, emulator, openbao, tmp_path)


class TestGuide:
    """The snippets of the guide, run as systemd and a cluster would run them."""

    def test_hosts_take_over_what_one_made(self, fleet: Fleet, tmp_path: Path) -> None:
        declared = tmp_path / "tokens.toml"
        declared.write_text(self.own(fleet, "fleet-tokens"))
        variables = {
            "VAULT_ADDR": fleet.bao.address,
            "VAULT_TOKEN": fleet.bao.token(self.own(fleet, "fleet-policy")),
        }
        service = configparser.ConfigParser(interpolation=None, strict=False)
        service.optionxform = str  # type: ignore[method-assign,assignment]  # as is usual
        text = self.own(fleet, "fleet-service")
        service.read_string(text)
        lines = re.findall(r"^Environment=(.*)$", text, re.MULTILINE)
        host = dict(each.split("=", 1) for each in " ".join(lines).split())
        outside = {key: text for key, text in fleet.emulator.environment.items() if text}
        start = service["Service"]["ExecStart"].split()
        job = yaml.safe_load(self.own(fleet, "fleet-cronjob"))["spec"]
        assert job["concurrencyPolicy"] == "Forbid"
        (pod,) = job["jobTemplate"]["spec"]["template"]["spec"]["containers"]
        container = {each["name"]: each.get("value", "") for each in pod["env"]}
        assert container.keys() == host.keys() | variables.keys()
        told = []
        for name, command, settings in (
            ("host", start, host),
            ("pod", pod["command"], container),
            ("host", start, host),
        ):
            state = tmp_path / name
            state.mkdir(exist_ok=True)
            placed = {
                key: text.replace("/var/lib/pat", str(state)) for key, text in settings.items()
            }
            # The guide's own backend is not installed: keyring would offer it to all other tests.
            assert placed.pop("PAT_KEYRING") == "keyrings.alt.file.PlaintextKeyring"
            placed["PAT_KEYRING"] = "azdo_pat.store.sandbox_keyring.SandboxKeyring"
            placed["PAT_THROWAWAY_KEYRING"] = str(state / "keyring.json")
            words = [word.replace("/etc/pat/tokens.toml", str(declared)) for word in command]
            words[0] = str(PROGRAM)
            told.append(
                run(words, {**CRON, **outside, "HOME": str(state), **placed, **variables}, tmp_path)
            )
        assert ["created 1\n" in told[0], "taken over 1\n" in told[1], "kept 1\n" in told[2]] == [
            True
        ] * 3, told
        assert len(fleet.active) == 1
        assert accepts(fleet.emulator, str(fleet.held))

    @staticmethod
    def own(fleet: Fleet, mark: str) -> str:
        """Return a snippet, with the folder of this test in the vault."""
        text = snippet("fleet", mark)
        assert re.search(r"\bteam/", text)
        own = text.replace("team/", f"{fleet.path}/")
        return own.replace("https://vault.example.com:8200", fleet.bao.address)


def test_kubernetes(pat_process: Installed, emulator: Emulator, tmp_path: Path) -> None:
    posix_only("the delivery command is a script of sh")
    deliver, kubectl = tmp_path / "deliver-to-kubernetes", tmp_path / "bin" / "kubectl"
    kubectl.parent.mkdir()
    for file, text in (
        (deliver, snippet("deliver", "kubernetes")),
        (kubectl, f'#!/bin/sh\necho "$*" > {tmp_path}/arguments; cat > {tmp_path}/manifest\n'),
    ):
        file.write_text(text)
        file.chmod(0o700)
    path = {"PATH": f"{kubectl.parent}:{os.environ['PATH']}"}
    target = f"command:{deliver} build azure-pat"
    ran = pat_process("ensure", "ci", "--scope", "code", "--deliver", target, env=path)
    assert ran.exit_code == 0, ran.stderr
    arguments = "apply --server-side --field-manager=azdo-pat -f -\n"
    assert (tmp_path / "arguments").read_text() == arguments
    manifest = yaml.safe_load((tmp_path / "manifest").read_text())
    assert (manifest["kind"], manifest["metadata"]["namespace"]) == ("Secret", "build")
    assert manifest["metadata"]["name"] == "azure-pat"
    (made,) = (each for each in emulator.tokens if each["displayName"] == "ci")
    assert manifest["metadata"]["annotations"]["azdo-pat/id"] == made["authorizationId"]
    assert base64.b64decode(manifest["data"]["token"]).decode() == secret(pat_process)


def secret(machine: Installed) -> str:
    return machine("get", "ci").stdout.strip()


def outcomes(ran: Result) -> list[str]:
    assert ran.exit_code == 0, ran.stderr
    return [each["outcome"] for each in ran.json]


def test_schedulers_that_run_at_once_rotate_a_token_once(fleet: Fleet) -> None:
    machines = [fleet.machine(name) for name in ("one", "two", "three")]
    for each in machines:
        fleet.share(each)
    assert (len(fleet.active), fleet.versions) == (1, 2)
    running = [fleet.start(each) for each in machines]
    told = [each.communicate(timeout=120) for each in running]
    assert [each.returncode for each in running] == [0, 0, 0], told
    assert sum('"outcome": "rotated"' in stdout for stdout, _ in told) == 1, told
    assert (len(fleet.active), fleet.versions) == (2, 3)
    for each in machines:
        assert set(outcomes(fleet.renew(each))) <= {"taken over"}
        assert secret(each) == fleet.held
        assert outcomes(fleet.renew(each)) == []
    assert (len(fleet.active), fleet.versions) == (2, 3)


@pytest.mark.parametrize("is_delivered", [False, True], ids=["before", "after"])
def test_a_machine_is_killed_before_or_after_the_delivery(
    fleet: Fleet, tmp_path: Path, *, is_delivered: bool
) -> None:
    posix_only("the delivery command is a script of sh")
    one, two = fleet.machine("one"), fleet.machine("two")
    gate = tmp_path / "gate"
    hanging = f"command:sh -c 'cat > {gate}.got; while test -e {gate}; do sleep 0.1; done'"
    targets = (fleet.target, hanging) if is_delivered else (hanging, fleet.target)
    options = [word for each in targets for word in ("--deliver", each)]
    made = one("ensure", "ci", "--scope", "code", "--expires", "5d", *options, "-o", "none")
    assert made.exit_code == 0, made.stderr
    fleet.share(two)
    first = secret(two)
    gate.touch()
    got = Path(f"{gate}.got")
    got.unlink()
    killed = fleet.start(one)
    ends = time.monotonic() + 60
    while not (got.exists() and got.stat().st_size):
        assert time.monotonic() < ends, killed.poll()
        time.sleep(0.05)
    killed.kill()
    killed.communicate()
    gate.unlink()

    waiting = fleet.renew(two)
    assert outcomes(waiting) == []
    said = " ".join(waiting.stderr.split())
    assert "nothing was done, as another machine is working" in said
    assert f"process {killed.pid} holds the lease {fleet.lease} until" in said
    fleet.end_the_lease()
    assert outcomes(fleet.renew(two)) == ["taken over" if is_delivered else "rotated"]
    assert secret(two) == fleet.held != first
    # It comes back, and learns what the other one did.
    assert outcomes(fleet.renew(one)) == []
    assert secret(one) == secret(two) == fleet.held == got.read_text()
    assert one("status", "-o", "json").json["problems"] == []
    for each in (one, two):
        assert outcomes(fleet.renew(each)) == []


def test_a_machine_that_lost_everything_makes_no_second_token(fleet: Fleet, tmp_path: Path) -> None:
    declared = tmp_path / "tokens.toml"
    declared.write_text(
        '[[token]]\nname = "ci"\norg = "contoso"\nscopes = ["code"]\nexpires = "30d"\n'
        f'deliver = [{{ vault = "secret/{fleet.path}/ci", field = "pat" }}]\n'
    )
    apply = ("apply", str(declared), "--lease", fleet.lease, "--no-input", "-o", "json")
    assert outcomes(fleet.machine("lost")(*apply)) == ["created"]
    new = fleet.machine("new")
    assert outcomes(new(*apply)) == ["taken over"]
    assert secret(new) == fleet.held
    assert outcomes(new(*apply)) == ["kept"]
    assert (len(fleet.active), fleet.versions) == (1, 2)


class TestLease:
    """What is given to `--lease`."""

    def test_no_server_is_asked_while_nothing_is_due(self, fleet: Fleet) -> None:
        machine = fleet.machine("one")
        fleet.share(machine, "--expires", "60d")
        away = {"VAULT_ADDR": "https://127.0.0.1:1"}
        ran = machine("renew", "--lease", fleet.lease, "-o", "json", env=away)
        assert (ran.exit_code, ran.stdout, ran.stderr) == (0, "[]\n", "")

    @pytest.mark.parametrize(
        ("lease", "code", "message"),
        [
            ("vault:old/lease", 2, "a lease needs a key-value engine of version 2"),
            ("vault:secret/{path}/ci", 6, "it is not a lease, but holds something else"),
            ("vault:secret/elsewhere", 5, "permission denied"),
        ],
    )
    def test_one_that_cannot_be_taken(
        self, fleet: Fleet, lease: str, code: int, message: str
    ) -> None:
        machine = fleet.machine("one")
        fleet.share(machine)
        before = secret(machine)
        ran = machine(*RENEW, "--lease", lease.format(path=fleet.path))
        assert (ran.exit_code, message in ran.stderr) == (code, True), ran.stderr
        assert secret(machine) == before
        assert len(fleet.active) == 1
