"""Where programs are found, and how batch files are started."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from azdo_pat.executables import command_line, find_program
from drivers import put_program


@pytest.fixture
def program(tmp_path: Path) -> Path:
    """A program `tool` that prints its arguments, one to a line."""
    (tmp_path / "bin").mkdir()
    return put_program(tmp_path / "bin" / "tool", "import sys; print(*sys.argv[1:], sep='\\n')")


def test_on_the_path(program: Path) -> None:
    path = os.pathsep.join([str(program.parents[1]), str(program.parent)])
    assert os.path.normcase(find_program("tool", {**os.environ, "PATH": path}) or "") == (
        os.path.normcase(program)
    )
    assert find_program("tools", {**os.environ, "PATH": path}) is None


@pytest.mark.parametrize("path", ["", ".", "bin", f".{os.pathsep}bin"])
def test_never_where_one_stands(path: str, program: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for folder in (program.parent, program.parents[1]):
        monkeypatch.chdir(folder)
        assert find_program("tool", {**os.environ, "PATH": path}) is None
        assert find_program(program.name, {**os.environ, "PATH": path}) is None


def test_by_its_path(program: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(program.parent)
    assert find_program(str(program), {"PATH": ""}) == str(program)
    assert find_program(f"./{program.name}", {"PATH": ""}) == f"./{program.name}"
    assert find_program(str(program.parent), {"PATH": ""}) is None


@pytest.mark.parametrize(
    "argument",
    ["a", "", "a b", "b&c", "b|c", "b>c", "^", "!x!", "(", "a;b", "a,b", "a=b", "'", "\\", "a b\\"],
)
def test_an_argument_arrives(program: Path, argument: str) -> None:
    line = command_line([str(program), argument, "last"])
    ran = subprocess.run(line, capture_output=True, text=True, check=False)
    assert (ran.stdout, ran.stderr) == (f"{argument}\nlast\n", "")


@pytest.mark.skipif(sys.platform != "win32", reason="batch files are of Windows")
@pytest.mark.parametrize("argument", ['"', "%PATH%", "a\nb"])
def test_an_argument_that_no_batch_file_can_be_given(program: Path, argument: str) -> None:
    with pytest.raises(ValueError, match="a batch file cannot be given"):
        command_line([str(program), argument])
