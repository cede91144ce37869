"""macOS's Security framework in memory, below keyring's own backend for macOS.

The backend, its error classes and the calls that it makes, in their order, are keyring's; only
the functions of the framework are not there.
"""

import contextlib
from collections.abc import Callable
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any, Final

import pytest
from keyring.backends import macOS

DENIED: Final = -128
DUPLICATE: Final = -25299
NOT_FOUND: Final = -25300
LOCKED: Final = -25308

Answer = Callable[[str, str, str], int]
"""Takes `get`, `add` or `delete`, the service and the account; returns a status, 0 for none."""


class Security:
    """The framework: entries by service and account, and the statuses that calls end with.

    Attributes:
        held: the entries.
        answer: asked before each call.
        calls: how often each kind of call was made.
    """

    def __init__(self) -> None:
        self.held: dict[tuple[str, str], str] = {}
        self.answer: Answer = lambda *_: 0
        self.calls: list[tuple[str, str]] = []

    def refuse(
        self, call: str, status: int = LOCKED, *, service: str = "", times: int = 1_000_000
    ) -> None:
        """Let the next calls of a kind fail, of all services or of one."""
        left = [times]

        def answer(made: str, of: str, _: str) -> int:
            if made != call or service not in {"", of} or not left[0]:
                return 0
            left[0] -= 1
            return status

        self.answer = answer

    def heal(self) -> None:
        """Let all calls succeed from now on."""
        self.answer = lambda *_: 0

    def copy_matching(self, query: dict[str, Any], found: SimpleNamespace) -> int:
        """Do as `SecItemCopyMatching`."""
        place = self._place(query)
        found.value = self.held.get(place)
        return self._status("get", place) or (0 if place in self.held else NOT_FOUND)

    def add(self, query: dict[str, Any], _: None) -> int:
        """Do as `SecItemAdd`, which replaces nothing."""
        place = self._place(query)
        status = self._status("add", place) or (DUPLICATE if place in self.held else 0)
        if not status:
            self.held[place] = query["kSecValueData"]
        return status

    def delete(self, query: dict[str, Any]) -> int:
        """Do as `SecItemDelete`."""
        place = self._place(query)
        status = self._status("delete", place)
        return status or (0 if self.held.pop(place, None) is not None else NOT_FOUND)

    def _place(self, query: dict[str, Any]) -> tuple[str, str]:
        return query["kSecAttrService"], query["kSecAttrAccount"]

    def _status(self, call: str, place: tuple[str, str]) -> int:
        self.calls.append((call, place[0]))
        return self.answer(call, *place)


def keychain(monkeypatch: pytest.MonkeyPatch, security: Security) -> macOS.Keyring:
    """Return keyring's backend for macOS, over a framework in memory."""
    path = Path(macOS.__file__).with_name("api.py")
    text = path.read_text("utf-8")
    api = ModuleType("keyring.backends.macOS.api")
    vars(api).update(
        contextlib=contextlib,
        byref=lambda pointer: pointer,
        c_void_p=SimpleNamespace,
        k_=lambda name: name,
        create_query=lambda **fields: fields,
        cfstr_to_str=lambda pointer: pointer.value,
        SecItemAdd=security.add,
        SecItemCopyMatching=security.copy_matching,
        SecItemDelete=security.delete,
    )
    # Between and after these parts, it loads and declares the framework.
    codes = text[text.index("class error:") : text.index("_sec = ctypes")]
    calls = text[text.index("class Error(Exception):") :]
    exec(compile(codes + calls, str(path), "exec"), vars(api))  # noqa: S102 - keyring's own source
    monkeypatch.setattr(macOS, "api", api, raising=False)
    return macOS.Keyring()  # type: ignore[no-untyped-call]  # keyring types its methods only
