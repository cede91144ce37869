"""The Credential Manager of Windows in memory, below keyring and `pat`."""

import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest
from keyring.backends import Windows

Answer = Callable[[str, str], int]
LIMIT = 2560
TOO_LONG = 1783
NOT_FOUND = 1168


class WindowsError(Exception):
    """As `pywintypes.error`, which is no `KeyringError` and no `OSError`."""

    def __init__(self, winerror: int, funcname: str = "CredRead") -> None:
        super().__init__(winerror, funcname, "in the system's language")
        self.winerror = winerror
        self.funcname = funcname


class Api:
    """`win32cred`, with targets that have no case.

    Attributes:
        answer: asked before each call, with its name and the target; returns an error code, 0 for
            none.
    """

    CRED_PERSIST_ENTERPRISE = 3

    def __init__(self) -> None:
        self.held: dict[str, dict[str, Any]] = {}
        self.answer: Answer = lambda *_: 0

    def CredRead(self, target: str, kind: int) -> dict[str, Any]:  # noqa: N802  # as it is called
        assert kind == 1
        self._ask("CredRead", target)
        if target.casefold() not in self.held:
            raise WindowsError(NOT_FOUND)
        return self.held[target.casefold()]

    def CredWrite(self, credential: dict[str, Any], flags: int) -> None:  # noqa: N802  # as above
        assert flags == 0
        self._ask("CredWrite", credential["TargetName"])
        text = credential["CredentialBlob"].encode("utf-16-le")
        if len(text) > LIMIT:
            raise WindowsError(TOO_LONG, "CredWrite")
        target = credential["TargetName"].casefold()
        self.held[target] = {**credential, "CredentialBlob": text}

    def CredDelete(self, target: str, kind: int) -> None:  # noqa: N802  # as above
        assert kind == 1
        self._ask("CredDelete", target)
        if self.held.pop(target.casefold(), None) is None:
            raise WindowsError(NOT_FOUND, "CredDelete")

    def put(self, target: str, user: str, text: str) -> None:
        """Store an entry as keyring does."""
        self.CredWrite({"TargetName": target, "UserName": user, "CredentialBlob": text}, 0)

    @property
    def texts(self) -> dict[str, str]:
        """The secrets, by target."""
        return {
            each["TargetName"]: each["CredentialBlob"].decode("utf-16-le")
            for each in self.held.values()
        }

    def refuse(self, call: str, code: int, *, times: int = 1_000_000) -> None:
        """Let the next calls of a function fail."""
        left = [times]

        def answer(made: str, _: str) -> int:
            if made != call or not left[0]:
                return 0
            left[0] -= 1
            return code

        self.answer = answer

    def heal(self) -> None:
        """Let all calls succeed from now on."""
        self.answer = lambda *_: 0

    def _ask(self, call: str, target: str) -> None:
        if code := self.answer(call, target):
            raise WindowsError(code, call)


def credential_manager(monkeypatch: pytest.MonkeyPatch, api: Api) -> Windows.WinVaultKeyring:
    """Return keyring's backend for Windows, over a Credential Manager in memory."""
    package = ModuleType("win32ctypes.pywin32")
    vars(package)["win32cred"] = api
    monkeypatch.setitem(sys.modules, "win32ctypes", ModuleType("win32ctypes"))
    monkeypatch.setitem(sys.modules, "win32ctypes.pywin32", package)
    monkeypatch.setattr(Windows, "win32cred", api, raising=False)
    return Windows.WinVaultKeyring()  # type: ignore[no-untyped-call]  # keyring types its methods only
