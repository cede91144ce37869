import io
from base64 import b64decode

import pytest

from azdo_pat.models import Secret
from azdo_pat.output.terminal_clipboard import send

SECRET = Secret("a-secret-of-a-test")


class Screen(io.StringIO):
    """A stream that somebody looks at."""

    def isatty(self) -> bool:
        return True


def sent(secret: Secret = SECRET, **environment: str) -> str:
    err = Screen()
    assert send(secret, err, environment) == bool(err.getvalue())
    return err.getvalue()


def held(sequence: str) -> str:
    """What a terminal puts on its clipboard."""
    assert sequence.startswith("\x1b]52;c;")
    assert sequence.endswith("\x07")
    return b64decode(sequence[7:-1], validate=True).decode()


@pytest.mark.parametrize("text", ["a-secret-of-a-test", "ünïcode\nlines", "x" * 5000])
def test_a_terminal_is_asked(text: str) -> None:
    assert held(sent(Secret(text))) == text


def test_tmux_passes_it_on() -> None:
    text = sent(TMUX="/run/tmux,1,0")
    assert text.startswith("\x1bPtmux;")
    assert text.endswith("\x1b\\")
    assert held(text[7:-2].replace("\x1b\x1b", "\x1b")) == SECRET.reveal()


def test_screen_passes_on_what_is_short() -> None:
    text = sent(STY="1.pts-0.host")
    assert (text[:2], text[-2:]) == ("\x1bP", "\x1b\\")
    assert held(text[2:-2]) == SECRET.reveal()
    assert sent(Secret("x" * 5000), STY="1.pts-0.host") == ""


def test_a_dumb_terminal_is_not_asked() -> None:
    assert sent(TERM="dumb") == ""
