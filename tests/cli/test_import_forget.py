"""pat import, pat forget."""

import os
from pathlib import Path

import pexpect
import pytest

from azdo_pat.command_lines import pat_command
from azdo_pat.emulator.run import Options, start
from azdo_pat.operations.lock_keys import lock_key
from azdo_pat.store.locks import exclusive
from cli.stage import (
    activity,
    as_json,
    done,
    failed,
    held,
    hence,
    lines,
    methods,
    names,
    service,
)
from drivers import Emulator, InProcess, Installed, put_program
from fakes import MemoryKeyring

SECRET_FORM = "a" * 52


def made(pat: InProcess, org: str = "contoso") -> str:
    """Make a token elsewhere, so to speak; return its secret."""
    options = ("--scope", "code", "--no-store", "--as", "token", "-q", "--org", org)
    return pat("create", "elsewhere", *options).stdout


def imported(name: str, expires: str | None = None, **changes: object) -> dict[str, object]:
    return {
        "name": name,
        "id": None,
        "org": "contoso",
        "status": "unknown",
        "scopes": [],
        "created": None,
        "expires": expires,
        "expires_in_days": None if expires is None else 10,
        "global": False,
        "stored": True,
        "origin": "unknown",
        **changes,
    }


def stored(emulator: Emulator, name: str) -> str:
    """What is said of a secret that was stored."""
    return (
        f"stored {name!r} for {emulator.url}/contoso; to print it, run: {pat_command('get', name)}"
    )


def test_a_secret_is_checked_and_stored(
    pat: InProcess, emulator: Emulator, memory_keyring: MemoryKeyring
) -> None:
    secret = made(pat)
    result = pat("import", "web", "-o", "json", stdin=secret)
    assert result == done(as_json(imported("web")), stored(emulator, "web"))
    assert memory_keyring.held == {(service(emulator), "web"): secret.strip()}
    last = emulator.requests[-1]
    assert (last["path"], last["authorization"]) == ("/contoso/_apis/connectionData", "Basic")
    assert pat("get", "web") == done(secret)


def test_when_it_ends_can_be_said(pat: InProcess, emulator: Emulator) -> None:
    secret = made(pat)
    until = hence(250)[:19] + "Z"
    result = pat("import", "web", "--expires", until, "-o", "json", stdin=secret)
    expected = as_json(imported("web", until))
    assert result == done(expected, stored(emulator, "web"))


@pytest.mark.parametrize(
    ("stdin", "message", "hint"),
    [
        ("", "no secret given", "pipe the secret in, or type it at the prompt"),
        ("\n", "no secret given", "pipe the secret in, or type it at the prompt"),
        (
            "two words",
            "the input is not a token: it contains spaces or other characters that no token has",
            "enter the token alone, without quotes",
        ),
        (
            "schlüssel",
            "the input is not a token: it contains spaces or other characters that no token has",
            "enter the token alone, without quotes",
        ),
    ],
)
def test_what_is_no_secret(  # one case each
    stdin: str, message: str, hint: str, pat: InProcess, emulator: Emulator
) -> None:
    assert pat("import", "web", stdin=stdin) == failed(2, message, hint)
    assert emulator.requests == []


def test_a_secret_that_does_not_work_is_not_stored(
    pat: InProcess, emulator: Emulator, memory_keyring: MemoryKeyring
) -> None:
    assert pat("import", "web", stdin=SECRET_FORM) == failed(
        4,
        f"{emulator.url}/contoso does not accept the secret",
        "the secret may be mistyped, expired, revoked, or issued for another organization; on"
        " Azure DevOps Server, IIS basic authentication must be off",
        "the service said: TF400813: Resource not available for anonymous access. Client"
        " authentication required.",
        f"activity id: {activity(emulator)}",
    )
    assert memory_keyring.held == {}


def test_a_bad_secret_is_found_where_there_are_public_projects(
    pat: InProcess, emulator: Emulator, memory_keyring: MemoryKeyring
) -> None:
    emulator.set_policies("public-projects")
    result = pat("import", "web", stdin=SECRET_FORM)
    assert (result.exit_code, result.stdout, memory_keyring.held) == (4, "", {})


def test_a_name_that_is_taken(
    pat: InProcess, emulator: Emulator, memory_keyring: MemoryKeyring
) -> None:
    first, second = made(pat), made(pat)
    pat("import", "web", "-q", stdin=first)
    assert pat("import", "web", stdin=second) == failed(
        6,
        "a secret is already stored under 'web' for contoso",
        "to overwrite it, add --replace; to delete it, run: pat forget web",
    )
    assert list(memory_keyring.held.values()) == [first.strip()]
    result = pat("import", "web", "--replace", "-o", "none", stdin=second)
    assert result == done("", stored(emulator, "web"))
    assert list(memory_keyring.held.values()) == [second.strip()]


def test_the_secret_is_never_an_argument(pat: InProcess) -> None:
    assert pat("import", "web", SECRET_FORM) == failed(
        2, "Got unexpected extra argument (***)", "for usage, run: pat import --help"
    )


def test_it_must_be_known_which_organization_it_is_for(pat: InProcess) -> None:
    assert pat("import", "web", stdin=SECRET_FORM, env={"PAT_ORG": None}) == failed(
        2, "no organization given", "add --org NAME, or --org with the server's URL"
    )


def test_a_server_of_ones_own_gets_the_secret_and_no_bearer(
    pat: InProcess, emulator: Emulator, memory_keyring: MemoryKeyring
) -> None:
    with start(Options()) as running:
        server = Emulator(running)
        made_there = InProcess(pat.root, server.environment)
        secret = made(made_there)
        asked = len(server.requests)
        url = f"{server.url}/contoso"  # stands for a collection of Azure DevOps Server
        result = pat("import", "office", "--org", url, "-o", "json", stdin=secret)
        assert result == done(as_json(imported("office")), stored(server, "office"))
        assert [each["authorization"] for each in server.requests[asked:]] == ["Basic"]
        assert memory_keyring.held == {(f"azdo-pat:{url}", "office"): secret.strip()}
        assert pat("get", "office", "--org", url) == done(secret)
    assert emulator.requests == []


@pytest.fixture
def browser(tmp_path: Path) -> tuple[dict[str, str | None], Path]:
    """Return what makes a script the browser, and the file that it writes addresses to."""
    opened = tmp_path / "opened"
    source = f"import sys; print(sys.argv[1], file=open({str(opened)!r}, 'a'))"
    script = put_program(tmp_path / "browser", source)
    return {"BROWSER": f"{script} %s"}, opened


def typed(pat: Installed, secret: str, *args: str, env: dict[str, str | None]) -> None:
    """Run it on a terminal, and type a secret when it is asked for."""
    terminal = pat.on_terminal(*args, env=env)
    terminal.expect(r"Token for [^\r\n]*: ")
    terminal.sendline(secret)
    terminal.expect(pexpect.EOF)
    terminal.close()
    assert terminal.exitstatus == 0, terminal.before


def test_the_page_that_makes_tokens_is_opened_first(
    pat: InProcess,
    pat_process: Installed,
    emulator: Emulator,
    browser: tuple[dict[str, str | None], Path],
) -> None:
    env, opened = browser
    page = f"{emulator.url}/contoso/_usersSettings/tokens"
    typed(pat_process, made(pat), "import", "web", "--open", env=env)
    assert opened.read_text() == f"{page}\n"
    piped = pat_process("import", "web1", "--open", stdin=made(pat), env=env)
    assert (piped.exit_code, f"create the token at {page}\n" in piped.stderr) == (0, True)
    silent = pat_process("import", "web2", "--open", "--no-input", stdin=made(pat), env=env)
    assert f"create the token at {page}\n" in silent.stderr
    assert opened.read_text() == f"{page}\n"


def test_an_old_server_has_the_page_elsewhere(
    pat: InProcess, pat_process: Installed, browser: tuple[dict[str, str | None], Path]
) -> None:
    env, opened = browser
    with start(Options()) as running:
        server = Emulator(running)  # which has no such page, as TFS 2018
        secret = made(InProcess(pat.root, server.environment))
        url = f"{server.url}/contoso"
        asked = len(server.requests)
        typed(pat_process, secret, "import", "office", "--open", "--org", url, env=env)
        assert opened.read_text() == f"{url}/_details/security/tokens\n"
        assert server.requests[asked]["authorization"] in {None, ""}


def test_forget_leaves_the_token_alive(
    pat: InProcess, emulator: Emulator, memory_keyring: MemoryKeyring
) -> None:
    for text in ("laptop", "id", "prefix"):
        pat("create", "laptop", "--scope", "code", "-q", "-o", "none")
        identifier = held(emulator, "laptop")["authorizationId"]
        asked = methods(emulator)
        given = {"laptop": "laptop", "id": identifier, "prefix": identifier[:8]}[text]
        assert pat("forget", given) == done(
            "", "forgot 'laptop' for contoso; this does not revoke the token"
        )
        assert (memory_keyring.held, methods(emulator)) == ({}, asked)
        assert names(emulator) == ["laptop"]
        assert pat("list", "-o", "tsv", "--query", "[].stored") == done("false\n")
        emulator.remove_tokens()


def test_forget_of_nothing(pat: InProcess) -> None:
    assert pat("forget", "nosuch") == failed(
        3,
        "no secret is stored under 'nosuch' for contoso",
        "to see what is stored, run: pat list --stored; to create a token, run: pat create; to"
        " store an existing secret, run: pat import",
    )


def test_forget_does_not_reach_into_another_organization(
    pat: InProcess, memory_keyring: MemoryKeyring
) -> None:
    pat("create", "laptop", "--scope", "code", "-q", "-o", "none", "--org", "fabrikam")
    before = dict(memory_keyring.held)
    assert pat("forget", "laptop").exit_code == 3
    assert memory_keyring.held == before
    assert pat("forget", "laptop", env={"PAT_ORG": None}) == done(
        "", "forgot 'laptop' for fabrikam; this does not revoke the token"
    )
    assert memory_keyring.held == {}


def test_a_name_with_a_dash_is_quoted_in_what_is_said(pat: InProcess, emulator: Emulator) -> None:
    secret = made(pat)
    result = pat("import", "-o", "none", "--", "-x y", stdin=secret)
    assert result == done("", stored(emulator, "-x y"))
    assert pat("get", "--", "-x y") == done(lines(secret.strip()))


@pytest.mark.parametrize("command", ["import", "forget"])
def test_a_name_that_another_pat_works_on(
    command: str, pat: InProcess, emulator: Emulator, memory_keyring: MemoryKeyring
) -> None:
    secret = made(pat)
    if command == "forget":
        pat("import", "web", "-q", "-o", "none", stdin=secret)
    before = dict(memory_keyring.held)
    key = lock_key("web", f"{emulator.url}/contoso")
    with exclusive(Path(os.environ["PAT_STATE_DIR"]) / "locks", key):
        assert pat(command, "web", stdin=secret) == failed(
            6,
            f"another pat process is working on {key}",
            ("try again when it has finished"),
        )
    assert memory_keyring.held == before


def test_which_token_it_belongs_to_can_be_said(
    pat: InProcess, emulator: Emulator, memory_keyring: MemoryKeyring
) -> None:
    secret = made(pat)
    (token,) = [each for each in emulator.tokens if each["displayName"] == "elsewhere"]
    identifier = token["authorizationId"]
    stored_now = pat("import", "ci", "--id", identifier[:8], "-o", "json", "-q", stdin=secret).json
    assert (stored_now["id"], stored_now["scopes"]) == (identifier, ["vso.code"])
    assert stored_now["expires"] is not None
    assert pat("rotate", identifier, "-q", "-o", "none").exit_code == 0
    assert list(memory_keyring.held.values()) != [secret.strip()]
    assert identifier not in [
        each["authorizationId"] for each in emulator.tokens if each["status"] == "active"
    ]


def test_an_imported_secret_is_not_overwritten_for_a_token_of_its_name(
    pat: InProcess, emulator: Emulator, memory_keyring: MemoryKeyring
) -> None:
    """Another token is displayed as `ci`; which one the secret belongs to, nothing tells."""
    secret = made(pat)
    assert pat("create", "ci", "--scope", "code", "--no-store", "--as", "token").exit_code == 0
    assert pat("import", "ci", "-q", "-o", "none", stdin=secret).exit_code == 0
    before = [(each["authorizationId"], each["status"]) for each in emulator.tokens]
    refused = pat("rotate", "ci", "--expires", "20d")
    assert refused == failed(
        6,
        "a secret is stored under 'ci' for contoso, and it is unknown which token it belongs to",
        "if you know the token, run: pat get ci | pat import ci --id ID; to delete the secret,"
        " run: pat forget ci",
    )
    assert [(each["authorizationId"], each["status"]) for each in emulator.tokens] == before
    assert list(memory_keyring.held.values()) == [secret.strip()]


@pytest.mark.parametrize(
    ("given", "code", "message"),
    [
        (("--id", "ci"), 2, "'ci' is not a token id"),
        (("--id", "0" * 8), 3, "no token '00000000' in contoso"),
        (
            ("--id", "00000000", "--expires", "9d"),
            2,
            "--id and --expires cannot be combined",
        ),
    ],
)
def test_an_id_that_is_none(
    given: tuple[str, ...], code: int, message: str, pat: InProcess, memory_keyring: MemoryKeyring
) -> None:
    secret = made(pat)
    result = pat("import", "ci", *given, stdin=secret)
    assert (result.exit_code, memory_keyring.held) == (code, {})
    assert message in result.stderr


@pytest.mark.parametrize("which", ["fabrikam", "revoked"])
def test_an_id_that_cannot_be_the_one(
    which: str, pat: InProcess, emulator: Emulator, memory_keyring: MemoryKeyring
) -> None:
    secret = made(pat)
    made(pat, "fabrikam")
    tokens = [each for each in emulator.tokens if each["displayName"] == "elsewhere"]
    here, there = (each["authorizationId"] for each in tokens)
    if which == "revoked":
        assert pat("revoke", here, "--yes", "-q").exit_code == 0
        secret = made(pat)
    result = pat("import", "ci", "--id", here if which == "revoked" else there, stdin=secret)
    assert result.exit_code == (5 if which == "revoked" else 3)
    assert memory_keyring.held == {}
