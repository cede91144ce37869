"""The user's home folder, which may not exist in a container, and the owner of a folder."""

import os
import sys
from pathlib import Path
from typing import Final

from azdo_pat.errors import UsageError

_HOME: Final = "USERPROFILE" if sys.platform == "win32" else "HOME"
"""The variable that names the home folder, of those that `expanduser` reads."""
_ROOT: Final = 0
_PROFILE: Final = 0x28  # CSIDL_PROFILE
_LONGEST_PATH: Final = 260  # MAX_PATH


def home_folder() -> Path:
    """Return the home folder of the user.

    Raises:
        UsageError: there is none: HOME (on Windows USERPROFILE) is unset or not absolute, and the
            user has no entry in the user database, as in a container that runs under a bare user
            id.
    """
    return expanded(Path("~"))


def account_home() -> Path:
    """Return the home of the user's account, ignoring HOME and USERPROFILE."""
    if sys.platform == "win32":
        import ctypes  # noqa: PLC0415 - not needed elsewhere

        found = ctypes.create_unicode_buffer(_LONGEST_PATH)
        ctypes.windll.shell32.SHGetFolderPathW(None, _PROFILE, None, 0, found)
        home = Path(found.value)
    else:
        import pwd  # noqa: PLC0415 - POSIX only

        try:
            home = Path(pwd.getpwuid(os.getuid()).pw_dir)
        except KeyError:  # a user id alone, as in a container
            home = home_folder()
    return home


def expanded(path: Path) -> Path:
    """Return a path with a leading `~` replaced by the home folder.

    Raises:
        UsageError: that home folder does not exist.
    """
    if not str(path).startswith("~"):
        return path
    try:
        found = path.expanduser()
    except RuntimeError:
        found = path
    if not found.is_absolute():
        raise UsageError(
            f"the home folder is unknown: {_reason(path)}",
            hint=f"set {_HOME} to a folder of your own, or PAT_CONFIG_DIR and PAT_STATE_DIR",
        )
    return found


def other_owner(folder: Path) -> tuple[int, str] | None:
    """Return the user, not root, in whose folder root would create files; None for anyone else.

    Args:
        folder: it need not exist; its first existing parent is used then.

    Returns:
        The user id and the name. Also None for an id without a name on this system: such a
        folder was mounted into a container, where root may use it.
    """
    if sys.platform != "win32" and os.geteuid() == _ROOT:
        import pwd  # noqa: PLC0415 - not on Windows

        for each in (folder, *folder.parents):
            try:
                owner = each.stat().st_uid
            except OSError:
                continue
            try:
                return None if owner == _ROOT else (owner, pwd.getpwuid(owner).pw_name)
            except KeyError:
                return None
    return None


def _reason(path: Path) -> str:
    if len(path.parts[0]) > 1:
        return f"there is no user {path.parts[0][1:]!r}"
    if given := os.environ.get(_HOME):
        return f"{_HOME} is {given!r}, which is not an absolute path"
    if sys.platform == "win32":
        reason = "USERPROFILE is not set"
    else:
        reason = f"HOME is not set, and user id {os.getuid()} has no entry in the user database"
    return reason
