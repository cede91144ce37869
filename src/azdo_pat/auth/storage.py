"""Stores saved sign-ins in the keyring, in one or several entries."""

from typing import Final, Protocol

from azdo_pat.models import Secret

PIECE: Final = 1200
"""Characters of a piece: a Windows credential holds 2,560 bytes, and they are stored as UTF-16
(CRED_MAX_CREDENTIAL_BLOB_SIZE)."""


class Keyring(Protocol):
    """The needed part of the secret store; see `store.secrets.SecretStore`."""

    def get(self, org_url: str, name: str) -> Secret | None:
        """Return a secret, or None."""

    def put(self, org_url: str, name: str, secret: Secret) -> None:
        """Store a secret."""

    def delete(self, org_url: str, name: str) -> bool:
        """Delete a secret; False if there was none."""


class SignInStorage(Protocol):
    """Stores one text; every method raises `PatError` on failure."""

    def load(self) -> Secret | None:
        """Return the text, or None if there is none."""

    def save(self, text: Secret) -> None:
        """Store the text, replacing the previous one."""

    def delete(self) -> bool:
        """Delete the text; False if there was none."""


class KeyringStorage:
    """One entry of the keyring.

    Args:
        keyring: the secret store.
        owner: takes the position of a token's organization URL: `sign-in:{authority}`.
        name: takes the position of a token's name.
    """

    def __init__(self, keyring: Keyring, owner: str, name: str) -> None:
        self._keyring = keyring
        self._owner = owner
        self._name = name

    def load(self) -> Secret | None:
        """Return the text; see `SignInStorage`."""
        return self._keyring.get(self._owner, self._name)

    def save(self, text: Secret) -> None:
        """Store the text; see `SignInStorage`."""
        self._keyring.put(self._owner, self._name, text)

    def delete(self) -> bool:
        """Remove the text; see `SignInStorage`."""
        return self._keyring.delete(self._owner, self._name)


class ChunkedStorage:
    """As many keyring entries as a text needs, for backends with small entries (Windows).

    The first entry has their number. A text whose pieces do not belong together, for example
    after an interrupted write, counts as missing.
    """

    def __init__(self, keyring: Keyring, owner: str, name: str) -> None:
        self._keyring = keyring
        self._owner = owner
        self._name = name

    def load(self) -> Secret | None:
        """Return the text; see `SignInStorage`."""
        first = self._keyring.get(self._owner, self._name)
        if first is None:
            return None
        head, _, text = first.reveal().partition("\n")
        count, _, length = head.partition("/")
        if not (count.isdecimal() and length.isdecimal()):
            return None
        for number in range(1, int(count)):
            piece = self._keyring.get(self._owner, f"{self._name}.{number}")
            text += "" if piece is None else piece.reveal()
        return Secret(text) if len(text) == int(length) else None

    def save(self, text: Secret) -> None:
        """Store the text; see `SignInStorage`."""
        whole = text.reveal()
        pieces = [whole[start : start + PIECE] for start in range(0, len(whole), PIECE)] or [""]
        for number, piece in enumerate(pieces[1:], start=1):
            self._keyring.put(self._owner, f"{self._name}.{number}", Secret(piece))
        head = f"{len(pieces)}/{len(whole)}\n"
        self._keyring.put(self._owner, self._name, Secret(head + pieces[0]))
        self._delete_from(len(pieces))

    def delete(self) -> bool:
        """Remove the text; see `SignInStorage`."""
        known = self._keyring.delete(self._owner, self._name)
        self._delete_from(1)
        return known

    def _delete_from(self, number: int) -> None:
        while self._keyring.delete(self._owner, f"{self._name}.{number}"):
            number += 1
