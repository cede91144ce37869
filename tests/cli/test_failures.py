"""Bad input and bad luck: a clear error, the right exit code, nothing lost."""

import errno
import json
import os
import subprocess
import sys
import time
import unicodedata
from base64 import b64encode
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from auth.jwts import HOW_TO
from azdo_pat.emulator.run import Options, start
from azdo_pat.formats import Format
from cli.stage import (
    RESOURCE,
    activity,
    as_json,
    as_jsonl,
    done,
    failed,
    failed_as_json,
    held,
    host,
    lines,
    methods,
    names,
    put,
    service,
    short,
    token_object,
)
from drivers import PROGRAM, AzureCli, Emulator, InProcess, Installed, Result, full_device
from fakes import MemoryKeyring

FORMS = "a span (12h, 30d, 2w, 3mo, 1y) or a date (2026-12-31, 2026-12-31T18:00:00Z)"
FRESH = (
    "set PAT_ACCESS_TOKEN to a new access token (pat cannot renew this one); or unset it and run:"
    " pat login"
)
LATER = "try again later; for the status of the service, see https://status.dev.azure.com"
NETWORK = "check the network, VPN and proxy settings (HTTPS_PROXY, NO_PROXY)"
INTERNAL = "TF400898: An Internal Error Occurred. Activity Id: {id}."
NASTY = "evil\x1b]0;owned\x07\x1b[31m\x9b2J\u202e\r\n\u2028X"
SHOWN = r"evil\x1b]0;owned\x07\x1b[31m\x9b2J\u202e\r\n\u2028X"
NAMES = ("Prüfstand Zürich – 試験 ✓", "مفتاح", "🔑👩\u200d💻", "a'b\"c $(x) `y` \\", "e\u0301")  # noqa: RUF001  # a dash as people type it


# -- what users type -------------------------------------------------------------------------------


@pytest.mark.parametrize("command", ["create", "update"])
def test_an_unknown_scope_brings_the_nearest(
    command: str, pat: InProcess, emulator: Emulator
) -> None:
    assert pat(command, "laptop", "--scope", "code_wrte") == failed(
        2,
        "unknown scope 'code_wrte'",
        (
            "did you mean vso.code_write, vso.code or vso.advsec_write? to list all, run: pat"
            " scopes; to use it unchecked, add --allow-unknown-scope"
        ),
    )
    assert emulator.requests == []


@pytest.mark.parametrize(
    ("name", "message", "hint"),
    [
        ("", "the name is empty", "give the token a name that describes its use"),
        (" \t", "the name is empty", "give the token a name that describes its use"),
        (" a", "the name ' a' begins or ends with a space", "leave it out"),
        ("a" * 256, "the name has 256 characters; 255 is the maximum", "shorten it"),
        ("a\x1b[2J", r"the name 'a\x1b[2J' contains the control character U+001B", "leave it out"),
        ("a\nb", r"the name 'a\nb' contains the control character U+000A", "leave it out"),
        ("a\x9bb", r"the name 'a\x9bb' contains the control character U+009B", "leave it out"),
    ],
    ids=["empty", "blank", "space", "long", "escape", "newline", "c1"],
)
@pytest.mark.parametrize("command", ["create", "update", "import"])
def test_names_that_cannot_be(  # one case each
    command: str, name: str, message: str, hint: str, pat: InProcess, emulator: Emulator
) -> None:
    args = {
        "create": ("create", name, "--scope", "code"),
        "update": ("update", "laptop", "--name", name),
        "import": ("import", name),
    }
    assert pat(*args[command], stdin="a" * 52) == failed(2, message, hint)
    assert emulator.requests == []


def test_the_longest_name(pat: InProcess, emulator: Emulator) -> None:
    name = "ü" * 255
    assert pat("create", name, "--scope", "code", "-q", "-o", "none") == done()
    assert names(emulator) == [name]


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        (
            "2020-01-01",
            "the expiry '2020-01-01' is not in the future",
            f"use {FORMS} in the future",
        ),
        ("0d", "the expiry '0d' is not in the future", f"use {FORMS} in the future"),
        ("3x", "'3x' is not a valid span or date", f"give {FORMS}"),
        ("d", "'d' is not a valid span or date", f"give {FORMS}"),
        ("-1d", "'-1d' is not a valid span or date", f"give {FORMS}"),
        ("1.5d", "'1.5d' is not a valid span or date", f"give {FORMS}"),
        ("30 d", "'30 d' is not a valid span or date", f"give {FORMS}"),
        ("30D", "'30D' is not a valid span or date", f"give {FORMS}"),
        ("tomorrow", "'tomorrow' is not a valid span or date", f"give {FORMS}"),
        ("2026-02-30", "'2026-02-30' is not a valid date", f"give {FORMS}"),
        ("999999999y", "'999999999y' is not a valid date", f"give {FORMS}"),
    ],
)
@pytest.mark.parametrize("command", ["create", "update"])
def test_ends_that_cannot_be(  # one case each
    command: str, text: str, message: str, hint: str, pat: InProcess, emulator: Emulator
) -> None:
    scope = ("--scope", "code") if command == "create" else ()
    assert pat(command, "laptop", *scope, "--expires", text) == failed(2, message, hint)
    assert emulator.requests == []


@pytest.mark.parametrize("text", ["13mo", "367d", "54w", "2y", "2190-01-01"])
def test_ends_more_than_a_year_ahead(text: str, pat: InProcess, emulator: Emulator) -> None:
    result = pat("create", "laptop", "--scope", "code", "--expires", text, "-o", "json")
    hint = str(json.loads(result.stderr)["hint"])
    message = f"the expiry {text!r} is more than a year away"
    assert result == failed_as_json(2, "usage", message, hint)
    assert hint.startswith("the longest lifetime is a year: 1y, or ")
    assert emulator.requests == []


# -- organizations ---------------------------------------------------------------------------------


def test_an_organization_that_does_not_exist(pat: InProcess, emulator: Emulator) -> None:
    put(emulator, "one")
    for args in (("list",), ("show", "one"), ("revoke", "one", "--yes")):
        result = pat(*args, "--org", "nosuch")
        assert result == failed(
            3,
            "there is no organization nosuch, or the signed-in user has no access to it",
            "to list your organizations, run: pat status",
            "the service said: The organization 'nosuch' could not be found.",
            f"activity id: {activity(emulator)}",
        )
    assert names(emulator) == ["one"]


def test_an_organization_that_is_not_the_users(pat: InProcess, emulator: Emulator) -> None:
    result = pat("create", "laptop", "--scope", "code", "--org", "northwind")
    assert result == failed(
        4,
        "northwind does not know the signed-in user: wrong account, tenant or organization",
        "check the organization's name; to sign in to its tenant, run: pat login --org northwind",
        "the service said: TF400813: The user 'd6245f20-2af8-44f4-9451-8107cb2767db' is not"
        " authorized to access this resource.",
        f"activity id: {activity(emulator, 'POST')}",
    )
    assert emulator.tokens == []


@pytest.mark.parametrize(
    "args",
    [
        ("list",),
        ("show", "one"),
        ("create", "one", "--scope", "code"),
        ("update", "one", "--expires", "3d"),
        ("revoke", "one", "--yes"),
    ],
    ids=" ".join,
)
def test_azure_devops_server_has_no_lifecycle(
    args: tuple[str, ...], pat: InProcess, emulator: Emulator
) -> None:
    url = "https://tfs.example.com/DefaultCollection"
    assert pat(*args, "--org", url) == failed(
        5,
        f"{url} is Azure DevOps Server, which has no API for managing tokens",
        f"create the token at {url}/_usersSettings/tokens; then, to store it, run: pat import"
        f" NAME --org {url}",
    )
    assert emulator.requests == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("no such name", "'no such name' is not the name or URL of an organization"),
        (
            "https://dev.azure.com",
            "'https://dev.azure.com' is not the name or URL of an organization",
        ),
        (
            "https://evil.dev.azure.com/x",
            "'https://evil.dev.azure.com/x' is not the name or URL of an organization",
        ),
        ("-x", "'-x' is not the name or URL of an organization"),
    ],
)
def test_what_is_no_organization(
    text: str, message: str, pat: InProcess, emulator: Emulator
) -> None:
    hint = (
        "use its name, https://dev.azure.com/NAME, https://NAME.visualstudio.com,"
        " or https://SERVER/COLLECTION for Azure DevOps Server"
    )
    assert pat("list", f"--org={text}") == failed(2, message, hint)
    assert emulator.requests == []


def test_a_server_is_not_asked_over_plain_http(pat: InProcess) -> None:
    assert pat("import", "x", "--org", "http://tfs.example.com/C", stdin="a" * 52) == failed(
        2,
        "the URL of tfs.example.com begins with http: the secret would be sent unencrypted",
        "use https://tfs.example.com/C",
    )


# -- signing in ------------------------------------------------------------------------------------


@pytest.mark.parametrize("given", [None, "", "  "])
def test_no_access_token(
    given: str | None, pat: InProcess, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    assert pat("list", env={"PAT_ACCESS_TOKEN": given}) == failed(
        4,
        "not signed in (PAT_ACCESS_TOKEN: not set; pat login: not signed in; Azure CLI: not"
        ""
        " installed)",
        (
            "to sign in, run: pat login; or use the Azure CLI (az login), or set"
            " PAT_ACCESS_TOKEN to"
            " a Microsoft Entra access token"
        ),
    )
    assert emulator.requests == []


@pytest.mark.parametrize(
    ("kind", "exit_code", "said", "hint"),
    [
        ("expired", 4, "the access token from PAT_ACCESS_TOKEN expired at ", HOW_TO),
        (
            "app",
            5,
            (
                "the access token from PAT_ACCESS_TOKEN belongs to a service principal or managed"
                " identity, which cannot manage personal access tokens"
            ),
            "to sign in as a user, run: pat login; ",
        ),
        (
            "wrong-audience",
            4,
            (
                "the access token from PAT_ACCESS_TOKEN is for 'https://management.core.windows.net/',"
                " not for Azure DevOps"
            ),
            HOW_TO,
        ),
    ],
)
def test_an_access_token_that_cannot_work_is_not_sent(  # one case each
    kind: str, exit_code: int, said: str, hint: str, pat: InProcess, emulator: Emulator
) -> None:
    token = emulator.mint(kind)
    result = pat("list", env={"PAT_ACCESS_TOKEN": token})
    first, second, *rest = result.stderr.splitlines()
    assert (result.exit_code, result.stdout, rest) == (exit_code, "", [])
    assert (first.startswith(f"pat: {said}"), hint in second) == (True, True)
    assert token not in result.stderr
    assert emulator.requests == []


@pytest.mark.parametrize("secret", ["a" * 52, "A" * 76 + "AZDO" + "AAAA"], ids=["52", "84"])
def test_a_personal_access_token_is_no_access_token(
    secret: str, pat: InProcess, emulator: Emulator
) -> None:
    assert pat("list", env={"PAT_ACCESS_TOKEN": secret}) == failed(
        4,
        ("PAT_ACCESS_TOKEN contains a personal access token, not a Microsoft Entra access token"),
        f"to get an access token from the Azure CLI, run: {HOW_TO}",
    )
    assert emulator.requests == []


def test_an_access_token_that_the_service_refuses(pat: InProcess, emulator: Emulator) -> None:
    assert pat("list", env={"PAT_ACCESS_TOKEN": "rubbish"}) == failed(
        4,
        f"{host(emulator)} did not accept the access token from PAT_ACCESS_TOKEN",
        FRESH,
        "the service said: TF400813: Resource not available for anonymous access. Client"
        " authentication required.",
        f"activity id: {activity(emulator)}",
    )


def test_a_bad_variable_does_not_fall_through_to_another_user(
    pat: InProcess, emulator: Emulator, az: AzureCli
) -> None:
    az.sign_in(emulator.mint("user", user="grace"))
    assert pat("list", env={"PAT_ACCESS_TOKEN": "a" * 52}).exit_code == 4
    assert (az.calls, emulator.requests) == ([], [])


# -- what the service answers ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "exit_code", "message", "below"),
    [
        ("html", 4, "answered with a sign-in page instead of data", (FRESH,)),
        ("html status=203", 4, "answered with a sign-in page instead of data", (FRESH,)),
        (
            "status=302 location=https://login.microsoftonline.com/",
            4,
            "answered with a sign-in page instead of data",
            (FRESH,),
        ),
        (
            "broken-json",
            11,
            "is not a list of tokens: it is not valid JSON",
            (LATER,),
        ),
        ("body='[]'", 11, "is not a list of tokens", (LATER,)),
        (
            "status=401",
            4,
            "did not accept the access token from PAT_ACCESS_TOKEN",
            (
                FRESH,
                (
                    "the service said: TF400813: The user '' is not authorized to access this"
                    " resource."
                ),
            ),
        ),
        (
            "status=403",
            5,
            "does not allow the operation",
            (
                "ask an administrator of contoso for the permission",
                f"the service said: {INTERNAL}",
            ),
        ),
        ("status=500", 11, "failed (HTTP 500)", (LATER, f"the service said: {INTERNAL}")),
        (
            "status=503 retry-after=0",
            11,
            "failed (HTTP 503)",
            (LATER, f"the service said: {INTERNAL}"),
        ),
        (
            "status=429 retry-after=1",
            11,
            "received too many requests (HTTP 429)",
            (
                "wait a few minutes, then try again",
                (
                    "the service said: TF400733: The request has been canceled: it was blocked for"
                    " exceeding its usage."
                ),
            ),
        ),
    ],
)
def test_answers_that_are_no_list(  # one case each
    fault: str,
    exit_code: int,
    message: str,
    below: Sequence[str],
    pat: InProcess,
    emulator: Emulator,
) -> None:
    emulator.fail(f"GET */tokens/pats {fault} times=always")
    result = pat("list")
    identifier = activity(emulator)
    said = [line.format(id=identifier) for line in below]
    where = ("the response from " if message.startswith("is not") else "") + host(emulator)
    expected = failed(exit_code, f"{where} {message}", *said, f"activity id: {identifier}")
    assert result == expected


def test_a_404_means_the_organization(pat: InProcess, emulator: Emulator) -> None:
    emulator.fail("GET */tokens/pats status=404")
    result = pat("list")
    identifier = activity(emulator)
    assert result == failed(
        3,
        "there is no organization contoso, or the signed-in user has no access to it",
        "to list your organizations, run: pat status",
        f"the service said: {INTERNAL.format(id=identifier)}",
        f"activity id: {identifier}",
    )


def test_passing_trouble_is_got_over(pat: InProcess, emulator: Emulator) -> None:
    token = put(emulator, "one")
    emulator.fail("GET */tokens/pats status=503 retry-after=0", "GET */tokens/pats cut=before")
    assert pat("list", "-o", "json") == done(as_json([token_object(token)]))


@pytest.mark.parametrize(
    ("method", "args"),
    [
        ("POST", ("create", "laptop", "--scope", "code")),
        ("PUT", ("update", "one", "--expires", "3d")),
    ],
)
def test_an_unknown_pat_token_error_is_told_as_it_is(
    method: str, args: tuple[str, ...], pat: InProcess, emulator: Emulator
) -> None:
    put(emulator, "one")
    emulator.fail(f"{method} * pat-error=martianPolicyViolation")
    assert pat(*args) == failed(
        5,
        "the service refused the request with martianPolicyViolation",
        "try again; if the problem persists, report it with the activity id",
        f"activity id: {activity(emulator, method)}",
    )
    assert names(emulator) == ["one"]


@pytest.mark.parametrize("fault", ["status=401", "status=403", "status=429", "html"])
def test_a_create_that_is_refused_made_nothing(
    fault: str, pat: InProcess, emulator: Emulator, memory_keyring: MemoryKeyring
) -> None:
    emulator.fail(f"POST * {fault} retry-after=0 times=always")
    result = pat("create", "laptop", "--scope", "code")
    assert (
        result.exit_code == {"status=401": 4, "status=403": 5, "status=429": 11, "html": 4}[fault]
    )
    assert (result.stdout, emulator.tokens, memory_keyring.held) == ("", [], {})


# -- the network -----------------------------------------------------------------------------------


def test_a_refused_connection(pat: InProcess) -> None:
    assert pat("list", env={"PAT_API_URL": "http://127.0.0.1:1"}) == failed(
        11,
        "127.0.0.1:1 did not answer: connection refused",
        "PAT_API_URL points to this machine: is the emulator or proxy running?",
    )


@pytest.mark.parametrize(
    ("fault", "reason"),
    [("delay=1500ms", "no response in time"), ("cut=before", "the connection was cut")],
)
def test_no_answer(fault: str, reason: str, pat: InProcess, emulator: Emulator) -> None:
    emulator.fail(f"GET * {fault} times=always")
    result = pat("list", env={"PAT_TIMEOUT": "1"})
    hint = f"try again; if the problem persists, {NETWORK}"
    assert result == failed(11, f"{host(emulator)} did not answer: {reason}", hint)


def test_a_late_answer_to_a_create(pat: InProcess, emulator: Emulator) -> None:
    emulator.fail("POST * delay=1500ms")
    result = pat("create", "laptop", "--scope", "code", env={"PAT_TIMEOUT": "1"})
    late = (
        "try again; if the service still creates the token, the next command that signs in will"
        " revoke it"
    )
    outcome, hint = {
        0: ("no token of this request was found", late),
        1: ("the token was created and has been revoked", "try again"),
    }[len(emulator.tokens)]
    message = f"{host(emulator)} did not answer: no response in time; {outcome}"
    assert result == failed(11, message, hint)


# -- files -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "content",
    [b'org = "unclosed\n', b"\xff\xfe\x00", b"org = [1]\n", b"[table]\nx = 1\n", b"timeout = 0\n"],
)
@pytest.mark.parametrize(
    "args",
    [
        ("list",),
        ("create", "laptop", "--scope", "code"),
        ("get", "laptop"),
        ("revoke", "laptop", "--yes"),
        ("status",),
    ],
    ids=lambda args: args[0],
)
def test_a_config_file_that_cannot_be_used_is_left_as_it_is(
    content: bytes, args: tuple[str, ...], pat: InProcess, emulator: Emulator, home: Path
) -> None:
    file = home / "pat" / "config" / "config.toml"
    file.parent.mkdir(parents=True)
    file.write_bytes(content)
    result = pat(*args)
    first, second, *rest = result.stderr.splitlines()
    assert (result.exit_code, result.stdout, rest) == (2, "", [])
    assert (first.startswith(f"pat: {file}"), second.startswith("     ")) == (True, True)
    assert (file.read_bytes(), emulator.requests) == (content, [])


@pytest.mark.usefixtures("no_finalizers")
@pytest.mark.parametrize("args", [("set", "org", "fabrikam"), ("unset", "org")], ids=" ".join)
def test_a_config_file_that_cannot_be_parsed_is_not_written(
    args: tuple[str, ...], pat: InProcess, home: Path
) -> None:
    file = home / "pat" / "config" / "config.toml"
    file.parent.mkdir(parents=True)
    file.write_bytes(b'org = "unclosed\n')
    result = pat("config", *args)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith(f"pat: {file} is not valid TOML: ")
    assert pat("list").stderr == result.stderr
    assert sorted(file.parent.iterdir()) == [file]
    assert file.read_bytes() == b'org = "unclosed\n'


def test_a_config_file_that_nothing_can_hold_hides_no_error(pat: InProcess, home: Path) -> None:
    file = home / "pat" / "config" / "config.toml"
    file.parent.mkdir(parents=True)
    for content in (
        f"timeout = {'9' * 5000}",
        f"timeout = 0x{'f' * 9000}",
        "org = " + "[" * 50_000,
    ):
        file.write_text(content, "utf-8")
        result = pat("list")
        assert (result.exit_code, result.stdout) == (2, "")
        assert result.stderr.startswith(f"pat: {file}")
        assert "Traceback" not in result.stderr


def test_help_works_with_any_config_file(pat: InProcess, home: Path) -> None:
    file = home / "pat" / "config" / "config.toml"
    file.parent.mkdir(parents=True)
    file.write_bytes(b"\xff")
    assert pat("list", "--help").exit_code == 0


DAMAGED = b"this is no database" * 100


@pytest.mark.parametrize(
    "args",
    [
        ("list",),
        ("show", "laptop"),
        ("create", "other", "--scope", "code"),
        ("update", "laptop", "--expires", "3d"),
        ("revoke", "laptop", "--yes"),
        ("forget", "laptop"),
        ("import", "other"),
        ("get", "laptop", "--as", "json"),
    ],
    ids=lambda args: args[0],
)
def test_a_damaged_state_file_is_moved_aside_and_the_command_goes_on(  # one case each
    args: tuple[str, ...],
    pat: InProcess,
    emulator: Emulator,
    memory_keyring: MemoryKeyring,
    home: Path,
) -> None:
    made = pat("create", "laptop", "--scope", "code", "-q", "--as", "token")
    file = home / "pat" / "state" / "state.db"
    for each in file.parent.glob("state.db*"):
        each.unlink()
    file.write_bytes(DAMAGED)
    secrets = dict(memory_keyring.held)
    result = pat(*args, stdin=made.stdout)
    assert result.exit_code == 0
    if args[0] == "get":  # by its name, which needs no state but to say more of it
        assert result.json["token"] == made.stdout.strip()
    (aside,) = file.parent.glob("state.db.damaged-*")
    assert aside.read_bytes() == DAMAGED
    assert f"warning: the state file was damaged and is now {aside}" in result.stderr
    assert secrets.items() <= memory_keyring.held.items() or args[0] == "forget"
    assert [each["displayName"] for each in emulator.tokens].count("laptop") == 1


def test_without_a_state_folder_what_changes_nothing_works(
    pat: InProcess, emulator: Emulator, home: Path
) -> None:
    token = put(emulator, "one")
    (home / "file").write_text("no folder", "utf-8")
    state = str(home / "file" / "state")
    env = {"PAT_STATE_DIR": state}
    expected = token_object(token)
    assert pat("list", "-o", "json", env=env) == done(as_json([expected]))
    assert pat("show", "one", "-o", "json", env=env) == done(as_json(expected))
    assert pat("status", "-o", "none", env=env) == done()
    result = pat("create", "laptop", "--scope", "code", env=env)
    first, second, *rest = result.stderr.splitlines()
    assert (result.exit_code, result.stdout, rest) == (7, "", [])
    assert first.startswith(f"pat: the lock {Path(state, 'locks')}{os.sep}")
    if sys.platform == "win32":
        assert " cannot be written: " in first
    else:
        assert first.endswith((" cannot be written: Not a directory", ": File exists"))
    assert second == "     set PAT_STATE_DIR to a folder of your own"
    assert names(emulator) == ["one"]
    assert (home / "file").read_text("utf-8") == "no folder"


@pytest.mark.skipif(
    sys.platform == "win32" or os.geteuid() == 0, reason="root may write everywhere"
)
def test_a_read_only_state_folder(pat: InProcess, emulator: Emulator, home: Path) -> None:
    put(emulator, "one")
    folder = home / "pat" / "state"
    folder.mkdir(parents=True)
    folder.chmod(0o500)
    assert pat("list", "-o", "none") == done()
    result = pat("create", "laptop", "--scope", "code")
    assert (result.exit_code, result.stdout, names(emulator)) == (7, "", ["one"])


# -- names from the server -------------------------------------------------------------------------


def harmless(result: Result) -> bool:
    """Whether nothing in it acts on a terminal; lines and the tabs of tsv are what they are."""
    text = result.stdout + result.stderr
    acting = {"Cc", "Zl", "Zp", "Cs"}
    bidi = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
    return not any(
        unicodedata.category(char) in acting or char in bidi
        for char in text.replace("\n", "").replace("\t", "")
    )


@pytest.mark.parametrize("form", [each.value for each in Format])
def test_a_name_from_the_server_cannot_act_on_a_terminal(
    form: str, pat: InProcess, emulator: Emulator
) -> None:
    token = put(emulator, NASTY)
    by_id = token["authorizationId"]
    runs = [
        pat("list", "-o", form),
        pat("list", "-o", form, "--query", "[].name"),
        pat("list", "-o", form, "--query", "[0].name"),
        pat("show", by_id, "-o", form),
        pat("revoke", by_id, "--dry-run", "-o", form),
        pat("revoke", by_id, "-o", form),
        pat("update", by_id, "--expires", "3d", "-o", form),
        pat("create", NASTY, "--scope", "code", "-o", form),
        pat("show", NASTY + "\x1b", "-o", form),
        pat("revoke", by_id, "--yes", "-o", form),
        pat("update", by_id, "--expires", "3d", "-o", form),
    ]
    assert [each.exit_code for each in runs] == [0, 0, 0, 0, 0, 2, 0, 2, 3, 0, 5]
    assert [harmless(each) for each in runs] == [True] * len(runs)


def test_an_escaped_name_is_still_readable(pat: InProcess, emulator: Emulator) -> None:
    token = put(emulator, NASTY)
    assert pat("list", "-o", "tsv", "--query", "[].name") == done(lines(SHOWN))
    assert pat("list", "-o", "json").json == [token_object(token)]
    assert pat("list").stdout.splitlines()[1].startswith(f"{SHOWN}  {short(token)}")


def test_the_servers_own_message_cannot_act_on_a_terminal(
    pat: InProcess, emulator: Emulator
) -> None:
    body = '{"message": "no\\u001b[31m\\r\\nway\\u202e", "typeKey": "X"}'
    emulator.fail(f"GET * status=403 body='{body}' times=always")
    result = pat("list")
    assert (result.exit_code, result.stdout, harmless(result)) == (5, "", True)


# -- Unicode ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_unicode_in_a_whole_life(
    name: str, pat: InProcess, emulator: Emulator, memory_keyring: MemoryKeyring
) -> None:
    assert pat("create", name, "--scope", "code", "-q", "-o", "none") == done()
    secret = memory_keyring.held[service(emulator), name]
    document = token_object(held(emulator, name), stored=True, origin="pat")
    assert pat("list", "-o", "jsonl") == done(as_jsonl(document))
    assert pat("show", name, "-o", "json") == done(as_json(document))
    assert pat("get", name) == done(lines(secret))
    assert pat("update", name, "--name", f"{name}!", "-q", "-o", "none") == done()
    assert pat("get", f"{name}!") == done(lines(secret))
    assert name in pat("list").stdout
    assert pat("revoke", f"{name}!", "--yes", "-q", "-o", "none") == done()
    assert memory_keyring.held == {}


@pytest.mark.posix("the encoding of a stream")
def test_a_stream_that_cannot_encode_a_name(pat_process: Installed, emulator: Emulator) -> None:
    put(emulator, "Zürich 試験")
    env = {"PYTHONIOENCODING": "ascii", "LC_ALL": "C"}
    result = pat_process("list", "-o", "tsv", "--query", "[].name", env=env)
    assert result == done("Z\\xfcrich \\u8a66\\u9a13\n")


# -- processes -------------------------------------------------------------------------------------


def test_two_creates_at_once_make_one_token(pat_process: Installed, emulator: Emulator) -> None:
    emulator.fail("POST * delay=1500ms")
    with ThreadPoolExecutor(2) as pool:
        make = ("create", "laptop", "--scope", "code", "-o", "none")
        both = [pool.submit(pat_process, *make) for _ in range(2)]
    won, lost = sorted((each.result() for each in both), key=lambda result: result.exit_code)
    said = "created 'laptop' in contoso; its secret is in the keyring: pat get laptop"
    assert won == done("", said)
    assert lost in [
        failed(
            6,
            f"another pat process is working on 'laptop' in {emulator.url}/contoso",
            "try again when it has finished",
        ),
        failed(
            6,
            "a secret is already stored under 'laptop' for contoso",
            "to print it, run: pat get laptop; to overwrite it, add --replace; to keep it, choose"
            " another name",
        ),
    ]
    assert (names(emulator), methods(emulator).count("POST")) == (["laptop"], 1)


def test_two_creates_of_different_names_do_not_mind_each_other(
    pat_process: Installed, emulator: Emulator
) -> None:
    with ThreadPoolExecutor(2) as pool:
        both = [
            pool.submit(pat_process, "create", name, "--scope", "code", "-q", "-o", "none")
            for name in ("one", "two")
        ]
    assert [each.result() for each in both] == [done(), done()]
    assert names(emulator) == ["one", "two"]
    stored = pat_process("list", "-o", "tsv", "--query", "[].stored")
    assert stored == done("true\ntrue\n")


@pytest.mark.posix("a shell's pipe")
@pytest.mark.parametrize("form", [each.value for each in Format if each is not Format.NONE])
def test_a_reader_that_leaves_early(form: str, pat_process: Installed, emulator: Emulator) -> None:
    emulator.add_tokens(2000, name="token {n}")
    ran = subprocess.run(
        ["bash", "-c", 'set -o pipefail; "$0" list -o "$1" | head -n 1', PROGRAM, form],
        env=pat_process.environment(),
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )
    assert (ran.returncode, ran.stdout.count("\n"), ran.stderr) == (0, 1, "")


def test_a_secret_that_could_not_be_written_is_not_left_alive(
    pat_process: Installed, emulator: Emulator
) -> None:
    with full_device().open("w", encoding="utf-8") as full:
        ran = subprocess.run(
            [PROGRAM, "create", "one", "--scope", "code", "--no-store", "--as", "token", "-q"],
            env=pat_process.environment(),
            stdout=full,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            timeout=60,
            check=False,
        )
    expected = failed(
        1,
        "the secret could not be written (No space left on device); the new token was revoked",
        "leave out --no-store to store it in the keyring",
    )
    assert (ran.returncode, ran.stderr) == (expected.exit_code, expected.stderr)
    assert names(emulator, "revoked") == ["one"]


# -- secrets ---------------------------------------------------------------------------------------


def test_no_secret_gets_anywhere_unasked(
    pat: InProcess, emulator: Emulator, memory_keyring: MemoryKeyring, home: Path
) -> None:
    """A whole life with everything said, and failures in it."""
    runs = [pat("create", "one", "--scope", "code", "--debug")]
    first = memory_keyring.held[service(emulator), "one"]
    runs += [
        pat("create", "one", "--scope", "code", "--debug"),
        pat("create", "one", "--scope", "code", "--debug", "--replace", "-o", "json"),
        pat("import", "two", "--debug", "-o", "json", stdin=first),
        pat("import", "three", "--debug", stdin="b" * 52),
        pat("list", "--debug"),
        pat("show", "one", "--debug", "-o", "json"),
        pat("update", "one", "--name", "four", "--debug"),
        pat("status", "--debug", "-o", "json"),
        pat("get", "nosuch", "--debug"),
    ]
    emulator.fail("POST * status=500 commit=yes", "POST * broken-json", "POST * html commit=yes")
    runs += [pat("create", f"bad {n}", "--scope", "code", "--debug") for n in range(3)]
    secrets = {*memory_keyring.held.values(), first, "b" * 52}
    runs += [
        pat("forget", "two", "--debug"),
        pat("revoke", "four", "--yes", "--debug"),
    ]
    hidden = {emulator.access_token, *secrets}
    hidden |= {b64encode(f":{each}".encode()).decode() for each in secrets}
    hidden |= {b64encode(each.encode()).decode() for each in secrets}
    said = "".join(run.stdout + run.stderr for run in runs)
    assert {each for each in hidden if each in said} == set()
    assert "AZDO" not in said
    files = [each for each in home.rglob("*") if each.is_file()]
    kept = b"".join(each.read_bytes() for each in files)
    assert (home / "pat" / "state" / "state.db") in files
    assert {each for each in hidden if each.encode() in kept} == set()


def test_no_secret_is_an_argument_of_a_child(
    pat: InProcess, emulator: Emulator, az: AzureCli
) -> None:
    az.sign_in(emulator.access_token)
    result = pat(
        "create", "one", "--scope", "code", "-q", "-o", "none", env={"PAT_ACCESS_TOKEN": None}
    )
    assert result == done()
    assert az.calls == [f"account get-access-token --resource {RESOURCE} -o json"]


# -- where the bearer goes -------------------------------------------------------------------------


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com",
        "http://127.0.0.1.example.com",
        "http://localhost.example.com:80",
        "http://0.0.0.0:1",
        "ftp://127.0.0.1",
        "nonsense",
        "127.0.0.1:80",
    ],
)
def test_the_root_is_https_or_http_on_loopback(url: str, pat: InProcess) -> None:
    assert pat("list", env={"PAT_API_URL": url}) == failed(
        2,
        f"PAT_API_URL {url!r} is not allowed",
        "use https, or http for this machine only: the access token is sent to this address",
    )


@pytest.mark.parametrize(
    "url",
    [
        "https://user:hunter2@example.com",
        "https://example.com/?a=hunter2",
        "https://example.com#hunter2",
    ],
)
def test_the_root_is_bare(url: str, pat: InProcess) -> None:
    result = pat("list", env={"PAT_API_URL": url})
    expected = failed(
        2,
        "PAT_API_URL contains more than the root of example.com",
        "use the root alone, such as https://host",
    )
    assert (result, "hunter2" in result.stderr) == (expected, False)


@pytest.mark.parametrize("host_name", ["127.0.0.1", "localhost"])
def test_http_on_loopback_is_allowed(host_name: str, pat: InProcess, emulator: Emulator) -> None:
    token = put(emulator, "one")
    env = {"PAT_API_URL": emulator.url.replace("127.0.0.1", host_name) + "/"}
    assert pat("list", "-o", "json", env=env) == done(as_json([token_object(token)]))


@pytest.mark.parametrize("status", [301, 302, 307, 308])
@pytest.mark.parametrize(
    ("method", "args"),
    [
        ("GET", ("list",)),
        ("POST", ("create", "one", "--scope", "code")),
    ],
)
def test_a_redirect_does_not_take_the_bearer_elsewhere(  # one case each
    status: int, method: str, args: tuple[str, ...], pat: InProcess, emulator: Emulator
) -> None:
    with start(Options()) as running:
        other = Emulator(running)
        location = f"{other.url}/contoso/_apis/tokens/pats"
        emulator.fail(f"{method} */tokens/pats status={status} location={location} times=always")
        assert pat(*args).exit_code == 4
        assert other.requests == []


def test_the_organization_does_not_take_the_bearer_elsewhere(
    pat: InProcess, emulator: Emulator
) -> None:
    with start(Options()) as running:
        other = Emulator(running)
        for args in (("list",), ("create", "one", "--scope", "code")):
            assert pat(*args, "--org", f"{other.url}/contoso").exit_code == 5
        assert other.requests == []
    assert emulator.requests == []


def test_a_netrc_does_not_sign_in(pat: InProcess, emulator: Emulator, home: Path) -> None:
    netrc = home / ".netrc"
    netrc.write_text("default login someone password hunter2\n", "utf-8")
    netrc.chmod(0o600)
    put(emulator, "one")
    assert pat("list", "-o", "none") == done()
    assert {each["authorization"] for each in emulator.requests} == {"Bearer"}


# -- causes that are not guessed -------------------------------------------------------------------


@pytest.mark.posix("deleting a folder that is in use")
def test_a_working_folder_that_is_gone(pat_process: Installed, tmp_path: Path) -> None:
    folder = tmp_path / "gone"
    folder.mkdir()
    line = 'cd "$1" && rmdir "$1" && shift && exec "$@"'

    def from_there(*args: str) -> Result:
        folder.mkdir(exist_ok=True)
        ran = subprocess.run(
            ["sh", "-c", line, "sh", folder, PROGRAM, *args],
            env=pat_process.environment({"PAT_ORG": None}),
            capture_output=True,
            encoding="utf-8",
            check=False,
        )
        return Result(exit_code=ran.returncode, stdout=ran.stdout, stderr=ran.stderr)

    elsewhere = pat_process("list", "-o", "json", env={"PAT_ORG": None})
    assert from_there("list", "-o", "json") == elsewhere
    assert from_there("setup", "git", "-q", "-o", "none").exit_code == 0
    made = from_there("ensure", "ci", "--scope", "code", "--deliver", "file:x")
    assert made.exit_code == 2
    assert made.stderr.startswith("pat: the working folder cannot be used: No such file")


def test_what_the_system_refuses_is_told_in_its_own_words(
    pat_process: Installed, tmp_path: Path
) -> None:
    (tmp_path / "sitecustomize.py").write_text(
        "import secrets\n"
        "def refuse(*_):\n"
        "    raise OSError(38, 'Function not implemented')\n"
        "secrets.token_hex = refuse\n",
        "utf-8",
    )
    result = pat_process("create", "ci", "--scope", "code", env={"PYTHONPATH": str(tmp_path)})
    assert "standard output" not in result.stderr
    assert result.exit_code == 1
    assert result.stderr == (
        "pat: the operating system refused an operation: Function not implemented\n"
        "     for details, run the command again with --debug; to find the cause, run: pat doctor\n"
    )


@pytest.mark.posix("flock")
@pytest.mark.parametrize("code", [errno.ENOSYS, errno.ENOTSUP, errno.ENOLCK])
def test_a_file_system_without_locks(
    code: int, pat_process: Installed, home: Path, tmp_path: Path, emulator: Emulator
) -> None:
    (tmp_path / "sitecustomize.py").write_text(
        "import fcntl, os\n"
        "def refuse(descriptor, operation):\n"
        f"    raise OSError({code}, os.strerror({code}))\n"
        "fcntl.flock = refuse\n",
        "utf-8",
    )
    without = {"PYTHONPATH": str(tmp_path)}
    before = names(emulator)
    started = time.monotonic()
    assert pat_process("create", "ci", "--scope", "code", env=without) == failed(
        7,
        f"the file system of {home / 'pat/state/locks'} cannot lock files: {os.strerror(code)}",
        "set PAT_STATE_DIR to a folder on a local disk",
    )
    assert time.monotonic() - started < 10
    assert names(emulator) == before
    listed = pat_process("list", "-o", "json", env=without)
    assert (listed.exit_code, listed.json) == (0, [])
