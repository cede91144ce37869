"""--deliver github: a new secret goes to a repository, an environment or an organization."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from azdo_pat.install_commands import adding
from cli.stage import names
from drivers import Emulator, InProcess, Result
from github_server import TOKEN, GitHub, running

REPOSITORY = "repos/contoso/web/actions"
TARGET = "github:contoso/web#ADO_PAT"
OF_ORGANIZATION = "github:contoso#ADO_PAT"
CREATE = ("create", "ci", "--scope", "code", "-q", "-o", "none")
ROTATE = ("rotate", "ci", "-o", "none")


@pytest.fixture
def github(tmp_path: Path) -> Iterator[GitHub]:
    with running(tmp_path) as started:
        yield started


@pytest.fixture
def pat(pat: InProcess, github: GitHub, emulator: Emulator) -> InProcess:
    """Run `pat` with a token of GitHub, too; one token is there."""
    emulator.remove_tokens()
    made = InProcess(pat.root, {**pat.env, **github.environment})
    assert made(*CREATE).exit_code == 0
    return made


def secret(pat: InProcess) -> str:
    return pat("get", "ci").stdout.strip()


def rotated(pat: InProcess, *options: str) -> Result:
    result = pat(*ROTATE, *options)
    assert result.exit_code == 0, result.stderr
    return result


@pytest.mark.parametrize(
    ("target", "place"),
    [
        (TARGET, REPOSITORY),
        ("github:contoso/web@production#ado_pat", "repos/contoso/web/environments/production"),
        ("github:contoso/web@a%2Fb c#ADO_PAT", "repos/contoso/web/environments/a/b c"),
        (OF_ORGANIZATION, "orgs/contoso/actions"),
    ],
)
def test_a_new_secret_of_each_place_has_the_key_of_that_place(
    pat: InProcess, github: GitHub, emulator: Emulator, target: str, place: str
) -> None:
    rotated(pat, "--deliver", target)
    assert github.value(place, "ADO_PAT") == secret(pat)
    assert names(emulator) == ["ci"]  # the old one is revoked: workflows read it when they begin
    rotated(pat)
    assert github.value(place, "ADO_PAT") == secret(pat)


@pytest.mark.parametrize(("app", "of"), [("codespaces", "contoso/web"), ("dependabot", "contoso")])
def test_other_secrets_than_those_of_actions(
    pat: InProcess, github: GitHub, tmp_path: Path, app: str, of: str
) -> None:
    place = f"{'repos' if '/' in of else 'orgs'}/{of}/{app}"
    if "/" not in of:
        github.put(place, "ADO_PAT", visibility="selected", repositories=[5, 7])
    file = tmp_path / "tokens.toml"
    file.write_text(
        '[[token]]\nname = "ci"\nscopes = ["code"]\n'
        f'deliver = [{{ github = "{of}", secret = "ADO_PAT", app = "{app}" }}]\n'
    )
    applied = pat("apply", str(file), "-q")
    assert applied.exit_code == 0, applied.stderr
    assert github.value(place, "ADO_PAT") == secret(pat)
    if "/" not in of:
        assert github.place(place).secrets["ADO_PAT"].repositories == [5, 7]


def test_which_repositories_may_use_a_new_secret_of_an_organization(
    pat: InProcess, github: GitHub
) -> None:
    first = rotated(pat, "--deliver", OF_ORGANIZATION)
    told = "all private and internal repositories of contoso may use the new secret"
    assert told in " ".join(first.stderr.split())
    assert github.place("orgs/contoso/actions").secrets["ADO_PAT"].visibility == "private"
    assert told not in " ".join(rotated(pat).stderr.split())


@pytest.mark.parametrize(
    ("visibility", "repositories"),
    [("all", []), ("selected", []), ("selected", list(range(1, 251)))],
)
def test_which_repositories_may_use_a_secret_stays(
    pat: InProcess, github: GitHub, visibility: str, repositories: list[int]
) -> None:
    place = "orgs/contoso/actions"
    github.put(place, "ADO_PAT", visibility=visibility, repositories=repositories)
    rotated(pat, "--deliver", OF_ORGANIZATION)
    found = github.place(place).secrets["ADO_PAT"]
    assert (found.value, found.visibility) == (secret(pat), visibility)
    assert found.repositories == repositories


def test_the_same_secret_twice_within_a_second(pat: InProcess, github: GitHub) -> None:
    rotated(pat, "--deliver", TARGET)
    for _ in range(2):
        assert pat("deliver", "ci", "-q").exit_code == 0
    assert github.value(REPOSITORY, "ADO_PAT") == secret(pat)
    assert len(github.asked("PUT")) == 3


def test_nothing_secret_is_told(pat: InProcess, github: GitHub) -> None:
    result = rotated(pat, "--deliver", TARGET, "--debug")
    assert f"token for {github.host} from GH_ENTERPRISE_TOKEN" in result.stderr
    assert "PUT" in result.stderr
    assert "Authorization: ***" in result.stderr
    for text in (TOKEN, secret(pat), "encrypted_value"):
        assert text not in result.stderr
    assert all(secret(pat) not in str(each) for each in github.visits)


def test_what_a_request_says(pat: InProcess, github: GitHub) -> None:
    rotated(pat, "--deliver", TARGET)
    assert {
        (
            each.headers["Accept"],
            each.headers["X-GitHub-Api-Version"],
            each.headers["Authorization"],
        )
        for each in github.visits
    } == {("application/vnd.github+json", "2022-11-28", f"Bearer {TOKEN}")}


class TestLuck:
    """What goes wrong and ends well."""

    def test_an_answer_that_is_lost_after_the_change(self, pat: InProcess, github: GitHub) -> None:
        github.fail("PUT", "/ADO_PAT", cut=True)
        rotated(pat, "--deliver", TARGET)
        assert github.value(REPOSITORY, "ADO_PAT") == secret(pat)

    def test_a_change_that_is_seen_late(self, pat: InProcess, github: GitHub) -> None:
        github.put(REPOSITORY, "ADO_PAT")
        before = '{"updated_at": "2026-01-01T00:00:00Z"}'
        for _ in range(3):  # of the probe, before and after the change
            github.fail("GET", "/ADO_PAT", status=200, body=before)
        rotated(pat, "--deliver", TARGET)
        assert len([path for path in github.asked("GET") if path.endswith("/ADO_PAT")]) == 4


class TestProbe:
    """What can be found out beforehand costs no token."""

    def refused(
        self, pat: InProcess, emulator: Emulator, github: GitHub, target: str = TARGET
    ) -> Result:
        before = secret(pat)
        result = pat(*ROTATE, "--deliver", target)
        assert (names(emulator), secret(pat)) == (["ci"], before)
        assert github.asked("PUT") == []
        assert f"{target}: " in result.stderr
        return result

    def test_a_token_that_is_not_accepted(
        self, pat: InProcess, emulator: Emulator, github: GitHub
    ) -> None:
        github.rights.clear()
        result = self.refused(pat, emulator, github)
        assert result.exit_code == 4
        assert "did not accept the token from GH_ENTERPRISE_TOKEN" in result.stderr
        assert f"gh auth login --hostname {github.host}" in result.stderr

    def test_without_a_token(self, pat: InProcess, emulator: Emulator, github: GitHub) -> None:
        bare = InProcess(pat.root, {**pat.env, "GH_ENTERPRISE_TOKEN": None, "PATH": "/nowhere"})
        result = self.refused(bare, emulator, github)
        assert result.exit_code == 4
        assert f"no token for {github.host} is set or saved" in result.stderr
        assert "or set GH_ENTERPRISE_TOKEN to a token of" in " ".join(result.stderr.split())
        assert github.visits == []

    def test_without_the_extra(
        self,
        pat: InProcess,
        emulator: Emulator,
        github: GitHub,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setitem(sys.modules, "nacl.public", None)
        result = self.refused(pat, emulator, github)
        assert result.exit_code == 2
        told = " ".join(result.stderr.split())
        assert f"to install it, run: {adding('pynacl')}; or deliver" in told
        assert "command:gh secret set NAME" in told
        assert github.visits == []


class TestMeanwhile:
    """What happens between the probe and the end of the delivery."""

    def pending(
        self, pat: InProcess, emulator: Emulator, message: str, target: str = TARGET
    ) -> None:
        result = pat(*ROTATE, "--deliver", target)
        assert result.exit_code == 8, result.stderr
        assert message in " ".join(result.stderr.split())
        assert f"{target}: " in result.stderr
        assert names(emulator) == ["ci", "ci"]

    def test_the_repository_goes(self, pat: InProcess, github: GitHub, emulator: Emulator) -> None:
        def remove() -> None:
            del github.repositories["contoso/web"]

        github.fail("GET", "/ADO_PAT", after=remove)
        self.pending(pat, emulator, "there is no repository contoso/web")

    def test_the_repository_is_archived(
        self, pat: InProcess, github: GitHub, emulator: Emulator
    ) -> None:
        def archive() -> None:
            github.repositories["contoso/web"].archived = True

        github.fail("PUT", "/ADO_PAT", before=archive)
        self.pending(pat, emulator, "the repository contoso/web is archived")

    def test_a_token_that_may_only_read(
        self, pat: InProcess, github: GitHub, emulator: Emulator
    ) -> None:
        github.rights[TOKEN] = {"secrets:read"}
        self.pending(pat, emulator, "asks for: secrets=write")

    @pytest.mark.parametrize(
        ("status", "message"), [(500, "failed (HTTP 500)"), (401, "did not accept the token")]
    )
    def test_it_is_delivered_when_the_cause_is_gone(
        self, pat: InProcess, github: GitHub, emulator: Emulator, status: int, message: str
    ) -> None:
        github.fail("PUT", "/ADO_PAT", status=status)
        self.pending(pat, emulator, message)
        assert github.place(REPOSITORY).secrets == {}
        assert pat("deliver", "ci", "-q").exit_code == 0
        assert github.value(REPOSITORY, "ADO_PAT") == secret(pat)
        assert names(emulator) == ["ci"]

    def test_someone_else_removes_it(
        self, pat: InProcess, github: GitHub, emulator: Emulator
    ) -> None:
        github.fail("PUT", "/ADO_PAT", after=github.place(REPOSITORY).secrets.clear)
        self.pending(pat, emulator, "accepted the secret, but it is not there")

    def test_it_is_accepted_without_an_effect(
        self, pat: InProcess, github: GitHub, emulator: Emulator
    ) -> None:
        github.put(REPOSITORY, "ADO_PAT")
        github.stuck = True
        self.pending(pat, emulator, "accepted the secret, but shows no change of it")

    def test_someone_else_changes_who_may_use_it(
        self, pat: InProcess, github: GitHub, emulator: Emulator
    ) -> None:
        place = "orgs/contoso/actions"
        github.put(place, "ADO_PAT", visibility="selected", repositories=[5, 7])

        def change() -> None:
            github.place(place).secrets["ADO_PAT"].repositories = [5]

        github.fail("PUT", "/ADO_PAT", after=change)
        message = "someone else has changed which repositories may use the secret"
        self.pending(pat, emulator, message, OF_ORGANIZATION)
        assert github.place(place).secrets["ADO_PAT"].repositories == [5]
        assert pat("deliver", "ci", "-q").exit_code == 0
        assert github.place(place).secrets["ADO_PAT"].repositories == [5]
