import io
import json
import subprocess
import sys
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from azdo_pat.formats import Format
from azdo_pat.models import Pat, Setting
from azdo_pat.output.render import Renderer, TableStyle
from azdo_pat.output.serialize import PAT_KEYS
from azdo_pat.results.tokens import Outcome, Revocation
from azdo_pat.scopes import Recipe, Scope
from output.samples import ALL, EVIL, EXPIRED, GLOBAL, LAPTOP, NOW, PUBLISHING, STATUS, ZONE, shown

OTHER = replace(LAPTOP, org="fabrikam", id="ffffffff-7b1e-4f0c-9d2e-0a1b2c3d4e5f")


SETTINGS = (
    Setting("org", "contoso", "PAT_ORG"),
    Setting("quiet", value=True, source="config file"),
    Setting("output", None, "default"),
)
EXPECTED = Path(__file__).with_name("expected")


def table(pats: tuple[Pat, ...], width: int | None) -> str:
    return shown(lambda renderer: renderer.pats(pats), width=width)


def expected(name: str) -> str:
    return (EXPECTED / f"{name}.txt").read_text(encoding="utf-8")


def test_tokens_at_80_columns() -> None:
    assert table(ALL, 80) == expected("tokens-80")


def test_tokens_at_120_columns() -> None:
    assert table(ALL, 120) == expected("tokens-120")


def test_tokens_off_a_terminal_are_one_line_each() -> None:
    text = table(ALL, None)
    assert text == expected("tokens-off-terminal")
    assert text.count("\n") == 1 + len(ALL)


def test_tokens_of_two_organizations_at_80_columns() -> None:
    assert table((LAPTOP, PUBLISHING, GLOBAL, OTHER), 80) == expected("two-organizations-80")


def test_no_tokens_is_no_table() -> None:
    assert table((), 80) == ""


@pytest.mark.parametrize(
    ("name", "pat"), [("laptop", LAPTOP), ("global", GLOBAL), ("evil", EVIL), ("unknown", ALL[-1])]
)
def test_one_token(name: str, pat: Pat) -> None:
    assert shown(lambda renderer: renderer.show(pat)) == expected(f"token-{name}")


def test_status() -> None:
    assert shown(lambda renderer: renderer.show(STATUS)) == expected("status")


def test_status_of_a_newcomer() -> None:
    newcomer = STATUS._replace(
        organization=None,
        signed_in=False,
        tenant="",
        token_source="",
        identity=None,
        organizations=(),
        keyring_usable=False,
    )
    assert shown(lambda renderer: renderer.show(newcomer)) == expected("status-newcomer")


def test_the_clock_knows_before_the_service_does() -> None:
    late = replace(LAPTOP, expires=NOW - timedelta(hours=1))
    assert table((late,), None).splitlines()[1] == (
        "laptop  3d1f0c2a  code_write  1 hour ago (2026-11-23)  expired, secret here"
    )


def test_global_tokens_have_stopped_once_they_have() -> None:
    out = io.StringIO()
    screen = TableStyle(color=False, width=None, zone=ZONE)
    later = NOW + timedelta(days=8)
    Renderer(out=out, format=Format.TABLE, now=later, screen=screen).pats([GLOBAL])
    assert "global, stopped 2026-12-01" in out.getvalue().splitlines()[1]


REVOCATIONS = (
    Revocation(pat=LAPTOP, outcome=Outcome.REVOKED, left_in_keyring="the keyring is locked"),
    Revocation(pat=PUBLISHING, outcome=Outcome.FAILED, error="the service refused"),
    Revocation(pat=EXPIRED, outcome=Outcome.ALREADY_REVOKED),
    Revocation(pat=GLOBAL, outcome=Outcome.NOT_REACHED),
)


def test_revocations_at_80_columns() -> None:
    assert shown(lambda renderer: renderer.show_all(REVOCATIONS)) == (
        "NAME                       ID        OUTCOME\n"
        "laptop                     3d1f0c2a  revoked          the keyring is locked\n"
        "ci publishing of packages  3d1f0c2b  failed           the service refused\n"
        "gone                       cccc0c2b  already revoked\n"
        "old everything             bbbb0c2b  not reached\n"
    )


def test_revocations_as_json() -> None:
    text = shown(lambda renderer: renderer.show_all(REVOCATIONS), form=Format.JSON)
    assert [list(each.values())[-3:] for each in json.loads(text)] == [
        ["revoked", None, "the keyring is locked"],
        ["failed", "the service refused", None],
        ["already revoked", None, None],
        ["not reached", None, None],
    ]
    first = json.loads(text)[0]
    assert list(first) == [*PAT_KEYS, "outcome", "error", "left_in_keyring"]


SCOPES = (
    Scope("vso.code", "Code (read)", "Code", high_privilege=False, inherits=None),
    Scope("vso.code_write", "Code (read and write)", "Code", True, "vso.code"),  # noqa: FBT003 - as the table has it
)


def test_scopes() -> None:
    assert shown(lambda renderer: renderer.show_all(SCOPES)) == (
        "SCOPE       NAME                   POWER\n"
        "code        Code (read)\n"
        "code_write  Code (read and write)  high\n"
    )
    text = shown(lambda renderer: renderer.show_all(SCOPES), form=Format.JSONL)
    assert text.splitlines()[1] == (
        '{"value":"vso.code_write","name":"Code (read and write)","category":"Code",'
        '"high_privilege":true,"inherits":"vso.code"}'
    )


def test_recipes() -> None:
    recipes = (Recipe("git", "clone, fetch and push", ("vso.code_write", "app_token")),)
    assert shown(lambda renderer: renderer.show_all(recipes)) == (
        "RECIPE  SCOPES           FOR\ngit     code_write full  clone, fetch and push\n"
    )
    text = shown(lambda renderer: renderer.show_all(recipes), form=Format.JSONL)
    assert json.loads(text) == {
        "name": "git",
        "summary": "clone, fetch and push",
        "scopes": ["vso.code_write", "app_token"],
    }


def test_settings() -> None:
    assert shown(lambda renderer: renderer.show_all(SETTINGS)) == (
        "KEY     VALUE    FROM\n"
        "org     contoso  PAT_ORG\n"
        "quiet   true     config file\n"
        "output  -        default\n"
    )
    text = shown(lambda renderer: renderer.show_all(SETTINGS), form=Format.JSONL)
    assert text.splitlines()[1:] == [
        '{"key":"quiet","value":true,"source":"config file"}',
        '{"key":"output","value":null,"source":"default"}',
    ]


def test_a_preview_is_the_table_of_tokens() -> None:
    err = io.StringIO()
    screen = TableStyle(color=False, width=120, zone=ZONE)
    Renderer(out=err, format=Format.TABLE, now=NOW, screen=screen).pats(ALL)
    assert err.getvalue() == table(ALL, 120)
    nothing = io.StringIO()
    Renderer(out=nothing, format=Format.TABLE, now=NOW, screen=screen).pats(())
    assert nothing.getvalue() == ""


def test_what_needs_no_table_needs_no_rich() -> None:
    program = (
        "import sys, azdo_pat.output.render, azdo_pat.output.messages\n"
        "print(sorted({'rich', 'jmespath', 'pyperclip'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"
