"""The colors of everything that is written for people, chosen to be readable on light and dark.

Each is one of the 240 fixed colors, which no terminal theme replaces, with a contrast of at least
3.8 to 1 on black and on white (https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio). The 16 named
colors differ from terminal to terminal, and yellow cannot be read on white in most.
"""

from enum import Enum


class Paint(Enum):
    """A color by its meaning. The text beside it must carry the same meaning."""

    GOOD = 28
    """Green: done, works."""
    WARNING = 130
    """Orange: needs attention soon."""
    ALARM = 160
    """Red: failed, stopped working."""
    COMMAND = 30
    """Cyan: a command that can be copied."""
    FAINT = 243
    """Grey: less important than what stands beside it."""

    @property
    def rich_style(self) -> str:
        """The style as rich names it."""
        return f"color({self.value})"

    def on(self, text: str) -> str:
        """Return a text in this color, for a terminal (ECMA-48, "Select Graphic Rendition")."""
        return f"\x1b[38;5;{self.value}m{text}\x1b[39m"
