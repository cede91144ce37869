"""Time, environment, streams, folders, settings and output of one run.

Imports are inside the functions that need them, so that a command imports only what it uses.
"""

from __future__ import annotations

import os
import sys
import threading
from contextlib import contextmanager, nullcontext
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Final, TextIO

from azdo_pat.cli.standard_streams import ascii_only, columns, in_color, is_in_foreground, terminal
from azdo_pat.errors import StoreError
from azdo_pat.formats import Format
from azdo_pat.homes import expanded, home_folder, other_owner

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from contextlib import AbstractContextManager

    from azdo_pat.cli.global_options import GlobalOptions
    from azdo_pat.config.settings import Value
    from azdo_pat.models import Setting
    from azdo_pat.output.messages import Messages
    from azdo_pat.output.render import Renderer, TableStyle
    from azdo_pat.output.waiting_line import WaitingLine

_OFF: Final = {"", "0", "false", "no", "off"}


class Runtime:
    """The environment of one run: the only place that reads it."""

    def __init__(self, options: GlobalOptions) -> None:
        self.options = options
        self.environment: Mapping[str, str] = os.environ
        self._one_line = threading.Lock()

    def now(self) -> datetime:
        """Return the time, aware, in UTC."""
        return datetime.now(UTC)

    @property
    def out(self) -> TextIO:
        """Standard output: data."""
        return sys.stdout

    @property
    def verbatim_out(self) -> TextIO:
        """Standard output without sanitizing, for programs; see `output.sanitize`."""
        stream: TextIO = getattr(sys.stdout, "verbatim", sys.stdout)
        return stream

    @property
    def err(self) -> TextIO:
        """Standard error: messages."""
        return sys.stderr

    @cached_property
    def config_file(self) -> Path:
        """The configuration file; it need not exist."""
        return self._folder("PAT_CONFIG_DIR", "config_folder") / "config.toml"

    @cached_property
    def state_folder(self) -> Path:
        """The folder of the local state; it need not exist."""
        folder = self._folder("PAT_STATE_DIR", "state_folder")
        if not self.environment.get("PAT_STATE_DIR") and (owner := other_owner(folder)):
            self.messages.warn(
                f"root creates files in {folder}, which belongs to {owner[1]}: {owner[1]} will not"
                " be able to use them; set HOME to root's home, or set PAT_STATE_DIR"
            )
        return folder

    def _folder(self, variable: str, otherwise: str) -> Path:
        given = self.environment.get(variable)
        if given:
            return expanded(Path(given))
        from azdo_pat.config import paths

        try:
            folder: Path = getattr(paths, otherwise)()
        except RuntimeError:  # some versions of platformdirs raise it, others leave a `~`
            home_folder()  # which says why there is none
            raise
        folder = expanded(folder)
        if not folder.is_absolute():  # else the owner of the current folder would choose both
            home_folder()  # as above
        self._check_owner(folder, variable)
        return folder

    def _check_owner(self, folder: Path, variable: str) -> None:
        """Check that `sudo` does not run as root with the home of the calling user.

        Raises:
            StoreError: it does, and the user could not use the files that root writes there.
        """
        owner = other_owner(folder)
        if owner is None or self.environment.get("SUDO_UID") != str(owner[0]):
            return
        raise StoreError(
            f"sudo runs pat as root with the home of {owner[1]}, and {owner[1]} could not use the"
            f" files that root creates in {folder}",
            hint=f"run pat without sudo, or with root's own home (sudo -H), or set {variable}",
        )

    @cached_property
    def file_values(self) -> Mapping[str, Value]:
        """The values set in the configuration file."""
        if not self.config_file.exists():
            return {}
        from azdo_pat.config.file import read

        return read(self.config_file)

    def setting(self, name: str) -> Value | None:
        """Return a setting: option, environment, file, default, in this order."""
        return self.explained(name).value

    def explained(self, name: str) -> Setting:
        """Return a setting and where it came from."""
        from azdo_pat.config.settings import key_named, parse_value
        from azdo_pat.models import Setting

        key = key_named(name)
        option = name.replace("-", "_")
        value: Value | None
        if (value := getattr(self.options, option, None)) is not None:
            source = self.options.sources.get(option, "option")
        elif text := self.environment.get(key.variable):
            value, source = parse_value(key, text, where=key.variable), key.variable
        elif name in self.file_values:
            value, source = self.file_values[name], "config file"
        else:
            value, source = key.default, "default"
        return Setting(key=name, value=value, source=source, summary=key.summary)

    def _switch(self, name: str) -> bool:
        return bool(self._quick(name))

    def _quick(self, name: str) -> Value | None:
        """Return an option or the value in the file, without importing the table of settings."""
        given: Value | None = getattr(self.options, name.replace("-", "_"), None)
        return self.file_values.get(name) if given is None else given

    @cached_property
    def messages(self) -> Messages:
        """The writer of messages on stderr."""
        from azdo_pat.output.messages import Messages

        return Messages(
            err=self.err,
            quiet=self._switch("quiet"),
            verbose=self._switch("verbose"),
            debug=self._switch("debug"),
            color=self._color(self.err),
            terminal=terminal(self.err, self.environment),
        )

    @property
    def waiting_line(self) -> WaitingLine | None:
        """The line that shows what is waited for; None where none is to be seen."""
        with self._one_line:  # threads that wait at the same time must share it
            return self._waiting_line

    @cached_property
    def _waiting_line(self) -> WaitingLine | None:
        shown = terminal(self.err, self.environment)
        hidden = self.environment.get("TERM") == "dumb" or "_PAT_COMPLETE" in self.environment
        if shown is None or hidden or self._switch("quiet"):
            return None
        from azdo_pat.output.waiting_line import WaitingLine

        return WaitingLine(
            self.err,
            self.out,
            terminal=shown,
            color=self._color(self.err),
            may_draw=is_in_foreground,
        )

    def share_waiting_line(self, other: Runtime) -> None:
        """Show on the line of another part of this program what is waited for."""
        self._waiting_line = other.waiting_line

    def waits(self, what: str, seconds: float | None = None) -> AbstractContextManager[object]:
        """Show what is waited for while a block runs; see `azdo_pat.waiting.Waits`."""
        line = self.waiting_line
        return nullcontext() if line is None or line.is_hidden else line.shown(what, seconds)

    @property
    def machine(self) -> str:
        """The name of this machine; empty if the system does not tell."""
        import socket

        try:
            return socket.gethostname()
        except OSError:
            return ""

    @property
    def must_not_ask(self) -> bool:
        """Whether prompts are forbidden: `--no-input`, or CI."""
        return self._switch("no-input") or self.environment.get("CI", "").lower() not in _OFF

    @property
    def may_ask(self) -> bool:
        """Whether the user can answer a prompt."""
        return not self.must_not_ask and sys.stdin.isatty() and self.err.isatty()

    @property
    def may_show(self) -> bool:
        """Whether the user can see a browser; stdin may still be a pipe."""
        return not self.must_not_ask and self.err.isatty()

    @cached_property
    def render(self) -> Renderer:
        """The writer of results on stdout, in the requested format."""
        from azdo_pat.output.render import Renderer

        return Renderer(
            out=self.out,
            format=Format(str(self._quick("output") or Format.TABLE)),
            now=self.now(),
            screen=self.screen(self.out),
            query=self.query,
        )

    @property
    def shows_tables(self) -> bool:
        """Whether the user reads messages and tables one below the other, on terminals."""
        if not (self.err.isatty() and self.out.isatty()):
            return False
        return self.query is None and str(self._quick("output") or Format.TABLE) == Format.TABLE

    @cached_property
    def query(self) -> Callable[[object], object] | None:
        """The function that applies `--query` to a document; None without `--query`."""
        if self.options.query is None:
            return None
        from azdo_pat.output.query import compile_query

        return compile_query(self.options.query)

    def screen(self, stream: TextIO) -> TableStyle:
        """Return what a stream can show, for tables."""
        from azdo_pat.output.render import TableStyle

        given = self.environment.get("COLUMNS", "")
        width = int(given) if given.isascii() and given.isdigit() and int(given) > 0 else None
        if width is None and stream.isatty():
            width = columns(stream, self.environment)
        return TableStyle(
            color=self._color(stream),
            width=width,
            ascii_only=ascii_only(stream, self.environment),
        )

    @contextmanager
    def progress(
        self, total: int | Callable[[], int | None], label: str
    ) -> Iterator[Callable[[], None]]:
        """Show a progress bar on stderr while the block runs, if stderr is a terminal.

        Args:
            total: how many items there are; or what returns that, or None as long as it is unknown.
            label: what they are.
        """
        how_many = total if callable(total) else lambda: total
        if how_many() in {0, 1} or not self.err.isatty() or self._switch("quiet"):
            yield lambda: None
            return
        from azdo_pat.output.progress import progress

        color = self._color(self.err)
        line = self.waiting_line
        with (
            nullcontext() if line is None else line.hidden(),
            progress(self.err, how_many, label, color=color) as bar,
            self.messages.written_by(bar.say),
        ):
            yield bar.step

    @property
    def preview(self) -> Renderer:
        """The writer on stderr of what a command is about to change."""
        from azdo_pat.output.render import Renderer

        screen = self.screen(self.err)
        return Renderer(out=self.err, format=Format.TABLE, now=self.now(), screen=screen)

    def _color(self, stream: TextIO) -> bool:
        return in_color(stream, str(self._quick("color")), self.environment)
