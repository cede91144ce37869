"""Prepare the standard streams: replace closed ones, escape, sanitize, identify failed writes."""

from __future__ import annotations

import errno
import os
import stat
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TextIO, cast

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from azdo_pat.output.messages import Terminal


def prepare() -> None:
    """Make the streams ready for what the command writes."""
    _fill_in_closed()
    _set_encoding()
    _tell_output_errors(sys.stdout)


def discard_unwritten(stream: TextIO) -> None:
    """Discard what a stream could not write, or Python retries at exit and exits with 120."""
    try:
        stream.flush()
    except OSError:
        nothing = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nothing, stream.fileno())
        os.close(nothing)


def _fill_in_closed() -> None:
    """Replace the streams that were closed when the program started (`>&-`).

    Python leaves None there, and the next opened file would get their descriptors. Writing to the
    replacement of stdout fails, because lost output must not count as printed.
    """
    for name, mode, flags in (
        ("stdin", "r", os.O_RDONLY),
        ("stdout", "w", os.O_RDONLY),
        ("stderr", "w", os.O_WRONLY),
    ):
        if getattr(sys, name) is None:
            descriptor = os.open(os.devnull, flags)
            setattr(sys, name, open(descriptor, mode, encoding="utf-8"))  # noqa: SIM115, PTH123  # open to the end


def _set_encoding() -> None:
    """Make streams write UTF-8 and plain line feeds to files and pipes, on Windows too.

    PYTHONIOENCODING chooses otherwise; what cannot be encoded is escaped.
    """
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is None:
            continue
        if stream.isatty() or "PYTHONIOENCODING" in os.environ:
            reconfigure(errors="backslashreplace")
        else:
            reconfigure(encoding="utf-8", errors="backslashreplace", newline="\n")


class OutputError(OSError):
    """Writing to standard output failed."""


def _tell_output_errors(stream: TextIO) -> None:
    """Make a stream raise `OutputError` for a failed write, to distinguish it from other errors."""

    def telling(write: Callable[..., Any]) -> Callable[..., Any]:
        def told(*args: object) -> object:
            try:
                return write(*args)
            except BrokenPipeError:
                raise
            except OSError as error:
                invalid = sys.platform == "win32" and error.errno == errno.EINVAL
                if invalid and _is_pipe(stream):
                    raise BrokenPipeError from error  # so Windows says that the reader has left
                raise OutputError(error.errno, error.strerror or str(error)) from error

        return told

    for name in ("write", "flush"):
        setattr(stream, name, telling(getattr(stream, name)))


def _is_pipe(stream: TextIO) -> bool:
    try:
        return stat.S_ISFIFO(os.fstat(stream.fileno()).st_mode)
    except (OSError, ValueError):
        return False


@contextmanager
def without_pipeline_commands() -> Iterator[None]:
    """Neutralize logging commands in all output, if this is a step of a CI pipeline."""
    if not any(os.environ.get(name) for name in ("TF_BUILD", "GITHUB_ACTIONS")):
        yield
        return
    from azdo_pat.output.sanitize import SanitizedText  # only a pipeline needs it

    streams = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = (cast("TextIO", SanitizedText(stream)) for stream in streams)
    try:
        yield
    finally:
        sys.stdout, sys.stderr = streams


def in_color(stream: TextIO, requested: str, environment: Mapping[str, str]) -> bool:
    """Return whether to write colors to a stream; without `--color` it decides itself."""
    if requested in {"always", "never"}:
        return requested == "always"
    plain = environment.get("NO_COLOR") or environment.get("TERM") == "dumb"
    return stream.isatty() and not plain


def terminal(stream: TextIO, environment: Mapping[str, str]) -> Terminal | None:
    """Return what a stream can show; None if it is not a terminal."""
    if not stream.isatty():
        return None
    from azdo_pat.output.messages import Terminal  # only messages need it

    return Terminal(
        columns=lambda: columns(stream, environment), ascii_only=ascii_only(stream, environment)
    )


def columns(stream: TextIO, environment: Mapping[str, str]) -> int:
    """Return the width of a terminal: COLUMNS, what the terminal says, or 80."""
    given = environment.get("COLUMNS", "")
    if given.isascii() and given.isdigit() and int(given) > 0:
        return int(given)
    try:
        # Consoles of Windows begin a new line once the last column is written.
        return os.get_terminal_size(stream.fileno()).columns - (sys.platform == "win32") or 80
    except (OSError, ValueError):
        return 80


def ascii_only(stream: TextIO, environment: Mapping[str, str]) -> bool:
    """Return whether a stream cannot show the glyphs of messages.

    Python writes UTF-8 in the locale C, too (PEP 540), which users choose for plain ASCII.
    """
    if (environment.get("LC_ALL") or environment.get("LANG")) in {"C", "POSIX"}:
        return True
    from azdo_pat.output.glyphs import Glyph

    try:
        "".join(each.shown(ascii_only=False) for each in Glyph).encode(stream.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return True
    return False


def is_in_foreground() -> bool:
    """Return whether this program, and its children, have the terminal and get its keys."""
    if sys.platform == "win32":
        return True
    else:  # noqa: RET505 - mypy reads the branches of one system only
        try:
            terminal = os.open(os.ctermid(), os.O_RDONLY | os.O_NOCTTY)
        except OSError:
            return False  # there is none
        try:
            return os.tcgetpgrp(terminal) == os.getpgrp()
        except OSError:
            return False
        finally:
            os.close(terminal)
