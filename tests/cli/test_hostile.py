"""What others wrote commands nobody: no pipeline that prints it, no spreadsheet that opens it."""

import csv
import io
import json
import re
import shlex
from pathlib import Path

import pytest
from keyring.errors import KeyringError

from azdo_pat.formats import Format
from azdo_pat.keyring_backend import PackagesBackend
from cli.stage import put
from drivers import Emulator, Environment, InProcess, Result
from fakes import MemoryKeyring

NAMES = (
    "##vso[task.setvariable variable=PATH]/evil",
    "in the middle ##vso[task.complete result=Failed;] of it",
    "::add-mask::x",
    "  ::error::behind spaces",
    "behind a\r::error::carriage return",
    "behind a\n::error::line end",
    "a name so long that it must be folded ::stop-commands::in a narrow column",
    "##[error]and its like",
    "#\xad#vso[task.setvariable variable=x]soft",
)
PIPELINES: tuple[Environment, ...] = ({"TF_BUILD": "True"}, {"GITHUB_ACTIONS": "true"})


def commands(text: str) -> list[str]:
    """What the agent or the runner would obey, found as they find it, line by line."""
    lines = re.split(r"\r\n|\r|\n", text.replace("\xad", ""))
    return [
        line
        for line in lines
        if "##vso[" in line or "##[" in line or line.lstrip().startswith("::")
    ]


def said(result: Result) -> list[str]:
    return commands(result.stdout) + commands(result.stderr)


@pytest.mark.parametrize("env", PIPELINES, ids=str)
@pytest.mark.parametrize(
    "args",
    [
        ("list",),
        ("list", "--color", "always"),
        ("list", "--query", "[].name"),
        ("list", "--query", "[].{n: name}"),
        *(("list", "-o", form.value) for form in Format),
        *(("list", "--query", "[].name", "-o", form.value) for form in Format),
        ("revoke", "--name", "*", "--dry-run"),
        ("revoke", "--name", "*"),
        ("revoke", "--name", "*", "-o", "json"),
        ("show", "nope"),
        ("show", NAMES[0]),
        ("show", NAMES[2], "-o", "json"),
        ("show", "no ##vso[x]", "-o", "json"),
        ("--org", "::x::##vso[y]", "list"),
        ("list", "--sort", "::x::##vso[y]"),
        ("list", "--debug"),
        ("::x::##vso[y]",),
    ],
    ids=" ".join,
)
def test_names_command_no_pipeline(
    args: tuple[str, ...], env: Environment, pat: InProcess, emulator: Emulator
) -> None:
    for name in NAMES:
        put(emulator, name)
    assert said(pat(*args, env={**env, "COLUMNS": "40"})) == []


def test_json_has_the_names_as_they_are(pat: InProcess, emulator: Emulator) -> None:
    for name in NAMES:
        put(emulator, name)
    for env in ({}, *PIPELINES):
        ran = pat("list", "-o", "json", env=env)
        assert sorted(each["name"] for each in ran.json) == sorted(NAMES)
        assert commands(ran.stdout) == []


def test_a_table_outside_of_a_pipeline_has_them_too(pat: InProcess, emulator: Emulator) -> None:
    put(emulator, NAMES[0])
    assert NAMES[0] in pat("list").stdout
    assert NAMES[0].replace("##", "##_") in pat("list", env={"TF_BUILD": "True"}).stdout


@pytest.mark.parametrize("args", [(), ("-o", "json"), ("--debug",)], ids=" ".join)
@pytest.mark.parametrize(
    "body",
    [
        json.dumps({"message": "x\n::error::y ##vso[task.setvariable variable=a]b"}),
        json.dumps({"patToken": None, "patTokenError": "##vso[a]\n::b::c"}),
        "<html><title>\n::error::x ##vso[y]z</title></html>",
    ],
)
def test_a_service_commands_no_pipeline(
    body: str, args: tuple[str, ...], pat: InProcess, emulator: Emulator
) -> None:
    emulator.fail(f"* */tokens/pats status=400 body={shlex.quote(body)}")
    ran = pat("create", "ci", "--scope", "vso.code", *args, env={"GITHUB_ACTIONS": "true"})
    assert ran.exit_code != 0
    assert said(ran) == []


@pytest.mark.parametrize("form", ["azure-pipelines", "github-actions", "ci"])
def test_what_is_asked_for_is_still_obeyed(form: str, pat: InProcess, home: Path) -> None:
    env = {"TF_BUILD": "True"} if form != "github-actions" else {"GITHUB_ACTIONS": "true"}
    env["GITHUB_ENV"] = f"{home}/env"
    name = NAMES[0]
    made = pat("create", name, "--scope", "vso.code", "--as", form, env=env)
    start = "::add-mask::" if form == "github-actions" else "##vso[task.set"
    assert made.exit_code == 0
    assert [line for line in made.stdout.splitlines() if not line.startswith(start)] == []
    assert "/evil" not in made.stdout
    assert commands(made.stderr) == []
    assert pat("get", name, "--as", form, env=env).stdout == made.stdout
    assert commands(pat("get", name, "--as", "json", env=env).stdout) == []


def test_a_secret_is_printed_as_it_is(
    pat: InProcess, emulator: Emulator, memory_keyring: MemoryKeyring
) -> None:
    secret = "##vso[of-a-server]::"
    url = f"{emulator.url}/{emulator.organization}"
    memory_keyring.set_password(f"azdo-pat:{url}", "x", secret)
    for args in (("get", "x"), ("get", "x", "--as", "token")):
        assert pat(*args, env=PIPELINES[0]).stdout == f"{secret}\n"


@pytest.mark.parametrize("form", ["netrc", "github-actions"])
def test_a_secret_with_a_line_end_sets_nothing_else(
    form: str, pat: InProcess, emulator: Emulator, memory_keyring: MemoryKeyring, home: Path
) -> None:
    url = f"{emulator.url}/{emulator.organization}"
    memory_keyring.set_password(f"azdo-pat:{url}", "x", "abcdefgh\nPATH=/evil")
    ran = pat("get", "x", "--as", form, env={"GITHUB_ENV": f"{home}/env"})
    assert (ran.exit_code, ran.stdout, (home / "env").exists()) == (7, "", False)
    assert "the secret of 'x' contains a line break" in ran.stderr


def test_what_cargo_and_keyring_print_for_pat_commands_nothing(
    pat: InProcess, emulator: Emulator, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = home / "##vso[task.complete result=Failed]"
    (folder / "state.db").mkdir(parents=True)
    feed = f"{emulator.url}/contoso/_packaging/feed/Cargo/index/"
    asked = {"v": 1, "kind": "get", "registry": {"index-url": f"sparse+{feed}"}}
    env = {"PAT_STATE_DIR": str(folder)}
    answered = pat("cargo-credential", stdin=json.dumps(asked) + "\n", env=env)
    told = json.loads(answered.stdout.splitlines()[1])["Err"]["message"]
    assert "##_vso[task.complete" in told
    for name, value in (emulator.environment | env).items():
        monkeypatch.setenv(name, value)
    with pytest.raises(KeyringError) as caught:
        PackagesBackend().get_credential(feed, None)  # type: ignore[no-untyped-call]  # keyring's
    assert "##_vso[task.complete" in str(caught.value)


FORMULAS = (
    "=cmd|' /C calc'!A0",
    "+1+1",
    "-1+1",
    "@SUM(1)",
    "\t=1",
    "\r=1",
    " =1",
    "\uff1d1",
    "a;=1",
)


def test_csv_calculates_nothing(pat: InProcess, emulator: Emulator) -> None:
    for name in FORMULAS:
        put(emulator, name)
    ran = pat("list", "-o", "csv")
    rows = list(csv.DictReader(io.StringIO(ran.stdout)))
    assert sorted(row["name"] for row in rows) == sorted(
        (
            "'=cmd|' /C calc'!A0",
            "'+1+1",
            "'-1+1",
            "'@SUM(1)",
            r"\t=1",
            r"\r=1",
            "' =1",
            "'\uff1d1",
            "a;'=1",
        )
    )
    assert rows[0]["expires_in_days"] == "10"


def test_csv_has_numbers_and_other_texts_as_they_are(pat: InProcess, emulator: Emulator) -> None:
    for name in ("-5", "+3.25", "a=b", "a-b; c", "ci@home"):
        put(emulator, name, hours=-30)
    ran = pat("list", "--status", "expired", "-o", "csv", "--query", "[].[name, expires_in_days]")
    assert sorted(ran.stdout.splitlines()) == [
        "+3.25,-2",
        "-5,-2",
        "a-b; c,-2",
        "a=b,-2",
        "ci@home,-2",
    ]
