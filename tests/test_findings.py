"""What needs attention about a token, judged by what is known of it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from azdo_pat.command_lines import split
from azdo_pat.findings import Finding, Kind, Limits, Severity, worst_first
from azdo_pat.judgement import of_token, of_tokens
from azdo_pat.models import Field, Origin, Pat, Status, effective_expiry

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)
ID = "4c81c0e6-b5cb-5da4-8805-c56c81e3346a"
TOKEN = Pat(
    name="ci",
    id=ID,
    org="contoso",
    status=Status.ACTIVE,
    scopes=("vso.packaging",),
    created=NOW - 20 * DAY,
    expires=NOW + 10 * DAY,
)
GLOBAL = replace(
    TOKEN,
    org=None,
    is_global=True,
    expires=effective_expiry(datetime(2027, 5, 1, tzinfo=UTC), is_global=True),
)


def found(pat: Pat, now: datetime = NOW, limits: Limits = Limits()) -> dict[Kind, Finding]:  # noqa: B008 - it is immutable
    """Return the findings about a token, by kind."""
    findings = list(of_token(pat, now, limits))
    assert len({each.kind for each in findings}) == len(findings)
    return {each.kind: each for each in findings}


def test_of_most_tokens_there_is_nothing_to_say() -> None:
    assert found(TOKEN) == {}


@pytest.mark.parametrize(
    ("left", "severity", "said"),
    [
        (3 * DAY, Severity.WARNING, "it expires in 3 days"),
        (timedelta(hours=25), Severity.WARNING, "it expires in 1 day"),
        (timedelta(hours=23), Severity.ERROR, "it expires in less than a day"),
    ],
)
def test_one_that_expires_soon(left: timedelta, severity: Severity, said: str) -> None:
    (finding,) = found(replace(TOKEN, expires=NOW + left)).values()
    assert (finding.kind, finding.severity, finding.message) == (Kind.EXPIRING, severity, said)
    assert finding.fix == "pat update 4c81c0e6 --expires 30d --org contoso"
    assert finding.until == NOW + left


def test_one_for_a_command_is_meant_to_expire_but_not_whatever_is_called_so() -> None:
    hour = timedelta(hours=1)
    soon = replace(TOKEN, name="exec: npm on desk", created=NOW - hour, expires=NOW + hour)
    assert found(soon) == {}
    assert set(found(replace(soon, created=NOW - 20 * DAY))) == {Kind.EXPIRING}


def test_a_stored_one_is_rotated() -> None:
    finding = found(replace(TOKEN, expires=NOW + DAY, stored=True))[Kind.EXPIRING]
    assert finding.fix == "pat rotate 4c81c0e6 --org contoso"


@pytest.mark.parametrize(
    ("due", "severity", "fix"),
    [
        (DAY, Severity.NOTE, ""),
        (-DAY / 2, Severity.NOTE, "pat renew"),
        (-2 * DAY, Severity.WARNING, "pat renew"),
    ],
    ids=["not yet", "just now", "two days ago"],
)
def test_one_that_pat_renews(due: timedelta, severity: Severity, fix: str) -> None:
    pat = replace(TOKEN, stored=True, expires=NOW + 4 * DAY, renewal_due=NOW + due)
    finding = found(pat)[Kind.EXPIRING]
    assert (finding.severity, finding.fix) == (severity, fix)


def test_one_of_a_day_is_renewed_within_hours() -> None:
    hour = timedelta(hours=1)
    pat = replace(TOKEN, stored=True, expires=NOW + 7 * hour, renewal_due=NOW - hour)
    assert found(pat)[Kind.EXPIRING].severity is Severity.NOTE
    late = replace(pat, expires=NOW + 2 * hour, renewal_due=NOW - 6 * hour)
    assert found(late)[Kind.EXPIRING].severity is Severity.ERROR


def test_git_makes_itself_another_one() -> None:
    name = "git: https://dev.azure.com/contoso on laptop"
    pat = replace(TOKEN, name=name, origin=Origin.GIT, expires=NOW + DAY)
    assert found(pat)[Kind.EXPIRING].severity is Severity.NOTE


@pytest.mark.parametrize(
    ("pat", "kinds"),
    [
        (replace(TOKEN, stored=True, expires=NOW - DAY), [Kind.EXPIRED]),
        (replace(TOKEN, stored=True, expires=NOW - 31 * DAY), []),
        (replace(TOKEN, stored=False, expires=NOW - DAY), []),
        (replace(TOKEN, stored=True, status=Status.REVOKED, expires=NOW - DAY), []),
    ],
    ids=["stored", "long ago", "elsewhere", "revoked"],
)
def test_one_that_has_expired(pat: Pat, kinds: list[Kind]) -> None:
    assert list(found(pat)) == kinds


@pytest.mark.parametrize(
    ("now", "severity", "verb"),
    [
        (datetime(2026, 9, 1, tzinfo=UTC), Severity.WARNING, "stop"),
        (datetime(2026, 11, 29, tzinfo=UTC), Severity.ERROR, "stop"),
        (datetime(2026, 12, 24, tzinfo=UTC), Severity.ERROR, "stopped"),
    ],
)
def test_one_of_all_organizations(now: datetime, severity: Severity, verb: str) -> None:
    (finding,) = found(replace(GLOBAL, stored=True), now).values()
    assert (finding.kind, finding.severity) == (Kind.GLOBAL, severity)
    assert finding.message.endswith(f"such tokens {verb} working on 2026-12-01")
    assert finding.fix == "pat migrate 4c81c0e6 --to-all --revoke-old"


@pytest.mark.parametrize("scope", ["vso.packaging", "app_token"])
def test_one_of_all_organizations_that_another_machine_may_use(scope: str) -> None:
    pat = replace(GLOBAL, name="npm feed", scopes=(scope,))
    here = replace(TOKEN, name=pat.name, id="other", stored=True, origin=Origin.PAT)
    alone = [each.fix for each in found(pat).values()]
    assert "pat migrate 4c81c0e6 --to-all" in alone
    replaced = [each.fix for each in of_tokens([pat, here], NOW) if each.id == pat.id]
    assert set(replaced) == {"pat revoke 4c81c0e6"}
    another = replace(here, origin=Origin.UNKNOWN)  # the name alone proves nothing
    assert "pat migrate 4c81c0e6 --to-all" in {each.fix for each in of_tokens([pat, another], NOW)}
    theirs = [each for each in of_tokens([pat], NOW, of_another=True) if each.kind is Kind.GLOBAL]
    assert [each.message.endswith("working on 2026-12-01") for each in theirs] == [True]
    assert not any("--revoke-old" in fix for fix in (*alone, *replaced))
    stopped = found(pat, datetime(2026, 12, 24, tzinfo=UTC)).values()
    assert [each.fix for each in stopped] == ["pat migrate 4c81c0e6 --to-all --revoke-old"]


@pytest.mark.parametrize(
    ("scopes", "kind", "fix"),
    [
        (("app_token",), Kind.FULL_ACCESS, "--scope SCOPE"),
        (("vso.code_manage",), Kind.BROAD, "--scope code"),
        (("vso.code", "vso.code_write"), Kind.BROAD, "--scope code"),
        (("vso.work", "vso.work_write"), Kind.BROAD, "--scope work_write"),
        (("vso.work", "vso.wiki_write"), None, ""),
        # One that includes another only by its letters, and one that nobody knows.
        (("vso.code", "vso.code_status", "vso.brand_new"), None, ""),
    ],
)
def test_scopes(scopes: tuple[str, ...], kind: Kind | None, fix: str) -> None:
    findings = found(replace(TOKEN, scopes=scopes))
    assert list(findings) == ([kind] if kind else [])
    if kind:
        assert findings[kind].fix == f"pat update 4c81c0e6 {fix} --org contoso"


def test_the_scopes_of_a_recipe_are_doubted_only_where_pat_has_not_created_the_token() -> None:
    git = replace(TOKEN, scopes=("vso.code_write",))
    assert found(git)[Kind.BROAD].message == "high privilege: code_write; may be enough: code"
    assert found(replace(git, origin=Origin.PAT)) == {}
    too_much = replace(git, scopes=("vso.code_full",), origin=Origin.PAT)
    assert list(found(too_much)) == [Kind.BROAD]


def test_the_name_may_say_which_scope_is_enough() -> None:
    pat = replace(TOKEN, name="npm feed", scopes=("app_token",))
    assert "--scope packaging " in found(pat)[Kind.FULL_ACCESS].fix


@pytest.mark.parametrize(
    ("created", "stored", "fix"),
    [
        (NOW - DAY, False, "update --expires 2026-08-29"),
        (NOW - DAY, True, "rotate --expires 90d"),
        (NOW - 200 * DAY, False, "rotate --expires 90d"),
    ],
    ids=["elsewhere", "here", "old"],
)
def test_one_that_lives_long(created: datetime, stored: bool, fix: str) -> None:  # noqa: FBT001 - a case
    pat = replace(TOKEN, created=created, expires=created + 365 * DAY, stored=stored)
    finding = found(pat)[Kind.LONG_LIVED]
    assert finding.fix == f"pat {fix.replace(' ', ' 4c81c0e6 ', 1)} --org contoso"
    assert found(pat, limits=Limits(max_life=365 * DAY)) == {}


def test_a_policy_may_allow_less_than_that() -> None:
    pat = replace(TOKEN, created=NOW, expires=NOW + 365 * DAY, stored=True)
    finding = found(pat, limits=Limits(allowed={"contoso": 60}))[Kind.LONG_LIVED]
    assert finding.fix == "pat rotate 4c81c0e6 --expires 60d --org contoso"


@pytest.mark.parametrize(("name", "scope"), [("network", "SCOPE"), ("my-git", "code_write")])
def test_only_the_beginning_of_a_word_says_what_a_token_is_for(name: str, scope: str) -> None:
    pat = replace(TOKEN, name=name, scopes=("app_token",))
    assert f"--scope {scope} " in found(pat)[Kind.FULL_ACCESS].fix


def test_a_limit_of_hours() -> None:
    pat = replace(TOKEN, created=NOW - DAY, expires=NOW + 20 * DAY, stored=True)
    finding = found(pat, limits=Limits(max_life=DAY / 2))[Kind.LONG_LIVED]
    assert finding.message == "its lifetime is 21 days, over 12 hours"
    assert "--expires 12h" in finding.fix


@pytest.mark.parametrize("fields", [{Field.ID}, {Field.ID, Field.NAME}])
def test_one_without_a_readable_id_has_no_command(fields: set[Field]) -> None:
    name = "" if Field.NAME in fields else "ci"
    pat = replace(TOKEN, id=None, name=name, expires=NOW + DAY, unread=frozenset(fields))
    assert {each.fix for each in found(pat).values()} == {""}


def test_an_imported_secret_without_an_id_is_imported_again() -> None:
    pat = replace(TOKEN, id=None, stored=True, expires=NOW + DAY)
    assert found(pat)[Kind.EXPIRING].fix == "pat import ci --replace --org contoso"


def test_one_that_cannot_be_read() -> None:
    pat = replace(TOKEN, expires=None, unread=frozenset({Field.EXPIRES}))
    (finding,) = found(pat).values()
    assert (finding.kind, "validTo" in finding.message) == (Kind.UNREADABLE, True)


def test_tokens_of_one_program_pile_up() -> None:
    name = "git: https://dev.azure.com/contoso on laptop"
    made = [
        replace(TOKEN, id=f"{n}" * 8, name=name, origin=Origin.GIT, expires=NOW + 30 * DAY)
        for n in range(1, 4)
    ]
    few, many = (list(of_tokens(pats, NOW)) for pats in (made[:2], made))
    assert {each.severity for each in few} == {Severity.NOTE}
    assert {each.severity for each in many} == {Severity.WARNING}
    assert [each.fix for each in many] == [f"pat revoke {n * 8} --org contoso" for n in "123"]


def test_two_of_one_name() -> None:
    older = replace(TOKEN, id="1" * 8, created=NOW - 15 * DAY)
    newer = replace(TOKEN, id="2" * 8, created=NOW - DAY)
    elsewhere = replace(TOKEN, id="3" * 8, org="fabrikam")
    (finding,) = of_tokens([newer, older, elsewhere], NOW)
    assert (finding.kind, finding.id) == (Kind.SAME_NAME, "1" * 8)
    assert split(finding.fix) == ["pat", "update", "1" * 8, "--name", "ci (2)", "--org", "contoso"]


def test_the_worst_comes_first() -> None:
    soon, later = NOW + DAY, NOW + 2 * DAY
    findings = [
        Finding(Kind.BROAD, Severity.NOTE, "", until=soon),
        Finding(Kind.NO_SIGN_IN, Severity.ERROR, ""),
        Finding(Kind.EXPIRING, Severity.WARNING, "", until=later),
        Finding(Kind.EXPIRED, Severity.ERROR, "", until=later),
        Finding(Kind.EXPIRING, Severity.WARNING, "", until=soon),
    ]
    order = [findings.index(each) for each in worst_first(findings)]
    assert order == [3, 1, 4, 2, 0]
