"""The man pages, as mandoc judges them."""

import shutil
import subprocess
from pathlib import Path

import pytest

from drivers import need

PAGES = sorted((Path(__file__).parents[2] / "docs" / "man").glob("*.1"))
UNDATED = "missing date"
"""The version in each page says which program it is about."""


def test_mandoc_finds_nothing_wrong(request: pytest.FixtureRequest) -> None:
    need(request.config, [] if shutil.which("mandoc") else ["mandoc"])
    lint = ["mandoc", "-T", "lint", "-W", "warning", *map(str, PAGES)]
    said = subprocess.run(lint, capture_output=True, encoding="utf-8", check=False).stdout
    lines = said.splitlines()
    assert len(lines) >= len(PAGES) > 0, "it warns of each missing date"
    assert [line for line in lines if UNDATED not in line] == []
