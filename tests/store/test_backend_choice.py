"""Which backends the secret store takes, among those that keyring offers."""

import sys
from pathlib import Path

import keyring
import pytest
from keyring.backend import KeyringBackend
from keyring.backends import fail, null

from azdo_pat.errors import StoreError
from azdo_pat.models import Secret
from azdo_pat.store.secrets import SecretStore
from store.backends import (
    PlaintextKeyring,
    ReadOnly,
    Unpicked,
    use,
)

ORG = "https://dev.azure.com/contoso"
SERVICE = f"azdo-pat:{ORG}"
NEW = Secret("new-secret-0123456789")


def store(backend: str | None = None) -> SecretStore:
    return SecretStore(backend=backend, cache_file=None, environment={})


def held(backend: Unpicked) -> dict[tuple[str, str], str]:
    return backend.held


def failure(error: pytest.ExceptionInfo[StoreError]) -> tuple[str, str]:
    return error.value.message, error.value.hint


class TestChoice:
    """Which backends may store."""

    def test_plaintext_is_refused_unless_named(self) -> None:
        use(PlaintextKeyring())
        with pytest.raises(StoreError) as caught:
            store().put(ORG, "ci", NEW)
        assert failure(caught) == (
            "the keyring backend store.backends.PlaintextKeyring stores secrets in plain text",
            "to use it anyway, set PAT_KEYRING to store.backends.PlaintextKeyring",
        )
        assert (
            store("store.backends.PlaintextKeyring").describe()
            == "backends PlaintextKeyring (store.backends.PlaintextKeyring)"
        )

    def test_the_throwaway_keyring_is_plaintext(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        path = "azdo_pat.store.sandbox_keyring.SandboxKeyring"
        monkeypatch.setenv("PAT_THROWAWAY_KEYRING", str(tmp_path / "keyring.json"))
        named = store(path)
        named.put(ORG, "ci", NEW)
        assert named.get(ORG, "ci") == NEW
        use(keyring.core.load_keyring(path))
        with pytest.raises(StoreError, match="stores secrets in plain text"):
            store().get(ORG, "ci")

    def test_a_chain_never_stores_in_plaintext(self) -> None:
        plain, good = PlaintextKeyring(), Unpicked()
        use(plain, good)
        store().put(ORG, "ci", NEW)
        assert (held(plain), held(good)) == ({}, {(SERVICE, "ci"): NEW.reveal()})

    def test_a_chain_stores_in_the_first_that_can(self) -> None:
        first, second, third = ReadOnly(), Unpicked(), Unpicked()
        use(first, second, third)
        store().put(ORG, "ci", NEW)
        assert [held(one) for one in (first, second, third)] == [
            {},
            {(SERVICE, "ci"): NEW.reveal()},
            {},
        ]

    def test_a_chain_reads_and_deletes_everywhere(self) -> None:
        first, second = Unpicked(), Unpicked()
        second.held[SERVICE, "ci"] = "old"
        use(first, second)
        assert store().get(ORG, "ci") == Secret("old")
        first.held[SERVICE, "ci"] = "newer"
        assert store().get(ORG, "ci") == Secret("newer")
        assert store().delete(ORG, "ci") is True
        assert (held(first), held(second)) == ({}, {})

    def test_a_chain_of_read_only_backends_is_refused(self) -> None:
        use(ReadOnly(), ReadOnly())
        with pytest.raises(StoreError) as caught:
            store().put(ORG, "ci", NEW)
        assert (
            caught.value.message
            == "the keyring backend store.backends.ReadOnly can only read, not store"
        )

    @pytest.mark.parametrize(
        ("kind", "message"),
        [
            (null.Keyring, "keyring is disabled: its null backend stores nothing"),
            (fail.Keyring, "no usable keyring on this machine"),
        ],
        ids=["null", "fail"],
    )
    def test_no_backend(self, kind: type[KeyringBackend], message: str) -> None:
        use(kind())
        for act in (store().check, store().describe, lambda: store().get(ORG, "ci")):
            with pytest.raises(StoreError) as caught:
                act()
            assert caught.value.message == message

    @pytest.mark.parametrize(
        ("path", "message"),
        [
            ("nope.Keyring", "cannot be loaded: No module named 'nope'"),
            ("keyring.backends.fail.Nope", "has no attribute 'Nope'"),
            ("Keyring", "cannot be loaded: Empty module name"),
            ("os.path", "cannot be loaded:"),
            ("keyring.backends.null.Keyring", "stores nothing"),
        ],
    )
    def test_a_wrong_name(self, path: str, message: str) -> None:
        with pytest.raises(StoreError) as caught:
            store(path).get(ORG, "ci")
        assert message in caught.value.message
        assert "PAT_KEYRING" in caught.value.hint


class TestRemembered:
    """The cache of which backend served."""

    def test_only_keyrings_own_backends_are_remembered(self, tmp_path: Path) -> None:
        cache = tmp_path / "state" / "keyring-backend"
        use(Unpicked())
        SecretStore(backend=None, cache_file=cache, environment={}).put(ORG, "ci", NEW)
        assert not cache.exists()

    def test_what_is_remembered_cannot_name_foreign_code(self, tmp_path: Path) -> None:
        backend = Unpicked()
        use(backend)
        cache = tmp_path / "keyring-backend"
        remembered = _fingerprinted(cache, "store.backends.PlaintextKeyring")
        remembered.put(ORG, "ci", NEW)
        assert held(backend) == {(SERVICE, "ci"): NEW.reveal()}

    @pytest.mark.parametrize(
        "path",
        [
            "keyring.backends.null.Keyring",
            "keyring.backends.nope.X",
            "keyring.backends.SecretService.Keyring",  # loads, and finds no bus when it is used
        ],
    )
    def test_one_that_fails_is_forgotten(self, tmp_path: Path, path: str) -> None:
        backend = Unpicked()
        use(backend)
        cache = tmp_path / "keyring-backend"
        assert _fingerprinted(cache, path).describe().startswith("backends Unpicked ")
        _fingerprinted(cache, path).put(ORG, "ci", NEW)
        assert held(backend) == {(SERVICE, "ci"): NEW.reveal()}
        assert _fingerprinted(cache, path).get(ORG, "ci") == NEW
        assert not cache.exists()

    @pytest.mark.skipif(sys.platform != "linux", reason="the Secret Service is Linux only")
    def test_one_that_fails_like_the_one_picked_is_reported(self, tmp_path: Path) -> None:
        path = "keyring.backends.SecretService.Keyring"
        keyring.set_keyring(keyring.core._load_keyring_class(path)())  # noqa: SLF001 - viable or not
        with pytest.raises(StoreError) as caught:
            _fingerprinted(tmp_path / "keyring-backend", path).get(ORG, "ci")
        assert caught.value.message == f"the keyring backend {path} cannot be reached"

    def test_a_cache_that_cannot_be_used_is_none(self, tmp_path: Path) -> None:
        use(Unpicked())
        (tmp_path / "file").write_text("x")
        for cache in (tmp_path / "file" / "cache", tmp_path):
            secrets = SecretStore(backend=None, cache_file=cache, environment={})
            secrets.put(ORG, "ci", NEW)
            assert secrets.get(ORG, "ci") == NEW

    @pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"\n\n\n", b"00000000\n"])
    def test_a_damaged_cache_is_none(self, tmp_path: Path, content: bytes) -> None:
        use(Unpicked())
        cache = tmp_path / "cache"
        cache.write_bytes(content)
        secrets = SecretStore(backend=None, cache_file=cache, environment={})
        secrets.put(ORG, "ci", NEW)
        assert secrets.get(ORG, "ci") == NEW


def _fingerprinted(cache: Path, path: str) -> SecretStore:
    """Make a store whose cache names `path` and is valid here."""
    from azdo_pat.store.backend_cache import BackendCache  # noqa: PLC0415

    BackendCache(cache, {}).keep(["keyring.backends.fail.Keyring"])
    fingerprint = cache.read_text().splitlines()[0]
    cache.write_text(f"{fingerprint}\n{path}\n")
    return SecretStore(backend=None, cache_file=cache, environment={})
