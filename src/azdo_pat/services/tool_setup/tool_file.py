"""The file in which a tool is set up: read, changed and shown."""

from __future__ import annotations

import sys
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

from azdo_pat.delivery_targets import ToolTarget
from azdo_pat.errors import UsageError
from azdo_pat.files import (
    check_writable,
    clear_scratch,
    read_text,
    resolved,
    write_text,
)
from azdo_pat.store.folders import make_private
from azdo_pat.tools.diff import shown

if TYPE_CHECKING:
    from pathlib import Path

    from azdo_pat.models import StoredPat
    from azdo_pat.store.setup_records import SetupEntry
    from azdo_pat.tools.tool import Tool, ToolInput


class ToolFile(NamedTuple):
    """Where a tool is set up, and with what.

    Attributes:
        home: must be there; folders below it are made.
        entry: the token that it gets; None where it asks for one itself.
        why: why it gets this one, in words; empty if the user named it.
    """

    tool: Tool
    path: Path
    home: Path
    tool_input: ToolInput
    entry: StoredPat | None = None
    why: str = ""

    @property
    def about(self) -> str:
        """What it is set up for: the feed, or the organization whose token it gets."""
        return self.tool_input.feed or self.tool_input.org_url

    @property
    def delivery(self) -> ToolTarget:
        """The delivery target that writes each new secret to the file."""
        return ToolTarget(self.tool.known_as, str(self.path), self.about)

    def told(self, setup: SetupEntry, secret: str) -> ToolFile:
        """Return it with what the tool was told for a setup."""
        kept = secret if self.tool.keeps_secret else ""
        tool_input = self.tool_input._replace(
            feed=setup.feed,
            org_url=setup.org_url,
            secret=kept,
            servers=setup.servers or self.tool_input.servers,
        )
        return self._replace(tool_input=tool_input)

    def edited(self, text: str) -> str:
        """Return a content with what the tool is told in it.

        Raises:
            UsageError: it cannot be understood.
        """
        try:
            return self.tool.changed(text, self.tool_input)
        except UsageError as error:
            raise UsageError(f"{self.path}: {error.message}", hint=error.hint) from error

    def shown(self, before: str, after: str) -> str:
        """Return what is changed; what stands in the file when it holds no more is ours."""
        ours = {line.strip() for line in self.edited("").splitlines()}
        return shown(before, after, str(self.path), ours)

    def is_open(self) -> bool:
        """Tell whether others may read the file; on Windows its folder decides that."""
        return (
            sys.platform != "win32"
            and self.path.exists()
            and bool(self.path.stat().st_mode & 0o077)
        )

    def read(self) -> str:
        """Return what the file holds; nothing where there is none.

        Raises:
            UsageError: it cannot be read.
        """
        try:
            return read_text(self.path)
        except OSError as error:
            raise UsageError(
                f"{self.path} cannot be read: {error.strerror or error}",
                hint="check its permissions, or move it aside"
                if error.errno is not None
                else "save it as UTF-8 text, or move it aside",
            ) from error

    def write(self, text: str, *, mode: int | None) -> None:
        """Give the file this content.

        Raises:
            UsageError: it cannot be written; it is as it was.
        """
        try:
            make_private(self.path.parent)
            check_writable(self.path)
            write_text(self.path, text, mode=mode)
        except OSError as error:
            raise UsageError(
                f"{self.path} cannot be written: {error.strerror or error}",
                hint="check its folder and permissions; nothing has changed",
            ) from error

    def clear(self) -> None:
        """Delete what a run that was killed has left beside the file."""
        with suppress(OSError):
            clear_scratch(resolved(self.path))

    def remove(self) -> None:
        """Delete the file; a link to it stays.

        Raises:
            UsageError: it cannot be deleted.
        """
        try:
            resolved(self.path).unlink(missing_ok=True)
        except OSError as error:
            raise UsageError(
                f"{self.path} cannot be deleted: {error.strerror}",
                hint="check the permissions of its folder",
            ) from error
