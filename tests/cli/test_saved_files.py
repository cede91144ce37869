"""Files as Notepad and PowerShell save them: with a byte order mark, in UTF-16, with CRLF."""

import subprocess
from pathlib import Path

import pytest

from drivers import PROGRAM, Emulator, InProcess, Installed

ENCODINGS = {
    "utf-8 with a mark": ("utf-8-sig", b""),
    "utf-16 little endian": ("utf-16-le", b"\xff\xfe"),
    "utf-16 big endian": ("utf-16-be", b"\xfe\xff"),
}
DECLARED = """# Schlüssel
[[token]]
name = "Prüfstand"
scopes = ["code"]
"""


def saved(text: str, encoding: str) -> bytes:
    """Return what the editor writes."""
    codec, mark = ENCODINGS[encoding]
    return mark + text.replace("\n", "\r\n").encode(codec)


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_the_settings(encoding: str, pat: InProcess, home: Path) -> None:
    file = home / "pat/config/config.toml"
    file.parent.mkdir(parents=True)
    file.write_bytes(saved('# mine: ä\norg = "contoso"\n', encoding))
    assert pat("config", "get", "org", env={"PAT_ORG": None}).stdout == "contoso\n"
    assert pat("config", "set", "timeout", "20").exit_code == 0
    assert pat("config", "get", "timeout").stdout == "20\n"
    content = file.read_bytes()
    assert content[:2] == saved("", encoding)[:2] or encoding.endswith("big endian")
    codec = "utf-16" if encoding.startswith("utf-16") else "utf-8-sig"
    assert '# mine: ä\r\norg = "contoso"\r\n' in content.decode(codec)


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_declared_tokens(encoding: str, pat: InProcess, emulator: Emulator, tmp_path: Path) -> None:
    file = tmp_path / "tokens.toml"
    file.write_bytes(saved(DECLARED, encoding))
    assert pat("apply", str(file), "--yes").exit_code == 0
    assert "Prüfstand" in {each["displayName"] for each in emulator.tokens}


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_a_mistake_is_named_by_its_line(encoding: str, pat: InProcess, tmp_path: Path) -> None:
    file = tmp_path / "tokens.toml"
    file.write_bytes(saved(DECLARED.replace("scopes", "scope"), encoding))
    result = pat("apply", str(file), "--yes")
    assert result.exit_code == 2
    assert "line 4: unknown key 'scope' in a token" in result.stderr


@pytest.mark.parametrize("name", ["config", "apply"])
def test_what_is_no_text(name: str, pat: InProcess, home: Path, tmp_path: Path) -> None:
    folder = home / "pat/config"
    folder.mkdir(parents=True)
    file = folder / "config.toml" if name == "config" else tmp_path / "tokens.toml"
    content = '# ä\norg = "contoso"\n'.encode("latin-1")
    file.write_bytes(content)
    result = pat("config", "set", "timeout", "20") if name == "config" else pat("apply", str(file))
    assert result.exit_code == 2
    assert f"{file} cannot be read: it is not in UTF-8" in result.stderr
    assert file.read_bytes() == content


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_a_secret_that_is_piped_in(
    encoding: str, pat_process: Installed, emulator: Emulator, tmp_path: Path
) -> None:
    made = pat_process("create", "ci", "--scope", "profile", "--no-store", "--as", "token")
    file = tmp_path / "secret.txt"
    file.write_bytes(saved(made.stdout, encoding))
    with file.open("rb") as opened:
        ran = subprocess.run(
            [PROGRAM, "import", "imported"],
            stdin=opened,
            env=pat_process.environment(),
            capture_output=True,
            check=False,
        )
    assert (ran.returncode, made.exit_code) == (0, 0), ran.stderr
    assert pat_process("get", "imported").stdout == made.stdout
    assert emulator.tokens


def test_a_delivery_keeps_the_mark(pat: InProcess, tmp_path: Path) -> None:
    file = tmp_path / "settings.env"
    file.write_bytes(b"\xef\xbb\xbfTOKEN=old\r\nOTHER=1\r\n")
    made = pat("ensure", "ci", "--scope", "code", "--deliver", f"file:{file}|TOKEN={{token}}")
    assert made.exit_code == 0
    secret = pat("get", "ci").stdout.strip()
    assert file.read_bytes() == b"\xef\xbb\xbfTOKEN=%b\r\nOTHER=1\r\n" % secret.encode()
