from hypothesis import given
from hypothesis import strategies as st

from azdo_pat.api.response import RequestSummary, Response, printable


@given(st.text())
def test_a_servers_text_is_one_harmless_line(text: str) -> None:
    line = printable(text)
    assert len(line) <= 500
    assert (
        line.replace(" ", "").replace("\N{NO-BREAK SPACE}", "").isprintable() or not line.isascii()
    )
    assert not any(ord(char) < 32 or 0x7F <= ord(char) < 0xA0 for char in line)


def test_escape_sequences_and_direction_marks_go() -> None:
    assert printable("a\x1b[31mb\r\n\tc\x9bd\u202ee\x00") == "a[31mb cde"


def test_a_long_text_is_cut_and_says_so() -> None:
    assert printable("x" * 501) == "x" * 499 + "…"
    assert printable("x" * 500) == "x" * 500


def test_an_answer_does_not_show_its_body_or_headers() -> None:
    answer = Response(
        status=200,
        headers={"Set-Cookie": "s3cret", "ActivityId": "7\x1b"},
        body=b"s3cret",
        asked=RequestSummary(method="GET", host="h"),
    )
    assert repr(answer) == f"Response(status=200, asked={answer.asked!r})"
    assert "s3cret" not in repr(answer)
    assert answer.activity_id == "7"
