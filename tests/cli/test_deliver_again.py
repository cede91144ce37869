"""pat deliver; and where status, show and setup --list tell what became of deliveries."""

from pathlib import Path

import pytest
from keyring.errors import KeyringLocked

from cli.stage import names
from drivers import Emulator, InProcess, put_writer
from fakes import MemoryKeyring


def make(pat: InProcess, *targets: str) -> None:
    options = [word for target in targets for word in ("--deliver", target)]
    assert pat("ensure", "ci", "--scope", "code", *options, "-q").exit_code in {0, 8}


def secret(pat: InProcess) -> str:
    return pat("get", "ci").stdout.strip()


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Where a command delivers to; it fails, as the folder is missing."""
    return tmp_path / "no" / ".env"


def test_it_delivers_and_revokes_what_waited(
    pat: InProcess, emulator: Emulator, tmp_path: Path, place: Path
) -> None:
    make(pat)
    target = put_writer(tmp_path, place)
    assert pat("rotate", "ci", "--deliver", target, "-q", "-o", "none").exit_code == 8
    failed = pat("deliver", "ci", "-o", "json")
    assert (failed.exit_code, failed.json[0]["state"]) == (8, "failed")
    assert "ended with status 1" in failed.json[0]["error"]
    assert "could not be delivered to 1 of 1 targets" in failed.stderr
    assert names(emulator) == ["ci", "ci"]
    place.parent.mkdir()
    done = pat("deliver", "ci", "-o", "json")
    assert (done.exit_code, done.stderr) == (0, "")
    (row,) = done.json
    assert (row["name"], row["org"], row["target"]) == ("ci", "contoso", target)
    assert (row["kind"], row["state"], row["error"]) == ("command", "delivered", None)
    assert row["at"].endswith("Z")
    assert place.read_text() == f"PAT={secret(pat)}\n"
    assert names(emulator) == ["ci"]
    assert pat("status", "-o", "json").json["pending"] == []


def test_one_target_that_fails_does_not_stop_the_others(
    pat: InProcess, tmp_path: Path, place: Path
) -> None:
    file = tmp_path / "file"
    make(pat, put_writer(tmp_path, place), f"file:{file}")
    file.write_text("")
    result = pat("deliver", "ci", "-o", "json")
    assert result.exit_code == 8
    assert [each["state"] for each in result.json] == ["failed", "delivered"]
    assert "1 of 2 targets" in result.stderr
    assert file.read_text().strip() == secret(pat)


def test_a_dry_run_only_tries(pat: InProcess, emulator: Emulator, tmp_path: Path) -> None:
    folder = tmp_path / "there"
    folder.mkdir()
    make(pat, f"file:{folder / 'a'}", f"file:{tmp_path / 'b'}")
    (tmp_path / "b").unlink()
    before = len(emulator.requests)
    result = pat("deliver", "ci", "--dry-run", "-o", "json")
    assert result.exit_code == 0
    assert [(each["state"], each["at"]) for each in result.json] == [("ready", None)] * 2
    assert not (tmp_path / "b").exists()
    (folder / "a").unlink()
    folder.rmdir()
    result = pat("deliver", "ci", "--dry-run", "-o", "json")
    assert (result.exit_code, result.json[0]["state"]) == (3, "failed")
    assert "its folder does not exist" in result.json[0]["error"]
    (tmp_path / "b").write_text("a list")
    result = pat("deliver", "ci", "--dry-run")
    assert result.exit_code == 9
    assert "cannot be delivered to 2 of 2 targets" in result.stderr
    assert len(emulator.requests) == before


@pytest.mark.parametrize("options", [(), ("--dry-run",)])
def test_what_has_no_target(pat: InProcess, options: tuple[str, ...]) -> None:
    make(pat)
    result = pat("deliver", "ci", *options)
    assert result.exit_code == 3
    assert "'ci' in contoso has no delivery target" in result.stderr
    assert "pat rotate ci --deliver TARGET" in result.stderr
    assert pat("deliver", "other", *options).exit_code == 3


def test_a_secret_that_is_gone(
    pat: InProcess, memory_keyring: MemoryKeyring, tmp_path: Path
) -> None:
    make(pat, f"file:{tmp_path / 'a'}")
    before = (tmp_path / "a").read_text()
    memory_keyring.held.clear()
    result = pat("deliver", "ci", "-o", "json")
    assert (result.exit_code, result.json[0]["state"]) == (8, "failed")
    assert "no longer in the keyring" in result.json[0]["error"]
    assert (tmp_path / "a").read_text() == before


def test_a_keyring_that_is_locked_leaves_nothing_pending(
    pat: InProcess, memory_keyring: MemoryKeyring, tmp_path: Path
) -> None:
    make(pat, f"file:{tmp_path / 'a'}")

    def locked(*_: str) -> str:
        raise KeyringLocked

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(memory_keyring, "get_password", locked)
        assert pat("deliver", "ci").exit_code == 7
    assert pat("status", "-o", "json").json["pending"] == []


def test_where_a_token_is_delivered_is_shown(pat: InProcess, tmp_path: Path, place: Path) -> None:
    file = tmp_path / "file"
    command = put_writer(tmp_path, place)
    make(pat, f"file:{file}", command)
    shown = pat("show", "ci", "-o", "json").json["deliveries"]
    assert [(each["target"], each["state"]) for each in shown] == [
        (f"file:{file}", "delivered"),
        (command, "failed"),
    ]
    table = pat("show", "ci").stdout
    assert "Delivered to" in table
    assert "delivered just now (20" in " ".join(table.split())

    status = pat("status", "-o", "json").json["deliveries"]
    assert [(each["name"], each["state"]) for each in status] == [
        ("ci", "delivered"),
        ("ci", "failed"),
    ]
    text = " ".join(pat("status").stdout.split())
    assert "the current secret was delivered to 1 of 2 targets" in text
    assert "ci: not yet in command:" in text

    listed = {each["tool"]: each["set_up"] for each in pat("setup", "--list", "-o", "json").json}
    assert listed["git"] == []
    ((of_file,), (of_command,)) = listed["file"], listed["command"]
    assert (of_file["file"], of_file["token"]) == (f"file:{file}", "ci")
    assert of_file["delivery"]["state"] == "delivered"
    assert of_command["delivery"]["error"]
    assert "(failed)" in " ".join(pat("setup", "--list").stdout.split())

    checked = pat("check", "--stored", "-o", "json").json
    assert [each["kind"] for each in checked] == ["pending"]
    assert command.removeprefix("command:") in checked[0]["message"].replace("\\\\", "\\")


def test_a_renamed_token_keeps_what_is_known_of_its_deliveries(
    pat: InProcess, tmp_path: Path
) -> None:
    make(pat, f"file:{tmp_path / 'a'}")
    assert pat("update", "ci", "--name", "build", "-q", "-o", "none").exit_code == 0
    (row,) = pat("show", "build", "-o", "json").json["deliveries"]
    assert row["state"] == "delivered"
    assert pat("forget", "build", "-q").exit_code == 0
    assert "deliveries" not in pat("status", "-o", "json").json


def test_a_token_without_targets_is_shown_as_before(pat: InProcess) -> None:
    make(pat)
    assert "deliveries" not in pat("show", "ci", "-o", "json").json
    assert "Deliver" not in pat("show", "ci").stdout + pat("status").stdout
