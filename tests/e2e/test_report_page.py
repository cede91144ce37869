"""The page of `pat admin report --html` in a real browser."""

import html
import json
import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from azdo_pat.cli.main import pat as root
from drivers import Emulator, InProcess
from e2e.chromium import Chromium, left_edge

DARK = "--blink-settings=preferredColorScheme=0"
LIGHT = "--blink-settings=preferredColorScheme=1"
NAME = "</style><script>document.title = 'acted'</script>" + "long" * 200
WIDTHS = (360, 1200)


@pytest.fixture
def chromium(tmp_path: Path, request: pytest.FixtureRequest) -> Chromium:
    folder = tmp_path / "chromium"
    folder.mkdir()
    return Chromium(folder, request.config)


@pytest.fixture
def page(emulator: Emulator, tmp_path: Path, in_process: InProcess) -> Path:
    """Write the page about a crowd, and one hostile token."""
    emulator.invent_users(120, tokens=4)
    emulator.add_tokens(1, name=NAME[:256], scope="vso.code_full")
    file = tmp_path / "report.html"
    ran = in_process("admin", "report", "-o", "none", "--html", str(file))
    assert ran.exit_code == 0, ran.stderr
    return file


@pytest.fixture
def in_process(emulator: Emulator) -> InProcess:
    return InProcess(root, emulator.environment)


@pytest.fixture
def visited() -> Iterator[tuple[str, list[str]]]:
    """Serve anything on this machine; give the address, and what was asked for."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", asked
        server.shutdown()


MEASURE = """
onload = () => {
  const measured = [...document.querySelectorAll("iframe")].map(frame => {
    const root = frame.contentDocument.documentElement;
    const texts = [...root.querySelectorAll("svg.chart text")];
    return {
      overflow: root.scrollWidth - root.clientWidth,
      charts: root.querySelectorAll("svg.chart").length,
      smallest: Math.min(...texts.map(each => parseFloat(getComputedStyle(each).fontSize))),
      cut: texts.filter(each => {
        const one = each.getBoundingClientRect();
        const card = each.closest("section").getBoundingClientRect();
        return one.left < card.left || one.right > card.right;
      }).length,
      narrowest: Math.min(
        ...[...root.querySelectorAll(".list tbody th")].map(each => each.offsetWidth)
      ),
      title: frame.contentDocument.title,
    };
  });
  document.body.textContent = JSON.stringify(measured);
};
"""


def test_it_fits_a_phone_and_a_desk(page: Path, chromium: Chromium, tmp_path: Path) -> None:
    frames = "".join(
        f'<iframe width="{width}" height="900" srcdoc="{html.escape(page.read_text("utf-8"))}">'
        "</iframe>"
        for width in WIDTHS
    )
    outside = tmp_path / "outside.html"
    outside.write_text(
        f"<!DOCTYPE html><meta charset=utf-8><body><script>{MEASURE}</script>{frames}", "utf-8"
    )
    seen = re.search(r"<body>(.*)</body>", chromium.dom(outside), re.DOTALL)
    assert seen is not None
    measured: list[dict[str, Any]] = json.loads(html.unescape(seen[1]))
    assert len(measured) == len(WIDTHS)
    for each in measured:
        assert each["overflow"] == 0
        assert each["charts"] == 3
        assert each["smallest"] >= 10
        assert each["cut"] == 0
        assert each["narrowest"] >= 100
        assert each["title"].startswith("Personal access tokens of contoso")


def test_it_asks_for_nothing(
    page: Path, chromium: Chromium, visited: tuple[str, list[str]]
) -> None:
    assert "acted" not in re.findall("<title>(.*?)</title>", chromium.dom(page))[0]
    assert "CONSOLE" not in chromium.said
    # Whatever came through all the same would be stopped by the policy of the page.
    address, asked = visited
    foreign = (
        f"<img src='{address}/image'><script src='{address}/script'></script>"
        f"<script>document.title = 'acted'</script><link rel=stylesheet href='{address}/style'>"
        f"<style>body {{ background: url({address}/background) }}</style>"
        f"<iframe src='{address}/frame'></iframe></main>"
    )
    spoilt = page.with_name("spoilt.html")
    spoilt.write_text(page.read_text("utf-8").replace("</main>", foreign), "utf-8")
    assert "<title>Personal" in chromium.dom(spoilt)
    assert "Content Security Policy" in chromium.said
    assert asked == []


def test_light_dark_and_on_paper(page: Path, chromium: Chromium) -> None:
    # Below the header, whose color is dark in both, the left edge is the background.
    light = set(left_edge(chromium.picture(page, 1200, 900, LIGHT))[300:])
    dark = set(left_edge(chromium.picture(page, 500, 900, DARK))[300:])
    assert (len(light), len(dark)) == (1, 1)
    assert min(min(light)) > 230
    assert max(max(dark)) < 40
    assert chromium.printed(page).startswith(b"%PDF-")
