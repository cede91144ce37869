"""Creates private folders.

The owner of the state file and the setup records is checked, as they name commands and files.
The owner of locks, marker files and the backend cache is not: their content is not
executed. Another user could at most delay a command, make it fail, or make it slower.
"""

from pathlib import Path


def make_private(folder: Path) -> None:
    """Create a folder, and its missing parents, for their owner only.

    `Path.mkdir` leaves the mode of the missing parents to the umask.

    Raises:
        OSError: it cannot be created.
    """
    if not folder.is_dir():
        make_private(folder.parent)
        folder.mkdir(mode=0o700, exist_ok=True)
