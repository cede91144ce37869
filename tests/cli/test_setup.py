"""`pat setup`: files are changed, followed by rotation, and given back byte for byte."""

import base64
import codecs
import getpass
import os
import re
import shlex
import shutil
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from keyring.errors import KeyringLocked

from azdo_pat.command_lines import quoted
from azdo_pat.install_commands import source
from azdo_pat.models import StoredPat
from azdo_pat.store.state import State
from azdo_pat.tools.registry import TOOLS
from drivers import Emulator, InProcess, Installed, need_git, put_program
from fakes import MemoryKeyring

as_root = pytest.mark.skipif(
    sys.platform == "win32" or os.getuid() != 0, reason="only root may give files away"
)

FEED = "https://pkgs.dev.azure.com/contoso/_packaging/feed"
FEEDS = {name: f"{FEED}{tool.feed}" for name, tool in TOOLS.items() if tool.feed}
BEFORE = {
    "npm": (".npmrc", b"; mine\r\nregistry=x\r\n//o/:_authToken=theirs"),
    "pnpm": (".npmrc", b"a=\xff\n"),
    "maven": (".m2/settings.xml", b"<settings>\n</settings><!-- mine -->"),
    "gradle": (".gradle/gradle.properties", b"# mine\na=1"),
    "nuget": (".nuget/NuGet/NuGet.Config", b"<configuration />"),
    "yarn": (".yarnrc.yml", b"# mine\nnodeLinker: pnp"),
    "bun": (".config/.bunfig.toml", b"[install]\r\nexact = true\r\n"),
    "cargo": (".cargo/config.toml", b"[build]\njobs = 2"),
    "netrc": (".netrc", b"machine x login y password z"),
    "git": (".gitconfig", b"[user]\n\tname = Ada ; mine\n[credential]\n\thelper = store\n"),
}
if sys.platform == "win32":
    BEFORE["nuget"] = ("AppData/Roaming/NuGet/NuGet.Config", BEFORE["nuget"][1])
    BEFORE["netrc"] = ("_netrc", BEFORE["netrc"][1])
ASKING = {"git", "cargo"}
ELSEWHERE = {"pip", "uv", "az"}
"""Tools that need more than a file: tests of their own set them up."""
KEEPING = sorted(set(BEFORE) - ASKING)


@pytest.fixture
def env(emulator: Emulator) -> dict[str, str]:
    """Let the feed be one of the emulator's organization."""
    return {"EMULATOR": emulator.url}


def feed_of(tool: str, emulator: Emulator) -> tuple[str, ...]:
    if tool == "git":
        need_git()
    if tool not in FEEDS:
        return ()
    return ("--feed", FEEDS[tool].replace("https://pkgs.dev.azure.com", emulator.url))


@pytest.fixture
def secret(pat: InProcess) -> str:
    """Store a token for packages; return its secret."""
    assert pat("create", "packages", "--for", "packages").exit_code == 0
    return pat("get", "packages").stdout.strip()


def mode(file: Path) -> int | None:
    """The mode of a file; None on Windows, where it says nothing."""
    return None if sys.platform == "win32" else stat.S_IMODE(file.stat().st_mode)


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def prepared(tool: str, home: Path) -> tuple[Path, bytes]:
    name, content = BEFORE[tool]
    file = home / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)
    file.chmod(0o644)
    return file, content


def test_every_tool_is_tried() -> None:
    assert {*BEFORE, *ELSEWHERE} == set(TOOLS)
    assert {name for name, tool in TOOLS.items() if not tool.keeps_secret} == ASKING | ELSEWHERE
    assert {name for name, tool in TOOLS.items() if not tool.bears_mark} == UNMARKED


@pytest.mark.parametrize("tool", sorted(BEFORE))
def test_it_is_set_up_and_given_back(
    tool: str, pat: InProcess, emulator: Emulator, home: Path, secret: str
) -> None:
    file, before = prepared(tool, home)
    feed = feed_of(tool, emulator)
    planned = pat("setup", tool, *feed, "--dry-run", "-o", "json")
    assert (planned.exit_code, planned.json[0]["outcome"]) == (0, "planned")
    assert file.read_bytes() == before
    done = pat("setup", tool, *feed, "-o", "json")
    assert done.exit_code == 0, done.stderr
    assert done.json == [
        {
            "tool": tool,
            "file": str(file),
            "outcome": "set up",
            "feed": feed[1].rstrip("/") if feed else None,
            "token": None if tool in ASKING else "packages",
        }
    ]
    after = file.read_bytes()
    assert after != before
    for output in (planned, done):
        for form in (secret, encoded(secret), encoded(f":{secret}"), encoded(f"pat:{secret}")):
            assert form not in output.stdout + output.stderr
        assert "theirs" not in output.stderr
        assert f"\n+++ {file}\n" in output.stderr
    assert mode(file) in {None, 0o644 if tool in ASKING else 0o600}
    again = pat("setup", tool, *feed, "-o", "json")
    assert again.json[0]["outcome"] == "unchanged"
    assert file.read_bytes() == after
    assert pat("setup", tool, "--undo", "--dry-run", "-o", "json").json[0]["outcome"] == "planned"
    assert file.read_bytes() == after
    undone = pat("setup", tool, "--undo", "-o", "json")
    assert undone.json[0]["outcome"] == "undone"
    assert file.read_bytes() == before
    assert mode(file) in {None, 0o644}
    gone = pat("setup", tool, "--undo")
    assert gone.exit_code == 3
    assert f"pat has not set up {tool}" in gone.stderr


@pytest.mark.parametrize("tool", sorted(BEFORE))
def test_a_file_that_was_not_there_is_gone_again(
    tool: str, pat: InProcess, emulator: Emulator, home: Path, secret: str
) -> None:
    assert secret
    file = home / BEFORE[tool][0]
    assert pat("setup", tool, *feed_of(tool, emulator)).exit_code == 0
    assert file.exists()
    assert pat("setup", tool, "--undo").exit_code == 0
    assert not file.exists()


@pytest.mark.parametrize("tool", KEEPING)
def test_rotation_updates_it_and_undo_still_gives_all_back(
    tool: str, pat: InProcess, emulator: Emulator, home: Path, secret: str
) -> None:
    file, before = prepared(tool, home)
    assert pat("setup", tool, *feed_of(tool, emulator)).exit_code == 0
    first = file.read_bytes()
    rotated = pat("rotate", "packages")
    assert rotated.exit_code == 0, rotated.stderr
    second = file.read_bytes()
    assert second != first
    assert secret.encode() not in second
    other = home / "other"
    args = ("--deliver", f"file:{other}", "--scope", "packaging")
    assert pat("ensure", "packages", *args).exit_code == 0
    assert pat("rotate", "packages").exit_code == 0
    assert file.read_bytes() != second  # another delivery does not end this one
    assert other.exists()
    assert pat("setup", tool, "--undo").exit_code == 0
    assert file.read_bytes() == before
    assert pat("rotate", "packages").exit_code == 0
    assert file.read_bytes() == before


@pytest.mark.parametrize("tool", sorted(set(BEFORE) - {"maven", "nuget"}))
def test_what_was_changed_since_stays(
    tool: str, pat: InProcess, emulator: Emulator, home: Path, secret: str
) -> None:
    assert secret
    file, before = prepared(tool, home)
    before = before.rstrip(b"\r\n") + (b"\r\n" if b"\r\n" in before else b"\n")
    file.write_bytes(before)
    assert pat("setup", tool, *feed_of(tool, emulator)).exit_code == 0
    added = b"[mine]\n\tb = 2\n" if tool == "git" else b"# b = 2\n"
    added = added.replace(b"\n", b"\r\n") if b"\r\n" in before else added
    file.write_bytes(file.read_bytes() + added)
    assert pat("rotate", "packages").exit_code == 0
    assert pat("setup", tool, "--undo").exit_code == 0
    assert file.read_bytes() == before + added


def test_two_feeds_in_one_file(pat: InProcess, emulator: Emulator, home: Path, secret: str) -> None:
    assert secret
    file, before = prepared("npm", home)
    feeds = [("--feed", f"{emulator.url}/contoso/_packaging/{name}/npm/registry/") for name in "ab"]
    for feed in feeds:
        assert pat("setup", "npm", *feed).exit_code == 0
    assert pat("setup", "npm", *feeds[0], "--undo").exit_code == 0
    assert b"_packaging/b/" in file.read_bytes()
    assert b"_packaging/a/" not in file.read_bytes()
    assert pat("setup", "npm", *feeds[1], "--undo").exit_code == 0
    assert file.read_bytes().rstrip(b"\r\n") == before


@pytest.mark.parametrize("tool", ["npm", "yarn", "nuget", "maven", "gradle", "cargo"])
@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 0, 2)], ids=str)
def test_feeds_are_undone_in_any_order(
    tool: str, order: tuple[int, ...], pat: InProcess, emulator: Emulator, home: Path, secret: str
) -> None:
    """Each takes out its own, the last gives back the bytes, and a rotation comes between."""
    assert secret
    file, before = prepared(tool, home)
    [_, feed] = feed_of(tool, emulator)
    feeds = [feed.replace("/feed/", f"/{name}/") for name in ("alpha", "beta", "gamma")]
    for each in feeds:
        assert pat("setup", tool, "--feed", each).exit_code == 0
    for count, number in enumerate(order):
        assert pat("rotate", "packages").exit_code == 0
        undone = pat("setup", tool, "--undo", "--feed", feeds[number])
        assert undone.exit_code == 0, undone.stderr
        text = file.read_bytes().decode("utf-8", "replace")
        left = [feeds[other] for other in order[count + 1 :]]
        assert [each for each in feeds if name_of(each) in text] == [
            each for each in feeds if each in left
        ]
        listed = {each["tool"]: each for each in pat("setup", "--list", "-o", "json").json}
        assert {each["feed"] for each in listed[tool]["set_up"]} == {
            each.rstrip("/") for each in left
        }
    assert file.read_bytes() == before
    assert mode(file) in {None, 0o644}


def name_of(feed: str) -> str:
    """The name of a feed, as no other text of a file holds it."""
    return feed.partition("/_packaging/")[2].partition("/")[0]


def test_feeds_of_one_name(pat: InProcess, emulator: Emulator, home: Path, secret: str) -> None:
    """Maven sends by name: the secret of the one would go to the other."""
    assert pat("create", "second", "--for", "packages", "--org", "fabrikam").exit_code == 0
    feeds = [f"{emulator.url}/{org}/_packaging/feed" for org in ("contoso", "fabrikam")]
    for tool, end in (("maven", "maven/v1"), ("gradle", "maven/v1"), ("cargo", "Cargo/index/")):
        assert pat("setup", tool, "--feed", f"{feeds[0]}/{end}").exit_code == 0
        file = home / BEFORE[tool][0]
        held = file.read_bytes()
        refused = pat("setup", tool, "--feed", f"{feeds[1]}/{end}")
        assert refused.exit_code == 6
        assert " already has " in refused.stderr
        assert "under the name 'feed', and " in refused.stderr
        assert file.read_bytes() == held
        assert pat("setup", tool, "--undo").exit_code == 0
    for feed in feeds:  # NuGet's are found by their URLs, and get names of their own
        assert pat("setup", "nuget", "--feed", f"{feed}/nuget/v3/index.json").exit_code == 0
    text = (home / BEFORE["nuget"][0]).read_text()
    assert text.index("<contoso-feed>") < text.index(secret) < text.index("</contoso-feed>")
    other = pat("get", "second", "--org", "fabrikam").stdout.strip()
    assert text.index("<fabrikam-feed>") < text.index(other) < text.index("</fabrikam-feed>")


@pytest.mark.parametrize(
    ("tool", "added"),
    [
        ("npm", "//x/:y=z"),
        ("yarn", '  "//other.example":\n    npmAuthToken: mine'),
        ("bun", 'email = "x"'),
        ("cargo", 'protocol = "sparse"'),
        ("git", "\tusername = x"),
        ("netrc", "machine other.example login a password b"),
        ("gradle", "a = b"),
    ],
)
def test_what_was_added_below_keeps_its_place(
    tool: str, added: str, pat: InProcess, emulator: Emulator, home: Path, secret: str
) -> None:
    """Also in a section that pat made: its head stays then."""
    assert secret
    file = home / BEFORE[tool][0]
    assert pat("setup", tool, *feed_of(tool, emulator)).exit_code == 0
    made = file.read_text()
    file.write_text(f"{made}{added}\n", newline="")
    undone = pat("setup", tool, "--undo")
    assert undone.exit_code == 0, undone.stderr
    left = file.read_text()
    heads = [line for line in made.splitlines() if line.startswith("[") or line == "npmRegistries:"]
    assert left in {f"{added}\n", *(f"{head}\n{added}\n" for head in heads[-1:])}
    assert left.startswith(added) == (not heads)


@pytest.mark.parametrize("tool", KEEPING)
def test_a_token_that_is_gone_is_undone_all_the_same(
    tool: str, pat: InProcess, emulator: Emulator, home: Path, secret: str
) -> None:
    assert secret
    file, before = prepared(tool, home)
    for end in ("forget", "revoke"):
        feed = feed_of(tool, emulator)
        token = f"packages-{end}"
        assert pat("create", token, "--for", "packages").exit_code == 0
        assert pat("setup", tool, *feed, "--use", token).exit_code == 0
        assert pat(end, token, *(("--yes",) if end == "revoke" else ())).exit_code == 0
        undone = pat("setup", tool, "--undo")
        assert undone.exit_code == 0, undone.stderr
        assert file.read_bytes() == before


def test_a_secret_does_not_change_places(
    pat: InProcess, emulator: Emulator, home: Path, memory_keyring: MemoryKeyring, secret: str
) -> None:
    """What is undone is taken out with its own secret, though nobody knows that any more."""
    assert pat("create", "second", "--for", "packages", "--org", "fabrikam").exit_code == 0
    other = pat("get", "second", "--org", "fabrikam").stdout.strip()
    for tool, end in (
        ("maven", "maven/v1"),
        ("nuget", "nuget/v3/index.json"),
        ("yarn", "npm/registry/"),
        ("npm", "npm/registry/"),
    ):
        feeds = [f"{emulator.url}/contoso/_packaging/{name}/{end}" for name in "ab"]
        feeds.insert(1, f"{emulator.url}/fabrikam/_packaging/c/{end}")
        for feed in feeds:
            assert pat("setup", tool, "--feed", feed).exit_code == 0
        held = dict(memory_keyring.held)
        memory_keyring.held.clear()  # somebody has emptied it
        undone = pat("setup", tool, "--undo", "--feed", feeds[1])
        memory_keyring.held.update(held)
        assert undone.exit_code == 0, undone.stderr
        text = (home / BEFORE[tool][0]).read_text()
        for form in (other, encoded(other), encoded(f"pat:{other}")):
            assert form not in text
        assert any(form in text for form in (secret, encoded(secret), encoded(f"pat:{secret}")))
        assert pat("setup", tool, "--undo").exit_code == 0


def test_a_file_that_its_user_has_deleted(
    pat: InProcess, emulator: Emulator, home: Path, secret: str
) -> None:
    assert secret
    file, _ = prepared("npm", home)
    assert pat("setup", "npm", *feed_of("npm", emulator)).exit_code == 0
    file.unlink()
    assert pat("setup", "npm", "--undo").exit_code == 0
    assert not file.exists()
    assert pat("rotate", "packages").exit_code == 0
    assert not file.exists()


def test_a_way_out_of_what_cannot_be_told_apart(
    pat: InProcess, emulator: Emulator, home: Path, secret: str
) -> None:
    assert secret
    file, _ = prepared("npm", home)
    assert pat("setup", "npm", *feed_of("npm", emulator)).exit_code == 0
    text = file.read_bytes().replace(b"\n//127", b"\n# //127")
    file.write_bytes(text)
    refused = pat("setup", "npm", "--undo")
    assert refused.exit_code == 6
    assert "then run: pat setup npm --undo --leave-file" in refused.stderr
    assert file.read_bytes() == text
    assert pat("setup", "npm", "--undo", "--leave-file").exit_code == 0
    assert file.read_bytes() == text
    assert pat("setup", "npm", "--undo").exit_code == 3
    assert pat("rotate", "packages").exit_code == 0
    assert file.read_bytes() == text


def test_what_cannot_be_told_apart_is_left_alone(
    pat: InProcess, emulator: Emulator, home: Path, secret: str
) -> None:
    assert secret
    file, before = prepared("maven", home)
    assert pat("setup", "maven", *feed_of("maven", emulator)).exit_code == 0
    changed = file.read_bytes().replace(b"<servers>", b"<servers><!-- a -->")
    file.write_bytes(changed)
    result = pat("setup", "maven", "--undo")
    assert result.exit_code == 6
    assert "was changed after the setup" in result.stderr
    assert file.read_bytes() == changed != before


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"<settings>", "line 1 is not valid XML"),
        ("<settings/>".encode("utf-16"), "it is encoded in UTF-16"),
        (b" " * 10_000_001, "larger than 10 MB"),
    ],
)
def test_a_file_that_cannot_be_read(
    content: bytes, message: str, pat: InProcess, emulator: Emulator, home: Path, secret: str
) -> None:
    assert secret
    file, _ = prepared("maven", home)
    file.write_bytes(content)
    result = pat("setup", "maven", *feed_of("maven", emulator))
    assert result.exit_code == 2
    assert message in result.stderr
    assert str(file) in result.stderr
    assert file.read_bytes() == content


UNMARKED = {"pip", "gradle", "az", "netrc"}
"""Tools that take a byte order mark for a part of the first line, or for a mistake."""


@pytest.mark.parametrize("tool", sorted(set(BEFORE) - UNMARKED))
def test_a_byte_order_mark_stays(
    tool: str, pat: InProcess, emulator: Emulator, home: Path, secret: str
) -> None:
    assert secret
    file, before = prepared(tool, home)
    assert pat("setup", tool, *feed_of(tool, emulator)).exit_code == 0
    plain = file.read_bytes()
    assert pat("setup", tool, "--undo").exit_code == 0
    file.write_bytes(codecs.BOM_UTF8 + before)
    assert pat("setup", tool, *feed_of(tool, emulator)).exit_code == 0
    assert file.read_bytes() == codecs.BOM_UTF8 + plain
    again = pat("setup", tool, *feed_of(tool, emulator), "-o", "json")
    assert (again.exit_code, again.json[0]["outcome"]) == (0, "unchanged")
    assert pat("rotate", "packages").exit_code == 0
    assert pat("setup", tool, "--undo").exit_code == 0
    assert file.read_bytes() == codecs.BOM_UTF8 + before


def test_a_byte_order_mark_hides_no_key_of_the_first_line(
    pat: InProcess, emulator: Emulator, home: Path, secret: str
) -> None:
    registry = feed_of("npm", emulator)[1].partition(":")[2]
    file, _ = prepared("npm", home)
    file.write_bytes(codecs.BOM_UTF8 + f"{registry}:_authToken=old\n".encode())
    assert pat("setup", "npm", *feed_of("npm", emulator)).exit_code == 0
    text = file.read_bytes()
    assert text.startswith(codecs.BOM_UTF8)
    assert b"_authToken" not in text
    assert encoded(secret).encode() in text


@pytest.mark.parametrize("tool", sorted(UNMARKED & set(BEFORE)))
def test_a_byte_order_mark_that_the_tool_cannot_read(
    tool: str, pat: InProcess, emulator: Emulator, home: Path, secret: str
) -> None:
    assert secret
    file, before = prepared(tool, home)
    file.write_bytes(codecs.BOM_UTF8 + before)
    result = pat("setup", tool, *feed_of(tool, emulator))
    assert result.exit_code == 2
    assert f"begins with a byte order mark, which {tool} cannot read" in result.stderr
    assert file.read_bytes() == codecs.BOM_UTF8 + before


@pytest.mark.posix("links")
def test_a_link_stays_one(pat: InProcess, emulator: Emulator, home: Path, secret: str) -> None:
    assert secret
    real = home / "dotfiles/npmrc"
    real.parent.mkdir()
    real.write_bytes(b"a=1\n")
    (home / ".npmrc").symlink_to(real)
    assert pat("setup", "npm", *feed_of("npm", emulator)).exit_code == 0
    assert (home / ".npmrc").is_symlink()
    assert b"_password=" in real.read_bytes()
    assert pat("setup", "npm", "--undo").exit_code == 0
    assert (home / ".npmrc").is_symlink()
    assert real.read_bytes() == b"a=1\n"


THEIRS = {
    "npm": "//x/:_authToken=hunter2\r\nmail=hunter2",
    "netrc": "machine 127.0.0.1 login me account hunter2 password hunter2\n"
    "machine y\n login hunter2\n",
    "maven": "<settings><servers><server><id>feed</id><passphrase>hunter2</passphrase>"
    "<password><![CDATA[hunter2]]></password></server></servers></settings>",
    "nuget": '<configuration><apikeys><add key="x" value="hunter2"/></apikeys>'
    '<packageSourceCredentials><feed><add value="hunter2" key="ClearTextPassword"/></feed>'
    "</packageSourceCredentials></configuration>",
    "gradle": "feedPassword=hunter2\nother=hunter2\n",
    "yarn": 'npmRegistries:\n  "//x/":\n    npmAuthToken: hunter2\n',
    "bun": '[install.registry]\nurl = "x"\ntoken = "hunter2"\n',
    "cargo": '[registries.other]\ntoken = "hunter2"\n',
}


@pytest.mark.parametrize("tool", sorted(THEIRS))
def test_nothing_of_the_users_own_lines_is_shown(
    tool: str, pat: InProcess, emulator: Emulator, home: Path, secret: str
) -> None:
    file, _ = prepared(tool, home)
    file.write_text(THEIRS[tool], newline="")
    for more in (("--dry-run",), (), ("--undo", "--dry-run"), ("--undo",)):
        feed = () if "--undo" in more else feed_of(tool, emulator)
        result = pat("setup", tool, *feed, *more)
        assert result.exit_code == 0, result.stderr
        assert "hunter2" not in result.stderr + result.stdout
        assert secret not in result.stderr + result.stdout
        assert f"+++ {file}" in result.stderr
    assert file.read_bytes().decode() == THEIRS[tool]


@pytest.mark.parametrize(
    ("tool", "theirs"),
    [
        ("bun", "install = { registry = { token = 'hunter2', a = 'hunter2' }, b = 1 } # hunter2\n"),
        ("bun", "install.b = 'hunter2'\r\n[x]\r\n"),
        ("bun", "[install]\nregistry.token = 'hunter2'\nb = 'hunter2'\n\n[x]\n"),
        ("cargo", "[registries]\nfeed = { token = 'hunter2', a = 'hunter2' } # hunter2\n"),
    ],
)
def test_a_rare_form_of_toml_is_edited_without_being_shown_and_undone_after_a_change(
    tool: str, theirs: str, pat: InProcess, emulator: Emulator, home: Path, secret: str
) -> None:
    file, _ = prepared(tool, home)
    for more in ("", "[added]"):
        file.write_text(theirs, newline="")
        for undo in ((), ("--undo",)):
            feed = () if undo else feed_of(tool, emulator)
            result = pat("setup", tool, *feed, *undo)
            assert result.exit_code == 0, result.stderr
            assert "hunter2" not in result.stderr + result.stdout
            assert secret not in result.stderr + result.stdout
            if not undo:
                assert theirs not in file.read_bytes().decode()
                with file.open("a") as opened:
                    opened.write(more)
        assert file.read_bytes().decode() == theirs + more


@pytest.mark.posix("links")
def test_a_file_with_several_names_and_one_that_leads_in_a_circle(
    pat: InProcess, emulator: Emulator, home: Path, secret: str
) -> None:
    assert secret
    file, before = prepared("npm", home)
    other = home / "other"
    other.hardlink_to(file)
    refused = pat("setup", "npm", *feed_of("npm", emulator))
    assert (refused.exit_code, "it has several names" in refused.stderr) == (2, True)
    assert file.read_bytes() == other.read_bytes() == before
    other.unlink()
    file.unlink()
    file.symlink_to(other)
    other.symlink_to(file)
    refused = pat("setup", "npm", *feed_of("npm", emulator))
    assert (refused.exit_code, "Too many levels of symbolic links" in refused.stderr) == (2, True)


@pytest.mark.posix("links")
def test_a_link_to_what_is_not_there_yet_stays_one(
    pat: InProcess, emulator: Emulator, home: Path, secret: str
) -> None:
    assert secret
    (home / "dot").mkdir()
    (home / ".npmrc").symlink_to("dot/npmrc")
    assert pat("setup", "npm", *feed_of("npm", emulator)).exit_code == 0
    assert (home / "dot/npmrc").exists()
    assert pat("setup", "npm", "--undo").exit_code == 0
    assert (home / ".npmrc").is_symlink()
    assert list((home / "dot").iterdir()) == []


@as_root
def test_a_file_of_another_user_stays_theirs(
    pat: InProcess, emulator: Emulator, home: Path, secret: str
) -> None:
    assert secret
    file, _ = prepared("npm", home)
    shutil.chown(file, 1234, 1235)
    for words in (feed_of("npm", emulator), ("--undo",)):
        assert pat("setup", "npm", *words).exit_code == 0
        assert (file.stat().st_uid, file.stat().st_gid) == (1234, 1235)


def test_az_that_was_broken_off_gives_back_what_was_there(
    pat: InProcess,
    emulator: Emulator,
    memory_keyring: MemoryKeyring,
    secret: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What another program had is kept before anything is noted."""
    place = (f"azdevops-cli:{emulator.url}/contoso", "Personal Access Token")
    memory_keyring.held[place] = "theirs"
    put = MemoryKeyring.set_password

    def locked(keyring: MemoryKeyring, service: str, username: str, password: str) -> None:
        if service == place[0]:
            raise KeyringLocked
        put(keyring, service, username, password)

    monkeypatch.setattr(MemoryKeyring, "set_password", locked)
    assert pat("setup", "az").exit_code == 7
    monkeypatch.setattr(MemoryKeyring, "set_password", put)
    assert memory_keyring.held[place] == "theirs"
    assert pat("setup", "az").exit_code == 0
    assert memory_keyring.held[place] == secret
    assert pat("setup", "az", "--undo").exit_code == 0
    assert memory_keyring.held[place] == "theirs"


def test_what_somebody_has_put_there_since_stays(
    pat: InProcess, emulator: Emulator, memory_keyring: MemoryKeyring, secret: str
) -> None:
    assert secret
    place = (f"azdevops-cli:{emulator.url}/contoso", "Personal Access Token")
    assert pat("setup", "az").exit_code == 0
    memory_keyring.held[place] = "their newer one"
    assert pat("setup", "az", "--undo").exit_code == 0
    assert memory_keyring.held[place] == "their newer one"


def test_az_in_two_places(
    pat: InProcess, emulator: Emulator, memory_keyring: MemoryKeyring, secret: str, tmp_path: Path
) -> None:
    assert secret
    place = (f"azdevops-cli:{emulator.url}/contoso", "Personal Access Token")
    memory_keyring.held[place] = "theirs"
    assert pat("setup", "az").exit_code == 0
    elsewhere = pat("setup", "az", env={"AZURE_CONFIG_DIR": str(tmp_path)})
    assert (elsewhere.exit_code, "in the same keyring entry" in elsewhere.stderr) == (6, True)
    assert pat("setup", "az", "--undo").exit_code == 0
    assert memory_keyring.held[place] == "theirs"


@pytest.mark.posix("links")
def test_one_file_by_two_names(pat: InProcess, emulator: Emulator, home: Path, secret: str) -> None:
    real = home / "dot/npmrc"
    real.parent.mkdir()
    real.write_bytes(b"a=1\n")
    (home / ".npmrc").symlink_to(real)
    feed = feed_of("npm", emulator)
    assert pat("setup", "npm", *feed).exit_code == 0
    for name in (real, home / "dot/../.npmrc"):
        again = pat("setup", "npm", *feed, "-o", "json", env={"NPM_CONFIG_USERCONFIG": str(name)})
        assert again.json[0]["outcome"] == "unchanged"
    assert pat("setup", "npm", "--undo").exit_code == 0
    assert real.read_bytes() == b"a=1\n"
    assert encoded(secret) not in real.read_text()


@pytest.mark.parametrize("later", [(), ("--use", "other")], ids=["again", "with another"])
def test_what_was_made_a_comment_and_set_up_again(
    later: tuple[str, ...], pat: InProcess, emulator: Emulator, home: Path, secret: str
) -> None:
    """The copies in the comments hold a secret that works."""
    assert pat("create", "other", "--for", "packages").exit_code == 0
    feed = feed_of("npm", emulator)
    assert pat("setup", "npm", *feed, "--use", "packages").exit_code == 0
    file = home / ".npmrc"
    made = file.read_text().splitlines(keepends=True)
    file.write_text("".join(f"#{line}" for line in made), newline="")
    assert pat("setup", "npm", *feed, *(later or ("--use", "packages"))).exit_code == 0
    refused = pat("setup", "npm", "--undo")
    assert (refused.exit_code, "would leave the secret in it" in refused.stderr) == (6, True)
    assert encoded(secret) in file.read_text()


def test_a_user_who_has_taken_it_out_already(
    pat: InProcess, emulator: Emulator, home: Path, secret: str
) -> None:
    assert secret
    file, _ = prepared("npm", home)
    assert pat("setup", "npm", *feed_of("npm", emulator)).exit_code == 0
    file.write_text("something = else\n")
    assert pat("setup", "npm", "--undo").exit_code == 0
    assert file.read_text() == "something = else\n"
    assert mode(file) in {None, 0o644}


def test_what_a_killed_run_left_goes_with_the_setup(
    pat: InProcess, emulator: Emulator, home: Path, secret: str
) -> None:
    assert pat("setup", "npm", *feed_of("npm", emulator)).exit_code == 0
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
    left = home / f"..npmrc.pat-{process.pid}-abc"
    left.write_text(secret)
    if sys.platform == "win32":  # where age is all that tells
        os.utime(left, (0, 0))
    (home / ".npmrc").unlink()
    assert pat("setup", "npm", "--undo").exit_code == 0
    assert not left.exists()


@pytest.mark.posix("modes of files")
def test_a_file_that_others_may_read_again(
    pat: InProcess, emulator: Emulator, home: Path, secret: str
) -> None:
    assert secret
    feed = feed_of("npm", emulator)
    assert pat("setup", "npm", *feed).exit_code == 0
    (home / ".npmrc").chmod(0o644)
    assert pat("setup", "npm", *feed, "-o", "json").json[0]["outcome"] == "set up"
    assert mode(home / ".npmrc") in {None, 0o600}


def test_git_that_was_told_of_a_server_that_is_forgotten_since(pat: InProcess, home: Path) -> None:
    need_git()
    file, before = prepared("git", home)
    entry = StoredPat(
        org_url="https://tfs.example.com/tfs/One",
        org="one",
        name="office",
        id=None,
        scopes=(),
        created=None,
        expires=None,
    )
    state = State(home / "pat/state/state.db")
    state.remember(entry)
    assert pat("setup", "git").exit_code == 0
    assert "https://tfs.example.com" in file.read_text()
    state.forget(entry.org_url, entry.name)
    assert pat("setup", "git", "--undo").exit_code == 0
    assert file.read_bytes() == before


def test_two_collections_that_az_cannot_tell_apart(
    pat: InProcess, home: Path, memory_keyring: MemoryKeyring, emulator: Emulator
) -> None:
    for name in ("One", "Two"):
        url = f"{emulator.url}/tfs/{name}"
        entry = StoredPat(
            org_url=url,
            org=name.lower(),
            name=name,
            id=None,
            scopes=(),
            created=None,
            expires=None,
        )
        State(home / "pat/state/state.db").remember(entry)
        memory_keyring.held[f"azdo-pat:{url}", name] = name * 10
    env = {"PAT_API_URL": None, "PAT_ORG": None}
    place = (f"azdevops-cli:{emulator.url}/tfs", "Personal Access Token")
    memory_keyring.held[place] = "theirs"
    url = f"{emulator.url}/tfs"
    assert pat("setup", "az", "--org", f"{url}/One", env=env).exit_code == 0
    refused = pat("setup", "az", "--org", f"{url}/Two", env=env)
    assert (refused.exit_code, "in the same keyring entry" in refused.stderr) == (6, True)
    assert memory_keyring.held[place] == "One" * 10
    assert pat("setup", "az", "--undo", env=env).exit_code == 0
    assert memory_keyring.held[place] == "theirs"


def test_a_home_that_is_not_there(
    pat: InProcess, emulator: Emulator, tmp_path: Path, secret: str
) -> None:
    assert secret
    gone = tmp_path / "gone"
    name = "USERPROFILE" if sys.platform == "win32" else "HOME"
    result = pat("setup", "npm", *feed_of("npm", emulator), env={name: str(gone)})
    assert result.exit_code == 3
    assert f"the home folder {gone} does not exist" in result.stderr
    assert not gone.exists()
    for odd in () if sys.platform == "win32" else ("", "here"):  # which Windows does not look at
        refused = pat("setup", "npm", *feed_of("npm", emulator), "--dry-run", env={name: odd})
        assert (refused.exit_code, "which is not a folder" in refused.stderr) == (3, True)


@pytest.mark.parametrize(
    ("args", "code", "message"),
    [
        ((), 2, "no tool given"),
        (("emacs",), 2, "pat does not know the tool 'emacs'"),
        (("npm",), 2, "npm needs a feed"),
        (("npm", "--feed", "https://a:b@x/_packaging/f/npm/registry/"), 2, "must not carry"),
        (("npm", "--feed", FEEDS["npm"]), 2, "is a feed at Microsoft, but PAT_API_URL points"),
        (
            ("npm", "--feed", "https://evil.example/_packaging/f/npm/registry/"),
            2,
            "is not a feed of Azure Artifacts, nor of a server",
        ),
        (("git", "--feed", FEEDS["npm"]), 2, "leave out --feed"),
        (("git", "--use", "x"), 2, "asks for a token when it needs one"),
        (("netrc", "--use", "x"), 3, "no token for contoso under the name 'x' is stored"),
        (("npm", "--undo"), 3, "pat has not set up npm"),
        (("pip",), 3, "which is not on the PATH"),
    ],
)
def test_what_is_refused(args: tuple[str, ...], code: int, message: str, pat: InProcess) -> None:
    result = pat("setup", *args, env={"PATH": "/nowhere"})
    assert (result.exit_code, result.stdout) == (code, "")
    assert message in result.stderr


def test_no_token_for_a_feed(pat: InProcess, emulator: Emulator, secret: str) -> None:
    assert secret
    feed = f"{emulator.url}/fabrikam/_packaging/f/npm/registry/"
    refused = pat("setup", "npm", "--feed", feed)
    assert refused.exit_code == 3
    assert (
        "to create one, run: pat create packages --for packages --org fabrikam;" in refused.stderr
    )


def test_what_is_to_be_typed_can_be_typed(pat: InProcess, emulator: Emulator) -> None:
    """Names hold what a shell would act on."""
    feed = ("--feed", f"{emulator.url}/contoso/_packaging/f/npm/registry/")
    hint = pat("setup", "npm", *feed, "--use", "$(id) 'x'").stderr.splitlines()[1]
    command = hint.partition("run: ")[2].partition(";")[0]
    assert command == f"""pat create {quoted("$(id) 'x'")} --for packages --org contoso"""


def test_only_what_is_dead_is_undone_by_what_is_said(
    pat: InProcess, emulator: Emulator, home: Path, secret: str
) -> None:
    assert pat("create", "other", "--for", "packages").exit_code == 0
    for name, token in (("a(1)", "packages"), ("b", "other")):
        feed = f"{emulator.url}/contoso/_packaging/{name}/npm/registry/"
        assert pat("setup", "npm", "--feed", feed, "--use", token).exit_code == 0
    said = pat("revoke", "packages", "--yes").stderr
    [command] = re.findall(r"to remove it, run: pat (.*)", said)
    assert pat(*shlex.split(command)).exit_code == 0
    text = (home / ".npmrc").read_text()
    assert (encoded(secret) in text, "/b/npm/" in text) == (False, True)
    assert pat("create", "mine", "--for", "git").exit_code == 0
    assert pat("setup", "netrc", "--use", "mine").exit_code == 0
    [command] = re.findall(
        r"to remove it, run: pat (setup netrc .*)", pat("revoke", "mine", "--yes").stderr
    )
    assert pat(*shlex.split(command)).exit_code == 0
    assert not (home / ".netrc").exists()


def test_undoing_what_is_for_all_organizations(pat: InProcess, home: Path) -> None:
    need_git()
    file, before = prepared("git", home)
    assert pat("setup", "git").exit_code == 0
    assert pat("setup", "git", "--undo", "--org", "fabrikam").exit_code == 2
    assert file.read_bytes() != before
    assert pat("setup", "git", "--undo").exit_code == 0
    assert file.read_bytes() == before


def test_a_backend_that_keyring_asks_alone(pat: InProcess) -> None:
    refused = pat("setup", "pip", env={"PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring"})
    assert refused.exit_code == 3
    assert "PYTHON_KEYRING_BACKEND is set to keyring.backends.null.Keyring" in refused.stderr


@pytest.mark.parametrize(
    ("tool", "variable", "value"),
    [
        ("gradle", "ORG_GRADLE_PROJECT_feedPassword", "x"),
        ("bun", "NPM_CONFIG_REGISTRY", "https://registry.npmjs.org/"),
        ("az", "AZURE_DEVOPS_EXT_PAT", "x"),
    ],
)
@pytest.mark.usefixtures("secret")
def test_a_variable_that_outranks_the_file_is_told(
    tool: str, variable: str, value: str, pat: InProcess, emulator: Emulator
) -> None:
    words = ("setup", tool, *feed_of(tool, emulator), "--use", "packages")
    told = f"{variable} is set and overrides the setup of {tool}"
    result = pat(*words, env={variable: value})
    assert (result.exit_code, told in " ".join(result.stderr.split())) == (0, True)
    assert variable not in pat(*words).stderr


@pytest.mark.parametrize("tool", ["pip", "uv"])
@pytest.mark.parametrize(("value", "outranks"), [("disabled", True), ("subprocess", False)])
def test_a_keyring_provider_in_the_environment(
    tool: str, value: str, pat: InProcess, tmp_path: Path, *, outranks: bool
) -> None:
    path = with_keyring(tmp_path, "azdo_pat.keyring_backend.PackagesBackend", old="no")
    variable = f"{tool.upper()}_KEYRING_PROVIDER"
    result = pat("setup", tool, env={"PATH": path, variable: value})
    assert (result.exit_code, variable in result.stderr) == (0, outranks)


KEYRING_PROGRAM = """
import sys
if {old!r} == "yes" and any("--mode=creds" in each for each in sys.argv):
    print("unrecognized arguments: --mode=creds", file=sys.stderr)
    sys.exit(2)
print({backends!r})
"""


def with_keyring(folder: Path, backends: str, *, old: str) -> str:
    """Write a program `keyring` with these backends; return the PATH with it."""
    program = folder / "bin/keyring"
    program.parent.mkdir()
    put_program(program, KEYRING_PROGRAM.format(old=old, backends=backends))
    return f"{program.parent}{os.pathsep}{os.environ['PATH']}"


@pytest.mark.parametrize("knows", [True, False])
@pytest.mark.parametrize("old", ["no", "yes"])
@pytest.mark.parametrize("tool", ["pip", "uv"])
def test_a_keyring_that_is_too_old(
    tool: str, old: str, pat: InProcess, tmp_path: Path, *, knows: bool
) -> None:
    """pip asks it with an option that keyring has since 25.2.1; uv does not."""
    backends = "azdo_pat.keyring_backend.PackagesBackend (priority: 9)" if knows else ""
    result = pat("setup", tool, env={"PATH": with_keyring(tmp_path, backends, old=old)})
    assert result.exit_code == (0 if knows else 3)
    told = "pip 26.3 and later need keyring 25.2.1 or later" in result.stderr
    assert told is ((tool, old) == ("pip", "yes"))


def test_a_keyring_in_the_folder_that_one_stands_in(
    pat: InProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_program(tmp_path / "keyring", f"open({str(tmp_path / 'run')!r}, 'w')")
    monkeypatch.chdir(tmp_path)
    assert pat("setup", "pip", env={"PATH": f".{os.pathsep}/usr/bin:/bin"}).exit_code == 3
    assert not (tmp_path / "run").exists()


def test_a_token_may_be_chosen(
    pat: InProcess, emulator: Emulator, home: Path, memory_keyring: MemoryKeyring, secret: str
) -> None:
    assert pat("create", "other", "--for", "git").exit_code == 0
    feed = feed_of("gradle", emulator)
    chosen = pat("setup", "gradle", *feed, "--use", "other", "-o", "json")
    assert chosen.json[0]["token"] == "other"
    assert secret not in (home / ".gradle/gradle.properties").read_text()
    assert any(name == "other" for _, name in memory_keyring.held)


def test_another_token_takes_the_place(
    pat: InProcess, emulator: Emulator, home: Path, secret: str
) -> None:
    assert secret
    assert pat("create", "other", "--for", "packages").exit_code == 0
    feed = feed_of("gradle", emulator)
    file = home / ".gradle/gradle.properties"
    assert pat("setup", "gradle", *feed, "--use", "packages").exit_code == 0
    assert pat("setup", "gradle", *feed, "--use", "other").exit_code == 0
    held = file.read_bytes()
    assert pat("rotate", "packages").exit_code == 0
    assert file.read_bytes() == held
    assert pat("update", "other", "--name", "renamed").exit_code == 0
    assert pat("rotate", "renamed").exit_code == 0
    assert file.read_bytes() != held
    assert pat("setup", "gradle", "--undo").exit_code == 0
    assert pat("rotate", "renamed").exit_code == 0
    assert not file.exists()


@pytest.mark.parametrize("tool", ["npm", "pnpm"])
def test_two_tools_with_one_file_are_both_listed(
    tool: str, pat: InProcess, emulator: Emulator, secret: str
) -> None:
    assert secret
    assert pat("setup", tool, *feed_of(tool, emulator)).exit_code == 0
    listed = pat("setup", "--list", "-o", "json").json
    assert [each["tool"] for each in listed if each["set_up"]] == ["npm", "pnpm"]


def test_the_list(pat: InProcess) -> None:
    listed = pat("setup", "--list", "-o", "json").json
    assert [each["tool"] for each in listed if not each["secret_in_file"]] == [
        "git",
        "pip",
        "uv",
        "cargo",
        "az",
        *(["osxkeychain"] if sys.platform == "darwin" else []),
        "twine",
        "poetry",
        "terraform",
    ]
    assert "maven" in pat("setup", "--list").stdout


@pytest.mark.skipif(sys.platform == "darwin", reason="macOS has it")
def test_the_keychain_of_macos_is_not_offered(pat: InProcess) -> None:
    unknown = pat("setup", "emacs").stderr
    completing = {"_PAT_COMPLETE": "bash_complete", "COMP_WORDS": "pat setup ", "COMP_CWORD": "2"}
    for offered in (unknown, pat("setup", "--list").stdout, pat(env=completing).stdout):
        assert "nuget" in offered
        assert "osxkeychain" not in offered


def test_git_keeps_its_helpers_for_others(pat: InProcess, home: Path) -> None:
    need_git()
    file, before = prepared("git", home)
    assert pat("setup", "git").exit_code == 0
    text = file.read_text()
    assert text.startswith(before.decode())
    added = text.removeprefix(before.decode())
    assert added.count("helper = \n") == added.count("git-credential-pat") == 2
    assert '[credential "https://dev.azure.com"]' in added
    assert os.fspath(home) not in added


def test_az_finds_it_in_the_keyring(
    pat: InProcess, emulator: Emulator, home: Path, memory_keyring: MemoryKeyring, secret: str
) -> None:
    place = (f"azdevops-cli:{emulator.url}/contoso", "Personal Access Token")
    memory_keyring.held[place] = "theirs"
    config = home / ".azure/azuredevops/config"
    config.parent.mkdir(parents=True)
    config.write_bytes(b"[defaults]\nproject = x\n")
    assert pat("setup", "az").exit_code == 0
    assert memory_keyring.held[place] == secret
    assert config.read_text().splitlines()[-1] == f"organization = {emulator.url}/contoso"
    assert pat("setup", "az", "-o", "json").json[0]["outcome"] == "unchanged"
    assert pat("rotate", "packages").exit_code == 0
    assert memory_keyring.held[place] == pat("get", "packages").stdout.strip() != secret
    assert pat("setup", "az", "--undo").exit_code == 0
    assert memory_keyring.held[place] == "theirs"
    assert len(memory_keyring.held) == 2
    assert config.read_bytes() == b"[defaults]\nproject = x\n"


def test_az_that_has_its_organization_already(
    pat: InProcess, emulator: Emulator, home: Path, memory_keyring: MemoryKeyring, secret: str
) -> None:
    place = (f"azdevops-cli:{emulator.url}/contoso", "Personal Access Token")
    config = home / ".azure/azuredevops/config"
    config.parent.mkdir(parents=True)
    before = f"[defaults]\norganization = {emulator.url}/contoso\n"
    config.write_text(before)
    assert pat("setup", "az").exit_code == 0
    assert memory_keyring.held[place] == secret
    assert pat("setup", "az", "--undo").exit_code == 0
    assert place not in memory_keyring.held
    assert config.read_text() == before


def test_az_with_two_organizations(
    pat: InProcess, emulator: Emulator, home: Path, memory_keyring: MemoryKeyring, secret: str
) -> None:
    """Each has its own entry, which its own rotation updates; each can be undone alone."""
    other = ("--org", "fabrikam")
    assert pat("create", "second", "--for", "packages", *other).exit_code == 0
    user = "Personal Access Token"
    ours, theirs = (f"azdevops-cli:{emulator.url}/{org}" for org in ("contoso", "fabrikam"))
    config = home / ".azure/azuredevops/config"
    for order in (("contoso", "fabrikam"), ("fabrikam", "contoso")):
        for org in order:
            assert pat("setup", "az", "--org", org).exit_code == 0
        assert config.read_text().splitlines() == [
            "[defaults]",
            f"organization = {emulator.url}/{order[-1]}",
        ]
        assert pat("rotate", "packages").exit_code == 0
        assert memory_keyring.held[ours, user] == pat("get", "packages").stdout.strip() != secret
        assert memory_keyring.held[theirs, user] == pat("get", "second", *other).stdout.strip()
        assert pat("setup", "az", "--undo").exit_code == 0
        assert not config.exists()
        assert len(memory_keyring.held) == 2
    for org in ("contoso", "fabrikam"):
        assert pat("setup", "az", "--org", org).exit_code == 0
    assert pat("setup", "az", "--undo", *other).exit_code == 0
    assert (theirs, user) not in memory_keyring.held
    assert config.read_text().splitlines()[1] == f"organization = {emulator.url}/contoso"
    assert pat("rotate", "packages").exit_code == 0
    assert memory_keyring.held[ours, user] == pat("get", "packages").stdout.strip()


def test_netrc_has_room_for_one_token_a_host(
    pat: InProcess, emulator: Emulator, home: Path, secret: str
) -> None:
    assert pat("create", "second", "--for", "git", "--org", "fabrikam").exit_code == 0
    first = pat("setup", "netrc")
    assert first.exit_code == 0
    assert "netrc ignores ports: every program that asks for 127.0.0.1" in first.stderr
    before = (home / BEFORE["netrc"][0]).read_bytes()
    refused = pat("setup", "netrc", "--org", "fabrikam")
    assert refused.exit_code == 6
    assert f"already has the token of {emulator.url}/contoso for 127.0.0.1" in refused.stderr
    assert (home / BEFORE["netrc"][0]).read_bytes() == before
    assert secret in before.decode()
    assert pat("setup", "netrc", "--undo").exit_code == 0
    assert pat("setup", "netrc", "--org", "fabrikam").exit_code == 0


def test_whoever_ends_a_token_is_told_where_its_secret_lies(
    pat: InProcess, emulator: Emulator, home: Path, tmp_path: Path, secret: str
) -> None:
    assert secret
    feed = feed_of("npm", emulator)
    lies = f"npm ({home / '.npmrc'}) still holds the secret of 'packages', which %s; to remove it,"
    assert pat("setup", "npm", *feed).exit_code == 0
    assert lies % "is no longer renewed" in pat("forget", "packages").stderr
    assert pat("create", "next", "--for", "packages").exit_code == 0
    assert pat("setup", "npm", *feed).exit_code == 0
    program = put_program(tmp_path / "reads", "import sys; sys.stdin.read()")
    places = ("--deliver", f"file:{tmp_path / 'held'}", "--deliver", f"command:{program}")
    assert pat("rotate", "next", *places).exit_code == 0
    gone = pat("revoke", "next", "--yes")
    assert gone.exit_code == 0
    assert lies.replace("packages", "next") % "no longer works" in gone.stderr
    told = "the secret of 'next', which no longer works"
    assert f"{tmp_path / 'held'} still holds {told}" in gone.stderr
    assert f"the command {quoted(str(program))} was given {told}" in gone.stderr
    assert pat("setup", "npm", "--undo").exit_code == 0
    assert not (home / ".npmrc").exists()


@pytest.mark.posix("the user database")
def test_a_sandbox_touches_nothing_of_the_users(
    pat: InProcess, emulator: Emulator, home: Path, tmp_path: Path, secret: str
) -> None:
    assert secret
    feed = feed_of("npm", emulator)
    sandbox = {"PAT_THROWAWAY_KEYRING": str(home / "keyring")}
    own = Path("~" + getpass.getuser()).expanduser()
    for env in ({"HOME": str(own)}, {"NPM_CONFIG_USERCONFIG": str(tmp_path / "npmrc")}):
        refused = pat("setup", "npm", *feed, env={**sandbox, **env})
        assert refused.exit_code == 2
        assert "is outside the sandbox" in refused.stderr
        assert not (tmp_path / "npmrc").exists()
        shown = pat("setup", "npm", *feed, "--dry-run", env={**sandbox, **env})
        assert shown.exit_code == 0
    assert pat("setup", "npm", *feed, env=sandbox).exit_code == 0
    assert (home / ".npmrc").exists()


@pytest.mark.posix("the first line of a script")
def test_what_needs_no_setting_up(pat: InProcess, tmp_path: Path) -> None:
    result = pat("setup", "terraform", "-o", "json")
    assert result.json == [
        {"tool": "terraform", "file": None, "outcome": "unchanged", "feed": None, "token": None}
    ]
    assert "pat exec TOKEN -- terraform plan" in result.stderr
    here = {"PATH": str(tmp_path)}
    absent = pat("setup", "twine", env=here)
    assert (absent.exit_code, "twine is not on the PATH" in absent.stderr) == (3, True)
    script = tmp_path / "twine"
    script.write_text(f"#!{sys.executable}\n")
    script.chmod(0o755)
    assert "no setup needed" in pat("setup", "twine", env=here).stderr
    script.write_text("#!/bin/false\n")
    stranger = pat("setup", "twine", env=here)
    assert stranger.exit_code == 3
    added = f"pipx install twine, then: pipx inject twine {quoted(source() or 'FOLDER')}"
    assert stranger.stderr.endswith(f"to install pat there, run: {added}\n")


@pytest.mark.posix("the first line of a script")
def test_pat_is_added_to_the_environment_of_the_program(pat: InProcess, tmp_path: Path) -> None:
    environment = tmp_path / "venvs/twine"
    (environment / "bin").mkdir(parents=True)
    for name in ("pyvenv.cfg", "pipx_metadata.json"):
        (environment / name).touch()
    python = environment / "bin/python"
    python.symlink_to("/bin/false")
    script = environment / "bin/twine"
    script.write_text(f"#!{python}\n")
    script.chmod(0o755)
    here = {"PATH": str(script.parent)}
    added = quoted(source() or "FOLDER")
    hint = f"to install pat there, run: pipx inject twine {added}\n"
    assert pat("setup", "twine", env=here).stderr.endswith(hint)
    (environment / "pipx_metadata.json").unlink()
    hint = f"to install pat there, run: uv pip install --python {python} {added}\n"
    assert pat("setup", "twine", env=here).stderr.endswith(hint)


@pytest.mark.posix("the first line of a script")
def test_looking_for_pat_runs_nothing_of_the_folder(
    pat_process: Installed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where one stands may be somebody else's project."""
    package = tmp_path / "azdo_pat"
    package.mkdir()
    told = tmp_path / "told"
    for name in ("__init__.py", "keyring_backend.py"):
        (package / name).write_text(f"open({str(told)!r}, 'w')\n")
    monkeypatch.chdir(tmp_path)
    script = tmp_path / "twine"
    script.write_text(f"#!{sys.executable}\n")
    script.chmod(0o755)
    assert pat_process("setup", "twine", env={"PATH": str(tmp_path)}).exit_code == 0
    assert not told.exists()


def test_several_at_once(pat_process: Installed, emulator: Emulator, home: Path) -> None:
    """All feeds are in the file afterwards, and undoing them gives back what it held."""
    assert pat_process("create", "packages", "--for", "packages").exit_code == 0
    file = home / ".npmrc"
    file.write_bytes(b"a=1\n")
    feeds = [f"{emulator.url}/contoso/_packaging/{name}/npm/registry/" for name in "abcd"]
    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(lambda feed: pat_process("setup", "npm", "--feed", feed), feeds))
    assert [result.exit_code for result in results] == [0] * 4, results
    assert all(f"_packaging/{name}/npm" in file.read_text() for name in "abcd")
    assert pat_process("setup", "npm", "--undo").exit_code == 0
    assert file.read_bytes() == b"a=1\n"
