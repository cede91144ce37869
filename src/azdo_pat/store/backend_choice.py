"""Chooses the keyring backend that stores secrets, and refuses unsafe ones."""

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import keyring
from keyring.backend import KeyringBackend
from keyring.backends import chainer, fail, null
from keyring.core import load_keyring

from azdo_pat.errors import StoreError

SECRET_SERVICE: Final = "keyring.backends.SecretService.Keyring"  # noqa: S105 - a class path

CREDENTIAL_MANAGER: Final = "keyring.backends.Windows.WinVaultKeyring"

KEYCHAIN: Final = "keyring.backends.macOS.Keyring"

NO_STORE_HINT: Final = "without a keyring, as in CI, run: pat create NAME --no-store --as token"

_OURS: Final = "azdo_pat.keyring_backend.PackagesBackend"
"""Our own backend, which hands tokens to pip and others, and stores nothing."""

_READ_ONLY: Final = frozenset(
    {
        "artifacts_keyring.ArtifactsKeyringBackend",
        "artifacts_keyring_nofuss._backend.ArtifactsKeyringBackend",
        "keyrings.codeartifact.CodeArtifactBackend",
        "keyrings.gauth.GooglePythonAuth",
    }
)
"""Backends that fetch credentials for package indexes and store none. One that is missing here
is detected when it refuses to store; the list saves that attempt and names the right one."""

_PLAINTEXT: Final = frozenset({"azdo_pat.store.sandbox_keyring.SandboxKeyring"})
_PLAINTEXT_NAME: Final = "plaintext"
"""In keyrings.alt and its forks, `file.PlaintextKeyring` alone does not encrypt; the others use
PyCryptodome, the Windows Crypto API, GNOME Keyring or Keyczar (source: keyrings.alt 5)."""

_NAMES: Final = {
    SECRET_SERVICE: "Secret Service",
    "keyring.backends.libsecret.Keyring": "Secret Service through libsecret",
    "keyring.backends.kwallet.DBusKeyring": "KWallet",
    "keyring.backends.kwallet.DBusKeyringKWallet4": "KWallet 4",
    KEYCHAIN: "macOS Keychain",
    CREDENTIAL_MANAGER: "Windows Credential Manager",
    "azdo_pat.store.sandbox_keyring.SandboxKeyring": "throw-away keyring",
}


@dataclass(frozen=True, kw_only=True)
class BackendChoice:
    """The backends to use, best first; the first one stores.

    Attributes:
        recalled: taken from the cache, not searched for.
    """

    members: tuple[KeyringBackend, ...]
    recalled: bool = False

    @property
    def paths(self) -> tuple[str, ...]:
        """The members' class paths."""
        return tuple(map(class_path, self.members))


def class_path(backend: KeyringBackend) -> str:
    """Return a backend's class path, as `PAT_KEYRING` takes it."""
    return _path_of(type(backend))


def label(backend: KeyringBackend) -> str:
    """Return a backend's display name, followed by its class path."""
    path = class_path(backend)
    return f"{_NAMES.get(path, backend.name)} ({path})"


def named(path: str) -> BackendChoice:
    """Return the backend that the user named, even a plaintext one.

    Raises:
        StoreError: it cannot store anything.
        Exception: anything that importing or initializing it raises.
    """
    backend = load_keyring(path)
    if isinstance(backend, chainer.ChainerBackend):
        # A chain can have any members.
        return BackendChoice(members=_storing(_flat([backend])))
    return BackendChoice(members=_storing([backend], plaintext_allowed=True))


def recalled(paths: Sequence[str]) -> BackendChoice:
    """Return the cached backends, without checking that they still work."""
    members = [_class_of(path)() for path in paths]
    return BackendChoice(members=_storing(members), recalled=True)


def picked() -> BackendChoice:
    """Return keyring's choice: its environment variable, its configuration, or the best it finds.

    Raises:
        StoreError: no backend can store a secret, or only in plain text.
        Exception: anything that a backend raises on initialization.
    """
    # keyring logs plugins that fail to load; without any handler Python would print them.
    logging.getLogger("keyring").addHandler(logging.NullHandler())
    return BackendChoice(members=_storing(_flat([keyring.get_keyring()])))


def _class_of(path: str) -> type[KeyringBackend]:
    module, _, name = path.rpartition(".")
    loaded: type[KeyringBackend] = getattr(__import__(module, fromlist=[name]), name)
    return loaded


def _path_of(kind: type) -> str:
    return f"{kind.__module__}.{kind.__qualname__}"


def _flat(backends: Iterable[KeyringBackend]) -> list[KeyringBackend]:
    """Replace a chain with its members.

    A chain that stores nothing raises nothing (`keyring/backends/chainer.py`, `set_password`), and
    hides a plaintext member.
    """
    flat: list[KeyringBackend] = []
    for backend in backends:
        if isinstance(backend, chainer.ChainerBackend):
            flat.extend(_flat(backend.backends))
        else:
            flat.append(backend)
    return flat


def _storing(
    backends: Sequence[KeyringBackend], *, plaintext_allowed: bool = False
) -> tuple[KeyringBackend, ...]:
    """Leave out the backends that cannot or must not store a secret; refuse if none is left."""
    backends = [one for one in backends if class_path(one) != _OURS]
    members = tuple(
        one
        for one in backends
        if not isinstance(one, (null.Keyring, fail.Keyring))
        and not _is_read_only(one)
        and (plaintext_allowed or not _is_plaintext(one))
    )
    if not members:
        raise _nothing_usable(backends)
    return members


def _is_read_only(backend: KeyringBackend) -> bool:
    return any(_path_of(kind) in _READ_ONLY for kind in type(backend).__mro__)


def _is_plaintext(backend: KeyringBackend) -> bool:
    inner = getattr(backend, "_keyring", None)  # keyrings.alt.multi wraps another backend
    kinds = [*type(backend).__mro__, *(type(inner).__mro__ if inner is not None else ())]
    return any(
        _path_of(kind) in _PLAINTEXT or _PLAINTEXT_NAME in kind.__name__.casefold()
        for kind in kinds
    )


def _nothing_usable(backends: Sequence[KeyringBackend]) -> StoreError:
    """Return the error that says why none of these backends is usable."""
    for backend in backends:
        if _is_plaintext(backend):
            path = class_path(backend)
            return StoreError(
                f"the keyring backend {path} stores secrets in plain text",
                hint=f"to use it anyway, set PAT_KEYRING to {path}",
            )
    for backend in backends:
        if _is_read_only(backend):
            return read_only(class_path(backend))
    if any(isinstance(backend, null.Keyring) for backend in backends):
        return StoreError(
            "keyring is disabled: its null backend stores nothing",
            hint="PAT_KEYRING, PYTHON_KEYRING_BACKEND or keyring's own configuration selects it; to"
            " use another backend, set PAT_KEYRING; to see what keyring finds, run: keyring"
            " diagnose",
        )
    return StoreError(
        "no usable keyring on this machine",
        hint=f"to see why, run: keyring diagnose; {NO_STORE_HINT}",
    )


def read_only(path: str) -> StoreError:
    """Return the error for a read-only backend."""
    return StoreError(
        f"the keyring backend {path} can only read, not store",
        hint="to use another one, set PAT_KEYRING; to list them, run: keyring --list-backends",
    )
