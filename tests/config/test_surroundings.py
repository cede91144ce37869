"""Where an organization is named by other programs: git and the Azure CLI."""

import os
import subprocess
from pathlib import Path

import pytest

from azdo_pat.config.discovery import default_organization, remote_urls
from drivers import need_git, put_program

NEW = "https://dev.azure.com/contoso/p/_git/r"
OLD = "git@ssh.dev.azure.com:v3/fabrikam/p/r"


def git(folder: Path, *args: str) -> None:
    need_git()
    subprocess.run(["git", *args], cwd=folder, check=True, capture_output=True)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    folder = tmp_path / "repository"
    folder.mkdir()
    git(folder, "init", "-q")
    return folder


class TestGit:
    """The remotes of the repository at hand, as git itself tells them."""

    def test_outside_of_a_repository(self, tmp_path: Path) -> None:
        assert remote_urls(tmp_path, os.environ) == []

    def test_without_remotes(self, repository: Path) -> None:
        assert remote_urls(repository, os.environ) == []

    def test_origin_comes_first(self, repository: Path) -> None:
        git(repository, "remote", "add", "backup", OLD)
        git(repository, "remote", "add", "origin", NEW)
        git(repository, "remote", "add", "zeta", "/srv/with a space/repo.git")
        git(repository, "remote", "set-url", "--push", "origin", "https://example.com/push")
        assert remote_urls(repository, os.environ) == [NEW, OLD, "/srv/with a space/repo.git"]

    def test_from_a_folder_deep_inside(self, repository: Path) -> None:
        git(repository, "remote", "add", "origin", NEW)
        deep = repository / "a" / "b"
        deep.mkdir(parents=True)
        assert remote_urls(deep, os.environ) == [NEW]

    def test_from_another_work_tree_and_an_included_file(
        self, repository: Path, tmp_path: Path
    ) -> None:
        (repository / ".git" / "more").write_text(f'[remote "origin"]\n\turl = {NEW}\n', "utf-8")
        git(repository, "config", "include.path", "more")
        git(
            repository,
            "-c",
            "user.name=A",
            "-c",
            "user.email=a@b",
            "commit",
            "-q",
            "--allow-empty",
            "-m",
            "x",
        )
        git(repository, "worktree", "add", "-q", str(tmp_path / "tree"))
        assert remote_urls(tmp_path / "tree", os.environ) == [NEW]

    def test_git_dir_in_the_environment(self, repository: Path, tmp_path: Path) -> None:
        git(repository, "remote", "add", "origin", NEW)
        environment = {**os.environ, "GIT_DIR": str(repository / ".git")}
        assert remote_urls(tmp_path, environment) == [NEW]

    def test_git_is_not_told_the_access_token(
        self, repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        program = tmp_path / "bin" / "git"
        program.parent.mkdir()
        told = "os.environ.get('PAT_ACCESS_TOKEN', '') + ',' + os.environ['PAT_ORG']"
        put_program(program, f"import os; print('remote.origin.url', {told})")
        monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")
        environment = {**os.environ, "PAT_ACCESS_TOKEN": "bearer", "PAT_ORG": "contoso"}
        assert remote_urls(repository, environment) == [",contoso"]

    def test_a_broken_repository_says_nothing(self, repository: Path) -> None:
        (repository / ".git" / "config").write_text("[remote", "utf-8")
        assert remote_urls(repository, os.environ) == []

    def test_without_git(self, repository: Path, tmp_path: Path) -> None:
        git(repository, "remote", "add", "origin", NEW)
        assert remote_urls(repository, {"PATH": str(tmp_path)}) == []

    def test_a_git_that_hangs_is_not_waited_for(self, repository: Path, tmp_path: Path) -> None:
        program = tmp_path / "git"
        put_program(program, "import time; time.sleep(30)")
        environment = {**os.environ, "PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}"}
        assert remote_urls(repository, environment) == []


class TestAzureCli:
    """`[defaults] organization` of `az devops`."""

    @pytest.fixture
    def file(self, tmp_path: Path) -> Path:
        (tmp_path / "azuredevops").mkdir()
        return tmp_path / "azuredevops" / "config"

    def test_set(self, file: Path) -> None:
        file.write_text(f"[defaults]\norganization = {NEW}%20x\nproject = p\n", "utf-8")
        assert default_organization(file.parent.parent) == f"{NEW}%20x"

    @pytest.mark.parametrize(
        "content",
        [
            b"",
            b"[defaults]\nproject = p\n",
            b"[defaults]\norganization = \n",
            b"[other]\norganization = x\n",
            b"organization = x\n",
            b"[defaults]\n[defaults]\norganization = x\n",
            b"\xff\xfe\x00",
        ],
    )
    def test_not_set_or_not_readable(self, file: Path, content: bytes) -> None:
        file.write_bytes(content)
        assert default_organization(file.parent.parent) is None

    def test_no_file_or_a_folder_in_its_place(self, tmp_path: Path) -> None:
        assert default_organization(tmp_path) is None
        (tmp_path / "azuredevops" / "config").mkdir(parents=True)
        assert default_organization(tmp_path) is None
