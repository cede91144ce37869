"""docs/reliability.md, made from the outcomes that the end-to-end tests compare with."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

PAGE = Path(__file__).parent / "reliability.md"
OUTCOMES = Path(__file__).parent.parent / "tests" / "e2e" / "outcomes"
HEAD = """\
# What happens when something fails

<!-- Written by docs/generate.py from tests/e2e/outcomes/, which the tests compare with. -->

The end-to-end tests cut each of these operations short: they kill the real process before and
after every effect it has, let every request to the service fail in several ways, every call of
the keyring, and every write of the state file. Then all heals, `pat list` is run, as a user
would, and this must hold:

- No token is active whose secret is stored nowhere, but where the user gave it up or it was made
  elsewhere, and no stored secret belongs to a token that is dead.
- All is as before the command, or as the command would have left it; nothing between.
- The journal is empty, and the state file knows what the keyring holds. `pat get` gives that
  secret.
- A file that a secret is delivered to holds the secret that works.
- The exit code is one of [the documented ones](reference/contract.md#exit-codes), never 1.

The same is held, without a table, for `pat apply --prune`, whose steps run side by side, for a
second run that is killed while it clears up after the first, for a keyring that hangs at any
call, for a clock that jumps by hours, weeks or years at any moment, for several processes that
do the same at once, and for random sequences of commands with random faults.

"As before" means that nothing has changed; "done", that the command's effect is there in full.
With `--replace` the token whose secret is overwritten lives on, as the user asked.
"""
KINDS = {
    "killed": (
        "The process is killed",
        ("killed", "afterwards"),
        "The first word says on which side of the effect.",
    ),
    "request": ("A request fails, once", ("the request", "exit code", "afterwards"), ""),
    "keyring": ("The keyring fails", ("what", "exit code", "afterwards"), ""),
    "state": ("The disk is full", ("what", "exit code", "afterwards"), ""),
}


def reliability() -> str:
    """Return the page."""
    tables: dict[str, dict[str, Sequence[Sequence[str]]]] = {}
    for file in sorted(OUTCOMES.glob("*.json")):
        table = json.loads(file.read_text("utf-8"))
        kind = file.name.partition("-")[0]
        tables.setdefault(table["operation"], {})[kind] = table["rows"]
    lines = [HEAD]
    for operation, kinds in tables.items():
        lines += [f"## pat {operation}", ""]
        for kind, (title, columns, note) in KINDS.items():
            if kind not in kinds:
                continue
            lines += [f"### {title}: {operation}", "", *([note, ""] if note else [])]
            lines += _table(columns, kinds[kind])
            lines.append("")
    return "\n".join(lines)


def _table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Yield a table; rows that say the same stand in one."""
    yield f"| {' | '.join(columns)} |"
    yield f"| {' | '.join('---' for _ in columns)} |"
    seen: dict[tuple[str, ...], int] = {}
    for row in rows:
        key = tuple(row)
        seen[key] = seen.get(key, 0) + 1
    for row, count in seen.items():
        times = f" ({count} of them)" if count > 1 else ""
        yield f"| {' | '.join([f'{row[0]}{times}', *row[1:]])} |"
