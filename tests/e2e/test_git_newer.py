"""git 2.46 and later, in a Debian tree of its own (CONTRIBUTING.md tells how to make one)."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from drivers import Installed, Result
from e2e.hosts import Hosts
from e2e.stage import captured

URL = "https://dev.azure.com/contoso/_git/app"


class Tree:
    """A Debian tree with a newer git and with `pat`, and a folder in it that is one user's home."""

    def __init__(self, root: Path, home: Path) -> None:
        self.root = root
        self.home = home

    @property
    def inside(self) -> str:
        """The home as it is called in the tree."""
        return f"/{self.home.relative_to(self.root)}"

    def variables(self, home: str) -> dict[str, str]:
        """Return where `pat` keeps things, seen from outside or from inside."""
        return {
            "HOME": home,
            "PAT_STATE_DIR": f"{home}/state",
            "PAT_CONFIG_DIR": f"{home}/config",
            "PAT_KEYRING": "azdo_pat.store.sandbox_keyring.SandboxKeyring",
            "PAT_THROWAWAY_KEYRING": f"{home}/keyring.json",
        }

    def git(self, hosts: Hosts, *args: str, **more: str) -> Result:
        """Run the tree's git, with `pat` as its only helper."""
        shutil.copy(hosts.authority, self.home / "authority.pem")
        authority = f"{self.inside}/authority.pem"
        environment = {
            **{name: authority for name in hosts.environment if "PROXY" not in name.upper()},
            "HTTPS_PROXY": hosts.proxy,
            "PATH": "/usr/local/bin:/usr/bin:/bin",
            "GIT_TERMINAL_PROMPT": "0",
            "PAT_ORG": "contoso",
            **self.variables(self.inside),
            **more,
        }
        words = [f"{name}={text}" for name, text in environment.items()]
        helper = ["-c", "credential.helper=pat", "-c", "credential.useHttpPath=true"]
        command = ["chroot", str(self.root), "env", "-i", *words, "git", *helper, *args]
        return captured(command, os.environ)


@pytest.fixture
def tree(request: pytest.FixtureRequest) -> Iterator[Tree]:
    """Give the tree that `--git-tree` names."""
    given = request.config.getoption("--git-tree")
    if not given:
        pytest.skip("no tree with a newer git was given (--git-tree)")
    root = Path(given)
    home = root / f"tmp/home-{os.getpid()}"
    home.mkdir()
    try:
        yield Tree(root, home)
    finally:
        shutil.rmtree(home)


@pytest.fixture
def pat_of_tree(at_microsoft: Installed, tree: Tree) -> Installed:
    """Run the installed `pat` with the tree's state and keyring."""
    return Installed({**at_microsoft.env, **tree.variables(str(tree.home))})


def test_a_stored_token(pat_of_tree: Installed, hosts: Hosts, tree: Tree) -> None:
    assert pat_of_tree("create", "work", "--for", "git").exit_code == 0
    secret = pat_of_tree("get", "work").stdout.strip()
    hosts.repository("contoso/_git/app")
    cloned = tree.git(hosts, "clone", "-q", URL, f"{tree.inside}/clone")
    assert (cloned.exit_code, cloned.stderr) == (0, "")
    assert hosts.secrets() == {secret}


def test_the_access_token_of_whoever_is_signed_in(hosts: Hosts, tree: Tree) -> None:
    hosts.repository("contoso/_git/app")
    token = {"PAT_ACCESS_TOKEN": hosts.bearer}
    cloned = tree.git(hosts, "clone", "-q", URL, f"{tree.inside}/clone", **token)
    assert (cloned.exit_code, cloned.stderr) == (0, "")
    assert {visit.authorization for visit in hosts.visits if visit.authorization} == {
        f"Bearer {hosts.bearer}"
    }


def test_a_token_that_was_revoked(pat_of_tree: Installed, hosts: Hosts, tree: Tree) -> None:
    assert pat_of_tree("create", "work", "--for", "git", "-o", "json").exit_code == 0
    hosts.repository("contoso/_git/app")
    identifier = pat_of_tree("show", "work", "--query", "id").stdout.strip()
    elsewhere = Installed({**pat_of_tree.env, "PAT_STATE_DIR": str(tree.home / "other")})
    assert elsewhere("revoke", identifier, "--yes").exit_code == 0
    refused = tree.git(hosts, "ls-remote", URL)
    assert refused.exit_code == 128
    assert "contoso no longer accepts 'work'" in refused.stderr
    token = {"PAT_ACCESS_TOKEN": hosts.bearer}
    assert tree.git(hosts, "ls-remote", URL, **token).exit_code == 0  # the next one helps itself
