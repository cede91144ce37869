"""pat admin check: what needs attention about the tokens of everyone, and who must act."""

import csv
import io
import json
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from azdo_pat.findings import Kind
from cli.stage import as_json, done, hence, put, short
from drivers import Emulator, InProcess

ADA, GRACE = "ada@contoso.example", "grace@contoso.example"
CALM = ("--max-life", "2y")
HOSTILE = "##vso[task.complete]\x1b[31m\u202e::error::=cmd"


def test_a_finding_names_the_owner_who_can_end_it(pat: InProcess, emulator: Emulator) -> None:
    feed = put(emulator, "feed", user="grace", hours=50, scope="vso.packaging")
    put(emulator, "fine", scope="vso.packaging")
    (user,) = pat("admin", "users", GRACE, "-o", "json").json
    ran = pat("admin", "check", *CALM, "-o", "json")
    assert (ran.exit_code, ran.stderr.startswith("1 warning (expiring 1); checked 2 tokens")) == (
        10,
        True,
    )
    (found,) = ran.json
    expected = {
        "kind": "expiring",
        "severity": "warning",
        "org": "contoso",
        "name": "feed",
        "id": feed["authorizationId"],
        "owner": {key: user[key] for key in ("name", "upn", "descriptor")},
        "scopes": ["vso.packaging"],
        "expires": found["expires"],
        "expires_in_days": 2,
        "until": found["expires"],
        "message": "it expires in 2 days",
        "fix": None,
        "file": None,
        "line": None,
        "owner_fix": f"pat update {short(feed)} --expires 30d --org contoso",
    }
    assert found == expected
    (row,) = csv.DictReader(io.StringIO(pat("admin", "check", *CALM, "-o", "csv").stdout))
    owner = expected.pop("owner")
    assert [*row] == [*expected, "owner_name", "owner_upn", "owner_descriptor"]
    assert [row[f"owner_{key}"] for key in owner] == [*owner.values()]


def test_as_a_table(pat: InProcess, emulator: Emulator) -> None:
    feed = put(emulator, "feed", user="grace", hours=50, scope="vso.packaging")
    (by_git, *_) = emulator.add_tokens(
        3, name="git: https://dev.azure.com/contoso on x", user="grace", validTo=hence(999)
    )
    shown = pat("admin", "check", *CALM, env={"COLUMNS": "80"}).stdout.splitlines()
    assert [line for line in shown if len(line) > 80] == []
    assert shown[0].split() == ["NAME", "OWNER", "WHAT", "UNTIL"]
    assert shown[1].split()[:3] == ["warning", "feed", GRACE]
    extend = f"pat update {short(feed)} --expires 30d --org contoso"
    assert f"         tell the owner: {extend}" in shown
    assert f"fix: pat admin revoke {by_git[:8]} --user {GRACE} --org contoso" in " ".join(
        "\n".join(shown).split()
    )


def test_nothing_needs_attention(pat: InProcess, emulator: Emulator) -> None:
    put(emulator, "ci", user="grace", scope="vso.packaging")
    users = len(pat("admin", "users", "-o", "json").json)
    assert pat("admin", "check", *CALM, "-o", "json") == done(
        as_json([]), f"nothing needs attention; checked 1 token of {users} users"
    )
    assert "VEVENT" not in pat("admin", "check", *CALM, "--as", "ics").stdout


def test_only_those_of_one_user(pat: InProcess, emulator: Emulator) -> None:
    put(emulator, "a", hours=50, scope="vso.packaging")
    put(emulator, "b", hours=50, user="grace", scope="vso.packaging")
    (found,) = pat("admin", "check", "grace", *CALM, "-o", "json").json
    assert found["name"] == "b"


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ((), 10),
        (("--within", "1d"), 0),
        (("--ignore", "expiring"), 0),
        (("--fail-on", "error"), 0),
        (("--fail-on", "nonsense"), 2),
    ],
)
def test_what_fails_it(
    pat: InProcess, emulator: Emulator, options: tuple[str, ...], code: int
) -> None:
    put(emulator, "feed", user="grace", hours=50, scope="vso.packaging")
    assert pat("admin", "check", *CALM, *options).exit_code == code


def test_ones_own_stored_token_is_renewed_by_itself(pat: InProcess) -> None:
    """Of it, this machine knows more than of those of others."""
    made = pat("create", "ci", "--scope", "packaging", "--expires", "4d", "-o", "json").json
    (found,) = pat("admin", "check", "-o", "json").json
    assert (found["severity"], found["owner"]["upn"]) == ("note", ADA)
    assert "pat renew replaces it" in found["message"]
    (found,) = pat("admin", "check", "--max-life", "1d", "--ignore", "expiring", "-o", "json").json
    assert found["fix"] == f"pat rotate {made['id'][:8]} --expires 1d --org contoso"
    assert found["owner_fix"] is None


def test_users_that_cannot_be_read(pat: InProcess, emulator: Emulator) -> None:
    put(emulator, "feed", hours=50, scope="vso.packaging")
    (grace,) = (each["descriptor"] for each in pat("admin", "users", GRACE, "-o", "json").json)
    emulator.fail(f"GET */tokenadmin/personalaccesstokens/{grace} status=500 times=always")
    ran = pat("admin", "check", *CALM, "--as", "prometheus")
    assert ran.exit_code == 9
    assert '\npat_admin_check_complete{org="contoso"} 0\n' in ran.stdout
    assert re.search(
        rf'^pat_admin_token_expiry.*owner="{ADA}",name="feed"', ran.stdout, re.MULTILINE
    )
    assert "users could not be read" in ran.stderr
    said = pat("admin", "check", *CALM, "--as", "github-actions", env={"GITHUB_ACTIONS": "true"})
    assert said.stdout.startswith(f"::error::{GRACE} could not be checked: ")


def test_policies(pat: InProcess, emulator: Emulator) -> None:
    def forbidden(**env: str) -> tuple[list[str], bool]:
        ran = pat("admin", "check", *CALM, "-o", "json", env=env)
        names = [each["name"] for each in ran.json if each["kind"] == Kind.POLICY]
        return sorted(names), "does not tell every policy" in ran.stderr

    put(emulator, "full", user="grace", scope="app_token")
    put(emulator, "long", user="grace", scope="vso.packaging")
    emulator.add_tokens(name="global", user="grace", scope="vso.packaging", allOrgs=True)
    secret = emulator.add_with_secret("nightly", scope="vso.tokenadministration vso.graph")
    assert forbidden() == ([], False)
    emulator.set_policies("full-scope-forbidden", "global-forbidden", "maximum-lifespan=5")
    assert forbidden() == (
        ["full", "full", "global", "global", "long", "nightly"],
        False,
    )
    # Only a user may ask for the policies.
    assert forbidden(PAT_ADMIN_TOKEN=secret) == ([], True)


def test_a_saved_scan_is_checked_without_a_sign_in(pat: InProcess, emulator: Emulator) -> None:
    put(emulator, "feed", user="grace", hours=50, scope="vso.packaging")
    online = pat("admin", "check", *CALM, "--save", "all.jsonl", "-o", "json")
    assert online.exit_code == 10
    before = len(emulator.requests)
    env = {"PAT_ACCESS_TOKEN": None, "PATH": ""}
    ran = pat("admin", "check", *CALM, "--resume", "all.jsonl", "-o", "json", env=env)
    assert (ran.exit_code, ran.stdout) == (10, online.stdout)
    assert "does not tell every policy" in ran.stderr
    assert len(emulator.requests) == before


@pytest.mark.parametrize("form", ["table", "csv", "json", "prometheus", "ics", "junit", "ci"])
def test_hostile_names(pat: InProcess, emulator: Emulator, form: str) -> None:
    put(emulator, HOSTILE, user="grace", hours=50, scope="vso.packaging")
    written = ("-o", form) if form in {"table", "csv", "json"} else ("--as", form)
    ran = pat("admin", "check", *CALM, *written, env={"TF_BUILD": "True"})
    assert ran.exit_code == 10
    assert re.findall("[\x1b\u202e]", ran.stdout) == []
    commands = re.findall(r"##vso\[[a-z.]+", ran.stdout)
    assert commands == (["##vso[task.logissue"] if form == "ci" else [])


def test_a_file_that_cannot_be_written_is_found_before_the_tokens_are_read(
    pat: InProcess, emulator: Emulator, tmp_path: Path
) -> None:
    before = len(emulator.requests)
    ran = pat("admin", "check", "--as", "junit", "--to", str(tmp_path / "none" / "tokens.xml"))
    assert (ran.exit_code, len(emulator.requests)) == (1, before)
    assert ran.stderr.startswith("pat: cannot write to ")


def test_ones_own_with_a_personal_access_token(pat: InProcess, emulator: Emulator) -> None:
    """It does not say whose it is, so the service is asked."""
    put(emulator, "feed", hours=50, scope="vso.packaging")
    scope = "vso.tokenadministration vso.graph"
    env = {"PAT_ADMIN_TOKEN": emulator.add_with_secret("nightly", scope=scope)}
    ran = pat("admin", "check", ADA, *CALM, "--ignore", "broad", "-o", "json", env=env)
    (found,) = ran.json
    assert (found["name"], found["owner_fix"]) == ("feed", None)
    assert found["fix"].startswith("pat update ")


def test_the_token_of_the_nightly_job_needs_its_scopes(pat: InProcess, emulator: Emulator) -> None:
    emulator.add_tokens(1, name="nightly", scope="vso.tokenadministration vso.graph vso.auditlog")
    (found,) = pat("admin", "check", ADA, *CALM, "-o", "json").json
    assert (found["kind"], found["fix"]) == ("broad", None)


def test_saved_tokens_are_as_old_as_they_are(
    pat: InProcess, emulator: Emulator, tmp_path: Path
) -> None:
    """Else no alarm would tell that a scheduled job reads none any more."""
    file = tmp_path / "scan.jsonl"
    put(emulator, "feed", hours=50, scope="vso.packaging")
    assert pat("admin", "list", "--all-users", "--save", str(file)).exit_code == 0
    text = file.read_text("utf-8")
    started = json.loads(text.partition("\n")[0])["started"]
    file.write_text(text.replace(started, "2026-01-02T03:04:05+00:00"), "utf-8")
    ran = pat("admin", "check", "--resume", str(file), "--as", "prometheus")
    moment = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC).timestamp()
    (line,) = [
        each for each in ran.stdout.splitlines() if each.startswith("pat_admin_check_timesta")
    ]
    assert float(line.rpartition(" ")[2]) == moment
