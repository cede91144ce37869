"""What `pat` proposes to type on Windows: for PowerShell, and with Windows' own names."""

from pathlib import Path

from auth.jwts import HOW_TO
from azdo_pat.homes import account_home
from drivers import Installed

PERSONAL = f"{'A' * 76}AZDO0000"
"""A personal access token, which is no access token."""


def test_a_variable_is_set_as_powershell_does_it(pat: Installed) -> None:
    ran = pat("list", env={"PAT_ACCESS_TOKEN": PERSONAL})
    assert ran.exit_code == 4
    assert ran.stderr.splitlines()[1].strip() == (
        f"to get an access token from the Azure CLI, run: {HOW_TO}"
    )


def test_the_home_folder_is_that_of_windows(pat: Installed) -> None:
    ran = pat("list", env={"PAT_STATE_DIR": "~/state", "USERPROFILE": "here", "HOME": "/home/ada"})
    assert ran.exit_code == 2
    assert ran.stderr.splitlines() == [
        "pat: the home folder is unknown: USERPROFILE is 'here', which is not an absolute path",
        "     set USERPROFILE to a folder of your own, or PAT_CONFIG_DIR and PAT_STATE_DIR",
    ]


def test_the_folders_are_those_of_the_documentation(pat: Installed) -> None:
    ran = pat("status", "-o", "json", env={"PAT_CONFIG_DIR": None, "PAT_STATE_DIR": None})
    folder = account_home() / "AppData" / "Local" / "pat"  # %LOCALAPPDATA%
    assert [Path(ran.json[f"{kind}_file"]) for kind in ("config", "state")] == [
        folder / "config.toml",
        folder / "state.db",
    ]
