"""One token that the service describes in an odd way is in the way of no other."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from cli.stage import done, held, names, put, token_object
from drivers import Emulator, InProcess

GUID = "38aaa865-2c70-4bf7-a308-0c6539c38c1a"
NOTICE = "the service's answer cannot be read in full"

FIELDS: dict[str, dict[str, Any]] = {
    "displayName": {
        "null": None,
        "number": 7,
        "list": ["x"],
        "object": {},
        "true": True,
        "surrogate": "a\ud800b",
        "empty": "",
        "missing": ...,
    },
    "authorizationId": {
        "null": None,
        "empty": "",
        "number": 7,
        "garbled": "x; touch y",
        "braced": f"{{{GUID}}}",
        "surrogate": "\ud800",
        "list": [GUID],
        "missing": ...,
    },
    "scope": {
        "null": None,
        "list": ["vso.code"],
        "number": 1,
        "object": {},
        "empty": "",
        "blank": " ",
        "missing": ...,
    },
    "validTo": {
        "null": None,
        "garbage": "soon",
        "date alone": "2026-01-01",
        "number": 1700000000,
        "before the calendar": "0001-01-01T00:00:00+05:00",
        "after the calendar": "10000-01-01T00:00:00Z",
        "empty": "",
        "missing": ...,
    },
    "validFrom": {"null": None, "garbage": "x", "list": [], "surrogate": "\ud800", "missing": ...},
    "targetAccounts": {
        "text": GUID,
        "number": 5,
        "object": {},
        "empty": [],
        "null within": [None],
        "name within": ["contoso"],
        "one of two": [GUID, "$(x)"],
        "false": False,
        "missing": ...,
    },
}
ROWS: dict[str, Any] = {
    "null": None,
    "text": "x",
    "number": 3,
    "true": True,
    "list": [],
    "list within": [[{"displayName": "odd"}]],
    "empty": {},
}
VARIANTS = {
    f"{field} {kind}": {field: value}
    for field, kinds in FIELDS.items()
    for kind, value in kinds.items()
} | {f"row {kind}": value for kind, value in ROWS.items()}
LEGAL = {
    "first year": {"validTo": "0001-01-01T00:00:00Z", "validFrom": "0001-01-01T00:00:00"},
    "last year": {"validTo": "9999-12-31T23:59:59.9999999Z"},
    "far zone": {"validTo": "9999-12-31T23:59:59+00:00"},
}
every = pytest.mark.parametrize("variant", VARIANTS)


def spoil(emulator: Emulator, variant: str, name: str = "odd") -> None:
    """Let the service describe a token so."""
    change = VARIANTS[variant]
    if variant.startswith("row "):
        emulator.spoil(name, row=change)
        return
    fields = {key: value for key, value in change.items() if value is not ...}
    emulator.spoil(name, fields=fields, without=[key for key in change if key not in fields])


def is_known(variant: str, field: str) -> bool:
    return not variant.startswith((field, "row "))


@every
def test_list(variant: str, pat: InProcess, emulator: Emulator) -> None:
    good, odd = put(emulator, "good"), put(emulator, "odd")
    spoil(emulator, variant)
    result = pat("list", "-o", "json")
    assert (result.exit_code, result.stderr.count(NOTICE)) == (0, 1)
    assert len(result.stderr.splitlines()) == 1
    (row,) = [each for each in result.json if each["name"] != "good"]
    assert [each for each in result.json if each["name"] == "good"] == [token_object(good)]
    expected = token_object(odd)
    assert list(row) == list(expected)
    for field, keys in {
        "displayName": ["name"],
        "authorizationId": ["id"],
        "scope": ["scopes"],
        "validFrom": ["created"],
        "validTo": ["expires", "expires_in_days"],
        "targetAccounts": ["org", "global"],
    }.items():
        for key in keys:
            unknown: object = [] if key == "scopes" else None
            if variant == "displayName surrogate":
                unknown = "a?b" if key == "name" else unknown
            assert row[key] == (expected[key] if is_known(variant, field) else unknown), key
    known = is_known(variant, "authorizationId")
    assert row["status"] == ("active" if known else "unknown")
    assert pat("list", "-q").stderr == ""
    assert "good" in pat("list").stdout


@every
def test_show(variant: str, pat: InProcess, emulator: Emulator) -> None:
    good, odd = put(emulator, "good"), put(emulator, "odd")
    spoil(emulator, variant)
    for text in ("good", good["authorizationId"], good["authorizationId"][:8]):
        result = pat("show", text, "-q", "-o", "json")
        assert (result.exit_code, result.json) == (0, token_object(good))
    if is_known(variant, "authorizationId"):
        result = pat("show", odd["authorizationId"], "-o", "json")
        assert (result.exit_code, result.json["id"]) == (0, odd["authorizationId"])


@every
def test_rotate(variant: str, pat: InProcess, emulator: Emulator) -> None:
    pat("create", "good", "--scope", "code", "-q")
    old = held(emulator, "good")
    odd = put(emulator, "odd")
    spoil(emulator, variant)
    result = pat("rotate", "good", "-o", "json", "--yes")
    if result.exit_code == 2:  # where rotate asks nothing, it knows no such option
        result = pat("rotate", "good", "-o", "json")
    assert (result.exit_code, result.json["name"]) == (0, "good"), result.stderr
    status = {each["authorizationId"]: each["status"] for each in emulator.tokens}
    assert status[old["authorizationId"]] == "revoked"
    assert status[odd["authorizationId"]] == "active"


@every
def test_revoke(variant: str, pat: InProcess, emulator: Emulator) -> None:
    good, odd = put(emulator, "good"), put(emulator, "odd")
    spoil(emulator, variant)
    result = pat("revoke", good["authorizationId"], "--yes")
    assert (result.exit_code, names(emulator)) == (0, ["odd"]), result.stderr
    result = pat("revoke", odd["authorizationId"], "--yes")
    known = is_known(variant, "authorizationId")
    assert result.exit_code == (0 if known else 3), result.stderr
    assert names(emulator) == ([] if known else ["odd"])


@every
def test_recovery(variant: str, pat: InProcess, emulator: Emulator) -> None:
    """What an interrupted create made is revoked; what cannot be identified is not."""
    put(emulator, "odd")
    spoil(emulator, variant)
    emulator.fail("POST * cut=after", "GET */tokens/pats status=500 times=9")
    assert pat("create", "lost", "--scope", "code").exit_code == 11
    emulator.heal()
    assert names(emulator) == ["lost", "odd"]
    assert pat("list").exit_code == 0
    assert names(emulator) == ["odd"]
    assert "may have made" not in pat("status").stdout


@every
def test_a_filter_revokes_nothing_that_cannot_be_read(
    variant: str, pat: InProcess, emulator: Emulator
) -> None:
    put(emulator, "good")
    put(emulator, "odd")
    spoil(emulator, variant)
    result = pat("revoke", "--name", "*", "--yes")
    assert (result.exit_code, names(emulator)) == (9, ["odd"]), result.stderr
    put(emulator, "good", hours=-40, state="expired")
    put(emulator, "old", hours=-40, state="expired")
    spoil(emulator, variant, "old")
    result = pat("revoke", "--expired", "--yes")
    assert (result.exit_code, names(emulator, "expired")) == (9, ["old"]), result.stderr


@pytest.mark.parametrize(
    ("without", "conditions", "code"),
    [
        (["displayName"], ["--name", "ci-*"], 9),
        (["displayName"], ["--scope", "code"], 9),
        (["scope"], ["--scope", "build"], 9),
        (["scope", "displayName"], ["--scope", "build", "--name", "x"], 9),
        (["displayName"], ["--scope", "build"], 0),
        (["scope", "validTo"], ["--name", "ci-*"], 0),
    ],
)
def test_a_filter_that_may_fit_what_cannot_be_read_is_not_said_to_be_done(
    without: list[str], conditions: list[str], code: int, pat: InProcess, emulator: Emulator
) -> None:
    odd = put(emulator, "odd")
    emulator.spoil("odd", without=without)
    for how in ("--dry-run", "--yes"):
        result = pat("revoke", *conditions, how, "-q")
        assert (result.exit_code, names(emulator)) == (code, ["odd"])
        told = f"(pat revoke {odd['authorizationId']})" in result.stderr
        assert told == (code == 9)


@every
def test_renew_and_ensure(variant: str, pat: InProcess, emulator: Emulator) -> None:
    for name in ("a", "b"):
        assert pat("create", name, "--scope", "code", "--expires", "3h", "-q").exit_code == 0
    put(emulator, "odd")
    spoil(emulator, variant)
    assert pat("ensure", "a", "--scope", "build").exit_code == 0
    result = pat("renew", "--within", "1d", "-o", "json")
    assert result.exit_code == 0, result.stderr
    assert {each["outcome"] for each in result.json} == {"rotated"}
    assert names(emulator) == ["a", "b", "odd"]
    assert held(emulator, "odd")["status"] == "active"


@every
def test_renew_of_the_odd_one(variant: str, pat: InProcess, emulator: Emulator) -> None:
    """It is rotated by what this machine knows, or fails, and the other is rotated anyway."""
    for name in ("good", "odd"):
        assert pat("create", name, "--scope", "code", "--expires", "3h", "-q").exit_code == 0
    old = {name: held(emulator, name)["authorizationId"] for name in ("good", "odd")}
    secret = pat("get", "odd").stdout
    spoil(emulator, variant, old["odd"])
    result = pat("renew", "--within", "1d", "-q")
    status = {each["authorizationId"]: each["status"] for each in emulator.tokens}
    assert status[old["good"]] == "revoked"
    if result.exit_code == 0:
        assert status[old["odd"]] == "revoked"
    else:
        assert (result.exit_code, status[old["odd"]]) == (9, "active")
        assert pat("get", "odd").stdout == secret
    assert names(emulator) == ["good", "odd"]


@every
def test_doctor(variant: str, pat: InProcess, emulator: Emulator) -> None:
    """It deletes no secret of a token that cannot be read, and rebuilds past it."""
    for name in ("good", "odd"):
        assert pat("create", name, "--scope", "code", "-q").exit_code == 0
    spoil(emulator, variant)
    assert pat("doctor", "--fix").exit_code == 0
    assert pat("get", "odd").exit_code == 0
    Path(os.environ["PAT_STATE_DIR"], "state.db").unlink()
    result = pat("doctor", "--fix")
    assert result.exit_code == 0, result.stdout
    assert "good" in pat("list", "--stored").stdout
    assert names(emulator) == ["good", "odd"]


def test_import_does_not_take_the_word_of_what_it_cannot_read(
    pat: InProcess, emulator: Emulator
) -> None:
    secret = emulator.add_with_secret("odd")
    odd = held(emulator, "odd")["authorizationId"]
    emulator.spoil("odd", without=["targetAccounts"])
    result = pat("import", "mine", "--id", odd, stdin=secret)
    assert (result.exit_code, pat("get", "mine").exit_code) == (11, 3)


def test_an_odd_message_hides_no_refusal(pat: InProcess, emulator: Emulator) -> None:
    body = {"patToken": None, "patTokenError": "accessDenied", "patTokenErrorMessage": 7}
    emulator.fail(f"POST * body='{json.dumps(body)}'")
    result = pat("create", "new", "--scope", "code")
    assert result.exit_code == 5
    assert "is not allowed to do this" in result.stderr


def test_what_has_no_name_is_told_by_its_id(pat: InProcess, emulator: Emulator) -> None:
    odd = put(emulator, "odd")["authorizationId"]
    emulator.spoil(odd, without=["displayName"])
    emulator.spoil(rows=[None])
    result = pat("revoke", "--name", "*", "--yes")
    assert f"skipped because it cannot be read in full: name unknown (pat revoke {odd})\n" in (
        result.stderr
    )
    assert "pat: 2 of 2 tokens could not be revoked\n" in result.stderr
    assert "pat revoke ''" not in result.stderr
    assert f"revoked 1 token ({odd})\n" in pat("revoke", odd, "--yes").stderr


@pytest.mark.parametrize("kind", LEGAL)
def test_dates_at_the_ends_of_the_calendar(kind: str, pat: InProcess, emulator: Emulator) -> None:
    odd = put(emulator, "odd")
    emulator.spoil("odd", fields=LEGAL[kind])
    for args in (["list"], ["list", "--sort", "expires"], ["show", "odd"], ["list", "-o", "json"]):
        assert pat(*args).exit_code == 0
        assert pat(*args).stderr == ""
    assert pat("revoke", odd["authorizationId"], "--yes").exit_code == 0


def test_a_token_of_unknown_organization_is_not_taken_for_global(
    pat: InProcess, emulator: Emulator
) -> None:
    put(emulator, "odd")
    emulator.spoil("odd", without=["targetAccounts"])
    assert pat("list", "--global", "-q") == done()
    assert "organization unknown" not in pat("list").stdout
    assert "unknown" in pat("show", "odd").stdout
    result = pat("rotate", "odd")
    assert (result.exit_code, names(emulator)) == (11, ["odd"])
    assert "(targetAccounts)" in result.stderr


@pytest.mark.parametrize("field", ["scope", "targetAccounts"])
def test_rotate_does_not_replace_what_it_cannot_read(
    field: str, pat: InProcess, emulator: Emulator
) -> None:
    odd = put(emulator, "odd")
    emulator.spoil("odd", without=[field])
    result = pat("rotate", "odd")
    assert (result.exit_code, names(emulator)) == (11, ["odd"])
    assert f"({field})" in result.stderr
    assert emulator.tokens == [odd]


def test_rows_that_belong_to_no_token(pat: InProcess, emulator: Emulator) -> None:
    good = put(emulator, "good")
    emulator.spoil(rows=list(ROWS.values()))
    result = pat("list", "-o", "json")
    assert token_object(good) in result.json
    assert len(result.json) == 1 + len(ROWS)
    assert result.stderr.count(NOTICE) == 1
    assert pat("list", "--all-orgs", "-o", "json").stderr.count(NOTICE) == 1
    assert pat("list", "-v").stderr.count("cannot be read in full") == len(ROWS)


def test_a_token_that_is_listed_twice(pat: InProcess, emulator: Emulator) -> None:
    good = put(emulator, "good")
    row = {
        "authorizationId": good["authorizationId"],
        "displayName": None,
        "scope": "vso.code",
        "targetAccounts": [GUID],
    }
    emulator.spoil(rows=[row, row])
    for text in ("good", good["authorizationId"]):
        assert pat("show", text, "-q", "-o", "json").json == token_object(good)
    assert pat("revoke", good["authorizationId"], "--yes").exit_code == 0
    assert names(emulator) == []


def test_a_token_without_an_id_is_shown_and_left_alone(pat: InProcess, emulator: Emulator) -> None:
    put(emulator, "odd")
    emulator.spoil("odd", without=["authorizationId"])
    assert pat("show", "odd", "-o", "json").json["id"] is None
    for command in (
        ["revoke", "odd", "--yes"],
        ["rotate", "odd"],
        ["update", "odd", "--name", "x"],
    ):
        assert pat(*command).exit_code in {9, 11}
    assert names(emulator) == ["odd"]
    assert {each["method"] for each in emulator.requests} == {"GET"}


@pytest.mark.parametrize(
    "variant", [each for each in VARIANTS if not each.startswith(("authorizationId", "row "))]
)
def test_a_created_token_is_kept_whatever_else_the_answer_says(
    variant: str, pat: InProcess, emulator: Emulator
) -> None:
    spoil(emulator, variant, "new")
    result = pat("create", "new", "--scope", "code", "-o", "json")
    assert result.exit_code == 0, result.stderr
    document = result.json
    assert (document["name"], document["org"], document["global"]) == ("new", "contoso", False)
    assert (document["scopes"], document["stored"]) == (["vso.code"], True)
    assert pat("get", "new").exit_code == 0
    assert names(emulator) == ["new"]
    assert "may have made" not in pat("status").stdout


@pytest.mark.parametrize(
    "variant", [each for each in VARIANTS if each.startswith(("authorizationId", "row "))]
)
def test_a_created_token_that_cannot_be_revoked_later_is_not_left(
    variant: str, pat: InProcess, emulator: Emulator
) -> None:
    spoil(emulator, variant, "new")
    result = pat("create", "new", "--scope", "code")
    assert result.exit_code == 11
    emulator.unspoil()
    pat("list")
    assert names(emulator) == []
    assert pat("get", "new").exit_code == 3


@pytest.mark.parametrize(
    "variant", [each for each in VARIANTS if not each.startswith(("authorizationId", "row "))]
)
def test_an_update_whose_answer_is_odd(variant: str, pat: InProcess, emulator: Emulator) -> None:
    pat("create", "new", "--scope", "code", "-q")
    token = held(emulator, "new")
    spoil(emulator, variant, token["authorizationId"])
    result = pat("update", token["authorizationId"], "--scope", "build", "-o", "json")
    assert result.exit_code == 0, result.stderr
    assert result.json["scopes"] == ["vso.build"]
    emulator.unspoil()
    assert held(emulator, "new")["scope"] == "vso.build"
    assert pat("list", "--stored", "-o", "json").json[0]["scopes"] == ["vso.build"]


def test_recovery_revokes_nothing_on_the_word_of_an_odd_row(
    pat: InProcess, emulator: Emulator
) -> None:
    """The row may be the token of the lost answer, or not: it is told, and stays."""
    emulator.fail("POST * cut=after", "GET */tokens/pats status=500 times=9")
    pat("create", "lost", "--scope", "code")
    emulator.heal()
    emulator.spoil("lost", fields={"displayName": None})
    result = pat("list")
    assert names(emulator) == ["lost"]
    assert "not revoked" in result.stderr
    assert held(emulator, "lost")["authorizationId"] in result.stderr
    emulator.unspoil()
    pat("list")
    assert names(emulator) == []


@pytest.mark.parametrize("accounts", [[None], [{}, 7], [{"accountName": 5}], [{"accountId": 1}]])
def test_an_odd_organization_hides_no_other(
    accounts: list[object], pat: InProcess, emulator: Emulator
) -> None:
    good = put(emulator, "good")
    right = {"accountId": GUID, "accountName": "contoso"}
    body = json.dumps({"value": [*accounts, right]})
    emulator.fail(f"GET */accounts body='{body}' times=always")
    result = pat("list", "--all-orgs", "-o", "json")
    assert (result.exit_code, result.json) == (0, [token_object(good)])
    assert result.stderr.count(NOTICE) == 1


def test_an_odd_profile_hides_no_token(pat: InProcess, emulator: Emulator) -> None:
    good = put(emulator, "good")
    emulator.fail("GET */profiles/me body='{\"id\": 7}' times=always")
    result = pat("list", "-o", "json")
    assert (result.exit_code, result.json) == (0, [token_object(good)])


@pytest.mark.parametrize(
    "variant", [each for each in VARIANTS if not each.startswith(("authorizationId", "row "))]
)
def test_ensure_does_not_rotate_again_what_the_service_describes_oddly(
    variant: str, pat: InProcess, emulator: Emulator
) -> None:
    spoil(emulator, variant, "ci")
    assert "created" in pat("ensure", "ci", "--scope", "code").stderr
    (token,) = emulator.tokens
    spoil(emulator, variant, token["authorizationId"])
    for change, scope in (
        ((), "code"),
        (("--scope", "build"), "build"),
        (("--expires", "20d"), "build"),
    ):
        if change:
            assert pat("update", token["authorizationId"], *change).exit_code == 0
        assert "kept" in pat("ensure", "ci", "--scope", scope).stderr
    assert len(emulator.tokens) == 1
