"""Other programs on Windows: what `pat` starts, and whose files it writes."""

import shutil
from pathlib import Path

import pytest

from drivers import PROGRAM, AzureCli, Emulator, Installed

SECRET_LENGTH = 84


@pytest.fixture
def token(pat: Installed) -> str:
    """The name of a token whose secret is stored."""
    assert pat("create", "one", "--scope", "code", "-q", "-o", "none").exit_code == 0
    return "one"


@pytest.fixture
def tool(tmp_path: Path) -> Path:
    """A batch file, as az and npm are, that prints its first argument and ends with 4."""
    path = tmp_path / "tool.cmd"
    path.write_bytes(b"@echo off\r\necho [%1]\r\nexit /b 4\r\n")
    return path


def test_exec_gives_the_secret_and_the_exit_code(pat: Installed, token: str) -> None:
    code = "import os, sys; sys.exit(len(os.environ['AZURE_DEVOPS_EXT_PAT']))"
    assert pat("exec", token, "--", "python", "-c", code).exit_code == SECRET_LENGTH


def test_exec_new_gives_a_secret_and_the_exit_code(pat: Installed, emulator: Emulator) -> None:
    emulator.remove_tokens()
    code = "import os, sys; sys.exit(len(os.environ['AZURE_DEVOPS_EXT_PAT']))"
    ran = pat("exec", "--new", "--scope", "code", "--", "python", "-c", code)
    assert (ran.exit_code, ran.stderr) == (SECRET_LENGTH, "")
    assert [each["status"] for each in emulator.tokens] == ["revoked"]


def test_exec_new_of_a_batch_file(pat: Installed, emulator: Emulator, tool: Path) -> None:
    """An argument that it cannot be given is refused before there is a token."""
    emulator.remove_tokens()
    new = ("exec", "--new", "--scope", "code", "--", str(tool))
    assert pat(*new, "%PATH%").exit_code == 2
    assert emulator.tokens == []
    ran = pat(*new, "plain")
    assert (ran.exit_code, ran.stdout) == (4, "[plain]\n")
    assert [each["status"] for each in emulator.tokens] == ["revoked"]


def test_exec_of_a_program_that_windows_ended(pat: Installed, token: str) -> None:
    """By Ctrl-C, for one: its exit code is beyond what C takes for a positive number."""
    ended = 0xC000013A
    code = f"import os; os._exit({ended - (1 << 32)})"
    assert pat("exec", token, "--", "python", "-c", code).exit_code == ended


def test_exec_of_a_batch_file(pat: Installed, token: str, tool: Path) -> None:
    ran = pat("exec", token, "--", str(tool), "plain")
    assert (ran.exit_code, ran.stdout) == (4, "[plain]\n")


@pytest.mark.parametrize("argument", ["b&c", "b&echo c", "a|b", "%PATH%", "^x", 'q"&echo c', "a b"])
def test_exec_of_a_batch_file_runs_nothing_of_an_argument(
    pat: Installed, token: str, tool: Path, argument: str
) -> None:
    ran = pat("exec", token, "--", str(tool), argument)
    if ran.exit_code == 2:  # it is refused
        assert "tool.cmd" in ran.stderr
        assert ran.stdout == ""
    else:
        shown = ran.stdout.replace('"', "")  # the batch file prints the quotes, too
        assert (ran.exit_code, shown) == (4, f"[{argument}]\n".replace('"', ""))


def test_a_delivery_command_with_quotes(pat: Installed, token: str, tmp_path: Path) -> None:
    folder = tmp_path / "My Tool"
    folder.mkdir()
    script = folder / "tool.py"
    script.write_text("import sys; open(sys.argv[1], 'w').write(repr(sys.argv[2:]))", "utf-8")
    result = tmp_path / "out.txt"
    command = f'command:python "{script}" "{result}" "a b"'
    ran = pat("rotate", token, "--deliver", command, "-q", "-o", "none")
    assert ran.exit_code == 0, ran.stderr
    assert result.read_text("utf-8") == "['a b']"


def test_files_of_tools(pat: Installed, token: str, emulator: Emulator, home: Path) -> None:
    feed = f"{emulator.url}/contoso/_packaging/feed"
    nuget = home / "AppData" / "Roaming" / "NuGet" / "NuGet.Config"
    nuget.parent.mkdir(parents=True)
    nuget.write_bytes(
        b'\xef\xbb\xbf<?xml version="1.0" encoding="utf-8"?>\r\n'
        b"<configuration>\r\n</configuration>\r\n"
    )
    for tool, path, *args in (
        ("npm", home / ".npmrc", "--feed", f"{feed}/npm/registry/"),
        ("nuget", nuget, "--feed", f"{feed}/nuget/v3/index.json"),
        ("maven", home / ".m2" / "settings.xml", "--feed", f"{feed}/maven/v1"),
        ("netrc", home / "_netrc"),
    ):
        ran = pat("setup", tool, "--use", token, *args)
        assert ran.exit_code == 0, ran.stderr
        assert path.stat().st_size > 60, tool
    written = nuget.read_bytes()
    assert written.startswith(b"\xef\xbb\xbf")
    assert b"\n" not in written.replace(b"\r\n", b"")


def test_pip_ini(pat: Installed, home: Path) -> None:
    ran = pat("setup", "pip")
    assert (home / "AppData" / "Roaming" / "pip" / "pip.ini").exists(), ran.stderr


@pytest.mark.parametrize("tool", ["twine", "poetry"])
def test_a_launcher_of_this_python(pat: Installed, tool: str) -> None:
    launcher = PROGRAM.with_name(f"{tool}.exe")
    shutil.copy(PROGRAM.with_name("keyring.exe"), launcher)
    try:
        ran = pat("setup", tool)
        assert ran.exit_code == 0, ran.stderr
    finally:
        launcher.unlink()


def test_the_azure_cli_signs_in(pat: Installed, emulator: Emulator, az: AzureCli) -> None:
    az.sign_in(emulator.mint("user", user="ada"))
    ran = pat("status", env={"PAT_ACCESS_TOKEN": None})
    assert (ran.exit_code, "Azure CLI" in ran.stdout) == (0, True), ran


def test_no_program_comes_from_the_current_folder(
    pat: Installed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where one stands may be somebody else's project."""
    monkeypatch.chdir(tmp_path)
    for name in ("az", "git"):
        (tmp_path / f"{name}.cmd").write_bytes(b"@echo off\r\necho ran> ran.txt\r\n")
    (tmp_path / ".git").mkdir()
    pat("status", env={"PAT_ACCESS_TOKEN": None, "PAT_ORG": None})
    pat("setup", "git")
    assert not (tmp_path / "ran.txt").exists()


def test_the_keychain_of_macos_is_not_offered(pat: Installed) -> None:
    offered = {each["tool"] for each in pat("setup", "--list", "-o", "json").json}
    assert "git" in offered
    assert "osxkeychain" not in offered


def test_a_sandbox_has_folders_of_its_own(pat: Installed) -> None:
    names = ("APPDATA", "LOCALAPPDATA", "USERPROFILE", "PAT_SANDBOX")
    code = f"import os; print(*(os.environ[name] for name in {names}), sep='|')"
    ran = pat("sandbox", "--", "python", "-c", code)
    assert ran.exit_code == 0, ran.stderr
    *folders, sandbox = ran.stdout.strip().split("|")
    assert all(each.startswith(sandbox) for each in folders), folders


def test_tools_can_be_set_up_in_a_sandbox(pat: Installed) -> None:
    line = "pat create x --for packages -q -o none && pat setup netrc --use x"
    ran = pat("sandbox", "--", "cmd", "/c", line)
    assert ran.exit_code == 0, ran.stderr
    assert "_netrc" in ran.stdout
