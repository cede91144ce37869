"""Every exit code that the documentation names is the one that the program ends with."""

import os
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import keyring
import pytest
from keyring.backends.fail import Keyring as NoKeyring

from azdo_pat import errors
from azdo_pat.errors import ExitCode, PatError
from cli.stage import put
from drivers import FAILING, PROGRAM, Emulator, InProcess, full_device, put_writer
from fakes import MemoryKeyring

DOCS = Path(__file__).parent.parent / "docs"
GENERATED = {"reliability.md", "commands.md", "messages.md", "performance.md"}
MENTION = re.compile(
    r"(?:exit code (?:is |then )?|exits? with |[Ee]nds with |with code )(\d{1,3})\b(?! tokens)"
    r"|\((\d{1,2}|126|127|130)\)"
)
CREATE = ("create", "ci", "--scope", "code", "-q", "-o", "none")


class Stage(NamedTuple):
    """A user, the service, and the user's keyring."""

    pat: InProcess
    emulator: Emulator
    keyring: MemoryKeyring
    folder: Path

    def code(self, *args: str, stdin: str = "", env: dict[str, str | None] | None = None) -> int:
        """Run `pat`; return its exit code."""
        return int(self.pat(*args, stdin=stdin, env=env).exit_code)

    def secret(self) -> str:
        """Return the secret of a token that is stored nowhere."""
        return self.pat(*CREATE[:4], "--no-store", "--as", "token", "-q").stdout


def name_taken(stage: Stage) -> int:
    stage.code(*CREATE)
    return stage.code(*CREATE)


def not_revoked(stage: Stage) -> int:
    stage.code(*CREATE)
    stage.emulator.fail("DELETE */pats status=503 times=4")
    return stage.code("rotate", "ci")


def not_delivered(stage: Stage) -> int:
    stage.code(*CREATE)
    return stage.code("rotate", "ci", "--deliver", FAILING)


def not_moved(stage: Stage) -> int:
    stage.code(*CREATE)
    usual = stage.keyring.set_password

    def refuse(service: str, user: str, text: str) -> None:
        if user == "new":
            raise keyring.errors.KeyringError("locked")
        usual(service, user, text)

    vars(stage.keyring)["set_password"] = refuse
    return stage.code("update", "ci", "--name", "new")


def one_of_a_file(stage: Stage) -> int:
    file = stage.folder / "tokens.toml"
    tokens = "".join(f'[[token]]\nname = "{name}"\nscopes = "code"\n' for name in "ab")
    file.write_text(tokens, "utf-8")
    stage.emulator.fail("POST */pats pat-error=accessDenied times=1")
    return stage.code("apply", str(file))


def imported_name(stage: Stage) -> int:
    put(stage.emulator, "ci")
    stage.code("import", "ci", "-q", stdin=stage.secret())
    other = next(each for each in stage.emulator.tokens if each["displayName"] == "ci")
    return stage.code("rotate", other["authorizationId"], "--yes")


def import_taken(stage: Stage) -> int:
    stage.code("import", "ci", stdin=stage.secret())
    return stage.code("import", "ci", stdin=stage.secret())


def no_keyring_to_read(stage: Stage) -> int:
    keyring.set_keyring(NoKeyring())  # type: ignore[no-untyped-call]  # keyring's own
    return stage.code("exec", "ci", "--", "true")


def no_keyring(stage: Stage) -> int:
    keyring.set_keyring(NoKeyring())  # type: ignore[no-untyped-call]  # keyring's own
    return stage.code(*CREATE)


def two_of_a_name(stage: Stage) -> int:
    put(stage.emulator, "ci")
    put(stage.emulator, "ci")
    return stage.code("revoke", "ci", "--yes")


def not_delivered_again(stage: Stage) -> int:
    target = put_writer(stage.folder, stage.folder / "no" / ".env")
    stage.code("ensure", "ci", "--scope", "code", "--deliver", target)
    return stage.code("deliver", "ci")


def one_of_several(stage: Stage) -> int:
    put(stage.emulator, "ci")
    return stage.code("revoke", "ci", "nosuch", "--yes")


def one_unreadable(stage: Stage) -> int:
    put(stage.emulator, "ci")
    stage.emulator.spoil("ci", without=["displayName"])
    return stage.code("revoke", "--name", "ci", "--yes")


def global_one(stage: Stage) -> int:
    stage.emulator.add_tokens(1, name="wide", allOrgs=True)
    return stage.code("rotate", "wide")


def one_organization_refuses(stage: Stage) -> int:
    stage.emulator.add_tokens(1, name="wide", allOrgs=True)
    stage.emulator.set_policies("contoso:creation-disabled")
    return stage.code("migrate", "wide", "--to-all", "--yes")


def global_one_not_revoked(stage: Stage) -> int:
    stage.emulator.add_tokens(1, name="wide", allOrgs=True)
    stage.emulator.fail("DELETE */pats status=503 times=4")
    return stage.code("migrate", "wide", "--to", "contoso", "--revoke-old", "--yes")


def rotated_of_several(stage: Stage) -> int:
    put(stage.emulator, "ci")
    return stage.code("rotate", "ci", "nosuch", "--yes")


def revoked_one(stage: Stage) -> int:
    put(stage.emulator, "ci", state="revoked")
    return stage.code("rotate", "ci")


def rotated_of_a_name(stage: Stage) -> int:
    put(stage.emulator, "ci")
    put(stage.emulator, "ci")
    return stage.code("rotate", "ci", "--yes")


def unanswered(stage: Stage) -> int:
    put(stage.emulator, "ci")
    return stage.code("revoke", "ci")


def unprintable(stage: Stage) -> int:
    words = [str(PROGRAM), *CREATE[:4], "--no-store", "--as", "token"]
    environment = {**os.environ, **stage.emulator.environment}
    with full_device().open("w") as full:
        return subprocess.run(
            words, env=environment, stdout=full, stderr=subprocess.DEVNULL, check=False, timeout=60
        ).returncode


def machine_identity(stage: Stage) -> int:
    token = stage.emulator.mint("app")
    return stage.code(*CREATE, env={"PAT_ACCESS_TOKEN": token})


def shortened(stage: Stage) -> int:
    stage.emulator.set_policies("maximum-lifespan=7")
    return stage.code(*CREATE, "--expires", "30d", "--fail-if-shortened")


def long_pause(stage: Stage) -> int:
    stage.emulator.fail("GET */tokenadmin/* status=429 retry-after=1000 times=always")
    return stage.code("admin", "list", "--all-users")


def sign_in_expires(stage: Stage) -> int:
    stage.emulator.reject_access_tokens()
    return stage.code("admin", "list", "--all-users")


def nobody(stage: Stage) -> int:
    return stage.code("status", env={"PAT_ACCESS_TOKEN": None, "PATH": str(stage.folder)})


def service_down(stage: Stage) -> int:
    stage.emulator.fail("* * status=503 times=always")
    return stage.code("status")


def unreadable(stage: Stage) -> int:
    token = put(stage.emulator, "ci")["authorizationId"]
    stage.emulator.spoil(token, fields={"scope": 7})
    return stage.code("rotate", token, "--yes")


def found_by_check(stage: Stage) -> int:
    stage.code("create", "ci", "--scope", "full", "-q", "-o", "none")
    return stage.code("check")


def unwritable(stage: Stage) -> int:
    file = stage.folder / "nowhere" / "tokens.ics"
    return stage.code("check", "--as", "ics", "--to", str(file))


def found_by_doctor(stage: Stage) -> int:
    return stage.code("doctor", env={"PAT_ACCESS_TOKEN": None, "PATH": str(stage.folder)})


def unexplained(stage: Stage) -> int:
    return stage.code("explain", "nope")


def unreadable_users(stage: Stage) -> int:
    stage.emulator.fail("GET */tokenadmin/* status=500 times=always")
    return stage.code("admin", "list", "--all-users")


def partial_report(stage: Stage) -> int:
    stage.emulator.fail("GET */tokenadmin/* status=500 times=always")
    return stage.code("admin", "report", "-o", "json")


def found_by_admin_check(stage: Stage) -> int:
    put(stage.emulator, "ci", user="grace", scope="app_token")
    return stage.code("admin", "check")


def users_not_checked(stage: Stage) -> int:
    stage.emulator.fail("GET */tokenadmin/* status=500 times=always")
    return stage.code("admin", "check")


def nobodys_secret(stage: Stage) -> int:
    return stage.pat("admin", "whose", stdin="a-secret-of-nobody").exit_code


Provoked = Callable[[Stage], int] | None
SAID: dict[tuple[str, str], Provoked] = {
    ("explanation/safety.md", "cannot run at once. The second one is refused"): None,  # two at once
    ("explanation/safety.md", "under the name already, that is refused"): name_taken,
    ("explanation/safety.md", "cannot revoke the old token"): not_revoked,
    ("explanation/safety.md", "the new secret cannot be delivered"): not_delivered,
    ("explanation/safety.md", "stays where it was and `pat` says so"): not_moved,
    ("guides/admin.md", "asks for a longer pause, `pat` ends at once with"): long_pause,
    ("guides/admin.md", "all numbers are those of the others, and the"): partial_report,
    ("guides/admin.md", "It cannot replace the one in `PAT_ACCESS_TOKEN`"): sign_in_expires,
    ("guides/admin.md", "it is `pending`, and the exit code is"): None,  # test_admin_revoke
    ("guides/admin.md", "revokes the tokens of the others, and exits with"): None,  # the same
    ("guides/apply.md", "If one token fails, the others are still processed"): one_of_a_file,
    ("guides/container.md", "without `--no-store` exits with"): no_keyring,
    ("guides/container.md", "takes a stored secret, so it exits with"): no_keyring_to_read,
    ("guides/deliver.md", "the old secret in the delivery target"): not_delivered,
    ("guides/global-tokens.md", "get their tokens, and the exit code is"): one_organization_refuses,
    (
        "guides/import.md",
        "on behalf of a token with the same name; `pat rotate` refuses",
    ): imported_name,
    ("guides/import.md", "already stored under the name, `pat import` refuses"): import_taken,
    ("guides/keyring.md", "All of these errors exit with"): no_keyring,
    ("guides/revoke.md", "giving both is an error"): lambda stage: stage.code(
        "revoke", "ci", "--expired"
    ),
    ("guides/revoke.md", "If several tokens have the name, that is an error"): two_of_a_name,
    ("guides/revoke.md", "it is reported, and the exit code is"): one_of_several,
    ("guides/revoke.md", "one that you mean, and the exit code is"): one_unreadable,
    ("guides/revoke.md", "tokens are reported as `not reached`"): None,  # Ctrl-C: test_interrupts
    ("guides/revoke.md", "Answering no to the question"): None,  # a terminal: test_terminal
    ("guides/revoke.md", "`pat create --all-orgs` is refused"): lambda stage: stage.code(
        *CREATE, "--all-orgs"
    ),
    ("guides/revoke.md", "refuse a global token"): global_one,
    ("guides/rotate.md", "If one fails, the others are still rotated"): rotated_of_several,
    ("guides/rotate.md", "it is revoked | refused"): revoked_one,
    ("guides/rotate.md", "it is valid in all organizations | refused"): global_one,
    ("guides/rotate.md", "several tokens have its name | refused"): rotated_of_a_name,
    ("guides/rotate.md", "belongs, or may belong, to another token | refused"): imported_name,
    ("guides/rotate.md", "The new token is in use, so the rotation did not fail"): not_revoked,
    ("guides/scripts.md", "a command that would ask"): unanswered,
    ("guides/scripts.md", "cannot be written to stdout"): unprintable,
    ("guides/scripts.md", "a managed identity) cannot create"): machine_identity,
    ("guides/scripts.md", "`pat` warns on stderr and succeeds"): shortened,
    ("guides/windows.md", "`pat` then asks nothing and exits with"): unanswered,
    ("pipelines/azure-pipelines.md", "Azure DevOps lets only users create them"): machine_identity,
    ("guides/sign-in.md", "without a terminal, `pat login` does not ask"): lambda stage: stage.code(
        "login"
    ),
    ("guides/sign-in.md", "nothing is remembered"): None,  # a browser: test_login
    ("reference/contract.md", "`pat status` exits"): nobody,
    ("reference/contract.md", "if no one is signed in, with"): service_down,
    ("reference/contract.md", "one that does not exist or is ambiguous"): one_of_several,
    ("reference/contract.md", "returns an array of objects, the worst first."): found_by_check,
    ("reference/contract.md", "it is readable by others. If it cannot be written"): unwritable,
    ("reference/contract.md", "and `rotate` refuses"): unreadable,
    ("reference/contract.md", "its object is written all the same, and the"): unexplained,
    ("reference/contract.md", "for each thing it checks"): found_by_doctor,
    ("reference/contract.md", "could not be delivered to every target, the"): not_delivered_again,
    (
        "reference/contract.md",
        "or the global token could not be revoked with",
    ): global_one_not_revoked,
    ("reference/contract.md", "organizations refused and others did not"): one_organization_refuses,
    ("reference/contract.md", "Several tokens that have it are an error"): two_of_a_name,
    (
        "reference/contract.md",
        "in the meantime are counted. If some users could not be read",
    ): unreadable_users,
    ("reference/contract.md", "all numbers are those of the users that were"): partial_report,
    ("reference/contract.md", "of `check`, the worst first. It"): found_by_admin_check,
    ("reference/contract.md", "the tokens of some users could not be read, it"): users_not_checked,
    ("reference/contract.md", "the token that has the secret. If there is none"): nobodys_secret,
    ("start.md", "which keyring is used"): nobody,
}
"""By the page and the words before the code: what provokes it; None where it is held elsewhere."""


def text_of(page: str) -> str:
    """Return a page as one line, without its examples."""
    text = re.sub(r"```.*?```", "", DOCS.joinpath(page).read_text("utf-8"), flags=re.DOTALL)
    return " ".join(text.split())


def said(page: str, words: str) -> int:
    """Return the code that a page names behind these words."""
    text = text_of(page)
    assert text.count(words) == 1, (page, words)
    rest = text[text.index(words) + len(words) :]
    code = re.search(r"[^\d](\d{1,3})\b", f" {rest[:120]}")
    assert code is not None, (page, words)
    return int(code[1])


@pytest.fixture
def stage(
    pat: InProcess, emulator: Emulator, memory_keyring: MemoryKeyring, tmp_path: Path
) -> Stage:
    return Stage(pat, emulator, memory_keyring, tmp_path)


@pytest.mark.parametrize(
    ("where", "provoked"),
    [(where, provoked) for where, provoked in SAID.items() if provoked],
    ids=lambda each: " ".join(each) if isinstance(each, tuple) else "",
)
def test_what_a_page_says_is_so(
    where: tuple[str, str], provoked: Callable[[Stage], int], stage: Stage
) -> None:
    assert provoked(stage) == said(*where)


def test_no_page_names_a_code_that_is_not_compared() -> None:
    pages = {
        each.relative_to(DOCS).as_posix()
        for each in DOCS.rglob("*.md")
        if each.name not in GENERATED
    }
    found = {page: len(MENTION.findall(text_of(page))) for page in pages}
    # What status exits with when the service is down is named without any of these words.
    compared = [page for page, words in SAID if words != "if no one is signed in, with"]
    assert {page: count for page, count in found.items() if count} == {
        page: compared.count(page) for page in set(compared)
    }


def test_the_table_has_every_code_and_its_word() -> None:
    rows = re.findall(
        r"^\| (\d+) \| [^|]+ \| (?:`(\w+)` )?\|$",
        DOCS.joinpath("reference/contract.md").read_text("utf-8"),
        re.MULTILINE,
    )
    words = {
        str(int(kind.exit_code)): kind.error
        for kind in vars(errors).values()
        if isinstance(kind, type) and issubclass(kind, PatError)
    }
    words |= {str(int(code)): "" for code in (ExitCode.DONE, ExitCode.FOUND)}
    assert dict(rows) == {code: words[code] for code, _ in rows}
    assert {int(code) for code, _ in rows} == {int(code) for code in ExitCode}
