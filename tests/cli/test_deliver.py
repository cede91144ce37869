"""--deliver: the new secret is where it is needed before the old token goes."""

import os
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

import pytest

from cli.stage import names
from drivers import Emulator, InProcess, put_program, put_writer

ENSURE = ("ensure", "ci", "--scope", "code")


def make(pat: InProcess) -> None:
    assert pat("create", "ci", "--scope", "code", "-q", "-o", "none").exit_code == 0


def secret(pat: InProcess) -> str:
    return pat("get", "ci").stdout.strip()


def into(path: Path) -> tuple[str, str]:
    return "--deliver", f"file:{path}|PAT={{token}}"


def problems(pat: InProcess) -> list[str]:
    found: list[str] = pat("status", "-o", "json", "--query", "problems").json
    return found


def test_a_rotation_delivers_now_and_from_then_on(pat: InProcess, tmp_path: Path) -> None:
    make(pat)
    (tmp_path / ".env").write_text("A=1\n")
    source = "import sys; open('got', 'w').write(sys.stdin.read())"
    first = ("--deliver", f"command:{put_program(tmp_path / 'keep', source)}", *into(Path(".env")))
    for options in (first, (), ("--expires", "20d")):
        with pytest.MonkeyPatch.context() as patch:
            if options == first:
                patch.chdir(tmp_path)
            assert pat("rotate", "ci", *options, "-q", "-o", "none").exit_code == 0
        assert (tmp_path / "got").read_text() == secret(pat)
        assert (tmp_path / ".env").read_text() == f"A=1\nPAT={secret(pat)}\n"


def test_the_old_token_lives_until_the_new_one_is_delivered(
    pat: InProcess, emulator: Emulator, tmp_path: Path
) -> None:
    make(pat)
    source = "import sys; print('there is no such cluster', sys.stdin.read()); sys.exit(4)"
    script = put_program(tmp_path / "deploy", source)
    result = pat("rotate", "ci", "--deliver", f"command:{script}")
    assert result.exit_code == 8
    assert f"{str(script)!r} ended with status 4" in result.stderr
    assert "no such cluster" not in result.stderr
    assert " stays active\n" in result.stderr
    assert "not delivered everywhere" in result.stderr
    assert names(emulator) == ["ci", "ci"]
    (problem,) = problems(pat)
    assert problem.startswith("the new secret of 'ci' in contoso has not been delivered: ")
    assert "no such cluster" not in problem

    # A command that fails each time does not hold up whoever only lists tokens.
    assert pat("list", "-o", "none").stderr == ""
    source = f"import sys; open({str(tmp_path / 'got')!r}, 'w').write(sys.stdin.read())"
    put_program(tmp_path / "deploy", source)
    assert pat("list", "-o", "none").stderr == ""
    assert names(emulator) == ["ci", "ci"]

    kept = pat(*ENSURE)
    assert (kept.exit_code, names(emulator)) == (0, ["ci"])
    assert kept.stderr == "delivered the new secret of 'ci' in contoso\nkept 'ci' in contoso\n"
    assert (tmp_path / "got").read_text() == secret(pat)
    assert problems(pat) == []


def test_a_token_that_is_revoked_has_nothing_left_to_deliver(
    pat: InProcess, emulator: Emulator, tmp_path: Path
) -> None:
    make(pat)
    target = put_writer(tmp_path, tmp_path / "no" / ".env")
    assert pat("rotate", "ci", "--deliver", target, "-q").exit_code == 8
    assert pat("revoke", "ci", "--yes", "-q", "-o", "none").exit_code == 0
    pat("list", "-q", "-o", "none")
    assert (names(emulator), problems(pat)) == ([], [])


def test_a_later_rotation_makes_good_what_could_not_be_delivered(
    pat: InProcess, emulator: Emulator, tmp_path: Path
) -> None:
    make(pat)
    target = put_writer(tmp_path, tmp_path / "no" / ".env")
    assert pat("rotate", "ci", "--deliver", target, "-q").exit_code == 8
    assert pat("rotate", "ci", "-q").exit_code == 8
    assert names(emulator) == ["ci", "ci", "ci"]
    (tmp_path / "no").mkdir()
    assert pat("rotate", "ci", "-q", "-o", "none").exit_code == 0
    assert pat("list", "-q", "-o", "none").exit_code == 0
    assert names(emulator) == ["ci"]
    assert (tmp_path / "no" / ".env").read_text() == f"PAT={secret(pat)}\n"
    assert problems(pat) == []


def test_a_grace_begins_with_the_rotation(
    pat: InProcess, emulator: Emulator, tmp_path: Path
) -> None:
    make(pat)
    result = pat("rotate", "ci", "--grace", "1h", *into(tmp_path / ".env"))
    assert result.exit_code == 0
    assert "will be revoked by the first command that signs in after" in result.stderr
    assert names(emulator) == ["ci", "ci"]
    assert problems(pat) == []


def test_keep_old(pat: InProcess, emulator: Emulator, tmp_path: Path) -> None:
    make(pat)
    assert pat("rotate", "ci", "--keep-old", *into(tmp_path / ".env"), "-q").exit_code == 0
    assert (names(emulator), problems(pat)) == (["ci", "ci"], [])
    assert (tmp_path / ".env").read_text() == f"PAT={secret(pat)}\n"


class TestProbe:
    """What can be found out beforehand costs no token."""

    @pytest.mark.parametrize(
        "trouble",
        [
            ("file:no/.env|A={token}", 3, "its folder does not exist"),
            ("file:taken", 6, "holds something other than a token"),
            ("file:.", 5, "not a regular file"),
            ("file:read-only|A={token}", 5, "it is read-only"),
            ("file:wide|A={token}", 5, "it is encoded in UTF-16"),
            ("command:no-such-program --with arguments", 3, "'no-such-program' cannot be started"),
            ("command:./taken", 3, "cannot be started"),
        ],
    )
    def test_nothing_is_made(
        self, pat: InProcess, emulator: Emulator, trouble: tuple[str, int, str]
    ) -> None:
        target, code, message = trouble
        if "read-only" in target and sys.platform != "win32" and os.geteuid() == 0:
            pytest.skip("root may write everywhere")
        Path("taken").write_text("a list of things", "utf-8")
        Path("read-only").touch(0o400)
        Path("wide").write_text("A=", "utf-16")
        make(pat)
        before = secret(pat)
        for command in (
            ("rotate", "ci"),
            ("ensure", "third", "--scope", "code"),
            ("ensure", "ci", "--scope", "code"),
        ):
            result = pat(*command, "--deliver", target)
            assert result.exit_code == code, result.stderr
            assert message in result.stderr
        renewed = pat("renew", "--within", "400d", "--deliver", target, "-o", "json")
        assert renewed.exit_code == 9
        assert message in renewed.json[0]["error"]
        assert (names(emulator), secret(pat), problems(pat)) == (["ci"], before, [])

    def test_what_was_remembered_is_probed(self, pat: InProcess, tmp_path: Path) -> None:
        make(pat)
        place = tmp_path / "place"
        place.mkdir()
        assert pat("rotate", "ci", *into(place / ".env"), "-q", "-o", "none").exit_code == 0
        before = secret(pat)
        (place / ".env").unlink()
        place.rmdir()
        assert pat("rotate", "ci").exit_code == 3
        assert secret(pat) == before


class TestEnsure:
    """ensure delivers what it makes, and what is to go elsewhere."""

    def outcome(self, pat: InProcess, *options: str) -> str:
        result = pat(*ENSURE, *options, "-q", "-o", "json")
        assert result.exit_code == 0, result.stderr
        return str(result.json["outcome"])

    def test_what_it_makes(self, pat: InProcess, tmp_path: Path) -> None:
        place = into(tmp_path / ".env")
        assert self.outcome(pat, *place) == "created"
        assert (tmp_path / ".env").read_text() == f"PAT={secret(pat)}\n"
        assert (self.outcome(pat, *place), self.outcome(pat)) == ("kept", "kept")

    def test_what_it_rotates(self, pat: InProcess, tmp_path: Path) -> None:
        self.outcome(pat, *into(tmp_path / ".env"))
        assert self.outcome(pat, "--scope", "packaging") == "rotated"
        assert (tmp_path / ".env").read_text() == f"PAT={secret(pat)}\n"

    def test_other_places(self, pat: InProcess, emulator: Emulator, tmp_path: Path) -> None:
        self.outcome(pat)
        before = secret(pat)
        assert self.outcome(pat, *into(tmp_path / ".env")) == "delivered"
        assert (tmp_path / ".env").read_text() == f"PAT={before}\n"
        assert (secret(pat), names(emulator)) == (before, ["ci"])
        assert self.outcome(pat, "--deliver", "none") == "delivered"
        assert pat("rotate", "ci", "-q", "-o", "none").exit_code == 0
        assert (tmp_path / ".env").read_text() == f"PAT={before}\n"

    def test_what_cannot_be_delivered(
        self, pat: InProcess, emulator: Emulator, tmp_path: Path
    ) -> None:
        place = ("--deliver", put_writer(tmp_path, tmp_path / "no" / ".env"))
        result = pat(*ENSURE, *place, "--as", "token")
        assert (result.exit_code, names(emulator)) == (8, ["ci"])
        assert "its secret could not be delivered to every target: " in result.stderr
        assert pat(*ENSURE, *place, "-q").exit_code == 8
        assert secret(pat) == result.stdout.strip()
        (tmp_path / "no").mkdir()
        assert self.outcome(pat, *place) == "kept"
        assert (tmp_path / "no" / ".env").read_text() == f"PAT={secret(pat)}\n"

    def test_the_hint_of_what_failed(self, pat: InProcess, tmp_path: Path) -> None:
        result = pat(*ENSURE, "--deliver", put_writer(tmp_path, tmp_path / "no" / ".env"))
        assert "to test the command, run: pat get NAME | COMMAND" in result.stderr


@pytest.mark.parametrize(
    ("args", "secrets"),
    [
        (ENSURE, 1),
        ((*ENSURE, "--verify"), 1),
        (("renew",), 1),
        (("ensure", "ci", "--scope", "packaging"), 2),  # the new one, too
        (("rotate", "ci"), 2),
    ],
    ids=lambda each: " ".join(each) if isinstance(each, tuple) else "",
)
def test_what_a_killed_run_left_is_tried_and_reported_once(
    args: tuple[str, ...], secrets: int, pat: InProcess, home: Path, tmp_path: Path
) -> None:
    tries = tmp_path / "tries"
    source = f"open({str(tries)!r}, 'a').write('x'); raise SystemExit(4)"
    command = f"command:{put_program(tmp_path / 'deploy', source)}"
    assert pat(*ENSURE, "--deliver", command, "-q").exit_code == 8
    with closing(sqlite3.connect(home / "pat/state/state.db")) as state, state:
        state.execute("UPDATE journal SET reason = ''")  # it was killed before
    tries.unlink()
    result = pat(*args, "-o", "none")
    assert len(tries.read_text()) == secrets
    assert result.stderr.count("could not be delivered") == secrets
    assert "to test the command, run: pat get NAME" in result.stderr


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (("rotate", "ci", "--deliver", "elsewhere"), "'elsewhere' is not a valid delivery target"),
        (("rotate", "ci", "--deliver", "file:x|PAT"), "does not contain the secret"),
        (("rotate", "a", "b", "--deliver", "file:x"), "--deliver is for one token"),
        ((*ENSURE, "--deliver", "command:"), "is not a valid delivery target"),
    ],
)
def test_usage(args: tuple[str, ...], message: str, pat: InProcess, emulator: Emulator) -> None:
    result = pat(*args)
    assert result.exit_code == 2
    assert message in result.stderr
    assert emulator.requests == []
