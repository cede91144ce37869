"""Caches which keyring backends were used last, to skip keyring's search for them."""

import contextlib
import os
import sys
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from azdo_pat.store.folders import make_private

_PREFIX: Final = "keyring.backends."
_VARIABLES: Final = (
    "PYTHON_KEYRING_BACKEND",
    "DBUS_SESSION_BUS_ADDRESS",
    "XDG_CURRENT_DESKTOP",
    "XDG_RUNTIME_DIR",
    "XDG_CONFIG_HOME",
    "HOME",
    "LOCALAPPDATA",
)
"""The variables by which keyring and its backends choose (source: `keyring/core.py`,
`keyring/util/platform_.py`, `keyring/backends/kwallet.py`). The `KEYRING_PROPERTY_*` variables
configure a backend but choose none, and may hold a password: they are left out."""


class BackendCache:
    """A small file: a checksum of the environment, then one class path per line.

    Only keyring's own backends are stored, so that the file cannot name code to run. It is
    a cache: if it cannot be read or written, everything works without it, more slowly. It is read
    once: the checksum looks at every folder of Python's packages.
    """

    def __init__(self, file: Path | None, environment: Mapping[str, str]) -> None:
        self._file = file
        self._environment = environment
        self._paths: tuple[str, ...] | None = None  # None: not read yet

    def recall(self) -> tuple[str, ...]:
        """Return the class paths, best first; none if the environment has changed."""
        if self._paths is None:
            self._paths = self._read()
        return self._paths

    def _read(self) -> tuple[str, ...]:
        if self._file is None:
            return ()
        try:
            fingerprint, *paths = self._file.read_text(encoding="utf-8").splitlines()
        except (OSError, ValueError):
            return ()
        if fingerprint != self._fingerprint() or not all(map(_is_own, paths)):
            return ()
        return tuple(paths)

    def keep(self, paths: Sequence[str]) -> None:
        """Cache these backends, unless one of them is not keyring's own."""
        if self._file is None or not all(map(_is_own, paths)):
            return
        self._paths = tuple(paths)
        text = "\n".join((self._fingerprint(), *paths, ""))
        beside = self._file.with_name(f"{self._file.name}.{os.getpid()}")
        with contextlib.suppress(OSError):
            make_private(self._file.parent)
            # Created anew, never opened, so that a link placed there is not followed.
            descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                file.write(text)
            beside.replace(self._file)

    def drop(self) -> None:
        """Delete the cache."""
        self._paths = ()
        if self._file is not None:
            with contextlib.suppress(OSError):
                self._file.unlink(missing_ok=True)

    def _fingerprint(self) -> str:
        """Return a checksum of everything that determines the available backends.

        An installed or removed package changes the modification time of the folder it is in.
        """
        folders = [(folder, _modified(folder)) for folder in sys.path]
        config = _config_file(self._environment)
        parts = (
            sys.platform,
            sys.version,
            sys.prefix,
            folders,
            (config, _modified(config)),
            [self._environment.get(name) for name in _VARIABLES],
        )
        # A checksum, because it detects changes, not attacks.
        return f"{zlib.crc32(repr(parts).encode('utf-8', 'backslashreplace')):08x}"


def _is_own(path: str) -> bool:
    return path.startswith(_PREFIX) and all(map(str.isidentifier, path.split(".")))


def _modified(path: str) -> int | None:
    try:
        return os.stat(path).st_mtime_ns  # noqa: PTH116 - entries of sys.path are texts
    except (OSError, ValueError):
        return None


def _config_file(environment: Mapping[str, str]) -> str:
    """Return the path of keyring's own configuration (source: `keyring/util/platform_.py`)."""
    if sys.platform == "win32":
        root = environment.get("LOCALAPPDATA", environment.get("ProgramData", "."))
        folder = f"{root}/Python Keyring"
    else:
        root = environment.get("XDG_CONFIG_HOME") or f"{environment.get('HOME', '')}/.config"
        folder = f"{root}/python_keyring"
    return f"{folder}/keyringrc.cfg"
