"""What goes wrong while the tokens of many users are read."""

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from azdo_pat.command_lines import quoted
from drivers import TIME_LIMIT, AzureCli, Emulator, InProcess, Result

USERS = 40
WITHOUT = {"PAT_ACCESS_TOKEN": None}
SCAN = ("admin", "list", "--all-users", "--jobs", "4", "-o", "jsonl")


def scan_with_the_sign_in_rejected_midway(
    pat: InProcess, emulator: Emulator, *options: str
) -> Result:
    emulator.invent_users(USERS)
    emulator.fail("GET */tokenadmin/* delay=50ms times=always")

    def reject() -> None:
        deadline = time.monotonic() + TIME_LIMIT
        while len(emulator.requests) < USERS // 4 and time.monotonic() < deadline:
            time.sleep(0.01)
        emulator.reject_access_tokens()

    with ThreadPoolExecutor(1) as pool:
        rejected = pool.submit(reject)
        ran = pat(*SCAN, *options, env=WITHOUT)
        rejected.result()
        return ran


def as_read(error: str) -> str:
    """Return an error in JSON with the paths of Windows as they are."""
    return error.replace("\\\\", "\\")


def later_access_token(emulator: Emulator) -> str:
    """Return an access token that is still good when those of now are rejected."""
    emulator.advance(10)
    token = emulator.mint("user")
    emulator.advance(-10)
    return token


def test_a_sign_in_that_ends_midway_is_renewed_once(
    pat: InProcess, emulator: Emulator, az: AzureCli
) -> None:
    az.sign_in(emulator.access_token, later_access_token(emulator))
    result = scan_with_the_sign_in_rejected_midway(pat, emulator)
    assert result.exit_code == 0, result.stderr
    assert len(az.calls) == 2
    assert [each["status"] for each in emulator.requests].count(401) in range(1, 6)


def test_a_sign_in_that_ends_midway_and_has_no_other(
    pat: InProcess, emulator: Emulator, az: AzureCli, tmp_path: Path
) -> None:
    later, file = later_access_token(emulator), str(tmp_path / "scan")
    az.sign_in(emulator.access_token)
    result = scan_with_the_sign_in_rejected_midway(pat, emulator, "--save", file)
    assert result.exit_code == 4
    assert "az account clear" in result.stderr
    assert f"to go on, run: pat admin list --resume {quoted(file)}" in as_read(result.stderr)
    assert len(az.calls) == 2
    az.sign_in(later)
    resumed = pat("admin", "list", "--resume", file, "-o", "jsonl", env=WITHOUT)
    assert resumed.exit_code == 0, resumed.stderr
    whole = pat(*SCAN, env=WITHOUT)
    assert sorted(resumed.stdout.splitlines()) == sorted(whole.stdout.splitlines())


def test_nothing_is_lost_if_the_service_asks_for_pauses(pat: InProcess, emulator: Emulator) -> None:
    emulator.invent_users(USERS)
    expected = sorted(pat(*SCAN).stdout.splitlines())
    emulator.fail(
        "GET */tokenadmin/* status=429 retry-after=0.1 skip=9 times=5",
        "GET */tokenadmin/* retry-after=0.1 skip=20 times=1",
        "GET */graph/users status=429 retry-after=0.1",
    )
    result = pat(*SCAN, "-v")
    assert result.exit_code == 0
    assert sorted(result.stdout.splitlines()) == expected
    assert "asked to wait 0.1 s; from then on 2 requests at once" in result.stderr


@pytest.mark.parametrize("answer", ["", "status=429"], ids=["200", "429"])
def test_a_pause_that_is_too_long_ends_it_at_once(
    pat: InProcess, emulator: Emulator, tmp_path: Path, answer: str
) -> None:
    emulator.invent_users(USERS)
    expected = sorted(pat(*SCAN).stdout.splitlines())
    file = str(tmp_path / "scan")
    emulator.fail(f"GET */tokenadmin/* {answer} retry-after=1000 skip=9")
    result = pat(*SCAN, "--save", file)
    assert result.exit_code == 11
    assert "accepts no more requests for 1000 s" in result.stderr
    assert "try again in 17 min" in result.stderr
    assert f"to go on, run: pat admin list --resume {quoted(file)}" in as_read(result.stderr)
    assert "could not be read" not in result.stderr
    resumed = pat("admin", "list", "--resume", file, "-o", "jsonl")
    assert (resumed.exit_code, sorted(resumed.stdout.splitlines())) == (0, expected)


def test_tokens_of_one_user_that_never_end(pat: InProcess, emulator: Emulator) -> None:
    emulator.add_tokens(30, name="token {n}", user="grace")
    emulator.add_tokens(1, name="ci")
    whose = pat("admin", "users", "grace", "-o", "json").json[0]["descriptor"]
    emulator.fail(f"GET */tokenadmin/*/{whose} repeat-continuation times=always")
    result = pat("admin", "list", "--all-users", "-o", "json")
    assert result.exit_code == 9
    assert "ci" in [each["name"] for each in result.json]
    assert "grace@contoso.example: " in result.stderr
    assert "(a page is repeated)" in result.stderr
