"""The first example in the help of each command does what it says, in a sandbox."""

import re
from pathlib import Path

import click
import pytest

from azdo_pat.cli.main import pat as program
from azdo_pat.command_lines import split
from command_tree import contexts
from drivers import Emulator, InProcess

ELSEWHERE = {
    "pat cargo-credential": "cargo runs it; the example sets cargo up, for a feed of one's own",
    "pat emulator": "it serves until it is stopped",
    "pat exec": "it runs another program",
    "pat import": "it asks a server of one's own whether it accepts the secret",
    "pat login": "it opens a browser",
    "pat sandbox": "it starts an emulator of its own",
}
"""The commands whose first example other tests run, or no test can."""


def first_example(command: click.Command) -> str:
    """Return the first example that runs `pat`, without what a shell does besides."""
    found = re.search(r"Examples?:\n.*?\bpat ([^\n)|<>#&]+)", command.help or "", re.DOTALL)
    assert found, command.name
    return found[1]


def test_the_first_example_of_each_command(
    pat: InProcess, emulator: Emulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("tokens.toml").write_text('[[token]]\nname = "npm"\nscopes = ["packaging"]\n')
    examples = {
        context.command_path: first_example(context.command)
        for context in contexts(program)
        if context.parent and context.command_path not in ELSEWHERE
    }
    emulator.add_tokens(name="old laptop", scope="vso.code_write", allOrgs=True)
    assert pat(*split(examples.pop("pat create")), "-q").exit_code == 0
    made = pat("ensure", "ci", "--for", "packages", "--deliver", "file:secret", "-q")
    assert made.exit_code == 0
    secret = pat("get", "laptop").stdout
    failed = {}
    for path in sorted(examples, key=lambda path: path == "pat forget"):
        stdin = "protocol=https\nhost=dev.azure.com\n" if "credential" in path else secret
        ran = pat(*split(examples[path]), stdin=stdin)
        asks = "pat cannot ask for confirmation here" in ran.stderr
        if ran.exit_code not in {0, 10} and not (ran.exit_code == 2 and asks):
            failed[path] = (examples[path], ran)
    assert failed == {}
