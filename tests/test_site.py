"""The site that MkDocs makes: complete, of its own files only, and the same as on GitHub."""

import re
import subprocess
import sys
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

pytest.importorskip("material", reason="MkDocs and its theme are in the group `docs`")

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
PAGES = sorted(page.relative_to(DOCS) for page in DOCS.glob("**/*.md"))
SHAPES = ("h1", "h2", "h3", "li", "ol", "pre", "table", "td", "ul")
"""What a page looks different without."""
FETCHING = {"script": "src", "link": "href", "img": "src", "source": "srcset", "iframe": "src"}


class Shape(HTMLParser):
    """What an HTML text consists of, and what a browser fetches for it."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.shapes: Counter[str] = Counter()
        self.fetched: list[str] = []
        self.cells: list[str] = []
        self._in_cell = False
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in SHAPES:
            self.shapes[tag] += 1
        if address := dict(attrs).get(FETCHING.get(tag, "")):
            self.fetched.append(address)
        if tag == "td":
            self.cells.append("")
            self._in_cell = True

    def handle_endtag(self, tag: str) -> None:
        if tag == "td":
            self._in_cell = False

    def handle_data(self, data: str) -> None:
        if self._in_cell:
            self.cells[-1] += data


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the site as CI does, where each warning is a failure."""
    folder = tmp_path_factory.mktemp("site")
    build = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)]
    ran = subprocess.run(build, cwd=ROOT, capture_output=True, encoding="utf-8", check=False)
    assert ran.returncode == 0, ran.stderr
    return folder


def test_each_page_is_as_on_github_and_fetches_nothing_from_elsewhere(site: Path) -> None:
    different = {}
    for page in PAGES:
        html = (site / page).with_suffix(".html").read_text("utf-8")
        for address in Shape(html).fetched:
            assert ":" not in address
            assert (site / page.parent / address.partition("#")[0]).exists(), (page, address)
        article = html.partition("<article")[2].partition("</article>")[0]
        markdown = MarkdownIt("commonmark").enable("table").render((DOCS / page).read_text("utf-8"))
        here, there = Shape(article), Shape(markdown)
        if (here.shapes, here.cells) != (there.shapes, there.cells):
            different[page] = (here.shapes - there.shapes, {*here.cells} - {*there.cells})
    assert different == {}
    parts = [*site.glob("**/*.css"), *site.glob("images/**/*.svg")]
    fetched = re.compile(r"url\(\s*[\"']?(?:https?:)?//[^)]*")
    assert [each for each in parts if fetched.search(each.read_text("utf-8"))] == []
