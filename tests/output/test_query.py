import pytest

from azdo_pat.errors import UsageError
from azdo_pat.output.query import compile_query

TOKENS = [{"name": "laptop", "days": 30}, {"name": "ci", "days": None}]


def test_a_query_picks() -> None:
    assert compile_query("[?days==`30`].name | [0]")(TOKENS) == "laptop"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "--query is empty"),
        ("  ", "--query is empty"),
        ("[?", "--query is not valid JMESPath at its end (character 3)"),
        ("a..b", "--query is not valid JMESPath near '.b' (character 3)"),
        ("[].'a", "--query is not valid JMESPath near ''a' (character 4)"),
    ],
)
def test_a_wrong_expression_is_shown_with_its_place(text: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        compile_query(text)
    assert caught.value.message == message
    assert "JMESPath" in caught.value.hint


@pytest.mark.parametrize("text", ["nothing(@)", "sum([].name)", "[::0]", "max_by(@, &days)"])
def test_what_cannot_be_applied_is_a_usage_error(text: str) -> None:
    with pytest.raises(UsageError, match="cannot be applied") as caught:
        compile_query(text)(TOKENS)
    assert text in caught.value.message


def test_a_bottomless_expression_is_a_usage_error() -> None:
    with pytest.raises(UsageError):
        compile_query("(" * 5000)
    with pytest.raises(UsageError):
        compile_query("[*].a" * 5000)(TOKENS)
