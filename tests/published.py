"""The files that the documentation publishes: blocks that stand below a mark."""

import re
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1]
PAGES = ROOT / "docs"
BLOCK = re.compile(
    r"^ *<!-- test: (?P<mark>[\w-]+) -->\n *```(?P<language>\w+)\n(?P<text>.*?)^ *```$",
    re.MULTILINE | re.DOTALL,
)


class Block(NamedTuple):
    """A block of a page.

    Attributes:
        page: the page's name without `.md`.
        mark: what the line above it calls it.
        language: what it is written in.
        text: the block itself, with line ends.
    """

    page: str
    mark: str
    language: str
    text: str

    @property
    def file(self) -> str:
        """The path that the comment in its first line names; empty if there is none."""
        named = re.match(r"(?:#|//) (\S+)\n", self.text)
        return named[1] if named else ""


def blocks() -> Iterator[Block]:
    """Yield each marked block of the documentation."""
    for page in sorted(PAGES.glob("*/*.md")):
        for found in BLOCK.finditer(page.read_text("utf-8")):
            text = textwrap.dedent(found["text"])
            yield Block(page.stem, found["mark"], found["language"], text)


def snippet(page: str, mark: str) -> str:
    """Return the block of a page that stands below its mark."""
    found = [each.text for each in blocks() if (each.page, each.mark) == (page, mark)]
    assert len(found) == 1, f"{page}.md has {len(found)} blocks below <!-- test: {mark} -->"
    return found[0]
