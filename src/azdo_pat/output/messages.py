"""Write notices, warnings and errors on stderr, as plain text without rich."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Final, NamedTuple, TextIO

from azdo_pat.errors import PatError
from azdo_pat.output.escape import visible, visible_json
from azdo_pat.output.glyphs import Glyph
from azdo_pat.output.palette import Paint

_INDENT: Final = "     "
_LABELS: Final = {Glyph.WARNING: "pat: warning:", Glyph.ERROR: "pat:"}
"""How a line begins that is not for a terminal; that something is done needs no label."""
_PAINTS: Final = {Glyph.DONE: Paint.GOOD, Glyph.WARNING: Paint.WARNING, Glyph.ERROR: Paint.ALARM}

_DIFF_PAINTS: Final = {"+": Paint.GOOD, "-": Paint.ALARM, "@": Paint.FAINT}


class Terminal(NamedTuple):
    """What a terminal can show.

    Attributes:
        columns: returns its width now; users change it.
        ascii_only: it has no other characters.
    """

    columns: Callable[[], int]
    ascii_only: bool


class Messages:
    """Writes messages on stderr, with secrets masked and control characters escaped.

    On a terminal, lines are fitted to its width and begin with a glyph. Elsewhere each fact is one
    line, which programs can read, and only its label has a color, if any.

    Args:
        err: stderr.
        quiet: suppress notices; warnings and errors are still written.
        verbose: also write details.
        debug: also write details and traces.
        color: use colors.
        terminal: what stderr can show; None if it is not a terminal.
    """

    def __init__(
        self,
        *,
        err: TextIO,
        quiet: bool,
        verbose: bool,
        debug: bool,
        color: bool,
        terminal: Terminal | None = None,
    ) -> None:
        self._err = err
        self._quiet = quiet
        self.verbose = verbose or debug
        self.debug = debug
        self._color = color
        self._terminal = terminal
        self._write: Callable[[str], None] = self._write_line

    def done(self, text: str) -> None:
        """Write what the command has changed."""
        if not self._quiet:
            self._say(text, Glyph.DONE)

    def notice(self, text: str) -> None:
        """Write a notice: what is to be known, or to be done next."""
        if not self._quiet:
            self._say(text)

    def problem(self, text: str) -> None:
        """Write, as a notice, that something is not in order."""
        if not self._quiet:
            self._say(text, Glyph.ERROR)

    def warn(self, text: str) -> None:
        """Write a warning, even with `--quiet`."""
        self._say(text, Glyph.WARNING)

    def detail(self, text: str) -> None:
        """Write a detail, with `--verbose` only."""
        if self.verbose:
            self._say(text)

    def trace(self, text: str) -> None:
        """Write a text of one or more lines, with `--debug` only."""
        if self.debug:
            for line in text.split("\n"):
                self._put(self._painted(_shown(line), Paint.FAINT))

    def diff(self, text: str) -> None:
        """Write a unified diff, as it is: its lines are those of a file."""
        if not self._quiet:
            for line in text.splitlines():
                # Of its head, only the names of the files begin with three signs and a blank.
                head = line.startswith(("--- ", "+++ "))
                paint = None if head else _DIFF_PAINTS.get(line[:1])
                self._put(self._painted(_shown(line), paint) if paint else _shown(line))

    def error(self, error: PatError, *, as_json: bool) -> None:
        """Write an error and its hint, as one JSON object if `as_json`."""
        if as_json:
            self._put(_error_json(error))
            return
        self._say(error.message, Glyph.ERROR)
        indent = _INDENT if self._terminal is None else "  "
        for line in error.hint.split("\n") if error.hint else []:  # the ids of tokens of one name
            self._say(f"{indent}{line}")
        for line in _of_service(error):
            self._say(f"{indent}{line}", has_commands=False)

    @contextmanager
    def written_by(self, write: Callable[[str], None]) -> Iterator[None]:
        """Let a function write each line while the block runs, as something else is drawn there."""
        before, self._write = self._write, write
        try:
            yield
        finally:
            self._write = before

    def _say(self, text: str, glyph: Glyph | None = None, *, has_commands: bool = True) -> None:
        """Write a message of one line; a terminal may show it as several.

        Args:
            text: the message.
            glyph: what it begins with on a terminal.
            has_commands: highlight the commands in it; not in what others have written, who could
                propose any.
        """
        if self._terminal is None:
            self._put(self._labelled(_shown(text), glyph))
        else:
            color = self._color and has_commands
            for line in self._fitted(_shown(text), glyph, self._terminal, color=color):
                self._put(line)

    def _labelled(self, text: str, glyph: Glyph | None) -> str:
        if glyph is None or glyph not in _LABELS:
            return text
        return f"{self._painted(_LABELS[glyph], _PAINTS[glyph])} {text}"

    def _fitted(
        self, text: str, glyph: Glyph | None, terminal: Terminal, *, color: bool
    ) -> list[str]:
        from azdo_pat.output.wrapping import wrapped  # noqa: PLC0415 - only a terminal needs it

        if glyph is None:
            return wrapped(text, terminal.columns(), color=color)
        sign = glyph.shown(ascii_only=terminal.ascii_only)
        first, *more = wrapped(text, terminal.columns(), first=f"{sign} ", color=color)
        return [self._painted(sign, _PAINTS[glyph]) + first.removeprefix(sign), *more]

    def _put(self, line: str) -> None:
        # The reader may be gone (`2>&1 | head`): the work continues, and its result counts.
        with suppress(OSError):
            self._write(line)

    def _write_line(self, line: str) -> None:
        self._err.write(line + "\n")
        self._err.flush()

    def _painted(self, text: str, paint: Paint) -> str:
        return paint.on(text) if self._color else text


def _shown(text: str) -> str:
    """Return a text that is safe on a terminal: secrets masked, control characters escaped."""
    return visible(_masked(text))


def _masked(text: str) -> str:
    from azdo_pat.redaction import masked  # noqa: PLC0415 - a run without messages needs none of it

    return masked(text)


def _of_service(error: PatError) -> list[str]:
    lines = []
    if error.server_message:
        # A server's message may have lines of its own, which say no more than spaces would.
        lines.append(f"the service said: {' '.join(error.server_message.split())}")
    if error.activity_id:
        lines.append(f"activity id: {error.activity_id}")
    return lines


def _error_json(error: PatError) -> str:
    document: dict[str, object] = {
        "error": error.error,
        "message": _masked(error.message),
        "hint": _masked(error.hint),
        "exit_code": int(error.exit_code),
    }
    if error.server_message:
        document["server_message"] = _masked(error.server_message)
    if error.activity_id:
        document["activity_id"] = _masked(error.activity_id)
    import json  # noqa: PLC0415 - as above

    return visible_json(json.dumps(document, ensure_ascii=False))
