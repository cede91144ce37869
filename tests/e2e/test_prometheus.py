"""The metrics of `pat check`, judged by Prometheus' own programs."""

import re
import shutil
import socket
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from azdo_pat.formats import CheckForm
from azdo_pat.judgement import is_active
from azdo_pat.output.checked_writer import checked_text
from azdo_pat.output.result_file import replace_file
from azdo_pat.output.sanitize import without_commands
from drivers import TIME_LIMIT, need
from output.found import HOSTILE, SAMPLE, checked, expiring, of_everyone, user

FOUND = checked(
    *SAMPLE.pats,
    *(expiring(name, id=f"id-{number}") for number, name in enumerate(HOSTILE)),
)

OF_EVERYONE = of_everyone(
    *((expiring(name, id=f"id-{number}"), user(name)) for number, name in enumerate(HOSTILE)),
)


@pytest.fixture
def program(request: pytest.FixtureRequest) -> Callable[[str], str]:
    """Return what finds a program, or skips the test."""

    def find(name: str) -> str:
        path = shutil.which(name)
        need(request.config, [] if path else [name])
        return path or ""

    return find


@contextmanager
def node_exporter(path: str, folder: Path) -> Iterator[Callable[[], str]]:
    """Start a node_exporter that reads a folder; give what returns its metrics."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    options = ["--collector.disable-defaults", "--collector.textfile"]
    options += [f"--collector.textfile.directory={folder}", f"--web.listen-address={address}"]
    command = [path, *options]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:

        def scrape() -> str:
            end = time.monotonic() + TIME_LIMIT
            while True:
                try:
                    with urllib.request.urlopen(f"http://{address}/metrics") as answer:
                        return str(answer.read().decode())
                except OSError:
                    assert time.monotonic() < end
                    time.sleep(0.1)

        try:
            yield scrape
        finally:
            server.terminate()


def test_promtool_finds_nothing_to_criticize(program: Callable[[str], str]) -> None:
    ran = subprocess.run(
        [program("promtool"), "check", "metrics"],
        input="".join(
            checked_text(found, CheckForm.PROMETHEUS, lambda _: False)
            for found in (FOUND, OF_EVERYONE)
        ),
        capture_output=True,
        encoding="utf-8",
        timeout=TIME_LIMIT,
        check=False,
    )
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "", "")


def test_node_exporter_serves_the_file(program: Callable[[str], str], tmp_path: Path) -> None:
    text, other = (
        checked_text(found, CheckForm.PROMETHEUS, lambda _: False) for found in (FOUND, OF_EVERYONE)
    )
    with node_exporter(program("prometheus-node-exporter"), tmp_path) as scrape:
        replace_file(tmp_path / "tokens.prom", text, mode=0o644)
        replace_file(tmp_path / "tokens-of-everyone.prom", other, mode=0o644)
        served = scrape()
        assert "\nnode_textfile_scrape_error 0\n" in served
        watched = [pat for pat in FOUND.pats if is_active(pat, FOUND.now)]
        assert names(served) == {without_commands(pat.name) for pat in watched}
        series = [line for line in (text + other).splitlines() if not line.startswith("#")]
        own = [line for line in served.splitlines() if line.startswith("pat_")]
        assert len(own) == len(series)
        replace_file(
            tmp_path / "tokens.prom", text.replace("pat_check_complete 1", "x{"), mode=0o644
        )
        assert "\nnode_textfile_scrape_error 1\n" in scrape()  # it does tell


def names(metrics: str) -> set[str]:
    """Return the names of the tokens in metrics."""
    escaped = re.findall(r'^pat_token_global\{.*name="((?:\\.|[^"\\])*)"', metrics, re.MULTILINE)
    return {re.sub(r"\\(.)", r"\1", name) for name in escaped}
