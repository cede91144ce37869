"""Tools that `pat setup` has set up fetch something with the token that only `pat` handed them."""

import base64
import hashlib
import io
import json
import re
import shutil
import tarfile
from pathlib import Path

import pytest

from drivers import PROGRAM, Installed, need
from e2e.guides import UNPRIVILEGED, follow, made, run, trusting, world_readable
from e2e.hosts import Hosts
from keychain import Keychain

BASE = "https://pkgs.dev.azure.com/contoso/_packaging/feed"
FOLDER = "contoso/_packaging/feed"


@pytest.mark.parametrize(
    "url",
    ["https://dev.azure.com/contoso/_git/app", "https://contoso.visualstudio.com/_git/app"],
)
def test_git(url: str, at_microsoft: Installed, hosts: Hosts, home: Path) -> None:
    secret = made(at_microsoft, "work", "git")
    for path in ("contoso/_git/app", "_git/app"):
        hosts.repository(path)
    config = home / ".gitconfig"
    before = b"[credential]\n\thelper = store\n"
    config.write_bytes(before)
    follow(at_microsoft, home, "git")
    cloned = run(at_microsoft, home, "git", "clone", "-q", url, "clone")
    assert cloned.exit_code == 0, cloned.stderr
    assert hosts.secrets() == {secret}
    assert not (home / ".git-credentials").exists()  # the helper for all hosts was not told
    assert world_readable(home, secret) == []
    follow(at_microsoft, home, "git", "undo")
    assert config.read_bytes() == before
    assert run(at_microsoft, home, "git", "ls-remote", url).exit_code == 128


def tarball() -> bytes:
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz") as archive:
        text = json.dumps({"name": "demo", "version": "1.0.0"}).encode()
        member = tarfile.TarInfo("package/package.json")
        member.size = len(text)
        archive.addfile(member, io.BytesIO(text))
    return content.getvalue()


@pytest.fixture
def project(hosts: Hosts, home: Path) -> Path:
    """Put a package into a feed; return the folder of a project that has that registry."""
    registry = f"{BASE}/npm/registry/"
    content = tarball()
    integrity = base64.b64encode(hashlib.sha512(content).digest()).decode()
    dist = {"tarball": f"{registry}demo/-/demo-1.0.0.tgz", "integrity": f"sha512-{integrity}"}
    version = {"name": "demo", "version": "1.0.0", "dist": dist}
    document = {
        "name": "demo",
        "dist-tags": {"latest": "1.0.0"},
        "versions": {"1.0.0": version},
        "time": {"1.0.0": "2020-01-01T00:00:00.000Z"},  # yarn waits for a new one to be looked at
    }
    folder = hosts.packages / FOLDER / "npm/registry/demo"
    (folder / "-").mkdir(parents=True)
    (folder / "index.json").write_text(json.dumps(document))
    (folder / "-/demo-1.0.0.tgz").write_bytes(content)
    project = home / "project"
    project.mkdir()
    (project / ".npmrc").write_text(f"registry={registry}\n")
    (project / "package.json").write_text('{"name": "mine", "version": "1.0.0"}')
    return project


def missing(*programs: str) -> list[str]:
    return [name for name in programs if shutil.which(name) is None]


def test_npm(
    at_microsoft: Installed,
    hosts: Hosts,
    home: Path,
    project: Path,
    request: pytest.FixtureRequest,
) -> None:
    need(request.config, missing("npm"))
    npmrc = home / ".npmrc"
    before = b"; mine\nfund=false\nupdate-notifier=false"
    npmrc.write_bytes(before)
    secret = made(at_microsoft, "packages", "packages")
    follow(at_microsoft, home, "npm")
    install = ("npm", "install", "--no-audit", "--prefer-online", "demo")
    assert run(at_microsoft, home, *install, cwd=project).exit_code == 0
    assert (project / "node_modules/demo/package.json").exists()
    assert hosts.secrets() == {secret}
    assert world_readable(home, secret) == []
    assert at_microsoft("rotate", "packages").exit_code == 0
    hosts.visits.clear()
    shutil.rmtree(project / "node_modules")
    assert run(at_microsoft, home, *install, cwd=project).exit_code == 0
    assert hosts.secrets() == {at_microsoft("get", "packages").stdout.strip()} != {secret}
    follow(at_microsoft, home, "npm", "undo")
    assert npmrc.read_bytes() == before
    refused = run(at_microsoft, home, *install, cwd=project)
    assert refused.exit_code != 0
    assert "E401" in refused.stderr


def test_pnpm(
    at_microsoft: Installed,
    hosts: Hosts,
    home: Path,
    project: Path,
    request: pytest.FixtureRequest,
) -> None:
    need(request.config, missing("pnpm"))
    secret = made(at_microsoft, "packages", "packages")
    follow(at_microsoft, home, "npm")
    store = str(home / "store")
    added = run(at_microsoft, home, "pnpm", "add", "--store-dir", store, "demo", cwd=project)
    assert added.exit_code == 0, added.stdout + added.stderr
    assert (project / "node_modules/demo/package.json").exists()
    assert hosts.secrets() == {secret}
    assert world_readable(home, secret) == []


def test_yarn_1(
    at_microsoft: Installed,
    hosts: Hosts,
    home: Path,
    project: Path,
) -> None:
    """It reads npm's file, by rules of its own."""
    if missing("yarnpkg") or run(at_microsoft, home, "yarnpkg", "--version").stdout[:2] != "1.":
        pytest.skip("not here: Yarn 1")
    secret = made(at_microsoft, "packages", "packages")
    follow(at_microsoft, home, "npm")
    cafile = f'cafile "{hosts.authority}"\nhttps-proxy "{hosts.proxy}"\n'
    (home / ".yarnrc").write_text(cafile)
    words = ("yarnpkg", "add", "--no-progress", "--cache-folder", str(home / "cache"), "demo")
    added = run(at_microsoft, home, *words, cwd=project)
    assert added.exit_code == 0, added.stdout + added.stderr
    assert (project / "node_modules/demo/package.json").exists()
    assert hosts.secrets() == {secret}


def test_yarn(
    at_microsoft: Installed,
    hosts: Hosts,
    home: Path,
    project: Path,
    request: pytest.FixtureRequest,
) -> None:
    need(request.config, missing("yarn"))
    (project / ".yarnrc.yml").write_text(
        f'npmRegistryServer: "{BASE}/npm/registry/"\n'
        f'httpsProxy: "{hosts.proxy}"\nhttpsCaFilePath: "{hosts.authority}"\n'
        "nodeLinker: node-modules\nenableTelemetry: false\nenableGlobalCache: false\n"
    )
    (project / "yarn.lock").write_text("")
    settings = home / ".yarnrc.yml"
    before = b"# mine\nenableColors: false"
    settings.write_bytes(before)
    secret = made(at_microsoft, "packages", "packages")
    follow(at_microsoft, home, "yarn")
    added = run(at_microsoft, home, "yarn", "add", "demo", cwd=project)
    assert added.exit_code == 0, added.stdout + added.stderr
    assert (project / "node_modules/demo/package.json").exists()
    assert hosts.secrets() == {secret}
    assert world_readable(home, secret) == []
    follow(at_microsoft, home, "yarn", "undo")
    assert settings.read_bytes() == before


def test_bun(
    at_microsoft: Installed,
    hosts: Hosts,
    home: Path,
    project: Path,
    request: pytest.FixtureRequest,
) -> None:
    need(request.config, missing("bun"))
    (project / ".npmrc").unlink()
    settings = home / ".config/.bunfig.toml"
    settings.parent.mkdir(exist_ok=True)
    before = b"# mine\n[install]\nexact = true"
    settings.write_bytes(before)
    secret = made(at_microsoft, "packages", "packages")
    follow(at_microsoft, home, "yarn", "bun")
    add = ("bun", "add", "--no-cache", "--cafile", str(hosts.authority), "demo")
    added = run(at_microsoft, home, *add, cwd=project)
    assert added.exit_code == 0, added.stdout + added.stderr
    assert (project / "node_modules/demo/package.json").exists()
    assert hosts.secrets() == {secret}
    assert world_readable(home, secret) == []
    follow(at_microsoft, home, "yarn", "undo bun")
    assert settings.read_bytes() == before


POM = """\
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>{parent}
  <groupId>com.example</groupId>
  <artifactId>{name}</artifactId>
  <version>1.0</version>
  <packaging>pom</packaging>{more}
</project>
"""
PARENT = """
  <parent>
    <groupId>com.example</groupId>
    <artifactId>above</artifactId>
    <version>1.0</version>
    <relativePath/>
  </parent>"""
REPOSITORY = f"""
  <repositories>
    <repository><id>feed</id><url>{BASE}/maven/v1</url></repository>
  </repositories>"""


def test_maven(
    at_microsoft: Installed, hosts: Hosts, home: Path, request: pytest.FixtureRequest
) -> None:
    """A parent is the one thing that Maven fetches without any plugin."""
    need(request.config, missing("mvn", "keytool"))
    folder = hosts.packages / FOLDER / "maven/v1/com/example/above/1.0"
    folder.mkdir(parents=True)
    content = POM.format(parent="", name="above", more="")
    (folder / "above-1.0.pom").write_text(content)
    digest = hashlib.sha1(content.encode()).hexdigest()  # noqa: S324  # Maven's checksum
    (folder / "above-1.0.pom.sha1").write_text(digest)
    project = home / "project"
    project.mkdir()
    (project / "pom.xml").write_text(POM.format(parent=PARENT, name="below", more=REPOSITORY))
    java = trusting(at_microsoft, hosts, home)
    mvn = ("mvn", "-B", "-q", f"-Duser.home={home}", *java, "validate")
    secret = made(at_microsoft, "packages", "packages")
    follow(at_microsoft, home, "maven")
    fetched = run(at_microsoft, home, *mvn, cwd=project)
    assert fetched.exit_code == 0, fetched.stdout + fetched.stderr
    assert secret in hosts.secrets()
    assert world_readable(home, secret) == []
    follow(at_microsoft, home, "maven", "undo")
    assert not (home / ".m2/settings.xml").exists()
    shutil.rmtree(home / ".m2/repository")
    refused = run(at_microsoft, home, *mvn, cwd=project)
    assert refused.exit_code != 0
    assert re.search(r"401|[Uu]nauthorized", refused.stdout)


def test_netrc(
    at_microsoft: Installed, hosts: Hosts, home: Path, request: pytest.FixtureRequest
) -> None:
    need(request.config, missing("curl"))
    hosts.repository("contoso/_git/app")
    secret = made(at_microsoft, "work", "git")
    follow(at_microsoft, home, "netrc")
    url = "https://dev.azure.com/contoso/_git/app/info/refs?service=git-upload-pack"
    curl = ("curl", "-sS", "--netrc", "-o", "answer", "-w", "%{http_code}", url)
    assert run(at_microsoft, home, *curl).stdout == "200"
    assert hosts.secrets() == {secret}
    assert world_readable(home, secret) == []
    follow(at_microsoft, home, "netrc", "undo")
    assert not (home / ".netrc").exists()


def test_pip_and_uv(at_microsoft: Installed, home: Path) -> None:
    made(at_microsoft, "packages", "packages")
    follow(at_microsoft, home, "python")
    shown = run(at_microsoft, home, "uv", "pip", "list", "--show-settings")
    assert re.search(r"keyring_provider: Subprocess", shown.stdout), shown.stdout
    found = run(at_microsoft, home, "python", "-m", "pip", "config", "list")
    assert "global.keyring-provider='subprocess'" in found.stdout


def crate() -> bytes:
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz") as archive:
        for name, text in (
            ("Cargo.toml", '[package]\nname = "demo"\nversion = "1.0.0"\nedition = "2021"\n'),
            ("src/lib.rs", ""),
        ):
            member = tarfile.TarInfo(f"demo-1.0.0/{name}")
            member.size = len(text)
            archive.addfile(member, io.BytesIO(text.encode()))
    return content.getvalue()


LAUNCHED = ("env", f"RUSTUP_HOME={Path(shutil.which('cargo') or '/').parent.parent}/../.rustup")
"""cargo's own launcher, where that is what cargo is, has its tools not in the home of a test."""


def test_cargo(at_microsoft: Installed, hosts: Hosts, home: Path) -> None:
    if missing("cargo"):
        pytest.skip("there is no cargo")
    words = run(at_microsoft, home, *LAUNCHED, "cargo", "--version").stdout.split()
    if [*map(int, words[1].split(".")[:2])] < [1, 74]:
        pytest.skip("cargo 1.74, the first that asks programs, is in no Debian package here")
    index = hosts.packages / FOLDER / "Cargo/index"
    content = crate()
    entry = {
        "name": "demo",
        "vers": "1.0.0",
        "deps": [],
        "cksum": hashlib.sha256(content).hexdigest(),
        "features": {},
        "yanked": False,
    }
    (index / "de/mo").mkdir(parents=True)
    (index / "de/mo/demo").write_text(json.dumps(entry) + "\n")
    download = f"{BASE}/Cargo/crates"
    (index / "config.json").write_text(json.dumps({"dl": download, "auth-required": True}))
    crates = hosts.packages / FOLDER / "Cargo/crates/demo/1.0.0"
    crates.mkdir(parents=True)
    (crates / "download").write_bytes(content)
    project = home / "project"
    (project / "src").mkdir(parents=True)
    (project / "src/lib.rs").write_text("")
    (project / "Cargo.toml").write_text(
        '[package]\nname = "mine"\nversion = "1.0.0"\nedition = "2021"\n'
        '[dependencies]\ndemo = { version = "1", registry = "feed" }\n'
    )
    secret = made(at_microsoft, "packages", "packages")
    cargo_home = home / ".cargo"
    cargo = Installed(
        {
            **at_microsoft.env,
            "CARGO_HOME": str(cargo_home),
            "CARGO_HTTP_CAINFO": str(hosts.authority),
        }
    )
    follow(cargo, home, "cargo")
    fetched = run(cargo, home, *LAUNCHED, "cargo", "fetch", cwd=project)
    assert fetched.exit_code == 0, fetched.stderr
    assert secret in hosts.secrets()
    assert secret not in fetched.stderr
    assert world_readable(home, secret) == []
    follow(cargo, home, "cargo", "undo")
    assert not (cargo_home / "config.toml").exists()


def test_az(at_microsoft: Installed, home: Path) -> None:
    """The lookup is the extension's own: this service, this user, through keyring."""
    secret = made(at_microsoft, "work", "git")
    follow(at_microsoft, home, "az")
    words = ("azdevops-cli:https://dev.azure.com/contoso", "Personal Access Token")
    lookup = ("python", "-c", "import keyring, sys; print(keyring.get_password(*sys.argv[1:]))")
    assert run(at_microsoft, home, *lookup, *words).stdout == f"{secret}\n"
    assert at_microsoft("status", "--org", "contoso", "-o", "json").exit_code == 0
    follow(at_microsoft, home, "az", "undo")
    assert run(at_microsoft, home, *lookup, *words).stdout == "None\n"


def test_terraform(at_microsoft: Installed, home: Path, tmp_path: Path) -> None:
    """A stand-in: it is not to be had, and what it reads is documented by its provider."""
    program = tmp_path / "programs/terraform"
    program.parent.mkdir()
    program.write_text('#!/bin/sh\necho "$@" >heard\nenv | grep ^AZDO_ | sort >>heard\n')
    program.chmod(0o755)
    secret = made(at_microsoft, "infra", "git")
    path = at_microsoft.environment()["PATH"]
    pat = Installed({**at_microsoft.env, "PATH": f"{program.parent}:{path}"})
    follow(pat, home, "terraform")
    assert (home / "heard").read_text().splitlines() == [
        "plan",
        "AZDO_ORG_SERVICE_URL=https://dev.azure.com/contoso",
        f"AZDO_PERSONAL_ACCESS_TOKEN={secret}",
    ]


def test_osxkeychain(at_microsoft: Installed, hosts: Hosts, home: Path, tmp_path: Path) -> None:
    """A git that knows nothing of pat finds it there, as Xcode's does."""
    folder = tmp_path / "helper"
    folder.mkdir()
    keychain = Keychain(folder)
    pat = Installed({**at_microsoft.env, **keychain.env})
    secret = made(pat, "work", "git")
    hosts.repository("contoso/_git/app")
    follow(pat, home, "osxkeychain")
    url = "https://contoso@dev.azure.com/contoso/_git/app"
    clone = ("git", "-c", "credential.helper=osxkeychain", "clone", "-q", url, "clone")
    cloned = run(pat, home, *clone)
    assert cloned.exit_code == 0, cloned.stderr
    assert hosts.secrets() - {""} == {secret}  # git first tries the user alone
    follow(pat, home, "osxkeychain", "undo")
    assert keychain.held == {}


def test_what_is_read_only_stays_as_it_is(
    at_microsoft: Installed, home: Path, request: pytest.FixtureRequest
) -> None:
    need(request.config, missing("setpriv"))
    made(at_microsoft, "packages", "packages")
    npmrc, settings = home / ".npmrc", home / ".m2/settings.xml"
    npmrc.write_bytes(b"a=1\n")
    settings.parent.mkdir()
    settings.write_bytes(b"<settings/>\n")
    npmrc.chmod(0o444)
    settings.parent.chmod(0o555)
    for tool, feed, file, said in (
        ("npm", f"{BASE}/npm/registry/", npmrc, "it is read-only"),
        ("maven", f"{BASE}/maven/v1", settings, "Permission denied"),
    ):
        before = file.read_bytes()
        words = (str(PROGRAM), "setup", tool, "--feed", feed)
        refused = run(at_microsoft, home, *UNPRIVILEGED, *words)
        assert refused.exit_code == 2, refused
        assert f"{file} cannot be written: {said}" in refused.stderr
        assert file.read_bytes() == before
        assert at_microsoft("setup", tool, "--undo").exit_code == 3
    npmrc.chmod(0o644)
    words = (str(PROGRAM), "setup", "npm", "--feed", f"{BASE}/npm/registry/")
    assert run(at_microsoft, home, *UNPRIVILEGED, *words).exit_code == 0
    npmrc.chmod(0o400)
    held = npmrc.read_bytes()
    rotated = run(at_microsoft, home, *UNPRIVILEGED, str(PROGRAM), "rotate", "packages")
    assert rotated.exit_code == 5  # found before a token is made
    assert f"{npmrc} cannot be written: it is read-only" in rotated.stderr
    assert npmrc.read_bytes() == held
    undoing = (str(PROGRAM), "setup", "npm", "--undo")
    assert run(at_microsoft, home, *UNPRIVILEGED, *undoing).exit_code == 2
    npmrc.chmod(0o600)
    assert run(at_microsoft, home, *UNPRIVILEGED, *undoing).exit_code == 0
    assert npmrc.read_bytes() == b"a=1\n"
