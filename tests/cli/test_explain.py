"""pat explain."""

import csv
import io
import json
import socket
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from azdo_pat.command_lines import quoted
from cli.stage import day, done, hence, methods, minute, put, short, table, token_object
from drivers import Emulator, Environment, InProcess, Result

GIT = "git: https://dev.azure.com/contoso on elsewhere"
HERE = f"Git: https://dev.azure.com/contoso on {socket.gethostname()}"
HOOKS = "Service Hooks: Azure App Service: Deploy web app"
LOAD_TEST = "WebAppLoadTestCDIntToken"
ARTIFACTS = "Azure DevOps Artifacts Credential Provider"
IDE = "VSTS IntelliJ Plugin: https://contoso.visualstudio.com from: ada on: elsewhere"
LOG = "/contoso/_apis/audit/auditlog"
OFFLINE: Environment = {"PAT_ACCESS_TOKEN": None, "PAT_API_URL": None, "PATH": ""}
DOUBT = [
    "if in doubt:",
    "change the password of your account, in case someone else knows it",
    "ask an administrator of Microsoft Entra for the log of your sign-ins",
]


def steps(result: Result) -> list[str]:
    """Return what is said below `if in doubt`, without the numbers."""
    lines = result.stderr.partition("if in doubt:\n")[2].splitlines()
    numbered = [line.partition(". ") for line in lines if line[:2] == "  " != line[2:4]]
    assert [int(number) for number, _, _ in numbered] == list(range(1, len(numbered) + 1))
    assert {DOUBT[1], DOUBT[2]} <= {text for _, _, text in numbered}
    return [text for _, _, text in numbered]


def one(result: Result) -> dict[str, object]:
    """Return the only explanation of a run with `-o json`."""
    (explanation,) = result.json
    assert list(explanation) == [
        *("name", "origin", "explanation", "harmless"),
        *("machine", "this_machine", "tokens", "audit"),
    ]
    found: dict[str, object] = explanation
    return found


@pytest.mark.parametrize(
    ("name", "origin", "harmless", "machine", "here"),
    [
        (GIT, "git", None, "elsewhere", False),
        (HERE, "git", True, socket.gethostname(), True),
        (HOOKS, "service-hooks", None, None, None),
        ("Service Hooks :: Azure App Service :: Deploy web app", "service-hooks", None, None, None),
        (LOAD_TEST, "load-test", False, None, None),
        ("Microsoft Teams Integration", "teams", None, None, None),
        (ARTIFACTS, "artifacts", None, None, None),
        (IDE, "ide", None, "elsewhere", False),
    ],
)
def test_a_name_is_explained_without_sign_in_and_network(  # noqa: PLR0913, PLR0917  # one for each key
    pat: InProcess,
    emulator: Emulator,
    name: str,
    origin: str,
    harmless: object,
    machine: object,
    here: object,
) -> None:
    result = pat("explain", name, "-o", "json", env=OFFLINE)
    assert result.exit_code == 0
    found = one(result)
    assert str(found.pop("explanation")).startswith("This name is given by ")
    assert found == {
        "name": name,
        "origin": origin,
        "harmless": harmless,
        "machine": machine,
        "this_machine": here,
        "tokens": [],
        "audit": None,
    }
    assert "tokens of that name were not looked up: not signed in" in result.stderr
    assert "run: pat login" in result.stderr
    revoke = f"revoke the token: pat revoke {quoted(name)}"
    assert steps(result)[:2] == ["sign in: pat login", revoke]
    assert emulator.requests == []


def test_the_table_fits_80_columns(pat: InProcess, emulator: Emulator) -> None:
    token = put(emulator, GIT, scope="vso.code_write vso.packaging")
    result = pat("explain", GIT, env={"COLUMNS": "80"})
    created = token["validFrom"]
    assert result.stdout == (
        "Name        git: https://dev.azure.com/contoso on elsewhere\n"
        "Made by     Git Credential Manager\n"
        "Machine     elsewhere (not this machine)\n"
        "When        It creates a token when git signs in to Azure Repos on a machine,\n"
        "            and another one at each later sign-in. It revokes none of them.\n"
        "Rights      read and write code, and read packages\n"
        "Harmless    unknown\n"
        "            It is harmless if elsewhere is a machine of yours and you use git on\n"
        "            that machine.\n"
        "What to do  Keep the newest one if git works with it, and revoke the older ones.\n"
        "            If git needs a token again, it asks you to sign in.\n"
        f"Tokens      {token['authorizationId']}, active in contoso, created 60\n"
        f"            days ago ({minute(created)}), expires in 10 days ({day(token)}), scopes\n"
        "            code_write packaging\n"
    )
    assert steps(result)[0] == (
        f"revoke the token: pat revoke {token['authorizationId']} --org contoso"
    )


def test_the_command_that_it_names_revokes_the_token(pat: InProcess, emulator: Emulator) -> None:
    put(emulator, GIT)
    command = steps(pat("explain", GIT))[0].partition(": pat ")[2].split()
    assert pat(*command, "--yes").exit_code == 0
    assert [each["status"] for each in emulator.tokens] == ["revoked"]


def test_many_of_one_name_are_revoked_by_it(pat: InProcess, emulator: Emulator) -> None:
    for _ in range(4):
        put(emulator, "a [*] b?")
    put(emulator, "a x b?")
    command = steps(pat("explain", "a [*] b?"))[0]
    glob = quoted("a [[][*]] b[?]")
    assert command == f"revoke the tokens: pat revoke --name {glob} --org contoso"
    assert pat("revoke", "--name", "a [[][*]] b[?]", "--yes").exit_code == 0
    assert sorted(each["status"] for each in emulator.tokens) == ["active"] + ["revoked"] * 4


def test_every_token_of_the_name_in_any_status(pat: InProcess, emulator: Emulator) -> None:
    tokens = [
        put(emulator, HOOKS, state="active"),
        put(emulator, HOOKS, state="expired", hours=-30),
        put(emulator, HOOKS.upper().replace(":", " : :"), state="revoked"),
    ]
    found = pat("explain", HOOKS, "-o", "json").json[0]["tokens"]
    expected = [token_object(each, origin="service-hooks") for each in tokens[:2]]
    assert sorted(found, key=str) == sorted(expected, key=str)


def test_the_spelling_of_the_mail_need_not_be_that_of_the_token(
    pat: InProcess, emulator: Emulator
) -> None:
    token = put(emulator, "Service Hooks :: Azure App Service :: Deploy web app")
    found = one(pat("explain", HOOKS, "-o", "json"))
    assert found["tokens"] == [token_object(token, origin="service-hooks")]


def test_a_token_may_be_named_by_its_id(pat: InProcess, emulator: Emulator) -> None:
    token = put(emulator, GIT)
    found = one(pat("explain", short(token), "-o", "json"))
    assert (found["name"], found["origin"]) == (GIT, "git")


def test_a_person_or_script_chose_the_name(pat: InProcess, emulator: Emulator) -> None:
    """Programs that let users name their tokens are never guessed."""
    token = put(emulator, "ado-npm-auth")
    result = pat("explain", "ado-npm-auth", "-o", "json")
    found = one(result)
    assert result.exit_code == 0
    assert (found["origin"], found["harmless"]) == ("unknown", None)
    assert "a person or script chose it" in str(found["explanation"])
    assert found["tokens"] == [token_object(token)]


def test_what_is_known_of_a_chosen_name_has_no_occasion(pat: InProcess, emulator: Emulator) -> None:
    token = put(emulator, "ado-npm-auth", scope="vso.code")
    shown = pat("explain", "ado-npm-auth").stdout.partition("Tokens")[0]
    assert token["authorizationId"] in steps(pat("explain", "ado-npm-auth"))[0]
    assert shown == (
        "Name        ado-npm-auth\n"
        "Made by     unknown\n"
        "Harmless    unknown\n"
        "            No tool that pat knows gives this name: a person or script chose it. Whether"
        " the token is harmless cannot be told from the name.\n"
        "What to do  Revoke the token if neither you nor a script of yours created it.\n"
    )


def test_the_machine_in_the_name_is_the_only_proof_and_can_be_forged(pat: InProcess) -> None:
    shown = pat("explain", HERE).stdout
    assert "It is harmless unless the name is forged: the machine in it is this one." in shown


def test_what_pat_created_here(pat: InProcess, emulator: Emulator) -> None:
    """As a renewal at night does."""
    assert pat("create", "ci", "--scope", "code", "-q", "-o", "none").exit_code == 0
    (token,) = emulator.tokens
    expected = token_object(token, origin="pat", stored=True)
    found = one(pat("explain", "ci", "-o", "json"))
    assert (found["origin"], found["harmless"], found["tokens"]) == ("pat", True, [expected])
    offline = one(pat("explain", "ci", "-o", "json", env=OFFLINE))
    assert (offline["origin"], offline["harmless"]) == ("pat", True)
    assert offline["tokens"] == [{**expected, "status": "unknown"}]


def test_one_more_than_pat_created_is_not_pats(pat: InProcess, emulator: Emulator) -> None:
    assert pat("create", "ci", "--scope", "code", "-q", "-o", "none").exit_code == 0
    put(emulator, "ci")
    found = one(pat("explain", "ci", "-o", "json"))
    assert (found["origin"], found["harmless"]) == ("unknown", None)


@pytest.mark.parametrize("scope", ["app_token", "vso.code_write vso.tokens"])
def test_a_token_with_more_rights_than_the_tool_asks_for(
    pat: InProcess, emulator: Emulator, scope: str
) -> None:
    put(emulator, HERE, scope=scope)
    found = one(pat("explain", HERE, "-o", "json"))
    assert found["harmless"] is False
    assert scope.rsplit(maxsplit=1)[-1] in str(found["explanation"])


def test_all_tokens_that_pat_did_not_create(pat: InProcess, emulator: Emulator) -> None:
    git = put(emulator, GIT)
    strange = put(emulator, "strange")
    put(emulator, "over", state="revoked")
    pat("create", "own", "--scope", "code", "-q", "-o", "none")
    result = pat("explain")
    assert result.stdout == table(
        ("NAME", "ID", "CREATED", "MADE BY", "HARMLESS"),
        ("strange", short(strange), strange["validFrom"][:10], "unknown", "unknown"),
        (GIT, short(git), git["validFrom"][:10], "Git Credential Manager", "unknown"),
    )
    expected = "revoke each token that you do not recognize: pat revoke ID --org contoso"
    assert steps(result)[0] == expected
    found = pat("explain", "-o", "json").json
    assert [(each["name"], len(each["tokens"])) for each in found] == [("strange", 1), (GIT, 1)]


def test_none_that_pat_did_not_create(pat: InProcess, emulator: Emulator) -> None:
    said = "no active token of contoso was created except by pat"
    assert pat("explain") == done("", said)
    assert pat("explain", "-o", "json") == done("[]\n", said)
    said = "no active token of contoso was created in that time except by pat"
    put(emulator, GIT)  # 60 days ago
    assert pat("explain", "--since", "30d") == done("", said)


def test_without_a_name_a_sign_in_is_needed(pat: InProcess) -> None:
    result = pat("explain", env=OFFLINE)
    assert (result.exit_code, result.stdout) == (4, "")


@pytest.mark.parametrize("since", ["2d", "2026-01-02"])
def test_since(pat: InProcess, emulator: Emulator, tmp_path: Path, since: str) -> None:
    put(emulator, GIT)  # 60 days ago
    elsewhere: Environment = {"PAT_STATE_DIR": str(tmp_path)}
    pat("create", "new", "--scope", "code", "-q", "-o", "none", env=elsewhere)
    found = pat("explain", "--since", since, "-o", "json").json
    assert [each["name"] for each in found] == (["new"] if since == "2d" else ["new", GIT])


def test_since_hides_no_token_of_a_name(pat: InProcess, emulator: Emulator) -> None:
    put(emulator, GIT)  # 60 days ago
    result = pat("explain", GIT, "--audit", "--since", "5d", "-o", "json")
    assert (result.exit_code, len(result.json[0]["tokens"])) == (0, 1)
    assert pat("explain", GIT, "--since", "5d") == pat("explain", GIT)


def test_a_line_break_from_the_mail_is_no_part_of_the_machine(pat: InProcess) -> None:
    (found,) = pat("explain", f"{GIT}\n", "-o", "json").json
    assert not found["machine"].endswith("\n")


def test_the_only_token_is_named_in_the_steps(pat: InProcess, emulator: Emulator) -> None:
    token = put(emulator, "strange thing")
    said = steps(pat("explain"))
    identifier = token["authorizationId"]
    assert said[0] == (
        f"revoke the token if you do not recognize it: pat revoke {identifier} --org contoso"
    )
    assert said[-1].endswith(f": pat explain {quoted('strange thing')} --audit")


@pytest.mark.parametrize("since", ["soon", "-3d", "2999-01-01", "2026-02-30", ""])
def test_since_must_be_past(pat: InProcess, emulator: Emulator, since: str) -> None:
    assert pat("explain", GIT, f"--since={since}").exit_code == 2
    assert emulator.requests == []


def test_since_the_beginning_of_time(pat: InProcess, emulator: Emulator) -> None:
    put(emulator, GIT)
    for since in ("999y", "5000y", "1970-01-02"):
        for options in ((), (GIT, "--audit")):
            result = pat("explain", *options, "--since", since, "-o", "json")
            assert (result.exit_code, len(result.json[0]["tokens"])) == (0, 1), result.stderr


def test_ids_are_shortened_to_what_tells_them_apart(pat: InProcess, emulator: Emulator) -> None:
    emulator.spoil(
        rows=[
            {"authorizationId": f"3d1f0c2a-7b1e-4f0c-9d2e-0a1b2c3d4e5{end}", "displayName": end}
            for end in "ab"
        ]
    )
    shown = pat("explain").stdout
    assert "3d1f0c2a-7b1e-4f0c-9d2e-0a1b2c3d4e5a" in shown
    assert "3d1f0c2a-7b1e-4f0c-9d2e-0a1b2c3d4e5b" in shown


def test_a_global_token(pat: InProcess, emulator: Emulator) -> None:
    emulator.add_tokens(name="wide", allOrgs=True)
    assert ", active in all organizations, created " in pat("explain", "wide").stdout


def test_several_names(pat: InProcess, emulator: Emulator) -> None:
    token = put(emulator, HOOKS)
    result = pat("explain", HOOKS, LOAD_TEST)
    assert result.stdout == table(
        ("NAME", "ID", "CREATED", "MADE BY", "HARMLESS"),
        (
            HOOKS,
            short(token),
            token["validFrom"][:10],
            "Azure App Service",
            "unknown",
        ),
        (LOAD_TEST, "-", "-", "cloud-based load tests", "no"),
    )
    assert result.stderr.startswith("to see all about one of them, run: pat explain NAME\n")


class TestMissing:
    """Neither a tool nor a token is known by the name."""

    def test_signed_in(self, pat: InProcess) -> None:
        result = pat("explain", "nope")
        assert result.exit_code == 3
        assert result.stdout == (
            "Name        nope\n"
            "Made by     unknown\n"
            "Harmless    unknown\n"
            "            No tool that pat knows gives this name.\n"
            "What to do  Check the name in the mail.\n"
        )
        assert result.stderr.endswith(
            "pat: neither a tool nor a token is known by the name 'nope'\n"
            "     check the name in the mail; to look in another organization, add --org ORG\n"
        )
        assert steps(result)[0] == (
            "look for an active token in your other organizations: pat explain nope --org ORG"
        )

    def test_not_signed_in(self, pat: InProcess) -> None:
        result = pat("explain", "nope", "-o", "json", env=OFFLINE)
        assert (result.exit_code, one(result)["origin"]) == (3, "unknown")
        expected = ["sign in: pat login", "look for a token of that name: pat explain nope"]
        assert steps(result)[:2] == expected
        error = json.loads(result.stderr.splitlines()[-1])
        assert error["error"] == "not_found"
        assert "tokens were not looked up: not signed in" in error["message"]
        assert "pat login" in error["hint"]

    def test_one_of_several(self, pat: InProcess, emulator: Emulator) -> None:
        token = put(emulator, "strange")
        result = pat("explain", "strange", HOOKS, "nope", "-o", "json")
        assert result.exit_code == 9
        assert [each["name"] for each in result.json] == ["strange", HOOKS, "nope"]
        assert result.json[0]["tokens"] == [token_object(token)]
        assert "by the name 'nope'" in result.stderr


class TestBadLuck:
    """What cannot be looked up hides nothing of what is known."""

    @pytest.mark.parametrize(
        ("faults", "said"),
        [
            (("GET */pats status=503 times=always",), "HTTP 503"),
            (("GET */pats status=403 times=always",), "does not allow"),
            (("GET */pats broken-json times=always",), "is not"),
            (("* * status=401 times=always",), "did not accept the access token"),
        ],
    )
    def test_the_service(
        self, pat: InProcess, emulator: Emulator, faults: tuple[str, ...], said: str
    ) -> None:
        emulator.fail(*faults)
        result = pat("explain", GIT, "-o", "json")
        assert (result.exit_code, one(result)["origin"]) == (0, "git")
        assert "tokens of that name were not looked up" in result.stderr
        assert said in result.stderr
        assert any("pat revoke" in step for step in steps(result)[:2])

    def test_several_organizations_and_none_named(self, pat: InProcess) -> None:
        result = pat("explain", GIT, env={"PAT_ORG": None})
        assert result.exit_code == 0
        assert "tokens of that name were not looked up: no organization given" in result.stderr
        assert "add --org contoso" in result.stderr

    def test_a_row_that_cannot_be_read(self, pat: InProcess, emulator: Emulator) -> None:
        put(emulator, GIT)
        emulator.spoil(rows=[None, "text", {"displayName": 7}, {"displayName": GIT}])
        tokens = one(pat("explain", GIT, "-o", "json"))["tokens"]
        assert isinstance(tokens, list)
        assert len(tokens) == 2

    def test_a_damaged_state_file(self, pat: InProcess, home: Path) -> None:
        folder = home / "pat" / "state"
        folder.mkdir(parents=True)
        (folder / "state.db").write_text("SQLite format 3\0 nonsense", "utf-8")
        result = pat("explain", GIT, "-o", "json", env=OFFLINE)
        assert (result.exit_code, one(result)["origin"]) == (0, "git")


class TestAudit:
    """What the audit log says."""

    def test_who_created_it(self, pat: InProcess, emulator: Emulator) -> None:
        pat("create", "ci", "--scope", "code", "-q", "-o", "none")
        pat("create", "other", "--scope", "code", "-q", "-o", "none")
        result = pat("explain", "ci", "--audit", "-o", "json")
        (event,) = result.json[0]["audit"]
        program = emulator.requests[0]["userAgent"]
        assert {**event, "time": ""} == {
            "time": "",
            "action": "Token.PatCreateEvent",
            "token": "ci",
            "actor": "Ada Lovelace",
            "actor_mail": "ada@contoso.example",
            "address": "127.0.0.1",
            "program": program,
            "details": 'Personal Access Token "ci" was created.',
        }
        shown = pat("explain", "ci", "--audit").stdout
        expected = "created by Ada Lovelace <ada@contoso.example> from 127.0.0.1 with azdo-pat/"
        assert expected in shown
        assert not any("--audit" in step for step in steps(result))

    def test_a_token_that_is_in_no_list(self, pat: InProcess, emulator: Emulator) -> None:
        """Such as a self-describing one, or another user's."""
        pat("create", "ci", "--scope", "code", "-q", "-o", "none")
        emulator.remove_tokens()
        result = pat("explain", "ci", "--audit", "-o", "json")
        assert (result.exit_code, one(result)["tokens"]) == (0, [])
        assert "a person or script chose it" in str(one(result)["explanation"])

    def test_who_may_not_read_it_is_told(self, pat: InProcess, emulator: Emulator) -> None:
        emulator.set_policies("audit-log-forbidden")
        result = pat("explain", HOOKS, "--audit", "-o", "json")
        assert result.exit_code == 5
        assert (one(result)["origin"], one(result)["audit"]) == ("service-hooks", None)
        error = json.loads(result.stderr.splitlines()[-1])
        assert error["message"] == "you cannot read the audit log of contoso"
        assert "View audit log" in error["hint"]

    def test_not_signed_in(self, pat: InProcess) -> None:
        result = pat("explain", HOOKS, "--audit", env=OFFLINE)
        assert result.exit_code == 4
        assert HOOKS in result.stdout

    def test_no_event(self, pat: InProcess, emulator: Emulator) -> None:
        emulator.set_policies("auditing-disabled")
        pat("create", "ci", "--scope", "code", "-q", "-o", "none")
        result = pat("explain", "ci", "--audit")
        assert result.exit_code == 0
        since = (datetime.now(UTC) - timedelta(days=30)).date()
        assert f"Audit log   no event in the last 30 days (since {since})\n" in result.stdout
        assert f"the audit log has no event about 'ci' since {since}\n" in result.stderr
        assert "for all that it keeps, add --since 90d\n" in result.stderr
        assert "while Log Audit Events is off" in result.stderr
        assert "no event in the last" in pat("explain", "ci", "--audit", "-q").stdout
        assert "add --since" not in pat("explain", "ci", "--audit", "--since", "90d").stderr

    def test_without_a_name_who_created_each(self, pat: InProcess, emulator: Emulator) -> None:
        put(emulator, "strange")
        emulator.add_tokens(2, name=GIT)
        entries = [
            {
                "actionId": "Token.PatCreateEvent",
                "timestamp": "2026-11-20T10:00:00Z",
                "actorDisplayName": "Ada",
                "data": {"DisplayName": name},
            }
            for name in (GIT, GIT, "other")
        ]
        page = json.dumps({"decoratedAuditLogEntries": entries, "hasMore": False})
        emulator.fail(f"GET */auditlog body='{page}' times=always")
        result = pat("explain", "--audit", env={"COLUMNS": "200"})
        since = (datetime.now(UTC) - timedelta(days=30)).date()
        _, strange, silent, *gits = filter(None, result.stdout.splitlines())
        assert strange.startswith("strange ")
        assert silent.strip() == f"audit log: no event in the last 30 days (since {since})"
        assert [each.startswith(GIT) for each in gits] == [True, True, False, False]
        assert [each.strip() for each in gits[2:]] == [
            "audit log: 2026-11-20 10:00 created by Ada"
        ] * 2
        assert f"no event about 'strange' since {since}\n" in result.stderr
        assert "Log Audit Events" not in result.stderr

    def test_only_the_last_30_days_or_as_told(self, pat: InProcess, emulator: Emulator) -> None:
        for since, days in (((), 30), (("--since", "2d"), 2)):
            pat("explain", HOOKS, "--audit", *since)
            start = emulator.requests[-1]["query"]["startTime"]
            expected = datetime.now(UTC) - timedelta(days=days)
            assert abs(datetime.fromisoformat(start) - expected) < timedelta(minutes=5)

    def test_the_log_is_read_once_for_all_names(self, pat: InProcess, emulator: Emulator) -> None:
        pat("explain", HOOKS, GIT, "--audit")
        assert [each["path"] for each in emulator.requests].count(LOG) == 1

    def test_without_it_the_log_is_not_read(self, pat: InProcess, emulator: Emulator) -> None:
        pat("explain", HOOKS)
        assert LOG not in [each["path"] for each in emulator.requests]
        assert set(methods(emulator)) == {"GET"}


def test_csv(pat: InProcess, emulator: Emulator) -> None:
    put(emulator, HOOKS)
    (row,) = csv.DictReader(io.StringIO(pat("explain", HOOKS, "-o", "csv").stdout))
    assert (row["name"], row["origin"], row["harmless"]) == (HOOKS, "service-hooks", "")
    assert [each["name"] for each in json.loads(row["tokens"])] == [HOOKS]


def test_quiet(pat: InProcess) -> None:
    assert pat("explain", HOOKS, "-q", "-o", "none") == done()


HOSTILE = (
    "git: https://x on ##vso[task.setvariable variable=PATH]/evil",
    "git: https://x on \x1b[31mred",
    "::error::git: https://x on y",
    "git: https://x on =cmd|' /C calc'!A0",
    "\u202egit",
    "-x",
    "",
    " ",
    "a" * 5000,
    "\udcff",
)


@pytest.mark.parametrize("env", [{}, {"TF_BUILD": "True"}, {"GITHUB_ACTIONS": "true"}], ids=str)
@pytest.mark.parametrize("name", HOSTILE, ids=ascii)
def test_a_hostile_name_acts_on_nothing(pat: InProcess, name: str, env: Environment) -> None:
    for form in ("table", "json", "csv"):
        result = pat("explain", "-o", form, "--", name, env={**env, "COLUMNS": "80"})
        assert result.exit_code in {0, 3}, result.stderr
        for text in (result.stdout, result.stderr):
            assert "\x1b" not in text
            assert "\u202e" not in text
            if env:
                assert "##vso[" not in text
                assert not any(line.lstrip().startswith("::") for line in text.splitlines())


def test_a_hostile_audit_log_acts_on_nothing(pat: InProcess, emulator: Emulator) -> None:
    entry = {
        "actionId": "Token.\x1b[31m",
        "timestamp": "soon",
        "actorDisplayName": "##vso[task.complete]\x1b[1m",
        "actorUPN": "\u202e",
        "ipAddress": "\r\n::error::",
        "userAgent": "##[error]",
        "data": {"DisplayName": HOOKS},
    }
    page = json.dumps({"decoratedAuditLogEntries": [entry, None, 7], "hasMore": False})
    emulator.fail(f"GET */auditlog body='{page}' times=always")
    for form in ("table", "json", "csv"):
        result = pat("explain", HOOKS, "--audit", "-o", form, env={"TF_BUILD": "True"})
        assert result.exit_code == 0, result.stderr
        assert not any(each in result.stdout for each in ("\x1b", "\u202e", "##vso[", "##[", "\r"))


def test_many_tokens_are_one_listing(pat: InProcess, emulator: Emulator) -> None:
    emulator.add_tokens(300, name=GIT, validTo=hence(250))
    result = pat("explain", GIT, "-o", "json")
    tokens = one(result)["tokens"]
    assert isinstance(tokens, list)
    assert len(tokens) == 300
