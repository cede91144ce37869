"""The documentation: its links lead somewhere, and the command lines in it exist."""

import re
import shlex
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import click
import pytest

from azdo_pat.cli.main import pat
from azdo_pat.formats import Format
from azdo_pat.tools.registry import ALL
from command_tree import contexts

ROOT = Path(__file__).parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
LINK = re.compile(r"(?:\]\(|\bsrc(?:set)?=\")(?!https?://|mailto:)([^)\s\"]+)[)\"]")
FENCE = re.compile(r"^ *```(?P<language>\w*)[^\n]*\n(?P<text>.*?)^ *```", re.MULTILINE | re.DOTALL)
OPERATORS = set("();<>|&")
WITHOUT_GLYPH = re.compile(
    r"pat: |(?:created|rotated|renewed|revoked|updated|delivered|stored|forgot|signed|wrote) "
)
"""How a message begins that is not written to a terminal, where a glyph comes first."""


def without_fences(text: str) -> str:
    """Return a page's prose."""
    return FENCE.sub("", text)


def anchors(page: Path) -> set[str]:
    """Return the anchors that GitHub gives a page's headings."""
    headings = re.findall(r"^#+ +(.+)$", without_fences(page.read_text("utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def broken(page: Path) -> Iterator[str]:
    """Yield each relative link of a page that leads nowhere."""
    for link in LINK.findall(without_fences(page.read_text("utf-8"))):
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            yield link


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    assert list(broken(page)) == []


def test_every_page_can_be_reached_from_the_readme() -> None:
    reached, new = set[Path](), {ROOT / "README.md"}
    while new:
        reached |= new
        links = {
            (page.parent / link.partition("#")[0]).resolve()
            for page in new
            for link in LINK.findall(without_fences(page.read_text("utf-8")))
        }
        new = {link for link in links if link.suffix == ".md"} - reached
    assert set(PAGES) - reached == set()


def shell_lines(page: Path) -> Iterator[str]:
    """Yield the command lines in a page's shell and console blocks.

    Those of Windows' shells are written so that sh would find the same words in them.
    """
    for fence in FENCE.finditer(page.read_text("utf-8")):
        lines = fence["text"].replace("\\\n", " ").splitlines()
        if fence["language"] in {"sh", "bash"}:
            yield from lines
        elif fence["language"] in {"powershell", "bat"}:
            for line in lines:
                yield re.sub(r"^\$[\w:]+ = ", "", line).replace("\\", "/").replace("& ", "")
        elif fence["language"] == "console":
            yield from (line.strip()[2:] for line in lines if line.strip().startswith("$ "))


def invocations(line: str) -> Iterator[list[str]]:
    """Yield the words after each `pat` that a shell line runs."""
    words = shlex.shlex(line, posix=True, punctuation_chars=True)
    words.whitespace_split = True
    words.commenters = "#"
    command: list[str] = []
    for word in [*words, ";"]:
        if set(word) <= OPERATORS or word == "$":
            if command and Path(command[0]).stem == "pat":
                yield command[1:]
            command = []
        elif command or not re.match(r"\w+=", word):
            command.append(word)


DOCUMENTED = [
    pytest.param(words, id=f"{page.relative_to(ROOT)}: pat {shlex.join(words)}")
    for page in PAGES
    for line in shell_lines(page)
    for words in invocations(line)
]


@cache
def commands() -> dict[str, click.Context]:
    """Return every command's context by its path, `pat config get`."""
    return {context.command_path: context for context in contexts(pat)}


def wrong(words: list[str]) -> str | None:
    """Return the first word that names no command or option, or None."""
    known = commands()
    path, rest = "pat", iter(words)
    takers: dict[str, click.Option] = {}
    for word in rest:
        command = known[path].command
        takers |= {
            name: option
            for option in command.params
            if isinstance(option, click.Option)
            for name in (*option.opts, *option.secondary_opts)
        }
        option, has_value, _ = word.partition("=")
        if word == "--":
            return None
        if word.startswith("-"):
            if option in {"-h", "--help"}:
                continue
            if option not in takers:
                return word
            if not (takers[option].is_flag or takers[option].count or has_value):
                next(rest, None)
        elif isinstance(command, click.Group):
            if f"{path} {word}" not in known:
                return word
            path = f"{path} {word}"
        elif not known[path].allow_interspersed_args:
            return None  # the rest is another program's
    return None


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_console_shows_messages_as_a_terminal_does(page: Path) -> None:
    consoles = [
        fence["text"]
        for fence in FENCE.finditer(page.read_text("utf-8"))
        if fence["language"] == "console"
    ]
    lines = [line.strip() for text in consoles for line in text.splitlines()]
    assert [line for line in lines if WITHOUT_GLYPH.match(line)] == []


@pytest.mark.parametrize("words", DOCUMENTED)
def test_documented_command_line_exists(words: list[str]) -> None:
    assert wrong(words) is None


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["lsit"], "lsit"),
        (["list", "--no-such-option"], "--no-such-option"),
        (["--org", "contoso", "list"], None),
    ],
)
def test_the_check_itself_tells_right_from_wrong(words: list[str], expected: str | None) -> None:
    assert wrong(words) == expected


def test_the_contract_lists_every_format() -> None:
    contract = (ROOT / "docs/reference/contract.md").read_text("utf-8")
    table = contract.partition("| format | output |")[2].partition("\n\n")[0]
    assert re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE) == list(Format)


@pytest.mark.parametrize("tool", [tool.name for tool in ALL])
def test_the_start_page_links_a_page_about_each_tool(tool: str) -> None:
    start = (ROOT / "docs/index.md").read_text("utf-8")
    linked = [link for link in LINK.findall(start) if link.startswith("tools/")]
    pages = [(ROOT / "docs" / link).read_text("utf-8") for link in linked]
    named = re.compile(rf"\bpat setup {tool}\b|^# .*\b{tool}\b", re.MULTILINE | re.IGNORECASE)
    assert any(named.search(page) for page in pages)
