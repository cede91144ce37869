"""Folders of the user's own.

Whose the state file and the records of setups are is checked, as they say what is run and written.
The locks, the marks and the remembered backends beside them are not: they hold nothing that is
obeyed. Whoever could write there could let a command wait or fail, and look anew for what it knew.
"""

from pathlib import Path


def make_private(folder: Path) -> None:
    """Make a folder, and those above it that are missing, for their owner only.

    `Path.mkdir` leaves the mode of the missing parents to the umask.

    Raises:
        OSError: it cannot be made.
    """
    if not folder.is_dir():
        make_private(folder.parent)
        folder.mkdir(mode=0o700, exist_ok=True)
