"""pat renew: everything stored that is near its end, side by side."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from keyring.errors import KeyringLocked

from azdo_pat.cli.runtime import Runtime
from cli.stage import names, put
from drivers import FAILING, Emulator, InProcess, Installed, put_program, put_writer
from fakes import MemoryKeyring


def make(pat: InProcess, name: str, expires: str, *options: str) -> str:
    """Make a token with that life; return its id."""
    result = pat("create", name, "--scope", "code", "--expires", expires, "-o", "json", *options)
    assert result.exit_code == 0, result.stderr
    return str(result.json["id"])


def by_name(emulator: Emulator, name: str) -> dict[str, str]:
    """The ids of the tokens of that name, by status."""
    return {
        each["status"]: each["authorizationId"]
        for each in emulator.tokens
        if each["displayName"] == name
    }


def due_after(span: timedelta, pat: InProcess, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the names of what is due when that time has gone by."""
    later = datetime.now(UTC) + span
    monkeypatch.setattr(Runtime, "now", lambda _: later)
    names: list[str] = pat("renew", "--dry-run", "-o", "json", "--query", "[].name").json
    return names


def test_nothing_is_due(pat: InProcess, emulator: Emulator) -> None:
    make(pat, "fresh", "30d")
    put(emulator, "elsewhere", hours=1)
    before = len(emulator.requests)
    nobody = {"PAT_ACCESS_TOKEN": None}
    result = pat("renew", env=nobody)
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", "")
    assert pat("renew", "-o", "json", env=nobody).stdout == "[]\n"
    assert len(emulator.requests) == before


def test_what_is_due_is_rotated(
    pat: InProcess, emulator: Emulator, memory_keyring: MemoryKeyring
) -> None:
    make(pat, "fresh", "30d")
    old = {name: make(pat, name, "20d") for name in ("a", "b", "c")}
    before = dict(memory_keyring.held)
    result = pat("renew", "--within", "21d", "-o", "json")
    assert result.exit_code == 0
    assert result.stderr == "renewed 3 tokens\n"
    assert [each["name"] for each in result.json] == ["a", "b", "c"]
    assert {each["outcome"] for each in result.json} == {"rotated"}
    for each in result.json:
        assert by_name(emulator, each["name"]) == {
            "active": each["id"],
            "revoked": old[each["name"]],
        }
        assert each["expires_in_days"] in {19, 20}
    changed = {name for (_, name), text in memory_keyring.held.items() if before[_, name] != text}
    assert changed == {"a", "b", "c"}
    assert pat("status", "-o", "json", "--query", "problems").json == []


@pytest.mark.parametrize(
    ("life", "hours_later", "due"),
    [("30d", 24 * 22, []), ("30d", 24 * 24, ["ci"]), ("12h", 7, []), ("12h", 9, ["ci"])],
)
def test_a_week_or_a_third_of_its_life(
    life: str,
    hours_later: int,
    due: list[str],
    pat: InProcess,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    make(pat, "ci", life)
    assert due_after(timedelta(hours=hours_later), pat, monkeypatch) == due


@pytest.mark.parametrize(("days", "due"), [(11, ["ci"]), (39, ["ci"]), (41, [])])
def test_one_that_ended_a_while_ago(
    days: int, due: list[str], pat: InProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(pat, "ci", "10d")
    assert due_after(timedelta(days=days), pat, monkeypatch) == due


def test_what_ensure_was_told_counts(pat: InProcess, emulator: Emulator) -> None:
    ensure = ("ensure", "ci", "--scope", "code", "--expires", "30d", "--renew-before", "29d")
    assert pat(*ensure, "-q", "-o", "none").exit_code == 0
    assert pat("renew", "--dry-run", "-o", "json").json == []
    make(pat, "other", "6d")
    plan = pat("renew", "--within", "30d", "--dry-run", "-o", "json")
    assert [(each["name"], each["outcome"]) for each in plan.json] == [
        ("other", "planned"),
        ("ci", "planned"),
    ]
    assert plan.stderr == "2 tokens would be renewed (dry run)\n"
    assert names(emulator) == ["ci", "other"]


def test_a_failure_stops_none_of_the_others(
    pat: InProcess, emulator: Emulator, memory_keyring: MemoryKeyring
) -> None:
    for name in ("a", "b", "c"):
        make(pat, name, "2d")
    held = dict(memory_keyring.held)
    emulator.fail("POST */pats pat-error=accessDenied skip=1 times=1")
    result = pat("renew", "--within", "3d", "--jobs", "1", "-o", "json")
    assert result.exit_code == 9
    outcomes = {each["name"]: each["outcome"] for each in result.json}
    assert sorted(outcomes.values()) == ["failed", "rotated", "rotated"]
    (failed,) = [name for name, outcome in outcomes.items() if outcome == "failed"]
    assert f"{failed} in contoso: " in result.stderr
    assert "renewed 2 tokens of 3" in result.stderr
    assert "1 of 3 tokens failed" in result.stderr
    assert names(emulator) == ["a", "b", "c"]
    key = next(key for key in held if key[1] == failed)
    assert memory_keyring.held[key] == held[key]


def test_nobody_is_signed_in(pat: InProcess, emulator: Emulator) -> None:
    make(pat, "ci", "2d")
    result = pat("renew", "--within", "3d", env={"PAT_ACCESS_TOKEN": None})
    assert result.exit_code == 4
    assert "not signed in" in result.stderr
    assert names(emulator) == ["ci"]


def test_one_that_was_revoked_elsewhere(pat: InProcess, emulator: Emulator) -> None:
    make(pat, "gone", "2d")
    emulator.remove_tokens()
    make(pat, "here", "2d")
    result = pat("renew", "--within", "3d", "-o", "json")
    assert result.exit_code == 9
    assert "contoso no longer knows the token" in result.stderr
    assert "pat forget gone --org contoso" in result.stderr
    assert {each["name"]: each["outcome"] for each in result.json} == {
        "gone": "failed",
        "here": "rotated",
    }


def test_tokens_of_several_organizations(pat: InProcess, emulator: Emulator) -> None:
    make(pat, "a", "2d")
    make(pat, "b", "2d", "--org", "fabrikam")
    only = pat("renew", "--within", "3d", "--org", "fabrikam", "-o", "json")
    assert [each["name"] for each in only.json] == ["b"]
    both = pat("renew", "--within", "3d", "-o", "json")
    assert {each["name"]: each["org"] for each in both.json} == {"a": "contoso", "b": "fabrikam"}
    assert names(emulator) == ["a", "b"]


def test_what_belongs_to_another_service_is_left_alone(pat: InProcess, emulator: Emulator) -> None:
    make(pat, "ci", "2d")
    other = {"PAT_API_URL": None}
    assert pat("renew", "--within", "3d", "-o", "json", env=other).json == []
    assert names(emulator) == ["ci"]


def test_it_delivers_and_makes_good_what_could_not_be(
    pat: InProcess, emulator: Emulator, tmp_path: Path
) -> None:
    make(pat, "ci", "2d")
    place = tmp_path / "no" / ".env"
    target = put_writer(tmp_path, place)
    first = pat("renew", "--within", "3d", "--deliver", target, "-o", "json")
    assert first.exit_code == 8
    assert "ci in contoso: " in first.stderr
    assert "a step is still pending" in first.stderr
    assert first.json[0]["outcome"] == "rotated"
    assert first.json[0]["error"]
    assert names(emulator) == ["ci", "ci"]
    assert pat("renew", "-q").exit_code == 8
    (tmp_path / "no").mkdir()
    assert pat("renew", "-o", "none").stderr == "delivered the new secret of 'ci' in contoso\n"
    assert place.read_text() == f"PAT={pat('get', 'ci').stdout}"
    assert names(emulator) == ["ci"]


def test_lines_of_one_file_that_many_deliver_to(pat: InProcess, tmp_path: Path) -> None:
    place = tmp_path / ".env"
    letters = "abcdefgh"
    for name in letters:
        ensure = ("ensure", name, "--scope", "code", "--expires", "2d")
        assert pat(*ensure, "--deliver", f"file:{place}|{name}={{token}}", "-q").exit_code == 0
    assert pat("renew", "--within", "3d", "-q", "-o", "none").exit_code == 0
    expected = {f"{name}={pat('get', name).stdout.strip()}" for name in letters}
    assert set(place.read_text().splitlines()) == expected


def test_one_command_for_all(
    pat: InProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a", "b"):
        make(pat, name, "2d")
    source = "import os, sys; open(os.environ['PAT_TOKEN_NAME'], 'w').write(sys.stdin.read())"
    hook = f"command:{put_program(tmp_path / 'hook', source)}"
    monkeypatch.chdir(tmp_path)
    assert pat("renew", "--within", "3d", "--deliver", hook, "-q", "-o", "none").exit_code == 0
    for name in ("a", "b"):
        assert (tmp_path / name).read_text() == pat("get", name).stdout.strip()


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (("--within", "soon"), "'soon'"),
        (("--within", "2020-01-01"), "is not a valid span of time"),
        (("--jobs", "0"), "0 is not in the range"),
        (("--deliver", "x"), "is not a valid delivery target"),
        (("--within", "3d", "--deliver", "file:x"), "names one place: file:"),
    ],
)
def test_usage(args: tuple[str, ...], message: str, pat: InProcess, emulator: Emulator) -> None:
    for name in ("a", "b"):
        make(pat, name, "2d")
    result = pat("renew", *args)
    assert result.exit_code == 2
    assert message in result.stderr
    assert names(emulator) == ["a", "b"]


def test_a_keyring_that_refuses_is_found_before_anything_is_made(
    pat: InProcess,
    emulator: Emulator,
    memory_keyring: MemoryKeyring,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("a", "b"):
        make(pat, name, "2d")

    def refuse(service: str, username: str, password: str) -> None:
        raise KeyringLocked(f"no {service} {username} {len(password)}")

    monkeypatch.setattr(memory_keyring, "set_password", refuse)
    result = pat("renew", "--within", "3d")
    assert result.exit_code == 7
    assert names(emulator) == ["a", "b"]
    made = [each for each in emulator.requests if each["method"] == "POST"]
    assert len(made) == 2


@pytest.mark.parametrize("command", [("renew", "--within", "3d"), ("rotate", "renamed")])
def test_one_that_was_renamed_elsewhere_keeps_the_name_it_has_here(
    command: tuple[str, ...],
    pat: InProcess,
    emulator: Emulator,
    memory_keyring: MemoryKeyring,
    tmp_path: Path,
) -> None:
    made = make(pat, "ci", "2d")
    elsewhere = {"PAT_STATE_DIR": str(tmp_path / "another machine")}
    renamed = pat("update", made, "--name", "renamed", "-q", "-o", "none", env=elsewhere)
    assert (renamed.exit_code, names(emulator)) == (0, ["renamed"])
    assert pat(*command, "-q", "-o", "none").exit_code == 0
    assert names(emulator) == ["ci"]
    assert [name for _, name in memory_keyring.held] == ["ci"]
    assert [each["name"] for each in pat("list", "--stored", "-o", "json").json] == ["ci"]


def test_several_at_once_renew_each_token_once(pat_process: Installed, emulator: Emulator) -> None:
    for name in ("one", "two", "three"):
        made = pat_process("create", name, "--scope", "code", "--expires", "2d", "-q", "-o", "none")
        assert made.exit_code == 0
    emulator.fail("POST * delay=200ms times=always")
    with ThreadPoolExecutor(3) as pool:
        words = ("renew", "--within", "7d", "--expires", "30d", "-o", "json")
        runs = list(pool.map(lambda _: pat_process(*words), range(3)))
    assert [run.exit_code for run in runs] == [0, 0, 0], runs
    outcomes = [each["outcome"] for run in runs for each in run.json]
    assert outcomes.count("rotated") == 3
    assert set(outcomes) <= {"rotated", "kept"}
    assert len([each for each in emulator.tokens if each["status"] == "active"]) == 3
    assert not any("pat forget" in run.stderr for run in runs)


def test_what_is_still_to_be_delivered_is_told_though_nobody_is_signed_in(pat: InProcess) -> None:
    failing = ("--deliver", FAILING)
    assert pat("ensure", "ci", "--scope", "code", *failing).exit_code == 8
    assert pat("renew").exit_code == 8
    nobody = pat("renew", env={"PAT_ACCESS_TOKEN": None})
    assert nobody.exit_code == 8
    assert "could not be recovered in contoso: " in nobody.stderr


def test_deliveries_that_are_dropped_hold_nothing_up(pat: InProcess, emulator: Emulator) -> None:
    assert pat("ensure", "ci", "--scope", "code").exit_code == 0
    for _ in range(3):
        assert pat("rotate", "ci", "--deliver", FAILING).exit_code == 8
    told = pat("renew")
    assert told.exit_code == 8
    assert "a step is still pending for 1 token" in told.stderr
    assert told.stderr.count("could not be delivered") == 1
    assert pat("rotate", "ci", "--deliver", "none").exit_code == 0
    for _ in range(2):  # the first finds out what the second then does
        assert pat("list", "-q", "-o", "none").exit_code == 0
    assert [each["status"] for each in emulator.tokens].count("active") == 1
    assert pat("renew").exit_code == 0


def test_a_life_that_a_policy_cut_short_is_no_reason_to_renew_again_and_again(
    pat: InProcess, emulator: Emulator
) -> None:
    emulator.set_policies("maximum-lifespan=5")
    words = ("ensure", "ci", "--scope", "code", "--expires", "30d", "--renew-before", "10d")
    assert pat(*words, "-o", "json").json["outcome"] == "created"
    assert pat(*words, "-o", "json").json["outcome"] == "kept"
    assert pat("renew", "-o", "json").json == []
