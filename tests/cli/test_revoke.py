"""pat revoke."""

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import keyring
import pytest

from azdo_pat.store.state import State
from cli.stage import (
    ACCOUNTS,
    Token,
    as_json,
    done,
    failed,
    hence,
    host,
    lines,
    methods,
    names,
    one_line,
    put,
    service,
    short,
    table,
    token_object,
)
from drivers import Emulator, InProcess, Result
from fakes import MemoryKeyring

HEADER = ("NAME", "ID", "OUTCOME")
MAKE = ("create", "laptop", "--scope", "code_write", "--expires", "250h", "-q", "-o", "none")


def outcomes(outcome: str, *tokens: Token) -> str:
    return table(HEADER, *((each["displayName"], short(each), outcome) for each in tokens))


def item(token: Token, outcome: str, **changes: object) -> dict[str, object]:
    return {
        **token_object(token),
        "outcome": outcome,
        "error": None,
        "left_in_keyring": None,
        **changes,
    }


def deletions(emulator: Emulator) -> list[str]:
    queries = [each["query"] for each in emulator.requests if each["method"] == "DELETE"]
    return sorted(str(query["authorizationId"]) for query in queries)


def test_a_token_and_its_secret(
    pat: InProcess, emulator: Emulator, memory_keyring: MemoryKeyring
) -> None:
    pat(*MAKE)
    (token,) = emulator.tokens
    assert list(memory_keyring.held) == [(service(emulator), "laptop")]
    assert pat("revoke", "laptop", "--yes") == done(
        outcomes("revoked", token), "revoked 1 token (laptop)"
    )
    assert (names(emulator, "revoked"), memory_keyring.held) == (["laptop"], {})


def test_by_name_by_id_and_by_prefix(pat: InProcess, emulator: Emulator) -> None:
    one, two, three, kept = (put(emulator, name) for name in ("one", "two", "three", "kept"))
    given = ("one", two["authorizationId"], short(three))
    assert pat("revoke", *given, "--yes") == done(
        outcomes("revoked", one, two, three), "revoked 3 tokens"
    )
    assert names(emulator) == [kept["displayName"]]


def test_as_json(pat: InProcess, emulator: Emulator) -> None:
    token = put(emulator, "one")
    result = pat("revoke", "one", "--yes", "-o", "json")
    document = item(token, "revoked", status="revoked")
    assert result == done(as_json([document]), "revoked 1 token (one)")


def test_one_token_named_twice_is_one(pat: InProcess, emulator: Emulator) -> None:
    token = put(emulator, "one")
    assert pat("revoke", "one", "one", short(token), "--yes") == done(
        outcomes("revoked", token), "revoked 1 token (one)"
    )


def test_nobody_to_ask_is_a_usage_error(pat: InProcess, emulator: Emulator) -> None:
    put(emulator, "one")
    put(emulator, "two")
    for env in ({}, {"CI": "true"}, {"PAT_NO_INPUT": "1"}):
        assert pat("revoke", "one", "two", env=env) == failed(
            2,
            "2 tokens would be revoked, but pat cannot ask for confirmation here",
            "add --yes to confirm, or --dry-run to see the tokens",
        )
    assert names(emulator) == ["one", "two"]


@pytest.mark.parametrize("form", ["table", "json"])
def test_dry_run_only_shows(form: str, pat: InProcess, emulator: Emulator) -> None:
    token = put(emulator, "one")
    expected = outcomes("planned", token) if form == "table" else as_json([item(token, "planned")])
    assert pat("revoke", "one", "--dry-run", "--yes", "-o", form) == done(
        expected, "1 token (one) would be revoked (dry run)"
    )
    assert (names(emulator), deletions(emulator)) == (["one"], [])


@pytest.mark.parametrize(
    ("options", "chosen"),
    [
        (("--name", "ci-*"), ["ci-1", "ci-2"]),
        (("--name", "ci-1", "--name", "other"), ["ci-1", "other"]),
        (("--scope", "packaging"), ["ci-2"]),
        (("--name", "ci-*", "--scope", "code"), ["ci-1"]),
        (("--expired",), ["ci-old", "old"]),
        (("--expired", "--name", "ci-*"), ["ci-old"]),
    ],
    ids=" ".join,
)
def test_choosing(
    options: Sequence[str], chosen: list[str], pat: InProcess, emulator: Emulator
) -> None:
    put(emulator, "ci-1")
    put(emulator, "ci-2", scope="vso.packaging")
    put(emulator, "other")
    put(emulator, "ci-old", hours=-40, state="expired")
    put(emulator, "old", hours=-40, state="expired")
    put(emulator, "ci-theirs", organization="fabrikam", scope="vso.packaging")
    put(emulator, "ci-graces", user="grace")
    tokens = [each for each in emulator.tokens if each["displayName"] in chosen]
    count = f"{len(tokens)} tokens" if len(tokens) > 1 else f"1 token ({chosen[0]})"
    assert pat("revoke", *options, "--yes") == done(
        outcomes("revoked", *tokens), f"revoked {count}"
    )
    assert names(emulator, "revoked") == chosen


def test_tokens_for_all_organizations_are_revoked_only_by_name(
    pat: InProcess, emulator: Emulator
) -> None:
    own = put(emulator, "own")
    emulator.add_tokens(1, name="wide", allOrgs=True, validTo=hence(250))
    wide = emulator.tokens[-1]
    identifier = wide["authorizationId"]
    assert pat("revoke", "--name", "*", "--yes") == done(
        outcomes("revoked", own),
        f"skipped because it is valid in all organizations: wide (pat revoke {identifier})",
        "revoked 1 token (own)",
    )
    assert names(emulator) == ["wide"]
    assert pat("revoke", "wide", "--yes") == done(
        outcomes("revoked", wide), "revoked 1 token (wide) in all your organizations"
    )


def test_nothing_that_fits(pat: InProcess) -> None:
    said = "nothing to revoke"
    assert pat("revoke", "--name", "nosuch*", "--yes") == done("", said)
    assert pat("revoke", "--expired", "-o", "json") == done("[]\n", said)


def test_no_token_named(pat: InProcess, emulator: Emulator) -> None:
    put(emulator, "one")
    assert pat("revoke", "--yes") == failed(
        2, "no token given", "name a token, or select tokens with --name, --scope or --expired"
    )
    assert names(emulator) == ["one"]


@pytest.mark.parametrize("choice", [("--expired",), ("--name", "t*"), ("--scope", "code")])
def test_named_tokens_and_a_choice_do_not_mix(
    choice: tuple[str, ...], pat: InProcess, emulator: Emulator
) -> None:
    put(emulator, "one")
    assert pat("revoke", "one", *choice, "--yes") == failed(
        2,
        "TOKEN cannot be combined with --name, --scope or --expired",
        "leave out one of them",
    )
    assert (names(emulator), emulator.requests) == (["one"], [])


def test_a_name_that_is_not_there_does_not_stop_the_others(
    pat: InProcess, emulator: Emulator
) -> None:
    one = put(emulator, "one")
    assert pat("revoke", "one", "nosuch", "--yes") == Result(
        exit_code=9,
        stdout=outcomes("revoked", one),
        stderr="pat: warning: no token 'nosuch' in contoso (names are case-sensitive; to"
        " list all tokens, run: pat list --status all)\n"
        "pat: 1 of 2 tokens could not be revoked\n"
        "     the others are revoked; to see what is left, run: pat list\n",
    )
    assert names(emulator) == []


def test_names_none_of_which_is_there(pat: InProcess, emulator: Emulator) -> None:
    put(emulator, "one")
    result = pat("revoke", "nosuch", "neither", "--yes", "-q")
    assert (result.exit_code, result.stdout, names(emulator)) == (3, "", ["one"])
    assert result.stderr.endswith(
        "pat: none of the 2 tokens was found\n     to list all tokens, run: pat list --status all\n"
    )


def test_an_ambiguous_name_is_left_alone(pat: InProcess, emulator: Emulator) -> None:
    one = put(emulator, "one")
    twins = [put(emulator, "twin") for _ in range(2)]
    result = pat("revoke", "one", "twin", "--yes")
    assert (result.exit_code, result.stdout) == (9, outcomes("revoked", one))
    assert "2 tokens match 'twin' (choose one by its id:; " in result.stderr
    assert all(each["authorizationId"] in result.stderr for each in twins)
    assert names(emulator) == ["twin", "twin"]


def test_another_organizations_token_is_never_revoked(pat: InProcess, emulator: Emulator) -> None:
    token = put(emulator, "theirs", organization="fabrikam")
    for text in ("theirs", token["authorizationId"], short(token)):
        assert pat("revoke", text, "--yes") == failed(
            3, f"{text!r} is a token of fabrikam, not of contoso", "add --org fabrikam"
        )
    assert (names(emulator), deletions(emulator)) == (["theirs"], [])


def test_already_revoked_counts_as_done(pat: InProcess, emulator: Emulator) -> None:
    token = put(emulator, "one", state="revoked")
    assert pat("revoke", "one", "--yes") == done(
        outcomes("already revoked", token), "already revoked: 1 token (one)"
    )
    assert deletions(emulator) == []


def test_gone_meanwhile_counts_as_done(
    pat: InProcess, emulator: Emulator, memory_keyring: MemoryKeyring
) -> None:
    pat(*MAKE)
    (token,) = emulator.tokens
    # The first answer is lost: to the repeated request the token is gone.
    emulator.fail("DELETE * cut=after")
    assert pat("revoke", "laptop", "--yes") == done(
        outcomes("already revoked", token), "already revoked: 1 token (laptop)"
    )
    assert (names(emulator, "revoked"), memory_keyring.held) == (["laptop"], {})


def test_a_failed_item_does_not_stop_the_others(pat: InProcess, emulator: Emulator) -> None:
    emulator.add_tokens(20, name="token {n}")
    emulator.fail("DELETE * status=403")
    result = pat("revoke", "--name", "token *", "--yes", "-o", "json")
    (unlucky,) = names(emulator)
    reason = f"{host(emulator)} does not allow the operation"
    assert {each["name"]: (each["outcome"], each["error"]) for each in result.json} == {
        each["displayName"]: ("failed", reason)
        if each["displayName"] == unlucky
        else ("revoked", None)
        for each in emulator.tokens
    }
    (token,) = [each for each in emulator.tokens if each["displayName"] == unlucky]
    assert result == Result(
        exit_code=9,
        stdout=result.stdout,
        stderr=lines(
            f"pat: warning: {unlucky} ({token['authorizationId']}): {reason}",
            '{"error": "partial", "message": "1 of 20 tokens could not be revoked",'
            ' "hint": "the others are revoked; to see what is left, run: pat list",'
            ' "exit_code": 9}',
        ),
    )


@pytest.mark.parametrize("after", [False, True])
def test_an_answer_that_is_lost_is_told_as_what_it_is(
    pat: InProcess, emulator: Emulator, *, after: bool
) -> None:
    assert pat(*MAKE).exit_code == 0
    (token,) = emulator.tokens
    identifier = token["authorizationId"]
    emulator.fail(f"DELETE */pats cut={'after' if after else 'before'} times=9")
    result = pat("revoke", "laptop", "--yes", "-o", "none")
    emulator.heal()
    assert result == Result(
        exit_code=9,
        stdout="",
        stderr=f"pat: warning: laptop ({identifier}): {host(emulator)} did not answer: the"
        " connection was cut; it may be revoked nevertheless; to check, run: pat list\n"
        "pat: 1 of 1 tokens could not be confirmed as revoked\n"
        "     see above\n",
    )
    fixed = pat("doctor", "--fix", "-o", "json", "--query", "[?check=='leftovers']|[0]")
    alive = "'laptop' in contoso was not revoked: the request got no answer, and the token is still"
    found = (fixed.exit_code, fixed.json["status"], fixed.json["detail"], fixed.json["fix"])
    assert found == (
        (0, "fixed", "revoke of 'laptop' in contoso: completed", None)
        if after
        else (
            10,
            "problem",
            f"{alive} active",
            f"pat revoke {identifier} --org contoso",
        )
    )
    assert names(emulator) == ([] if after else ["laptop"])


class Keeping(MemoryKeyring):
    """Does not let go of any token's secret."""

    def delete_password(self, service: str, username: str) -> None:
        if service.startswith("azdo-pat:http"):
            raise RuntimeError(username)
        super().delete_password(service, username)


def test_a_secret_that_stays_in_the_keyring_is_pending(pat: InProcess, emulator: Emulator) -> None:
    keyring.set_keyring(Keeping())
    pat(*MAKE)
    (token,) = emulator.tokens
    result = pat("revoke", "laptop", "--yes", "-o", "json")
    reason = f"the keyring backend {__name__}.Keeping failed with RuntimeError"
    document = item(
        token, "revoked", status="revoked", stored=True, origin="pat", left_in_keyring=reason
    )
    message = f"laptop is revoked, but its secret could not be deleted from the keyring: {reason}"
    assert result == Result(
        exit_code=8,
        stdout=as_json([document]),
        stderr=one_line(
            {
                "error": "pending",
                "message": message,
                "hint": "the secret no longer works; to delete it later, run: pat revoke"
                f" {token['authorizationId']}",
                "exit_code": 8,
            }
        ),
    )
    assert names(emulator, "revoked") == ["laptop"]


def test_a_secret_that_stayed_is_taken_out_by_the_command_in_the_hint(
    pat: InProcess, memory_keyring: MemoryKeyring
) -> None:
    pat(*MAKE)
    keeping = Keeping()
    keeping.held = memory_keyring.held
    keyring.set_keyring(keeping)
    said = pat("revoke", "laptop", "--yes").stderr
    keyring.set_keyring(memory_keyring)
    assert len(memory_keyring.held) == 1
    _, _, command = said.strip().rpartition(": pat ")
    assert pat(*command.split(), "-o", "none") == done(
        "",
        "completed an interrupted revoke of 'laptop' in contoso: the token is revoked",
        "already revoked: 1 token (laptop)",
    )
    assert memory_keyring.held == {}


def test_a_guid_that_another_organization_had_chooses_none_of_its_tokens(
    pat: InProcess, emulator: Emulator
) -> None:
    own = put(emulator, "ci-own")
    put(emulator, "ci-theirs", organization="fabrikam")
    assert len(pat("list", "-o", "json").json) == 1  # the GUIDs are remembered now
    accounts = {name: guid for guid, name in ACCOUNTS.items()}
    state = State(Path(os.environ["PAT_STATE_DIR"]) / "state.db")
    remembered = [
        replace(each, id=accounts["fabrikam" if each.name == "contoso" else "contoso"])
        for each in state.organizations(emulator.url)
    ]
    assert len(remembered) == 2
    state.remember_organizations(emulator.url, remembered)
    assert pat("revoke", "--name", "ci-*", "--yes") == done(
        outcomes("revoked", own), "revoked 1 token (ci-own)"
    )
    assert names(emulator) == ["ci-theirs"]


def test_one_that_is_not_found_and_listed_all_the_same_keeps_its_secret(
    pat: InProcess, emulator: Emulator, memory_keyring: MemoryKeyring
) -> None:
    pat(*MAKE)
    (token,) = emulator.tokens
    before = dict(memory_keyring.held)
    emulator.fail('DELETE * status=404 body=\'{"typeKey": "SessionTokenNotFoundException"}\'')
    result = pat("revoke", "laptop", "--yes", "-o", "none")
    assert (result.exit_code, result.stdout) == (9, "")
    assert result.stderr.startswith(
        f"pat: warning: laptop ({token['authorizationId']}): the service reports that the"
        " token does not exist, but still lists it\n"
    )
    assert (names(emulator), memory_keyring.held) == (["laptop"], before)


def test_a_name_that_begins_the_id_of_another_revokes_neither(
    pat: InProcess, emulator: Emulator
) -> None:
    victim = put(emulator, "victim")
    put(emulator, short(victim), hours=-40, state="expired")
    result = pat("revoke", short(victim), "--yes")
    assert (result.exit_code, result.stdout) == (6, "")
    assert (names(emulator), deletions(emulator)) == (["victim"], [])


def test_many_are_revoked_in_one_go(pat: InProcess, emulator: Emulator) -> None:
    ids = emulator.add_tokens(130, name="token {n}")
    result = pat("revoke", "--name", "token *", "--yes", "-o", "none")
    assert result == done("", "revoked 130 tokens")
    assert deletions(emulator) == sorted(ids)
    assert methods(emulator).count("DELETE") == 130
