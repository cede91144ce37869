"""Command lines as text, as sh and as Windows read them."""

import ctypes
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import click
import pytest
from hypothesis import given
from hypothesis import strategies as st

import azdo_pat
from azdo_pat.cli.main import pat as root
from azdo_pat.command_lines import (
    pat_command,
    quoted,
    quoted_as_windows,
    split,
    split_as_windows,
)

NAMES = (
    st.text("ab -é'/", min_size=1)  # PowerShell reads the others otherwise than a program
    if sys.platform == "win32"
    else st.text(min_size=1).filter(lambda name: "\0" not in name)
)
WORDS = st.lists(st.text("ab \t\"\\'", max_size=6), min_size=1)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (r'"C:\Program Files\My Tool\tool.exe" x', [r"C:\Program Files\My Tool\tool.exe", "x"]),
        (r"C:\bin\tool a\b c\\d", [r"C:\bin\tool", r"a\b", r"c\\d"]),
        (r'tool --path="C:\a b" y', ["tool", r"--path=C:\a b", "y"]),
        (r'tool "a\"b" "c\\" d', ["tool", 'a"b', "c\\", "d"]),
        ('tool """a"""', ["tool", '"a"']),
        ('tool "" \t x ', ["tool", "", "x"]),
        ("tool it's 'a b'", ["tool", "it's", "'a", "b'"]),
        ("", []),
    ],
)
def test_read_as_windows_does(text: str, words: list[str]) -> None:
    assert split_as_windows(text) == words


def test_a_quote_must_be_closed() -> None:
    with pytest.raises(ValueError, match="No closing quotation"):
        split_as_windows('tool "a')


@given(WORDS)
def test_what_is_written_is_read_back(words: list[str]) -> None:
    assert split_as_windows(subprocess.list2cmdline(words)) == words
    assert split(subprocess.list2cmdline(words) if os.name == "nt" else shlex.join(words)) == words


@pytest.mark.skipif(sys.platform != "win32", reason="asks Windows")
@given(st.text("ab \t\"\\'", max_size=10))
def test_windows_reads_the_same(text: str) -> None:
    count = ctypes.c_int()
    parse = vars(ctypes)["WinDLL"]("shell32").CommandLineToArgvW
    parse.restype = ctypes.POINTER(ctypes.c_wchar_p)
    found = parse(f"program {text}", ctypes.byref(count))
    words = [found[at] for at in range(1, count.value)]
    try:
        assert split_as_windows(text) == words
    except ValueError:
        assert text.count('"') > 0


@pytest.mark.parametrize(
    ("word", "typed"),
    [
        ("laptop", "laptop"),
        (r"C:\x\y.txt", r"C:\x\y.txt"),
        ("ci build", '"ci build"'),
        ("it's", '"it\'s"'),
        ("", '""'),
        ("a&b", '"a&b"'),
        ("https://host/a?b=c&d", '"https://host/a?b=c&d"'),
        ('say "x"', '"say ""x"""'),
        ("a b\\", '"a b\\\\"'),
        ("$HOME it's `x`", "'$HOME it''s `x`'"),
        ("\u201ca\u2019s\u201d", "'\u201ca\u2019\u2019s\u201d'"),
    ],
)
def test_as_one_types_it_on_windows(word: str, typed: str) -> None:
    assert quoted_as_windows(word) == typed


def test_as_one_types_it_here() -> None:
    other = quoted_as_windows if sys.platform == "win32" else shlex.quote
    assert quoted("ci build") == other("ci build")


@pytest.mark.skipif(sys.platform != "win32", reason="asks cmd.exe")
@pytest.mark.parametrize("word", ["a b", "a&b", 'say "x"', "a b\\", "(x)", "a|b>c", "it's", "^"])
def test_cmd_reads_back_the_word(word: str) -> None:
    program = "import sys; print(ascii(sys.argv[1:]))"
    line = f'cmd /d /s /c "{sys.executable} -c "{program}" {quoted_as_windows(word)}"'
    ran = subprocess.run(line, capture_output=True, text=True, check=False)
    assert ran.stdout.strip() == ascii([word])


class TestPatCommand:
    """The commands of `pat` that messages propose."""

    @pytest.mark.parametrize(
        ("name", "options", "line"),
        [
            ("ci", (), "pat rotate ci"),
            ("ci", ("--org", "contoso"), "pat rotate ci --org contoso"),
            ("-x", (), "pat rotate -- -x"),
            ("--yes", ("--org", "contoso"), "pat rotate --org contoso -- --yes"),
            ("-x", ("--scope", "…"), "pat rotate --scope … -- -x"),
        ],
    )
    def test_options_stand_before_a_double_dash(
        self, name: str, options: tuple[str, ...], line: str
    ) -> None:
        assert pat_command("rotate", name, options=options) == line

    @pytest.mark.parametrize("name", ["ci build", "it's", "-x $(id)"])
    def test_quoted(self, name: str) -> None:
        line = pat_command("get", name, options=("--org", "a b"))
        assert quoted(name) in line
        assert f"--org {quoted('a b')}" in line

    @pytest.mark.parametrize(
        ("verb", "options"),
        [
            ("create", ("--for", "git", "--replace")),
            ("create", ("--scope", "…")),
            ("ensure", ("--scope", "vso.code", "--scope", "-odd")),
            ("forget", ("--org", "contoso")),
            ("get", ()),
            ("import", ("--id", "ID")),
            ("revoke", ("--org", "contoso")),
            ("rotate", ("--org", "contoso")),
            ("setup", ("--undo", "--feed", "-odd")),
            ("update", ("--scope", "code_write")),
        ],
    )
    @given(name=NAMES)
    def test_the_command_reads_back_what_was_meant(
        self, name: str, verb: str, options: tuple[str, ...]
    ) -> None:
        command = root.get_command(click.Context(root), verb)
        assert command is not None
        (argument,) = [each for each in command.params if isinstance(each, click.Argument)]
        parser = command.make_parser(click.Context(command))
        for each in (name, f"-{name}"):
            program, typed, *words = split(pat_command(verb, each, options=options))
            values, more, _ = parser.parse_args(words)
            found = values.pop(str(argument.name))
            assert (program, typed, more) == ("pat", verb, [])
            assert (found if isinstance(found, str) else [*found]) in (each, [each])
            assert len(values) == len({one for one in options if one.startswith("--")})


def test_every_hint_with_a_name_is_built_so() -> None:
    """A line of its own would put options behind `--`, or forget to quote."""
    source = Path(str(azdo_pat.__file__)).parent
    by_hand = [
        f"{file.name}: {found}"
        for file in sorted(source.rglob("*.py"))
        for found in re.findall(
            r"pat (?!setup)[a-z]+ (?:--?\S+ )*\{(?:[a-z_]+\.)*name\b", file.read_text("utf-8")
        )
    ]
    assert by_hand == []
