"""At which line each thing of a TOML document stands."""

import tomllib
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azdo_pat.config.line_numbers import Path, lines_of

DOCUMENT = """\
# a comment with [[token]]

defaults.org = "contoso" # "dotted"
[[token]] # the first
name = "a # no comment"
scopes = [
    "code", # [[token]]
    "bu]ild",
]

  [[token.deliver]]
  text = @@@
[[token]]
name = "not this \\""@@@
  literal = '''[[token]]
'''
[[token]]
"name" = 'b'
deliver = { command = "x]", folder = "{" }
made."by hand".yes = true

[a.b]
c = 1
""".replace("@@@", '"' * 3)


def paths(value: object, path: Path = ()) -> Iterator[Path]:
    inside = value.items() if isinstance(value, dict) else ()
    for key, each in enumerate(value) if isinstance(value, list) else inside:
        yield (*path, key)
        yield from paths(each, (*path, key))


def test_each_form() -> None:
    assert set(lines_of(DOCUMENT)) == set(paths(tomllib.loads(DOCUMENT)))
    assert lines_of(DOCUMENT) == {
        ("defaults",): 3,
        ("defaults", "org"): 3,
        ("token",): 4,
        ("token", 0): 4,
        ("token", 0, "name"): 5,
        ("token", 0, "scopes"): 6,
        ("token", 0, "scopes", 0): 6,
        ("token", 0, "scopes", 1): 6,
        ("token", 0, "deliver"): 11,
        ("token", 0, "deliver", 0): 11,
        ("token", 0, "deliver", 0, "text"): 12,
        ("token", 0, "deliver", 0, "literal"): 15,
        ("token", 1): 17,
        ("token", 1, "name"): 18,
        ("token", 1, "deliver"): 19,
        ("token", 1, "deliver", "command"): 19,
        ("token", 1, "deliver", "folder"): 19,
        ("token", 1, "made"): 20,
        ("token", 1, "made", "by hand"): 20,
        ("token", 1, "made", "by hand", "yes"): 20,
        ("a",): 22,
        ("a", "b"): 22,
        ("a", "b", "c"): 23,
    }


def test_lines_of_other_systems() -> None:
    assert lines_of(DOCUMENT.replace("\n", "\r\n")) == lines_of(DOCUMENT)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "# nothing",
        "a = 1",
        'token = [{name = "a"}, {name = "b"}]',
        'token = [\n  {name = "a"},\n  {name = "b"},\n]\n',
        "[[token]]\n[[token]]\n[token.x]\ny = 1\n[[token.z]]\n[[token.z]]\nq = []\n",
        'a = """"quoted""""" # five at the end',
        "a = ''''quoted'''''\nb = 2",
        'a = "\\\\" # ] {\nb = 2',
        '["a.b".c]\nd = {e.f = 1}\n',
        "a = [[1, 2], [{b = 1}]]\n",
    ],
)
def test_every_way_to_something_is_found(text: str) -> None:
    assert set(lines_of(text)) == set(paths(tomllib.loads(text)))


@given(before=st.integers(0, 30), within=st.integers(0, 30))
def test_lines_are_counted_from_one(before: int, within: int) -> None:
    text = "# x\n" * before + "a = [\n" + "1,\n" * within + "]\nb = 1\n"
    assert lines_of(text)["a",] == before + 1
    assert lines_of(text)["b",] == before + within + 3


def test_each_statement_is_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []
    usual = tomllib.loads

    def loads(text: str) -> dict[str, object]:
        read.append(text)
        return usual(text)

    monkeypatch.setattr("azdo_pat.config.line_numbers.tomllib.loads", loads)
    text = "".join(f'[[token]]\nname = "{number}"\n' for number in range(1000))
    assert len(lines_of(text)) == 2001
    assert "".join(read) == text
