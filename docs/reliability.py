"""Write docs/development/reliability.md from the outcomes that the tests compare with."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

PAGE = Path(__file__).parent / "development" / "reliability.md"
OUTCOMES = Path(__file__).parent.parent / "tests" / "e2e" / "outcomes"
HEAD = """\
# What happens when something fails

<!-- Written by docs/generate.py from tests/e2e/outcomes/, which the tests compare with. -->

The end-to-end tests interrupt each of these operations: they kill the real process before and
after each of its effects, and make each request to the service, each call of the keyring and each
write of the state file fail in several ways. Then nothing fails any more, the test runs `pat list`,
as a user would, and checks that:

- No token is active whose secret is stored nowhere, except one that the user gave up or created
  elsewhere. No stored secret belongs to a revoked or expired token.
- Everything is as it was before the command, or as the completed command would have left it.
- The journal is empty, and the state file matches the keyring. `pat get` prints that secret.
- A file to which a secret is delivered holds the secret that works.
- A service to which a secret is delivered holds a secret that works at each moment, and the new one
  when the command is complete. Everything else there is as it was.
- The exit code is one of [the documented ones](../reference/contract.md#exit-codes), never 1.

The tests check the same, without a table, for `pat apply --prune`, whose steps run in parallel; for
a second run that is killed while it recovers from the first; for a keyring that hangs at any call;
for a clock that jumps by hours, weeks or years; for several processes that run the same command at
once; and for random sequences of commands with random faults.

`pat migrate` changes one organization after the other, so some may have their token and others not.
A second run completes it and creates no second token; the global token is active until then.

"As before" means that nothing has changed; "done" means that the command is complete. With
`--replace`, the token whose secret is overwritten stays active, as the user asked. With `--grace`,
the test lets the grace period end and runs `pat list` again, which revokes the old token. With
`exec --new`, "done" means that its command has run; its token is revoked in either case.
"""
KINDS = {
    "killed": (
        "The process is killed",
        ("killed", "afterwards"),
        "The process is killed before or after this effect.",
    ),
    "request": ("A request fails, once", ("the request", "exit code", "afterwards"), ""),
    "keyring": ("The keyring fails", ("what", "exit code", "afterwards"), ""),
    "state": ("The disk is full", ("what", "exit code", "afterwards"), ""),
}


def reliability() -> str:
    """Return the page as Markdown."""
    tables: dict[str, dict[str, Sequence[Sequence[str]]]] = {}
    for file in sorted(OUTCOMES.glob("*.json")):
        table = json.loads(file.read_text("utf-8"))
        kind = file.name.partition("-")[0]
        tables.setdefault(table["operation"], {})[kind] = table["rows"]
    lines = [HEAD]
    for operation, kinds in tables.items():
        lines += [f"## pat {operation}", ""]
        for kind, (title, columns, note) in KINDS.items():
            if not kinds.get(kind):
                continue
            lines += [f"### {title}: {operation}", "", *([note, ""] if note else [])]
            lines += _table(columns, kinds[kind])
            lines.append("")
    return "\n".join(lines)


def _table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Yield the lines of a table; equal rows are merged, with their number."""
    yield f"| {' | '.join(columns)} |"
    yield f"| {' | '.join('---' for _ in columns)} |"
    seen: dict[tuple[str, ...], int] = {}
    for row in rows:
        key = tuple(row)
        seen[key] = seen.get(key, 0) + 1
    for row, count in seen.items():
        times = f" ({count} of them)" if count > 1 else ""
        yield f"| {' | '.join([f'{row[0]}{times}', *row[1:]])} |"
