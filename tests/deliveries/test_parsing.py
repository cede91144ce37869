"""What users write for a delivery."""

import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from azdo_pat.deliveries.parsing import WrittenIn, from_table, from_text
from azdo_pat.delivery_targets import CommandTarget, Delivery, FileTarget
from azdo_pat.errors import UsageError

HERE = Path("/somewhere").absolute()
OTHER = HERE.with_name("a b")
WHERE = WrittenIn(HERE, {"VAULT_ADDR": "https://vault.example.com:8200/"})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("command:./deploy.sh", CommandTarget(("./deploy.sh",), folder=str(HERE))),
        (
            'command:gh secret set "MY PAT"',
            CommandTarget(("gh", "secret", "set", "MY PAT"), folder=str(HERE)),
        ),
        ("file:secret", FileTarget(str(HERE / "secret"))),
        (f"file:{OTHER}|X={{token}}", FileTarget(str(OTHER), template="X={token}")),
        ("file:.env|A|B={token}", FileTarget(str(HERE / ".env"), template="A|B={token}")),
    ],
)
def test_texts(text: str, expected: Delivery) -> None:
    found = from_text(text, WHERE)
    assert (type(found), found) == (type(expected), expected)


@pytest.mark.skipif(sys.platform != "win32", reason="this is not Windows")
def test_a_path_of_windows() -> None:
    line = r""""C:\Program Files\My Tool\tool.exe" C:\x "a b" "c\"d" it's"""
    words = (r"C:\Program Files\My Tool\tool.exe", r"C:\x", "a b", 'c"d', "it's")
    expected = CommandTarget(words, folder=str(HERE))
    assert from_text(f"command:{line}", WHERE) == expected
    assert from_table({"command": line}, WHERE) == expected


@pytest.mark.skipif(sys.platform == "win32", reason="the single quotes of sh")
def test_single_quotes() -> None:
    expected = CommandTarget(("a", "b c"), folder=str(HERE))
    assert (
        from_text("command:a 'b c'", WHERE) == from_table({"command": "a 'b c'"}, WHERE) == expected
    )
    with pytest.raises(UsageError):
        from_text("command:'", WHERE)


def test_the_users_home(home: Path) -> None:
    assert from_text("file:~/x", WHERE) == FileTarget(str(home / "x"))
    assert from_text("command:~/x y", WHERE) == CommandTarget((str(home / "x"), "y"), str(HERE))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "command",
        "command:",
        "command: ",
        'command:"',
        "file:",
        "file: |X={token}",
        "file:x|",
        "file:x|PAT",
        "mail:me",
        "./deploy.sh",
        "command:a\0b",
        "file:a\0b",
    ],
)
def test_texts_that_are_none(text: str) -> None:
    with pytest.raises(UsageError):
        from_text(text, WHERE)


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        ({"command": 'a "b c"'}, CommandTarget(("a", "b c"), folder=str(HERE))),
        (
            {"command": ["a", "b c"], "timeout": 5},
            CommandTarget(("a", "b c"), folder=str(HERE), seconds=5),
        ),
        ({"file": "x"}, FileTarget(str(HERE / "x"))),
        (
            {"file": "x", "template": "A={token}\n"},
            FileTarget(str(HERE / "x"), "A={token}"),
        ),
    ],
)
def test_tables(table: Mapping[str, object], expected: Delivery) -> None:
    assert from_table(table, WHERE) == expected


@pytest.mark.parametrize(
    "table",
    [
        {},
        {"file": "x", "command": "y"},
        {"file": 1},
        {"file": "x", "template": 1},
        {"file": "x", "timeout": 1},
        {"command": 1},
        {"command": []},
        {"command": ["a", 1]},
        {"command": "a", "timeout": 0},
        {"command": "a", "timeout": 3601},
        {"command": "a", "timeout": True},
        {"command": "a", "timeout": "60"},
        {"command": "a", "template": "x"},
    ],
)
def test_tables_that_are_none(table: Mapping[str, object]) -> None:
    with pytest.raises(UsageError):
        from_table(table, WHERE)


@pytest.mark.parametrize("given", ["mail:me", {"mail": "me"}, {}])
def test_an_unknown_kind_is_told_which_there_are(given: str | Mapping[str, object]) -> None:
    with pytest.raises(UsageError) as caught:
        from_text(given, WHERE) if isinstance(given, str) else from_table(given, WHERE)
    assert caught.value.hint == (
        "use command:PROGRAM ARGUMENTS, file:PATH for the secret alone, file:PATH|TEMPLATE"
        " for a line such as NAME={token}, keyvault:VAULT/NAME, vault:MOUNT/PATH#FIELD,"
        " variable-group:[ORG/]PROJECT/GROUP#VARIABLE,"
        " service-connection:[ORG/]PROJECT/NAME[#PARAMETER],"
        " github:OWNER/REPO[@ENVIRONMENT]#NAME, or github:OWNER#NAME"
    )
