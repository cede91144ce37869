"""Two machines renew one token whose secret is in a vault: one makes it, both have it."""

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from azdo_pat.cli.runtime import Runtime
from azdo_pat.emulator.run import Options, start
from azdo_pat.models import Secret
from azdo_pat.operations.fingerprint import fingerprint_of
from cli.stage import names
from drivers import Emulator, InProcess, Result, put_writer

VAULT = "contoso-ci"
TARGET = f"keyvault:{VAULT}/Build-PAT"
ENSURE = ("ensure", "ci", "--scope", "code", "--deliver", TARGET)
RENEW = ("renew", "--within", "10d", "--expires", "30d", "-o", "json")
USER = "grace"


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    """Start an emulator with vaults."""
    with start(Options(vaults=True)) as running:
        emulator = Emulator(running)
        emulator.remove_tokens()
        yield emulator


class Machines:
    """Machines of one user, each with a state and a keyring of its own."""

    def __init__(self, pat: InProcess, emulator: Emulator, folder: Path) -> None:
        self._pat, self._folder = pat, folder
        self._token = emulator.mint(
            "user", resource="https://vault.azure.net", lifetimeSeconds=40_000
        )
        self.emulator = emulator
        self.one, self.two = self.machine("one"), self.machine("two")

    def machine(self, name: str) -> InProcess:
        folder = self._folder / name
        own = {
            "PAT_STATE_DIR": str(folder / "state"),
            "PAT_KEYRING": "azdo_pat.store.sandbox_keyring.SandboxKeyring",
            "PAT_THROWAWAY_KEYRING": str(folder / "keyring.json"),
            "PAT_KEYVAULT_ACCESS_TOKEN": self._token,
        }
        return InProcess(self._pat.root, {**self._pat.env, **own})

    def share(self, *options: str) -> str:
        """Let one machine make the token, and the other take it over; return its id."""
        for each in (self.one, self.two):
            result = ensured(each, "--expires", "5d", *options)
            assert result.exit_code == 0, result.stderr
        assert secret(self.one) == secret(self.two) == self.held
        return str(result.json["id"])

    @property
    def held(self) -> str:
        """What the vault holds."""
        return str(self.versions[-1]["value"])

    @property
    def versions(self) -> list[dict[str, Any]]:
        return self.emulator.vault_secrets(VAULT).get("Build-PAT", [])

    def put(self, value: str, authorization_id: str, fingerprint: str = "") -> None:
        """Let someone else set the secret, with a note of a token."""
        noted = fingerprint or fingerprint_of(Secret(value))
        tags = {"azdo-pat-id": authorization_id, "azdo-pat-fingerprint": noted}
        self.emulator.set_secret(VAULT, "Build-PAT", value, tags=tags)

    @property
    def tokens(self) -> list[dict[str, Any]]:
        """The active tokens of that name."""
        return [
            each
            for each in self.emulator.tokens
            if each["displayName"] == "ci" and each["status"] == "active"
        ]


@pytest.fixture
def machines(pat: InProcess, emulator: Emulator, tmp_path: Path) -> Machines:
    return Machines(pat, emulator, tmp_path)


def secret(pat: InProcess) -> str:
    return pat("get", "ci").stdout.strip()


def ensured(pat: InProcess, *options: str) -> Result:
    return pat(*ENSURE, *options, "-o", "json")


def renewed(pat: InProcess, *options: str) -> dict[str, Any]:
    result = pat(*RENEW, *options)
    (change,) = result.json
    return {"exit": result.exit_code, "stderr": result.stderr, **change}


class TestEnsure:
    """A machine that has no secret of its own, such as a new one."""

    def test_the_token_of_another_machine_is_taken_over(self, machines: Machines) -> None:
        first = ensured(machines.one)
        second = ensured(machines.two)
        assert (second.exit_code, second.json["outcome"]) == (0, "taken over")
        assert second.json["id"] == first.json["id"]
        assert f"took over 'ci' in contoso from {TARGET}" in " ".join(second.stderr.split())
        assert secret(machines.two) == secret(machines.one)
        assert (names(machines.emulator), len(machines.versions)) == (["ci"], 1)
        before = len(machines.emulator.requests)
        assert ensured(machines.two).json["outcome"] == "kept"
        assert len(machines.emulator.requests) == before

    def test_it_reaches_the_other_targets_of_the_machine(
        self, machines: Machines, tmp_path: Path
    ) -> None:
        ensured(machines.one)
        file = tmp_path / ".env"
        taken = ensured(machines.two, "--deliver", f"file:{file}|PAT={{token}}")
        assert taken.json["outcome"] == "taken over"
        assert file.read_text() == f"PAT={machines.held}\n"

    def test_what_cannot_be_delivered_is_pending(self, machines: Machines, tmp_path: Path) -> None:
        ensured(machines.one)
        place = tmp_path / "place"
        taken = ensured(machines.two, "--deliver", put_writer(tmp_path, place / ".env"))
        assert (taken.exit_code, taken.json["outcome"]) == (8, "taken over")
        assert "could not be delivered to every target" in " ".join(taken.stderr.split())
        place.mkdir()
        assert machines.two("deliver", "ci", "-q", "-o", "none").exit_code == 0

    @pytest.mark.parametrize("options", [("--scope", "build"), ("--renew-before", "40d")])
    def test_one_that_is_not_wanted_is_replaced(
        self, machines: Machines, options: tuple[str, ...]
    ) -> None:
        ensured(machines.one, "--expires", "30d")
        other = machines.two(
            *ENSURE, "--expires", "60d", *options, "-o", "json", "--query", "outcome"
        )
        assert (other.exit_code, other.json) == (0, "rotated")
        assert machines.held == secret(machines.two)
        assert len(machines.tokens) == 2  # the one before lives on for a day

    @pytest.mark.parametrize("is_known", [True, False])
    def test_a_secret_that_this_machine_has_lost(
        self, machines: Machines, tmp_path: Path, *, is_known: bool
    ) -> None:
        ensured(machines.one)
        before = secret(machines.one)
        if is_known:
            (tmp_path / "one" / "keyring.json").unlink()
        else:
            shutil.rmtree(tmp_path / "one" / "state")
        again = ensured(machines.one)
        assert (again.exit_code, again.json["outcome"]) == (0, "taken over"), again.stderr
        assert secret(machines.one) == before
        assert (len(machines.tokens), len(machines.versions)) == (1, 1)
        assert machines.one("status", "-o", "json").json["pending"] == []

    def test_prune_leaves_what_another_machine_made(
        self, machines: Machines, tmp_path: Path
    ) -> None:
        file = tmp_path / "tokens.toml"
        other = '[[token]]\nname = "other"\norg = "contoso"\nscopes = ["code"]\n'
        file.write_text(
            other + '[[token]]\nname = "ci"\norg = "contoso"\nscopes = ["code"]\n'
            f'deliver = [{{ keyvault = "{VAULT}", secret = "Build-PAT" }}]\n'
        )
        machines.one("apply", str(file))
        assert machines.two("apply", str(file), "-o", "json").json[1]["outcome"] == "taken over"
        file.write_text(other)
        pruned = machines.two("apply", str(file), "--prune", "--yes", "-o", "json")
        assert [each["outcome"] for each in pruned.json] == ["kept"]
        assert len(machines.tokens) == 1

    def test_apply_takes_over_what_a_file_declares(
        self, machines: Machines, tmp_path: Path
    ) -> None:
        file = tmp_path / "tokens.toml"
        file.write_text(
            '[[token]]\nname = "ci"\norg = "contoso"\nscopes = ["code"]\nexpires = "30d"\n'
            f'deliver = [{{ keyvault = "{VAULT}", secret = "Build-PAT" }}]\n'
        )
        first = machines.one("apply", str(file), "-o", "json")
        second = machines.two("apply", str(file), "-o", "json")
        assert [first.json[0]["outcome"], second.json[0]["outcome"]] == ["created", "taken over"]
        assert secret(machines.two) == secret(machines.one)
        assert machines.two("apply", str(file), "-o", "json").json[0]["outcome"] == "kept"
        assert names(machines.emulator) == ["ci"]


class TestRenew:
    """A machine whose token another one has renewed."""

    def test_the_new_token_is_taken_over(self, machines: Machines) -> None:
        machines.share()
        assert renewed(machines.one)["outcome"] == "rotated"
        taken = renewed(machines.two)
        assert (taken["exit"], taken["outcome"]) == (0, "taken over")
        assert taken["stderr"].endswith("took over 1 token\n")
        assert taken["why"] == f"renewed by another machine: {TARGET}"
        assert secret(machines.two) == secret(machines.one) == machines.held
        assert len(machines.tokens) == 2  # the old one lives on for a day
        assert len(machines.versions) == 2
        for each in (machines.one, machines.two):
            result = each(*RENEW)
            assert (result.exit_code, result.json) == (0, [])

    def test_a_token_that_this_machine_replaced_is_not_taken_over(self, machines: Machines) -> None:
        """The same secret by another name of the vault, which could not be written."""
        old = ensured(machines.one, "--expires", "5d").json["id"]
        alias = f"keyvault:{VAULT}/build-pat"
        machines.emulator.fail("PUT */secrets/* status=403 times=99")
        for _ in range(2):
            machines.one(*RENEW, "--deliver", alias)
        machines.emulator.heal()
        assert machines.one("list", "--stored", "-o", "json").json[0]["id"] != old
        assert machines.one("deliver", "ci").exit_code == 0
        assert machines.held == secret(machines.one)

    def test_new_targets_are_remembered_with_what_is_taken_over(
        self, machines: Machines, tmp_path: Path
    ) -> None:
        machines.share()
        renewed(machines.one)
        file = f"file:{tmp_path / '.env'}|PAT={{token}}"
        taken = renewed(machines.two, "--deliver", TARGET, "--deliver", file)
        assert taken["outcome"] == "taken over"
        assert (tmp_path / ".env").read_text() == f"PAT={machines.held}\n"

    def test_a_stale_secret_reaches_no_other_target(
        self, machines: Machines, tmp_path: Path
    ) -> None:
        machines.share()
        place = tmp_path / "place"
        failing = put_writer(tmp_path, place / ".env")
        machines.emulator.fail("PUT */secrets/* status=500 times=99")
        assert renewed(machines.two, "--deliver", failing, "--deliver", TARGET)["exit"] == 8
        machines.emulator.heal()
        assert renewed(machines.one)["outcome"] == "rotated"
        place.mkdir()
        assert machines.two(*RENEW).exit_code == 0
        assert (place / ".env").read_text() == f"PAT={machines.held}\n"
        assert secret(machines.two) == machines.held

    @pytest.mark.parametrize("grace", ["none", "1h"])
    def test_the_old_token_is_revoked_when_its_time_is_over(
        self, machines: Machines, grace: str
    ) -> None:
        for each in (machines.one, machines.two):
            assert ensured(each, "--expires", "5d", "--grace", grace).exit_code == 0
        renewed(machines.one)
        taken = renewed(machines.two)
        assert (taken["exit"], taken["outcome"]) == (0, "taken over")
        assert len(machines.tokens) == (1 if grace == "none" else 2)
        pending = machines.two("status", "-o", "json").json["pending"]
        assert len(pending) == (0 if grace == "none" else 1)

    def test_a_token_that_the_service_has_ended(self, machines: Machines) -> None:
        machines.share()
        old = machines.two("show", "ci", "-o", "json").json["id"]
        renewed(machines.one, "--deliver", TARGET)
        assert machines.one("revoke", old, "--yes").exit_code == 0
        assert renewed(machines.two)["outcome"] == "taken over"
        assert secret(machines.two) == machines.held

    def test_a_lost_delivery_gives_way_to_the_other_machine(self, machines: Machines) -> None:
        machines.share()
        emulator = machines.emulator
        emulator.fail("PUT */secrets/* status=500 times=99")
        lost = renewed(machines.one)
        assert (lost["exit"], lost["outcome"]) == (8, "rotated")
        emulator.heal()
        assert renewed(machines.two)["outcome"] == "rotated"
        undistributed = secret(machines.one)
        healed = machines.one(*RENEW)
        assert (healed.exit_code, healed.json) == (0, []), healed.stderr
        assert secret(machines.one) == secret(machines.two) == machines.held != undistributed

    def test_a_machine_that_comes_back_first_delivers_its_own(self, machines: Machines) -> None:
        machines.share()
        emulator = machines.emulator
        emulator.fail("PUT */secrets/* status=500 times=99")
        assert renewed(machines.one)["exit"] == 8
        emulator.heal()
        assert machines.one(*RENEW).exit_code == 0
        assert machines.held == secret(machines.one)
        assert renewed(machines.two)["outcome"] == "taken over"

    def test_one_that_is_due_itself_is_taken_over_and_replaced(self, machines: Machines) -> None:
        machines.share()
        renewed(machines.one, "--expires", "6d")  # and then this machine is lost
        change = renewed(machines.two)
        assert (change["exit"], change["outcome"]) == (0, "rotated")
        assert machines.held == secret(machines.two)
        pending = machines.two("status", "-o", "json").json["pending"]
        assert len(pending) == 2  # both tokens before it are revoked when a day is over
        assert machines.two(*RENEW).json == []

    def test_what_no_longer_works_is_replaced(self, machines: Machines) -> None:
        machines.share()
        made = renewed(machines.one)["id"]
        assert machines.one("revoke", made, "--yes").exit_code == 0
        change = renewed(machines.two)
        assert (change["exit"], change["outcome"]) == (0, "rotated"), change
        assert machines.held == secret(machines.two)

    def test_a_deliver_takes_over_too(self, machines: Machines) -> None:
        machines.share()
        renewed(machines.one)
        ran = machines.two("deliver", "ci")
        assert ran.exit_code == 0, ran.stderr
        assert "took over 'ci' in contoso" in ran.stderr
        assert secret(machines.two) == secret(machines.one) == machines.held

    def test_a_dead_secret_is_not_delivered(self, machines: Machines) -> None:
        old = machines.share()
        renewed(machines.one)
        assert machines.one("revoke", old, "--yes").exit_code == 0
        held = machines.held
        ran = machines.two("deliver", "ci", "--overwrite")
        assert (ran.exit_code, machines.held) == (5, held)
        assert "contoso does not accept the stored secret of 'ci'" in ran.stderr

    def test_a_token_that_the_vault_holds_again_is_not_revoked(
        self, machines: Machines, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        machines.share("--grace", "1h")
        renewed(machines.one)
        assert machines.two("deliver", "ci", "--overwrite").exit_code == 0
        assert machines.held == secret(machines.two) != secret(machines.one)
        later = datetime.now(UTC) + timedelta(hours=2)
        monkeypatch.setattr(Runtime, "now", lambda _: later)
        listed = machines.one("list")
        assert "holds the secret of the replaced token" in " ".join(listed.stderr.split())
        assert len(machines.tokens) == 2

    def test_a_token_is_not_revoked_while_the_vault_cannot_be_asked(
        self, machines: Machines, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        machines.share("--grace", "1h")
        renewed(machines.one)
        later = datetime.now(UTC) + timedelta(hours=2)
        monkeypatch.setattr(Runtime, "now", lambda _: later)
        machines.emulator.fail("GET */secrets/* status=500 times=99")
        said = " ".join(machines.one("list").stderr.split())
        assert "it is not known whether a vault holds its secret" in said
        assert len(machines.tokens) == 2
        machines.emulator.heal()
        assert "revoked the old token of 'ci'" in machines.one("list").stderr
        assert len(machines.tokens) == 1

    def test_a_recovery_does_not_deliver_a_dead_secret(self, machines: Machines) -> None:
        machines.share()
        machines.emulator.fail("PUT */secrets/* status=500 times=99")
        lost = renewed(machines.one)
        machines.emulator.heal()
        assert machines.two("revoke", lost["id"], "--yes").exit_code == 0
        held = machines.held
        ran = machines.one(*RENEW)
        assert ran.exit_code == 0, ran.stderr
        assert "took over 'ci' in contoso" in ran.stderr
        assert secret(machines.one) == machines.held == held
        assert len(machines.tokens) == 1

    def test_an_older_token_gives_way(self, machines: Machines) -> None:
        first = machines.share()
        older = machines.held
        renewed(machines.one)
        newer = machines.held
        machines.put(older, first)  # someone has restored the version before
        assert machines.one("deliver", "ci").exit_code == 0
        assert machines.held == secret(machines.one) == newer

    def test_the_grace_period_begins_when_the_vault_has_the_secret(
        self, machines: Machines, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        assert ensured(machines.one, "--expires", "5d", "--grace", "3h").exit_code == 0
        machines.emulator.fail("PUT */secrets/* status=500 times=99")
        assert renewed(machines.one)["exit"] == 8
        machines.emulator.heal()
        later = datetime.now(UTC) + timedelta(hours=5)
        monkeypatch.setattr(Runtime, "now", lambda _: later)
        assert machines.one(*RENEW).exit_code == 0
        assert machines.held == secret(machines.one)
        (pending,) = machines.one("status", "-o", "json").json["pending"]
        assert datetime.fromisoformat(pending["until"]) >= (later + timedelta(hours=3)).replace(
            microsecond=0
        )
        assert len(machines.tokens) == 2

    @pytest.mark.parametrize("fault", ["status=503", "cut=after"])
    def test_a_recovery_never_revokes_the_token_of_another_machine(
        self, machines: Machines, fault: str
    ) -> None:
        """Both ask for the same full second, so expiry does not tell their tokens apart."""
        machines.share()
        whole = (datetime.now(UTC) + timedelta(days=30)).replace(second=0, microsecond=0)
        instant = ("--expires", whole.isoformat().replace("+00:00", "Z"))
        machines.emulator.fail(f"POST */tokens/pats {fault} times=1")
        assert renewed(machines.one, *instant)["outcome"] == "failed"
        machines.emulator.heal()
        assert renewed(machines.two, *instant)["outcome"] == "rotated"
        machines.one(*RENEW)
        made = machines.two("list", "--stored", "-o", "json").json[0]["id"]
        assert made in {each["authorizationId"] for each in machines.tokens}
        assert machines.held == secret(machines.two)


class TestWhatIsNotBelieved:
    """Who can write in the vault can note any token there."""

    def refused(self, machines: Machines) -> None:
        """Nothing is taken over, and as someone else has set the secret, nothing is made."""
        before = secret(machines.two)
        tokens, held = len(machines.emulator.tokens), machines.held
        change = renewed(machines.two)
        assert (change["exit"], change["outcome"]) == (9, "failed")
        assert "a secret that this machine has not delivered" in change["error"]
        assert secret(machines.two) == before
        assert (len(machines.emulator.tokens), machines.held) == (tokens, held)

    def test_a_note_of_another_secret(self, machines: Machines) -> None:
        machines.share()
        renewed(machines.one)
        noted = machines.versions[-1]["tags"]
        machines.put("theirs", noted["azdo-pat-id"], noted["azdo-pat-fingerprint"])
        self.refused(machines)

    def test_a_secret_of_another_user(self, machines: Machines) -> None:
        machines.share()
        own = renewed(machines.one)["id"]
        theirs = machines.emulator.add_with_secret("ci", user=USER)
        machines.put(theirs, own)
        self.refused(machines)

    def test_the_first_delivery_leaves_a_secret_of_another_user(self, machines: Machines) -> None:
        before = {each["authorizationId"] for each in machines.emulator.tokens}
        theirs = machines.emulator.add_with_secret("ci", user=USER)
        machines.put(theirs, "0c1f4c9e-6f2b-4f5e-9a53-2f0f6f0f9a11")
        result = ensured(machines.one)
        assert result.exit_code == 6, result.stderr
        assert machines.held == theirs
        assert len({each["authorizationId"] for each in machines.emulator.tokens} - before) == 1

    @pytest.mark.parametrize("about", [{"name": "other"}, {"organization": "fabrikam"}])
    def test_a_token_with_another_name_or_place(
        self, machines: Machines, about: dict[str, str]
    ) -> None:
        machines.share()
        before = {each["authorizationId"] for each in machines.emulator.tokens}
        made = machines.emulator.add_with_secret(**{"name": "ci", **about})
        (made_id,) = {each["authorizationId"] for each in machines.emulator.tokens} - before
        machines.put(made, made_id)
        self.refused(machines)

    @pytest.mark.parametrize("noted", ["", "x", "../../etc", "\u202e", "0" * 300])
    def test_a_note_of_no_token(self, machines: Machines, noted: str) -> None:
        machines.share()
        machines.put(machines.emulator.add_with_secret("ci"), noted[:256])
        self.refused(machines)


def test_a_secret_of_an_unknown_token_is_not_overwritten(machines: Machines) -> None:
    ensured(machines.one)
    mine = machines.emulator.add_with_secret("mine")
    assert machines.two("import", "ci", stdin=mine, env={"PAT_NO_INPUT": "1"}).exit_code == 0
    result = ensured(machines.two)
    assert result.exit_code == 6
    assert secret(machines.two) == mine


def test_check_never_renames_the_token_of_another_machine(machines: Machines) -> None:
    machines.share()
    renewed(machines.one)
    found = machines.two("check", "-o", "json").json
    assert "same-name" not in {each["kind"] for each in found}


def test_a_token_is_not_renamed_before_it_is_delivered(machines: Machines) -> None:
    machines.share("--grace", "none")
    machines.emulator.fail("PUT */secrets/* status=500 times=99")
    assert renewed(machines.one)["exit"] == 8
    ran = machines.one("update", "ci", "--name", "other", "-o", "none")
    assert ran.exit_code == 6
    assert "first run: pat deliver ci" in ran.stderr
    assert len(machines.tokens) == 2


def test_a_forgotten_token_leaves_the_one_in_the_vault_active(machines: Machines) -> None:
    machines.share("--grace", "none")
    machines.emulator.fail("PUT */secrets/* status=500 times=99")
    assert renewed(machines.one)["exit"] == 8
    machines.emulator.heal()
    assert machines.one("forget", "ci").exit_code == 0
    machines.one("list")
    assert len(machines.tokens) == 2
    assert machines.held == secret(machines.two)


def test_a_vault_that_fails_does_not_block_other_targets(machines: Machines) -> None:
    machines.share()
    machines.emulator.fail("* */secrets/* status=500 times=999")
    assert renewed(machines.one)["exit"] == 9
    ran = machines.one("rotate", "ci", "--deliver", "none", "-q", "-o", "none")
    assert ran.exit_code == 0, ran.stderr


def test_a_vault_that_is_away_leaves_all_as_it_is(machines: Machines) -> None:
    machines.share()
    renewed(machines.one)
    before = secret(machines.two)
    machines.emulator.fail("GET */secrets/* status=500 times=99")
    change = renewed(machines.two)
    assert (change["exit"], change["outcome"]) == (9, "failed")
    assert secret(machines.two) == before
    assert len(machines.tokens) == 2


@pytest.mark.parametrize("command", [("renew",), ("apply", "tokens.toml")])
@pytest.mark.parametrize(
    ("lease", "message"),
    [
        ("vault:secret/lease#pat", "is not a valid place for a lease"),
        ("keyvault:contoso/lease", "is not a valid place for a lease"),
        ("", "is not a valid place for a lease"),
        ("vault:secret", "vault:MOUNT/PATH"),
        ("vault:secret/../lease", "vault:MOUNT/PATH"),
        ("vault:secret/a\nb", "vault:MOUNT/PATH"),
    ],
)
def test_what_is_no_lease(
    pat: InProcess, command: tuple[str, ...], lease: str, message: str
) -> None:
    Path("tokens.toml").write_text("")
    ran = pat(*command, "--lease", lease, env={"VAULT_ADDR": "https://127.0.0.1:1"})
    assert (ran.exit_code, message in ran.stderr) == (2, True), ran.stderr


def test_a_lease_needs_a_server(pat: InProcess) -> None:
    ran = pat("renew", "--lease", "vault:secret/lease")
    assert (ran.exit_code, "set VAULT_ADDR" in ran.stderr) == (2, True)
