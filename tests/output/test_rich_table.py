import io
import re
import unicodedata
from collections.abc import Sequence

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from rich.cells import cell_len

from azdo_pat.output.escape import visible
from azdo_pat.output.folding import fold
from azdo_pat.output.rich_table import draw
from azdo_pat.output.table_model import Cell, Column, Table, Tone
from azdo_pat.output.token_tables import short_ids

ANYTHING = st.text(st.characters(exclude_categories=()), max_size=120)
# A mark that combines would belong to the letter at the end of the line before.
LETTERS = st.text(st.characters(exclude_categories=("M", "Cf", "Zs")), min_size=1, max_size=120)


def drawn(grid: Table, width: int | None, *, color: bool = False) -> list[str]:
    out = io.StringIO()
    draw(grid, out, width=width, color=color)
    assert out.getvalue().endswith("\n") or not out.getvalue()
    return out.getvalue().split("\n")[:-1]


def three_columns(name: str) -> Table:
    row = (Cell("before"), Cell(name), Cell("after"))
    return Table(columns=(Column("A"), Column("NAME"), Column("B")), rows=(row, row))


@given(ANYTHING)
@example("e" + "\u0301" * 500)
@example("👩\u200d👩\u200d👧\u200d👦" * 40)
@example("مرحبا بالعالم " * 10)
@example("[red]not markup[/] :smile: " * 5)
def test_no_name_breaks_out_of_its_cell(name: str) -> None:
    lines = drawn(three_columns(name), 80)
    assert [line for line in lines if cell_len(line) > 80] == []
    assert [line for line in lines if line != line.rstrip(" ")] == []
    bad = [c for line in lines for c in line if unicodedata.category(c) in {"Cc", "Cs", "Zl", "Zp"}]
    assert bad == []
    assert "\u202e" not in "".join(lines)


@given(LETTERS)
@example("部" * 100)
@example("x" * 119)
def test_a_folded_name_can_be_put_together_again(name: str) -> None:
    lines = drawn(three_columns(name), 40)[1:]
    rest = "".join(lines)
    for other in ("before", "after"):
        assert rest.count(other) >= 2
    rows = "".join(line.removeprefix("before").removesuffix("after").strip(" ") for line in lines)
    assert rows == visible(name) * 2


@given(st.text(max_size=200), st.integers(min_value=2, max_value=60))
def test_fold_loses_nothing_and_keeps_to_the_width(text: str, width: int) -> None:
    text = visible(text)
    lines = fold(text, width)
    assert "".join(lines) == text
    assert [line for line in lines if cell_len(line.rstrip(" ")) > width] == []
    assert "" not in lines


@pytest.mark.parametrize(
    ("text", "width", "expected"),
    [
        ("ci publishing of packages", 14, ["ci publishing ", "of packages"]),
        ("git: https://dev.azure.com/contoso", 15, ["git: https://", "dev.azure.com/", "contoso"]),
        ("git: https://dev.azure.com/contoso", 20, ["git: https://", "dev.azure.com/", "contoso"]),
        ("on https://dev.azure.com/contoso", 29, ["on ", "https://dev.azure.com/contoso"]),
        ("ada.lovelace@contoso.example", 16, ["ada.lovelace@", "contoso.example"]),
        ("git: https://dev.azure.com", 12, ["git: ", "https://dev.", "azure.com"]),
        ("build_execute code", 13, ["build_execute ", "code"]),
        ("packaging_write code", 12, ["packaging_wr", "ite code"]),
        ("2026-11-20 (3 days ago)", 13, ["2026-11-20 ", "(3 days ago)"]),
        ("部署令牌", 5, ["部署", "令牌"]),
        ("a   b", 2, ["a   ", "b"]),
        ("abcdef", 4, ["abcd", "ef"]),
        ("", 4, []),
    ],
)
def test_fold_cuts_where_a_reader_would(text: str, width: int, expected: list[str]) -> None:
    assert fold(text, width) == expected


def test_columns_stay_aligned_under_letters_of_any_width() -> None:
    names = ["laptop", "部署令牌", "e\u0301te\u0301", "🚀", ""]
    rows = tuple((Cell(name), Cell("here")) for name in names)
    lines = drawn(Table(columns=(Column("NAME"), Column("X")), rows=rows), None)
    assert [cell_len(line[: line.rindex("here")]) for line in lines[1:]] == [10] * 5


def test_colour_says_nothing_that_the_text_does_not() -> None:
    row = (Cell("laptop"), Cell("expired", Tone.ALARM), Cell("soon", Tone.WARNING))
    grid = Table(columns=(Column("NAME"), Column("NOTES"), Column("")), rows=(row,))
    coloured = drawn(grid, 80, color=True)
    assert coloured == [
        "\x1b[1mNAME\x1b[0m    \x1b[1mNOTES\x1b[0m",
        "laptop  \x1b[38;5;160mexpired\x1b[0m  \x1b[38;5;130msoon\x1b[0m",
    ]
    assert [re.sub(r"\x1b\[[\d;]+m", "", line) for line in coloured] == drawn(grid, 80)


def test_the_environment_has_no_say(monkeypatch: pytest.MonkeyPatch) -> None:
    expected = drawn(three_columns("x" * 100), 80)
    for name, value in {"COLUMNS": "20", "FORCE_COLOR": "1", "TTY_COMPATIBLE": "1"}.items():
        monkeypatch.setenv(name, value)
    assert drawn(three_columns("x" * 100), 80) == expected
    monkeypatch.setenv("NO_COLOR", "1")
    assert any("\x1b" in line for line in drawn(three_columns("x"), 80, color=True))


def test_a_table_without_headings_and_without_rows_is_nothing() -> None:
    assert drawn(Table(columns=(Column(""), Column("")), rows=()), 80) == []


@pytest.mark.parametrize("width", range(10, 40))
def test_a_narrow_terminal_is_kept_to(width: int) -> None:
    lines = drawn(three_columns("git: https://dev.azure.com/contoso on LAPTOP"), width)
    assert max(map(cell_len, lines)) <= width


def test_ids_are_shortened_as_far_as_they_differ() -> None:
    whole = [
        "3d1f0c2a-7b1e-4f0c-9d2e-0a1b2c3d4e5f",
        "3D1F0C2A-7b1e-4f0c-ffff-0a1b2c3d4e5f",
        "aaaaaaaa-7b1e-4f0c-9d2e-0a1b2c3d4e5f",
        "aaaaaaaa-7b1e-4f0c-9d2e-0a1b2c3d4e5f",
        "",
        "abc",
    ]
    expected = ["3d1f0c2a-7b1e-4f0c-9", "3D1F0C2A-7b1e-4f0c-f", "aaaaaaaa", "aaaaaaaa", "", "abc"]
    assert short_ids(whole) == expected


@given(st.lists(st.text("ab", min_size=9, max_size=14), max_size=20, unique=True))
def test_a_short_id_means_one_token(ids: list[str]) -> None:
    for short, whole in zip(short_ids(ids), ids, strict=True):
        assert len(short) >= 8
        also = [each for each in ids if each.startswith(short)]
        assert also == [whole] or short == whole


def tokens(*rows: Sequence[Cell], marks: Sequence[Tone] = ()) -> Table:
    columns = (Column("NAME"), Column("SCOPES"), Column("EXPIRES", 13), Column("NOTES"))
    return Table(columns, rows, marks=marks)


LAPTOP = (Cell("laptop"), Cell("code"), Cell("in 30 days", spare="2026-12-23"), Cell("here"))
LONG = (Cell("ci publishing of packages"), *LAPTOP[1:])


def test_a_date_is_beside_its_distance_where_there_is_room() -> None:
    assert drawn(tokens(LAPTOP), 46) == [
        "NAME    SCOPES  EXPIRES                  NOTES",
        "laptop  code    in 30 days (2026-12-23)  here",
    ]
    assert drawn(tokens(LAPTOP), 45) == [
        "NAME    SCOPES  EXPIRES     NOTES",
        "laptop  code    in 30 days  here",
    ]


def test_a_row_of_several_lines_is_set_apart() -> None:
    assert drawn(tokens(LAPTOP, LAPTOP, LONG, LAPTOP, LONG), 45) == [
        "NAME                SCOPES  EXPIRES     NOTES",
        "laptop              code    in 30 days  here",
        "laptop              code    in 30 days  here",
        "",
        "ci publishing of    code    in 30 days  here",
        "packages",
        "",
        "laptop              code    in 30 days  here",
        "",
        "ci publishing of    code    in 30 days  here",
        "packages",
    ]
    assert "" not in drawn(tokens(LAPTOP, LONG, LAPTOP), None)


def test_where_words_would_be_broken_each_row_is_a_record() -> None:
    scopes = Cell("build_execute packaging_write")
    busy = (Cell("ci publishing of packages"), scopes, Cell("in 4 days"), Cell(""))
    table = tokens(LAPTOP, busy, marks=(Tone.PLAIN, Tone.WARNING))
    assert drawn(table, 30) == [
        "laptop",
        "  SCOPES   code",
        "  EXPIRES  in 30 days",
        "  NOTES    here",
        "",
        "! ci publishing of packages",
        "  SCOPES   build_execute",
        "           packaging_write",
        "  EXPIRES  in 4 days",
    ]
    fix = Table(table.columns, [LAPTOP], below=[[Cell("fix: pat renew --dry-run")]])
    assert drawn(fix, 26)[-2:] == ["  NOTES    here", "  fix: pat renew --dry-run"]


def test_what_needs_attention_is_marked_on_a_terminal() -> None:
    marks = (Tone.PLAIN, Tone.WARNING, Tone.ALARM)
    marked = tokens(LAPTOP, LAPTOP, LAPTOP, marks=marks)
    assert [line[:9] for line in drawn(marked, 80)] == [
        *("   NAME  ", "   laptop", "!  laptop", "✗  laptop")
    ]
    out = io.StringIO()
    draw(marked, out, width=80, color=False, ascii_only=True)
    assert out.getvalue().isascii()
    assert out.getvalue().splitlines()[3].startswith("X  laptop")
    calm = tokens(LAPTOP, marks=(Tone.PLAIN,))
    assert drawn(calm, 80) == drawn(tokens(LAPTOP), 80)
    assert drawn(marked, None) == drawn(tokens(LAPTOP, LAPTOP, LAPTOP), None)


WORDS = st.text("abcdefghij_", min_size=1, max_size=16)


@given(st.lists(st.lists(WORDS, min_size=1, max_size=8).map(" ".join), min_size=4, max_size=4))
def test_no_word_is_broken_where_all_fit(texts: list[str]) -> None:
    lines = drawn(tokens(tuple(map(Cell, texts))), 80)[1:]
    words = [word for line in lines for word in line.split()]
    assert sorted(words) == sorted(word for text in texts for word in text.split())
