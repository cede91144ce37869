"""Processes of `pat` that are forked from one that has imported it, for tests that start hundreds.

To import `pat` takes most of the time of a short run. What a forked process does, how it ends, and
what kills it, is as in any other.
"""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from socket import socketpair
from typing import IO, NamedTuple

from drivers import TIME_LIMIT

PARENT = '''
"""Fork for each line of the socket; the child goes on as `pat`, the parent says how it ended."""
import importlib, json, os, pkgutil, socket, sys

import azdo_pat

for module in pkgutil.walk_packages(azdo_pat.__path__, "azdo_pat."):
    if not module.name.startswith("azdo_pat.emulator"):
        importlib.import_module(module.name)
orders = socket.socket(fileno=int(sys.argv[1]))
orders.set_inheritable(False)
for line in orders.makefile():
    pid = os.fork()
    if pid == 0:
        break
    _, status = os.waitpid(pid, 0)
    orders.sendall(f"{os.waitstatus_to_exitcode(status)}\\n".encode())
else:
    sys.exit()
order = json.loads(line)
for number, name in enumerate(order["streams"]):
    stream = os.open(name, os.O_RDWR)
    os.dup2(stream, number)
    os.close(stream)
os.environ.clear()
os.environ.update(order["environment"])
os.chdir(order["folder"])
sys.argv[:] = ["pat", *order["args"]]
exec(order["prelude"])
from azdo_pat.__main__ import main

main()
'''


class Ended(NamedTuple):
    """A process that has ended.

    Attributes:
        code: its exit code, or the negative number of the signal that killed it.
        stderr: what it wrote there.
    """

    code: int
    stderr: str


class Forks:
    """Runs `pat` in forked processes, one after the other."""

    def __init__(self, orders: IO[str], folder: Path) -> None:
        self._orders = orders
        self._streams = [folder / name for name in ("stdin", "stdout", "stderr")]

    def run(
        self, args: Sequence[str], environment: Mapping[str, str], *, prelude: str, piped: str
    ) -> Ended:
        """Run it to its end.

        Args:
            args: of `pat`.
            environment: all of it.
            prelude: Python that is run first.
            piped: what is on its standard input.
        """
        for file in self._streams:
            file.write_text(piped if file.name == "stdin" else "", "utf-8")
        order = {
            "args": args,
            "environment": dict(environment),
            "folder": str(Path.cwd()),
            "prelude": prelude,
            "streams": [str(file) for file in self._streams],
        }
        self._orders.write(f"{json.dumps(order)}\n")
        self._orders.flush()
        code = int(self._orders.readline())
        return Ended(code, self._streams[-1].read_text("utf-8"))


@contextmanager
def forks(folder: Path) -> Iterator[Forks]:
    """Start the process that imports `pat`; end it at the end."""
    here, there = socketpair()
    here.settimeout(TIME_LIMIT)
    with here, here.makefile("rw", encoding="utf-8") as orders:
        with there:
            process = subprocess.Popen(
                [sys.executable, "-c", PARENT, str(there.fileno())],
                env=dict(os.environ),
                stdin=subprocess.DEVNULL,
                pass_fds=[there.fileno()],
                start_new_session=True,
            )
        try:
            yield Forks(orders, folder)
        finally:
            if sys.platform != "win32":  # where nothing of this runs
                os.killpg(process.pid, signal.SIGKILL)  # a child that hangs, too
            process.wait()
