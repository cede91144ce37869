"""A file that declares tokens, and its mistakes by their lines."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from azdo_pat.config.declarations import read_declarations
from azdo_pat.delivery_targets import CommandTarget, FileTarget
from azdo_pat.errors import UsageError
from azdo_pat.renewal import Declaration

NOW = datetime(2026, 6, 15, 12, 0, tzinfo=UTC)

WHOLE = """\
# Tokens of the build.
[defaults]
org = "contoso"
expires = "60d"
renew_before = "14d"

[[token]]
name = "ci"
for = "packages"

[[token]]
name = "deploy"
org = "https://dev.azure.com/Fabrikam"
scopes = [
    "code_write",  # pushes tags
    "vso.build_execute",
]
for = ["packages"]
expires = 2026-12-31
renew_before = "2d"
grace = "2h"
deliver = [
    "file:.env|PAT={token}",
    { command = ["./deploy", "it"], timeout = 5 },
]

[[token]]
name = "odd"
scopes = "vso.governance"
allow_unknown_scopes = true
expires = 2026-07-01T12:00:00Z
deliver = { file = "secret" }
"""


def read(text: str, folder: Path) -> tuple[Declaration, ...]:
    file = folder / "tokens.toml"
    file.write_text(text, "utf-8")
    return read_declarations(file, expires="30d", now=NOW, environment={})


def test_everything(tmp_path: Path) -> None:
    ci, deploy, odd = read(WHOLE, tmp_path)
    assert ci == Declaration(
        name="ci",
        org="contoso",
        scopes=("vso.packaging",),
        expires=NOW + timedelta(days=60),
        renew_before=timedelta(days=14),
        deliveries=(),
        line=7,
    )
    assert (deploy.org, deploy.line) == ("https://dev.azure.com/Fabrikam", 11)
    assert set(deploy.scopes) == {"vso.code_write", "vso.build_execute", "vso.packaging"}
    assert (deploy.expires.date().isoformat(), deploy.renew_before) == (
        "2026-12-31",
        timedelta(days=2),
    )
    assert (ci.grace, deploy.grace) == (None, timedelta(hours=2))
    assert deploy.deliveries == (
        FileTarget(str(tmp_path / ".env"), "PAT={token}"),
        CommandTarget(("./deploy", "it"), folder=str(tmp_path), seconds=5),
    )
    assert (odd.scopes, odd.expires) == (("vso.governance",), datetime(2026, 7, 1, 12, tzinfo=UTC))
    assert odd.deliveries == (FileTarget(str(tmp_path / "secret")),)


def test_the_least(tmp_path: Path) -> None:
    (token,) = read('token = [{ name = "x", scopes = ["code"] }]', tmp_path)
    assert token == Declaration("x", "", ("vso.code",), NOW + timedelta(days=30), None, (), 1)
    assert read("", tmp_path) == ()


ONE = '[[token]]\nname = "x"\nscopes = ["code"]\n'


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        (f"{ONE}scope = 1\n", 4, "unknown key 'scope' in a token"),
        (f'{ONE}\n[[token]]\n\nscopes = "code"\n', 5, "the token has no name"),
        ('[[token]]\nname = "x"\n', 1, "the token has no scopes"),
        ('[[token]]\nname = "x"\nscopes = []\n', 3, "the token has no scopes"),
        ('[[token]]\nname = "x"\nscopes = [\n  "code",\n  "cod",\n]\n', 3, "'cod'"),
        ('[[token]]\nname = "x"\nfor = "nothing"\n', 3, "'nothing'"),
        ('[[token]]\nname = 5\nscopes = "code"\n', 2, "name = 5 is not a string"),
        ('[[token]]\nname = " x"\nscopes = "code"\n', 2, "begins or ends with a space"),
        (f"{ONE}expires = 5\n", 4, "expires = 5 is not a string"),
        (f'{ONE}expires = "soon"\n', 4, "'soon' is not a valid span or date"),
        (f"{ONE}# older\nexpires = 2020-01-01\n", 5, "is not in the future"),
        (f'{ONE}expires = "2d"\nrenew_before = "2d"\n', 5, "would be due as soon as it is created"),
        (f'{ONE}renew_before = "-1d"\n', 4, "'-1d' is not a valid"),
        (f'{ONE}deliver = "elsewhere"\n', 4, "'elsewhere' is not a valid delivery target"),
        (f"{ONE}deliver = [\n  5,\n]\n", 4, "deliver must be a string"),
        (f"{ONE}deliver = {{ file = 5 }}\n", 4, "file and template must be strings"),
        (f"{ONE}allow_unknown_scopes = 1\n", 4, "not true or false"),
        (f"{ONE}\n\n{ONE}", 6, "'x' is already declared on line 1"),
        (f"tokens = 1\n{ONE}", 1, "unknown key 'tokens' in the file"),
        (f"[defaults]\nscopes = 1\n{ONE}", 2, "unknown key 'scopes' in defaults"),
        (f'[defaults]\nexpires = "soon"\n{ONE}', 2, "'soon' is not a valid"),
        ("defaults = 5\n", 1, "write defaults as a table"),
        ('[token]\nname = "x"\n', 1, "write each token as a table of its own"),
        ("token = 5\n", 1, "write each token as a table of its own"),
    ],
)
def test_mistakes_are_named_by_line(text: str, line: int, message: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        read(text, tmp_path)
    told = f"{caught.value.message}\n{caught.value.hint}"
    assert f"{tmp_path / 'tokens.toml'}, line {line}: " in told
    assert message in told


def test_all_mistakes_at_once(tmp_path: Path) -> None:
    text = '[[token]]\nname = "x"\nscope = "code"\n\n[[token]]\nname = "y"\nscopes = "cod"\n'
    with pytest.raises(UsageError) as caught:
        read(text, tmp_path)
    assert caught.value.message == f"{tmp_path / 'tokens.toml'} has 3 mistakes"
    lines = [line.partition(": ")[0].rpartition(" ")[2] for line in caught.value.hint.splitlines()]
    assert lines == ["1", "3", "7"]
    assert "did you mean scopes?" in caught.value.hint


@pytest.mark.parametrize("text", ['[[token]]\nname = "x\n', "[[token]\n", "a = \x00\n"])
def test_no_toml(text: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"is not valid TOML: .*line "):
        read(text, tmp_path)


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="does not exist"):
        read_declarations(tmp_path / "gone.toml", expires="30d", now=NOW, environment={})


def test_a_line_that_looks_like_another(tmp_path: Path) -> None:
    """Text within a text is no header and no key."""
    text = '[[token]]\nname = "x"\nfor = """\n[[token]]\nexpires = 5"""\nexpires = 7\n'
    with pytest.raises(UsageError) as caught:
        read(text, tmp_path)
    assert "line 3: " in caught.value.hint
    assert "line 6: " in caught.value.hint
