"""What an administrator is told about the tokens of each user."""

from dataclasses import replace

import pytest

from azdo_pat.findings import Finding, Kind, Limits, Severity
from azdo_pat.models import Field, Origin, Pat, PolicyName, Status, TenantPolicy, User
from azdo_pat.services.admin_check import Judge
from test_findings import DAY, NOW, TOKEN

GRACE = User("aad.g", "Grace Hopper", "grace@contoso.example", "")
LINUS = User("aad.l", "Linus", "linus@contoso.example", "")
JUDGE = Judge("contoso", frozenset({"ada@contoso.example"}), NOW, Limits())
SOON = replace(TOKEN, expires=NOW + 3 * DAY)
BY_GIT = replace(TOKEN, name="git: https://dev.azure.com/contoso on x", origin=Origin.GIT)
REVOKE = "pat admin revoke 4c81c0e6 --user grace@contoso.example --org contoso"
REVOKE_GLOBAL = REVOKE.replace(" --org", " --include-global --org")
GLOBAL = replace(TOKEN, org=None, is_global=True)
EXTEND = "pat update 4c81c0e6 --expires 30d --org contoso"


def numbered(pat: Pat, count: int) -> list[Pat]:
    return [replace(pat, id=f"{number}" * 8, created=NOW - number * DAY) for number in range(count)]


def found(judge: Judge, *pats: Pat, owner: User = GRACE) -> dict[Kind, Finding]:
    return {each.kind: each for each in judge.of_owner(owner, pats)}


@pytest.mark.parametrize(
    ("pat", "owner", "kind", "fix", "owner_fix"),
    [
        (SOON, GRACE, Kind.EXPIRING, "", EXTEND),
        (SOON, GRACE._replace(is_deleted=True), Kind.EXPIRING, REVOKE, ""),
        (GLOBAL, GRACE._replace(is_deleted=True), Kind.GLOBAL, REVOKE_GLOBAL, ""),
        (SOON, GRACE._replace(upn="Ada@contoso.example"), Kind.EXPIRING, EXTEND, ""),
        (BY_GIT, GRACE, Kind.MADE_BY_TOOL, REVOKE, ""),
        (
            replace(SOON, stored=True),
            GRACE,
            Kind.EXPIRING,
            "pat rotate 4c81c0e6 --org contoso",
            "",
        ),
        (
            replace(SOON, id=None, unread=frozenset({Field.ID})),
            GRACE._replace(is_deleted=True),
            Kind.EXPIRING,
            "",
            "",
        ),
    ],
    ids=[
        "another's",
        "deleted account",
        "deleted and global",
        "one's own",
        "a tool's",
        "stored here",
        "no id",
    ],
)
def test_who_can_end_a_finding(pat: Pat, owner: User, kind: Kind, fix: str, owner_fix: str) -> None:
    finding = found(JUDGE, pat, owner=owner)[kind]
    assert (finding.owner, finding.fix, finding.owner_fix) == (owner, fix, owner_fix)
    assert finding.message.endswith("account no longer exists") == owner.is_deleted


@pytest.mark.parametrize("stored", [False, True])
def test_one_that_has_expired_is_reported_only_where_it_is_missed(*, stored: bool) -> None:
    ended = replace(TOKEN, status=Status.EXPIRED, expires=NOW - DAY, stored=stored)
    worldwide = replace(GLOBAL, status=Status.EXPIRED)
    assert list(found(JUDGE, ended, worldwide)) == [Kind.EXPIRED] * stored


def test_a_user_without_a_sign_in_name_is_not_oneself() -> None:
    nameless = GRACE._replace(upn="")
    assert (
        found(JUDGE._replace(me=frozenset()), SOON, owner=nameless)[Kind.EXPIRING].owner_fix
        == EXTEND
    )


def test_tokens_are_compared_with_those_of_the_same_owner_alone() -> None:
    twice, thrice = numbered(TOKEN, 2), numbered(BY_GIT, 3)
    apart = [*JUDGE.of_owner(GRACE, [twice[0], *thrice[:2]])]
    apart += JUDGE.of_owner(LINUS, [twice[1], thrice[2]])
    assert [(each.kind, each.severity) for each in apart] == [
        (Kind.MADE_BY_TOOL, Severity.NOTE)
    ] * 3
    together = found(JUDGE, *twice, *thrice)
    assert {kind: each.severity for kind, each in together.items()} == {
        Kind.MADE_BY_TOOL: Severity.WARNING,
        Kind.SAME_NAME: Severity.NOTE,
    }


@pytest.mark.parametrize(
    ("policy", "pat", "fix"),
    [
        (
            TenantPolicy(PolicyName.GLOBAL, is_on=True),
            replace(TOKEN, is_global=True, org=None),
            "migrate 4c81c0e6 --to-all",
        ),
        (
            TenantPolicy(PolicyName.FULL_ACCESS, is_on=True),
            replace(TOKEN, scopes=("app_token",)),
            "update 4c81c0e6 --scope SCOPE --org contoso",
        ),
        (
            TenantPolicy(PolicyName.LIFESPAN, is_on=True, max_days=20),
            TOKEN,
            "rotate 4c81c0e6 --expires 20d --org contoso",
        ),
    ],
    ids=lambda each: str(each.name) if isinstance(each, TenantPolicy) else "",
)
def test_a_token_that_a_policy_forbids(policy: TenantPolicy, pat: Pat, fix: str) -> None:
    finding = found(JUDGE._replace(policies=[policy]), pat)[Kind.POLICY]
    assert (finding.severity, finding.owner_fix) == (Severity.WARNING, f"pat {fix}")
    exempt = JUDGE._replace(policies=[policy._replace(has_exceptions=True)])
    assert found(exempt, pat)[Kind.POLICY].message.endswith(", unless its owner is exempt")
    off = JUDGE._replace(policies=[policy._replace(is_on=False)])
    ended = replace(pat, expires=NOW - DAY)
    assert Kind.POLICY not in {**found(off, pat), **found(exempt, ended)}
