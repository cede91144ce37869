"""Where sign-ins lie."""

from collections.abc import Callable
from pathlib import Path

import pytest
from msal_extensions import FilePersistence  # type: ignore[import-untyped]  # it carries no types

from azdo_pat.auth.protected_storage import ProtectedFileStorage
from azdo_pat.auth.storage import PIECE, ChunkedStorage, KeyringStorage, SignInStorage
from azdo_pat.errors import StoreError
from azdo_pat.keyring_codes import keychain_meaning
from azdo_pat.models import Secret

OWNER = "sign-in:https://login.microsoftonline.com"
WINDOWS_LIMIT = 1280


class Credentials:
    """A secret store whose entries hold no more than those of Windows."""

    def __init__(self) -> None:
        self.held: dict[str, str] = {}
        self.left = 1000  # changes, until the next one fails

    @property
    def begins(self) -> str:
        """The first letter of the text."""
        return self.held["sign-ins"].partition("\n")[2][0]

    def _change(self) -> None:
        if not self.left:
            raise StoreError("the keyring is locked, or access to it was denied")
        self.left -= 1

    def get(self, org_url: str, name: str) -> Secret | None:
        assert org_url == OWNER
        return Secret(self.held[name]) if name in self.held else None

    def put(self, org_url: str, name: str, secret: Secret) -> None:
        assert org_url == OWNER
        assert len(secret.reveal()) <= WINDOWS_LIMIT
        self._change()
        self.held[name] = secret.reveal()

    def delete(self, org_url: str, name: str) -> bool:
        assert org_url == OWNER
        self._change()
        return self.held.pop(name, None) is not None


def in_one(_: Path) -> SignInStorage:
    return KeyringStorage(Credentials(), OWNER, "sign-ins")


def in_pieces(_: Path) -> SignInStorage:
    return ChunkedStorage(Credentials(), OWNER, "sign-ins")


def in_a_file(folder: Path) -> SignInStorage:
    # The system's own protection is not here: msal-extensions' unprotected file has its contract.
    return ProtectedFileStorage(folder / "state" / "sign-in.bin", make=FilePersistence)


@pytest.mark.parametrize("make", [in_one, in_pieces, in_a_file])
def test_it_keeps_one_text(make: Callable[[Path], SignInStorage], tmp_path: Path) -> None:
    place = make(tmp_path)
    assert place.load() is None
    assert not place.delete()
    for text in ("one", "another"):
        place.save(Secret(text))
        assert place.load() == Secret(text)
    assert place.delete()
    assert place.load() is None


@pytest.mark.parametrize("length", [0, 1, PIECE - 1, PIECE, PIECE + 1, 5 * PIECE])
def test_pieces_of_any_number(length: int) -> None:
    credentials = Credentials()
    place = ChunkedStorage(credentials, OWNER, "sign-ins")
    place.save(Secret("y" * 3 * PIECE))
    place.save(Secret("x" * length))
    assert place.load() == Secret("x" * length)
    assert len(credentials.held) == max(1, -(-length // PIECE))
    place.delete()
    assert credentials.held == {}


def test_pieces_that_do_not_belong_together_are_nothing() -> None:
    credentials = Credentials()
    place = ChunkedStorage(credentials, OWNER, "sign-ins")
    place.save(Secret("x" * 2 * PIECE))
    del credentials.held["sign-ins.1"]
    assert place.load() is None
    credentials.held["sign-ins"] = "not ours"
    assert place.load() is None


@pytest.mark.parametrize("lengths", [(3, 3), (3, 5), (5, 2), (1, 3), (3, 1)])
@pytest.mark.parametrize("rounds", [1, 2])
@pytest.mark.parametrize("restored", [False, True], ids=["for-good", "once"])
def test_a_write_that_stops_loses_nothing(
    lengths: tuple[int, int], rounds: int, *, restored: bool
) -> None:
    old, new = (
        Secret(letter * (length * PIECE - 9)) for letter, length in zip("on", lengths, strict=True)
    )
    for moment in range(20):
        credentials = Credentials()
        place = ChunkedStorage(credentials, OWNER, "sign-ins")
        for _ in range(rounds):
            place.save(old)
        credentials.left = moment
        stopped = False
        try:
            place.save(new)
        except StoreError:
            stopped = True
        credentials.left = 1000
        assert place.load() == (new if credentials.begins == "n" else old)
        if restored:
            place.save(new)
            assert place.load() == new
            assert len(credentials.held) == lengths[1]
        place.delete()
        assert credentials.held == {}
        if not stopped:
            break
    else:
        pytest.fail("it never came to its end")


def test_protection_that_fails_says_what_to_do(tmp_path: Path) -> None:
    def broken(_: str) -> FilePersistence:
        raise RuntimeError("the secret itself")

    place = ProtectedFileStorage(tmp_path / "sign-in.bin", make=broken)
    with pytest.raises(StoreError) as caught:
        place.save(Secret("x"))
    assert caught.value.message == "the saved sign-in cannot be read or written (RuntimeError)"
    assert caught.value.hint == "to sign in again, run: pat logout, then pat login"


class KeychainError(OSError):
    """As msal-extensions' own, which exists on macOS alone."""

    def __init__(self, exit_status: int) -> None:
        super().__init__()
        self.exit_status = exit_status


@pytest.mark.parametrize("status", [-128, -25244, -25293, -25308, -34018])
def test_the_keychain_says_why(tmp_path: Path, status: int) -> None:
    def broken(_: str) -> FilePersistence:
        raise KeychainError(status)

    place = ProtectedFileStorage(tmp_path / "sign-in.bin", make=broken)
    with pytest.raises(StoreError) as caught:
        place.save(Secret("x"))
    meaning = keychain_meaning(status)
    assert caught.value.message == (
        f"the saved sign-in cannot be read or written: {meaning.message}"
    )
    assert f"(error {status})" in caught.value.message
    assert caught.value.hint == meaning.hint
