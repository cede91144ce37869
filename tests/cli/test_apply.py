"""pat apply: the tokens that a file declares are so."""

from pathlib import Path

import pytest

from cli.stage import names
from drivers import Emulator, InProcess, Result, put_writer
from fakes import MemoryKeyring

FILE = """\
[defaults]
expires = "30d"

[[token]]
name = "ci"
for = "packages"

[[token]]
name = "deploy"
org = "fabrikam"
scopes = ["code", "build"]
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "tokens.toml"
    path.write_text(FILE)
    return path


def outcomes(result: Result) -> dict[str, str]:
    return {each["name"]: each["outcome"] for each in result.json}


def secret(pat: InProcess, name: str = "ci") -> str:
    return pat("get", name).stdout.strip()


def test_it_makes_what_is_not_there_and_keeps_what_is(
    pat: InProcess, emulator: Emulator, file: Path
) -> None:
    first = pat("apply", str(file), "-o", "json")
    assert first.exit_code == 0
    assert outcomes(first) == {"ci": "created", "deploy": "created"}
    assert {each["name"]: each["org"] for each in first.json} == {
        "ci": "contoso",
        "deploy": "fabrikam",
    }
    assert first.stderr.splitlines() == [
        "created 2",
    ]
    before = len(emulator.requests)
    second = pat("apply", str(file), "-o", "json", env={"PAT_ACCESS_TOKEN": None})
    assert (second.exit_code, second.stderr) == (0, "kept 2\n")
    assert outcomes(second) == {"ci": "kept", "deploy": "kept"}
    assert len(emulator.requests) == before
    assert names(emulator) == ["ci", "deploy"]


def test_a_dry_run_shows_the_plan_and_does_nothing(
    pat: InProcess, emulator: Emulator, file: Path, memory_keyring: MemoryKeyring
) -> None:
    result = pat("apply", str(file), "--dry-run", "-o", "json")
    assert result.exit_code == 0
    assert outcomes(result) == {"ci": "planned", "deploy": "planned"}
    assert [each["action"] for each in result.json] == ["create", "create"]
    assert (names(emulator), memory_keyring.held) == ([], {})
    assert emulator.requests == []
    table = pat("apply", str(file), "--dry-run").stdout
    assert "to create" in table


def test_what_changed_is_made_so(pat: InProcess, emulator: Emulator, file: Path) -> None:
    pat("apply", str(file), "-q")
    before = secret(pat)
    text = FILE.replace('for = "packages"', 'for = "git"\ndeliver = "file:.env|PAT={token}"')
    file.write_text(text)
    result = pat("apply", str(file), "-o", "json")
    assert outcomes(result) == {"ci": "rotated", "deploy": "kept"}
    assert result.json[0]["why"] == "scopes differ"
    assert secret(pat) != before
    assert (file.parent / ".env").read_text() == f"PAT={secret(pat)}\n"
    file.write_text(text.replace(".env", "other"))
    result = pat("apply", str(file), "-o", "json")
    assert outcomes(result) == {"ci": "delivered", "deploy": "kept"}
    assert (file.parent / "other").read_text() == f"PAT={secret(pat)}\n"
    assert pat("apply", str(file), "-o", "none").stderr == "kept 2\n"
    assert names(emulator) == ["ci", "deploy"]


def test_a_secret_that_is_lost(
    pat: InProcess, emulator: Emulator, file: Path, memory_keyring: MemoryKeyring
) -> None:
    pat("apply", str(file), "-q")
    memory_keyring.held.clear()
    assert outcomes(pat("apply", str(file), "-o", "json")) == {"ci": "rotated", "deploy": "rotated"}
    assert (names(emulator), len(memory_keyring.held)) == (["ci", "deploy"], 2)


def test_a_token_revoked_elsewhere_is_found_by_asking(
    pat: InProcess, emulator: Emulator, file: Path
) -> None:
    pat("apply", str(file), "-q")
    emulator.remove_tokens()
    assert outcomes(pat("apply", str(file), "-o", "json")) == {"ci": "kept", "deploy": "kept"}
    result = pat("apply", str(file), "--verify", "-o", "json")
    assert outcomes(result) == {"ci": "created", "deploy": "created"}


def test_renewal_as_declared(pat: InProcess, file: Path) -> None:
    pat("apply", str(file), "-q")
    file.write_text(FILE.replace('expires = "30d"', 'expires = "30d"\nrenew_before = "29d"'))
    assert pat("apply", str(file), "-o", "none").stderr == "kept 2\n"
    assert pat("renew", "--dry-run", "-o", "json", env={"PAT_EXPIRES": "20d"}).json == []
    file.write_text(FILE.replace('expires = "30d"', 'expires = "300d"\nrenew_before = "299d"'))
    result = pat("apply", str(file), "-o", "json")
    assert outcomes(result) == {"ci": "rotated", "deploy": "rotated"}


ONE = '[[token]]\nname = "x"\nscopes = "code"\n'


class TestPrune:
    """What the file made once, and lacks now."""

    def shorter(self, file: Path) -> None:
        file.write_text(FILE[: FILE.index('[[token]]\nname = "deploy"')])

    def test_it_is_revoked(
        self, pat: InProcess, emulator: Emulator, file: Path, memory_keyring: MemoryKeyring
    ) -> None:
        pat("apply", str(file), "-q")
        self.shorter(file)
        assert outcomes(pat("apply", str(file), "-o", "json")) == {"ci": "kept"}
        plan = pat("apply", str(file), "--prune", "--dry-run", "-o", "json")
        assert [each["action"] for each in plan.json] == ["keep", "revoke"]
        assert names(emulator) == ["ci", "deploy"]
        result = pat("apply", str(file), "--prune", "--yes", "-o", "json")
        assert result.exit_code == 0
        assert outcomes(result) == {"ci": "kept", "deploy": "revoked"}
        assert result.json[1]["why"] == "no longer declared"
        assert names(emulator) == ["ci"]
        assert [name for _, name in memory_keyring.held] == ["ci"]
        assert outcomes(pat("apply", str(file), "--prune", "-o", "json")) == {"ci": "kept"}

    def test_nothing_is_done_where_no_one_can_confirm_it(
        self, pat: InProcess, emulator: Emulator, file: Path
    ) -> None:
        pat("apply", str(file), "-q")
        self.shorter(file)
        file.write_text(file.read_text() + ONE)
        result = pat("apply", str(file), "--prune")
        assert (result.exit_code, result.stdout) == (2, "")
        assert result.stderr.endswith(
            "pat: 1 token (deploy) would be revoked, but pat cannot ask for confirmation here\n"
            "     add --yes to confirm, or --dry-run to see what would be done\n"
        )
        assert names(emulator) == ["ci", "deploy"]

    def test_only_what_an_apply_of_that_file_made(
        self, pat: InProcess, emulator: Emulator, file: Path
    ) -> None:
        for name, org in (("mine", "contoso"), ("deploy", "fabrikam")):
            made = ("create", name, "--scope", "code", "--scope", "build", "--org", org)
            assert pat(*made, "-q", "-o", "none").exit_code == 0
        other = file.with_name("other.toml")
        other.write_text('[[token]]\nname = "theirs"\nscopes = "code"\n')
        pat("apply", str(other), "-q")
        assert outcomes(pat("apply", str(file), "-o", "json")) == {
            "ci": "created",
            "deploy": "kept",
        }
        file.write_text("")
        result = pat("apply", str(file), "--prune", "--yes", "-o", "json")
        assert outcomes(result) == {"ci": "revoked"}
        assert names(emulator) == ["deploy", "mine", "theirs"]

    def test_what_a_rotation_made_of_it_is_still_its_own(
        self, pat: InProcess, emulator: Emulator, file: Path
    ) -> None:
        pat("apply", str(file), "-q")
        assert pat("rotate", "ci", "-q", "-o", "none").exit_code == 0
        file.write_text("")
        pat("apply", str(file), "--prune", "--yes", "-q")
        assert names(emulator) == []

    @pytest.mark.posix("links")
    def test_by_another_path_to_the_same_file(
        self, pat: InProcess, emulator: Emulator, file: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        pat("apply", str(file), "-q")
        self.shorter(file)
        (file.parent / "link.toml").symlink_to(file)
        monkeypatch.chdir(file.parent)
        pat("apply", "./link.toml", "--prune", "--yes", "-q")
        assert names(emulator) == ["ci"]

    def test_one_that_cannot_be_revoked(
        self, pat: InProcess, emulator: Emulator, file: Path, memory_keyring: MemoryKeyring
    ) -> None:
        pat("apply", str(file), "-q")
        held = dict(memory_keyring.held)
        self.shorter(file)
        emulator.fail("DELETE */pats status=503 times=4")
        result = pat("apply", str(file), "--prune", "--yes", "-o", "json")
        assert result.exit_code == 9
        assert outcomes(result) == {"ci": "kept", "deploy": "failed"}
        assert memory_keyring.held == held
        (problem,) = pat("status", "-o", "json", "--query", "problems").json
        assert problem.startswith("it is unknown whether the token 'deploy' in fabrikam is revoked")
        emulator.heal()
        pat("list", "-q", "-o", "none")
        assert pat("status", "-o", "json", "--query", "problems").json == []
        assert names(emulator) == ["ci", "deploy"]  # not revoked behind the user's back
        again = pat("apply", str(file), "--prune", "--yes", "-q", "-o", "none")
        assert (again.exit_code, names(emulator)) == (0, ["ci"])


def test_a_failure_stops_none_of_the_others(pat: InProcess, emulator: Emulator, file: Path) -> None:
    emulator.fail("POST */contoso/_apis/tokens/pats pat-error=accessDenied")
    result = pat("apply", str(file), "-o", "json")
    assert result.exit_code == 9
    assert outcomes(result) == {"ci": "failed", "deploy": "created"}
    assert "ci in contoso: " in result.stderr
    assert "1 of 2 tokens failed" in result.stderr
    assert names(emulator) == ["deploy"]


def test_what_cannot_be_delivered(pat: InProcess, emulator: Emulator, tmp_path: Path) -> None:
    file = tmp_path / "tokens.toml"
    target = put_writer(tmp_path, tmp_path / "no" / ".env")
    file.write_text(f"[[token]]\nname = 'ci'\nscopes = 'code'\ndeliver = '{target}'\n")
    result = pat("apply", str(file), "-o", "json")
    assert (result.exit_code, outcomes(result)) == (8, {"ci": "created"})
    assert "ended with status 1" in result.json[0]["error"]
    (tmp_path / "no").mkdir()
    again = pat("apply", str(file), "-o", "json")
    assert (again.exit_code, outcomes(again)) == (0, {"ci": "kept"})
    assert (tmp_path / "no" / ".env").read_text() == f"PAT={secret(pat)}\n"
    assert names(emulator) == ["ci"]


def test_nobody_is_signed_in(pat: InProcess, emulator: Emulator, file: Path) -> None:
    result = pat("apply", str(file), env={"PAT_ACCESS_TOKEN": None})
    assert result.exit_code == 4
    assert emulator.requests == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('[[token]]\nname = "x"\nscope = "code"\n', "line 3: unknown key 'scope' in a token"),
        ("[[token]\n", "is not valid TOML"),
        ('[[token]]\nname = "x"\norg = "a b"\nscopes = "code"\n', "line 1: 'a b' is not the name"),
        (
            '[[token]]\nname = "x"\norg = "https://server/tfs"\nscopes = "code"\n',
            "line 1: ",
        ),
        (
            f'{ONE}{ONE}org = "CONTOSO"\n',
            "line 4: 'x' is already declared on line 1",
        ),
    ],
)
def test_mistakes(
    text: str, message: str, pat: InProcess, emulator: Emulator, tmp_path: Path
) -> None:
    file = tmp_path / "tokens.toml"
    file.write_text(text)
    result = pat("apply", str(file))
    assert result.exit_code == 2
    assert message in result.stderr
    assert emulator.requests == []


def test_many_are_listed_once(pat: InProcess, emulator: Emulator, tmp_path: Path) -> None:
    """Each of them would go through all tokens of the organization."""
    file = tmp_path / "tokens.toml"
    for scope in ("code", "build"):
        tokens = [f'[[token]]\nname = "{name}"\nscopes = "{scope}"\n' for name in "abcdef"]
        file.write_text("".join(tokens), "utf-8")
        asked = len(emulator.requests)
        assert pat("apply", str(file), "-q", "-o", "none").exit_code == 0
    lists = [
        each
        for each in emulator.requests[asked:]
        if each["method"] == "GET" and each["path"].endswith("/pats")
    ]
    assert len(lists) == 1
    assert names(emulator) == list("abcdef")
