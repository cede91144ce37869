"""The files of tools: the credentials are in them, and all else is as it was."""

import base64
import configparser
import netrc
import re
import subprocess
import tomllib
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from azdo_pat.errors import UsageError
from azdo_pat.tools import az
from azdo_pat.tools.registry import TOOLS
from azdo_pat.tools.tool import ToolInput, checked_feed, feed_name
from drivers import need_git

BASE = "https://pkgs.dev.azure.com/contoso/_packaging/feed"
YARN_KEY = "//pkgs.dev.azure.com/contoso/_packaging/feed/npm/registry"
SECRET = "Abc123" * 14
NEWER = "Xyz789" * 14
FEEDS = {name: f"{BASE}{tool.feed}" if tool.feed else "" for name, tool in TOOLS.items()}
PURE = sorted(set(TOOLS) - {"git"})
LINED = [name for name in PURE if name not in {"maven", "nuget"}]
MAVEN = "{http://maven.apache.org/SETTINGS/1.0.0}"


def tool_input(name: str, secret: str = SECRET) -> ToolInput:
    tool = TOOLS[name]
    return ToolInput(
        secret=secret if tool.keeps_secret else "",
        feed=checked_feed(tool, FEEDS[name]) if tool.feed else "",
        org_url="https://dev.azure.com/contoso",
        programs="/opt/pat/bin",
    )


def edited(name: str, text: str, secret: str = SECRET) -> str:
    if name == "git":
        need_git()
    return TOOLS[name].edited(text, tool_input(name, secret))


KEPT = {
    "npm": "; mine\nregistry=https://registry.npmjs.org/\n//other.example/:_authToken=theirs\n",
    "pnpm": "store-dir=/tmp/x\n",
    "gradle": "# mine\norg.gradle.jvmargs=-Xmx2g\n\nother = 1\n",
    "netrc": "machine github.com login ada password theirs # machine dev.azure.com\n"
    "macdef init\nmachine dev.azure.com\n\nmachine x.example\n  login a\n  password machine\n",
    "pip": "; mine\n[global]\ntimeout = 3\n\n[install]\nuser = true\n",
    "uv": '# mine\nnative-tls = true\n\n[[index]]\nname = "x"\nurl = "https://x.example"\n',
    "yarn": "# mine\nnpmRegistries:\n    '//other.example':\n        npmAuthToken: theirs\n"
    "\nnodeLinker: pnp\n",
    "bun": '# mine\n[install]\nexact = true\n\n[install.cache]\ndir = "x"\n',
    "cargo": '[build]\njobs = 2 # mine\n\n[registries.other]\nindex = "sparse+https://o.example/"\n',
    "az": "[defaults]\nproject = mine\n",
    "maven": '<?xml version="1.0"?>\n<!-- mine --><settings>\n\t<servers>\n\t\t<server>'
    "<id>other</id><password>theirs</password></server>\n\t</servers>\n\t<offline>false</offline>\n"
    "</settings>\n<!-- end -->\n",
    "nuget": '<?xml version="1.0" encoding="utf-8"?>\n<configuration>\n  <packageSources>\n'
    '    <add key="nuget.org" value="https://api.nuget.org/v3/index.json" />\n'
    "  </packageSources>\n</configuration>\n",
}


def tree(text: str) -> ET.Element:
    return ET.fromstring(text)  # noqa: S314  # what our own code has just written


def significant(text: str) -> set[str]:
    return {line.strip() for line in text.splitlines() if line.strip()}


@pytest.mark.parametrize("name", PURE)
@pytest.mark.parametrize("end", ["\n", "\r\n"], ids=["lf", "crlf"])
@pytest.mark.parametrize("tail", ["", "\n"], ids=["cut", "ended"])
def test_what_is_there_stays(name: str, end: str, tail: str) -> None:
    before = (KEPT[name].rstrip("\n") + tail).replace("\n", end)
    after = edited(name, before)
    kept = significant(before) - {"<settings>", "</settings>"}
    assert kept <= significant(after)
    if "\r\n" in before:
        assert after.count("\n") == after.count("\r\n")
    else:
        assert "\r" not in after


@pytest.mark.parametrize("name", PURE)
@pytest.mark.parametrize("before", [True, False], ids=["there", "new"])
def test_twice_is_once_and_a_new_secret_takes_the_place(name: str, *, before: bool) -> None:
    text = KEPT[name] if before else ""
    once = edited(name, text)
    assert edited(name, once) == once != text
    newer = edited(name, once, NEWER)
    assert newer == edited(name, text, NEWER)
    if TOOLS[name].keeps_secret:
        assert SECRET not in newer


def test_npm() -> None:
    lines = edited("npm", "").splitlines()
    registry = "//pkgs.dev.azure.com/contoso/_packaging/feed/npm/registry/"
    assert f"{registry}:username=pat" in lines
    assert any(line.startswith(f"{registry}:_password=") for line in lines)
    assert len(lines) == 7
    bearer = f"a=1\n{registry}:_authToken=old\nb=2\n"
    assert "_authToken" not in edited("npm", bearer)
    assert edited("npm", bearer).startswith("a=1\nb=2\n")


def test_netrc(tmp_path: Path) -> None:
    file = tmp_path / "netrc"
    before = "default login anybody password theirs\n"
    file.write_text(edited("netrc", KEPT["netrc"] + before))
    found = netrc.netrc(str(file))
    hosts = ("dev.azure.com", "pkgs.dev.azure.com", "contoso.visualstudio.com")
    assert [found.authenticators(host) for host in hosts] == [("pat", "", SECRET)] * 3
    assert found.authenticators("github.com") == ("ada", "", "theirs")
    assert found.authenticators("elsewhere") == ("anybody", "", "theirs")
    many_lines = (
        "machine dev.azure.com\n\tlogin old\n\tpassword #old\n\nmachine b login c password d\n"
    )
    after = edited("netrc", many_lines)
    assert "old" not in after
    assert "\n\nmachine b login c password d\n" in after


@pytest.mark.parametrize(
    "before",
    [
        "",
        KEPT["maven"],
        "<settings/>",
        "<settings >\n</settings >",
        "<settings><servers/></settings>",
        "<settings><servers/><mirrors/></settings>",
        "<settings>\n<servers/></settings>",
        "<settings><servers></servers></settings>",
    ],
)
def test_maven(before: str) -> None:
    root = tree(edited("maven", before))
    space = MAVEN if root.tag.startswith("{") else ""
    servers = root.findall(f"{space}servers/{space}server")
    found = {each.findtext(f"{space}id"): each.findtext(f"{space}password") for each in servers}
    assert found["feed"] == SECRET
    assert found.get("other", "theirs") == "theirs"


def test_a_server_of_maven_keeps_its_other_settings() -> None:
    before = (
        '<settings><servers><server><!-- > --><id> feed </id><configuration a="<>"/>'.replace(
            '"<>"', '"&lt;>"'
        )
        + "<password>old</password></server></servers></settings>"
    )
    after = edited("maven", before)
    server = tree(after).find("servers/server")
    assert server is not None
    assert [each.tag for each in server] == ["id", "configuration", "password", "username"]
    assert server.findtext("password") == SECRET


def test_nuget() -> None:
    url = f"{BASE}/nuget/v3/index.json"
    named = KEPT["nuget"].replace("https://api.nuget.org/v3/index.json", url)
    named = named.replace("nuget.org", "my feed")
    mine = "contoso-feed"
    for before, element in (("", mine), (KEPT["nuget"], mine), (named, "my_x0020_feed")):
        root = tree(edited("nuget", before))
        credentials = {
            each.attrib["key"]: each.attrib["value"]
            for each in root.findall(f"packageSourceCredentials/{element}/add")
        }
        assert credentials == {"Username": "pat", "ClearTextPassword": SECRET}
        values = [each.attrib["value"] for each in root.findall("packageSources/add")]
        assert values.count(f"{BASE}/nuget/v3/index.json") == 1


def test_nuget_keeps_what_else_credentials_hold() -> None:
    before = edited("nuget", "").replace(
        "    </contoso-feed>",
        '      <add key="ValidAuthenticationTypes" value="basic" />\n'
        '      <add key="Password" value="encrypted" />\n    </contoso-feed>',
    )
    after = edited("nuget", before, NEWER)
    held = {
        each.attrib["key"]: each.attrib["value"]
        for each in tree(after).findall("packageSourceCredentials/contoso-feed/add")
    }
    assert held == {
        "Username": "pat",
        "ClearTextPassword": NEWER,
        "ValidAuthenticationTypes": "basic",
    }


def test_yarn() -> None:
    ident = base64.b64encode(f"pat:{SECRET}".encode()).decode()
    mine = (
        '    "//pkgs.dev.azure.com/contoso/_packaging/feed/npm/registry":\n'
        f'        npmAlwaysAuth: true\n        npmAuthIdent: "{ident}"\n'
    )
    before = KEPT["yarn"]
    assert edited("yarn", before) == before.replace("npmRegistries:\n", f"npmRegistries:\n{mine}")
    old = re.sub(r"npmAuthIdent: .*", "npmAuthIdent: old", mine)
    assert edited("yarn", f"npmRegistries:\n{old}\na: 1\n") == f"npmRegistries:\n{mine}\na: 1\n"


def test_bun_and_cargo() -> None:
    for before in ("", KEPT["bun"], '[install.registry] # mine\nurl = "x"\ntoken = "y"\n\n[a]\n'):
        install = tomllib.loads(edited("bun", before))["install"]
        assert install["registry"] == {
            "url": f"{BASE}/npm/registry/",
            "username": "pat",
            "password": SECRET,
        }
    known = f"[registries.feed]\nindex = 'sparse+{BASE}/Cargo/index/'"
    for before in ("", KEPT["cargo"], known):
        assert tomllib.loads(edited("cargo", before))["registries"]["feed"] == {
            "index": f"sparse+{BASE}/Cargo/index/",
            "credential-provider": ["/opt/pat/bin/cargo-credential-pat"],
        }


def test_a_bundle_is_named_with_its_command(tmp_path: Path) -> None:
    need_git()
    for words, started in (
        (("/opt/pat/pat",), "!/opt/pat/pat git-credential"),
        (("/opt/it's/pat",), "!'/opt/it'\"'\"'s/pat' git-credential"),
        (
            ("/usr/bin/python3", "/opt/a b/pat.pyz"),
            "!/usr/bin/python3 '/opt/a b/pat.pyz' git-credential",
        ),
    ):
        told = tool_input("cargo")._replace(programs="", bundle=words)
        config = tmp_path / "config"
        config.write_text(TOOLS["git"].edited("", told), "utf-8")
        key = "credential.https://dev.azure.com.helper"
        command = ["git", "config", "--file", str(config), "--get-all", key]
        read = subprocess.run(command, capture_output=True, encoding="utf-8", check=True)
        assert read.stdout == f"\n{started}\n"
        registry = tomllib.loads(TOOLS["cargo"].edited("", told))["registries"]["feed"]
        assert registry["credential-provider"] == [*words, "cargo-credential"]


@pytest.mark.parametrize(
    ("url", "service"),
    [
        ("https://dev.azure.com/contoso", "azdevops-cli:https://dev.azure.com/contoso"),
        ("https://TFS.example.com:8080/tfs/One", "azdevops-cli:https://tfs.example.com:8080/tfs"),
    ],
)
def test_where_az_looks(url: str, service: str) -> None:
    assert az.service(url) == service


def test_pip_and_uv() -> None:
    for before in (
        "",
        KEPT["pip"],
        "[install]\na = 1\n",
        "[GLOBAL]\nkeyring-provider: import\n",
        "[global] ; mine\nindex-url = x\n",
        "[global]\nfind-links =\n  a\n  [b]\n",
    ):
        parser = configparser.ConfigParser()
        parser.read_string(edited("pip", before))
        assert parser["global"]["keyring-provider"] == "subprocess"
        assert parser["global"].get("find-links") in {None, "\na\n[b]"}
    for before in ("", KEPT["uv"], 'keyring-provider = "disabled"\n', "a = 1\r\n[b]\nc = 1\n"):
        assert tomllib.loads(edited("uv", before))["keyring-provider"] == "subprocess"


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("maven", "<settings>\n<a>\n</settings>", "line 3 is not valid XML: mismatched tag"),
        ("maven", "<project/>", "its root element is not settings"),
        ("maven", "not xml", "line 1 is not valid XML"),
        ("maven", '<!DOCTYPE a [<!ENTITY x "y">]><settings/>', "it declares entities"),
        ("nuget", "<configuration>", "line 1 is not valid XML: no element found"),
        ("uv", "a = \n", "it is not valid TOML"),
        ("cargo", "a = \n", "it is not valid TOML"),
        ("bun", 'install = { registry = "x" }\n', "install.registry exists, but not as a table"),
        (
            "cargo",
            "[registries]\nfeed = { index = 'x' }\n",
            "the registry 'feed' exists, and has",
        ),
        ("cargo", "[registries]\nfeed = 'x'\n", "registries.feed exists, but not"),
        ("cargo", "[[registries]]\na = 1\n", "registries exists, but not"),
        ("bun", "install = " + "[" * 5000, "it is not valid TOML"),
        ("uv", 'pip.keyring-provider = "disabled"\n', "pat cannot edit"),
        ("pip", "global\n", "it is not a valid INI"),
        ("az", "a b\n", "it is not a valid INI"),
        ("gradle", "a=b\\", "pat would have to change a line that continues"),
        ("gradle", "feedPassword=ab\\\n  cd\n", "pat would have to change a line that continues"),
        ("netrc", "[[[ {{ <<<", "line 1 is not valid"),
        ("netrc", "machine x login y password z\nhunter2", "line 2 is not valid"),
        ("yarn", "'npmRegistries': x\n", "line 1 is written in a form"),
        ("yarn", "npmRegistries : x\n", "line 1 is written in a form"),
        ("yarn", "{a: b}\n", "line 1 is written in a form"),
        ("yarn", "a: b\n...\n", "line 2 is written in a form"),
        ("yarn", f'npmRegistries:\n  "{YARN_KEY}": {{\n    a: b }}\n', "the value for the feed"),
        (
            "yarn",
            f'npmRegistries:\n  "{YARN_KEY}":\n    a: b\n# mine\n    c: d\n',
            "the value for the feed",
        ),
        ("yarn", "npmRegistries: {}\n", "line 1 does not begin a block"),
        ("yarn", "npmRegistries:\n\ta: b\n", "there is a tab below line 1"),
        ("git", "[a\nb", "git cannot read it: bad config line 1"),
    ],
)
def test_what_cannot_be_understood_is_refused(name: str, text: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        edited(name, text)
    assert caught.value.message.startswith(message)


TEXTS = st.lists(
    st.sampled_from(
        [
            "machine dev.azure.com login a password b",
            "machine x",
            "default",
            "login",
            "password machine",
            "macdef m",
            "# note",
            "",
            "  ",
            "[global]",
            "[install]",
            "keyring-provider = x",
            "//pkgs.dev.azure.com/contoso/_packaging/feed/npm/registry/:username=x",
            "feedUsername=1",
            "a = 1",
            'login "a b',
            "é",
            "npmRegistries:",
            "npmRegistries: {}",
            '  "//pkgs.dev.azure.com/contoso/_packaging/feed/npm/registry":',
            "    npmAuthIdent: x",
            "[install.registry]",
            "[registries.feed]",
            "install = 1",
            "\udcff",
        ]
    ),
    max_size=8,
)


@given(lines=TEXTS, end=st.sampled_from(["\n", "\r\n"]), cut=st.booleans())
@example(lines=["macdef m"], end="\n", cut=True)
@example(lines=["machine x", "login", ""], end="\n", cut=True)
def test_whatever_a_file_holds(lines: list[str], end: str, *, cut: bool) -> None:
    text = end.join(lines) + ("" if cut else end)
    for name in LINED:
        try:
            once = edited(name, text)
        except UsageError:
            assert name not in {"npm", "pnpm"}
            continue
        assert edited(name, once) == once, name
        if TOOLS[name].keeps_secret:
            assert edited(name, once, NEWER) == edited(name, text, NEWER), name


TOML_TEXTS = st.lists(
    st.sampled_from(
        [
            "a = 1 # mine",
            "b.c = 'x'",
            "# note",
            "",
            "  # indented",
            "[a]",
            "[ a . b ] # mine",
            "[[index]]",
            "[[index.x]]",
            "[install]",
            "  [install]",
            "[install.registry] # mine",
            "['install'.\"registry\"]",
            "[install.registry.x]",
            "[[install]]",
            "install = { registry = {url = 'x', token = 'old' }, a = 1 } # mine",
            "registry = { token = 'old' }",
            "install.a = 1",
            "install.registry.url = 'x'",
            "registry.token = 'old'",
            "registry.a = 1",
            "url = 'x' # mine",
            '"url" = """',
            'x"""',
            "token = 'old'",
            "password = 'old'",
            "[registries]",
            "[registries.feed]",
            "[registries.feed.x]",
            "[registries.other]",
            "feed.token = 'old'",
            "feed = { token = 'old', a = nan }",
            "feed.a = [",
            "  1, # mine",
            "]",
            "registries.other.index = 'x'",
            "registries.feed = {}",
            "credential-provider = ['x']",
            "pip = { keyring-provider = 'x', a = 1 } # mine",
            "pip.a = 1",
            "[pip]",
            "[pip.x]",
            "keyring-provider = 'x'",
            "'keyring-provider' = [ 'x' ]",
            "\udcff = 1",
            "# \udcff",
        ]
    ),
    max_size=10,
)


@given(
    lines=TOML_TEXTS, end=st.sampled_from(["\n", "\r\n"]), cut=st.booleans(), mixed=st.booleans()
)
def test_whatever_a_toml_file_holds(lines: list[str], end: str, *, cut: bool, mixed: bool) -> None:
    text = end.join(lines) + ("" if cut else end)
    text = text.replace("\r\n", "\n", 1) if mixed else text
    for name, path in (("bun", "install.registry"), ("cargo", "registries.feed"), ("uv", "")):
        try:
            once = edited(name, text)
        except UsageError:
            continue
        assert edited(name, once) == once
        newer = edited(name, once, NEWER)
        assert newer == edited(name, text, NEWER)
        wanted, found = flat(text), flat(once)
        ours = {
            "bun": ["url", "username", "password", "token"],
            "cargo": ["index", "credential-provider", "token"],
            "uv": ["keyring-provider", "pip.keyring-provider"],
        }[name]
        keys = {f"{path}.{key}".lstrip(".") for key in ours}
        assert {key: value for key, value in wanted.items() if key not in keys} == {
            key: value for key, value in found.items() if key not in keys
        }
        assert [line for line in text.splitlines() if "#" in line and "=" not in line] == [
            line for line in once.splitlines() if "#" in line and "=" not in line
        ]
        assert text.count("mine") == once.count("mine")
        if not mixed and "\n" in text:
            assert once.count("\n") == once.count(end)


def flat(text: str) -> dict[str, object]:
    """Return the values of a document by the keys that lead to them."""
    found: dict[str, object] = {}

    def walk(value: object, path: str) -> None:
        if isinstance(value, dict):
            for key, each in value.items():
                walk(each, f"{path}.{key}".lstrip("."))
        else:
            found[path] = value

    walk(tomllib.loads(text, parse_float=str), "")
    return found


@given(st.text("<>/ab&\"'= \n", max_size=30))
def test_whatever_an_xml_file_holds(body: str) -> None:
    for name, root in (("maven", "settings"), ("nuget", "configuration")):
        text = f"<{root}>{body}</{root}>"
        try:
            once = edited(name, text)
        except UsageError:
            continue
        tree(once)
        assert edited(name, once) == once
        assert body in once or "servers" in body


@pytest.mark.parametrize(
    ("name", "feed"),
    [
        ("npm", ""),
        ("npm", f"{BASE}/pypi/simple/"),
        ("npm", "https://pkgs.dev.azure.com/contoso/feed/npm/registry/"),
        ("npm", "http://pkgs.dev.azure.com/contoso/_packaging/feed/npm/registry/"),
        ("npm", "https://a:b@pkgs.dev.azure.com/contoso/_packaging/feed/npm/registry/"),
        ("npm", "https://pkgs.dev.azure.com:x/contoso/_packaging/feed/npm/registry/"),
        ("npm", f"{BASE}/npm/registry/\n:_authToken=x"),
        ("npm", f"{BASE}/npm/registry/?x=/npm/registry/"),
        ("maven", f'{BASE}"><x/maven/v1'),
        ("gradle", f"{BASE}%0Aorg.gradle.jvmargs=-javaagent:evil/maven/v1"),
        ("gradle", f"{BASE}%3Dx/maven/v1"),
        ("cargo", f"{BASE}%5D/Cargo/index/"),
        ("gradle", f"{BASE.replace('/feed', '/!feed')}/maven/v1"),
        ("npm", f"{BASE.replace('contoso', 'contoso/a=b')}/npm/registry/"),
        ("npm", f"{BASE.replace('contoso', 'contoso/../evil')}/npm/registry/"),
        ("npm", f"{BASE.replace('contoso', 'contoso/%2e%2E/evil')}/npm/registry/"),
        ("npm", f"{BASE.replace('contoso', 'contoso%2f..%2fevil')}/npm/registry/"),
    ],
)
def test_what_is_no_feed_of_the_tool(name: str, feed: str) -> None:
    with pytest.raises(UsageError):
        checked_feed(TOOLS[name], feed)


def test_the_name_of_a_feed() -> None:
    assert feed_name(f"{BASE}/npm/registry") == "feed"
    assert feed_name("https://x/c/p/_packaging/a%20b@Local/maven/v1") == "a b"


VIEWS = [f"{BASE}%40Local", f"{BASE}@Local"]


@pytest.mark.parametrize("base", VIEWS)
@pytest.mark.parametrize("name", sorted(name for name, tool in TOOLS.items() if tool.feed))
def test_a_view_of_a_feed(name: str, base: str) -> None:
    """It is spelled in two ways, and programs go by the letters."""
    tool = TOOLS[name]
    feed = checked_feed(tool, f"{base}{tool.feed}")
    assert feed == f"{VIEWS[0]}{tool.feed}".rstrip("/")
    assert feed_name(feed) == "feed"
    once = tool.edited("", tool_input(name)._replace(feed=feed))
    assert tool.edited(once, tool_input(name)._replace(feed=feed)) == once
    if name in {"npm", "pnpm", "yarn"}:
        assert {"feed%40Local/", "feed@Local/"} <= set(re.findall(r"feed[^/]*/", once))


@pytest.mark.parametrize(
    ("feed", "key"),
    [
        ("https://pkgs.dev.azure.com/contoso/_packaging/feed", "contoso-feed"),
        ("https://pkgs.dev.azure.com/contoso/a/_packaging/feed", "contoso-a-feed"),
        ("https://pkgs.dev.azure.com/contoso/b%20c/_packaging/feed", "contoso-b_c-feed"),
        ("https://contoso.pkgs.visualstudio.com/b/_packaging/feed", "contoso-b-feed"),
        ("https://pkgs.dev.azure.com/contoso/_packaging/feed%40Local", "contoso-feed-local"),
    ],
)
def test_nugets_keys_tell_feeds_of_one_name_apart(feed: str, key: str) -> None:
    told = tool_input("nuget")._replace(feed=f"{feed}/nuget/v3/index.json")
    assert f'key="{key}"' in TOOLS["nuget"].edited("", told)


def test_nuget_finds_a_source_by_either_spelling_of_a_view() -> None:
    url = f"{BASE}@Local/nuget/v3/index.json"
    before = (
        f'<configuration><packageSources><add key="mine" value="{url}" />'
        "</packageSources></configuration>"
    )
    told = tool_input("nuget")._replace(feed=f"{BASE}%40Local/nuget/v3/index.json")
    after = TOOLS["nuget"].edited(before, told)
    assert after.count("<add key=") == 3
    assert "<mine>" in after


@pytest.mark.parametrize(
    ("feed", "gradle", "cargo"),
    [
        ("my-feed", "myfeed", "my-feed"),
        ("my.feed_2", "myfeed2", "my-feed_2"),
        ("1st", "1st", "_1st"),
    ],
)
def test_names_that_gradle_and_cargo_take(feed: str, gradle: str, cargo: str) -> None:
    """Gradle takes letters and digits; cargo refuses dots, and digits at the start."""
    base = f"https://pkgs.dev.azure.com/contoso/_packaging/{feed}"
    told = tool_input("gradle")._replace(feed=f"{base}/maven/v1")
    assert f"{gradle}Username=pat\n" in TOOLS["gradle"].edited("", told)
    told = tool_input("cargo")._replace(feed=f"{base}/Cargo/index")
    assert f"[registries.{cargo}]\n" in TOOLS["cargo"].edited("", told)


@pytest.mark.parametrize(
    "old", ["feedPassword old", "feed\\u0050assword:old", "feedPassword\t= old"]
)
def test_gradle_keys_in_each_way_to_write_them(old: str) -> None:
    assert "old" not in edited("gradle", f"a=1\n{old}\n")


def test_npm_writes_above_sections() -> None:
    after = edited("npm", "a=1\n[x]\nb=2\n")
    assert after.index(":_password=") < after.index("[x]")
    quoted = '"//pkgs.dev.azure.com/contoso/_packaging/feed/npm/registry/:_authToken" = old\n'
    assert "old" not in edited("npm", quoted)


def test_maven_and_netrc_leave_no_older_secret() -> None:
    server = "<server><id>feed</id><password>old</password></server>"
    assert "old" not in edited("maven", f"<settings><servers>{server * 2}</servers></settings>")
    assert "old" not in edited("netrc", "machine DEV.azure.com login x password old\n")


@pytest.mark.parametrize("key", ["keyring-provider", "Keyring_Provider"])
def test_pip_has_no_other_answer_for_one_command(key: str) -> None:
    """What stands in the section of a command counts more than what stands in [global]."""
    before = f"[install]\nuser = true\n{key} = disabled\n\n[download]\n{key}: import\n"
    assert edited("pip", before) == (
        "[install]\nuser = true\n\n[download]\n[global]\nkeyring-provider = subprocess\n"
    )


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_uv_has_no_other_answer_for_uv_pip(end: str) -> None:
    before = f'a = 1{end}[pip] # mine{end}keyring-provider = "disabled"{end}b = 2{end}[c]{end}'
    changed = f'a = 1{end}keyring-provider = "subprocess"{end}[pip] # mine{end}b = 2{end}[c]{end}'
    # Newer versions of tomlkit write an empty line above a table.
    assert edited("uv", before).replace(f"{end}{end}[pip]", f"{end}[pip]") == changed
    with pytest.raises(UsageError):
        edited("uv", 'pip.keyring-provider = "disabled"\n')


@pytest.mark.parametrize(
    ("name", "before", "after"),
    [
        (
            "cargo",
            "[registries]\nfeed = { index = 'sparse+URL' } # a\n",
            "'sparse+URL', PROVIDER} # a",
        ),
        ("cargo", "[registries]\nfeed = { token = 'x' } # mine\n", "PROVIDER} # mine\n"),
        (
            "cargo",
            "registries.other.index = 'x'\nb = 1\n",
            "registries.feed = {INDEX, PROVIDER}\nb",
        ),
        (
            "cargo",
            "[registries]\nfeed.index = 'sparse+URL'\n",
            "feed.index = 'sparse+URL'\nfeed.PROV",
        ),
        ("cargo", "[registries . 'feed'] # a\n# b\n\n# c\n[d]", "[registries . 'feed'] # a\n# b\n"),
        (
            "cargo",
            "[[a]]\nb = 1\n[[a]]\nb = nan\n",
            "b = nan\n\n[registries.feed]\nINDEX\nPROVIDER\n",
        ),
        ("cargo", "[registries.a]\n[b]\n[registries.c]\n", "[registries.feed]\nINDEX\nPROVIDER\n"),
        ("uv", 'conflicts = [\n  [\n    { extra = "a" },\n  ],\n]\n', "]\nKEY\n"),
        ("uv", 'a = """\nkeyring-provider = "x"\n"""\n', '"""\nKEY\n'),
        (
            "uv",
            'pip = { keyring-provider = "x", strict = true } # mine\n',
            "strict = true } # mine\nKEY\n",
        ),
        ("uv", '[pip]\n"keyring-provider" = "x"\nstrict = true\n', "[pip]\nstrict = true\n"),
    ],
)
@pytest.mark.parametrize("end", ["\n", "\r\n"], ids=["lf", "crlf"])
def test_each_form_of_toml(name: str, before: str, after: str, end: str) -> None:
    for short, long in (
        ("URL", f"{BASE}/Cargo/index/"),
        ("INDEX", f'index = "sparse+{BASE}/Cargo/index/"'),
        ("PROV", 'credential-provider = ["/opt/pat/bin/cargo-credential-pat"]'),
        ("IDER", ""),
        ("KEY", 'keyring-provider = "subprocess"'),
    ):
        before, after = before.replace(short, long), after.replace(short, long)
    once = edited(name, before.replace("\n", end))
    assert after.replace("\n", end) in once
    assert edited(name, once) == once


def test_where_the_file_is(tmp_path: Path) -> None:
    """Where the programs look first, as their documentation says and as they were seen to do."""
    assert TOOLS["cargo"].file({}, tmp_path) == tmp_path / ".cargo/config.toml"
    (tmp_path / ".cargo").mkdir()
    (tmp_path / ".cargo/config").touch()  # of the two cargo takes the one without an ending
    assert TOOLS["cargo"].file({}, tmp_path) == tmp_path / ".cargo/config"
    folder = {"AZURE_CONFIG_DIR": "/a", "AZURE_DEVOPS_EXT_CONFIG_DIR": "/b"}
    assert TOOLS["az"].file(folder, tmp_path) == Path("/b/config")


@pytest.mark.posix("the file is elsewhere on Windows")
def test_where_the_file_is_outside_windows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = {"DOTNET_CLI_HOME": "/other"}
    assert TOOLS["nuget"].file(home, tmp_path) == Path("/other/.nuget/NuGet/NuGet.Config")
    monkeypatch.setattr("sys.platform", "darwin")
    settings = {"XDG_CONFIG_HOME": "/other"}
    assert TOOLS["pip"].file(settings, tmp_path) == tmp_path / ".config/pip/pip.conf"
    library = tmp_path / "Library/Application Support/pip"
    library.mkdir(parents=True)
    assert TOOLS["pip"].file(settings, tmp_path) == library / "pip.conf"


def test_pips_other_spelling_of_its_key() -> None:
    after = edited("pip", "[global]\nkeyring_provider = import\ntimeout = 3\n")
    assert after == "[global]\nkeyring-provider = subprocess\ntimeout = 3\n"
