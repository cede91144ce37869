"""Finds positions in an XML file, to change parts of it and preserve the rest."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final
from xml.parsers import expat
from xml.sax.saxutils import escape

from azdo_pat.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

__all__ = ["Element", "escape", "inserted_into", "section", "with_children"]

_TAG: Final = re.compile(rb"""(?:[^"'>]|"[^"]*"|'[^']*')*+>""")


@dataclass
class Element:
    """An element, and its position in the file.

    Attributes:
        name: without the prefix of a namespace.
        start: of its first tag.
        inner: the end of its first tag.
        last: the start of its last tag; equal to `inner` if it is empty (`<a/>`).
        end: after its last tag.
    """

    name: str
    attributes: dict[str, str]
    start: int
    inner: int = -1
    last: int = -1
    end: int = -1
    text: str = ""
    children: list[Element] = field(default_factory=list)

    def named(self, name: str) -> Iterator[Element]:
        """Yield the children of that name."""
        return (child for child in self.children if child.name == name)

    def first(self, name: str) -> Element | None:
        """Return the first child of that name."""
        return next(self.named(name), None)

    @property
    def is_empty(self) -> bool:
        """Return whether it is written as a single tag."""
        return self.last == self.inner == self.end


def section(content: bytes, root_name: str, name: str) -> tuple[bytes, Element]:
    """Return a child of the root element, created if missing, and the file with it.

    The markup of the file must be ASCII.

    Raises:
        UsageError: it is not XML, or has another root.
    """
    root = _XmlReader(content).root()
    if root.name != root_name:
        raise UsageError(
            f"its root element is not {root_name}", hint="check that it is the right file"
        )
    if found := root.first(name):
        return content, found
    made = inserted_into(content, root, [f"<{name}>", f"</{name}>"], 1)
    return section(made, root_name, name)


class _XmlReader:
    """Reads one file, recording positions reported by expat."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self._open: list[Element] = []
        self._roots: list[Element] = []
        self._waiting: Element | None = None
        self._parser = expat.ParserCreate()
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._text
        self._parser.CommentHandler = self._settle
        self._parser.ProcessingInstructionHandler = self._settle
        self._parser.StartCdataSectionHandler = self._settle
        # Positions in a file that declares entities are not reliable.
        self._parser.EntityDeclHandler = _refuse_entities

    def root(self) -> Element:
        """Read the whole file, and return the root element."""
        try:
            self._parser.Parse(self._content, True)  # noqa: FBT003  # the parser's signature
        except expat.ExpatError as error:
            raise UsageError(
                f"line {error.lineno} is not valid XML: {expat.errors.messages[error.code]}",
                hint="correct the file, or move it aside",
            ) from error
        return self._roots[0]

    def _settle(self, *_: object) -> None:
        """Record the end of the last element's first tag: the start of the next item."""
        if self._waiting is not None:
            self._waiting.inner = self._parser.CurrentByteIndex
            self._waiting = None

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        self._settle()
        here = self._parser.CurrentByteIndex
        element = Element(tag.rpartition(":")[2], attributes, here)
        (self._open[-1].children if self._open else self._roots).append(element)
        self._open.append(element)
        self._waiting = element

    def _end(self, _: str) -> None:
        element = self._open.pop()
        here = self._parser.CurrentByteIndex
        close = _end_of_tag(self._content, element.start)
        if element is self._waiting and self._content[:close].endswith(b"/>"):
            self._waiting = (
                None  # expat reports the end of <a/> sometimes at its start, sometimes after it
            )
            element.inner = element.last = element.end = close
            return
        self._settle()
        element.last = here
        element.end = self._content.index(b">", here) + 1

    def _text(self, words: str) -> None:
        self._settle()
        if self._open:
            self._open[-1].text += words


def with_children(
    content: bytes,
    parent: Element,
    tags: Mapping[str, str],
    key_of: Callable[[Element], str],
    depth: int,
) -> bytes:
    """Return a file in which tags replace the children of the same keys, or are inserted.

    Args:
        content: of the file.
        parent: of the children.
        tags: by their keys; an empty one only removes.
        key_of: finds the key of a child.
        depth: see `inserted_into`.
    """
    held = {key_of(child) for child in parent.children}
    if new := [tag for key, tag in tags.items() if tag and key not in held]:
        content = inserted_into(content, parent, new, depth)
    for child in reversed(parent.children):
        if (tag := tags.get(key_of(child))) is not None:
            content = content[: child.start] + tag.encode() + content[child.end :]
    return content


def inserted_into(content: bytes, parent: Element, lines: list[str], depth: int) -> bytes:
    """Return a file with lines inserted at the end of an element, indented like its children.

    Args:
        content: of the file.
        parent: of the inserted lines; one written as `<a/>` is opened.
        lines: without indentation of their own level.
        depth: how deep the children of `parent` are: 1 for those of the root.
    """
    end = b"\r\n" if b"\r\n" in content else b"\n"
    step = _indentation(content)
    block = b"".join(step * depth + line.encode() + end for line in lines)
    if parent.is_empty:
        tag = content[parent.start : parent.end].rstrip(b">").rstrip().rstrip(b"/").rstrip() + b">"
        close = b"</" + tag[1:].split()[0].rstrip(b">") + b">"
        opened = tag + end + block + step * (depth - 1) + close
        return content[: parent.start] + opened + content[parent.end :]
    before = content[: parent.last]
    own = before[len(before.rstrip(b" \t")) :]
    if before.endswith(b"\n" + own):
        before = before[: len(before) - len(own)]
    else:
        before += end
        own = step * (depth - 1)
    return before + block + own + content[parent.last :]


def _indentation(content: bytes) -> bytes:
    """Return the file's indentation step: a tab, or a number of spaces."""
    for line in content.splitlines():
        stripped = line.lstrip(b" \t")
        if stripped.startswith(b"<") and len(stripped) < len(line):
            return line[: len(line) - len(stripped)]
    return b"  "


def _end_of_tag(content: bytes, start: int) -> int:
    """Return the position after a tag, whose attributes may contain `>`."""
    found = _TAG.match(content, start)
    return start if found is None else found.end()


def _refuse_entities(*_: object) -> None:
    raise UsageError("it declares entities", hint="pat does not change files that declare entities")
