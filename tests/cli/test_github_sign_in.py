"""Which token a delivery to GitHub uses, and that it goes to no other host."""

import os
from pathlib import Path

import pytest

from azdo_pat.cli.github_sign_in import GitHubSignIn
from azdo_pat.errors import SignInError, UsageError
from drivers import put_program

SERVER = "github.example.com"
GH = """
import os, sys
names = ("GH_TOKEN", "GITHUB_TOKEN", "GH_ENTERPRISE_TOKEN", "GITHUB_ENTERPRISE_TOKEN")
assert not any(name in os.environ for name in (*names, "PAT_ACCESS_TOKEN")), "variables"
assert sys.argv[1:4] == ["auth", "token", "--hostname"], sys.argv
saved = {"github.com": "of-gh", "two.ghe.com": "two words", "three.ghe.com": "\\u00e4"}
if sys.argv[4] not in saved:
    sys.exit("no oauth token")
sys.stdout.buffer.write(saved[sys.argv[4]].encode() + b"\\n")
"""


@pytest.fixture
def gh(tmp_path: Path) -> str:
    """Put a `gh` that somebody has signed in with into a folder; return that folder."""
    put_program(tmp_path / "gh", GH)
    return f"{tmp_path}{os.pathsep}{os.environ['PATH']}"


def found(host: str, **environment: str) -> tuple[str, str]:
    """Return the token for a host, and where it came from."""
    merged = {**os.environ, "PATH": "", **environment}
    token = GitHubSignIn(merged, lambda _: None).token(host)
    return token.secret.reveal(), token.source


@pytest.mark.parametrize("host", ["github.com", "contoso.ghe.com"])
def test_the_variables_for_hosts_of_github(host: str) -> None:
    others = {"GH_ENTERPRISE_TOKEN": "c", "GITHUB_ENTERPRISE_TOKEN": "d"}
    assert found(host, GITHUB_TOKEN="b", GH_TOKEN="a", **others) == ("a", "GH_TOKEN")
    assert found(host, GITHUB_TOKEN=" b\n", GH_TOKEN="", **others) == ("b", "GITHUB_TOKEN")
    with pytest.raises(SignInError) as caught:
        found(host, **others)
    assert caught.value.message == f"no token for {host} is set or saved"
    assert f"run: gh auth login --hostname {host}; or set GH_TOKEN to" in caught.value.hint


@pytest.mark.parametrize("host", [SERVER, "github.com.evil.example", "localhost:8443"])
def test_the_variables_for_a_server_of_ones_own(host: str) -> None:
    others = {"GH_TOKEN": "a", "GITHUB_TOKEN": "b"}
    assert found(host, GITHUB_ENTERPRISE_TOKEN="d", GH_ENTERPRISE_TOKEN="c", **others) == (
        "c",
        "GH_ENTERPRISE_TOKEN",
    )
    assert found(host, GITHUB_ENTERPRISE_TOKEN="d") == ("d", "GITHUB_ENTERPRISE_TOKEN")
    with pytest.raises(SignInError) as caught:
        found(host, **others)
    assert "or set GH_ENTERPRISE_TOKEN to" in caught.value.hint


@pytest.mark.parametrize(
    ("host", "other"),
    [
        (SERVER, "github.example.org"),
        ("github.com", "contoso.ghe.com"),
        ("contoso.ghe.com", "github.com"),
    ],
)
def test_a_variable_is_for_the_host_that_the_environment_names(host: str, other: str) -> None:
    tokens = {"GH_TOKEN": "a", "GH_ENTERPRISE_TOKEN": "c"}
    assert found(host, GH_HOST=host.upper(), **tokens)[0] in "ac"
    with pytest.raises(SignInError, match="no token for"):
        found(host, GH_HOST=other, **tokens)


@pytest.mark.parametrize("other", [SERVER, "www.github.com"])
def test_a_variable_that_cannot_be_for_the_host_that_is_named(other: str) -> None:
    assert found("github.com", GH_HOST=other, GH_TOKEN="a") == ("a", "GH_TOKEN")


def test_what_gh_has_saved(gh: str) -> None:
    others = {"GH_ENTERPRISE_TOKEN": "c", "PAT_ACCESS_TOKEN": "e"}
    assert found("github.com", PATH=gh, **others) == ("of-gh", "gh")
    assert found("github.com", PATH=gh, GH_HOST="contoso.ghe.com", GH_TOKEN="a") == ("of-gh", "gh")
    with pytest.raises(SignInError, match=f"no token for {SERVER}"):
        found(SERVER, PATH=gh)
    with pytest.raises(SignInError, match="the token from gh contains spaces"):
        found("two.ghe.com", PATH=gh)
    with pytest.raises(SignInError, match="gh could not be asked for the token"):
        found("three.ghe.com", PATH=gh)


@pytest.mark.posix("modes of files")
def test_a_gh_that_cannot_be_started(tmp_path: Path) -> None:
    program = tmp_path / "gh"
    program.write_bytes(b"\x7fELF")
    program.chmod(0o755)
    with pytest.raises(SignInError, match="gh could not be asked for the token"):
        found("github.com", PATH=str(tmp_path))


@pytest.mark.parametrize("text", ["two words", "a\nb", "ä"])
def test_a_variable_that_is_no_token(text: str) -> None:
    with pytest.raises(SignInError, match="the token from GH_TOKEN contains spaces"):
        found("github.com", GH_TOKEN=text)


def test_a_host_that_users_do_not_sign_in_to() -> None:
    with pytest.raises(UsageError, match="is not a GitHub host"):
        found("api.github.com", GH_TOKEN="a")


def test_it_is_asked_for_and_told_once() -> None:
    told: list[str] = []
    sign_in = GitHubSignIn({"PATH": "", "GH_TOKEN": "a"}, told.append)
    assert sign_in.token("github.com") is sign_in.token("github.com")
    assert told == ["token for github.com from GH_TOKEN"]
