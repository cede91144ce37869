"""Tools that take long to install: they are tried where they are (CONTRIBUTING.md names them)."""

import base64
import hashlib
import io
import json
import re
import shutil
import zipfile
from pathlib import Path

import pytest

from drivers import Installed
from e2e.guides import follow, made, run, trusting, world_readable
from e2e.hosts import Hosts


def only_where(*programs: str) -> pytest.MarkDecorator:
    """Skip a test where one of the programs is not here."""
    absent = [name for name in programs if shutil.which(name) is None]
    return pytest.mark.skipif(bool(absent), reason=f"not here: {', '.join(absent)}")


def location(identifier: str, area: str, resource: str, version: str) -> dict[str, object]:
    """Say where a resource of the API is, as `OPTIONS /ORG/_apis` does."""
    return {
        "id": identifier,
        "area": area,
        "resourceName": resource,
        "routeTemplate": "_apis/{resource}/{id}",
        "resourceVersion": 1,
        "minVersion": "1.0",
        "maxVersion": version,
        "releasedVersion": version,
    }


def collection(*values: object) -> tuple[str, bytes]:
    document = {"count": len(values), "value": values}
    return "application/json", json.dumps(document).encode()


@only_where("az")
def test_az_devops(at_microsoft: Installed, hosts: Hosts, home: Path) -> None:
    """The real extension lists the projects of the organization that is its default."""
    version = run(at_microsoft, home, "az", "version", "-o", "json")
    if "azure-devops" not in version.stdout:
        pytest.skip("az has no extension azure-devops here")
    hosts.answers = {
        "OPTIONS /contoso/_apis": collection(
            location("e81700f7-3be2-46de-8624-2eb35882fcaa", "Location", "ResourceAreas", "7.2"),
            location("603fe2ac-9723-48b9-88ad-09305aa6c6e1", "core", "projects", "7.2"),
        ),
        "GET /contoso/_apis/ResourceAreas": collection(
            {
                "id": "79134c72-4a58-4b42-976c-04e7115f32bf",
                "name": "core",
                "locationUrl": "https://dev.azure.com/contoso/",
            }
        ),
        "GET /contoso/_apis/projects": collection(
            {"id": "eb6e4656-77fc-42a1-9181-4c6d8e9da5d1", "name": "fabric"}
        ),
    }
    secret = made(at_microsoft, "work", "git")
    follow(at_microsoft, home, "az")
    listing = ("az", "devops", "project", "list", "--query", "value[].name", "-o", "tsv")
    listed = run(at_microsoft, home, *listing)
    assert (listed.exit_code, listed.stdout) == (0, "fabric\n"), listed.stderr
    assert hosts.secrets() == {secret}
    assert world_readable(home, secret) == []
    hosts.visits.clear()
    assert at_microsoft("rotate", "work").exit_code == 0
    assert run(at_microsoft, home, *listing).exit_code == 0
    assert hosts.secrets() == {at_microsoft("get", "work").stdout.strip()} != {secret}
    follow(at_microsoft, home, "az", "undo")
    organization = ("--org", "https://dev.azure.com/contoso")
    refused = run(at_microsoft, home, *listing, *organization)
    assert refused.exit_code == 1
    assert re.search(r"az login|az devops login", refused.stderr)


POM = """\
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>com.example</groupId>
  <artifactId>demo</artifactId>
  <version>1.0</version>
</project>
"""
BUILD = """\
repositories {{
    maven {{
        name = "feed"
        url = "{feed}"
        credentials {{
            username = feedUsername
            password = feedPassword
        }}
    }}
}}
configurations {{ wanted }}
dependencies {{ wanted "com.example:demo:1.0@jar" }}
task fetch(type: Copy) {{
    from configurations.wanted
    into "fetched"
}}
"""


@only_where("gradle", "keytool")
def test_gradle(at_microsoft: Installed, hosts: Hosts, home: Path) -> None:
    folder = hosts.packages / "contoso/_packaging/feed/maven/v1/com/example/demo/1.0"
    folder.mkdir(parents=True)
    (folder / "demo-1.0.pom").write_text(POM)
    (folder / "demo-1.0.jar").write_bytes(b"a jar")
    project = home / "project"
    project.mkdir()
    feed = "https://pkgs.dev.azure.com/contoso/_packaging/feed/maven/v1"
    (project / "build.gradle").write_text(BUILD.format(feed=feed))
    properties = home / ".gradle/gradle.properties"
    properties.parent.mkdir()
    before = b"# mine\norg.gradle.daemon=false"
    properties.write_bytes(before)
    secret = made(at_microsoft, "packages", "packages")
    follow(at_microsoft, home, "gradle")
    java = trusting(at_microsoft, hosts, home)
    gradle = Installed({**at_microsoft.env, "GRADLE_USER_HOME": str(properties.parent)})
    fetched = run(gradle, home, "gradle", *java, "--no-daemon", "fetch", cwd=project)
    assert fetched.exit_code == 0, fetched.stdout + fetched.stderr
    assert (project / "fetched/demo-1.0.jar").read_bytes() == b"a jar"
    assert hosts.secrets() == {secret}
    assert secret not in fetched.stdout + fetched.stderr
    assert world_readable(home, secret) == []
    follow(at_microsoft, home, "gradle", "undo")
    assert properties.read_bytes() == before


NUGET = "/contoso/_packaging/feed/nuget/v3/index.json"
NUSPEC = """\
<package xmlns="http://schemas.microsoft.com/packaging/2010/07/nuspec.xsd">
  <metadata>
    <id>demo</id>
    <version>1.0.0</version>
    <authors>Ada</authors>
    <description>It holds a file.</description>
  </metadata>
</package>
"""
RELATIONS = """\
<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">
  <Relationship Id="R1" Target="/demo.nuspec"
    Type="http://schemas.microsoft.com/packaging/2010/07/manifest" />
</Relationships>
"""
TYPES = """\
<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">
  <Default Extension="rels"
    ContentType="application/vnd.openxmlformats-package.relationships+xml" />
  <Default Extension="nuspec" ContentType="application/octet" />
  <Default Extension="txt" ContentType="application/octet" />
</Types>
"""
ENTRY = """\
<entry xml:base="{feed}/" xmlns="http://www.w3.org/2005/Atom"
  xmlns:d="http://schemas.microsoft.com/ado/2007/08/dataservices"
  xmlns:m="http://schemas.microsoft.com/ado/2007/08/dataservices/metadata">
  <id>{feed}/Packages(Id='demo',Version='1.0.0')</id>
  <category term="NuGetGallery.V2FeedPackage"
    scheme="http://schemas.microsoft.com/ado/2007/08/dataservices/scheme" />
  <title type="text">demo</title>
  <updated>2020-01-01T00:00:00Z</updated>
  <author><name>Ada</name></author>
  <content type="application/zip" src="{feed}/demo.1.0.0.nupkg" />
  <m:properties>
    <d:Version>1.0.0</d:Version>
    <d:PackageHash>{digest}</d:PackageHash>
    <d:PackageHashAlgorithm>SHA512</d:PackageHashAlgorithm>
    <d:PackageSize m:type="Edm.Int64">{size}</d:PackageSize>
  </m:properties>
</entry>
"""
SERVICE = """\
<service xml:base="{feed}/" xmlns="http://www.w3.org/2007/app"
  xmlns:atom="http://www.w3.org/2005/Atom">
  <workspace>
    <atom:title>Default</atom:title>
    <collection href="Packages"><atom:title>Packages</atom:title></collection>
  </workspace>
</service>
"""


def nupkg() -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, text in (
            ("demo.nuspec", NUSPEC),
            ("content/file.txt", "a file"),
            ("_rels/.rels", RELATIONS),
            ("[Content_Types].xml", TYPES),
        ):
            archive.writestr(name, text)
    return content.getvalue()


@only_where("nuget", "cert-sync")
def test_nuget(at_microsoft: Installed, hosts: Hosts, home: Path) -> None:
    """NuGet 2.8, which Debian has, asks by an older protocol; the file with credentials is one."""
    feed = f"https://pkgs.dev.azure.com{NUGET}"
    content = nupkg()
    digest = base64.b64encode(hashlib.sha512(content).digest()).decode()
    entry = ENTRY.format(feed=feed, digest=digest, size=len(content))
    hosts.answers = {
        f"GET {NUGET}": ("application/xml", SERVICE.format(feed=feed).encode()),
        f"GET {NUGET}/Packages(Id='demo',Version='1.0.0')": (
            "application/atom+xml;type=entry;charset=utf-8",
            entry.encode(),
        ),
        f"GET {NUGET}/demo.1.0.0.nupkg": ("application/zip", content),
    }
    assert run(at_microsoft, home, "cert-sync", "--user", str(hosts.authority)).exit_code == 0
    secret = made(at_microsoft, "packages", "packages")
    follow(at_microsoft, home, "nuget")
    config = home / ".nuget/NuGet/NuGet.Config"
    words = ["nuget", "install", "demo", "-Version", "1.0.0", "-Source", "contoso-feed"]
    words += ["-NonInteractive", "-ConfigFile", str(config)]
    nuget = Installed({**at_microsoft.env, "http_proxy": hosts.proxy})
    installed = run(nuget, home, *words)
    assert installed.exit_code == 0, installed.stdout + installed.stderr
    assert (home / "demo.1.0.0/content/file.txt").read_text() == "a file"
    assert hosts.secrets() == {secret}
    assert secret not in installed.stdout + installed.stderr
    assert world_readable(home, secret) == []
    follow(at_microsoft, home, "nuget", "undo")
    assert not config.exists()
