"""pat login, logout, and the commands after it: with real MSAL, against the emulator's Entra."""

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

import pexpect
import pytest

import browser
from azdo_pat.api.entra_transport import EntraHttp
from azdo_pat.auth.client import AZURE_CLI, Client
from azdo_pat.auth.msal_client import MsalClient
from azdo_pat.emulator.run import Options, start
from azdo_pat.errors import SignInError
from cli.stage import lines
from drivers import Emulator, Installed, Result
from e2e.stage import finish, read_line
from e2e.stage import start as start_pat
from store.keyring_service import KeyringService

TENANT = "7f0b9c1e-5d43-4f6a-9a51-2c8e6f1d0b37"
OWN_CLIENT = "11111111-2222-4333-8444-555555555555"
CODE = re.compile(r"open (\S+) and enter the code ([A-Z]{9})\n")
DEVICE = "POST */oauth2/v2.0/devicecode"
TOKEN = "POST */oauth2/v2.0/token"


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    """Start an emulator with an Entra."""
    with start(Options(entra=True)) as running:
        yield Emulator(running)


@pytest.fixture
def pat(pat_process: Installed, monkeypatch: pytest.MonkeyPatch) -> Installed:
    """Run the installed `pat`, on a machine without `az`."""
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    return pat_process


@pytest.fixture
def keyring_file(home: Path) -> Path:
    """Return the file that the keyring of these tests is."""
    return home / "keyring.json"


def log_in(pat: Installed, emulator: Emulator, *args: str, user: str = "ada") -> Result:
    """Sign in by device code, as somebody who enters the code at once; without a terminal."""
    process = start_pat(pat, "login", "--device-code", *args)
    said = ""
    while line := read_line(process.stderr):
        if found := CODE.fullmatch(line):
            assert found[1] == f"{emulator.authority}/devicelogin"
            emulator.enter_code(found[2], user)
            break
        said += line
    result = finish(process)
    return replace(result, stderr=said + result.stderr)


def in_browser(pat: Installed, *args: str, user: str = "ada", **env: str) -> "pexpect.spawn[str]":
    """Sign in on a terminal, with a browser that does as the user would."""
    command = f"{sys.executable} {browser.__file__} %s &"
    terminal = pat.on_terminal("login", *args, env={"BROWSER": command, "SIGN_IN_AS": user, **env})
    terminal.expect(pexpect.EOF)
    terminal.close()
    return terminal


def entries(file: Path) -> dict[str, dict[str, str]]:
    """Return what the keyring holds of sign-ins: by service, by user."""
    held = json.loads(file.read_text("utf-8")) if file.exists() else {}
    return {key: value for key, value in held.items() if "sign-in" in key}


def let_expire(file: Path, seconds: float = -10.0) -> None:
    """Make the remembered access tokens end so many seconds from now."""
    held = json.loads(file.read_text("utf-8"))
    for service in held.values():
        if "sign-ins" in service:
            document = json.loads(service["sign-ins"])
            for each in document["sign_ins"]:
                each["expires"] = time.time() + seconds
            service["sign-ins"] = json.dumps(document)
    file.write_text(json.dumps(held), "utf-8")


def asked_entra(emulator: Emulator) -> list[str]:
    """Return what was asked of Entra, in order."""
    return [
        each["path"].rpartition("/")[2]
        for each in emulator.requests
        if "oauth2" in each["path"] or "openid-configuration" in each["path"]
    ]


def test_a_device_code_without_a_terminal(pat: Installed, emulator: Emulator) -> None:
    result = log_in(pat, emulator, "-o", "json")
    assert result.exit_code == 0
    assert result.json == {
        "user": "ada@contoso.example",
        "tenant": TENANT,
        "expires": result.json["expires"],
        "remembered": True,
    }
    assert result.stderr == f"signed in as ada@contoso.example in the tenant {TENANT}\n"
    marker = Path(os.environ["PAT_STATE_DIR"]) / "sign-ins"
    assert marker.stat().st_mode & 0o777 == 0o600
    status = pat("status", "-o", "json", "--query", "[user, tenant, token_source]")
    assert status.json == ["ada@contoso.example", TENANT, "pat login"]


def test_a_real_secret_service_holds_it(
    emulator: Emulator, gnome_keyring: KeyringService, tmp_path: Path
) -> None:
    real = Installed({**gnome_keyring.environment, **emulator.environment})
    assert log_in(real, emulator).exit_code == 0
    assert real("list", "-o", "none") == Result(exit_code=0, stdout="", stderr="")
    # The recorder of modules changes the search path: the backend is looked for again, once.
    real.modules("list", "-o", "none", folder=tmp_path)
    assert {"msal", "keyring"} & real.modules("list", "-o", "none", folder=tmp_path) == set()
    service = f"azdo-pat:sign-in:{emulator.authority}"
    for expected in (0, 1):
        for name in ("sign-ins", "refresh"):
            found = subprocess.run(
                ["secret-tool", "lookup", "service", service, "username", name],
                env=gnome_keyring.environment,
                capture_output=True,
                text=True,
                check=False,
            )
            assert (found.returncode, bool(found.stdout)) == (expected, not expected)
        assert real("logout", "-q") == Result(exit_code=0, stdout="", stderr="")


def test_the_browser_on_a_terminal(pat: Installed, emulator: Emulator) -> None:
    terminal = in_browser(pat)
    assert terminal.exitstatus == 0, terminal.before
    said = re.sub(r"\x1b\[[0-9;]*m", "", str(terminal.before))
    assert "✓ signed in\r\n" in said
    assert said.count("ada@contoso.example") == 1
    assert "pat login --device-code" in said
    authorize = f"{emulator.authority}/{TENANT}/oauth2/v2.0/authorize"
    assert f"opening in your browser: {authorize}?" in said
    assert pat("list", "-o", "none") == Result(exit_code=0, stdout="", stderr="")
    asked = next(each for each in emulator.requests if each["path"].endswith("/authorize"))
    assert asked["path"] == f"/{TENANT}/oauth2/v2.0/authorize"
    assert asked["query"]["client_id"] == "04b07795-8ddb-461a-bbee-02f9e1bf7b46"
    assert "499b84ac-1321-427f-aa17-267ca6975798/.default" in asked["query"]["scope"]


def test_an_application_of_ones_own_asks_for_narrow_scopes(
    pat: Installed, emulator: Emulator
) -> None:
    terminal = in_browser(pat, "--client-id", OWN_CLIENT, "--account", "ada@contoso.example")
    assert terminal.exitstatus == 0, terminal.before
    asked = next(each for each in emulator.requests if each["path"].endswith("/authorize"))["query"]
    assert (asked["client_id"], asked["login_hint"]) == (OWN_CLIENT, "ada@contoso.example")
    assert ".default" not in asked["scope"]
    assert "/vso.pats_manage" in asked["scope"]
    assert pat("create", "ci", "--scope", "code", "-q", "-o", "none").exit_code == 0


def test_no_browser_shows_a_code_by_itself(pat: Installed, emulator: Emulator) -> None:
    terminal = pat.on_terminal("login")
    terminal.expect("no browser found: signing in with a code")
    terminal.expect(r"enter the code ([A-Z]{9})\r\n")
    assert isinstance(terminal.match, re.Match)
    emulator.enter_code(terminal.match[1], "ada")
    terminal.expect("signed in\r\n")
    terminal.expect(pexpect.EOF)
    terminal.close()
    assert terminal.exitstatus == 0


def test_within_the_hour_nothing_is_asked_of_entra_and_msal_is_not_loaded(
    pat: Installed, emulator: Emulator, tmp_path: Path
) -> None:
    log_in(pat, emulator)
    before = asked_entra(emulator)
    imported = pat.modules("list", "-o", "none", folder=tmp_path)
    assert {"msal", "cryptography"} & imported == set()
    assert asked_entra(emulator) == before


def test_a_token_near_its_end_is_renewed_once(
    pat: Installed, emulator: Emulator, keyring_file: Path
) -> None:
    log_in(pat, emulator)
    let_expire(keyring_file)
    before = len(asked_entra(emulator))
    for _ in range(2):
        assert pat("list", "-o", "none") == Result(exit_code=0, stdout="", stderr="")
    assert asked_entra(emulator)[before:] == ["openid-configuration", "token"]


def test_a_revoked_sign_in(pat: Installed, emulator: Emulator, keyring_file: Path) -> None:
    log_in(pat, emulator)
    let_expire(keyring_file)
    assert emulator.revoke_refresh_tokens() == 1
    result = pat("list", "-o", "json")
    assert (result.exit_code, result.stdout) == (4, "")
    told = json.loads(result.stderr)
    assert told["message"] == (
        "the sign-in was revoked: the password was changed, or an administrator revoked it"
    )
    assert told["hint"] == "to sign in again, run: pat login"
    assert told["server_message"].startswith("AADSTS50173: ")
    assert told["activity_id"]


def test_a_claims_challenge_is_answered_by_the_next_sign_in(
    pat: Installed, emulator: Emulator, keyring_file: Path
) -> None:
    log_in(pat, emulator)
    let_expire(keyring_file)
    emulator.fail(f"{TOKEN} aadsts=50076")
    result = pat("list")
    assert result.exit_code == 4
    assert result.stderr.startswith("pat: the tenant requires multifactor authentication (MFA)\n")
    terminal = in_browser(pat)
    assert terminal.exitstatus == 0, terminal.before
    asked = next(each for each in emulator.requests if each["path"].endswith("/authorize"))
    assert "c-mfa" in asked["query"]["claims"]
    assert pat("list", "-o", "none").exit_code == 0


@pytest.mark.parametrize(
    ("aadsts", "exit_code", "said"),
    [
        (53003, 5, "a Conditional Access policy of the tenant does not allow this sign-in"),
        (53000, 4, "a Conditional Access policy requires a device that the tenant manages"),
        (65001, 5, "no one has consented to this application in the tenant"),
        (700016, 4, "the tenant does not know this application"),
        (50020, 4, "the tenant does not know this user"),
        (70008, 4, "the sign-in expired because it was not used for too long"),
        (999999, 4, "Microsoft Entra refused the sign-in (invalid_request)"),
    ],
)
def test_what_entra_refuses(
    pat: Installed, emulator: Emulator, aadsts: int, exit_code: int, said: str
) -> None:
    emulator.fail(f"{TOKEN} aadsts={aadsts}")
    result = log_in(pat, emulator)
    assert (result.exit_code, result.stdout) == (exit_code, "")
    first, hint, server, *_ = result.stderr.splitlines()
    assert first == f"pat: {said}"
    assert hint.strip()
    assert f"AADSTS{aadsts}: " in server


def test_declined(pat: Installed, emulator: Emulator) -> None:
    for result in (log_in(pat, emulator, user=""),):
        assert result.exit_code == 4
        assert result.stderr.startswith("pat: the sign-in was declined\n")
    terminal = in_browser(pat, user="nobody")
    assert terminal.exitstatus == 4
    assert "the sign-in was declined" in str(terminal.before)


def test_a_code_that_nobody_enters(pat: Installed, emulator: Emulator) -> None:
    process = start_pat(pat, "login", "--device-code")
    assert CODE.fullmatch(read_line(process.stderr))
    emulator.advance(901)  # a code is good for a quarter of an hour
    result = finish(process)
    assert result.exit_code == 4
    assert result.stderr.splitlines()[:2] == [
        "pat: the code was not entered in time",
        "     to sign in again, run: pat login",
    ]


def test_a_browser_in_which_nobody_signs_in(
    emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("azdo_pat.auth.msal_client._BROWSER_SECONDS", 1)
    monkeypatch.setenv("BROWSER", "true %s")
    assert emulator.authority is not None
    http = EntraHttp(
        emulator.authority,
        timeout=(5.0, 5.0),
        ca_bundle=str(emulator.authority_file),
        trace=lambda _: None,
    )
    client = Client(authority=emulator.authority, tenant=TENANT, client_id=AZURE_CLI)
    entra = MsalClient(client, http_client=http, cache=None, now=lambda: datetime.now(UTC))
    with pytest.raises(SignInError) as caught:
        entra.by_browser(account="", claims="", show=lambda _: None, unopened=lambda: None)
    assert caught.value.message == "no sign-in was completed in the browser within 0 minutes"
    assert caught.value.hint == (
        "try again; if this machine has no browser, run: pat login --device-code"
    )


def test_no_such_tenant(pat: Installed) -> None:
    result = pat("login", "--device-code", "--tenant", "nowhere.example")
    assert result.exit_code == 4
    assert "has no tenant 'nowhere.example'" in result.stderr


@pytest.mark.parametrize(
    ("args", "env"),
    [((), {}), (("--device-code", "--no-input"), {}), (("--device-code",), {"CI": "true"})],
    ids=["no terminal", "no input", "CI"],
)
def test_nobody_to_sign_in(
    pat: Installed, emulator: Emulator, args: tuple[str, ...], env: dict[str, str]
) -> None:
    result = pat("login", *args, env=env)
    assert (result.exit_code, result.stdout) == (2, "")
    assert "signing in needs a user" in result.stderr
    assert "PAT_ACCESS_TOKEN" in result.stderr
    assert asked_entra(emulator) == []


def test_where_there_is_no_safe_place_nothing_is_remembered(
    pat: Installed, emulator: Emulator, home: Path
) -> None:
    nowhere = Installed({**pat.env, "PAT_KEYRING": None})
    process = start_pat(nowhere, "login", "--device-code")
    assert "this sign-in will not be saved" in read_line(process.stderr)
    found = CODE.fullmatch(read_line(process.stderr))
    assert found is not None
    emulator.enter_code(found[2], "ada")
    result = finish(process)
    assert result.exit_code == 7
    assert "the sign-in was not saved" in result.stderr
    assert not (home / "pat/state/sign-ins").exists()


def test_logout_leaves_nothing(
    pat: Installed, emulator: Emulator, keyring_file: Path, home: Path
) -> None:
    log_in(pat, emulator)
    assert entries(keyring_file) != {}
    said = "signed out: every saved sign-in is deleted\n"
    assert pat("logout") == Result(exit_code=0, stdout="", stderr=said)
    assert [value for value in entries(keyring_file).values() if value] == []
    assert not (home / "pat/state/sign-ins").exists()
    assert pat("logout").stderr == "there was no saved sign-in\n"
    assert pat("list").exit_code == 4


def test_each_organization_keeps_its_account(pat: Installed, emulator: Emulator) -> None:
    log_in(pat, emulator, "--org", "contoso", user="grace")
    log_in(pat, emulator, "--org", "fabrikam", user="ada")
    for organization, user in (("contoso", "grace"), ("fabrikam", "ada"), ("northwind", "ada")):
        status = pat("status", "--org", organization, "-o", "json", "--query", "user")
        assert status.json == f"{user}@contoso.example"


@pytest.mark.parametrize(
    ("left", "exit_code"), [(-10.0, 11), (200.0, 0)], ids=["expired", "for a while"]
)
def test_entra_that_does_not_answer(
    pat: Installed, emulator: Emulator, keyring_file: Path, left: float, exit_code: int
) -> None:
    log_in(pat, emulator)
    let_expire(keyring_file, left)
    emulator.fail("GET */openid-configuration cut=before times=always")
    result = pat("list", "-o", "none")
    assert result.exit_code == exit_code
    assert ("could not be reached: the connection was cut" in result.stderr) == bool(exit_code)


def test_a_certificate_that_is_not_trusted_names_the_setting(
    pat: Installed, emulator: Emulator
) -> None:
    assert emulator.authority is not None
    result = pat("login", "--device-code", env={"PAT_CA_BUNDLE": None})
    assert result.exit_code == 11
    assert "its certificate is from an issuer that this machine does not trust" in result.stderr
    assert "pat config set ca-bundle FILE" in result.stderr


@pytest.mark.parametrize("authority", ["http://localhost:1", "https://host/path", "x"])
def test_an_authority_that_is_none(pat: Installed, authority: str) -> None:
    result = pat("login", "--device-code", env={"PAT_AUTHORITY": authority})
    assert result.exit_code == 2
    assert "PAT_AUTHORITY is not the https address of a host" in result.stderr


def test_the_environment_comes_first_and_that_is_said(pat: Installed, emulator: Emulator) -> None:
    token = {"PAT_ACCESS_TOKEN": emulator.mint("user", user="grace")}
    with_token = Installed({**pat.env, **token})
    result = log_in(with_token, emulator)
    assert result.stderr.splitlines()[-1] == (
        "pat: warning: PAT_ACCESS_TOKEN is set and takes precedence: unset it to use this sign-in"
    )
    status = with_token("status", "-o", "json", "--query", "user")
    assert status.json == "grace@contoso.example"


def test_nothing_secret_is_in_a_file_or_in_what_is_said(
    pat: Installed, emulator: Emulator, keyring_file: Path, home: Path
) -> None:
    said = log_in(pat, emulator, "--debug")
    let_expire(keyring_file)
    listed = pat("list", "--debug")
    held = entries(keyring_file)
    assert len(held) == 1
    texts = next(iter(held.values()))
    secrets = set(re.findall(r"eyJ[\w.-]{60,}|1\.[\w-]{200,}", "".join(texts.values())))
    assert len(secrets) > 2
    written = "".join(
        path.read_bytes().decode("latin-1")
        for path in home.rglob("*")
        if path.is_file() and path != keyring_file
    )
    everything = lines(said.stdout, said.stderr, listed.stdout, listed.stderr, written)
    assert [each for each in secrets if each in everything] == []


@pytest.mark.parametrize(
    "args",
    [("list",), ("create", "ci", "--scope", "code")],
    ids=["a GET", "a POST, which surely had no effect"],
)
def test_an_access_token_that_is_rejected_before_its_end_is_renewed_once(
    pat: Installed, emulator: Emulator, args: tuple[str, ...]
) -> None:
    log_in(pat, emulator)
    emulator.reject_access_tokens()
    result = pat(*args)
    assert result.exit_code == 0, result.stderr
    asked = len(asked_entra(emulator))
    assert pat("list").exit_code == 0
    assert len(asked_entra(emulator)) == asked  # it is remembered


def test_a_plain_rejection_renews_it_too(pat: Installed, emulator: Emulator) -> None:
    log_in(pat, emulator)
    for answer in ("status=401", "html status=203", "html status=302"):
        emulator.fail(f"GET */tokens/pats {answer} times=1")
        assert pat("list").exit_code == 0, answer


def test_many_at_once_renew_it_once(pat: Installed, emulator: Emulator) -> None:
    log_in(pat, emulator)
    emulator.remove_tokens()
    for number in range(6):
        assert pat("create", f"t{number}", "--scope", "code", "--expires", "2d").exit_code == 0
    emulator.reject_access_tokens()
    before = asked_entra(emulator).count("token")
    result = pat("renew", "--within", "30d", "--jobs", "6")
    assert result.exit_code == 0, result.stderr
    assert asked_entra(emulator).count("token") == before + 1


def test_an_access_token_that_git_was_refused_with_is_renewed(
    pat: Installed, emulator: Emulator
) -> None:
    """git 2.46 and later gets it where no token is stored, and says that it was refused."""
    log_in(pat, emulator)
    parts = urlsplit(emulator.url)
    place = f"protocol={parts.scheme}\nhost={parts.netloc}\npath=contoso/_git/app\n"

    def given() -> str:
        answer = pat("git-credential", "get", stdin=f"capability[]=authtype\n{place}\n").stdout
        (found,) = re.findall(r"^credential=(.*)$", answer, re.MULTILINE)
        return str(found)

    def erased(used: str) -> str:
        with_it = f"capability[]=authtype\nauthtype=Bearer\ncredential={used}\nephemeral=1\n"
        result = pat("git-credential", "erase", stdin=f"{with_it}{place}\n")
        assert used not in result.stderr
        return result.stderr

    first = given()
    assert "pat has a new access token: try again" in erased(first)
    second = given()
    assert second != first
    asked = len(asked_entra(emulator))
    assert erased(first) == ""  # the service refused another token of git before
    assert (given(), len(asked_entra(emulator))) == (second, asked)
    emulator.revoke_refresh_tokens()
    assert "the sign-in was revoked" in erased(second)


def test_a_rejection_that_wants_the_user(pat: Installed, emulator: Emulator) -> None:
    log_in(pat, emulator)
    emulator.reject_access_tokens()
    emulator.revoke_refresh_tokens()
    for _ in range(2):  # the rejected one is not used again
        result = pat("list")
        assert result.exit_code == 4
        assert "the sign-in was revoked" in result.stderr
        assert "pat login" in result.stderr
    assert log_in(pat, emulator).exit_code == 0  # with the claims, which are remembered
    assert pat("list").exit_code == 0


def test_a_second_rejection_is_reported(pat: Installed, emulator: Emulator) -> None:
    log_in(pat, emulator)
    before = asked_entra(emulator).count("token")
    emulator.fail("GET */tokens/pats status=401 times=always")
    result = pat("list")
    assert result.exit_code == 4
    assert "pat login" in result.stderr
    assert asked_entra(emulator).count("token") == before + 1


def test_the_variable_cannot_be_renewed(pat: Installed, emulator: Emulator) -> None:
    env = {"PAT_ACCESS_TOKEN": emulator.access_token}
    emulator.reject_access_tokens()
    result = pat("list", env=env)
    assert result.exit_code == 4
    refused = "requires a new sign-in: it no longer accepts the access token from PAT_ACCESS_TOKEN"
    assert refused in result.stderr
    assert "set PAT_ACCESS_TOKEN to a new access token" in result.stderr


def test_a_sign_in_at_microsoft_is_not_for_a_plain_http_root(
    pat: Installed, emulator: Emulator, keyring_file: Path
) -> None:
    log_in(pat, emulator)
    held = keyring_file.read_text("utf-8")
    at_microsoft = "https://login.microsoftonline.com"
    keyring_file.write_text(held.replace(str(emulator.authority), at_microsoft), "utf-8")
    (Path(os.environ["PAT_STATE_DIR"]) / "sign-ins").write_text(f"{at_microsoft}\n", "utf-8")
    asked = len(emulator.requests)
    for authority in (None, at_microsoft):
        result = pat("list", env={"PAT_AUTHORITY": authority})
        assert result.exit_code == 4
        assert "pat login: not used: PAT_API_URL is not https" in result.stderr
    assert len(emulator.requests) == asked
