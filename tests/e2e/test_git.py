"""Real git, with Microsoft's own URLs, gets its token from `pat`."""

import sqlite3
import time
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

from drivers import PROGRAM, Emulator, Installed, Result
from e2e.hosts import Hosts
from e2e.stage import active, captured

HELPER = ("-c", "credential.helper=", "-c", "credential.helper=pat")
WITH_PATH = ("-c", "credential.useHttpPath=true")
ASKED = "protocol=https\nhost=dev.azure.com\npath=contoso/_git/app\n"
URL = "https://dev.azure.com/contoso/_git/app"


def git(pat: Installed, *args: str, cwd: Path | None = None) -> Result:
    """Run git with `pat` as its only helper."""
    environment = pat.environment({"GIT_TERMINAL_PROMPT": "0", "GIT_CONFIG_GLOBAL": "/dev/null"})
    environment["PATH"] = f"{PROGRAM.parent}:{environment['PATH']}"
    return captured(["git", *HELPER, *args], environment, cwd=cwd)


def made(pat: Installed, name: str = "work", *args: str) -> str:
    """Make a token for git; return its secret."""
    result = pat("create", name, "--for", "git", *args)
    assert result.exit_code == 0, result.stderr
    return pat("get", name).stdout.strip()


def asked(pat: Installed, text: str, operation: str = "get") -> Result:
    """Ask as git does."""
    return pat("git-credential", operation, stdin=text)


def test_clone_fetch_push(at_microsoft: Installed, hosts: Hosts, tmp_path: Path) -> None:
    secret = made(at_microsoft)
    hosts.repository("contoso/_git/app")
    clone = tmp_path / "clone"
    cloned = git(at_microsoft, *WITH_PATH, "clone", URL, str(clone))
    assert (cloned.exit_code, cloned.stderr) == (0, f"Cloning into '{clone}'...\n")
    who = ("-c", "user.name=ada", "-c", "user.email=ada@example.com")
    assert git(at_microsoft, *who, "commit", "--allow-empty", "-m", "2", cwd=clone).exit_code == 0
    assert git(at_microsoft, *WITH_PATH, "push", cwd=clone).exit_code == 0
    assert git(at_microsoft, *WITH_PATH, "fetch", cwd=clone).exit_code == 0
    assert hosts.secrets() == {secret}
    assert {visit.host for visit in hosts.visits} == {"dev.azure.com"}


WAYS = (
    "https://contoso@dev.azure.com/contoso/_git/app",
    "https://dev.azure.com/Contoso/_git/app",
    "https://contoso.visualstudio.com/_git/app",
    "https://dev.azure.com:443/contoso/_git/app",
)


def test_each_way_to_write_the_url(at_microsoft: Installed, hosts: Hosts, tmp_path: Path) -> None:
    secret = made(at_microsoft)
    for path in ("contoso", "Contoso", ""):
        hosts.repository(f"{path}/_git/app".lstrip("/"))
    for number, url in enumerate(WAYS):
        assert git(at_microsoft, "clone", "-q", url, str(tmp_path / str(number))).exit_code == 0
        assert hosts.visits[-1].secret == secret
    assert hosts.secrets() - {""} == {secret}  # first git tries the user name alone


def test_a_token_that_was_revoked(
    at_microsoft: Installed, hosts: Hosts, emulator: Emulator, tmp_path: Path
) -> None:
    made(at_microsoft)
    hosts.repository("contoso/_git/app")
    revoke_elsewhere(at_microsoft, emulator, tmp_path)
    for said in ("contoso no longer accepts 'work'", "contoso no longer accepts 'work'"):
        refused = git(at_microsoft, *WITH_PATH, "clone", URL, str(tmp_path / "clone"))
        assert refused.exit_code == 128
        assert said in refused.stderr
        assert "pat create work --for git --replace" in refused.stderr
    assert len([visit for visit in hosts.visits if visit.authorization]) == 1
    assert at_microsoft("get", "work").exit_code == 0  # it is not for git to take it away
    secret = made(at_microsoft, "work", "--replace")
    assert git(at_microsoft, *WITH_PATH, "clone", URL, str(tmp_path / "clone")).exit_code == 0
    assert hosts.visits[-1].secret == secret


def test_a_token_near_its_end_is_renewed_and_git_does_not_notice(
    at_microsoft: Installed, hosts: Hosts, emulator: Emulator, home: Path, tmp_path: Path
) -> None:
    old = made(at_microsoft)
    hosts.repository("contoso/_git/app")
    ends_in(home, timedelta(hours=5))
    cloned = git(at_microsoft, *WITH_PATH, "clone", URL, str(tmp_path / "clone"))
    assert cloned.exit_code == 0, cloned.stderr
    assert "renewed 'work' in contoso" in cloned.stderr
    new = at_microsoft("get", "work").stdout.strip()
    assert hosts.secrets() == {new} != {old}
    assert len(active(emulator, "work")) == 2  # another git may be at work with the old one
    again = git(at_microsoft, *WITH_PATH, "ls-remote", URL)
    assert (again.exit_code, again.stderr) == (0, "")


def test_renewal_that_fails_is_not_tried_at_each_turn(
    at_microsoft: Installed, hosts: Hosts, emulator: Emulator, home: Path
) -> None:
    secret = made(at_microsoft)
    hosts.repository("contoso/_git/app")
    ends_in(home, timedelta(hours=5))
    emulator.fail("POST */tokens/pats status=403 times=always")
    first = git(at_microsoft, *WITH_PATH, "ls-remote", URL)
    assert first.exit_code == 0
    assert "'work' could not be rotated: " in first.stderr
    before = len(emulator.requests)
    second = git(at_microsoft, *WITH_PATH, "ls-remote", URL)
    assert (second.exit_code, second.stderr) == (0, "")
    paths = [each["path"] for each in emulator.requests[before:]]
    assert [path for path in paths if "pats" in path] == []
    assert hosts.secrets() == {secret}


def test_renewal_may_be_switched_off(
    at_microsoft: Installed, hosts: Hosts, emulator: Emulator, home: Path
) -> None:
    made(at_microsoft)
    hosts.repository("contoso/_git/app")
    ends_in(home, timedelta(hours=5))
    assert at_microsoft("config", "set", "git-renew", "false").exit_code == 0
    assert git(at_microsoft, *WITH_PATH, "ls-remote", URL).stderr == ""
    assert len(active(emulator, "work")) == 1


def test_an_expired_token_is_no_answer(
    at_microsoft: Installed, hosts: Hosts, emulator: Emulator, home: Path
) -> None:
    made(at_microsoft)
    ends_in(home, timedelta(hours=-5))
    emulator.fail("POST */tokens/pats status=403 times=always")
    result = asked(at_microsoft, ASKED)
    assert (result.exit_code, result.stdout) == (0, "")
    assert "'work' expired on " in result.stderr
    assert "pat rotate work" in result.stderr
    assert hosts.visits == []


def test_what_git_is_told(at_microsoft: Installed) -> None:
    secret = made(at_microsoft)
    result = asked(at_microsoft, f"capability[]=authtype\ncapability[]=state\n{ASKED}x=y\n\n")
    lines = result.stdout.splitlines()
    assert lines[:3] == ["capability[]=authtype", "username=pat", f"password={secret}"]
    key, _, value = lines[3].partition("=")
    assert key == "password_expiry_utc"
    assert abs(int(value) - time.time() - 30 * 86400) < 600
    assert result.stderr == ""
    assert "username=ada\n" in asked(at_microsoft, f"{ASKED}username=ada\n").stdout


def test_the_access_token_serves_where_there_is_no_token(
    at_microsoft: Installed, hosts: Hosts
) -> None:
    result = asked(at_microsoft, f"capability[]=authtype\n{ASKED}")
    lines = result.stdout.splitlines()
    assert lines[:4] == [
        "capability[]=authtype",
        "authtype=Bearer",
        f"credential={hosts.bearer}",
        "ephemeral=1",
    ]
    older = asked(at_microsoft, ASKED)
    assert (older.exit_code, older.stdout) == (0, "")
    assert "pat create NAME --for git" in older.stderr


OTHER_HOSTS = (
    "protocol=https\nhost=github.com\npath=contoso/app\n",
    "protocol=https\nhost=evildev.azure.com\npath=contoso/_git/app\n",
    "protocol=https\nhost=dev.azure.com.evil.example\npath=contoso/_git/app\n",
    "protocol=https\nhost=dev.azure.com:8443\npath=contoso/_git/app\n",
    "protocol=https\nhost=dev.azure.com@evil.example\npath=contoso/_git/app\n",
    "protocol=https\nhost=evil.example/dev.azure.com\npath=contoso/_git/app\n",
    "protocol=https\nhost=dev.azure.com.\npath=contoso/_git/app\n",
    "protocol=https\nhost=dev.azure.com/.evil.example\npath=contoso/_git/app\n",
    "protocol=https\nhost=dev.azure.com#.evil.example\npath=contoso/_git/app\n",
    "protocol=https\nhost=dev.azure.com?.evil.example\npath=contoso/_git/app\n",
    "protocol=https\nhost=dev.azure.com\\.evil.example\npath=contoso/_git/app\n",
    "protocol=https\nhost=evil.example#.visualstudio.com\n",
    "protocol=https\nhost=contoso.visualstudio.com.evil.example\n",
    "protocol=https\nhost=a.contoso.visualstudio.com\n",
    "protocol=http\nhost=dev.azure.com\npath=contoso/_git/app\n",
    "protocol=cert\npath=/etc/key\n",
    "host=dev.azure.com\npath=contoso/_git/app\n",
    "",
)


def test_no_other_host_gets_an_answer(at_microsoft: Installed) -> None:
    made(at_microsoft)
    for text in OTHER_HOSTS:  # neither the token, nor the access token in place of it
        result = asked(at_microsoft, f"capability[]=authtype\n{text}")
        assert (result.exit_code, result.stdout, result.stderr) == (0, "", ""), text


OTHER_ORGANIZATIONS = (
    "protocol=https\nhost=dev.azure.com\npath=fabrikam/_git/app\n",
    "protocol=https\nhost=dev.azure.com\npath=contoso%0a/_git/app\n",
    "protocol=https\nhost=dev.azure.com\npath=contoso%2f..%2ffabrikam/_git/app\n",
    "protocol=https\nhost=fabrikam.visualstudio.com\n",
)


def test_no_other_organization_gets_the_token(at_microsoft: Installed) -> None:
    made(at_microsoft)
    for text in OTHER_ORGANIZATIONS:
        result = asked(at_microsoft, text)
        assert (result.exit_code, result.stdout) == (0, ""), text


NO_PROTOCOL = (
    f"{'protocol=https'}\nhost=dev.azure.com\0\npath=contoso\n",
    "protocol=https\nhost=dev.azure.com\r\npath=contoso\n",
    "protocol=https\nhost\n",
    "=x\n",
    "a=" + "x" * 200_000,
)


def test_what_is_not_the_protocol_is_refused(at_microsoft: Installed) -> None:
    made(at_microsoft)
    for text in NO_PROTOCOL:
        result = asked(at_microsoft, text)
        assert (result.exit_code, result.stdout) == (2, ""), text[:80]


def test_the_token_that_fits_best(at_microsoft: Installed) -> None:
    def token(name: str, scope: str) -> str:
        assert at_microsoft("create", name, "--scope", scope).exit_code == 0
        return at_microsoft("get", name).stdout.strip()

    token("packages", "packaging")
    token("aa-reader", "code")
    full = token("all", "full")
    assert f"password={full}\n" in asked(at_microsoft, ASKED).stdout
    writer = token("writer", "code_write")
    assert f"password={writer}\n" in asked(at_microsoft, ASKED).stdout
    assert at_microsoft("config", "set", "git-token", "all").exit_code == 0
    assert f"password={full}\n" in asked(at_microsoft, ASKED).stdout


def test_why_git_was_refused(
    at_microsoft: Installed, emulator: Emulator, home: Path, tmp_path: Path
) -> None:
    secret = made(at_microsoft)
    used = f"{ASKED}username=pat\npassword={secret}\n"
    works = asked(at_microsoft, used, "erase")
    assert (works.exit_code, works.stdout) == (0, "")
    assert "'work' works, but the service refused git" in works.stderr
    assert f"password={secret}\n" in asked(at_microsoft, ASKED).stdout
    assert asked(at_microsoft, used, "store").stderr == ""
    ends_in(home, timedelta(hours=-5))
    assert "'work' expired on " in asked(at_microsoft, used, "erase").stderr
    ends_in(home, timedelta(days=30))
    revoke_elsewhere(at_microsoft, emulator, tmp_path)
    assert "no longer accepts 'work'" in asked(at_microsoft, used, "erase").stderr
    other = asked(at_microsoft, f"{ASKED}username=pat\npassword=x\n", "erase")
    assert "a password that pat does not know" in other.stderr
    theirs = "protocol=https\nhost=github.com\nusername=a\npassword=x\n"
    assert asked(at_microsoft, theirs, "erase").stderr == ""
    assert at_microsoft("get", "work").stdout.strip() == secret


def test_a_server_of_ones_own(at_microsoft: Installed, hosts: Hosts, tmp_path: Path) -> None:
    secret = made(at_microsoft)
    collection = "https://tfs.example.com/contoso"  # the emulator stands for it, too
    imported = at_microsoft("import", "office", "--org", collection, stdin=secret)
    assert imported.exit_code == 0, imported.stderr
    hosts.repository("contoso/_git/app")
    url = f"{collection}/_git/app"
    assert git(at_microsoft, *WITH_PATH, "clone", "-q", url, str(tmp_path / "a")).exit_code == 0
    assert git(at_microsoft, "clone", "-q", url, str(tmp_path / "b")).exit_code == 0  # no path told
    assert {(visit.host, visit.secret) for visit in hosts.visits if visit.authorization} == {
        ("tfs.example.com", secret)
    }
    other = "protocol=https\nhost=tfs.example.com\npath=fabrikam/_git/app\n"
    assert asked(at_microsoft, other).stdout == ""
    used = f"protocol=https\nhost=tfs.example.com\npath=contoso/x\npassword={secret}\n"
    assert (
        "'office' works, but the service refused git" in asked(at_microsoft, used, "erase").stderr
    )


def test_exec_needs_nothing_set_up(at_microsoft: Installed, hosts: Hosts) -> None:
    secret = made(at_microsoft)
    hosts.repository("contoso/_git/app")
    env = {"GIT_TERMINAL_PROMPT": "0", "GIT_CONFIG_GLOBAL": "/dev/null"}
    listed = at_microsoft("exec", "work", "--", "git", "ls-remote", URL, env=env)
    assert listed.exit_code == 0, listed.stderr
    assert hosts.secrets() == {secret}
    elsewhere = URL.replace("dev.azure.com/contoso", "tfs.example.com/contoso")
    assert at_microsoft("exec", "work", "--", "git", "ls-remote", elsewhere, env=env).exit_code
    assert {visit.host for visit in hosts.visits if visit.secret} == {"dev.azure.com"}


def test_an_operation_of_a_later_git(at_microsoft: Installed) -> None:
    made(at_microsoft)
    result = asked(at_microsoft, ASKED, "rekey")
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", "")


def test_what_it_imports(at_microsoft: Installed, tmp_path: Path) -> None:
    made(at_microsoft)
    for _ in range(2):  # the first run finds out which keyring there is, for the next ones
        imported = at_microsoft.modules("git-credential", "get", folder=tmp_path, stdin=ASKED)
    slow = {"requests", "rich", "msal", "keyring", "subprocess", "ssl", "tomlkit", "dateutil"}
    assert slow & imported == set()


def revoke_elsewhere(pat: Installed, emulator: Emulator, tmp_path: Path) -> None:
    """Revoke the token by another machine, which does not know of the secrets here."""
    other = Installed({**pat.env, "PAT_STATE_DIR": str(tmp_path / "other-machine")})
    assert other("revoke", *active(emulator, "work"), "--yes").exit_code == 0


def ends_in(home: Path, span: timedelta) -> None:
    """Let the state file say so of every token, which was made for 30 days."""
    end = datetime.now(UTC) + span
    times = [f"{each:%Y-%m-%dT%H:%M:%SZ}" for each in (end - timedelta(days=30), end)]
    with closing(sqlite3.connect(home / "pat/state/state.db")) as state, state:
        state.execute("UPDATE tokens SET created = ?, expires = ?", times)
