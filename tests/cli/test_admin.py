"""pat admin users and pat admin list."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from cli.administered import Administered, owner
from cli.stage import as_jsonl, done, failed, lines, table
from drivers import Emulator, InProcess, Result
from fakes import MemoryKeyring

ADMIN_SECRET = "the-secret-of-an-administrator"


def names(result: Result) -> list[str]:
    """The names of the tokens that were listed as JSON."""
    assert result.exit_code == 0, result.stderr
    return [each["name"] for each in result.json]


def test_users(contoso_pat: InProcess, contoso: Administered) -> None:
    ada, ben, cy = contoso.users
    assert contoso_pat("admin", "users") == done(
        table(
            ("NAME", "UPN", "MAIL", "NOTES"),
            ("Ada Lovelace", "ada@contoso.example", "", ""),
            ("Ben Ali", "ben@contoso.example", "", "guest"),
            (
                "Cy Twombly",
                "cy@contoso.example",
                "twombly@contoso.example",
                "deleted in the tenant",
            ),
        )
    )
    objects = [
        {
            **{key: owner(row)[key] for key in ("name", "upn")},
            "mail": row["mailAddress"],
            "descriptor": row["descriptor"],
            "guest": row is ben,
            "deleted": row is cy,
        }
        for row in (ada, ben, cy)
    ]
    assert contoso_pat("admin", "users", "-o", "json").json == objects
    assert contoso_pat("admin", "users", "-o", "jsonl") == done(as_jsonl(*objects))
    assert contoso_pat("admin", "users", "be", "-o", "json").json == [objects[1]]


def test_no_user(contoso_pat: InProcess, contoso: Administered) -> None:
    _ = contoso
    assert contoso_pat("admin", "users", "zoe") == done("", "no user of contoso begins with 'zoe'")


def test_more_users_than_the_service_returns(contoso_pat: InProcess, contoso: Administered) -> None:
    for number in range(101):
        contoso.user(f"Zoe {number}")
    result = contoso_pat("admin", "users", "zoe", "-o", "tsv")
    assert result.stdout.count("\n") == 100
    assert result.stderr == lines("the service returns 100 users at most: there may be more")


@pytest.mark.parametrize("status", ["active", "all"])
def test_one_whose_status_cannot_be_read_is_not_hidden(
    contoso_pat: InProcess, contoso: Administered, status: str
) -> None:
    contoso.token(contoso.users[0]["descriptor"], "odd", isValid="yes")
    result = contoso_pat("admin", "list", "--all-users", "--status", status, "-o", "json")
    assert [each["status"] for each in result.json] == ["unknown"]
    assert "isValid" in result.stderr


def test_tokens_of_all_users(contoso_pat: InProcess, contoso: Administered) -> None:
    ada, ben, _ = contoso.users
    deploy = contoso.token(ben["descriptor"], "deploy", scope="app_token", targetAccounts=None)
    ci = contoso.token(ada["descriptor"], "ci", scope="vso.code vso.build")
    result = contoso_pat("admin", "list", "--all-users", "-o", "json")
    assert (result.exit_code, result.stderr) == (0, lines("2 tokens of 3 users"))
    first, second = result.json
    del first["expires_in_days"], second["expires_in_days"]
    assert first == {
        "name": "ci",
        "id": ci["authorizationId"],
        "org": "contoso",
        "status": "active",
        "scopes": ["vso.code", "vso.build"],
        "created": "2026-01-02T03:04:05Z",
        "expires": "2099-01-02T03:04:05Z",
        "global": False,
        "stored": False,
        "origin": "unknown",
        "owner": owner(ada),
    }
    assert (second["id"], second["global"]) == (deploy["authorizationId"], True)
    assert (second["org"], second["owner"]) == (None, owner(ben))


def test_as_table_and_rows(contoso_pat: InProcess, contoso: Administered) -> None:
    ada, ben, _ = contoso.users
    contoso.token(ada["descriptor"], "ci")
    contoso.token(ben["descriptor"], "", displayName=None, scope="app_token")
    result = contoso_pat("admin", "list", "--all-users")
    header, first, second = result.stdout.splitlines()
    assert header.split() == ["NAME", "ID", "OWNER", "SCOPES", "EXPIRES", "NOTES"]
    assert first.split()[:4] == ["ci", "00000000", "ada@contoso.example", "code"]
    assert second.split()[:4] == ["(unnamed)", "00000001", "ben@contoso.example", "full"]
    (row,) = contoso_pat("admin", "list", "ada", "-o", "csv").stdout.splitlines()[1:]
    assert row.endswith(f",Ada Lovelace,ada@contoso.example,{ada['descriptor']}")
    (line,) = contoso_pat("admin", "list", "ada", "-o", "jsonl").stdout.splitlines()
    assert json.loads(line)["owner"] == owner(ada)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ((), ["ci", "everything", "old"]),
        (("--status", "expired"), ["expired"]),
        (("--status", "revoked"), ["revoked"]),
        (("--status", "all"), ["ci", "everything", "expired", "old", "revoked"]),
        (("--full",), ["everything"]),
        (("--scope", "build"), ["ci"]),
        (("--older-than", "2024-01-01"), ["old"]),
        (("--expiring", "2090-01-01"), ["old"]),
        (("--name", "c*"), ["ci"]),
        (("--global", "--status", "all"), ["everything"]),
        (("--ssh",), ["key"]),
    ],
)
def test_filters(
    contoso_pat: InProcess, contoso: Administered, options: tuple[str, ...], expected: list[str]
) -> None:
    ada = contoso.users[0]["descriptor"]
    contoso.token(ada, "ci", scope="vso.build vso.code")
    contoso.token(ada, "everything", scope="app_token")
    contoso.token(ada, "revoked", isValid=False)
    contoso.token(ada, "expired", validTo="2026-01-03T00:00:00", isValid=False)
    contoso.token(ada, "old", validFrom="2023-01-01T00:00:00", validTo="2089-01-01T00:00:00")
    contoso.token(ada, "key", isPublic=True)
    if "--global" in options:
        contoso.tokens[ada][1]["targetAccounts"] = None
    assert names(contoso_pat("admin", "list", "ada", *options, "-o", "json")) == expected


@pytest.mark.parametrize("text", ["ADA@contoso.example", "Ada Lovelace", "ada l", " ada "])
def test_a_user_by_name(contoso_pat: InProcess, contoso: Administered, text: str) -> None:
    contoso.token(contoso.users[0]["descriptor"], "ci")
    assert names(contoso_pat("admin", "list", text, "-o", "json")) == ["ci"]


def test_a_user_by_descriptor(contoso_pat: InProcess, contoso: Administered) -> None:
    contoso.token(contoso.users[0]["descriptor"], "ci")
    descriptor = contoso.users[0]["descriptor"]
    assert names(contoso_pat("admin", "list", descriptor, "ada", "-o", "json")) == ["ci"]
    assert contoso_pat("admin", "list", "aad.bm90aGluZw").exit_code == 3


def test_an_exact_name_is_not_ambiguous(contoso_pat: InProcess, contoso: Administered) -> None:
    contoso.user("Ada Lovelace-King", principalName="ada@contoso.example.org")
    assert contoso_pat("admin", "list", "ada lovelace").exit_code == 0
    assert contoso_pat("admin", "list", "ada") == failed(
        6,
        "2 users match 'ada'",
        "choose one by the sign-in name:",
        "ada@contoso.example  Ada Lovelace",
        "ada@contoso.example.org  Ada Lovelace-King",
    )


def test_an_unknown_user(contoso_pat: InProcess, contoso: Administered) -> None:
    _ = contoso
    assert contoso_pat("admin", "list", "zoe") == failed(
        3, "contoso has no user 'zoe'", "to list its users, run: pat admin users"
    )


@pytest.mark.parametrize("arguments", [(), ("ada", "--all-users")])
def test_either_users_or_all(
    contoso_pat: InProcess, contoso: Administered, arguments: tuple[str, ...]
) -> None:
    assert contoso_pat("admin", "list", *arguments).exit_code == 2
    assert contoso.asked == []


def test_a_user_who_left_is_counted(contoso_pat: InProcess, contoso: Administered) -> None:
    contoso.failures[contoso.users[1]["descriptor"]] = [404]
    contoso.token(contoso.users[0]["descriptor"], "ci")
    result = contoso_pat("admin", "list", "--all-users", "-o", "json")
    assert names(result) == ["ci"]
    assert result.stderr == lines("1 token of 3 users; 1 user left in the meantime")


def test_a_user_that_fails_for_a_while_is_read_at_the_end(
    contoso_pat: InProcess, contoso: Administered
) -> None:
    ada = contoso.users[0]["descriptor"]
    contoso.failures[ada] = [500, 500]
    contoso.token(ada, "ci")
    result = contoso_pat("admin", "list", "--all-users", "-o", "json")
    assert (names(result), result.stderr) == (["ci"], lines("1 token of 3 users"))


@pytest.mark.parametrize("form", ["json", "jsonl"])
def test_a_user_that_cannot_be_read_stops_no_other(
    contoso_pat: InProcess, contoso: Administered, form: str
) -> None:
    ada, ben, _ = (each["descriptor"] for each in contoso.users)
    contoso.failures[ada] = [500] * 3
    contoso.token(ben, "ci")
    result = contoso_pat("admin", "list", "--all-users", "-o", form)
    assert result.exit_code == 9
    assert '"name": "ci"' in result.stdout.replace('":"', '": "')
    warning, error = result.stderr.splitlines()
    assert warning == (
        "pat: warning: ada@contoso.example: vssps.dev.azure.com failed (HTTP 500)"
    ) or warning.endswith("ada@contoso.example: vssps.dev.azure.com failed (HTTP 500)")
    assert json.loads(error)["message"] == "1 of 3 users could not be read"


def test_a_bad_descriptor_stops_no_other(contoso_pat: InProcess, contoso: Administered) -> None:
    contoso.failures[contoso.users[0]["descriptor"]] = [400] * 10
    assert contoso_pat("admin", "list", "--all-users").exit_code == 9


def test_a_service_that_is_down_is_not_asked_for_every_user(
    contoso_pat: InProcess, contoso: Administered
) -> None:
    for number in range(60):
        contoso.user(f"User {number}")
    for each in contoso.users:
        contoso.failures[each["descriptor"]] = [500] * 10
    assert contoso_pat("admin", "list", "--all-users", "--jobs", "8").exit_code == 11
    asked = {str(each.url) for each in contoso.asked if "tokenadmin" in str(each.url)}
    assert len(asked) < 40


def test_many_users_that_cannot_be_read_stop_no_other(
    contoso_pat: InProcess, contoso: Administered
) -> None:
    for number in range(60):
        descriptor = contoso.user(f"User {number}")
        contoso.token(descriptor, "ci")
        if number % 2:
            contoso.failures[descriptor] = [400] * 3
    result = contoso_pat("admin", "list", "--all-users", "--jobs", "4", "-o", "jsonl")
    assert (result.exit_code, result.stdout.count("\n")) == (9, 30)
    assert "… and 20 more users" in result.stderr


@pytest.mark.parametrize(
    ("command", "message"),
    [
        (("users",), "you cannot list the users of contoso"),
        (("list", "aad.YWRhYWRh"), "you cannot list the users of contoso"),
    ],
)
def test_a_missing_right_is_named(
    contoso_pat: InProcess, contoso: Administered, command: tuple[str, ...], message: str
) -> None:
    contoso.forbidden = True
    result = contoso_pat("admin", *command)
    assert (result.exit_code, result.stdout) == (5, "")
    assert result.stderr.startswith(f"pat: {message}\n")
    assert "vso.graph" in result.stderr


def test_only_administrators_list_tokens(contoso_pat: InProcess, contoso: Administered) -> None:
    contoso.failures[contoso.users[0]["descriptor"]] = [403] * 3
    result = contoso_pat("admin", "list", "ada")
    assert result.exit_code == 5
    assert "you cannot administer the tokens of contoso" in result.stderr
    assert "Project Collection Administrators" in result.stderr


def authorizations(contoso: Administered) -> set[str]:
    """How the requests were signed in."""
    return {str(each.headers["Authorization"]) for each in contoso.asked}


def test_a_personal_access_token_in_the_environment(
    contoso_pat: InProcess, contoso: Administered
) -> None:
    env = {"PAT_ADMIN_TOKEN": ADMIN_SECRET}
    result = contoso_pat("admin", "list", "ada", "--debug", env=env)
    assert result.exit_code == 0
    assert authorizations(contoso) == {"Basic OnRoZS1zZWNyZXQtb2YtYW4tYWRtaW5pc3RyYXRvcg=="}
    assert ADMIN_SECRET not in result.stderr + result.stdout
    assert "OnRoZS1zZWNyZXQ" not in result.stderr + result.stdout


def test_a_stored_personal_access_token(
    contoso_pat: InProcess, contoso: Administered, memory_keyring: MemoryKeyring
) -> None:
    memory_keyring.set_password("azdo-pat:https://dev.azure.com/contoso", "audit", ADMIN_SECRET)
    env = {"PAT_ADMIN_TOKEN": "another", "PAT_ACCESS_TOKEN": None, "PATH": ""}
    assert contoso_pat("admin", "users", "--with", "audit", env=env).exit_code == 0
    assert authorizations(contoso) == {"Basic OnRoZS1zZWNyZXQtb2YtYW4tYWRtaW5pc3RyYXRvcg=="}
    assert contoso_pat("admin", "users", "--with", "nope").exit_code == 3


def test_other_commands_sign_in_as_the_user(contoso_pat: InProcess, contoso: Administered) -> None:
    env = {"PAT_ADMIN_TOKEN": ADMIN_SECRET}
    contoso_pat("list", env=env)
    assert authorizations(contoso)
    assert "Basic" not in "".join(authorizations(contoso))


def test_a_stored_token_is_not_sent_to_another_service(
    pat: InProcess, emulator: Emulator, memory_keyring: MemoryKeyring, home: Path
) -> None:
    """Any program may listen at an address of this machine."""
    secret = emulator.add_with_secret("audit", scope="vso.graph")
    assert pat("import", "audit", stdin=secret).exit_code == 0
    url = "https://dev.azure.com/contoso"
    with closing(sqlite3.connect(home / "pat/state/state.db")) as connection, connection:
        connection.execute("UPDATE tokens SET org_url = ?", (url,))
    memory_keyring.set_password(f"azdo-pat:{url}", "audit", secret)
    before = len(emulator.requests)
    for command in (("users", "ada"), ("list", "--all-users"), ("log",)):
        ran = pat("admin", *command, "--with", "audit", env={"PAT_ORG": None})
        assert (ran.exit_code, f"is stored for {url}" in ran.stderr) == (5, True)
    assert len(emulator.requests) == before


@pytest.mark.parametrize("value", ['"quoted secret"', "two words", "\x1b[2J"])
def test_a_variable_that_is_not_a_token_is_named(
    contoso_pat: InProcess, contoso: Administered, value: str
) -> None:
    ran = contoso_pat("admin", "whose", env={"PAT_ADMIN_TOKEN": value}, stdin="good")
    assert (ran.exit_code, "pat: PAT_ADMIN_TOKEN is not a token" in ran.stderr) == (
        2,
        True,
    )
    assert value not in ran.stderr
    assert contoso.asked == []


def test_a_personal_access_token_does_not_tell_an_organization(
    contoso_pat: InProcess, contoso: Administered
) -> None:
    env = {"PAT_ADMIN_TOKEN": ADMIN_SECRET, "PAT_ORG": None}
    result = contoso_pat("admin", "users", env=env)
    assert result.exit_code == 2
    assert contoso.asked == []


class TestWhoIsNotListed:
    """Nothing may be said of all users if some are unknown."""

    @pytest.fixture(autouse=True)
    def unreadable(self, contoso: Administered) -> None:
        """Let the list have a user who cannot be asked for."""
        contoso.users.append({"displayName": "Eve"})

    @pytest.mark.parametrize(
        "command",
        [("list", "--all-users"), ("report",), ("check",), ("whose",)],
        ids=" ".join,
    )
    def test_one_who_cannot_be_read(self, contoso_pat: InProcess, command: tuple[str, ...]) -> None:
        ran = contoso_pat("admin", *command, stdin="secret")
        assert ran.exit_code == 9
        assert "without a descriptor" in ran.stderr

    def test_a_report(self, contoso_pat: InProcess) -> None:
        report = json.loads(contoso_pat("admin", "report", "-o", "json").stdout)
        assert (report["complete"], report["users"], report["users_unread"]) == (False, 4, 1)

    def test_a_scan_that_is_saved(self, contoso_pat: InProcess, tmp_path: Path) -> None:
        file = str(tmp_path / "scan.jsonl")
        for option in ("--save", "--resume"):
            ran = contoso_pat("admin", "list", "--all-users", option, file)
            assert ran.exit_code == 9
            assert "1 of 4 users could not be read" in ran.stderr
            assert "to go on" not in ran.stderr  # nothing is left that could be read


@pytest.mark.parametrize("more", [0, 30])
def test_a_service_that_knows_no_user_at_all(
    contoso_pat: InProcess, contoso: Administered, tmp_path: Path, more: int
) -> None:
    """As Azure DevOps Server, which has no such API; not all users have left."""
    for number in range(more):
        contoso.user(f"User {number}")
    contoso.failures = {each["descriptor"]: [404] * 9 for each in contoso.users}
    file = tmp_path / "scan.jsonl"
    ran = contoso_pat("admin", "list", "--all-users", "--save", str(file))
    assert (ran.exit_code, file.exists()) == (5, False)
    assert "does not know any of the users" in ran.stderr


def test_a_result_does_not_replace_the_scan(
    contoso_pat: InProcess, contoso: Administered, tmp_path: Path
) -> None:
    file = str(tmp_path / "scan.jsonl")
    assert contoso_pat("admin", "list", "--all-users", "--save", file).exit_code == 0
    contoso.asked.clear()
    before = Path(file).read_bytes()
    for command in (("check", "--as", "ics", "--to", file), ("report", "--html", file)):
        ran = contoso_pat("admin", *command, "--resume", file)
        assert (ran.exit_code, Path(file).read_bytes(), contoso.asked) == (2, before, [])


@pytest.mark.parametrize("text", ["gracee", "grce@contoso.example", "Grace Hoper"])
def test_a_misspelt_user(contoso_pat: InProcess, contoso: Administered, text: str) -> None:
    contoso.user("Grace Hopper")
    for words in (("list", text), ("revoke", "--user", text, "--dry-run")):
        assert contoso_pat("admin", *words) == failed(
            3,
            f"contoso has no user {text!r}",
            "did you mean grace@contoso.example? to list its users, run: pat admin users",
        )
