"""Names that can be given, texts that may be ids, and names in commands."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azdo_pat.errors import UsageError
from azdo_pat.naming import (
    checked_name,
    is_full_id,
    looks_like_id,
    name_for_command,
    natural_key,
)

FULL = "1b4e28ba-2fa1-11d2-883f-0016d3cca427"


class TestNames:
    """Display names."""

    @pytest.mark.parametrize(
        "name",
        [
            "a",
            "ci build",
            "Prüfstand 試験 ✓",
            "-rf",
            "👩\u200d💻",
            "a\u00a0b",
            "x" * 255,
            "'; drop --",
        ],
    )
    def test_good_ones_come_back_as_they_are(self, name: str) -> None:
        assert checked_name(name) == name

    @pytest.mark.parametrize("name", ["", " ", "\t\n", "\u3000"])
    def test_empty(self, name: str) -> None:
        with pytest.raises(UsageError) as caught:
            checked_name(name)
        assert caught.value.message == "the name is empty"
        assert caught.value.hint == "give the token a name that describes its use"

    @pytest.mark.parametrize("name", [" a", "a ", "a\n", "\u00a0a"])
    def test_space_around_it(self, name: str) -> None:
        with pytest.raises(UsageError) as caught:
            checked_name(name)
        assert caught.value.message == f"the name {name!r} begins or ends with a space"
        assert caught.value.hint == "leave it out"

    def test_over_long(self) -> None:
        with pytest.raises(UsageError) as caught:
            checked_name("é" * 256)
        assert caught.value.message == "the name has 256 characters; 255 is the maximum"
        assert caught.value.hint == "shorten it"

    @pytest.mark.parametrize(
        ("character", "code"),
        [
            ("\x00", "U+0000"),
            ("\n", "U+000A"),
            ("\x1b", "U+001B"),
            ("\x7f", "U+007F"),
            ("\x9b", "U+009B"),
            ("\u2028", "U+2028"),
            ("\u2029", "U+2029"),
            ("\ud800", "U+D800"),
        ],
    )
    def test_control_characters(self, character: str, code: str) -> None:
        name = f"a{character}b"
        with pytest.raises(UsageError) as caught:
            checked_name(name)
        assert caught.value.message == f"the name {name!r} contains the control character {code}"
        assert caught.value.hint == "leave it out"
        assert caught.value.message.isprintable()

    @given(st.text(max_size=300))
    def test_any_text_is_accepted_as_it_is_or_refused_in_printable_words(self, name: str) -> None:
        try:
            assert checked_name(name) == name
        except UsageError as error:
            assert error.message.isprintable()  # noqa: PT017  # both ends are looked at


class TestIds:
    """Authorization ids and their beginnings."""

    @pytest.mark.parametrize("text", [FULL, FULL.upper(), FULL[:8], FULL[:9], FULL[:20], FULL[:35]])
    def test_may_be_one(self, text: str) -> None:
        assert looks_like_id(text)

    @pytest.mark.parametrize(
        "text",
        ["", "1b4e28b", "deploy-1", "1b4e28bg", f"{FULL}0", f"{FULL}\n", "１b4e28ba"],  # noqa: RUF001  # a wide digit
    )
    def test_is_none(self, text: str) -> None:
        assert not looks_like_id(text)

    @pytest.mark.parametrize(
        ("text", "full"),
        [
            (FULL, True),
            (FULL.upper(), True),
            (FULL[:-1], False),
            (FULL.replace("-", ""), False),
            (f"{FULL} ", False),
            (f"{{{FULL}}}", False),
        ],
    )
    def test_in_full(self, text: str, *, full: bool) -> None:
        assert is_full_id(text) is full

    @given(st.uuids(), st.integers(8, 36))
    def test_every_beginning_of_every_id_looks_like_one(self, guid: object, length: int) -> None:
        assert looks_like_id(str(guid)[:length])
        assert is_full_id(str(guid)[:length]) is (length == 36)


@given(st.text(), st.text())
def test_any_two_names_have_an_order(one: str, other: str) -> None:
    first, second = natural_key(one), natural_key(other)
    assert (first < second) + (first == second) + (first > second) == 1


def test_names_are_sorted_by_the_value_of_their_numbers() -> None:
    names = ["token 79", "Token 8", "token 008 b", "token", "9" * 5000, "7", "x-2.10", "x-2.9", "x"]
    assert sorted(names, key=natural_key) == [
        *("7", "9" * 5000, "token", "Token 8", "token 008 b", "token 79", "x", "x-2.9", "x-2.10")
    ]


def test_a_token_for_a_command_is_named_after_it_on_each_system() -> None:
    for program in ("npm", "/usr/bin/npm", r"C:\Program Files\nodejs\npm.CMD", "npm.exe"):
        assert name_for_command(program, "desk") == "exec: npm on desk"
    assert name_for_command("./build.sh", "") == "exec: build.sh"
    assert name_for_command(".exe", "desk") == "exec: .exe on desk"
