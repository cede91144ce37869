"""Nothing that is written can command a pipeline, however it is written."""

import io
import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from azdo_pat.output.sanitize import SanitizedText

SEEN_BY_NEITHER = "\xad\u200d\u2060"
PIECES = st.lists(
    st.text(st.sampled_from(f"#:v[so:] \t\r\n{SEEN_BY_NEITHER}a")), min_size=1, max_size=6
)


def written(*pieces: str) -> str:
    below = io.StringIO(newline="")
    stream = SanitizedText(below)
    stream.writelines(pieces)
    return below.getvalue()


def commands(text: str) -> list[str]:
    """What the agent or the runner would obey, found as they find it, line by line."""
    read = "".join(char for char in text if char not in SEEN_BY_NEITHER).lower()
    lines = re.split(r"\r\n|\r|\n", read)
    return [
        line
        for line in lines
        if "##vso[" in line or "##[" in line or line.lstrip().startswith("::")
    ]


@pytest.mark.parametrize(
    ("text", "harmless"),
    [
        ("##vso[task.setvariable]x", "##_vso[task.setvariable]x"),
        ("name ##[error]x", "name ##_[error]x"),
        ("::add-path::/tmp", ":_:add-path::/tmp"),
        ("a\n \t::error::x", "a\n \t:_:error::x"),
        ("a\r::error::x", "a\r:_:error::x"),
        ("#\xad#vso[x]", "#\xad#_vso[x]"),
        ("std::vector [## heading] #1 [x] : :", "std::vector [## heading] #1 [x] : :"),
    ],
)
def test_a_command_is_parted(text: str, harmless: str) -> None:
    assert written(text) == harmless
    assert commands("".join(written(*text))) == []


@given(PIECES)
@example(["##", "vso", "[x]"])
@example([":", ":x"])
@example(["a", "::x"])
@example(["\n", " ", "\xad", "::x"])
def test_no_command_comes_through_in_whatever_pieces(pieces: list[str]) -> None:
    assert commands(written(*pieces)) == []
    assert written(*pieces).replace("_", "") == "".join(pieces)


@given(PIECES)
def test_what_commands_nothing_stays(pieces: list[str]) -> None:
    text = "".join(pieces)
    if not commands(text):
        assert written(text) == text


def test_what_is_to_be_obeyed_goes_round_it() -> None:
    below = io.StringIO()
    SanitizedText(below).verbatim.write("##vso[task.setsecret]x")
    assert below.getvalue() == "##vso[task.setsecret]x"
