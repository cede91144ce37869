"""Records the test entries of the keyring, which a killed process leaves behind."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


class Probes:
    """A folder with an empty file per test entry, locked by the process that uses it.

    A keyring does not list its entries, so their names are recorded here. If the folder
    cannot be written nothing is recorded; nothing depends on it.

    Args:
        folder: None for none.
    """

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder

    @contextmanager
    def noted(self) -> Iterator[str]:
        """Yield the name of a test entry, recorded until the block succeeds.

        Two processes that try it at once get names of their own.
        """
        name = f"probe-{os.urandom(8).hex()}"
        if self._folder is None:
            yield name
            return
        from azdo_pat.store.locks import in_turn  # noqa: PLC0415 - reading a secret needs no lock

        try:
            with in_turn(self._folder / name, 0):
                yield name
        except BaseException:
            self._keep(name)
            raise
        self.forget(name)  # if the block failed the entry may exist, so its record stays

    def left_behind(self) -> tuple[str, ...]:
        """Return the names of entries whose process has ended without deleting them."""
        if self._folder is None:
            return ()
        try:
            files = sorted(self._folder.iterdir())
        except OSError:
            return ()
        if not files:
            return ()
        from azdo_pat.store.locks import is_held  # noqa: PLC0415 - as above

        left = tuple(file.name for file in files if not is_held(file))
        for name in left:
            self._keep(name)
        return left

    def _keep(self, name: str) -> None:
        """Restore the record, which on Windows goes with its lock."""
        if self._folder is not None:
            with suppress(OSError):
                (self._folder / name).touch()

    def forget(self, name: str) -> None:
        """Remove the record of a deleted entry."""
        if self._folder is not None:
            with suppress(OSError):
                (self._folder / name).unlink(missing_ok=True)
