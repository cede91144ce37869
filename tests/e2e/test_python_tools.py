"""pip, uv and twine, with a feed's own URL, get the token that `pat` keeps, through keyring."""

import io
import sys
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from drivers import PROGRAM, Installed, Result
from e2e.hosts import Hosts
from e2e.stage import captured

BIN = PROGRAM.parent
FEED = "https://pkgs.dev.azure.com/contoso/_packaging/feed/pypi"
WHEEL = "demo-1.0-py3-none-any.whl"
METADATA = "Metadata-Version: 2.1\nName: demo\nVersion: 1.0\n"


def wheel() -> bytes:
    """Return the smallest package that pip installs."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("demo.py", "")
        archive.writestr("demo-1.0.dist-info/METADATA", METADATA)
        archive.writestr(
            "demo-1.0.dist-info/WHEEL",
            "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        )
        archive.writestr("demo-1.0.dist-info/RECORD", "demo.py,,\n")
    return content.getvalue()


CONTENT = wheel()


@pytest.fixture
def feed(hosts: Hosts) -> str:
    """Put a package into a feed; return the URL of its index."""
    page = hosts.packages / "contoso/_packaging/feed/pypi/simple/demo"
    page.mkdir(parents=True)
    (page / "index.html").write_text(f'<a href="../../files/{WHEEL}">{WHEEL}</a>')
    files = page.parent.parent / "files"
    files.mkdir()
    (files / WHEEL).write_bytes(CONTENT)
    return f"{FEED}/simple/"


@pytest.fixture
def secret(at_microsoft: Installed) -> str:
    """Store a token for packages, and one that is for other things; return the first's secret."""
    assert at_microsoft("create", "work", "--for", "git").exit_code == 0
    assert at_microsoft("create", "packages", "--for", "packages").exit_code == 0
    return at_microsoft("get", "packages").stdout.strip()


def run(pat: Installed, *words: str | Path, env: dict[str, str] | None = None) -> Result:
    environment = pat.environment(env)
    environment["PATH"] = f"{BIN}:{environment['PATH']}"
    return captured(words, environment)


def pip(pat: Installed, feed: str, folder: Path, *args: str) -> Result:
    words = [sys.executable, "-m", "pip", "-v", "--isolated", "--disable-pip-version-check"]
    words += ["--cert", pat.environment()["PIP_CERT"]]  # which --isolated leaves out
    words += ["download", "--no-deps", "--no-cache-dir", "--index-url", feed, "-d", str(folder)]
    return run(pat, *words, *args, "demo")


def test_pip(at_microsoft: Installed, hosts: Hosts, feed: str, secret: str, tmp_path: Path) -> None:
    result = pip(at_microsoft, feed, tmp_path)
    assert result.exit_code == 0, result.stdout + result.stderr
    assert (tmp_path / WHEEL).read_bytes() == CONTENT
    assert hosts.secrets() == {secret}
    assert secret not in result.stdout + result.stderr


def test_pip_with_a_user_in_the_url(
    at_microsoft: Installed, hosts: Hosts, feed: str, secret: str, tmp_path: Path
) -> None:
    result = pip(at_microsoft, feed.replace("https://", "https://ada@"), tmp_path)
    assert result.exit_code == 0, result.stdout + result.stderr
    assert hosts.secrets() - {""} == {secret}


def test_pip_without_a_token(
    at_microsoft: Installed, hosts: Hosts, feed: str, tmp_path: Path
) -> None:
    result = pip(at_microsoft, feed, tmp_path, "--no-input")
    assert result.exit_code == 1
    assert hosts.secrets() == set()


def test_uv(at_microsoft: Installed, hosts: Hosts, feed: str, secret: str, tmp_path: Path) -> None:
    env = {"UV_CACHE_DIR": str(tmp_path / "cache"), "UV_PYTHON_DOWNLOADS": "never"}
    target = tmp_path / "target"
    words = ["uv", "pip", "install", "--no-config", "--keyring-provider", "subprocess"]
    url = feed.replace("https://", "https://pat@")
    words += ["--python", sys.executable, "--index-url", url, "--target", str(target), "demo"]
    result = run(at_microsoft, *words, env=env)
    assert result.exit_code == 0, result.stderr
    assert (target / "demo.py").exists()
    assert hosts.secrets() - {""} == {secret}


def test_twine(at_microsoft: Installed, hosts: Hosts, secret: str, tmp_path: Path) -> None:
    (tmp_path / WHEEL).write_bytes(CONTENT)
    words = ["twine", "upload", "--non-interactive", "--disable-progress-bar"]
    words += ["--repository-url", f"{FEED}/upload/", str(tmp_path / WHEEL)]
    result = run(at_microsoft, *words)
    assert result.exit_code == 0, result.stdout + result.stderr
    uploaded = hosts.packages / "contoso/_packaging/feed/pypi/upload/upload"
    assert CONTENT in uploaded.read_bytes()
    assert hosts.secrets() == {secret}


POETRY = """\
[project]
name = "mine"
version = "1.0"
requires-python = ">=3.11"
dependencies = ["demo"]

[tool.poetry]
package-mode = false

[[tool.poetry.source]]
name = "feed"
url = "{feed}"
"""


def test_poetry(
    at_microsoft: Installed, hosts: Hosts, feed: str, secret: str, home: Path, tmp_path: Path
) -> None:
    (tmp_path / "pyproject.toml").write_text(POETRY.format(feed=feed))
    env = {"HOME": str(home), "POETRY_CERTIFICATES_FEED_CERT": str(hosts.authority)}
    locked = run(at_microsoft, "poetry", "-n", "-C", tmp_path, "lock", env=env)
    assert locked.exit_code == 0, locked.stdout + locked.stderr
    assert WHEEL in (tmp_path / "poetry.lock").read_text()
    assert hosts.secrets() == {secret}
    assert secret not in (tmp_path / "poetry.lock").read_text()


@pytest.mark.parametrize(
    "index",
    [
        "http://pkgs.dev.azure.com/contoso/_packaging/feed/pypi/simple/",
        "https://pkgs.dev.azure.com/evilorg/_packaging/feed/pypi/simple/",
    ],
)
def test_pip_that_somebody_elses_project_sends_elsewhere(
    index: str, at_microsoft: Installed, hosts: Hosts, secret: str, tmp_path: Path
) -> None:
    """First it asks by the URL, and then, in vain, by the host."""
    heard: list[str] = []
    with plain_proxy(heard) as proxy:
        pat = Installed({**at_microsoft.env, "http_proxy": proxy})
        trusted = ("--trusted-host", "pkgs.dev.azure.com")
        result = pip(pat, index, tmp_path, *trusted)
    assert result.exit_code != 0
    assert hosts.secrets() == set()
    assert heard or index.startswith("https")
    assert all("Authorization" not in each for each in heard)
    assert secret not in "".join(heard)


@contextmanager
def plain_proxy(heard: list[str]) -> Iterator[str]:
    """Stand in for a proxy that sees plain requests; note what they carry; ask for a password."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:  # the base's
            heard.append(f"{self.path} {dict(self.headers)}")
            self.send_response(401)
            self.send_header("WWW-Authenticate", 'Basic realm="feed"')
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


OTHERS = (
    "https://pypi.org/simple/",
    "https://pkgs.dev.azure.com.evil.example/contoso/_packaging/feed/pypi/simple/",
    "https://evilpkgs.dev.azure.com/contoso/_packaging/feed/pypi/simple/",
    "https://pkgs.dev.azure.com@evil.example/contoso/_packaging/feed/pypi/simple/",
    "https://pkgs.dev.azure.com:8443/contoso/_packaging/feed/pypi/simple/",
    "http://pkgs.dev.azure.com/contoso/_packaging/feed/pypi/simple/",
    "https://pkgs.dev.azure.com/fabrikam/_packaging/feed/pypi/simple/",
    "https://fabrikam.pkgs.visualstudio.com/_packaging/feed/pypi/simple/",
    "https://a.contoso.pkgs.visualstudio.com/_packaging/feed/pypi/simple/",
    "https://dev.azure.com/contoso",
    "https://pkgs.dev.azure.com",
    "https://pkgs.dev.azure.com/contoso/../fabrikam/_packaging/feed/pypi/simple/",
    "https://pkgs.dev.azure.com/contoso/%2E%2e/fabrikam/_packaging/feed/pypi/simple/",
    "https://pkgs.dev.azure.com/contoso%2F..%2Ffabrikam/_packaging/feed/pypi/simple/",
    "https://evil.example\\@pkgs.dev.azure.com/contoso/_packaging/feed/pypi/simple/",
    "pkgs.dev.azure.com",
    "pkgs.dev.azure.com:443",
    "contoso.pkgs.visualstudio.com",
    "https://[",
    "azdo-pat:https://dev.azure.com/contoso",
    "",
)


def test_every_other_service_is_left_to_others(at_microsoft: Installed, secret: str) -> None:
    """It is asked alone, so that what another backend has is not seen."""
    env = {"PYTHON_KEYRING_BACKEND": "azdo_pat.keyring_backend.PackagesBackend"}
    code = "import keyring, sys; [print(keyring.get_credential(s, None)) for s in sys.argv[1:]]"
    result = run(at_microsoft, sys.executable, "-W", "error", "-c", code, *OTHERS, env=env)
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.splitlines() == ["None"] * len(OTHERS)
    assert secret


def test_keyring_itself_works_as_before(at_microsoft: Installed, secret: str) -> None:
    code = (
        "import keyring as k; k.set_password('their service', 'ada', 'theirs');"
        " print(k.get_password('their service', 'ada'));"
        " k.delete_password('their service', 'ada');"
        " print(k.get_password('their service', 'ada'))"
    )
    result = run(at_microsoft, sys.executable, "-c", code)
    assert (result.stdout, result.stderr) == ("theirs\nNone\n", "")
    for service in (f"{FEED}/simple/", f"{FEED.replace('azure', 'AZURE')}"):
        found = run(at_microsoft, BIN / "keyring", "get", service, "pat")
        assert (found.exit_code, found.stdout) == (0, f"{secret}\n")


def test_an_expired_token_is_told(at_microsoft: Installed, hosts: Hosts, feed: str) -> None:
    assert hosts.visits == []
    imported = at_microsoft("create", "packages", "--for", "packages", "--as", "token")
    assert at_microsoft("forget", "packages").exit_code == 0
    stored = at_microsoft(
        "import", "packages", "--expires", "2020-01-01T00:00:00Z", stdin=imported.stdout
    )
    assert stored.exit_code == 0, stored.stderr
    found = run(at_microsoft, BIN / "keyring", "get", feed, "pat")
    assert found.exit_code != 0
    assert "the token 'packages' for packages of contoso has expired" in found.stderr
    assert "pat rotate packages" in found.stderr


def test_without_another_backend_it_is_as_if_there_was_no_keyring(
    home: Path, tmp_path: Path
) -> None:
    """Poetry then keeps passwords in a file; it asks keyring first whether there is one."""
    alone = {"HOME": str(home), "PATH": f"{BIN}:/usr/bin:/bin"}
    storing = "import keyring; keyring.set_password('theirs', 'ada', 'x')"
    stored = captured([sys.executable, "-c", storing], alone)
    assert stored.exit_code != 0
    assert "NoKeyringError" in stored.stderr
    assert "NotImplementedError" not in stored.stderr
    (tmp_path / "pyproject.toml").write_text(POETRY.format(feed="https://pypi.example/simple/"))
    words = ["poetry", "-n", "-C", str(tmp_path), "config", "http-basic.theirs", "ada", "theirs"]
    configured = captured(words, alone)
    assert configured.exit_code == 0, configured.stderr
    assert 'password = "theirs"' in (home / ".config/pypoetry/auth.toml").read_text()
    feed = captured([BIN / "keyring", "get", f"{FEED}/simple/", "pat"], alone)
    assert (feed.exit_code, feed.stdout, feed.stderr) == (1, "", "")
