"""pat update."""

from datetime import UTC, datetime, timedelta

import pytest

from cli.stage import (
    activity,
    as_json,
    done,
    failed,
    held,
    lines,
    methods,
    minute,
    moment,
    put,
    service,
    token_object,
)
from drivers import Emulator, InProcess
from fakes import MemoryKeyring

MAKE = ("create", "laptop", "--scope", "code_write", "--expires", "250h", "-q", "-o", "none")


def test_scopes(pat: InProcess, emulator: Emulator) -> None:
    before = put(emulator, "laptop")
    result = pat("update", "laptop", "--scope", "code", "--scope", "packaging", "-o", "json")
    after = held(emulator, "laptop")
    assert result == done(as_json(token_object(after)), "updated 'laptop' in contoso")
    assert after == {**before, "scope": "vso.code vso.packaging"}


def test_end(pat: InProcess, emulator: Emulator) -> None:
    before = put(emulator, "laptop")
    result = pat("update", before["authorizationId"][:8], "--expires", "20d", "-o", "none")
    assert result == done("", "updated 'laptop' in contoso")
    after = held(emulator, "laptop")
    assert {**after, "validTo": ""} == {**before, "validTo": ""}
    wanted = datetime.now(UTC) + timedelta(days=20)
    assert abs(moment(after["validTo"]) - wanted) < timedelta(minutes=1)


@pytest.mark.parametrize("everywhere", [False, True])
def test_a_dry_run_shows_it_as_it_would_be(
    pat: InProcess, emulator: Emulator, *, everywhere: bool
) -> None:
    emulator.add_tokens(1, name="laptop", scope="vso.code", allOrgs=everywhere)
    before = held(emulator, "laptop")
    asked = (datetime.now(UTC) + timedelta(days=60)).strftime("%Y-%m-%dT00:00:00Z")
    changes = ("--name", "desk", "--scope", "build", "--expires", asked)
    result = pat("update", "laptop", *changes, "--dry-run", "-o", "json")
    ends = "2026-12-01T00:00:00Z" if everywhere else asked
    where = "all your organizations" if everywhere else "contoso"
    assert (result.exit_code, result.stderr) == (
        0,
        f"'laptop' would be changed in {where} (dry run)\n",
    )
    shown = result.json
    assert (shown["name"], shown["scopes"], shown["expires"]) == ("desk", ["vso.build"], ends)
    assert (shown["id"], shown["global"]) == (before["authorizationId"], everywhere)
    assert emulator.tokens == [before]


def test_a_dry_run_refuses_what_the_change_would(pat: InProcess, emulator: Emulator) -> None:
    emulator.add_tokens(1, name="laptop", state="revoked")
    result = pat("update", "laptop", "--name", "desk", "--dry-run")
    assert result.exit_code == 5


def test_a_new_name_takes_the_secret_along(
    pat: InProcess, emulator: Emulator, memory_keyring: MemoryKeyring
) -> None:
    pat(*MAKE)
    (secret,) = memory_keyring.held.values()
    result = pat("update", "laptop", "--name", "desktop", "-o", "json")
    document = token_object(held(emulator, "desktop"), stored=True, origin="pat")
    assert result == done(as_json(document), "updated 'desktop' in contoso")
    assert memory_keyring.held == {(service(emulator), "desktop"): secret}
    assert pat("get", "desktop") == done(lines(secret))


def test_an_imported_secret_stays_where_several_tokens_bear_its_name(
    pat: InProcess, emulator: Emulator, memory_keyring: MemoryKeyring
) -> None:
    ours = pat("create", "dup", *MAKE[2:-3], "--no-store", "--as", "token", "-q").stdout
    pat("import", "dup", "-q", "-o", "none", stdin=ours)
    other = put(emulator, "dup")["authorizationId"]
    assert pat("update", other, "--expires", "20d", "-o", "none", "--org", "contoso").exit_code == 0
    assert pat("update", other, "--name", "desktop", "-o", "none") == done(
        "",
        "updated 'desktop' in contoso",
        "kept the secret stored under 'dup', as it may belong to another token; if it belongs to"
        f" this token, run: pat get dup | pat import dup --id {other}",
    )
    assert pat("revoke", other, "--yes").exit_code == 0
    assert memory_keyring.held == {(service(emulator), "dup"): ours.strip()}


def test_a_new_name_that_is_taken_here_is_refused(
    pat: InProcess, emulator: Emulator, memory_keyring: MemoryKeyring
) -> None:
    pat(*MAKE)
    pat("create", "desktop", *MAKE[2:])
    before = dict(memory_keyring.held)
    assert pat("update", "laptop", "--name", "desktop") == failed(
        6,
        "a secret is already stored under 'desktop' for contoso",
        "use another name; or, to delete that secret, run: pat forget desktop",
    )
    assert (memory_keyring.held, "PUT" in methods(emulator)) == (before, False)


def test_nothing_to_change(pat: InProcess, emulator: Emulator) -> None:
    expected = failed(2, "no change given", "add --name, --scope or --expires")
    assert pat("update", "laptop") == expected
    assert emulator.requests == []


def test_a_revoked_token_cannot_be_changed(pat: InProcess, emulator: Emulator) -> None:
    put(emulator, "laptop", state="revoked")
    assert pat("update", "laptop", "--expires", "3d") == failed(
        5, "'laptop' is revoked and cannot be changed", "to create a new token, run: pat create"
    )


def test_an_expired_token_cannot_be_changed(pat: InProcess, emulator: Emulator) -> None:
    put(emulator, "laptop", hours=-40, state="expired")
    result = pat("update", "laptop", "--expires", "3d")
    said = result.stderr.partition("the service said: ")[2].partition("\n")[0]
    assert result == failed(
        5,
        "the token has expired, and an expired token cannot be changed",
        "to replace it with a new token, run: pat rotate TOKEN",
        *([f"the service said: {said}"] if said else []),
        f"activity id: {activity(emulator)}",
    )


def test_a_shortened_life_is_said(pat: InProcess, emulator: Emulator) -> None:
    pat(*MAKE)
    emulator.set_policies("maximum-lifespan=5")
    result = pat("update", "laptop", "--expires", "20d", "-o", "none")
    granted = minute(held(emulator, "laptop")["validTo"])
    asked = minute(emulator.requests[-1]["body"]["validTo"])
    assert result == done(
        "",
        f"pat: warning: a policy shortened the lifetime: the token expires {granted}, not"
        f" {asked} as requested",
        "updated 'laptop' in contoso",
    )


@pytest.mark.parametrize(
    "option",
    [("--name", ""), ("--name", "\x1b[2J"), ("--expires", ""), ("--scope", "nosuchscope")],
    ids=" ".join,
)
def test_mistakes_are_found_before_the_service_is_asked(
    option: tuple[str, str], pat: InProcess, emulator: Emulator
) -> None:
    put(emulator, "laptop")
    result = pat("update", "laptop", *option)
    assert (result.exit_code, result.stdout, emulator.requests) == (2, "", [])


def test_another_organizations_token_is_not_touched(pat: InProcess, emulator: Emulator) -> None:
    token = put(emulator, "theirs", organization="fabrikam")
    identifier = token["authorizationId"]
    assert pat("update", identifier, "--name", "ours") == failed(
        3, f"{identifier!r} is a token of fabrikam, not of contoso", "add --org fabrikam"
    )
    assert (emulator.tokens, "PUT" in methods(emulator)) == ([token], False)


def test_a_secret_that_cannot_be_moved_is_pending(
    pat: InProcess, emulator: Emulator, memory_keyring: MemoryKeyring
) -> None:
    pat(*MAKE)
    (secret,) = memory_keyring.held.values()
    put_away = memory_keyring.set_password

    def refuse(where: str, name: str, password: str) -> None:
        if name == "desktop":
            raise RuntimeError("full")
        put_away(where, name, password)

    memory_keyring.set_password = refuse  # type: ignore[method-assign, assignment]  # a keyring that is full
    result = pat("update", "laptop", "--name", "desktop")
    assert (result.exit_code, result.stdout) == (8, "")
    assert result.stderr.startswith(
        "pat: the token is now named 'desktop', but its secret is still stored under 'laptop': "
    )
    assert memory_keyring.held == {(service(emulator), "laptop"): secret}
    assert [each["displayName"] for each in emulator.tokens] == ["desktop"]
