import io
import json

from hypothesis import given
from hypothesis import strategies as st

from azdo_pat.errors import NotFoundError, PatError, RefusedError
from azdo_pat.output.messages import Messages

REFUSAL = RefusedError(
    "contoso does not let you create tokens",
    hint="ask an administrator\x1b[2J",
    server_message="TF400813:\r\n  not allowed \u202e",
    activity_id="a1b2",
)


def said(*, quiet: bool = False, verbose: bool = False, debug: bool = False) -> str:
    err = io.StringIO()
    messages = Messages(err=err, quiet=quiet, verbose=verbose, debug=debug, color=False)
    messages.notice("made laptop")
    messages.warn("shortened")
    messages.detail("asked contoso")
    messages.trace("GET /\n  200")
    return err.getvalue()


def error_text(error: PatError, *, as_json: bool = False, color: bool = False) -> str:
    err = io.StringIO()
    messages = Messages(err=err, quiet=True, verbose=False, debug=False, color=color)
    messages.error(error, as_json=as_json)
    return err.getvalue()


def test_each_volume_says_its_own() -> None:
    assert said(quiet=True) == "pat: warning: shortened\n"
    assert said() == "made laptop\npat: warning: shortened\n"
    assert said(verbose=True) == "made laptop\npat: warning: shortened\nasked contoso\n"
    assert said(debug=True) == (
        "made laptop\npat: warning: shortened\nasked contoso\nGET /\n  200\n"
    )


def test_an_error_is_what_is_wrong_and_what_to_do() -> None:
    error = NotFoundError("no token named x in contoso", hint="see: pat list")
    assert error_text(error) == "pat: no token named x in contoso\n     see: pat list\n"
    assert error_text(NotFoundError("no token")) == "pat: no token\n"


def test_the_service_has_its_word_on_a_line_of_its_own() -> None:
    assert error_text(REFUSAL) == (
        "pat: contoso does not let you create tokens\n"
        "     ask an administrator\\x1b[2J\n"
        "     the service said: TF400813: not allowed \\u202e\n"
        "     activity id: a1b2\n"
    )


def test_colour_touches_only_the_label() -> None:
    text = error_text(NotFoundError("no token"), color=True)
    assert text == "\x1b[38;5;160mpat:\x1b[39m no token\n"


def test_an_error_as_json_is_one_line_and_one_object() -> None:
    text = error_text(REFUSAL, as_json=True)
    assert text.count("\n") == 1
    assert json.loads(text) == {
        "error": "refused",
        "message": "contoso does not let you create tokens",
        "hint": "ask an administrator\x1b[2J",
        "exit_code": 5,
        "server_message": "TF400813:\r\n  not allowed \u202e",
        "activity_id": "a1b2",
    }
    assert "\u202e" not in text


def test_an_error_without_a_service_has_four_keys() -> None:
    text = error_text(NotFoundError("no token"), as_json=True)
    assert list(json.loads(text)) == ["error", "message", "hint", "exit_code"]


@given(st.text(st.characters(exclude_categories=())))
def test_nothing_said_can_break_its_line(text: str) -> None:
    err = io.StringIO()
    messages = Messages(err=err, quiet=False, verbose=True, debug=False, color=False)
    messages.notice(text)
    messages.warn(text)
    messages.detail(text)
    assert len(err.getvalue().splitlines()) == 3
    assert "\x1b" not in err.getvalue()


def test_a_hint_may_have_lines_of_its_own() -> None:
    error = NotFoundError("2 tokens match 'ci'", hint="choose one by its id:\nab\x1bc\ndef")
    assert error_text(error) == (
        "pat: 2 tokens match 'ci'\n     choose one by its id:\n     ab\\x1bc\n     def\n"
    )
