"""Locks between processes, which the operating system releases when their holder dies."""

import errno
import hashlib
import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Final

from filelock import FileLock, Timeout

from azdo_pat.errors import ConflictError, StoreError
from azdo_pat.store.folders import make_private

_NO_LOCKS: Final = frozenset({errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOLCK})
"""Errors of file systems without locks (flock(2)), such as some network file systems."""


@contextmanager
def exclusive(folder: Path, key: str) -> Iterator[None]:
    """Hold the lock of that name while the block runs, without waiting for it.

    The lock files are empty and stay: deleting one that another process is about to lock would
    allow two holders.

    Args:
        folder: the folder of the lock files; created for its owner only if missing.
        key: what is locked, as the error names it (`ci-token in contoso`).

    Raises:
        ConflictError: another process, or another thread of this one, holds it.
        StoreError: the folder cannot be written.
    """
    # A digest, because a token's name may contain any character and have any length.
    digest = hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()[:32]
    with _held(folder / f"{digest}.lock", 0) as held:
        if not held:
            raise ConflictError(
                f"another pat process is working on {key}", hint="try again when it has finished"
            )
        yield


@contextmanager
def waiting(file: Path, seconds: float) -> Iterator[None]:
    """Hold the lock of a file while the block runs, waiting that many seconds for it.

    Raises:
        StoreError: it did not become free in time, or cannot be written.
    """
    with _held(file, seconds) as held:
        if not held:
            raise StoreError(
                f"{file} has been locked by another process for {seconds:g} seconds",
                hint="try again when that process has finished",
            )
        yield


def is_held(file: Path) -> bool:
    """Return whether another process, or another part of this one, holds the lock of a file.

    A lock that cannot be tried counts as held.
    """
    try:
        with _held(file, 0) as free:
            return not free
    except StoreError:
        return True


@contextmanager
def in_turn(file: Path | None, seconds: float) -> Iterator[None]:
    """Run the block under the lock if possible.

    After that many seconds, or if the file cannot be written, it runs without the lock.
    """
    with ExitStack() as stack:
        if file is not None:
            with suppress(StoreError):
                stack.enter_context(_held(file, seconds))
        yield


@contextmanager
def _held(file: Path, seconds: float) -> Iterator[bool]:
    """Hold the lock while the block runs; yield False if another process has it."""
    lock = FileLock(file, mode=0o600)
    try:
        make_private(file.parent)
        _check_lockable(file)
        lock.acquire(timeout=seconds)
    except Timeout:
        yield False
        return
    except NotImplementedError as error:  # filelock before 3.20, on systems without flock
        raise _without_locks(file, os.strerror(errno.ENOSYS)) from error
    except OSError as error:
        if error.errno in _NO_LOCKS:
            raise _without_locks(file, error.strerror) from error
        raise StoreError(
            f"the lock {file} cannot be written: {error.strerror or error}",
            hint="set PAT_STATE_DIR to a folder of your own",
        ) from error
    try:
        yield True
    finally:
        lock.release()


def _check_lockable(file: Path) -> None:
    """Check that the file system supports locks, without taking one.

    filelock would fall back to a file whose existence is the lock. Such a lock outlives a process
    that is killed, and then holds up every later one.

    Raises:
        OSError: it does not, or the file cannot be opened.
    """
    if sys.platform != "win32":
        import fcntl  # noqa: PLC0415 - not on Windows

        descriptor = os.open(file, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_UN)
        finally:
            os.close(descriptor)


def _without_locks(file: Path, reason: str | None) -> StoreError:
    return StoreError(
        f"the file system of {file.parent} cannot lock files: {reason}",
        hint="set PAT_STATE_DIR to a folder on a local disk",
    )
