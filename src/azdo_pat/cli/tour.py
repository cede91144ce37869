"""Demonstrate the main commands in a sandbox, for `pat sandbox --tour`."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING, Final, TextIO

from azdo_pat.errors import NotFoundError
from azdo_pat.executables import command_line, find_program
from azdo_pat.installation import bundle

if TYPE_CHECKING:
    from azdo_pat.cli.sandbox import Sandbox

TOUR: Final = (
    ("Create a token for git. Its secret is stored in the keyring.", "pat create demo --for git"),
    ("List your tokens. The emulator comes with some of its own.", "pat list"),
    ("Show everything about the new token.", "pat show demo"),
    (
        "Print the secret, here as the header for curl.",
        "pat get demo --as header",
    ),
    (
        "The secret is in the keyring, where other programs find it too.",
        "keyring get azdo-pat:{PAT_API_URL}/{PAT_ORG} demo",
    ),
    ("Give the token a longer lifetime.", "pat update demo --expires 90d"),
    ("Print JSON for scripts.", "pat list --name demo -o json"),
    ("Revoke the token, and delete its secret from the keyring.", "pat revoke demo --yes"),
    ("The secret is gone.", "pat get demo"),
)
_EXPECTED_TO_FAIL: Final = {"pat get demo": 3}


def play_tour(sandbox: Sandbox, out: TextIO) -> int:
    """Run the steps of the tour and print each command with its real output.

    Returns:
        0, or 1 if a step did not do what the tour says.
    """
    environment = {**sandbox.environment, "COLUMNS": sandbox.environment.get("COLUMNS", "80")}
    wrong = []
    for remark, template in TOUR:
        line = template.format_map(environment)
        if line.startswith("keyring ") and bundle():  # which has no other programs
            continue
        out.write(f"\n# {remark}\n$ {line}\n")
        out.flush()
        words = line.split()
        program = find_program(words[0], environment)
        if program is None:
            raise NotFoundError(f"program {words[0]!r} not found", hint="reinstall pat")
        done = subprocess.run(  # noqa: S603  # the tour's own lines
            command_line([program, *words[1:]], environment),
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            check=False,
        )
        out.write(done.stdout)
        if done.returncode != _EXPECTED_TO_FAIL.get(line, 0):
            wrong.append(line)
    out.write(
        "\n# End of the tour: all of this is removed now. With your own account, run:\n"
        "#   pat login\n#   pat create laptop --for git --org YOUR-ORGANIZATION\n"
    )
    out.flush()
    if wrong:
        out.write(f"\n# These steps failed: {'; '.join(wrong)}\n")
    return 1 if wrong else 0
