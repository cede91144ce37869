"""The signs that say at a glance what a line is, with colors or without."""

from enum import Enum


class Glyph(Enum):
    """A sign, and its stand-in where only ASCII can be shown."""

    DONE = ("\u2713", "+")
    WARNING = ("!", "!")
    ERROR = ("\u2717", "X")
    FIX = ("\u2192", "->")

    def shown(self, *, ascii_only: bool) -> str:
        """Return the sign as a stream can show it."""
        return self.value[ascii_only]
