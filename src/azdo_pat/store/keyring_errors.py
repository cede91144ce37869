"""Converts the exceptions of keyring backends to `StoreError` with a useful hint."""

import os
import sys
from typing import Final

from azdo_pat.errors import StoreError
from azdo_pat.keyring_codes import Meaning, credential_manager_meaning, keychain_meaning
from azdo_pat.store.backend_choice import NO_STORE_HINT, read_only

_TEXT_LIMIT: Final = 200

_NO_KEYRING_HERE: Final = frozenset({-25291, -25308, -34018, 5, 1312})
"""Codes of macOS and Windows for a session that has no keyring, as of a server."""

_ITEM_NOT_FOUND: Final = -25300


def explain(error: BaseException, path: str, *, quote: bool = False) -> StoreError:
    """Return the error for a backend's failure, with a hint.

    Args:
        error: anything that a backend raised; not only `KeyringError`.
        path: the backend's class path.
        quote: quote the backend's message. Never if it was given a secret, which the
            message might repeat.
    """
    if isinstance(error, StoreError):
        return error
    if isinstance(error, NotImplementedError):
        return read_only(path)
    # By name, because the classes' packages do not exist on every platform.
    names = {kind.__name__ for kind in type(error).__mro__}
    known = _explain_code(error) or _explain_by_name(names, path)
    if known is not None:
        return known
    if isinstance(error, OSError) and error.errno is not None:
        # The system's message for the number, as the error's own may contain the secret.
        return StoreError(
            f"the keyring backend {path} failed: {os.strerror(error.errno)}",
            hint="to see what keyring finds, run: keyring diagnose; to use another one, set"
            " PAT_KEYRING",
        )
    said = f": {_words(error)}" if quote else ""
    return StoreError(
        f"the keyring backend {path} failed with {type(error).__name__}{said}",
        hint="for details, run: keyring diagnose; to use another backend, set PAT_KEYRING",
    )


def explain_loading(error: BaseException, path: str | None) -> StoreError:
    """Return the error for a backend that could not be loaded.

    Args:
        error: what was raised.
        path: the class path from PAT_KEYRING or the configuration, None if keyring chose.
    """
    if isinstance(error, StoreError):
        return error
    who = f"the keyring backend {path}" if path else "the keyring backend chosen by keyring"
    if isinstance(error, (ImportError, AttributeError, ValueError, TypeError)):
        where = (
            "PAT_KEYRING, or `keyring` in pat's configuration"
            if path
            else "PYTHON_KEYRING_BACKEND, or the file that `keyring diagnose` shows"
        )
        return StoreError(
            f"{who} cannot be loaded: {_words(error)}",
            hint=f"correct {where}; to list valid names, run: keyring --list-backends",
        )
    return StoreError(
        f"{who} cannot be used on this machine: {_words(error)}",
        hint="check that its service is running; to see what keyring finds, run: keyring diagnose;"
        f" {NO_STORE_HINT}",
    )


def is_keychain_not_found(error: BaseException) -> bool:
    """Return whether keyring's backend for macOS failed because there is no such entry."""
    return _keychain_status(error) == _ITEM_NOT_FOUND


def _explain_code(error: BaseException) -> StoreError | None:
    """Return the error for a code of the system's keyring; None if there is none."""
    if (status := _keychain_status(error)) is not None:
        return _of_code(status, keychain_meaning(status))
    if isinstance(error, OSError):  # of a backend that uses files; pywintypes.error is none
        return None
    code = getattr(error, "winerror", None)
    return _of_code(code, credential_manager_meaning(code)) if isinstance(code, int) else None


def _of_code(code: int, meaning: Meaning) -> StoreError:
    without = f"; {NO_STORE_HINT}" if code in _NO_KEYRING_HERE else ""
    return StoreError(meaning.message, hint=f"{meaning.hint}{without}")


def _keychain_status(error: BaseException) -> int | None:
    """Return macOS's status, which keyring has in the cause of its own exception."""
    cause = error.__cause__ or error
    status = cause.args[0] if cause.args else None
    known = type(cause).__module__ == "keyring.backends.macOS.api" and isinstance(status, int)
    return status if known else None


def _explain_by_name(names: set[str], path: str) -> StoreError | None:
    """Return the error for a known exception class of a backend, by its and its bases' names."""
    for known, message, hint in (
        (
            {"KeyringLocked", "LockedException"},
            "the keyring is locked, or access to it was denied",
            _unlock_hint(),
        ),
        (
            {"InitError", "PromptDismissedException"},
            "the keyring has no collection to store in, and creating one was not confirmed",
            _unlock_hint(),
        ),
        (
            {"NoKeyringError"},
            "no usable keyring on this machine",
            f"to see why, run: keyring diagnose; {NO_STORE_HINT}",
        ),
        (
            {"UnicodeError"},
            f"the keyring backend {path} contains a text that it cannot decode",
            "remove that entry with the system's own keyring program",
        ),
        (
            {
                "SecretServiceNotAvailableException",
                "DBusErrorResponse",
                "AuthenticationError",
                "ConnectionError",
            },
            f"the keyring backend {path} cannot be reached",
            "check that its service is running; to see what keyring finds, run: keyring diagnose",
        ),
    ):
        if names & known:
            return StoreError(message, hint=hint)
    return None


def _unlock_hint() -> str:
    if sys.platform == "darwin":
        hint = "to unlock it, run: security unlock-keychain; allow access when macOS asks"
    elif sys.platform == "win32":  # whose own keyring is never locked
        hint = "unlock it in its own program"
    else:
        hint = (
            "unlock it in the desktop's keyring program; without a desktop:"
            " gnome-keyring-daemon --unlock (its password on standard input)"
        )
    return hint


def _words(error: BaseException) -> str:
    """Return the first line of an error's message, printable and not too long."""
    lines = str(error).splitlines() or [type(error).__name__]
    return "".join(c if c.isprintable() else "?" for c in lines[0])[:_TEXT_LIMIT]
