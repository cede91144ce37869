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
"""What a file system says that locks no files (flock(2)): some network file systems do not."""


@contextmanager
def exclusive(folder: Path, key: str) -> Iterator[None]:
    """Hold the lock of that name while the block runs; never waits for it.

    The lock files are empty and stay: to delete one that somebody else is about to lock would
    give two holders.

    Args:
        folder: where the lock files lie; made for its owner only if it is not there.
        key: what is locked, in words: the error names it (`ci-token in contoso`).

    Raises:
        ConflictError: another process, or another thread of this one, holds it.
        StoreError: the folder cannot be written.
    """
    # A digest, because a token's name may hold any character and be of any length.
    digest = hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()[:32]
    with _held(folder / f"{digest}.lock", 0) as held:
        if not held:
            raise ConflictError(
                f"another pat is working on {key} right now", hint="try again when it is done"
            )
        yield


@contextmanager
def waiting(file: Path, seconds: float) -> Iterator[None]:
    """Hold the lock of that file while the block runs; wait so many seconds for it.

    Raises:
        StoreError: it did not become free in time, or cannot be written.
    """
    with _held(file, seconds) as held:
        if not held:
            raise StoreError(
                f"{file} has been locked by another process for {seconds:g} seconds",
                hint="try again when that one is done",
            )
        yield


def is_held(file: Path) -> bool:
    """Tell whether another process, or another part of this one, holds the lock of that file.

    One that cannot be tried counts as held.
    """
    try:
        with _held(file, 0) as free:
            return not free
    except StoreError:
        return True


@contextmanager
def in_turn(file: Path | None, seconds: float) -> Iterator[None]:
    """Let the block run alone where that can be had.

    After so many seconds, or without a file that can be written, it runs all the same.
    """
    with ExitStack() as stack:
        if file is not None:
            with suppress(StoreError):
                stack.enter_context(_held(file, seconds))
        yield


@contextmanager
def _held(file: Path, seconds: float) -> Iterator[bool]:
    """Hold the lock while the block runs; give False if somebody else has it."""
    lock = FileLock(file, mode=0o600)
    try:
        make_private(file.parent)
        _check_lockable(file)
        lock.acquire(timeout=seconds)
    except Timeout:
        yield False
        return
    except NotImplementedError as error:  # filelock before 3.20, where there is no flock
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
    """Check that the file system knows locks, without taking one.

    filelock would fall back to a file whose existence is the lock. Such a lock outlives a process
    that is killed, and then holds up every later one.

    Raises:
        OSError: it does not, or the file cannot be opened.
    """
    if sys.platform == "win32":
        return
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
