"""The grace period: remembered with a token, and what is pending while it runs."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from azdo_pat.cli.runtime import Runtime
from cli.stage import names
from drivers import Emulator, InProcess, put_writer

ENSURE = ("ensure", "ci", "--scope", "code")
FILE = """\
[[token]]
name = "ci"
scopes = "code"
"""

Moving = Callable[[float], None]


@pytest.fixture
def hours(monkeypatch: pytest.MonkeyPatch) -> Moving:
    """Set the clock of this machine forward, or back, by hours."""

    def move(count: float) -> None:
        monkeypatch.setattr(
            Runtime, "now", lambda _: datetime.now(UTC) + timedelta(hours=count, milliseconds=7)
        )

    return move


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "tokens.toml"
    path.write_text(FILE, "utf-8")
    return path


def run(pat: InProcess, *args: str, code: int = 0) -> str:
    result = pat(*args, "-o", "none")
    assert result.exit_code == code, result.stderr
    return result.stderr


def made(pat: InProcess) -> None:
    run(pat, "create", "ci", "--scope", "code", "-q")


def rotated(pat: InProcess, *options: str) -> str:
    return run(pat, "rotate", "ci", *options)


def active(emulator: Emulator) -> int:
    return len(names(emulator))


def problems(pat: InProcess) -> list[str]:
    found: list[str] = pat("status", "-o", "json", "--query", "problems").json
    return found


class TestRemembered:
    """Every later rotation uses it."""

    @pytest.mark.parametrize(
        "args",
        [
            ("rotate", "ci"),
            ("renew", "--within", "31d"),
            ("ensure", "ci", "--scope", "packaging"),
        ],
        ids=" ".join,
    )
    def test_by_each_command(
        self, args: tuple[str, ...], pat: InProcess, emulator: Emulator
    ) -> None:
        made(pat)
        rotated(pat, "--grace", "2h")
        assert active(emulator) == 2
        assert "will be revoked by the first command that signs in after" in run(pat, *args)
        assert active(emulator) == 3

    def test_by_apply(self, pat: InProcess, emulator: Emulator, file: Path) -> None:
        file.write_text(FILE + 'grace = "2h"\n', "utf-8")
        run(pat, "apply", str(file), "-q")
        file.write_text(FILE.replace("code", "packaging") + 'grace = "2h"\n', "utf-8")
        assert "will be revoked by the first command" in run(pat, "apply", str(file))
        assert active(emulator) == 2
        rotated(pat)
        assert active(emulator) == 3

    def test_of_ensure(self, pat: InProcess, emulator: Emulator) -> None:
        run(pat, *ENSURE, "--grace", "2h")
        rotated(pat)
        assert active(emulator) == 2

    def test_of_a_token_that_is_kept(self, pat: InProcess, emulator: Emulator) -> None:
        made(pat)
        before = len(emulator.requests)
        result = pat(*ENSURE, "--grace", "2h", env={"PAT_ACCESS_TOKEN": None})
        assert (result.exit_code, result.stderr) == (0, "kept 'ci' in contoso\n")
        assert len(emulator.requests) == before
        rotated(pat)
        assert active(emulator) == 2

    def test_keep_old_does_not_change_it(self, pat: InProcess, emulator: Emulator) -> None:
        made(pat)
        rotated(pat, "--grace", "2h")
        assert "stays active" in rotated(pat, "--keep-old")
        assert "will be revoked by the first" in run(pat, "renew", "--within", "31d")
        assert active(emulator) == 4

    def test_until_it_is_forgotten(self, pat: InProcess, emulator: Emulator) -> None:
        made(pat)
        rotated(pat, "--grace", "2h")
        assert rotated(pat, "--grace", "none").endswith(" is revoked\n")
        assert rotated(pat).endswith(" is revoked\n")
        assert active(emulator) == 2  # with the one whose grace period was already running

    def test_ensure_forgets_it(self, pat: InProcess) -> None:
        made(pat)
        rotated(pat, "--grace", "2h")
        run(pat, *ENSURE)  # without the option it stays
        assert "will be revoked by the first command" in rotated(pat)
        run(pat, *ENSURE, "--grace", "none")
        assert rotated(pat).endswith(" is revoked\n")


class TestDeclared:
    """The grace period in a file."""

    def test_changing_it_rotates_nothing(
        self, pat: InProcess, emulator: Emulator, file: Path
    ) -> None:
        run(pat, "apply", str(file), "-q")
        before = len(emulator.requests)
        file.write_text(FILE + 'grace = "2h"\n', "utf-8")
        assert run(pat, "apply", str(file)) == "kept 1\n"
        assert len(emulator.requests) == before
        rotated(pat)
        assert active(emulator) == 2

    def test_taking_it_out_forgets_it(self, pat: InProcess, emulator: Emulator, file: Path) -> None:
        file.write_text(f'[defaults]\ngrace = "2h"\n\n{FILE}', "utf-8")
        run(pat, "apply", str(file), "-q")
        file.write_text(f'[defaults]\ngrace = "2h"\n\n{FILE}grace = "none"\n', "utf-8")
        assert run(pat, "apply", str(file)) == "kept 1\n"
        assert rotated(pat).endswith(" is revoked\n")
        rotated(pat, "--grace", "2h")
        file.write_text(FILE, "utf-8")
        assert run(pat, "apply", str(file)) == "kept 1\n"
        assert rotated(pat).endswith(" is revoked\n")
        assert active(emulator) == 2

    def test_taking_it_out_counts_for_a_rotation_of_the_same_run(
        self, pat: InProcess, emulator: Emulator, file: Path
    ) -> None:
        file.write_text(FILE + 'grace = "2h"\n', "utf-8")
        run(pat, "apply", str(file), "-q")
        file.write_text(FILE.replace("code", "packaging"), "utf-8")
        assert "rotated 1" in run(pat, "apply", str(file))
        assert active(emulator) == 1

    @pytest.mark.parametrize("value", ['"soon"', "2", '"0h"', '"2020-01-01"'])
    def test_mistakes(self, value: str, pat: InProcess, file: Path, emulator: Emulator) -> None:
        file.write_text(f"{FILE}grace = {value}\n", "utf-8")
        assert "line 4: " in run(pat, "apply", str(file), code=2)
        assert emulator.requests == []


class TestItsEnd:
    """The old token is revoked by the first command that signs in after it, and only then."""

    @pytest.mark.parametrize("args", [("list",), ("renew",), ENSURE, ("apply",)], ids=" ".join)
    def test_by_the_next_command(
        self, args: tuple[str, ...], pat: InProcess, emulator: Emulator, file: Path, hours: Moving
    ) -> None:
        """The machine may have been off for long."""
        hours(-3)
        made(pat)
        rotated(pat, "--grace", "2h")
        hours(-2)
        args = (*args, str(file)) if args == ("apply",) else args
        run(pat, *args)
        assert active(emulator) == 2
        hours(0)
        assert "revoked the old token of 'ci' in contoso" in run(pat, *args)
        assert active(emulator) == 1
        assert problems(pat) == []

    def test_of_two_that_overlap(self, pat: InProcess, emulator: Emulator, hours: Moving) -> None:
        hours(-4)
        made(pat)
        rotated(pat, "--grace", "3h")
        hours(-2)
        rotated(pat)
        assert active(emulator) == 3
        hours(-0.5)
        assert run(pat, "list").count("revoked the old token of 'ci'") == 1
        hours(1.5)
        assert run(pat, "renew").count("revoked the old token of 'ci'") == 1
        assert (active(emulator), run(pat, "list")) == (1, "")

    def test_of_one_that_is_revoked_at_once(
        self, pat: InProcess, emulator: Emulator, hours: Moving
    ) -> None:
        hours(-3)
        made(pat)
        old = emulator.tokens[-1]["authorizationId"]
        rotated(pat, "--grace", "2h")
        run(pat, "revoke", old, "--yes")
        hours(0)
        before = len(emulator.requests)
        assert run(pat, "renew") == ""
        assert (active(emulator), len(emulator.requests)) == (1, before)

    def test_of_one_that_is_revoked_meanwhile(
        self, pat: InProcess, emulator: Emulator, hours: Moving, tmp_path: Path
    ) -> None:
        """On the web page, say."""
        hours(-3)
        made(pat)
        old = emulator.tokens[-1]["authorizationId"]
        rotated(pat, "--grace", "2h")
        elsewhere = {"PAT_STATE_DIR": str(tmp_path / "other")}
        assert pat("revoke", old, "--yes", "-q", env=elsewhere).exit_code == 0
        assert active(emulator) == 1
        hours(0)
        run(pat, "list")
        assert (active(emulator), problems(pat), run(pat, "list")) == (1, [], "")


class TestShown:
    """What is pending, wherever tokens are shown."""

    @pytest.fixture
    def old(self, pat: InProcess, emulator: Emulator) -> str:
        """Rotate `ci` with a grace period; return the id of the old token."""
        made(pat)
        identifier: str = emulator.tokens[-1]["authorizationId"]
        rotated(pat, "--grace", "2h", "-q")
        return identifier

    def test_in_the_list(self, pat: InProcess, old: str) -> None:
        rows = [line for line in pat("list").stdout.splitlines() if line.startswith("ci ")]
        noted = {line.split()[1]: "replaced, active until 20" in line for line in rows}
        assert sorted(noted.values()) == [False, True]
        assert noted[old[:8]]
        assert list(pat("list", "-o", "json").json[0])[-1] == "origin"  # the object is unchanged

    def test_of_one_token(self, pat: InProcess, old: str) -> None:
        for token in ("ci", old):
            (shown,) = [
                line for line in pat("show", token).stdout.splitlines() if "Pending" in line
            ]
            assert f"the token replaced by 'ci' in contoso ({old}) stays active until" in shown
            assert shown.endswith("(in 2 hours)")

    def test_in_the_status(self, pat: InProcess, old: str) -> None:
        report = pat("status", "-o", "json").json
        (step,) = report["pending"]
        until = step.pop("until")
        assert abs(datetime.fromisoformat(until) - datetime.now(UTC) - timedelta(hours=2)) < (
            timedelta(minutes=1)
        )
        assert step == {
            "kind": "grace",
            "name": "ci",
            "org": "contoso",
            "id": old,
            "reason": None,
            "fix": f"pat revoke {old} --org contoso",
        }
        assert report["problems"] == []
        assert f"Pending        the token replaced by 'ci' in contoso ({old})" in " ".join(
            pat("status").stdout.splitlines()
        )

    def test_by_doctor(self, pat: InProcess, old: str) -> None:
        query = "[?check=='leftovers'].[status, detail]"
        ((status, detail),) = pat("doctor", "-o", "json", "--query", query).json
        assert status == "ok"
        assert detail.startswith(f"the token replaced by 'ci' in contoso ({old}) stays active")

    def test_an_undelivered_secret(
        self, pat: InProcess, emulator: Emulator, tmp_path: Path
    ) -> None:
        made(pat)
        old = emulator.tokens[-1]["authorizationId"]
        target = put_writer(tmp_path, tmp_path / "no" / ".env")
        run(pat, "rotate", "ci", "--deliver", target, code=8)
        notes = {line.split()[1]: line for line in pat("list").stdout.splitlines() if "ci" in line}
        assert "to be revoked" in notes.pop(old[:8])
        (new,) = notes.values()
        assert "not delivered" in new
        assert "not delivered" in pat("list", "--stored").stdout
        assert "has not been delivered: " in pat("show", "ci").stdout
        (step,) = pat("status", "-o", "json").json["pending"]
        assert (step["kind"], step["id"], step["fix"]) == ("undelivered", old, "pat renew")
        assert repr(target.removeprefix("command:")) in step["reason"]

    def test_the_fix_ends_it(self, pat: InProcess, emulator: Emulator, old: str) -> None:
        (step,) = pat("status", "-o", "json").json["pending"]
        assert step["fix"] == f"pat revoke {old} --org contoso"
        run(pat, *step["fix"].split()[1:], "--yes")
        assert (pat("status", "-o", "json").json["pending"], active(emulator)) == ([], 1)
