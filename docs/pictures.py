"""Make the pictures of the documentation: what the real program writes to a terminal, as SVG.

Each command runs in a pseudo-terminal of 80 columns, against an emulator, at a fixed time. What
differs from run to run and from machine to machine is replaced by something of the same width.
"""

import io
import os
import re
import secrets
import shlex
import shutil
import socket
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import pexpect
from rich.ansi import AnsiDecoder
from rich.console import Console
from rich.terminal_theme import TerminalTheme
from rich.text import Text

from azdo_pat.emulator.run import Options, RunningEmulator, start

FOLDER: Final = Path(__file__).parent / "images" / "terminal"
WIDTH: Final = 80
NOW: Final = datetime(2026, 11, 24, 9, 30, tzinfo=UTC)
TIME_LIMIT: Final = 60.0
MADE: Final = "a64081fd-7294-4161-a8c6-71c370e2f206"
"""The id that is shown for a token that was created."""
STYLE: Final = re.compile(r"\x1b\[[0-9;]*m")

PROGRAM: Final = f"""\
from datetime import datetime
from azdo_pat.cli import runtime
runtime.Runtime.now = lambda self: datetime.fromisoformat({NOW.isoformat()!r})
from azdo_pat.cli.main import pat
pat(prog_name="pat")
"""
"""`pat`, with its clock stopped."""


FEEDS: Final = "https://pkgs.dev.azure.com/contoso/_packaging"


@dataclass(frozen=True)
class Picture:
    """A picture: its name, and what follows `pat` in each command shown, and in those before."""

    name: str
    shown: tuple[str, ...]
    before: tuple[str, ...] = ()


PICTURES: Final = (
    Picture("first", ("create laptop --for git --expires 90d", "list")),
    Picture("list", ("list --all-orgs",)),
    Picture("check", ("check",)),
    Picture("status", ("status",)),
    Picture("doctor", ("doctor --org contosso",)),
    Picture(
        "setup",
        (f"setup npm --dry-run \\\n    --feed {FEEDS}/feed/npm/registry/",),
        before=("create packages --for packages",),
    ),
)

LIGHT: Final = TerminalTheme(
    (255, 255, 255),
    (31, 35, 40),
    [
        *[(0, 0, 0), (164, 14, 38), (17, 99, 41), (77, 45, 0)],
        *[(9, 105, 218), (130, 80, 223), (27, 124, 131), (110, 119, 129)],
    ],
)
DARK: Final = TerminalTheme(
    (13, 17, 23),
    (230, 237, 243),
    [
        *[(72, 79, 88), (255, 123, 114), (63, 185, 80), (210, 153, 34)],
        *[(88, 166, 255), (188, 140, 255), (57, 197, 207), (177, 186, 196)],
    ],
)
SVG: Final = """\
<svg class="rich-terminal" viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg">
<style>
.{unique_id}-matrix {{
  font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace;
  font-size: {char_height}px;
  line-height: {line_height}px;
  font-variant-east-asian: full-width;
}}
{styles}
</style>
<defs>
<clipPath id="{unique_id}-clip-terminal">
<rect x="0" y="0" width="{terminal_width}" height="{terminal_height}"/>
</clipPath>
{lines}
</defs>
{chrome}
<g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">
{backgrounds}
<g class="{unique_id}-matrix">
{matrix}
</g>
</g>
</svg>
"""
"""rich's own, without its fonts, which come from a server."""


def pictures() -> Iterator[tuple[Path, str]]:
    """Yield the file and the content of each picture, for a light and for a dark page."""
    with _stage() as stage:
        for picture in PICTURES:
            for line in picture.before:
                stage.run(line)
            text = Text("\n\n").join([stage.typed(line) for line in picture.shown])
            for name, theme in (("light", LIGHT), ("dark", DARK)):
                yield FOLDER / f"{picture.name}-{name}.svg", _svg(text, theme)


def _svg(text: Text, theme: TerminalTheme) -> str:
    console = Console(
        file=io.StringIO(),
        record=True,
        width=WIDTH,
        force_terminal=True,
        color_system="truecolor",
        legacy_windows=False,
    )
    console.print(text)
    drawn = console.export_svg(title="", theme=theme, code_format=SVG, unique_id="pat")
    drawn = drawn.replace('stroke="rgba(255,255,255,0.35)"', 'stroke="#80808080"')  # also on white
    return re.sub(r" +$", "", drawn, flags=re.MULTILINE)


class _Stage:
    """A home, a keyring and an emulator, in which commands run."""

    def __init__(self, home: Path, emulator: RunningEmulator) -> None:
        self._home = home
        self._feeds = f"{emulator.url}/contoso/_packaging"
        self._replaced = {
            str(home): "/home/ada",
            self._feeds: FEEDS,
            self._feeds.removeprefix("http:"): FEEDS.removeprefix("https:"),
            emulator.url: "https://dev.azure.com",
        }
        self._environment = {
            "HOME": str(home),
            "LANG": "C.UTF-8",
            "PATH": os.defpath,
            "PAT_ACCESS_TOKEN": emulator.access_token,
            "PAT_API_URL": emulator.url,
            "PAT_KEYRING": "azdo_pat.store.sandbox_keyring.SandboxKeyring",
            "PAT_ORG": emulator.organization,
            "PAT_THROWAWAY_KEYRING": str(home / "keyring.json"),
            "TERM": "xterm-256color",
            "TZ": "UTC",
        }

    def run(self, line: str) -> str:
        """Run `pat` on a terminal; return all that it wrote there."""
        terminal = pexpect.spawn(
            sys.executable,
            ["-c", PROGRAM, *shlex.split(line.replace("\\\n", " ").replace(FEEDS, self._feeds))],
            cwd=str(self._home),
            env=self._environment,
            encoding="utf-8",
            dimensions=(40, WIDTH),
            timeout=TIME_LIMIT,
        )
        said: str = terminal.read()
        terminal.close()
        return said

    def typed(self, line: str) -> Text:
        """Return what a terminal shows of a command: the line, and what it wrote."""
        said = self.run(line).replace("\r\n", "\n").rstrip("\n")
        made = re.search(r"^ID +([0-9a-f-]{36})\b", STYLE.sub("", said), re.MULTILINE)
        if made:
            self._replaced |= {made[1]: MADE, made[1][:8]: MADE[:8]}
        for ours, shown in self._replaced.items():
            said = said.replace(ours, shown)
        prompt = Text.assemble(("$ ", "bold"), (f"pat {line}", "bold"))
        return Text("\n").join([prompt, *_broken(AnsiDecoder().decode(said))])


def _broken(lines: Iterable[Text]) -> Iterator[Text]:
    """Yield lines as a terminal shows them, which breaks long ones at its edge."""
    for line in lines:
        yield from line.divide(range(WIDTH, len(line), WIDTH))


@contextmanager
def _stage() -> Iterator[_Stage]:
    home = _home()
    try:
        with start(Options(port=_port()), clock=lambda: NOW) as emulator:
            yield _Stage(home, emulator)
    finally:
        shutil.rmtree(home)


def _home() -> Path:
    """Make a folder whose path is as long as the one that is shown for it."""
    while True:
        folder = Path("/tmp", secrets.token_hex(2))  # noqa: S108  # made here, or not used
        with suppress(FileExistsError):
            folder.mkdir(mode=0o700)
            return folder


def _port() -> int:
    """Return a free port of four digits: the address is then as long as that of the service."""
    for port in range(8700, 9999):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise OSError("no free port")
