"""Write docs/reference/messages.md: every error message and warning, with its hint."""

import re
from collections import defaultdict
from pathlib import Path
from typing import Final

from azdo_pat.errors import ExitCode
from message_source import messages as all_messages

PAGE: Final = Path(__file__).parent / "reference" / "messages.md"


RUN: Final = 2
HEAD: Final = """\
# Messages

<!-- Written by docs/generate.py from the source, where each message is. -->

Every error message of `pat`, by its exit code and its subject, and at the end every warning. `…`
stands for what differs: a name, a number, a file. To find a message, search this page for a part of
it without names. [When something goes wrong](../guides/trouble.md) explains the frequent ones.

A message may contain another one: if a delivery failed, that of the target; if the service refused,
the service's own words follow. What begins with `No such option`, `Missing argument`, `Invalid
value for` or `No such command` is about the command line (exit code 2): `pat COMMAND --help` shows
what the command takes.
"""
EXPLAINED: Final = {
    1: "1-a-fault-in-pat-or-its-output-is-lost",
    2: "2-usage",
    3: "3-not-found",
    4: "4-not-signed-in",
    5: "5-refused",
    6: "6-conflict",
    7: "7-the-keyring-or-the-state-file",
    8: "8-something-is-pending",
    9: "9-some-of-many-failed",
    11: "11-no-proper-answer",
    130: "130-interrupted",
}
"""The section of the guide on what goes wrong, for each exit code."""


SUBJECTS: Final = {
    "signing in": ("../guides/sign-in.md", ("auth/", "api/entra", "cli/login", "cli/app")),
    "the service and the network": ("../guides/trouble.md#11-no-proper-answer", ("api/",)),
    "tokens": (
        "commands.md",
        ("cli/", "services/", "operations/", "gitcredential", "naming", "scopes"),
    ),
    "organizations": (
        "contract.md#which-organization",
        ("api/addresses", "organizations", "services/unsupported"),
    ),
    "global tokens": (
        "../guides/global-tokens.md",
        ("cli/migrate", "services/global", "services/migrate"),
    ),
    "dates and spans": ("contract.md#times", ("expiry",)),
    "importing": ("../guides/import.md", ("cli/import", "services/import", "cli/secret_input")),
    "running a command": ("../guides/scripts.md", ("cli/exec", "cli/sandbox", "cli/emulator")),
    "output": (
        "contract.md#formats",
        ("output/", "cli/check_output", "cli/finding", "cli/secret_options"),
    ),
    "settings": ("contract.md#settings", ("config/", "cli/config")),
    "declared tokens": ("../guides/apply.md", ("config/declarations", "services/apply")),
    "tools": (
        "../index.md#tools-that-use-a-token",
        ("tools/", "services/tool_setup/", "services/feed", "cli/setup", "cli/helper", "homes"),
    ),
    "delivering": (
        "../guides/deliver.md",
        (
            *("api/github", "api/key_vault", "api/vault", "api/service_connection"),
            *("api/project_items", "api/variable", "cli/deliver", "cli/github", "cli/key_vault"),
            *("cli/vault", "deliveries/", "operations/delivery", "services/deliver"),
        ),
    ),
    "several machines": ("../guides/fleet.md", ("api/vault_lease", "cli/lease")),
    "administration": (
        "../guides/admin.md",
        ("api/graph", "api/directory", "cli/admin", "services/admin", "store/scan_file"),
    ),
    "keyring and state": ("../guides/keyring.md", ("store/", "keyring_codes")),
    "the command line": ("commands.md", ("cli/exit", "cli/main", "cli/options", "cli/runtime")),
}
"""The page that explains each subject, and how the names of the modules begin that are about it."""


def message_index() -> str:
    """Return the page as Markdown."""
    sections: dict[tuple[int, str], dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for each in all_messages():
        hints = sections[each.code, _subject(each.module)][each.text]
        hints |= each.hints
    lines, last = [HEAD], -1
    for (code, subject), entries in sorted(sections.items(), key=_last_the_warnings):
        label = str(code) if code else "warnings"
        if code != last:
            last = code
            name = (
                f"{code}: {ExitCode(code).name.lower().replace('_', ' ')}" if code else "Warnings"
            )
            lines += [f"## {name}", ""]
            if code in EXPLAINED:
                page = f"../guides/trouble.md#{EXPLAINED[code]}"
                lines += [f"The frequent ones: {_link(page)}", ""]
        lines += [f"### {label}: {subject}", "", f"See {_link(SUBJECTS[subject][0])}.", ""]
        lines += ["| message | what to do |", "| --- | --- |"]
        for text in sorted(entries, key=_alphabetical):
            steps = " / ".join(_prose(hint) for hint in sorted(entries[text]))
            lines.append(f"| {_code(text)} | {steps} |")
        lines.append("")
    return "\n".join(lines)


def _link(page: str) -> str:
    """Return a link to a page, or to a part of one, with the heading of the page."""
    text = (PAGE.parent / page.partition("#")[0]).read_text("utf-8")
    return f"[{text.partition('# ')[2].partition(chr(10))[0]}]({page})"


def _last_the_warnings(section: tuple[tuple[int, str], object]) -> tuple[bool, int, str]:
    (code, subject), _ = section
    return code == 0, code, subject


def _alphabetical(text: str) -> tuple[str, str]:
    return re.sub(r"\W", "", text).casefold(), text


def _subject(module: str) -> str:
    """Return the subject of a module's messages: that with the longest beginning of its name."""
    return max(
        (len(start), subject)
        for subject, (_, starts) in SUBJECTS.items()
        for start in starts
        if module.startswith(start)
    )[1]


def _code(text: str) -> str:
    """Return a text as code in a cell of a table."""
    plain = text.replace("|", "\\|")
    return f"`` {plain} ``" if "`" in plain else f"`{plain.strip()}`"


def _prose(hint: str) -> str:
    """Return a hint for a cell of a table, with its commands as code."""
    parts = re.split(r"(\brun: )([^;)]+)", hint)
    return "".join(
        _code(part) if number % 3 == RUN else re.sub(r"([\\*_`\[\]<>|])", r"\\\1", part)
        for number, part in enumerate(parts)
    ).replace("\n", " ")
