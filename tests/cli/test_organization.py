"""Which organization is meant, in the whole order, and that `pat status` says why."""

import subprocess
from pathlib import Path

import pytest

from cli.stage import as_json, done, failed, failed_as_json, put, token_object
from drivers import Emulator, InProcess, need_git

SOURCE = ("status", "-o", "json", "--query", "[organization.name, organization_source]")
NOWHERE = {"PAT_ORG": None}


def found(name: str | None, source: str | None) -> object:
    return done(as_json([name, source]))


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stand in a new git repository without a remote."""
    need_git()
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def remote(repository: Path, url: str, name: str = "origin") -> None:
    subprocess.run(["git", "-C", str(repository), "remote", "add", name, url], check=True)


def azure_default(home: Path, text: str) -> dict[str, str | None]:
    """Set a default of `az devops`; return the environment in which it holds."""
    file = home / "azure" / "azuredevops" / "config"
    file.parent.mkdir(parents=True)
    file.write_text(f"[defaults]\norganization = {text}\n", "utf-8")
    return {**NOWHERE, "AZURE_CONFIG_DIR": str(home / "azure")}


def test_the_whole_order(pat: InProcess, emulator: Emulator, home: Path, repository: Path) -> None:
    """Each place is filled with another name, and then emptied again from the top."""
    env = azure_default(home, "https://dev.azure.com/five")
    remote(repository, "https://dev.azure.com/four/project/_git/repo")
    pat("config", "set", "org", "three", "-q")
    both = {**env, "PAT_ORG": "two"}
    assert pat(*SOURCE, "--org", "one", env=both) == found("one", "--org")
    assert pat("--org", "one", *SOURCE, env=both) == found("one", "--org")
    assert pat(*SOURCE, env=both) == found("two", "PAT_ORG")
    assert pat(*SOURCE, env=env) == found("three", "config file")
    pat("config", "unset", "org", "-q")
    assert pat(*SOURCE, env=env) == found("four", "git remote")
    subprocess.run(["git", "remote", "remove", "origin"], cwd=repository, check=True)
    assert pat(*SOURCE, env=env) == found("five", "az devops defaults")
    grace = {**NOWHERE, "PAT_ACCESS_TOKEN": emulator.mint("user", user="grace")}
    assert pat(*SOURCE, env=grace) == found("contoso", "the only one you have")
    assert pat(*SOURCE, env=NOWHERE) == found(None, None)


def test_the_only_one_is_used(pat: InProcess, emulator: Emulator) -> None:
    token = put(emulator, "graces", user="grace")
    env = {**NOWHERE, "PAT_ACCESS_TOKEN": emulator.mint("user", user="grace")}
    result = pat("list", "-v", "-o", "json", env=env)
    assert (result.exit_code, result.json) == (0, [token_object(token)])
    said = result.stderr.splitlines()
    assert said[0] == "access token from PAT_ACCESS_TOKEN"
    assert "organization contoso (the only one you have)" in said


def test_one_of_several_must_be_named(pat: InProcess) -> None:
    message = "no organization given, and you have several: contoso, fabrikam"
    hint = "add --org contoso; or, to set it once, run: pat config set org contoso"
    assert pat("list", env=NOWHERE) == failed(2, message, hint)
    assert pat("list", "-o", "json", env=NOWHERE) == failed_as_json(2, "usage", message, hint)


@pytest.mark.parametrize(
    "text",
    [
        "fabrikam",
        "FABRIKAM",
        "https://dev.azure.com/fabrikam",
        "https://dev.azure.com/fabrikam/",
        "https://dev.azure.com/fabrikam/project/_git/repo",
        "dev.azure.com/fabrikam",
        "https://fabrikam.visualstudio.com",
        "https://fabrikam.visualstudio.com/DefaultCollection",
    ],
)
def test_a_name_and_both_urls_are_the_same(text: str, pat: InProcess, emulator: Emulator) -> None:
    token = put(emulator, "theirs", organization="fabrikam")
    assert pat("list", "--org", text, "-o", "json") == done(as_json([token_object(token)]))


def test_the_url_below_the_root_is_the_same_too(pat: InProcess, emulator: Emulator) -> None:
    token = put(emulator, "theirs", organization="fabrikam")
    url = f"{emulator.url}/fabrikam"
    assert pat("list", "--org", url, "-o", "json") == done(as_json([token_object(token)]))


@pytest.mark.parametrize(
    "url",
    [
        "https://dev.azure.com/fabrikam/project/_git/repo",
        "https://fabrikam@dev.azure.com/fabrikam/project/_git/repo",
        "https://fabrikam.visualstudio.com/project/_git/repo",
        "https://fabrikam.visualstudio.com/DefaultCollection/project/_git/repo",
        "git@ssh.dev.azure.com:v3/fabrikam/project/repo",
        "ssh://git@ssh.dev.azure.com/v3/fabrikam/project/repo",
        "fabrikam@vs-ssh.visualstudio.com:v3/fabrikam/project/repo",
    ],
)
def test_remotes_of_azure_devops(url: str, pat: InProcess, repository: Path) -> None:
    remote(repository, url)
    assert pat(*SOURCE, env=NOWHERE) == found("fabrikam", "git remote")


@pytest.mark.parametrize(
    "url",
    [
        "https://github.com/fabrikam/repo",
        "https://dev.azure.com.evil.example/fabrikam/project/_git/repo",
        "https://evildev.azure.com/fabrikam/project/_git/repo",
        "https://fabrikam.visualstudio.com.evil.example/_git/repo",
        "git@ssh.dev.azure.com.evil.example:v3/fabrikam/project/repo",
        "/srv/git/repo.git",
    ],
)
def test_remotes_of_others(url: str, pat: InProcess, repository: Path) -> None:
    remote(repository, url)
    assert pat(*SOURCE, env=NOWHERE) == found(None, None)


def test_origin_comes_first_and_others_count(pat: InProcess, repository: Path) -> None:
    remote(repository, "https://dev.azure.com/contoso/project/_git/repo", "upstream")
    assert pat(*SOURCE, env=NOWHERE) == found("contoso", "git remote")
    remote(repository, "https://dev.azure.com/fabrikam/project/_git/repo", "origin")
    assert pat(*SOURCE, env=NOWHERE) == found("fabrikam", "git remote")


def test_a_folder_below_the_repository(
    pat: InProcess, repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    remote(repository, "https://dev.azure.com/fabrikam/project/_git/repo")
    (repository / "src" / "deep").mkdir(parents=True)
    monkeypatch.chdir(repository / "src" / "deep")
    assert pat(*SOURCE, env=NOWHERE) == found("fabrikam", "git remote")


@pytest.mark.parametrize("text", ["fabrikam", "https://dev.azure.com/fabrikam/"])
def test_the_default_of_az_devops(text: str, pat: InProcess, home: Path) -> None:
    env = azure_default(home, text)
    assert pat(*SOURCE, env=env) == found("fabrikam", "az devops defaults")


def test_the_default_of_az_devops_in_the_home(pat: InProcess, home: Path) -> None:
    azure_default(home, "fabrikam")
    (home / "azure").rename(home / ".azure")
    assert pat(*SOURCE, env=NOWHERE) == found("fabrikam", "az devops defaults")


@pytest.mark.parametrize("content", [b"not an ini file", b"\xff\xfe", b"[defaults]\n"])
def test_a_file_of_az_that_says_nothing_is_passed_over(
    content: bytes, pat: InProcess, home: Path
) -> None:
    env = azure_default(home, "x")
    (home / "azure" / "azuredevops" / "config").write_bytes(content)
    assert pat(*SOURCE, env=env) == found(None, None)


def test_an_empty_option_does_not_fall_through_to_another(
    pat: InProcess, emulator: Emulator
) -> None:
    put(emulator, "one")
    for args in (("revoke", "one", "--yes"), ("list",), ("create", "x", "--scope", "code")):
        assert pat(*args, "--org", "") == failed(
            2,
            "'' is not the name or URL of an organization",
            "use its name, https://dev.azure.com/NAME, https://NAME.visualstudio.com,"
            " or https://SERVER/COLLECTION for Azure DevOps Server",
        )
    assert emulator.requests == []


def test_an_empty_variable_is_one_that_is_not_set(pat: InProcess, home: Path) -> None:
    env = {**azure_default(home, "fabrikam"), "PAT_ORG": ""}
    assert pat(*SOURCE, env=env) == found("fabrikam", "az devops defaults")
