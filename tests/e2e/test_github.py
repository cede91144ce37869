"""A rotated token in GitHub, next to GitHub's own client, which uses the same server."""

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from azdo_pat.install_commands import adding
from drivers import Emulator, Installed, Result, need
from e2e.stage import active, finish, start
from github_server import TOKEN, GitHub, Repository, running

CREATE = ("create", "ci", "--scope", "code", "-q", "-o", "none")
ROTATE = ("rotate", "ci", "-q", "-o", "none")
PLACES = {
    "github:contoso/web#ADO_PAT": "repos/contoso/web/actions",
    "github:contoso/web@production#ADO_PAT": "repos/contoso/web/environments/production",
    "github:contoso#ADO_PAT": "orgs/contoso/actions",
}


@pytest.fixture
def github(tmp_path: Path) -> Iterator[GitHub]:
    with running(tmp_path) as started:
        started.repositories["contoso/app"] = Repository(7)
        yield started


class Gh:
    """GitHub's own client, signed in to the server."""

    def __init__(self, github: GitHub) -> None:
        self._environment = {**os.environ, **github.environment, "GH_NO_UPDATE_NOTIFIER": "1"}

    def __call__(self, *args: str, stdin: str = "") -> Result:
        ran = subprocess.run(
            ["gh", *args],
            input=stdin,
            env=self._environment,
            capture_output=True,
            encoding="utf-8",
            timeout=60,
            check=False,
        )
        result = Result(exit_code=ran.returncode, stdout=ran.stdout, stderr=ran.stderr)
        assert result.exit_code == 0, result.stderr
        return result


@pytest.fixture
def gh(request: pytest.FixtureRequest, github: GitHub) -> Gh:
    need(request.config, [] if shutil.which("gh") else ["gh"])
    return Gh(github)


@pytest.fixture
def pat(pat_process: Installed, github: GitHub, emulator: Emulator) -> Installed:
    """Run the installed `pat` with a token of GitHub; one token is there."""
    emulator.remove_tokens()
    made = Installed({**pat_process.env, **github.environment})
    assert made(*CREATE).exit_code == 0
    return made


def secret(pat: Installed) -> str:
    return pat("get", "ci").stdout.strip()


def test_the_server_answers_githubs_own_client(gh: Gh, github: GitHub) -> None:
    at = f"{github.host}/contoso/web"
    for where in (
        ("--repo", at),
        ("--repo", at, "--env", "production"),
        ("--repo", at, "--app", "dependabot"),
        ("--org", "contoso", "--visibility", "all"),
        ("--org", "contoso", "--app", "dependabot", "--repos", "web,app"),
        ("--org", "contoso", "--app", "codespaces", "--repos", "app"),
    ):
        gh("secret", "set", "ADO_PAT", *where, stdin="of gh")
    made = {path: place.secrets["ADO_PAT"] for path, place in github.places.items()}
    assert {path: (each.visibility, each.repositories) for path, each in made.items()} == {
        "repos/contoso/web/actions": ("", []),
        "repos/contoso/web/environments/production": ("", []),
        "repos/contoso/web/dependabot": ("", []),
        "orgs/contoso/actions": ("all", []),
        "orgs/contoso/dependabot": ("selected", [1, 7]),
        "orgs/contoso/codespaces": ("selected", [7]),
    }
    assert {each.value for each in made.values()} == {"of gh"}


def test_what_githubs_own_client_has_set_is_replaced(
    pat: Installed, gh: Gh, github: GitHub, emulator: Emulator
) -> None:
    at = f"{github.host}/contoso/web"
    gh("secret", "set", "ADO_PAT", "--repo", at, stdin="of gh")
    gh("secret", "set", "ADO_PAT", "--org", "contoso", "--repos", "app", stdin="of gh")
    targets = [word for target in PLACES for word in ("--deliver", target)]
    ensured = pat("ensure", "ci", "--scope", "code", *targets, "-q", "-o", "none")
    assert ensured.exit_code == 0, ensured.stderr
    assert {github.value(place, "ADO_PAT") for place in PLACES.values()} == {secret(pat)}
    assert pat(*ROTATE).exit_code == 0
    assert {github.value(place, "ADO_PAT") for place in PLACES.values()} == {secret(pat)}
    assert len(active(emulator, "ci")) == 1
    today = time.strftime("%Y-%m-%d", time.gmtime())
    assert gh("secret", "list", "--repo", at).stdout.split() == ["ADO_PAT", today]
    assert "SELECTED" in gh("secret", "list", "--org", "contoso").stdout
    assert github.place("orgs/contoso/actions").secrets["ADO_PAT"].repositories == [7]


def test_the_token_that_gh_has_saved(pat: Installed, gh: Gh, github: GitHub, home: Path) -> None:
    _ = gh  # it is installed
    folder = home / ".config/gh"
    folder.mkdir(parents=True)
    hosts = f"{github.host}:\n    oauth_token: {TOKEN}\n    user: ada\n    git_protocol: https\n"
    (folder / "hosts.yml").write_text(hosts)
    unset = {"GH_ENTERPRISE_TOKEN": None, "GH_TOKEN": "of-github-com"}
    rotated = pat("rotate", "ci", "-v", "-o", "none", "--deliver", next(iter(PLACES)), env=unset)
    assert rotated.exit_code == 0, rotated.stderr
    assert f"token for {github.host} from gh" in rotated.stderr
    assert TOKEN not in rotated.stderr
    assert {each.headers["Authorization"] for each in github.visits} == {f"Bearer {TOKEN}"}
    assert github.value("repos/contoso/web/actions", "ADO_PAT") == secret(pat)


def test_the_recipe_without_the_extra(
    pat: Installed, gh: Gh, github: GitHub, tmp_path: Path
) -> None:
    _ = gh  # it is installed
    library = tmp_path / "without/nacl"
    library.mkdir(parents=True)
    (library / "__init__.py").write_text("raise ImportError('not installed')\n")
    bare = {"PYTHONPATH": str(library.parent)}
    refused = pat(*ROTATE, "--deliver", next(iter(PLACES)), env=bare)
    assert refused.exit_code == 2
    assert f"to install it, run: {adding('pynacl')}; or deliver" in refused.stderr
    command = f"command:gh secret set ADO_PAT --repo {github.host}/contoso/web"
    assert pat(*ROTATE, "--deliver", command, env=bare).exit_code == 0
    assert github.value("repos/contoso/web/actions", "ADO_PAT") == secret(pat)


def test_killed_when_the_secret_is_set(pat: Installed, github: GitHub, emulator: Emulator) -> None:
    place = "repos/contoso/web/actions"
    former = secret(pat)

    def kill() -> None:
        process.kill()

    github.fail("PUT", "/ADO_PAT", after=kill)
    process = start(pat, *ROTATE, "--deliver", next(iter(PLACES)))
    assert finish(process).exit_code != 0
    delivered = github.value(place, "ADO_PAT")
    assert delivered not in {former, ""}
    assert len(active(emulator, "ci")) == 2
    again = pat("deliver", "ci", "-q", "-o", "none")
    assert again.exit_code == 0, again.stderr
    assert github.value(place, "ADO_PAT") == secret(pat) == delivered
    assert len(active(emulator, "ci")) == 1
