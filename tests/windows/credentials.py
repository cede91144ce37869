"""What lies in the Credential Manager, past keyring."""

from dataclasses import dataclass


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
        from win32ctypes.pywin32 import pywintypes, win32cred  # noqa: PLC0415  # as above

        try:
            entries = win32cred.CredEnumerate()
        except pywintypes.error:  # there is none
            return []
        return [each for each in entries if self.text in each["TargetName"]]
