"""Where programs are found, and how batch files are started."""

import ast
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import azdo_pat
from azdo_pat.executables import (
    batch_line,
    command_line,
    find_program,
    require_program,
    searched_safely,
)
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


def test_what_cannot_be_run(tmp_path: Path) -> None:
    (tmp_path / "tool").mkdir()
    with pytest.raises(PermissionError):
        require_program("tool", {"PATH": str(tmp_path)})
    with pytest.raises(FileNotFoundError):
        require_program("tools", {"PATH": str(tmp_path)})
    with pytest.raises(FileNotFoundError):
        require_program("x" * 300, {"PATH": str(tmp_path)})


def test_without_a_path_it_is_the_systems(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(os, "defpath", os.pathsep.join([".", str(tmp_path)]))
    tool = put_program(tmp_path / "tool", "")
    monkeypatch.chdir(tmp_path)
    assert os.path.normcase(require_program("tool", {})) == os.path.normcase(tool)


def test_a_name_alone_is_never_started() -> None:
    with pytest.raises(ValueError, match="'tool' is not a path"):
        command_line(["tool", "x"], os.environ)


@pytest.mark.parametrize("path", ["", ".", f"{os.pathsep}bin"])
def test_libraries_start_nothing_of_the_current_folder(
    path: str, program: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(program.parent)
    monkeypatch.setenv("PATH", path)
    before = dict(os.environ)
    with searched_safely(), pytest.raises((FileNotFoundError, NotADirectoryError)):
        subprocess.run([program.name], check=False)
    assert dict(os.environ) == before


@pytest.mark.parametrize(
    "argument",
    [
        "a",
        "",
        "a b",
        "b&c",
        "b&echo c",
        "b|c",
        "b>c",
        "^",
        "!x!",
        "(",
        "a;b",
        "a,b",
        "a=b",
        "'",
        '"',
        'a"&echo c',
        'a b"c d',
        '{"a":1}',
        "end\\",
        "a b\\",
        'a\\"b',
    ],
)
def test_an_argument_arrives(program: Path, argument: str) -> None:
    line = command_line([str(program), argument, "last"], os.environ)
    ran = subprocess.run(line, capture_output=True, text=True, check=False)
    assert (ran.stdout, ran.stderr) == (f"{argument}\nlast\n", "")


@pytest.mark.skipif(sys.platform != "win32", reason="batch files are of Windows")
@pytest.mark.parametrize("argument", ["%PATH%", "a\nb"])
def test_an_argument_that_no_batch_file_can_be_given(program: Path, argument: str) -> None:
    for path in (str(program), f"{program}. "):  # the system ignores the end
        with pytest.raises(ValueError, match=re.escape(f"the argument {argument!r}")):
            command_line([path, argument], os.environ)


@pytest.mark.parametrize(
    ("argument", "reason"),
    [
        ("x%Path%y", "cmd.exe would replace %Path% in it"),
        ("%PATH:a=b%", "cmd.exe would replace %PATH% in it"),
        ("%cd:~0,1%", "cmd.exe would replace %cd% in it"),
        ("%=ExitCode%", "cmd.exe would replace %=ExitCode% in it"),
        ("50%%own%", "cmd.exe would replace %own% in it"),
        ("a\r", "cmd.exe would cut it at the end of its first line"),
        ("a\nb", "cmd.exe would cut it at the end of its first line"),
    ],
)
def test_what_quotes_do_not_hide_from_cmd(argument: str, reason: str) -> None:
    with pytest.raises(ValueError, match="batch file") as caught:
        batch_line([r"C:\x.cmd", "before", argument, "after"], {"OWN": "1"})
    assert str(caught.value) == (
        f"a batch file cannot be given the argument {argument!r}: {reason}"
    )


@pytest.mark.parametrize("argument", ["100%", "a%20b%20c", "%", "%nothing%"])
def test_what_is_no_variable_is_left_alone(argument: str) -> None:
    """As cmd.exe does outside batch files; it is Wine's that takes them out."""
    assert batch_line([r"C:\x.cmd", argument], {}).endswith(f' /s /c ""C:\\x.cmd" "{argument}""')


def _calls(tree: ast.AST) -> Iterator[tuple[str, ast.Call]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func), node


_STARTS = re.compile(
    r"(subprocess\.)?(run|Popen|call|check_call|check_output|getoutput|getstatusoutput)"
)
_OTHERS = re.compile(
    r"(shutil\.)?which|os\.(system|popen|startfile|posix_spawn\w*|spawn\w+|exec(?!ve\b)\w+)"
    r"|asyncio\.create_subprocess_\w+"
)


def test_everything_is_found_and_started_by_this_module() -> None:
    """No program is looked for by another function, or started by its name alone."""
    root = Path(azdo_pat.__file__).parent
    found = []
    for file in root.rglob("*.py"):
        text = file.read_text("utf-8")
        for name, call in _calls(ast.parse(text)):
            first = ast.unparse(call.args[0]) if call.args else ""
            starts = _STARTS.fullmatch(name) and "import subprocess" in text
            ours = ("command_line(", "[sys.executable,", "running_module(", "[killer,")
            safe = first.startswith(ours) or first == "prepared"  # by command_line; see cli.child
            if _OTHERS.fullmatch(name) or (starts and not safe):
                found.append(f"{file.relative_to(root).as_posix()}:{call.lineno}: {name}({first}")
    assert found == []


def test_an_empty_name_is_no_program(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        require_program("", {"PATH": str(tmp_path)})
