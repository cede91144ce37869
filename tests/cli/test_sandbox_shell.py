"""Which shell a sandbox starts, and how, on every system."""

from base64 import b64decode
from pathlib import Path

import pytest

from azdo_pat.cli.sandbox_shell import shell_start, users_shell

WINDOWS = {
    "COMSPEC": r"C:\Windows\system32\cmd.exe",
    "PROGRAMFILES": r"C:\Program Files",
    "SYSTEMROOT": r"C:\Windows",
}
SYSTEM_MODULES = (
    r"C:\Program Files\WindowsPowerShell\Modules;C:\Windows\system32\WindowsPowerShell\v1.0\Modules"
)


@pytest.mark.parametrize(
    ("environment", "shell"),
    [
        ({"SHELL": "/bin/zsh"}, "/bin/zsh"),
        ({}, "/bin/sh"),
        (WINDOWS, WINDOWS["COMSPEC"]),
        ({**WINDOWS, "PSMODULEPATH": SYSTEM_MODULES}, WINDOWS["COMSPEC"]),
        (
            {
                **WINDOWS,
                "PSMODULEPATH": rf"C:\Users\Ada\Documents\PowerShell\Modules;{SYSTEM_MODULES}",
            },
            "pwsh",
        ),
        (
            {
                **WINDOWS,
                "PSMODULEPATH": rf"D:\Dokumente\WindowsPowerShell\Modules;{SYSTEM_MODULES}",
            },
            "powershell",
        ),
    ],
)
def test_the_users_shell(environment: dict[str, str], shell: str) -> None:
    assert users_shell(environment) == shell


@pytest.mark.parametrize(
    ("own", "prompt"),
    [({}, "(pat sandbox) $P$G"), ({"PROMPT": "$N$G"}, "(pat sandbox) $N$G")],
)
def test_cmd_gets_a_prompt(own: dict[str, str], prompt: str, tmp_path: Path) -> None:
    start = shell_start(tmp_path, {**WINDOWS, **own}, {"PAT_ORG": "contoso"})
    assert start == ([WINDOWS["COMSPEC"]], {"PROMPT": prompt}, None)


def test_powershell_sets_the_variables_again_after_the_profile(tmp_path: Path) -> None:
    own = {"SHELL": "/usr/bin/pwsh", "HOME": "/home/o'neil"}
    start = shell_start(tmp_path, own, {"PAT_ORG": "it's"})
    shell, stay, encoded, code = start.words
    assert (shell, stay, encoded) == ("/usr/bin/pwsh", "-NoExit", "-EncodedCommand")
    profiles, variables = b64decode(code).decode("utf-16-le").split("} finally {")
    assert "'/home/o''neil/.config/powershell/profile.ps1'" in profiles.replace("\\", "/")
    lines = [line.strip() for line in variables.splitlines()]
    assert lines.index("$env:PAT_ORG = 'it''s'") > 1
    assert "function prompt { '(pat sandbox) ' + (& $PatUsersPrompt) }" in lines
