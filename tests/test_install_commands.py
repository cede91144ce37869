"""The commands of hints that install something: what they name is there, and they fit the place."""

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from azdo_pat import installation
from azdo_pat.command_lines import quoted
from azdo_pat.install_commands import adding, is_virtual, program_with, source

COMMIT = "5f2d3c1b0a9f8e7d6c5b4a39281706f5e4d3c2b1"
GIT = {"vcs": "git", "commit_id": COMMIT, "requested_revision": "v1"}


@pytest.fixture
def record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the file in which an installer records where it got `pat` from."""
    folder = tmp_path / "packages" / "azdo_pat-99.dist-info"
    folder.mkdir(parents=True)
    (folder / "METADATA").write_text("Metadata-Version: 2.1\nName: azdo-pat\nVersion: 99\n")
    monkeypatch.setattr(sys, "path", [str(folder.parent), *sys.path])
    return folder / "direct_url.json"


def test_what_an_index_has_is_named(record: Path) -> None:
    assert not record.exists()
    assert source() == "azdo-pat"


@pytest.mark.parametrize(
    ("origin", "expected"),
    [
        (
            {"url": "https://example.com/pat.git", "vcs_info": GIT},
            f"git+https://example.com/pat.git@{COMMIT}",
        ),
        (
            {"url": "ssh://git@example.com/all", "vcs_info": GIT, "subdirectory": "tools/pat"},
            f"git+ssh://git@example.com/all@{COMMIT}#subdirectory=tools/pat",
        ),
        (
            {"url": "https://example.com/azdo_pat-1-py3-none-any.whl", "archive_info": {}},
            "https://example.com/azdo_pat-1-py3-none-any.whl",
        ),
        ({"url": "file:///no/such/folder", "dir_info": {}}, None),
        ({"vcs_info": GIT}, None),
        ({"url": "https://example.com/pat.git", "vcs_info": {"vcs": "git"}}, None),
        ([], None),
        ("{", None),
    ],
    ids=str,
)
def test_the_recorded_source(record: Path, origin: object, expected: str | None) -> None:
    record.write_text(origin if isinstance(origin, str) else json.dumps(origin), "utf-8")
    assert source() == expected


def test_a_folder_and_a_wheel_of_this_machine(record: Path, tmp_path: Path) -> None:
    clone = tmp_path / "Ada's 100% ć" / "tools"
    clone.mkdir(parents=True)
    for url, below in ((clone.as_uri(), ""), (clone.parent.as_uri(), "tools")):
        record.write_text(json.dumps({"url": url, "dir_info": {}, "subdirectory": below}), "utf-8")
        assert source() == str(clone)
    wheel = tmp_path / "azdo_pat-1-py3-none-any.whl"
    record.write_text(json.dumps({"url": wheel.as_uri(), "archive_info": {}}), "utf-8")
    assert source() is None
    wheel.touch()
    assert source() == str(wheel)


def test_a_bundle_names_no_folder_of_those_who_built_it(
    record: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record.write_text(json.dumps({"url": tmp_path.as_uri(), "dir_info": {}}), "utf-8")
    assert source() == str(tmp_path)
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    assert (installation.kind(), source()) == ("single folder", None)


def test_this_environment_gets_packages_by_its_own_pip(tmp_path: Path) -> None:
    python = tmp_path / "bin" / "python"
    assert adding("trustme", "svg.py", to=python) == (
        f"{quoted(str(python))} -m pip install trustme svg.py"
    )
    words = shlex.split(adding("/a b/pat")) if sys.platform != "win32" else []
    assert words in ([], [sys.executable, "-m", "pip", "install", "/a b/pat"])


def test_an_environment_of_pipx(tmp_path: Path) -> None:
    python = tmp_path / "azdo-pat-next" / "bin" / "python"
    python.parent.mkdir(parents=True)
    (python.parents[1] / "pipx_metadata.json").touch()
    assert adding("pynacl", to=python) == "pipx inject azdo-pat-next pynacl"


def test_an_environment_without_pip(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "env"], check=True)
    scripts = "Scripts/python.exe" if sys.platform == "win32" else "bin/python"
    python = tmp_path / "env" / scripts
    assert is_virtual(python)
    assert adding("pynacl", to=python) == f"uv pip install --python {quoted(str(python))} pynacl"
    libraries = next((tmp_path / "env").glob("[Ll]ib/**/site-packages"))
    (libraries / "pip").mkdir()
    assert adding("pynacl", to=python).endswith("-m pip install pynacl")


@pytest.mark.skipif(os.name != "nt", reason="a program in quotes is a string to PowerShell")
def test_a_python_that_must_be_quoted_is_no_first_word(tmp_path: Path) -> None:
    python = tmp_path / "Ada L" / "Scripts" / "python.exe"
    assert adding("pynacl", to=python) == f'py -m pip --python "{python}" install pynacl'


def test_a_program_with_pat_to_import(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "bin" / "python"))
    both = "pipx install keyring, then: pipx inject keyring azdo-pat"
    assert program_with("keyring", "azdo-pat") == both
    (tmp_path / "uv-receipt.toml").touch()
    assert program_with("keyring", "azdo-pat") == "uv tool install keyring --with azdo-pat"
