import pytest

from azdo_pat.formats import Format
from azdo_pat.output.query import compile_query
from output.samples import EVIL, EXPIRED, LAPTOP, shown

PICKED = "[].{n: name, days: expires_in_days, s: scopes}"


@pytest.mark.parametrize(
    ("query", "form", "expected_text"),
    [
        (
            PICKED,
            Format.TABLE,
            "N       DAYS  S\nlaptop  30    vso.code_write\ngone    -3    vso.code\n",
        ),
        (PICKED, Format.CSV, "n,days,s\nlaptop,30,vso.code_write\ngone,-3,vso.code\n"),
        (PICKED, Format.TSV, "laptop\t30\tvso.code_write\ngone\t-3\tvso.code\n"),
        ("[].[name, stored]", Format.TABLE, "laptop  true\ngone    false\n"),
        ("[].[name, stored]", Format.TSV, "laptop\ttrue\ngone\tfalse\n"),
        ("[].[name, stored]", Format.CSV, "laptop,true\ngone,false\n"),
        ("[].[name, stored]", Format.JSONL, '["laptop",true]\n["gone",false]\n'),
        ("[].name", Format.TABLE, "laptop\ngone\n"),
        ("[].name", Format.TSV, "laptop\ngone\n"),
        ("[].name", Format.JSON, '[\n  "laptop",\n  "gone"\n]\n'),
        ("[].name", Format.JSONL, '"laptop"\n"gone"\n'),
        ("[].name", Format.NONE, ""),
        ("[0].{n: name, s: stored}", Format.TABLE, "n  laptop\ns  true\n"),
        ("[0].{n: name, s: stored}", Format.TSV, "laptop\ttrue\n"),
        ("[0].{n: name, s: stored}", Format.CSV, "n,s\nlaptop,true\n"),
        ("[0].name", Format.TABLE, "laptop\n"),
        ("[0].name", Format.TSV, "laptop\n"),
        ("[0].name", Format.JSON, '"laptop"\n'),
        ("length(@)", Format.TABLE, "2\n"),
        ("[0].{a: {b: name}}", Format.TSV, '{"b":"laptop"}\n'),
        ("[name, 'x', `[null]`]", Format.TABLE, "\nx\n[null]\n"),
        ("[?name=='x']", Format.TABLE, ""),
        ("[?name=='x']", Format.JSON, "[]\n"),
        ("nothing", Format.TABLE, ""),
        ("nothing", Format.TSV, ""),
        ("nothing", Format.JSON, "null\n"),
    ],
)
def test_the_answer_of_a_query_has_a_shape(query: str, form: Format, expected_text: str) -> None:
    text = shown(
        lambda renderer: renderer.pats((LAPTOP, EXPIRED)), form=form, query=compile_query(query)
    )
    assert text == expected_text


def test_a_query_cannot_write_to_the_terminal_either() -> None:
    for query in ("[].name", "[0].name", "[].[name]", "[].{name: name}", "[0].{name: name}"):
        for form in (Format.TABLE, Format.TSV, Format.CSV):
            text = shown(lambda r: r.pats((EVIL,)), form=form, query=compile_query(query))
            assert "evil\\x1b[31m[bold]red[/]\\u202e\\n" in text
            assert "\x1b" not in text
