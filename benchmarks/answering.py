"""`pat git-credential get` from a real Secret Service against `keyring get` of the same secret."""

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from measuring import PAT, Bound, FailedError, Program, Result, compare
from staging import stage
from store.keyring_service import gnome_keyring, missing_programs

ROUNDS = 40
NAME = "laptop"


def measure(quick: int) -> Iterator[Result]:
    """Measure what git waits for."""
    if missing := missing_programs():
        raise FailedError(f"not installed: {', '.join(missing)}")
    with tempfile.TemporaryDirectory() as home, stage() as scene, gnome_keyring(Path(home)) as own:
        access = {**own, **scene.environment, "HOME": own["HOME"]}
        Program(argv=[PAT, "create", NAME, "--for", "git"], environment=access).output()
        url = urlsplit(scene.emulator.url)
        organization = scene.emulator.organization
        service = f"azdo-pat:{scene.emulator.url}/{organization}"
        keyring = Path(sys.executable).with_name("keyring")
        asked = Path(home) / "asked"
        asked.write_text(
            f"protocol={url.scheme}\nhost={url.netloc}\npath={organization}/_git/app\n"
        )
        answer = f'exec "{PAT}" git-credential get < "{asked}"'
        pat = Program(argv=["/bin/sh", "-c", answer], environment=access)
        reading = f'exec "{keyring}" get {service} {NAME} < "{asked}"'
        yardstick = Program(argv=["/bin/sh", "-c", reading], environment=access)
        if f"password={yardstick.output()}" not in pat.output():
            raise FailedError("git does not get the secret that keyring get gives")
        ratio, figures = compare("pat git-credential get", pat, yardstick, ROUNDS // quick)
        yield Result(
            measured="pat git-credential get : keyring get",
            ratio=ratio,
            bound=Bound.AT_MOST,
            target=0.8,
            figures=figures,
        )
