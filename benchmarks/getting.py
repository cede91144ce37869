"""`pat get` from a real Secret Service against `keyring get` of the same secret."""

import sys
from collections.abc import Iterator
from pathlib import Path

from measuring import PAT, Bound, FailedError, Program, Result, compare
from staging import keyring_stage

ROUNDS = 40
NAME = "laptop"


def measure(quick: int) -> Iterator[Result]:
    """Measure it with the organization from the environment, and from the config file."""
    with keyring_stage() as scene:
        access = scene.environment
        scene.pat("create", NAME, "--for", "git").output()
        service = f"azdo-pat:{scene.emulator.url}/{scene.emulator.organization}"
        keyring = Path(sys.executable).with_name("keyring")
        without = {name: text for name, text in access.items() if name != "PAT_ORG"}
        for source, environment in (("PAT_ORG", access), ("the config file", without)):
            if source != "PAT_ORG":
                words = ["config", "set", "org", scene.emulator.organization]
                Program(argv=[PAT, *words], environment=environment).output()
            pat = Program(argv=[PAT, "get", NAME], environment=environment)
            yardstick = Program(argv=[str(keyring), "get", service, NAME], environment=environment)
            if pat.output() != yardstick.output():
                raise FailedError("pat get and keyring get do not give the same secret")
            ratio, figures = compare("pat get", pat, yardstick, ROUNDS // quick)
            yield Result(
                measured=f"pat get, organization from {source} : keyring get",
                ratio=ratio,
                bound=Bound.AT_MOST,
                target=0.8,
                figures=figures,
            )
