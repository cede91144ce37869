"""Marker files: expendable facts, each an empty file whose time says since when."""

from contextlib import suppress
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

from azdo_pat.store.folders import make_private


class MarkerFiles:
    """A folder of marker files. If it cannot be written there are none; nothing depends on them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __bool__(self) -> bool:
        try:
            return any(self._folder.iterdir())
        except OSError:
            return False

    def since(self, key: str) -> datetime | None:
        """Return since when something is marked; None if it is not."""
        try:
            return datetime.fromtimestamp(self._file(key).stat().st_mtime, UTC)
        except OSError:
            return None

    def put(self, key: str) -> None:
        """Mark it, from now on."""
        with suppress(OSError):
            make_private(self._folder)
            self._file(key).touch(mode=0o600)

    def remove(self, key: str) -> None:
        """Remove the marker."""
        with suppress(OSError):
            self._file(key).unlink(missing_ok=True)

    def _file(self, key: str) -> Path:
        return self._folder / sha256(key.encode("utf-8", "surrogatepass")).hexdigest()[:32]
