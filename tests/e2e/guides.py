"""What the tests of tools share: a token, the tool itself, and what its guide says."""

import base64
import re
import stat
from pathlib import Path
from urllib.parse import urlsplit

from drivers import PROGRAM, Installed, Result
from e2e.hosts import Hosts
from e2e.stage import captured

TOOLS = Path(__file__).parents[2] / "docs/tools"


UNPRIVILEGED = (
    "setpriv",
    "--bounding-set=-dac_override,-dac_read_search",
    "--inh-caps=-dac_override,-dac_read_search",
)
"""Before a command: root may then write and read no more than the permissions of a file let it."""


def run(pat: Installed, home: Path, *words: str, cwd: Path | None = None) -> Result:
    """Run a tool as the user would, whose home this is."""
    environment = pat.environment({"HOME": str(home), "GIT_TERMINAL_PROMPT": "0"})
    environment["PATH"] = f"{PROGRAM.parent}:{environment['PATH']}"
    return captured(words, environment, cwd=cwd or home)


def made(pat: Installed, name: str, recipe: str) -> str:
    assert pat("create", name, "--for", recipe).exit_code == 0
    return pat("get", name).stdout.strip()


def follow(pat: Installed, home: Path, tool: str, mark: str = "setup") -> None:
    """Do what the guide of a tool says."""
    page = (TOOLS / f"{tool}.md").read_text("utf-8")
    found = re.search(rf"<!-- test: {mark} -->\n```sh\n(.*?)^```$", page, re.DOTALL | re.MULTILINE)
    assert found, f"{tool}.md has no block below <!-- test: {mark} -->"
    result = run(pat, home, "bash", "-euc", found[1])
    assert result.exit_code == 0, result.stderr


def world_readable(home: Path, secret: str) -> list[Path]:
    """Return the files that hold a secret, in plain or in base64, and that others may read."""
    forms = [secret.encode(), base64.b64encode(secret.encode())]
    return [
        file
        for file in home.rglob("*")
        if file.is_file()
        and not file.is_symlink()
        and any(form in file.read_bytes() for form in forms)
        and stat.S_IMODE(file.stat().st_mode) & 0o077
    ]


def trusting(pat: Installed, hosts: Hosts, home: Path) -> tuple[str, ...]:
    """Return the options with which a Java program finds the hosts, and trusts them."""
    trusted = home / "trusted.p12"
    words = ["keytool", "-importcert", "-noprompt", "-alias", "test", "-storetype", "PKCS12"]
    words += ["-file", str(hosts.authority), "-keystore", str(trusted), "-storepass", "changeit"]
    assert run(pat, home, *words).exit_code == 0
    proxy = urlsplit(hosts.proxy)
    return (
        f"-Djavax.net.ssl.trustStore={trusted}",
        "-Djavax.net.ssl.trustStorePassword=changeit",
        f"-Dhttps.proxyHost={proxy.hostname}",
        f"-Dhttps.proxyPort={proxy.port}",
    )
