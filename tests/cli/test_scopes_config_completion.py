"""pat scopes, pat config, pat completion."""

import shutil
import subprocess
import sys
from pathlib import Path

import click
import pytest

from azdo_pat.cli.main import pat as root
from azdo_pat.formats import Format
from azdo_pat.scopes import RECIPES, SCOPES
from cli.stage import as_json, done, failed, table
from drivers import Emulator, InProcess

PLAIN = {
    "org": None,
    "output": "table",
    "color": "auto",
    "quiet": False,
    "verbose": False,
    "no-input": False,
    "expires": "30d",
    "sort": "name",
    "keyring": None,
    "git-token": None,
    "packages-token": None,
    "git-renew": True,
    "ca-bundle": None,
    "client-id": None,
    "tenant": None,
    "timeout": 30,
}
ALONE = {"PAT_ORG": None, "PAT_ACCESS_TOKEN": None, "PAT_API_URL": None}


@pytest.fixture
def file(home: Path) -> Path:
    """Where the config file is to lie."""
    return home / "pat" / "config" / "config.toml"


def scope_document(value: str) -> dict[str, object]:
    (scope,) = [each for each in SCOPES if each.value == value]
    return {
        "value": scope.value,
        "name": scope.name,
        "category": scope.category,
        "high_privilege": scope.high_privilege,
        "inherits": scope.inherits,
    }


def test_scopes_as_json(pat: InProcess, emulator: Emulator) -> None:
    documents = [scope_document(each.value) for each in SCOPES]
    assert pat("scopes", "-o", "json", env=ALONE) == done(as_json(documents))
    assert emulator.requests == []


def test_a_word_narrows_scopes(pat: InProcess) -> None:
    values = [f"vso.packaging{kind}" for kind in ("", "_write", "_manage")]
    documents = [scope_document(value) for value in values]
    assert pat("scopes", "packaging", "-o", "json") == done(as_json(documents))


def test_a_recipe_narrows_scopes(pat: InProcess) -> None:
    assert pat("scopes", "--for", "git") == done(
        table(
            ("SCOPE", "NAME", "POWER"),
            ("code_write", scope_document("vso.code_write")["name"], "high"),  # type: ignore[arg-type]  # a text
        )
    )


def test_recipes(pat: InProcess) -> None:
    documents = [
        {"name": each.name, "summary": each.summary, "scopes": list(each.scopes)}
        for each in RECIPES
    ]
    assert pat("scopes", "--recipes", "-o", "json") == done(as_json(documents))
    promised = {
        *("git", "git-read", "packages", "packages-publish", "agent"),
        *("work-items", "build", "release", "marketplace"),
    }
    assert promised - {each.name for each in RECIPES} == set()


@pytest.mark.parametrize(
    ("args", "exit_code", "message", "hint"),
    [
        (("zzz",), 3, "no scope matches 'zzz'", "to list all scopes, run: pat scopes"),
        (
            ("--for", "gti"),
            2,
            "unknown recipe 'gti'",
            "did you mean git?",
        ),
    ],
)
def test_no_such_scope_or_recipe(  # one case each
    args: tuple[str, ...], exit_code: int, message: str, hint: str, pat: InProcess
) -> None:
    assert pat("scopes", *args) == failed(exit_code, message, hint)


def listed(**changes: tuple[object, str]) -> str:
    """What `pat config list -o json` says, with these values and sources in place of defaults."""
    settings: dict[str, tuple[object, str]] = {
        key: (value, "default") for key, value in PLAIN.items()
    }
    settings |= {"output": ("json", "--output")}
    settings |= {key.replace("_", "-"): found for key, found in changes.items()}
    return as_json(
        [
            {"key": key, "value": value, "source": source}
            for key, (value, source) in settings.items()
        ]
    )


def test_config_lists_what_holds_and_where_it_comes_from(pat: InProcess, file: Path) -> None:
    assert pat("config", "list", "-o", "json", env=ALONE) == done(listed())
    pat("config", "set", "timeout", "5", "-q")
    pat("config", "set", "quiet", "true", "-q")
    env = {**ALONE, "PAT_SORT": "created", "PAT_NO_INPUT": "1"}
    expected = listed(
        org=("fabrikam", "--org"),
        timeout=(5, "config file"),
        quiet=(True, "config file"),
        sort=("created", "PAT_SORT"),
        no_input=(True, "PAT_NO_INPUT"),
    )
    assert pat("config", "list", "-o", "json", "--org", "fabrikam", env=env) == done(expected)
    assert file.read_text("utf-8") == "timeout = 5\nquiet = true\n"


def test_config_as_a_table(pat: InProcess) -> None:
    rows = [(key, "-" if value is None else str(value).lower()) for key, value in PLAIN.items()]
    expected = table(("KEY", "VALUE", "FROM"), *((key, value, "default") for key, value in rows))
    assert pat("config", "list", env=ALONE) == done(expected)


def test_config_set_get_unset(pat: InProcess, file: Path) -> None:
    assert pat("config", "set", "org", "fabrikam") == done(
        "", f"set org in {file}", "PAT_ORG overrides it"
    )
    assert pat("config", "get", "org", env=ALONE) == done("fabrikam\n")
    assert pat("config", "get", "org") == done("contoso\n")  # PAT_ORG wins over the file
    assert pat("config", "get", "quiet") == done("false\n")
    assert pat("config", "unset", "org") == done("", f"removed org from {file}")
    assert pat("config", "get", "org", env=ALONE) == failed(
        3, "org is not set", "to set it, run: pat config set org VALUE"
    )
    assert pat("config", "unset", "org") == failed(
        3, f"org is not set in {file}", "to see what is set, run: pat config list"
    )


def test_config_keeps_the_rest_of_the_file(pat: InProcess, file: Path) -> None:
    file.parent.mkdir(parents=True)
    file.write_bytes(b"# mine\r\nsort = 'created'  # oldest first\r\n\r\norg = \"contoso\"\r\n")
    assert pat("config", "set", "org", "fabrikam", "-q") == done()
    assert file.read_bytes() == (
        b"# mine\r\nsort = 'created'  # oldest first\r\n\r\norg = \"fabrikam\"\r\n"
    )


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("org", ""),
        ("org", "no such name"),
        ("org", "https://dev.azure.com"),
        ("output", "yaml"),
        ("expires", "13mo"),
        ("timeout", "0"),
        ("quiet", "perhaps"),
        ("bogus", "1"),
    ],
)
def test_config_refuses_what_no_command_would_take(
    key: str, value: str, pat: InProcess, file: Path
) -> None:
    result = pat("config", "set", key, value)
    assert (result.exit_code, result.stdout, file.exists()) == (2, "", False)
    message, hint = result.stderr.splitlines()
    assert (message.startswith("pat: "), hint.startswith("     ")) == (True, True)


def test_config_proposes_the_nearest_key(pat: InProcess) -> None:
    expected = failed(2, "unknown setting 'outptu'", "did you mean output?")
    assert pat("config", "set", "outptu", "json") == expected
    assert pat("config", "get", "outptu") == expected


def test_an_unknown_key_of_the_file_can_be_removed(pat: InProcess, file: Path) -> None:
    file.parent.mkdir(parents=True)
    file.write_text("frob = 1\n", "utf-8")
    result = pat("list")
    assert (
        result.exit_code,
        "to remove the setting, run: pat config unset frob" in result.stderr,
    ) == (2, True)
    assert pat("config", "unset", "frob") == done("", f"removed frob from {file}")
    assert file.read_text("utf-8") == ""


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish", "powershell"])
def test_completion_prints_a_script(shell: str, pat: InProcess, emulator: Emulator) -> None:
    if shell == "bash" and sys.platform == "win32" and not shutil.which(shell):
        pytest.skip("click asks bash for its version")
    result = pat("completion", shell, env=ALONE)
    assert (result.exit_code, result.stderr, emulator.requests) == (0, "", [])
    assert "_PAT_COMPLETE" in result.stdout
    program = shutil.which(shell)
    if program and shell != "powershell":
        subprocess.run([program, "-n"], input=result.stdout, encoding="utf-8", check=True)


def test_completion_for_an_unknown_shell(pat: InProcess) -> None:
    assert pat("completion", "tcsh") == failed(
        2,
        "Invalid value for 'SHELL': 'tcsh' is not one of 'bash', 'zsh', 'fish', 'powershell'",
        "for usage, run: pat completion --help",
    )


def completed(pat: InProcess, *words: str) -> list[str]:
    """What bash is proposed for the last of the words."""
    line = " ".join(("pat", *words))
    env = {
        "_PAT_COMPLETE": "bash_complete",
        "COMP_WORDS": line,
        "COMP_CWORD": str(len(words)),
    }
    result = pat(env=env)
    assert result.stderr == ""
    return [proposal.partition(",")[2] for proposal in result.stdout.splitlines()]


def test_completion_proposes(pat: InProcess, emulator: Emulator) -> None:
    pat("create", "laptop", "--scope", "code", "-q", "-o", "none")
    asked = len(emulator.requests)
    assert completed(pat, "rev") == ["revoke"]
    assert completed(pat, "create", "--for", "git") == ["git", "git-read", "git-status"]
    assert completed(pat, "create", "--scope", "code_wr") == ["code_write"]
    assert completed(pat, "list", "-o", "") == list(Format)
    for line in ("get", "ensure", "explain", "admin list --with"):
        assert completed(pat, *line.split(), "lap") == ["laptop"], line
    for line in ("list --org", "--org", "admin list --org"):
        assert completed(pat, *line.split(), "Con") == ["contoso"], line
    assert completed(pat, "help", "admin", "wh") == ["whose"]
    assert completed(pat, "help", "create", "x") == completed(pat, "help", "nosuch", "x") == [""]
    assert len(emulator.requests) == asked


@pytest.mark.parametrize(
    ("words", "proposal"),
    [
        ("pat setu", "setup\tConfigure git, npm, pip, NuGet, Maven... to use a token."),
        ("pat get lap", "laptop\tcontoso"),
        ("pat create --for git-r", "git-read\tclone and fetch only"),
        ("pat config set expir", "expires\tlifetime of a new token"),
        ("pat list --stor", "--stored\tList stored tokens, including imported ones. The network"),
        ("pat admin rul", "rule\tEnd all access tokens that were issued before a time."),
    ],
)
@pytest.mark.parametrize("shell", ["fish", "powershell"])
def test_a_proposal_says_what_it_is(shell: str, words: str, proposal: str, pat: InProcess) -> None:
    pat("create", "laptop", "--scope", "code", "-q", "-o", "none")
    begun = words.rpartition(" ")[2]
    variables = {"COMP_WORDS": words, "COMP_WORD": begun, "COMP_CWORD": begun}
    said = pat(env={"_PAT_COMPLETE": f"{shell}_complete", **variables}).stdout
    assert said.removeprefix("plain,").startswith(proposal)
    assert said.count("\n") == 1


def test_what_cannot_be_typed_is_not_proposed(pat: InProcess) -> None:
    for name in ("lap\u202etop", "lap\u200btop"):
        pat("create", name, "--scope", "code", "-q", "-o", "none")
    pat("create", "laptop", "--scope", "code", "-q", "-o", "none")
    assert completed(pat, "get", "lap") == ["laptop"]


def test_every_command_is_proposed(pat: InProcess) -> None:
    names = root.list_commands(click.Context(root))
    assert sorted(completed(pat, "")) == sorted(names)


def test_a_setting_is_printed_harmless_to_a_terminal(pat: InProcess, home: Path) -> None:
    file = home / "pat" / "config" / "config.toml"
    file.parent.mkdir(parents=True)
    file.write_text('keyring = "evil\\u001b[31m\\u009b2J.Keyring"\n', "utf-8")
    env = {"PAT_KEYRING": None}
    assert pat("config", "get", "keyring", env=env) == done("evil\\x1b[31m\\x9b2J.Keyring\n")
