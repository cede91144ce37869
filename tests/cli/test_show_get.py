"""pat show, pat get."""

from base64 import b64encode

import pytest

from cli.stage import (
    as_json,
    day,
    done,
    failed,
    failed_as_json,
    held,
    hence,
    lines,
    minute,
    put,
    service,
    table,
    token_object,
)
from drivers import Emulator, InProcess
from fakes import MemoryKeyring

MAKE = ("create", "laptop", "--scope", "code_write", "--expires", "250h", "-q", "-o", "none")


def test_show_by_name_by_id_and_by_prefix(pat: InProcess, emulator: Emulator) -> None:
    token = put(emulator, "laptop")
    put(emulator, "other")
    identifier = token["authorizationId"]
    expected = done(as_json(token_object(token)))
    for text in ("laptop", identifier, identifier.upper(), identifier[:8], identifier[:20]):
        assert pat("show", text, "-o", "json") == expected


def test_show_as_a_table(pat: InProcess, emulator: Emulator) -> None:
    token = put(emulator, "laptop", scope="app_token")
    assert pat("show", "laptop") == done(
        table(
            ("Name", "laptop"),
            ("ID", token["authorizationId"]),
            ("Organization", "contoso"),
            ("Status", "active"),
            ("Scopes", "app_token (full access)"),
            ("Created", f"60 days ago ({minute(token['validFrom'])})"),
            ("Expires", f"in 10 days ({minute(token['validTo'])})"),
            ("Secret", "not stored here"),
        )
    )


def test_show_a_token_for_all_organizations(pat: InProcess, emulator: Emulator) -> None:
    emulator.add_tokens(1, name="everywhere", allOrgs=True, validTo=hence(250))
    document = token_object(emulator.tokens[0], **{"global": True, "org": None})
    assert pat("show", "everywhere", "-o", "json") == done(as_json(document))


def test_the_active_token_of_a_name_is_meant(pat: InProcess, emulator: Emulator) -> None:
    put(emulator, "laptop", state="revoked")
    put(emulator, "laptop", hours=-40, state="expired")
    token = put(emulator, "laptop")
    assert pat("show", "laptop", "-o", "json") == done(as_json(token_object(token)))


def test_a_dead_token_can_be_shown(pat: InProcess, emulator: Emulator) -> None:
    token = put(emulator, "laptop", state="revoked")
    assert pat("show", "laptop", "-o", "json") == done(as_json(token_object(token)))


@pytest.mark.parametrize("text", ["nosuch", "00000000", "LAPTOP", ""])
def test_no_such_token(text: str, pat: InProcess, emulator: Emulator) -> None:
    put(emulator, "laptop")
    hint = "names are case-sensitive; to list all tokens, run: pat list --status all"
    if text == "LAPTOP":
        hint = f"did you mean laptop? {hint}"
    assert pat("show", text) == failed(3, f"no token {text!r} in contoso", hint)


def test_a_prefix_has_eight_characters_or_more(pat: InProcess, emulator: Emulator) -> None:
    token = put(emulator, "laptop")
    assert pat("show", token["authorizationId"][:7]).exit_code == 3


def test_a_name_that_several_bear_lists_them(pat: InProcess, emulator: Emulator) -> None:
    twins = [put(emulator, "twin", hours=hours) for hours in (100, 250)]
    rows = [f"{each['authorizationId']}  contoso  expires {day(each)}" for each in twins]
    rows = sorted(
        rows, key=lambda text: [each["authorizationId"] for each in twins].index(text[:36])
    )
    result = pat("show", "twin")
    expected = [
        failed(6, "2 tokens match 'twin'", "choose one by its id:", *order)
        for order in (rows, rows[::-1])
    ]
    assert result in expected
    for twin in twins:
        document = as_json(token_object(twin))
        assert pat("show", twin["authorizationId"], "-o", "json") == done(document)


def test_a_token_of_another_organization_is_named_as_such(
    pat: InProcess, emulator: Emulator
) -> None:
    token = put(emulator, "work items", organization="fabrikam")
    for text in ("work items", token["authorizationId"], token["authorizationId"][:8]):
        assert pat("show", text, "-o", "json") == failed_as_json(
            3,
            "not_found",
            f"{text!r} is a token of fabrikam, not of contoso",
            "add --org fabrikam",
        )
    expected = done(as_json(token_object(token)))
    assert pat("show", "work items", "--org", "fabrikam", "-o", "json") == expected


def test_get_prints_the_secret_alone_and_asks_nobody(
    pat: InProcess, emulator: Emulator, memory_keyring: MemoryKeyring
) -> None:
    pat(*MAKE)
    asked = len(emulator.requests)
    secret = memory_keyring.held[service(emulator), "laptop"]
    identifier = held(emulator, "laptop")["authorizationId"]
    for text in ("laptop", identifier, identifier[:8]):
        assert pat("get", text) == done(lines(secret))
    assert len(emulator.requests) == asked


def test_get_needs_no_sign_in(pat: InProcess, memory_keyring: MemoryKeyring) -> None:
    pat(*MAKE)
    (secret,) = memory_keyring.held.values()
    assert pat("get", "laptop", env={"PAT_ACCESS_TOKEN": None}) == done(lines(secret))


@pytest.mark.parametrize("form", ["token", "basic", "header", "json"])
def test_get_in_each_form(
    form: str, pat: InProcess, emulator: Emulator, memory_keyring: MemoryKeyring
) -> None:
    pat(*MAKE)
    (secret,) = memory_keyring.held.values()
    basic = b64encode(f":{secret}".encode()).decode()
    # Nobody was asked, so whether it was revoked meanwhile is not known.
    document = token_object(
        held(emulator, "laptop"), stored=True, origin="pat", status="unknown"
    ) | {"token": secret}
    expected = {
        "token": lines(secret),
        "basic": lines(basic),
        "header": lines(f"Authorization: Basic {basic}"),
        "json": as_json(document),
    }
    assert pat("get", "laptop", "--as", form) == done(expected[form])


def test_get_with_json_output_is_json(pat: InProcess) -> None:
    pat(*MAKE)
    assert pat("get", "laptop", "-o", "json") == pat("get", "laptop", "--as", "json")


@pytest.mark.parametrize(("org", "where"), [("contoso", " for contoso"), (None, "")])
def test_get_of_nothing(org: str | None, where: str, pat: InProcess) -> None:
    assert pat("get", "nosuch", env={"PAT_ORG": org}) == failed(
        3,
        f"no secret is stored under 'nosuch'{where}",
        "to see what is stored, run: pat list --stored; to create a token, run: pat create; to"
        " store an existing secret, run: pat import",
    )


def test_get_without_an_organization_finds_the_only_one(
    pat: InProcess, memory_keyring: MemoryKeyring
) -> None:
    pat(*MAKE, "--org", "fabrikam")
    (secret,) = memory_keyring.held.values()
    assert pat("get", "laptop", env={"PAT_ORG": None}) == done(lines(secret))


def test_get_without_an_organization_asks_which_of_several(
    pat: InProcess, emulator: Emulator
) -> None:
    pat(*MAKE, "--org", "fabrikam")
    pat(*MAKE)
    there, here = (each["authorizationId"] for each in emulator.tokens)
    result = pat("get", "laptop", env={"PAT_ORG": None})
    rows = [f"{here}  contoso", f"{there}  fabrikam"]
    message = "2 stored tokens match 'laptop'"
    hint = "choose one by its id, or with --org:"
    assert result in [failed(6, message, hint, *rows), failed(6, message, hint, *rows[::-1])]


def test_get_of_a_secret_that_left_the_keyring(
    pat: InProcess, emulator: Emulator, memory_keyring: MemoryKeyring
) -> None:
    pat(*MAKE)
    memory_keyring.held.clear()
    identifier = held(emulator, "laptop")["authorizationId"]
    assert pat("get", "laptop") == failed(
        3,
        "the secret of 'laptop' for contoso is no longer in the keyring",
        "the service never shows a secret twice: create a new token, and revoke the old one"
        f" (pat revoke {identifier})",
    )


@pytest.mark.posix("a machine without a clipboard")
def test_copy_without_a_clipboard_prints_nothing(
    pat: InProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    pat(*MAKE)
    monkeypatch.setenv("PATH", "/nowhere")
    assert pat("get", "laptop", "--copy") == failed(
        2,
        "no usable clipboard found",
        "install xclip, xsel or wl-clipboard, or leave out --copy",
    )
