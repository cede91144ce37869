"""A real browser without a window, for tests of pages."""

from __future__ import annotations

import shutil
import subprocess
import zlib
from typing import TYPE_CHECKING

from drivers import TIME_LIMIT, need

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import pytest

_OPTIONS = (
    "--headless",
    "--no-sandbox",  # it cannot be had by root
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--enable-logging=stderr",
)
_PNG = b"\x89PNG\r\n\x1a\n"


class Chromium:
    """Chromium, with a new profile each time."""

    def __init__(self, folder: Path, config: pytest.Config) -> None:
        self._folder = folder
        self._program = shutil.which("chromium") or ""
        need(config, [] if self._program else ["chromium"])
        self._runs = 0
        self.said = ""

    def dom(self, page: Path, *options: str) -> str:
        """Return a page as it is after it has loaded."""
        return self._run(page, "--dump-dom", *options)

    def picture(self, page: Path, width: int, height: int, *options: str) -> Path:
        """Return the picture of a page in a window of this size."""
        file = self._folder / f"{page.stem}-{self._runs}.png"
        self._run(page, f"--screenshot={file}", f"--window-size={width},{height}", *options)
        return file

    def printed(self, page: Path) -> bytes:
        """Return a page as PDF."""
        file = self._folder / f"{page.stem}.pdf"
        self._run(page, f"--print-to-pdf={file}")
        return file.read_bytes()

    def _run(self, page: Path, *options: str) -> str:
        """Open a page; `said` has what the console of the page and the program said."""
        self._runs += 1
        profile = f"--user-data-dir={self._folder / f'profile-{self._runs}'}"
        ran = subprocess.run(
            [self._program, *_OPTIONS, profile, *options, page.as_uri()],
            capture_output=True,
            encoding="utf-8",
            timeout=TIME_LIMIT * 3,
            check=True,
        )
        self.said = ran.stderr
        return ran.stdout


def left_edge(picture: Path) -> list[tuple[int, int, int]]:
    """Return the colors at the left edge of a PNG, from top to bottom."""
    content = picture.read_bytes()
    width = int.from_bytes(content[16:20])
    pixel = {2: 3, 6: 4}[content[25]]
    rows = zlib.decompress(b"".join(_chunks(content, b"IDAT")))
    above = [0] * pixel
    edge = []
    for start in range(0, len(rows), 1 + width * pixel):
        kind, raw = rows[start], rows[start + 1 : start + 1 + pixel]
        # The filters of PNG, where there is no pixel to the left.
        added = {0: [0] * pixel, 1: [0] * pixel, 2: above, 3: [each // 2 for each in above]}
        above = [(one + two) % 256 for one, two in zip(raw, added.get(kind, above), strict=True)]
        edge.append((above[0], above[1], above[2]))
    return edge


def _chunks(content: bytes, kind: bytes) -> Iterator[bytes]:
    assert content.startswith(_PNG)
    at = len(_PNG)
    while at < len(content):
        length = int.from_bytes(content[at : at + 4])
        if content[at + 4 : at + 8] == kind:
            yield content[at + 8 : at + 8 + length]
        at += length + 12
