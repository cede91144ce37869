"""What `pat check` found, for the tests of its formats."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta

from azdo_pat.findings import (
    DEFAULT_LIMITS,
    Checked,
    Everyone,
    Finding,
    Kind,
    Severity,
    worst_first,
)
from azdo_pat.judgement import of_tokens
from azdo_pat.models import OwnedPat, Pat, User
from azdo_pat.results.tokens import OrganizationFailure
from azdo_pat.services.admin_check import Judge
from output.samples import ALL, GLOBAL, LAPTOP, NOW, PUBLISHING

HOSTILE = (
    "##vso[task.setvariable variable=x]y",
    "::error::z",
    "a\r::error::z",
    "\xad::error::z",
    "a\n##[error]z",
    "%AZP250A%250D%0A;]:,=",
    "</code></testcase>&amp;<script>alert(1)</script>]]>",
    "`| a | b |\n\n# c [d](https://e.example) **f** @g https://h.example",
    '" 1\n# TYPE x counter\nx{a="b\\',
    ";,\\n\\\r\nEND:VEVENT\r\nBEGIN:VEVENT",
    "::" * 60,
    "\ufffe\uffff\x00\x1b[31m\u202e\ud800",
    "部署令牌 🚀" * 12,
    "",
)
"""Names that would act in one format or another, at their start, in the middle, and cut."""


def expiring(name: str, **more: object) -> Pat:
    """Return a token that expires in two days."""
    return replace(LAPTOP, name=name, expires=NOW + timedelta(days=2), **more)  # type: ignore[arg-type]  # fields of any type


def user(name: str) -> User:
    """Return a user who signs in by this name."""
    return User(f"aad.{name}", "Grace Hopper", name, name)


def of_everyone(*owned: tuple[Pat, User]) -> Checked:
    """Return what an administrator finds about tokens, each of a user."""
    judge = Judge("contoso", frozenset(), NOW, DEFAULT_LIMITS)
    found = [each for pat, owner in owned for each in judge.of_owner(owner, [pat])]
    pats = tuple(OwnedPat(*each) for each in owned)
    return Checked(tuple(worst_first(found)), (), (), NOW, Everyone("contoso", 10, pats))


def checked(*pats: Pat, failures: Sequence[OrganizationFailure] = ()) -> Checked:
    """Return what is found about tokens."""
    return Checked(tuple(worst_first(of_tokens(pats, NOW))), pats, tuple(failures), NOW)


def about(name: str, /, **more: object) -> Checked:
    """Return one warning about a token of this name."""
    pat = expiring(name)
    finding = Finding(
        Kind.EXPIRING,
        Severity.WARNING,
        "it expires soon",
        "pat renew",
        org=pat.org,
        name=pat.name,
        id=pat.id,
        expires=pat.expires,
        until=pat.expires,
    )
    return Checked((finding._replace(**more),), (pat,), (), NOW)  # type: ignore[arg-type]  # as above


def many(number: int, severity: Severity) -> Checked:
    """Return findings of one severity about as many tokens."""
    [finding] = about("x").findings
    found = [finding._replace(name=f"t{i}", severity=severity) for i in range(1, number + 1)]
    return Checked(tuple(found), (), (), NOW)


SAMPLE = checked(
    *ALL,
    failures=[OrganizationFailure("fabrikam", "the service refused: 403")],
)
CALM = checked(replace(LAPTOP, scopes=("vso.code",)))
SOON = checked(replace(PUBLISHING, scopes=("vso.packaging",)), replace(GLOBAL, expires=NOW))


def fails_from(severity: Severity) -> Callable[[Finding], bool]:
    """Return what `--fail-on SEVERITY` makes of a finding."""
    return lambda finding: finding.severity.rank >= severity.rank
