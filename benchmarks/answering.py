"""`pat git-credential get` from a real Secret Service against `keyring get` of the same secret."""

import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from measuring import PAT, Bound, FailedError, Program, Result, compare
from staging import keyring_stage

ROUNDS = 40
NAME = "laptop"


def measure(quick: int) -> Iterator[Result]:
    """Measure what git waits for."""
    with keyring_stage() as scene:
        access = scene.environment
        scene.pat("create", NAME, "--for", "git").output()
        url = urlsplit(scene.emulator.url)
        organization = scene.emulator.organization
        service = f"azdo-pat:{scene.emulator.url}/{organization}"
        keyring = Path(sys.executable).with_name("keyring")
        asked = Path(access["HOME"], "asked")
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
