"""`pat` on a real terminal: prompts, colours, width, and names that mean harm."""

import os
import pty
import re
import signal
import subprocess
import sys
from base64 import b64decode
from pathlib import Path

import pexpect
import pytest
from rich.cells import cell_len

from drivers import PROGRAM, TIME_LIMIT, Emulator, Installed, posix_only
from e2e.stage import active, in_keyring
from store.keyring_service import KeyringService

posix_only("signals and terminals")
assert sys.platform != "win32"  # mypy reads no further

STYLE = re.compile(r"\x1b\[[0-9;]*m")
PROMPT = r"Revoke 1 token \(ci\) in contoso\? \[y/N\]: "
CTRL_C, CTRL_D = "\x03", "\x04"


def plain(text: str) -> str:
    return STYLE.sub("", text)


def before(terminal: "pexpect.spawn[str]") -> str:
    """Return what was shown before the text that was expected."""
    assert terminal.before is not None
    return terminal.before


def shown(pat: Installed, *args: str, **env: str) -> str:
    """Run to its end on a terminal and return all that reached it."""
    terminal = pat.on_terminal(*args, env=env)
    text: str = terminal.read()
    terminal.close()
    assert terminal.exitstatus == 0, text
    return text


@pytest.fixture
def ci(pat: Installed) -> str:
    """Make a token called ci; return its secret."""
    return pat("create", "ci", "--scope", "vso.code", "--as", "token").stdout.strip()


@pytest.mark.parametrize(
    ("answer", "code", "said"),
    [
        ("y\r", 0, "OUTCOME"),
        ("n\r", 130, "nothing was revoked"),
        ("\r", 130, "nothing was revoked"),
        (CTRL_C, 130, "✗ interrupted"),
        (CTRL_D, 130, "✗ interrupted"),
    ],
    ids=["yes", "no", "return", "Ctrl-C", "Ctrl-D"],
)
def test_revoking_is_confirmed(  # noqa: PLR0913, PLR0917  # fixtures and parameters
    pat: Installed,
    emulator: Emulator,
    gnome_keyring: KeyringService,
    ci: str,
    answer: str,
    code: int,
    said: str,
) -> None:
    terminal = pat.on_terminal("revoke", "ci")
    terminal.expect(PROMPT)
    assert "vso" not in plain(before(terminal)), "scopes are shown short"
    assert re.search(r"ci +[0-9a-f]{8} +code +in 30 days", plain(before(terminal))), terminal.before
    terminal.send(answer)
    rest = plain(terminal.read())
    terminal.close()
    assert (terminal.exitstatus, said in rest) == (code, True), rest
    assert "Traceback" not in rest
    kept = code != 0
    assert len(active(emulator, "ci")) == kept
    assert in_keyring(gnome_keyring.environment, emulator, "ci") == (ci if kept else None)


@pytest.mark.parametrize(
    ("chosen", "answer", "code", "made"),
    [
        ("1 fabrikam\r", "y\r", 0, 2),
        ("all\r", "y\r", 0, 2),
        ("fabrikam\r", "y\r", 0, 1),
        ("2\r", "n\r", 130, 0),
        (CTRL_C, "", 130, 0),
    ],
)
def test_the_organizations_of_a_migration_are_chosen(
    pat: Installed, emulator: Emulator, chosen: str, answer: str, code: int, made: int
) -> None:
    terminal = pat.on_terminal("migrate", "old laptop")
    prompt = r"Which organizations use 'old laptop'\? Numbers or names, or all: "
    terminal.expect(prompt)
    assert re.search(r"1 +contoso\r\n +2 +fabrikam\r\n", plain(before(terminal)))
    terminal.send("northwind\r")
    terminal.expect("northwind is not in the list")
    terminal.expect(prompt)
    terminal.send(chosen)
    if answer:
        terminal.expect(r"Create \w+ tokens?\? \[y/N\]: ")
        assert re.search(r"old laptop +\w+ +code_write +to create", plain(before(terminal)))
        terminal.send(answer)
    rest = plain(terminal.read())
    terminal.close()
    assert terminal.exitstatus == code, rest
    assert len(active(emulator, "old laptop")) == 1 + made


def test_ctrl_c_at_the_hidden_prompt(pat: Installed) -> None:
    terminal = pat.on_terminal("import", "mine")
    terminal.expect(r"Token for http\S+/contoso: ")
    terminal.send(f"half{CTRL_C}")
    rest = plain(terminal.read())
    assert terminal.getecho(), "or the shell's next prompt would be blind"
    terminal.close()
    assert (terminal.exitstatus, "interrupted" in rest, "half" in rest) == (130, True, False)


@pytest.mark.parametrize(
    ("args", "env"),
    [
        (("--no-input", "revoke", "ci"), {}),
        (("revoke", "ci", "--no-input"), {}),
        (("revoke", "ci"), {"CI": "true"}),
        (("revoke", "ci"), {"PAT_NO_INPUT": "1"}),
        (("import", "other", "--no-input"), {}),
        (("import", "other"), {"CI": "true"}),
    ],
    ids=["before", "behind", "CI", "variable", "import", "import in CI"],
)
@pytest.mark.usefixtures("ci")
def test_nobody_is_asked_where_nobody_may_be(
    pat: Installed, emulator: Emulator, args: tuple[str, ...], env: dict[str, str]
) -> None:
    terminal = pat.on_terminal(*args, env=env)
    text = plain(terminal.read())
    terminal.close()
    assert (terminal.exitstatus, "pat cannot ask" in text) == (2, True), text
    assert "?" not in text
    assert "--yes" in text or "pat import" in text
    assert len(active(emulator, "ci")) == 1


NAMES = (
    "x" * 150,
    "https://dev.azure.com/contoso/a-project-with-a-name/_git/and-a-repository-with-a-name",
    "a name of quite a few words that goes on and on and will not fit on a line of any table",
    "部署令牌" * 12,
)


@pytest.fixture
def long_names(emulator: Emulator) -> None:
    emulator.remove_tokens()
    for name in NAMES:
        emulator.add_tokens(
            name=name, scope="vso.build_execute vso.code_manage vso.packaging_write vso.work_full"
        )


@pytest.mark.usefixtures("long_names")
@pytest.mark.parametrize(
    "args",
    [
        ("list",),
        ("list", "--sort", "created"),
        ("show", NAMES[0]),
        ("revoke", "--name", "*", "--dry-run"),
        ("status",),
        ("scopes",),
        ("scopes", "--recipes"),
        ("config", "list"),
        ("--help",),
        ("create", "--help"),
    ],
    ids=" ".join,
)
def test_nothing_is_wider_than_the_terminal(pat: Installed, args: tuple[str, ...]) -> None:
    lines = plain(shown(pat, *args)).split("\r\n")
    assert len(lines) > 3
    # Paths and addresses are copied: they stay on one line, and the terminal folds them.
    wide = [line for line in lines if cell_len(line) > 80 and args != ("status",)]
    assert wide == []


@pytest.mark.usefixtures("long_names")
def test_a_folded_name_can_be_put_together_again(pat: Installed) -> None:
    header, *lines = plain(shown(pat, "list", "--quiet")).rstrip().split("\r\n")
    width = header.index("ID")
    names = ""
    for line in lines:
        taken = next(
            n for n in range(len(line) + 1) if n == len(line) or cell_len(line[:n]) >= width
        )
        names += line[:taken].replace(" ", "")
    assert sorted(names) == sorted("".join(NAMES).replace(" ", ""))
    for name in NAMES:
        assert name.replace(" ", "") in names


@pytest.mark.parametrize(
    ("args", "last"),
    [
        (("list",), r"\d tokens; to see .* \d that needs? attention, run: pat check"),
        (("list", "--all-orgs"), r"\d tokens\r\n  to see .*, run: pat check --all-orgs"),
        (("list", "--name", "ci", "--stored"), "1 token"),
        (("list", "-o", "json"), r"\]"),
        (("renew",), "nothing is due for renewal"),
        (("status",), "✓ no problems found"),
    ],
)  # fmt: skip
@pytest.mark.usefixtures("ci")
def test_the_last_line_sums_up(pat: Installed, args: tuple[str, ...], last: str) -> None:
    assert re.search(rf"(^|\r\n){last}\r\n$", plain(shown(pat, *args)))


@pytest.mark.usefixtures("ci")
def test_what_is_marked_is_what_is_summed_up(pat: Installed) -> None:
    assert pat("create", "web", "--scope", "code", "-o", "none").exit_code == 0
    assert pat("rotate", "web", "--grace", "5d", "-o", "none").exit_code == 0
    assert pat("rotate", "ci", "--deliver", "command:false", "-o", "none").exit_code == 8
    text = plain(shown(pat, "list"))
    marked = re.findall(r"^[!✗] ", text, re.MULTILINE)
    assert f"the {len(marked)} that need attention" in text


@pytest.mark.usefixtures("ci")
def test_problems_are_summed_up_and_a_similar_organization_is_named(pat: Installed) -> None:
    terminal = pat.on_terminal("doctor", "--org", "contosso")
    text = plain(terminal.read())
    terminal.close()
    assert terminal.exitstatus == 10, text
    assert "→ did you mean contoso? to use another organization, add --org\r\n" in text
    assert text.endswith("\r\n✗ 1 problem found, 1 check skipped\r\n")


@pytest.mark.usefixtures("ci")
def test_a_narrow_terminal_shows_records(pat: Installed) -> None:
    text = plain(shown(pat, "list", "--name", "ci", COLUMNS="30"))
    assert re.match(
        r"ci\r\n  ID       [0-9a-f]{8}\r\n  SCOPES   code\r\n  EXPIRES  in 30 days\r\n", text
    )


@pytest.mark.usefixtures("ci")
def test_colours_are_for_terminals(pat: Installed) -> None:
    assert STYLE.search(shown(pat, "list"))
    assert not STYLE.search(shown(pat, "list", NO_COLOR="1"))
    assert not STYLE.search(shown(pat, "list", "--color", "never"))
    assert not STYLE.search(shown(pat, "list", TERM="dumb"))
    assert STYLE.search(pat("list", "--color", "always").stdout)
    piped = pat("list")
    assert (STYLE.search(piped.stdout), piped.stderr) == (None, "")
    failed = pat("show", "nope")
    assert (failed.exit_code, STYLE.search(failed.stderr)) == (3, None)


class Terminal:
    """A terminal of 80 columns to run something on with only some of its streams."""

    def __init__(self) -> None:
        self._ours, self.theirs = pty.openpty()
        subprocess.run(["stty", "cols", "80", "rows", "24"], stdin=self.theirs, check=True)

    def text(self) -> str:
        """Close the other side, and return all that was written."""
        os.close(self.theirs)
        read = b""
        try:
            while chunk := os.read(self._ours, 65536):
                read += chunk
        except OSError:
            pass  # how Linux says that the other side is closed
        os.close(self._ours)
        return read.decode()


def test_progress_is_shown_on_stderr_alone(pat: Installed, emulator: Emulator) -> None:
    emulator.add_tokens(count=15, name="bulk {n}")
    emulator.fail("DELETE * delay=200ms times=always")
    terminal = Terminal()
    ran = subprocess.run(
        [PROGRAM, "revoke", "--name", "bulk *", "--yes", "-o", "json"],
        env=pat.environment({"TERM": "xterm-256color"}),
        stdin=terminal.theirs,
        stdout=subprocess.PIPE,
        stderr=terminal.theirs,
        encoding="utf-8",
        timeout=TIME_LIMIT,
        check=True,
    )
    progress = terminal.text()
    assert "\x1b" not in ran.stdout
    assert len(pat("list", "--status", "revoked", "-o", "jsonl").stdout.splitlines()) == 15
    assert "15/15" in progress
    assert "revoking" in progress


def test_progress_is_gone_before_a_table_is_shown(pat: Installed, emulator: Emulator) -> None:
    emulator.invent_users(30, tokens=1)
    text = shown(pat, "admin", "list", "--all-users")
    assert "\N{BOX DRAWINGS HEAVY HORIZONTAL}" in text
    [header] = [line for line in text.splitlines() if "NAME" in line]
    erased = re.split(r"\r|\x1b\[[0-9;?]*[hK]", plain(header))[-1]
    assert erased.lstrip().startswith("NAME"), header


def test_no_progress_without_a_terminal_on_stderr(pat: Installed, emulator: Emulator) -> None:
    emulator.add_tokens(count=15, name="bulk {n}")
    terminal = Terminal()
    ran = subprocess.run(
        [PROGRAM, "revoke", "--name", "bulk *", "--yes"],
        env=pat.environment({"TERM": "xterm-256color"}),
        stdin=terminal.theirs,
        stdout=terminal.theirs,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        timeout=TIME_LIMIT,
        check=True,
    )
    assert ran.stderr == "revoked 15 tokens\n"
    assert "/15" not in terminal.text()


HOSTILE = (
    "\x1b]0;title\x07",
    "\x1b[2J\x1b[1;1Hcleared",
    "\x1b[31mred",
    "\x9b31mred too",
    "\x9d0;title too\x9c",
    "up\x1b[1A\x1b[2Kgone",
    "back\b\b\b\bspace",
    "return\rover",
    "line\nfeed",
    "bell\x07",
    "\x1bP+q544e\x1b\\",
    "\u202egnitirw sdrawkcab",
    "del\x7f",
)
ALLOWED = re.compile(
    r"\x1b\[[0-9;]*m"  # styles, as rich writes them
    r"|\r\n"
)


@pytest.fixture
def hostile_names(emulator: Emulator) -> None:
    emulator.remove_tokens()
    for name in HOSTILE:
        emulator.add_tokens(name=name)


def harmless(text: str) -> bool:
    """Tell whether a terminal that is sent this shows it, and does nothing else."""
    left = ALLOWED.sub("", text)
    return not [c for c in left if not (c.isprintable() or c == "\n")]


@pytest.mark.usefixtures("hostile_names")
@pytest.mark.parametrize(
    "args",
    [
        ("list",),
        ("list", "-o", "json"),
        ("list", "-o", "jsonl"),
        ("list", "-o", "csv"),
        ("list", "--color", "never"),
        ("list", "--query", "[].name"),
        ("revoke", "--name", "*", "--dry-run"),
        ("list", "--debug"),
    ],
    ids=" ".join,
)
def test_a_name_cannot_act_on_the_terminal(pat: Installed, args: tuple[str, ...]) -> None:
    text = shown(pat, *args)
    assert harmless(text), repr(text)
    for word in ("title", "cleared", "red too", "gone", "feed", "sdrawkcab"):
        assert word in text.replace("\r\n", "")


@pytest.mark.usefixtures("hostile_names")
def test_tsv_cannot_act_on_the_terminal(pat: Installed) -> None:
    lines = shown(pat, "list", "-o", "tsv").split("\r\n")
    assert len(lines) == len(HOSTILE) + 1
    assert harmless("".join(lines).replace("\t", " "))


@pytest.mark.usefixtures("hostile_names")
def test_nor_where_it_is_asked_or_told_about(pat: Installed, emulator: Emulator) -> None:
    terminal = pat.on_terminal("revoke", "--name", "*")
    terminal.expect(r"\[y/N\]: ")
    assert harmless(before(terminal)), repr(terminal.before)
    terminal.send("y\r")
    rest = terminal.read()
    terminal.close()
    assert terminal.exitstatus == 0
    assert "revoked 13 tokens" in rest
    bar = re.compile(r"\x1b\[(?:\?25[lh]|[0-9]?[AK])|\r")  # how rich draws and removes its bar
    assert harmless(bar.sub("", rest.replace("\r\n", "\n"))), repr(rest)
    assert {each["status"] for each in emulator.tokens} == {"revoked"}


def test_nor_in_one_question_about_one_token(pat: Installed, emulator: Emulator) -> None:
    (identifier,) = emulator.add_tokens(name="\x1b[2J\x9b2J\x1b]0;t\x07")
    terminal = pat.on_terminal("revoke", identifier)
    terminal.expect(r"\[y/N\]: ")
    assert harmless(before(terminal)), repr(terminal.before)
    terminal.send("y\r")
    rest = terminal.read()
    terminal.close()
    assert (terminal.exitstatus, harmless(rest)) == (0, True), repr(rest)


def test_nor_can_a_message_of_the_service(pat: Installed, emulator: Emulator) -> None:
    emulator.fail('GET */tokens/pats status=403 body="{\\"message\\": \\"a\\u001b[2Jb\\u009bc\\"}"')
    terminal = pat.on_terminal("list")
    text = terminal.read()
    terminal.close()
    assert (terminal.exitstatus, harmless(text)) == (5, True), repr(text)
    assert "the service said: a" in plain(text)


def test_a_narrow_and_a_wide_terminal(pat: Installed, emulator: Emulator) -> None:
    emulator.add_tokens(name="y" * 100)
    for columns in (40, 200):
        terminal: pexpect.spawn[str] = pexpect.spawn(
            str(PROGRAM),
            ["list"],
            env=pat.environment({"TERM": "xterm"}),
            encoding="utf-8",
            dimensions=(24, columns),
            timeout=TIME_LIMIT,
        )
        lines = plain(terminal.read()).split("\r\n")
        terminal.close()
        assert max(map(cell_len, lines)) <= columns
        assert any("y" * 100 in line for line in lines) == (columns == 200)


SLOW = r"\r\S waiting for 127\.0\.0\.1:\d+ *"


@pytest.mark.usefixtures("ci")
def test_a_slow_service_is_waited_for(pat: Installed, emulator: Emulator) -> None:
    emulator.fail("GET */tokens/pats delay=1500ms")
    text = plain(shown(pat, "list"))
    line, _, table = text.rpartition("\r")[0].rpartition("NAME ")[0].rpartition("\r")
    assert re.search(SLOW, line), repr(text)
    assert re.search(r"\r +\r +$", text.partition("NAME ")[0]), repr(text)
    assert "waiting" not in table


@pytest.mark.parametrize(
    ("env", "is_seen"),
    [({"NO_COLOR": "1"}, True), ({"PAT_QUIET": "1"}, False), ({"TERM": "dumb"}, False)],
    ids=["plain", "quiet", "dumb"],
)
def test_ctrl_c_while_waiting(
    pat: Installed, emulator: Emulator, env: dict[str, str], *, is_seen: bool
) -> None:
    emulator.fail("GET */tokens/pats delay=30s")
    terminal = pat.on_terminal("list", env=env)
    assert terminal.expect([SLOW, pexpect.TIMEOUT], timeout=3) == (not is_seen)
    terminal.send(CTRL_C)
    text = plain(terminal.read())
    terminal.close()
    assert terminal.exitstatus == 130
    assert text.endswith("\r\n✗ interrupted\r\n"), repr(text)
    assert "\n\r\n" not in text, "click and pat end the line of ^C once together"


def test_over_ssh_the_terminal_is_asked_to_copy(pat: Installed, ci: str) -> None:
    text = shown(pat, "get", "ci", "--copy", SSH_TTY="/dev/pts/9")
    asked = re.search(r"\x1b\]52;c;([A-Za-z0-9+/=]+)\x07", text)
    assert asked is not None
    assert b64decode(asked[1]).decode() == ci
    assert "does not clear it" in plain(text).replace("\r\n ", "")
    assert ci not in text


def test_without_ssh_it_is_not(pat: Installed, ci: str) -> None:
    terminal = pat.on_terminal("get", "ci", "--copy")
    text: str = terminal.read()
    terminal.close()
    assert (terminal.exitstatus, "\x1b]52" in text, ci in text) == (2, False, False), text
    assert "✗ no usable clipboard found" in plain(text)


def test_a_problem_and_how_to_end_it(pat: Installed) -> None:
    terminal = pat.on_terminal("status", env={"PAT_ACCESS_TOKEN": "", "LC_ALL": "C"})
    text = plain(terminal.read())
    terminal.close()
    assert terminal.exitstatus == 4
    assert re.search(r"Problem +not signed in.*\r\n +-> ", text, re.DOTALL), text
    assert text.endswith("1 problem found\r\n"), text


@pytest.mark.parametrize("known", [True, False], ids=["used before", "the first time"])
def test_a_keyring_that_does_not_answer(
    pat: Installed,
    gnome_keyring: KeyringService,
    ci: str,
    known: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    assert gnome_keyring.daemon is not None
    if not known:
        (known_before,) = Path(str(pat.env["HOME"])).rglob("keyring-backend")
        known_before.unlink()
    os.kill(gnome_keyring.daemon, signal.SIGSTOP)
    try:
        terminal = pat.on_terminal("get", "ci", env={"NO_COLOR": "1"})
        terminal.expect(r"\r\S waiting for the keyring, which may ask to be unlocked")
    finally:
        os.kill(gnome_keyring.daemon, signal.SIGCONT)
    text = plain(terminal.read())
    terminal.close()
    assert (terminal.exitstatus, text.rpartition("\r ")[2].split()) == (0, [ci]), repr(text)
