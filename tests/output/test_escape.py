import json
import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from azdo_pat.output.escape import visible
from azdo_pat.output.serialize import json_text

ANYTHING = st.text(st.characters(exclude_categories=()))
BIDI = set("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def acts(char: str) -> bool:
    """Tell whether a terminal does anything with `char` but show it."""
    return unicodedata.category(char) in {"Cc", "Cs", "Zl", "Zp"} or char in BIDI


def test_what_acts_on_a_terminal_is_shown_as_an_escape() -> None:
    text = "a\x00\x1b[31m\n\r\t\x7f\x9b\u202e\u2028\ud800\u200b\ufeffz"
    expected = r"a\x00\x1b[31m\n\r\t\x7f\x9b\u202e\u2028\ud800\u200b\ufeffz"
    assert visible(text) == expected


def test_all_else_stays() -> None:
    text = "C:\\tokens é e\u0301 部署 🚀 👩\u200d💻 مرحبا שלום \xa0[bold]"
    assert visible(text) == text


def test_no_character_that_acts_is_let_through() -> None:
    every = "".join(map(chr, range(0x110000)))
    assert [char for char in visible(every) if acts(char)] == []
    assert [char for char in json_text(every) if acts(char)] == []


@given(ANYTHING)
def test_it_is_done_once(text: str) -> None:
    assert visible(visible(text)) == visible(text)


@given(st.text(st.characters(codec="utf-8")))
def test_json_brings_any_text_back(text: str) -> None:
    document = {"name": text, text: [text]}
    written = json_text(document)
    assert json.loads(written) == document
    assert [char for char in written if acts(char) and char != "\n"] == []


def test_json_brings_a_lone_surrogate_back() -> None:
    assert json_text("\ud83d") == r'"\ud83d"'
    assert json.loads(json_text("\ud83d")) == "\ud83d"


def test_json_leaves_letters_readable() -> None:
    assert json_text({"name": "dépôt 🚀"}, indent=None) == '{"name":"dépôt 🚀"}'
