"""Where the benchmarks play: an emulator, an empty home, an environment with nothing else in it."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from azdo_pat.emulator.run import Options, start
from drivers import Emulator
from measuring import PAT, FailedError, Program
from store.keyring_service import gnome_keyring, missing_programs


@dataclass(frozen=True, kw_only=True)
class Stage:
    """An emulator and the environment of programs that use it.

    Attributes:
        environment: the whole of it, with organization and access token.
    """

    emulator: Emulator
    environment: dict[str, str]

    def pat(self, *args: str) -> Program:
        """Return the installed `pat` with these arguments."""
        return Program(argv=[PAT, *args], environment=self.environment)


@contextmanager
def stage() -> Iterator[Stage]:
    """Start an emulator without any token; what `pat` keeps is in a folder that is removed."""
    with tempfile.TemporaryDirectory() as home, start(Options()) as running:
        emulator = Emulator(running)
        emulator.remove_tokens()
        yield Stage(
            emulator=emulator, environment={**bare_environment(home), **emulator.environment}
        )


@contextmanager
def keyring_stage() -> Iterator[Stage]:
    """Start an emulator as `stage` does, and a Secret Service that programs store secrets in.

    Raises:
        FailedError: its programs are not installed.
    """
    if missing := missing_programs():
        raise FailedError(f"not installed: {', '.join(missing)}")
    with tempfile.TemporaryDirectory() as home, stage() as scene, gnome_keyring(Path(home)) as own:
        environment = {**own, **scene.environment, "HOME": own["HOME"]}
        yield Stage(emulator=scene.emulator, environment=environment)


def bare_environment(home: str | Path) -> dict[str, str]:
    """Return the environment of a newcomer: a home, a PATH, and nothing of this process's own."""
    return {"PATH": os.environ["PATH"], "HOME": str(home), "LANG": "C.UTF-8"}
