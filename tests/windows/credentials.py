"""What lies in the Credential Manager, past keyring."""

import sys
from contextlib import suppress
from dataclasses import dataclass
from itertools import count
from typing import Final

if sys.platform == "win32":
    import winreg

_WINE: Final = r"Software\Wine\Credential Manager"


@dataclass(frozen=True)
class Credentials:
    """The entries whose targets have a text in them.

    Attributes:
        text: of the services of one emulator.
    """

    text: str

    @property
    def targets(self) -> list[str]:
        """Their targets."""
        return sorted(each["TargetName"] for each in self._all())

    @property
    def users(self) -> list[str]:
        """Their user names, one for each entry."""
        return sorted(each["UserName"] for each in self._all())

    def delete(self, target: str) -> None:
        """Delete one."""
        from win32ctypes.pywin32 import win32cred  # noqa: PLC0415  # Windows has it

        win32cred.CredDelete(target, win32cred.CRED_TYPE_GENERIC)

    def _all(self) -> list[dict[str, str]]:
        entries = _of_wine() if _is_wine() else _of_windows()
        return [each for each in entries if self.text in each["TargetName"]]


def _of_windows() -> list[dict[str, str]]:
    from win32ctypes.pywin32 import pywintypes, win32cred  # noqa: PLC0415  # Windows has it

    try:
        entries: list[dict[str, str]] = win32cred.CredEnumerate()
    except pywintypes.error:  # there is none
        return []
    return entries


def _of_wine() -> list[dict[str, str]]:
    """Read the registry keys in which Wine keeps the entries.

    Its CredEnumerate counts the entries first and copies them then. If a test that runs side by
    side adds or deletes one in between, it reads wild memory, and ends this process.
    """
    entries: list[dict[str, str]] = []
    if sys.platform == "win32":
        with suppress(OSError), winreg.OpenKey(winreg.HKEY_CURRENT_USER, _WINE) as folder:
            names: list[str] = []
            with suppress(OSError):  # there are no more
                names.extend(winreg.EnumKey(folder, number) for number in count())
            for name in dict.fromkeys(names):
                with suppress(OSError), winreg.OpenKey(folder, name) as entry:  # just deleted
                    entries.append(
                        {
                            "TargetName": str(winreg.QueryValueEx(entry, "")[0]),
                            "UserName": str(winreg.QueryValueEx(entry, "UserName")[0]),
                        }
                    )
    return entries


def _is_wine() -> bool:
    if sys.platform == "win32":
        with suppress(OSError):
            winreg.OpenKey(winreg.HKEY_LOCAL_MACHINE, r"Software\Wine").Close()
            return True
    return False
