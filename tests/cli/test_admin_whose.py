"""pat admin whose."""

import pytest

from cli.administered import Administered, owner
from drivers import Emulator, InProcess

SECRET = "a-secret-that-was-found-somewhere"


def test_whose(contoso_pat: InProcess, contoso: Administered) -> None:
    ada, ben, _ = contoso.users
    contoso.token(ada["descriptor"], "other")
    leaked = contoso.token(ben["descriptor"], SECRET, displayName="ci")
    result = contoso_pat("admin", "whose", "--debug", "-o", "json", stdin=f"{SECRET}\n")
    assert result.exit_code == 0, result.stderr
    assert (result.json["name"], result.json["status"]) == ("ci", "active")
    assert result.json["owner"] == owner(ben)
    identifier = leaked["authorizationId"]
    by_administrator = f"pat admin revoke {identifier[:8]} --user ben@contoso.example --org contoso"
    assert result.stderr.splitlines()[-2:] == [
        f"ben@contoso.example can revoke it: pat revoke {identifier[:8]} --org contoso",
        f"you can revoke it: {by_administrator}",
    ]
    words = by_administrator.split()[1:]
    assert contoso_pat(*words, "--yes").exit_code == 0
    assert contoso_pat("admin", "whose", stdin=SECRET).stderr.endswith("it is revoked\n")


def test_one_that_is_revoked_already(contoso_pat: InProcess, contoso: Administered) -> None:
    contoso.token(contoso.users[0]["descriptor"], SECRET, isValid=False)
    result = contoso_pat("admin", "whose", "-o", "json", stdin=SECRET)
    assert (result.exit_code, result.json["status"]) == (0, "revoked")
    assert result.stderr.splitlines()[-1] == "the token no longer works: it is revoked"


def test_the_secret_is_neither_sent_nor_printed(
    contoso_pat: InProcess, contoso: Administered
) -> None:
    contoso.token(contoso.users[0]["descriptor"], SECRET, displayName=SECRET)
    result = contoso_pat("admin", "whose", "--debug", "-o", "table", stdin=SECRET)
    assert result.exit_code == 0
    assert SECRET not in result.stderr
    sent = "".join(f"{each.url} {dict(each.headers)} {each.body!r}" for each in contoso.asked)
    assert SECRET not in sent
    assert SECRET[:12] not in sent


def test_no_token_has_the_secret(contoso_pat: InProcess, contoso: Administered) -> None:
    contoso.token(contoso.users[0]["descriptor"], "other")
    result = contoso_pat("admin", "whose", stdin=SECRET)
    assert result.exit_code == 3
    assert "no token of contoso has this secret" in result.stderr


def test_a_token_that_could_not_be_read_may_have_it(
    contoso_pat: InProcess, contoso: Administered
) -> None:
    contoso.failures[contoso.users[0]["descriptor"]] = [500] * 10
    assert contoso_pat("admin", "whose", stdin=SECRET).exit_code == 9


def test_hashes_that_are_not_told(contoso_pat: InProcess, contoso: Administered) -> None:
    contoso.token(contoso.users[0]["descriptor"], SECRET, crossCompanyCorrelatingId=None)
    assert contoso_pat("admin", "whose", stdin=SECRET).exit_code == 11


@pytest.mark.parametrize(
    "text", ["", " \n", "two words", "A" * 9000, "a-secret" + " " * 9000 + "more"], ids=range(5)
)
def test_what_is_no_secret(contoso_pat: InProcess, contoso: Administered, text: str) -> None:
    assert contoso_pat("admin", "whose", stdin=text).exit_code == 2
    assert contoso.asked == []


@pytest.mark.parametrize(
    ("secret", "hint"),
    [
        ("password=abc", "it does not look like the secret of a token"),
        ("eyJ0eXAiOiJKV1QifQ.e30.c2ln", "pat admin rule"),
        ("a" * 52, "it may be a token of another organization"),
    ],
)
def test_why_no_token_has_it(
    contoso_pat: InProcess, contoso: Administered, secret: str, hint: str
) -> None:
    contoso.token(contoso.users[0]["descriptor"], "other")
    result = contoso_pat("admin", "whose", stdin=secret)
    assert (result.exit_code, hint in result.stderr) == (3, True)


def test_ones_own(pat: InProcess, emulator: Emulator) -> None:
    secret = emulator.add_with_secret("ci", scope="vso.code")
    *_, by_administrator = pat("admin", "whose", stdin=secret).stderr.splitlines()
    words = by_administrator.removeprefix("you can revoke it: pat ").split()
    assert "--include-mine" in words
    assert pat(*words, "--yes").exit_code == 0
    # The token that pat is signed in with can end nothing, and so not itself.
    scope = "vso.tokenadministration vso.graph"
    using = emulator.add_with_secret("admin", scope=scope)
    ran = pat("admin", "whose", stdin=using, env={"PAT_ADMIN_TOKEN": using})
    assert ran.stderr.splitlines()[-1] == (
        "pat is signed in with this token, so pat admin cannot revoke it"
    )


def test_whoever_has_left_revokes_nothing(contoso_pat: InProcess, contoso: Administered) -> None:
    cy = contoso.users[2]  # whose account is deleted
    contoso.token(cy["descriptor"], SECRET)
    said = contoso_pat("admin", "whose", stdin=SECRET).stderr
    assert "cy@contoso.example can revoke it" not in said
    assert "you can revoke it: pat admin revoke" in said
