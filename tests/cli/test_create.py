"""pat create."""

from base64 import b64encode
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from shlex import split

import keyring
import pytest
from keyring.backends.fail import Keyring as NoKeyring
from keyring.backends.null import Keyring as NullKeyring

from cli.stage import (
    activity,
    as_json,
    at,
    done,
    failed,
    held,
    hence,
    host,
    lines,
    methods,
    minute,
    moment,
    names,
    put,
    service,
    table,
    token_object,
)
from drivers import Emulator, InProcess
from fakes import MemoryKeyring

SAID = "created 'laptop' in contoso; its secret is in the keyring: pat get laptop"
LASTS = ("--expires", "40h")
LATE = (
    "try again; if the service still creates the token, the next command that signs in will revoke"
    " it"
)
GIT = ("create", "laptop", "--scope", "code_write", *LASTS)


def stored(memory_keyring: MemoryKeyring, emulator: Emulator, name: str = "laptop") -> str:
    return memory_keyring.held[service(emulator), name]


def test_the_token_is_made_and_its_secret_is_in_the_keyring(
    pat: InProcess, emulator: Emulator, memory_keyring: MemoryKeyring
) -> None:
    result = pat(*GIT, "-o", "json")
    token = held(emulator, "laptop")
    document = token_object(token, stored=True, origin="pat", expires_in_days=1)
    assert result == done(as_json(document), SAID)
    assert token["scope"] == "vso.code_write"
    assert list(memory_keyring.held) == [(service(emulator), "laptop")]
    secret = stored(memory_keyring, emulator)
    assert (len(secret), secret[76:80]) == (84, "AZDO")


def test_the_token_is_shown_as_a_table(pat: InProcess, emulator: Emulator) -> None:
    result = pat(*GIT)
    token = held(emulator, "laptop")

    def card(off: str) -> str:
        return table(
            ("Name", "laptop"),
            ("ID", token["authorizationId"]),
            ("Organization", "contoso"),
            ("Status", "active"),
            ("Scopes", "vso.code_write"),
            ("Created", f"{off} ({minute(token['validFrom'])})"),
            ("Expires", f"in 1 day ({minute(token['validTo'])})"),
            ("Secret", "in the keyring of this machine"),
            ("Made by", "pat"),
        )

    # The emulator rounds times, and so may date it a millisecond ahead.
    assert result in [done(card("just now"), SAID), done(card("now"), SAID)]


@pytest.mark.parametrize("form", ["token", "basic", "header", "json"])
def test_as_prints_the_secret_alone(
    form: str, pat: InProcess, emulator: Emulator, memory_keyring: MemoryKeyring
) -> None:
    result = pat(*GIT, "--as", form)
    secret = stored(memory_keyring, emulator)
    basic = b64encode(f":{secret}".encode()).decode()
    document = token_object(held(emulator, "laptop"), stored=True, origin="pat")
    expected = {
        "token": lines(secret),
        "basic": lines(basic),
        "header": lines(f"Authorization: Basic {basic}"),
        "json": as_json({**document, "token": secret}),
    }
    assert result == done(expected[form], SAID)


def test_a_secret_that_is_not_stored_must_be_printed(pat: InProcess, emulator: Emulator) -> None:
    assert pat(*GIT, "--no-store") == failed(
        2,
        "--no-store needs --as",
        "the secret would be lost; to print it, add --as token",
    )
    assert emulator.requests == []


def test_no_store_leaves_the_keyring_alone(
    pat: InProcess, emulator: Emulator, memory_keyring: MemoryKeyring
) -> None:
    result = pat(*GIT, "--no-store", "--as", "json")
    secret = result.json["token"]
    document = token_object(held(emulator, "laptop"), origin="pat") | {"token": secret}
    assert result == done(as_json(document), "created 'laptop' in contoso")
    assert memory_keyring.held == {}
    assert pat("import", "works", "-q", "-o", "none", stdin=secret) == done()


def test_a_name_whose_secret_is_stored_here_is_taken(
    pat: InProcess, emulator: Emulator, memory_keyring: MemoryKeyring
) -> None:
    pat(*GIT)
    before = dict(memory_keyring.held)
    asked = methods(emulator)
    assert pat(*GIT) == failed(
        6,
        "a secret is already stored under 'laptop' for contoso",
        "to print it, run: pat get laptop; to overwrite it, add --replace; to keep it, choose"
        " another name",
    )
    assert (memory_keyring.held, methods(emulator)) == (before, asked)


def test_a_name_of_another_organization_is_free(pat: InProcess) -> None:
    pat(*GIT)
    assert pat(*GIT, "--org", "fabrikam", "-o", "none") == done(
        "",
        "created 'laptop' in fabrikam; its secret is in the keyring: pat get laptop --org fabrikam",
    )


def test_replace_overwrites_the_secret_and_names_the_token_that_lives_on(
    pat: InProcess, emulator: Emulator, memory_keyring: MemoryKeyring
) -> None:
    pat(*GIT)
    old = held(emulator, "laptop")["authorizationId"]
    first = stored(memory_keyring, emulator)
    assert pat(*GIT, "--replace", "-o", "none") == done(
        "",
        SAID,
        "pat: warning: the token whose secret was overwritten is not revoked; to revoke it, run:"
        f" pat revoke {old}",
    )
    assert stored(memory_keyring, emulator) != first
    assert names(emulator) == ["laptop", "laptop"]


def test_tokens_for_all_organizations_are_refused_with_the_reason_and_the_date(
    pat: InProcess, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    for today, verb in (("2026-11-30", "stops"), ("2026-12-01", "stopped")):
        at(today, emulator, pat, monkeypatch)
        assert pat(*GIT, "--all-orgs") == failed(
            5,
            (
                f"pat does not create tokens for all organizations: every such token {verb} working"
                " on 2026-12-01"
            ),
            "to create one for each organization, run: pat create NAME --scope S --org ORG",
        )
    assert emulator.requests == []


@pytest.mark.parametrize(
    ("given", "granted"),
    [
        (("--scope", "code_write"), "vso.code_write"),
        (("--scope", "vso.code_write"), "vso.code_write"),
        (("--scope", "full"), "app_token"),
        (("--scope", "code", "--scope", "packaging"), "vso.code vso.packaging"),
        (("--for", "git"), "vso.code_write"),
        (("--for", "git-read"), "vso.code"),
        (("--for", "packages"), "vso.packaging"),
        (("--for", "packages-publish"), "vso.packaging_write"),
        (("--for", "agent"), "vso.agentpools_manage"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_scopes_and_recipes(
    given: tuple[str, ...], granted: str, pat: InProcess, emulator: Emulator
) -> None:
    assert pat("create", "laptop", *given, "-o", "none") == done("", SAID)
    assert held(emulator, "laptop")["scope"] == granted


def test_a_new_scope_can_be_passed_on(pat: InProcess, emulator: Emulator) -> None:
    result = pat("create", "laptop", "--scope", "vso.brandnew", "--allow-unknown-scope")
    assert emulator.requests[-1]["body"]["scope"] == "vso.brandnew"
    assert result == failed(
        2,
        "the service does not know one of the scopes",
        "to list all scopes, run: pat scopes",
        "the service said: " + result.stderr.partition("the service said: ")[2].splitlines()[0],
        f"activity id: {activity(emulator)}",
    )


def ends(emulator: Emulator) -> datetime:
    return moment(held(emulator, "laptop")["validTo"])


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("12h", timedelta(hours=12)),
        ("30d", timedelta(days=30)),
        ("2w", timedelta(weeks=2)),
    ],
)
def test_expires_takes_a_span(
    text: str, span: timedelta, pat: InProcess, emulator: Emulator
) -> None:
    assert pat(*GIT[:4], "--expires", text, "-o", "none") == done("", SAID)
    assert abs(ends(emulator) - (datetime.now(UTC) + span)) < timedelta(minutes=1)


@pytest.mark.parametrize(("text", "least", "most"), [("3mo", 89, 93), ("1y", 364, 366)])
def test_expires_takes_months_and_a_year(
    text: str, least: int, most: int, pat: InProcess, emulator: Emulator
) -> None:
    assert pat(*GIT[:4], "--expires", text, "-o", "none") == done("", SAID)
    assert least < (ends(emulator) - datetime.now(UTC)) / timedelta(days=1) <= most


def test_without_expires_it_lives_for_30_days(pat: InProcess, emulator: Emulator) -> None:
    assert pat(*GIT[:4], "-o", "none") == done("", SAID)
    assert abs(ends(emulator) - datetime.now(UTC) - timedelta(days=30)) < timedelta(minutes=1)


def test_the_config_file_may_say_how_long_tokens_live(pat: InProcess, emulator: Emulator) -> None:
    pat("config", "set", "expires", "3d")
    assert pat(*GIT[:4], "-o", "none") == done("", SAID)
    assert abs(ends(emulator) - datetime.now(UTC) - timedelta(days=3)) < timedelta(minutes=1)


@pytest.mark.parametrize(
    ("zone", "behind"), [("UTC", 0), ("Etc/GMT+8", 8), ("Etc/GMT-9", -9)], ids=str
)
def test_a_bare_date_is_the_end_of_that_day_where_the_user_is(
    zone: str,
    behind: int,
    pat: InProcess,
    emulator: Emulator,
    time_zone: Callable[[str], None],
) -> None:
    time_zone(zone)
    date = (datetime.now(UTC) + timedelta(days=20)).date()
    assert pat(*GIT[:4], "--expires", date.isoformat(), "-o", "none") == done("", SAID)
    last = datetime.combine(date, datetime.min.time(), UTC) + timedelta(days=1, hours=behind)
    assert timedelta() <= last - ends(emulator) <= timedelta(seconds=1)


def test_expires_takes_a_moment(pat: InProcess, emulator: Emulator) -> None:
    wanted = (datetime.now(UTC) + timedelta(days=20)).replace(microsecond=0)
    text = (wanted + timedelta(hours=2)).strftime("%Y-%m-%dT%H:%M:%S+02:00")
    assert pat(*GIT[:4], "--expires", text, "-o", "none") == done("", SAID)
    assert ends(emulator) == wanted


def test_a_life_that_a_policy_shortened_is_said(pat: InProcess, emulator: Emulator) -> None:
    emulator.set_policies("maximum-lifespan=1")
    result = pat(*GIT, "-o", "json")
    token = held(emulator, "laptop")
    asked = minute(emulator.requests[-1]["body"]["validTo"])
    left = result.json["expires_in_days"]  # to the millisecond a day, or nearly one
    document = token_object(token, stored=True, origin="pat", expires_in_days=left)
    assert left in {0, 1}
    assert result == done(
        as_json(document),
        SAID,
        "pat: warning: a policy shortened the lifetime: the token expires"
        f" {minute(token['validTo'])}, not {asked} as requested",
    )


def test_fail_if_shortened_revokes_the_token(
    pat: InProcess, emulator: Emulator, memory_keyring: MemoryKeyring
) -> None:
    emulator.set_policies("maximum-lifespan=1")
    result = pat(*GIT, "--fail-if-shortened")
    token = held(emulator, "laptop")
    (posted,) = [each for each in emulator.requests if each["method"] == "POST"]
    assert result == failed(
        5,
        f"contoso shortened the lifetime of 'laptop': it would expire {minute(token['validTo'])},"
        f" not {minute(posted['body']['validTo'])} as requested; the new token was revoked",
        (
            "a policy limits the lifetime of tokens: use a shorter --expires, or leave out"
            " --fail-if-shortened"
        ),
    )
    assert (token["status"], memory_keyring.held) == ("revoked", {})


@pytest.mark.parametrize(
    ("policy", "scope", "message", "hint"),
    [
        (
            "creation-disabled",
            "code",
            "a policy of contoso (Restrict personal access token creation) does not allow you to",
            "packaging scopes alone may still be allowed: --scope packaging; a Project Collection",
        ),
        (
            "full-scope-forbidden",
            "full",
            "a policy of the tenant (Restrict full-scoped personal access token creation) forbids",
            (
                "use only the scopes that the job needs; to list scopes, run: pat scopes; an"
                " Azure DevOps"
                " Administrator of the"
            ),
        ),
        (
            "maximum-lifespan=1 mode=refuse",
            "code",
            "a policy of the tenant (Enforce maximum personal access token lifespan) does not",
            (
                "use a shorter lifetime, for example --expires 7d; an Azure DevOps Administrator"
                " of the tenant can change"
            ),
        ),
    ],
)
def test_policies_refuse(
    policy: str, scope: str, message: str, hint: str, pat: InProcess, emulator: Emulator
) -> None:
    emulator.set_policies(policy)
    result = pat("create", "laptop", "--scope", scope)
    first, second, *below = result.stderr.splitlines()
    assert (result.exit_code, result.stdout) == (5, "")
    assert first.startswith(f"pat: {message} ")
    assert second.startswith(f"     {hint} ")
    assert "can change the policy or exempt you" in second
    assert below[-1] == f"     activity id: {activity(emulator)}"
    assert (emulator.tokens, names(emulator)) == ([], [])


@pytest.mark.parametrize("backend", [NoKeyring, NullKeyring])
def test_a_keyring_that_cannot_be_used_is_found_before_anything_is_made(
    backend: type[NoKeyring] | type[NullKeyring], pat: InProcess, emulator: Emulator
) -> None:
    keyring.set_keyring(backend())
    result = pat(*GIT)
    assert (result.exit_code, result.stdout, "POST" in methods(emulator)) == (7, "", False)
    first, hint, *rest = result.stderr.splitlines()
    assert (first.startswith("pat: "), hint.startswith("     "), rest) == (True, True, [])


class Failing(MemoryKeyring):
    """Takes the trial before the token is made, and fails with the secret in its words."""

    def set_password(self, service: str, username: str, password: str) -> None:
        if service.startswith("azdo-pat:http"):
            raise RuntimeError(password)
        super().set_password(service, username, password)


@pytest.mark.parametrize("messages", [(), ("--debug",)], ids=["", "debug"])
def test_a_keyring_that_fails_late_costs_no_secret_and_leaves_no_token(
    messages: tuple[str, ...], pat: InProcess, emulator: Emulator
) -> None:
    keyring.set_keyring(Failing())
    result = pat(*GIT, *messages)
    expected = failed(
        7,
        f"the keyring backend {__name__}.Failing failed with RuntimeError;"
        " the new token was revoked",
        "for details, run: keyring diagnose; to use another backend, set PAT_KEYRING",
    )
    assert (result.exit_code, result.stdout) == (7, "")
    assert "AZDO" not in result.stderr
    if not messages:
        assert result == expected
    assert held(emulator, "laptop")["status"] == "revoked"


def test_a_keyring_that_fails_late_and_a_service_that_does_too_name_the_token(
    pat: InProcess, emulator: Emulator
) -> None:
    keyring.set_keyring(Failing())
    emulator.fail("DELETE * status=403 times=always")
    result = pat(*GIT)
    identifier = held(emulator, "laptop")["authorizationId"]
    assert result == failed(
        7,
        f"the keyring backend {__name__}.Failing failed with RuntimeError;"
        f" the new token {identifier} could not be revoked",
        f"to revoke it, run: pat revoke {identifier} --org contoso",
    )


@pytest.mark.parametrize(
    ("fault", "reason", "outcome"),
    [
        (
            "cut=before",
            "did not answer: the connection was cut",
            ("no token of this request was found"),
        ),
        (
            "cut=after",
            "did not answer: the connection was cut",
            ("the token was created and has been revoked"),
        ),
        (
            "broken-json",
            "is not a token: it is not valid JSON",
            "the token was created and has been revoked",
        ),
    ],
)
def test_what_an_unanswered_request_made_is_looked_for(
    fault: str,
    reason: str,
    outcome: str,
    pat: InProcess,
    emulator: Emulator,
    memory_keyring: MemoryKeyring,
) -> None:
    emulator.fail(f"POST * {fault}")
    result = pat(*GIT)
    below = []
    if fault == "broken-json":  # there was an answer, and so an id
        below = [f"activity id: {activity(emulator, 'POST')}"]
    hint = LATE if outcome.startswith("no token") else "try again"
    where = ("the response from " if reason.startswith("is not") else "") + host(emulator)
    assert result == failed(11, f"{where} {reason}; {outcome}", hint, *below)
    assert (names(emulator), memory_keyring.held) == ([], {})
    assert methods(emulator).count("POST") == 1


@pytest.mark.parametrize("apart", [-400, 400])
@pytest.mark.parametrize("expires", ["30d", "DATE", "SECOND"])
def test_clocks_that_are_apart_leave_no_orphan(
    expires: str, apart: int, pat: InProcess, emulator: Emulator, memory_keyring: MemoryKeyring
) -> None:
    emulator.advance(apart)
    emulator.fail("POST * cut=after")
    day = hence(20 * 24)
    until = {"DATE": day[:10], "SECOND": f"{day[:19]}Z"}.get(expires, expires)
    result = pat("create", "lost", "--scope", "code", "--expires", until)
    assert result.exit_code == 11
    assert "; the token was created and has been revoked" in result.stderr
    assert (names(emulator), memory_keyring.held) == ([], {})
    assert pat("status", "-o", "json").json["problems"] == []


def test_one_that_a_policy_shortened_stays_in_the_journal_until_it_is_decided(
    pat: InProcess, emulator: Emulator
) -> None:
    emulator.set_policies("maximum-lifespan=7")
    emulator.fail("POST * cut=after")
    result = pat("create", "lost", "--scope", "code", "--expires", "30d")
    (identifier,) = [each["authorizationId"] for each in emulator.tokens]
    told = f"may have created a token, or another machine did: {identifier}; it was not revoked"
    assert (result.exit_code, told in result.stderr) == (11, True)
    for _ in range(2):
        assert told in pat("list", "-o", "none").stderr
    assert "may have created a token" in pat("status", "-o", "json").json["problems"][0]
    found = pat("doctor", "--fix", "-o", "json")
    assert found.exit_code == 10
    assert f"pat doctor --dismiss {identifier}" in found.stdout
    assert pat("doctor", "--dismiss", identifier[:8]).exit_code == 2
    assert pat("doctor", "--dismiss", identifier, "-q", "-o", "none").exit_code in {0, 10}
    emulator.advance(360)
    assert told not in pat("list", "-o", "none").stderr
    assert pat("status", "-o", "json").json["problems"] == []
    assert names(emulator) == ["lost"]


def test_a_refusal_of_the_service_keeps_its_own_words(pat: InProcess, emulator: Emulator) -> None:
    emulator.fail("POST * status=500 commit=yes")
    result = pat(*GIT)
    identifier = activity(emulator, "POST")
    assert result == failed(
        11,
        f"{host(emulator)} failed (HTTP 500); the token was created and has been revoked",
        "try again",
        f"the service said: TF400898: An Internal Error Occurred. Activity Id: {identifier}.",
        f"activity id: {identifier}",
    )
    assert names(emulator) == []


def test_a_token_that_is_not_ours_is_left_alone_after_a_lost_answer(
    pat: InProcess, emulator: Emulator
) -> None:
    put(emulator, "laptop", scope="vso.code_write")
    emulator.fail("POST * cut=before")
    assert pat(*GIT) == failed(
        11,
        (
            f"{host(emulator)} did not answer: the connection was cut; no token of this request"
            " was found"
        ),
        LATE,
    )
    assert names(emulator) == ["laptop"]


def test_a_mistake_in_the_query_is_found_before_anything_is_made(
    pat: InProcess, emulator: Emulator
) -> None:
    assert pat(*GIT, "--query", "[[") == failed(
        2,
        "--query is not valid JMESPath at its end (character 3)",
        "use a JMESPath expression, for example '[].name'; see https://jmespath.org",
    )
    assert emulator.requests == []


def test_an_empty_expiry_is_not_the_default(pat: InProcess, emulator: Emulator) -> None:
    assert pat(*GIT[:4], "--expires", "") == failed(
        2,
        "'' is not a valid span or date",
        "give a span (12h, 30d, 2w, 3mo, 1y) or a date (2026-12-31, 2026-12-31T18:00:00Z)",
    )
    assert emulator.requests == []


def test_what_it_makes_belongs_to_one_organization(pat: InProcess, emulator: Emulator) -> None:
    pat(*GIT)
    (posted,) = [each for each in emulator.requests if each["method"] == "POST"]
    assert (posted["path"], posted["body"].get("allOrgs")) == (
        "/contoso/_apis/tokens/pats",
        False,
    )


def test_the_command_that_prints_the_secret_names_another_organization(pat: InProcess) -> None:
    said = pat("create", "there", "--scope", "code", "--org", "fabrikam", "-o", "none").stderr
    command = split(said.rpartition("keyring: pat ")[2])
    assert pat(*command).exit_code == 0
    rotated = pat("rotate", "there", "--org", "fabrikam", "-o", "none").stderr
    assert f"(pat {' '.join(command)})" in rotated
