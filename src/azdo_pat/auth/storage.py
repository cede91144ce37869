"""Stores saved sign-ins in the keyring, in one or several entries."""

from typing import Final, NamedTuple, Protocol

from azdo_pat.models import Secret

PIECE: Final = 1200
"""Characters of a piece: a Windows credential holds 2,560 bytes, and they are stored as UTF-16
(CRED_MAX_CREDENTIAL_BLOB_SIZE)."""


_MARK: Final = "b"
"""Appended to the name of the further entries, and to the length, of every second text."""


class _Head(NamedTuple):
    """The first entry of a text.

    Attributes:
        entries: their number.
        length: that of the whole text, in characters.
        mark: what the names of the further entries have, `_MARK` or nothing.
        text: the first piece.
    """

    entries: int
    length: int
    mark: str
    text: str


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

    The first entry has their number, and is written last: until then, the previous text is
    complete, because two texts in turn use different names for their further entries. A text whose
    pieces do not belong together, for example because one was deleted, counts as missing.
    """

    def __init__(self, keyring: Keyring, owner: str, name: str) -> None:
        self._keyring = keyring
        self._owner = owner
        self._name = name

    def load(self) -> Secret | None:
        """Return the text; see `SignInStorage`."""
        head = self._head()
        if head is None:
            return None
        text = head.text
        for number in range(1, head.entries):
            piece = self._keyring.get(self._owner, self._further(head.mark, number))
            text += "" if piece is None else piece.reveal()
        return Secret(text) if len(text) == head.length else None

    def save(self, text: Secret) -> None:
        """Store the text; see `SignInStorage`."""
        whole = text.reveal()
        pieces = [whole[start : start + PIECE] for start in range(0, len(whole), PIECE)] or [""]
        previous = self._head()
        mark = _MARK if previous is not None and not previous.mark else ""
        for number, piece in enumerate(pieces[1:], start=1):
            self._keyring.put(self._owner, self._further(mark, number), Secret(piece))
        head = f"{len(pieces)}/{len(whole)}{mark}\n"
        self._keyring.put(self._owner, self._name, Secret(head + pieces[0]))
        self._delete_from(mark, len(pieces))
        self._delete_from("" if mark else _MARK, 1)

    def delete(self) -> bool:
        """Remove the text; see `SignInStorage`."""
        known = self._keyring.delete(self._owner, self._name)
        for mark in ("", _MARK):
            self._delete_from(mark, 1)
        return known

    def _head(self) -> _Head | None:
        first = self._keyring.get(self._owner, self._name)
        if first is None:
            return None
        head, _, text = first.reveal().partition("\n")
        count, _, length = head.partition("/")
        mark = _MARK if length.endswith(_MARK) else ""
        length = length.removesuffix(mark)
        if not (count.isdecimal() and length.isdecimal()):
            return None
        return _Head(int(count), int(length), mark, text)

    def _further(self, mark: str, number: int) -> str:
        return f"{self._name}{mark}.{number}"

    def _delete_from(self, mark: str, number: int) -> None:
        """Delete entries from a number on, the last one first: those left behind are found."""
        last = number
        while self._keyring.get(self._owner, self._further(mark, last)) is not None:
            last += 1
        for each in reversed(range(number, last)):
            self._keyring.delete(self._owner, self._further(mark, each))
