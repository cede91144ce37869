"""The options that every command takes, the output formats, and errors as JSON."""

import csv
import io
import json
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click
import pytest

from azdo_pat import __version__
from azdo_pat.cli.main import pat as root
from cli.stage import (
    as_json,
    as_jsonl,
    done,
    failed,
    failed_as_json,
    held,
    hence,
    host,
    lines,
    moment,
    names,
    put,
    table,
    token_object,
)
from drivers import Emulator, InProcess, Result

NOT_THERE = "no token 'nosuch' in contoso"
SEE_ALL = "names are case-sensitive; to list all tokens, run: pat list --status all"
ERROR = failed(3, NOT_THERE, SEE_ALL)
JSON_ERROR = failed_as_json(3, "not_found", NOT_THERE, SEE_ALL)
KEYS = [
    *("name", "id", "org", "status", "scopes", "created", "expires", "expires_in_days"),
    *("global", "stored", "origin"),
]


def commands() -> Iterator[tuple[str, click.Command]]:
    """Every command with the words that call it."""
    context = click.Context(root, info_name="pat", **root.context_settings)
    for name in root.list_commands(context):
        command = root.get_command(context, name)
        assert command is not None
        yield name, command
        if isinstance(command, click.Group):
            for below in command.list_commands(context):
                sub = command.get_command(context, below)
                assert sub is not None
                yield f"{name} {below}", sub


def naming(value: object) -> str:
    return value if isinstance(value, str) else ""


# -- where they may stand ------------------------------------------------------------------------


def test_before_or_behind_the_command(pat: InProcess, emulator: Emulator) -> None:
    token = put(emulator, "theirs", organization="fabrikam")
    expected = done(as_json([token_object(token)]))
    assert pat("--org", "fabrikam", "-o", "json", "list") == expected
    assert pat("list", "--org", "fabrikam", "--output", "json") == expected
    assert pat("--org=fabrikam", "list", "-ojson") == expected


def test_what_stands_behind_the_command_wins(pat: InProcess, emulator: Emulator) -> None:
    token = put(emulator, "theirs", organization="fabrikam")
    result = pat("--org", "contoso", "-o", "csv", "list", "--org", "fabrikam", "-o", "json")
    assert result == done(as_json([token_object(token)]))


def test_behind_a_command_of_a_group(pat: InProcess) -> None:
    expected = done('"name"\n')
    for args in (
        ("-o", "json", "--query", "[?key=='sort'].value | [0]", "config", "list"),
        ("config", "-o", "json", "--query", "[?key=='sort'].value | [0]", "list"),
        ("config", "list", "-o", "json", "--query", "[?key=='sort'].value | [0]"),
    ):
        assert pat(*args) == expected


@pytest.mark.parametrize(("name", "command"), list(commands()), ids=naming)
def test_every_command_takes_them_all(name: str, command: click.Command) -> None:
    taken = {
        option
        for parameter in command.get_params(click.Context(command, **root.context_settings))
        for option in parameter.opts
    }
    promised = {
        *("--org", "-o", "--output", "--query", "-q", "--quiet", "-v", "--verbose"),
        *("--debug", "--no-input", "--color", "--version"),
    }
    assert (name, promised - taken) == (name, set())


# -- the environment and the config file -----------------------------------------------------------


@pytest.mark.parametrize(("name", "command"), list(commands()), ids=naming)
def test_no_option_of_a_command_is_set_in_the_environment(
    name: str, command: click.Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A variable that is left set must not confirm, choose or rename anything."""
    context = click.Context(command, info_name=name, **root.context_settings)
    own = [each for each in command.params if isinstance(each, click.Option)]
    for parameter in own:
        for option in parameter.opts:
            variable = option.lstrip("-").upper().replace("-", "_")
            monkeypatch.setenv(f"PAT_{variable}", "1")
            monkeypatch.setenv(f"PAT_{name.upper().replace(' ', '_')}_{variable}", "1")
    found = {each.opts[-1]: each.value_from_envvar(context) for each in own}
    assert (name, {option for option in found if found[option] is not None}) == (name, set())
    assert context.auto_envvar_prefix is None


@pytest.mark.parametrize(
    "name", ["ORG", "OUTPUT", "QUERY", "QUIET", "VERBOSE", "DEBUG", "NO_INPUT", "COLOR"]
)
def test_every_global_option_can_be_set_in_the_environment(name: str) -> None:
    assert f"PAT_{name}" in {parameter.envvar for parameter in root.params}


def test_the_environment_sets_options(pat: InProcess, emulator: Emulator) -> None:
    token = put(emulator, "one")
    env = {"PAT_OUTPUT": "json", "PAT_QUERY": "[].name"}
    assert pat("list", env=env) == done(as_json(["one"]))
    assert pat("list", "--query", "[].id", env=env) == done(as_json([token["authorizationId"]]))
    env = {"PAT_EXPIRES": "40h", "PAT_QUIET": "true"}
    assert pat("create", "two", "--for", "git", "-o", "none", env=env) == done()
    ends = moment(held(emulator, "two")["validTo"])
    assert ends - datetime.now(UTC) < timedelta(hours=40)


def test_the_environment_neither_confirms_nor_chooses(pat: InProcess, emulator: Emulator) -> None:
    put(emulator, "one", hours=-1, state="expired")
    put(emulator, "two")
    env = {"PAT_EXPIRED": "1", "PAT_YES": "1", "PAT_NAME": "*", "PAT_SCOPE": "work"}
    assert pat("revoke", env=env).exit_code == 2
    assert pat("revoke", "two", env=env).exit_code == 2
    assert pat("update", "two", env=env).exit_code == 2
    assert pat("update", "two", "--expires", "5d", "-q", env=env).exit_code == 0
    assert held(emulator, "two")["scope"] == "vso.code"
    assert names(emulator) == ["two"]


def test_a_variable_that_makes_no_sense_is_a_usage_error(pat: InProcess) -> None:
    formats = "'table', 'json', 'jsonl', 'csv', 'tsv', 'none'"
    assert pat("list", env={"PAT_OUTPUT": "yaml"}) == failed(
        2,
        f"Invalid value for PAT_OUTPUT: 'yaml' is not one of {formats}",
        "for usage, run: pat --help",
    )
    assert pat("list", env={"PAT_NO_INPUT": "maybe"}) == failed(
        2,
        "Invalid value for PAT_NO_INPUT: 'maybe' is not a valid boolean. Recognized values: ,"
        " 0, 1, f, false, n, no, off, on, t, true, y, yes",
        "for usage, run: pat --help",
    )
    assert pat("-o", "yaml", "list", env={"PAT_NO_INPUT": "1"}) == failed(
        2,
        f"Invalid value for '-o' / '--output': 'yaml' is not one of {formats}",
        "for usage, run: pat --help",
    )


def test_options_win_over_the_environment_and_that_over_the_file(pat: InProcess) -> None:
    pat("config", "set", "output", "csv", "-q")
    query = ("--query", "[?key=='output'].[value, source]")
    assert pat("config", "list", *query) == done("csv,config file\n")
    env = {"PAT_OUTPUT": "tsv"}
    assert pat("config", "list", *query, env=env) == done("tsv\tPAT_OUTPUT\n")
    expected = '["jsonl","--output"]\n'
    assert pat("config", "list", *query, "-o", "jsonl", env=env) == done(expected)


# -- how much is said ------------------------------------------------------------------------------


def test_quiet_keeps_notices_back(pat: InProcess) -> None:
    make = ("create", "laptop", "--scope", "code", "-o", "none")
    assert pat(*make, "-q") == done()
    assert pat("forget", "laptop", "--quiet") == done()
    assert pat("-q", "show", "nosuch") == ERROR  # an error is no notice


def test_verbose_says_where_things_come_from(pat: InProcess, emulator: Emulator) -> None:
    put(emulator, "one")
    result = pat("list", "-v", "-o", "none")
    said = result.stderr.splitlines()
    assert said[:2] == ["organization contoso (PAT_ORG)", "access token from PAT_ACCESS_TOKEN"]
    asked = emulator.requests
    assert len(said) == 2 + len(asked)
    for line, entry in zip(said[2:], asked, strict=True):
        assert line.startswith(f"GET {emulator.url}{entry['path']}?")
        assert re.search(r": 200 in \d\.\d{3} s, activity " + entry["activityId"], line)


def test_verbose_says_what_is_left_of_the_rate_limit(pat: InProcess, emulator: Emulator) -> None:
    emulator.fail(
        "GET */pats ratelimit-resource=VSSPS/Tokens ratelimit-limit=200 ratelimit-remaining=17"
        " ratelimit-reset=1798761599 ratelimit-delay=0.4"
    )
    result = pat("list", "-v", "-o", "none")
    assert (
        "rate limit of VSSPS/Tokens: 17 of 200 left, reset at 23:59:59 UTC, delayed by 0.4 s"
        in result.stderr.splitlines()
    )


def test_debug_says_each_request_and_no_secret(pat: InProcess, emulator: Emulator) -> None:
    result = pat("create", "one", "--scope", "code", "--debug", "--as", "token")
    secret = result.stdout.strip()
    (posted,) = [each for each in emulator.requests if each["method"] == "POST"]
    assert f"activity {posted['activityId']}" in result.stderr
    said = result.stderr.splitlines()
    assert "> Authorization: ***" in said
    assert "> X-TFS-FedAuthRedirect: Suppress" in said
    assert any(line.startswith('> {"displayName": "one", "scope": "vso.code"') for line in said)
    assert any(line.startswith("< ") and '"token": "***"' in line for line in said)
    assert f"POST {emulator.url}/contoso/_apis/tokens/pats" in result.stderr
    assert secret not in result.stderr
    assert emulator.access_token not in result.stderr


@pytest.mark.parametrize("env", [{}, {"PAT_DEBUG": "0"}, {"PAT_DEBUG": "false"}], ids=str)
def test_no_traceback_without_debug(env: dict[str, str], pat: InProcess) -> None:
    assert pat("show", "nosuch", env=env) == ERROR


@pytest.mark.posix("control characters in names of files")
def test_a_traceback_is_harmless_to_a_terminal(pat: InProcess, home: Path) -> None:
    folder = home / "evil\x1b[31m\x9b2J"
    folder.mkdir()
    (folder / "config.toml").write_text("[", "utf-8")
    result = pat("list", "--debug", env={"PAT_CONFIG_DIR": str(folder)})
    assert "Traceback (most recent call last):\n" in result.stderr
    shown = str(folder).replace("\x1b", r"\x1b").replace("\x9b", r"\x9b")
    assert f"azdo_pat.errors.UsageError: {shown}/config.toml is not valid" in result.stderr
    assert {char for char in result.stderr if not char.isprintable()} == {"\n"}


@pytest.mark.parametrize("how", ["option", "variable"])
def test_debug_shows_the_traceback(how: str, pat: InProcess) -> None:
    args = ("--debug",) if how == "option" else ()
    env = {} if args else {"PAT_DEBUG": "1"}
    result = pat("show", "nosuch", *args, env=env)
    assert (result.exit_code, result.stdout) == (3, "")
    assert "Traceback (most recent call last):" in result.stderr
    assert result.stderr.endswith(ERROR.stderr)


# -- colour ----------------------------------------------------------------------------------------


def test_no_colour_off_a_terminal(pat: InProcess, emulator: Emulator) -> None:
    put(emulator, "one", hours=40)
    for args in ((), ("--color", "auto"), ("--color", "never")):
        result = pat("list", *args)
        assert (result.exit_code, "\x1b" in result.stdout + result.stderr) == (0, False)


def test_colour_always(pat: InProcess, emulator: Emulator) -> None:
    put(emulator, "one", hours=40)
    assert "\x1b[" in pat("list", "--color", "always", env={"NO_COLOR": "1"}).stdout
    assert pat("show", "nosuch", "--color", "always") == Result(
        exit_code=3,
        stdout="",
        stderr=lines(f"\x1b[38;5;160mpat:\x1b[39m {NOT_THERE}", f"     {SEE_ALL}"),
    )
    assert "\x1b" not in pat("list", "--color", "always", "-o", "json").stdout


def test_colour_in_the_config_file_counts_for_errors_too(pat: InProcess) -> None:
    pat("config", "set", "color", "always", "-q")
    assert pat("show", "nosuch").stderr.startswith("\x1b[38;5;160mpat:\x1b[39m ")
    assert pat("show", "nosuch", "--color", "never") == ERROR


# -- version and help ------------------------------------------------------------------------------


def test_version(pat: InProcess) -> None:
    expected = done(f"pat {__version__}\n")
    assert pat("--version") == expected
    assert pat("list", "--version") == expected


def test_help_on_stdout(pat: InProcess) -> None:
    for args in (("-h",), ("--help",), ("list", "-h"), ("config", "set", "--help")):
        result = pat(*args)
        assert (result.exit_code, result.stderr) == (0, "")
        assert "Usage: pat " in result.stdout


# -- formats ---------------------------------------------------------------------------------------


def test_the_formats_of_a_list(pat: InProcess, emulator: Emulator) -> None:
    one = put(emulator, 'a, "one"', scope="vso.code vso.packaging")
    emulator.add_tokens(1, name="two", allOrgs=True, validTo=hence(250))
    two = emulator.tokens[-1]
    documents = [token_object(one), token_object(two)]
    assert [list(each) for each in documents] == [KEYS, KEYS]
    assert pat("list", "-o", "json") == done(as_json(documents))
    assert pat("list", "-o", "jsonl") == done(as_jsonl(*documents))
    assert pat("list", "-o", "none") == done()
    rows = [
        [
            *(each["name"], each["id"], each["org"] or "", each["status"]),
            " ".join(each["scopes"]),  # type: ignore[arg-type]  # a list of texts
            *(each["created"], each["expires"], str(each["expires_in_days"])),
            *(json.dumps(each["global"]), "false", "unknown"),
        ]
        for each in documents
    ]
    result = pat("list", "-o", "csv")
    assert (result.exit_code, result.stderr) == (0, "")
    assert list(csv.reader(io.StringIO(result.stdout))) == [KEYS, *rows]
    assert pat("list", "-o", "tsv") == done(lines(*("\t".join(map(str, row)) for row in rows)))


def test_the_formats_of_one_token(pat: InProcess, emulator: Emulator) -> None:
    token = put(emulator, "one")
    document = token_object(token)
    assert pat("show", "one", "-o", "json") == done(as_json(document))
    assert pat("show", "one", "-o", "jsonl") == done(as_jsonl(document))
    assert pat("show", "one", "-o", "none") == done()
    assert pat("show", "one", "-o", "csv").stdout.splitlines()[0] == ",".join(KEYS)
    assert pat("show", "one", "-o", "tsv").stdout.split("\t")[:3] == [
        *("one", token["authorizationId"], "contoso")
    ]


def test_query(pat: InProcess, emulator: Emulator) -> None:
    one = put(emulator, "one")
    put(emulator, "two", scope="vso.code vso.packaging")
    identifier = one["authorizationId"]
    assert pat("list", "--query", "[].name", "-o", "json") == done(as_json(["one", "two"]))
    assert pat("list", "--query", "[0].id") == done(f"{identifier}\n")
    assert pat("list", "--query", "[0].id", "-o", "tsv") == done(f"{identifier}\n")
    assert pat("list", "--query", "length(@)", "-o", "json") == done("2\n")
    assert pat("list", "--query", "[].{Name: name, Global: global}") == done(
        table(("NAME", "GLOBAL"), ("one", "false"), ("two", "false"))
    )
    assert pat("show", "two", "--query", "scopes", "-o", "tsv").stdout.split() == [
        *("vso.code", "vso.packaging")
    ]


def test_a_query_that_cannot_be_read(pat: InProcess, emulator: Emulator) -> None:
    assert pat("list", "--query", "[?", "-o", "json") == failed_as_json(
        2,
        "usage",
        "--query is not valid JMESPath at its end (character 3)",
        "use a JMESPath expression, for example '[].name'; see https://jmespath.org",
    )
    assert emulator.requests == []


# -- errors as JSON --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "args",
    [
        ("show", "nosuch", "-o", "json"),
        ("-o", "json", "show", "nosuch"),
        ("show", "nosuch", "-ojson"),
        ("show", "nosuch", "--output=json"),
        ("show", "nosuch", "--output", "json"),
        ("show", "nosuch", "-qo", "json"),
        ("show", "nosuch", "-qojson"),
        ("show", "nosuch", "-o", "table", "-o", "json"),
        ("show", "nosuch", "-o", "jsonl"),
    ],
    ids=" ".join,
)
def test_an_error_is_one_json_object_on_stderr(args: tuple[str, ...], pat: InProcess) -> None:
    assert pat(*args) == JSON_ERROR


@pytest.mark.parametrize(
    "args",
    [
        ("show", "nosuch"),
        ("show", "nosuch", "-o", "csv"),
        ("show", "nosuch", "-o", "json", "-o", "table"),
        ("show", "-o", "none", "--", "nosuch"),
    ],
    ids=" ".join,
)
def test_an_error_is_prose_otherwise(args: tuple[str, ...], pat: InProcess) -> None:
    assert pat(*args) == ERROR


def test_json_may_be_wished_for_elsewhere(pat: InProcess) -> None:
    assert pat("show", "nosuch", env={"PAT_OUTPUT": "json"}) == JSON_ERROR
    pat("config", "set", "output", "json", "-q")
    assert pat("show", "nosuch") == JSON_ERROR
    assert pat("show", "nosuch", "-o", "table") == ERROR


@pytest.mark.parametrize(
    ("args", "message", "hint"),
    [
        (("xyzzy",), "No such command 'xyzzy'", "for usage, run: pat --help"),
        (("lits",), "No such command 'lits'. Did you mean list?", "for usage, run: pat --help"),
        ((), "Missing command", "for usage, run: pat --help"),
        (("config", "frob"), "No such command 'frob'", "for usage, run: pat config --help"),
        (("show",), "Missing argument 'TOKEN'", "for usage, run: pat show --help"),
        (
            ("show", "a", "b"),
            "Got unexpected extra argument (b)",
            "for usage, run: pat show --help",
        ),
        (
            ("list", "--status", "bad"),
            (
                "Invalid value for '--status': 'bad' is not one of"
                " 'active', 'expired', 'revoked', 'all'"
            ),
            "for usage, run: pat list --help",
        ),
    ],
)
def test_usage_errors_as_json(  # one case each
    args: tuple[str, ...], message: str, hint: str, pat: InProcess
) -> None:
    assert pat("-o", "json", *args) == failed_as_json(2, "usage", message, hint)
    assert pat(*args, env={"PAT_OUTPUT": "json"}).exit_code == (2 if args else 0)


@pytest.mark.usefixtures("emulator")
def test_every_kind_of_error_as_json(pat: InProcess, home: Path) -> None:
    pat("create", "here", "--scope", "code", "-q", "-o", "none")
    foreign = home / "foreign" / "state.db"
    foreign.parent.mkdir()
    with closing(sqlite3.connect(foreign)) as other:
        other.execute("CREATE TABLE of_another_program (x)")
    cases: dict[str, tuple[int, tuple[str, ...], dict[str, str | None]]] = {
        "usage": (2, ("create", "x"), {}),
        "not_found": (3, ("show", "nosuch"), {}),
        "not_signed_in": (4, ("list",), {"PAT_ACCESS_TOKEN": "a" * 52}),
        "refused": (5, ("create", "x", "--scope", "code", "--all-orgs"), {}),
        "conflict": (6, ("create", "here", "--scope", "code"), {}),
        "no_store": (7, ("list",), {"PAT_STATE_DIR": str(foreign.parent)}),
        "unavailable": (11, ("list",), {"PAT_API_URL": "http://127.0.0.1:1"}),
    }
    for error, (exit_code, args, env) in cases.items():
        result = pat(*args, "-o", "json", env=env)
        document = json.loads(result.stderr)
        assert (result.exit_code, result.stdout, result.stderr.count("\n")) == (exit_code, "", 1)
        assert list(document)[:4] == ["error", "message", "hint", "exit_code"]
        assert (document["error"], document["exit_code"]) == (error, exit_code)
        assert (document["message"] != "", document["hint"] != "") == (True, True)


def test_the_servers_own_words_and_its_id_are_in_the_object(
    pat: InProcess, emulator: Emulator
) -> None:
    emulator.fail("GET * status=403 times=always")
    result = pat("list", "-o", "json")
    identifier = emulator.requests[-1]["activityId"]
    assert result == failed_as_json(
        5,
        "refused",
        f"{host(emulator)} does not allow the operation",
        "ask an administrator of contoso for the permission",
        server_message=f"TF400898: An Internal Error Occurred. Activity Id: {identifier}.",
        activity_id=identifier,
    )
