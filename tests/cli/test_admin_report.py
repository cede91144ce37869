"""pat admin report."""

import stat
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from azdo_pat.install_commands import adding
from cli.administered import Administered, owner
from cli.stage import failed, lines
from drivers import Emulator, InProcess

HOSTILE = "</title><script>alert(1)</script>\x1b[31m##vso[task.complete]"


@pytest.fixture
def filled(contoso: Administered) -> Administered:
    """Give tokens to two of three users: six, of which one has expired and one is revoked."""
    now = datetime.now(UTC)
    ada, ben, _ = (each["descriptor"] for each in contoso.users)
    in_days = {
        days: (now + timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%S") for days in (-10, 5, 60)
    }
    contoso.token(ada, "old")
    contoso.token(ada, "soon", validFrom=in_days[-10], validTo=in_days[5])
    contoso.token(ada, "full", validFrom=in_days[-10], validTo=in_days[60], scope="app_token")
    contoso.token(ada, "gone", validTo=in_days[-10], isValid=False)
    contoso.token(ben, "revoked", isValid=False)
    contoso.token(ben, HOSTILE, scope="vso.code vso.build")
    return contoso


def month(days: int) -> str:
    return f"{datetime.now(UTC) + timedelta(days=days):%Y-%m}"


def test_as_json(contoso_pat: InProcess, filled: Administered) -> None:
    ada, ben, _ = filled.users
    ran = contoso_pat("admin", "report", "-o", "json")
    assert (ran.exit_code, ran.stderr) == (0, lines("4 active tokens of 3 users"))
    report = ran.json
    age = (datetime.now(UTC) - datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)).days
    assert report.pop("read_since") == report["at"]
    assert abs(datetime.fromisoformat(report.pop("at")) - datetime.now(UTC)) < timedelta(minutes=5)
    assert report.pop("by_age")[0]["tokens"] == 2 + 2 * (age < 30)
    none = {"tokens": 1, "global": 0, "full_access": 0, "expiring": 0, "long_lived": 1}
    assert report == {
        "org": "contoso",
        "complete": True,
        "users": 3,
        "users_with_tokens": 2,
        "tokens": 4,
        "global": 0,
        "full_access": 1,
        "expired": 1,
        "expiring": 1,
        "long_lived": 2,
        "by_scope": [
            {"scope": "vso.code", "tokens": 3, "users": 2},
            {"scope": "app_token", "tokens": 1, "users": 1},
            {"scope": "vso.build", "tokens": 1, "users": 1},
        ],
        "by_month": [
            {"month": month(5), "tokens": 1, "users": 1},
            {"month": month(60), "tokens": 1, "users": 1},
            {"month": "2099-01", "tokens": 2, "users": 2},
        ],
        "top_owners": [
            owner(ada) | none | {"tokens": 3, "full_access": 1, "expiring": 1},
            owner(ben) | none,
        ],
        "users_unread": 0,
        "within_days": 7,
        "max_life_days": 90,
    }


def test_as_table(contoso_pat: InProcess, filled: Administered) -> None:
    _ = filled
    ran = contoso_pat("admin", "report", "--within", "12h", "--max-life", "1y")
    totals, groups = ran.stdout.split("\n\n")
    assert [line for line in totals.splitlines() if not line.startswith("Time")] == [
        "Organization   contoso",
        "Users          3, of whom 2 have active tokens",
        "Active tokens  4",
        "  global       0 (valid in all organizations)",
        "  full access  1 (may do all that the user may do)",
        "  expiring     0 (within 12 hours)",
        "  long-lived   2 (lifetime over 365 days)",
        "Expired        1, still listed by the service",
    ]
    assert groups.splitlines() == [
        "USER                 TOKENS  GLOBAL  FULL ACCESS  EXPIRING  LONG-LIVED",
        "ada@contoso.example       3       0            1         0           1",
        "ben@contoso.example       1       0            0         0           1",
    ]


@pytest.mark.parametrize(
    ("grouping", "first", "second"),
    [
        ("scope", "SCOPE  TOKENS  USERS", "code        3      2"),
        ("month", "EXPIRY   TOKENS  USERS", f"{month(5)}       1      1"),
    ],
)
def test_groups(
    contoso_pat: InProcess, filled: Administered, grouping: str, first: str, second: str
) -> None:
    _ = filled
    ran = contoso_pat("admin", "report", "--group-by", grouping)
    assert ran.stdout.split("\n\n")[1].splitlines()[:2] == [first, second]


def test_of_some_users(contoso_pat: InProcess, filled: Administered) -> None:
    _ = filled
    report = contoso_pat("admin", "report", "ben", "-o", "json").json
    assert (report["users"], report["tokens"]) == (1, 1)


def test_rows_are_the_tokens_in_any_status(
    contoso_pat: InProcess, filled: Administered, tmp_path: Path
) -> None:
    _ = filled
    file = tmp_path / "report.html"
    ran = contoso_pat("admin", "report", "-o", "csv", "--html", str(file))
    assert ran.stderr == lines(f"wrote {file}", "4 active tokens of 3 users")
    listed = contoso_pat("admin", "list", "--all-users", "--status", "all", "-o", "csv")
    assert sorted(ran.stdout.splitlines()) == sorted(listed.stdout.splitlines())
    assert "Personal access tokens" in file.read_text("utf-8")


def test_one_object_as_jsonl(contoso_pat: InProcess, filled: Administered) -> None:
    _ = filled
    ran = contoso_pat("admin", "report", "-o", "jsonl")
    assert ran.stdout.startswith('{"org":"contoso",')
    assert ran.stdout.count("\n") == 1


def test_a_partial_report_says_so(
    contoso_pat: InProcess, filled: Administered, tmp_path: Path
) -> None:
    filled.failures[filled.users[0]["descriptor"]] = [400] * 9
    file = tmp_path / "report.html"
    ran = contoso_pat("admin", "report", "--html", str(file))
    assert ran.exit_code == 9
    assert "active tokens of" not in ran.stderr
    assert ran.stdout.startswith("PARTIAL        1 of 3 users could not be read: the numbers below")
    assert "Partial report" in file.read_text("utf-8")
    filled.failures[filled.users[0]["descriptor"]] = [400] * 9
    report = contoso_pat("admin", "report", "-o", "json")
    assert (report.exit_code, report.stdout.count('"complete": false')) == (9, 1)


def test_the_page(contoso_pat: InProcess, filled: Administered, tmp_path: Path) -> None:
    _ = filled
    file = tmp_path / "report.html"
    file.write_text("an older one, which others could read", "utf-8")
    file.chmod(0o644)
    assert contoso_pat("admin", "report", "--html", str(file)).exit_code == 0
    text = file.read_text("utf-8")
    assert "<script" not in text
    assert "\x1b" not in text
    assert "&lt;/title&gt;&lt;script&gt;" in text
    assert "Ada Lovelace" in text
    if sys.platform != "win32":
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert contoso_pat("admin", "report", "ben", "--html", str(file)).exit_code == 0
    assert "Ada Lovelace" not in file.read_text("utf-8")
    assert list(tmp_path.iterdir()) == [file]


@pytest.mark.parametrize("name", [".", "none/report.html", "-"])
def test_a_file_that_cannot_be_written_is_noticed_before_the_users_are_read(
    contoso_pat: InProcess, filled: Administered, tmp_path: Path, name: str
) -> None:
    file = name if name == "-" else str(tmp_path / name)
    ran = contoso_pat("admin", "report", "--html", file)
    assert (ran.exit_code, ran.stdout) == (1 if "none" in name else 2, "")
    assert filled.asked == []


def test_without_the_libraries(
    contoso_pat: InProcess, filled: Administered, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [each for each in sys.modules if each.startswith("azdo_pat.output.report.")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "svg", None)
    assert contoso_pat("admin", "report", "--html", "report.html") == failed(
        2,
        "--html needs jinja2 and svg.py, and svg is not installed",
        f"to install them, run: {adding('jinja2', 'svg.py')}",
    )
    assert filled.asked == []
    assert contoso_pat("admin", "report").exit_code == 0


def test_of_saved_tokens(contoso_pat: InProcess, filled: Administered, tmp_path: Path) -> None:
    file = str(tmp_path / "tokens.jsonl")
    first = contoso_pat("admin", "report", "--save", file, "-o", "json").json
    del filled.asked[:]
    second = contoso_pat("admin", "report", "--resume", file, "-o", "json").json
    assert filled.asked == []
    assert (second["tokens"], second["read_since"]) == (4, first["read_since"])


def test_of_a_crowd(pat: InProcess, emulator: Emulator) -> None:
    emulator.invent_users(150, tokens=4)
    report = pat("admin", "report", "-o", "json").json
    rows = pat("admin", "list", "--all-users", "-o", "json").json
    active = [each for each in rows if each["status"] == "active"]
    assert report["tokens"] == len(active)
    assert report["global"] == sum(each["global"] for each in active)
    assert report["users_with_tokens"] == len({each["owner"]["descriptor"] for each in active})
    assert sum(each["tokens"] for each in report["by_month"]) == len(active)
