"""The cheat sheet: each of its commands, in its order, as a user would try them in one sitting."""

import re
import shlex
from pathlib import Path

from drivers import Pat, need_git

SHEET = Path(__file__).parents[1] / "docs" / "cheatsheet.md"
ROW = re.compile(r"^\| (?P<task>[^|]+) \| `pat (?P<command>[^`]+)` \|$", re.MULTILINE)

NOT_TRIED = {
    "login": "waits for a browser",
    "logout": "is about that sign-in",
    "get laptop --copy": "needs a clipboard",
    "emulator --port 8750": "runs until it is stopped",
    "exec laptop -- git --version": "takes the place of the process of the test",
}
DECLARED = '[[token]]\nname = "deploy"\nscopes = ["code"]\n'


def test_each_command_does_what_it_says(pat: Pat) -> None:
    need_git()
    Path("tokens.toml").write_text(DECLARED, "utf-8")
    rows = [(found["task"], found["command"]) for found in ROW.finditer(SHEET.read_text("utf-8"))]
    assert set(NOT_TRIED) < {command for _, command in rows}
    failed = {}
    for task, command in rows:
        if command not in NOT_TRIED:
            result = pat(*shlex.split(command))
            if result.exit_code:
                failed[task, command] = result.stderr
    assert failed == {}
