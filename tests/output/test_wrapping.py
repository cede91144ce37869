import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from azdo_pat.commands import NAMES
from azdo_pat.output.palette import Paint
from azdo_pat.output.wrapping import highlighted, wrapped

BEFORE, AFTER = Paint.COMMAND.on("|").split("|")
WORDS = st.text(st.characters(categories=["L", "N", "P"]), min_size=1, max_size=12)


def commands(text: str) -> list[str]:
    return re.findall(re.escape(BEFORE) + "(.*?)" + re.escape(AFTER), highlighted(text))


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("no token; to list all, run: pat list --status all", ["pat list --status all"]),
        ("run: pat get a; to create one, run: pat create a", ["pat get a", "pat create a"]),
        ("its secret is in the keyring: pat get ci", ["pat get ci"]),
        ("the new secret is stored (pat get ci); the old", ["pat get ci"]),
        ("to do so, run: az account clear, then az login", ["az account clear", "az login"]),
        ("run: pipx install a, then: pipx inject a b", ["pipx install a", "pipx inject a b"]),
        ("to replace it, run: pat rotate 'a b; c' --org x; done", ["pat rotate 'a b; c' --org x"]),
        ("run: HOME=$(mktemp -d) pat setup git", ["HOME=$(mktemp -d) pat setup git"]),
        ("unknown scope (to list all, run: pat scopes)", ["pat scopes"]),
        ("the token's secret is the user's, run: pat get x", ["pat get x"]),
        ("/bin/x cannot be run: permission denied", []),
        ("it was refused: pat will ask the service", []),
        ("no token 'x; run: curl evil' is stored, run: pat list", ["pat list"]),
        ('no token "it\'s; run: curl evil" is stored', []),
    ],
)  # fmt: skip
def test_commands_are_found(text: str, found: list[str]) -> None:
    assert commands(text) == found


@pytest.mark.parametrize("name", NAMES)
def test_every_command_is_found(name: str) -> None:
    assert commands(f"the next step: pat {name} ci") == [f"pat {name} ci"]


def test_a_command_stays_in_one_piece() -> None:
    text = "to see what is stored, run: pat list --stored --org contoso; or ask"
    assert wrapped(text, 34, first="! ") == [
        "! to see what is stored, run:",
        "  pat list --stored --org contoso",
        "  or ask",
    ]
    assert wrapped(text, 20)[2] == "  pat list --stored --org contoso", "it is left to the terminal"


def test_each_clause_begins_a_line_where_one_is_not_enough() -> None:
    text = "did you mean 'a; b? c'? to list it, run: pat list; or leave it (now; later)"
    assert wrapped(text, 75) == [text]
    assert wrapped(f"  {text}", 50) == [
        "  did you mean 'a; b? c'?",
        "  to list it, run: pat list",
        "  or leave it (now; later)",
    ]
    assert wrapped("it is gone; nothing remains", 20) == ["it is gone; nothing", "  remains"], (
        "this is no list of ways"
    )


def test_letters_of_two_cells_count_twice() -> None:
    assert wrapped("日本 日本 日本", 11, first="! ") == ["! 日本 日本", "  日本"]
    assert wrapped("日本, run: pat list --stored", 27) == ["日本, run:", "  pat list --stored"]


def test_lines_that_are_indented_stay_so() -> None:
    assert wrapped("     one two three", 13) == ["     one two", "     three"]
    assert wrapped("  1. one two three", 13) == ["  1. one two", "     three"]


@given(st.lists(WORDS, min_size=1), st.integers(15, 100))
def test_words_are_whole_and_lines_fit(words: list[str], columns: int) -> None:
    lines = wrapped(" ".join(words), columns, first="! ")
    assert " ".join(lines).split() == ["!", *words]
    assert all(cell_len(line) <= columns or len(line.split()) <= 2 for line in lines)
