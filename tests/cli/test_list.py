"""pat list."""

from datetime import UTC, datetime, timedelta

import pytest

from azdo_pat.formats import Format
from cli.stage import (
    Token,
    as_json,
    as_jsonl,
    day,
    done,
    failed,
    hence,
    host,
    lines,
    methods,
    put,
    short,
    table,
    token_object,
)
from drivers import Emulator, InProcess, Result

HEADER = ("NAME", "ID", "SCOPES", "EXPIRES", "NOTES")
NOTHING = "no token of contoso matches; to list all, run: pat list --status all"


def row(token: Token, off: str, notes: str = "", scopes: str = "code") -> tuple[str, ...]:
    return (token["displayName"], short(token), scopes, f"{off} ({day(token)})", notes)


def test_the_table(pat: InProcess, emulator: Emulator) -> None:
    second = put(emulator, "second", scope="vso.build_execute vso.code")
    first = put(emulator, "first")
    assert pat("list") == done(
        table(
            HEADER,
            row(first, "in 10 days"),
            row(second, "in 10 days", "broad scopes", scopes="build_execute code"),
        )
    )


def test_no_token_is_said_and_stdout_stays_empty(pat: InProcess) -> None:
    assert pat("list") == done("", NOTHING)
    assert pat("list", "-q") == done()
    assert pat("list", "-o", "json") == done("[]\n", NOTHING)
    assert pat("list", "-o", "jsonl") == done("", NOTHING)


def test_what_needs_attention_is_marked(pat: InProcess, emulator: Emulator) -> None:
    soon = put(emulator, "soon", hours=6 * 24 + 20)
    git = put(emulator, "git: https://dev.azure.com/contoso on laptop", hours=7 * 24 + 20)
    pat("create", "here", "--scope", "code", "--expires", "250h", "-q")
    here = emulator.tokens[-1]
    assert pat("list") == done(
        table(
            HEADER,
            row(git, "in 7 days", "made by Git Credential Manager"),
            row(here, "in 10 days", "secret here"),
            row(soon, "in 6 days", "expires soon"),
        )
    )


def test_a_global_one_stops_with_all_the_others(pat: InProcess, emulator: Emulator) -> None:
    """Whatever expiry the service gives for it."""
    emulator.add_tokens(1, name="everywhere", allOrgs=True, validTo=hence(24 * 180))
    put(emulator, "later", hours=60 * 24)
    (found, _) = pat("list", "-o", "json", "--sort", "expires").json
    days = (datetime(2026, 12, 1, tzinfo=UTC) - datetime.now(UTC)) // timedelta(days=1)
    assert (found["name"], found["expires"]) == ("everywhere", "2026-12-01T00:00:00Z")
    assert found["expires_in_days"] == days
    stops = "stops" if days >= 0 else "stopped"
    assert f"global, {stops} 2026-12-01\n" in pat("list").stdout
    expiring = pat("list", "--expiring", "2026-12-02", "-o", "json").json
    assert [each["name"] for each in expiring] == ["everywhere"]
    assert pat("show", "everywhere", "-o", "json").json["expires"] == "2026-12-01T00:00:00Z"


@pytest.mark.parametrize(
    ("name", "origin"),
    [
        ("git: https://contoso.visualstudio.com/ on PC", "git"),
        ("Service Hooks :: Azure App Service :: Deploy web app", "service-hooks"),
        ("Service Hooks : Azure App Service : Deploy web app", "service-hooks"),
        ("WebAppLoadTestCDIntToken", "load-test"),
        ("Microsoft Teams Integration", "teams"),
        ("anything", "unknown"),
    ],
)
def test_who_made_a_token(name: str, origin: str, pat: InProcess, emulator: Emulator) -> None:
    token = put(emulator, name)
    assert pat("list", "-o", "json") == done(as_json([token_object(token, origin=origin)]))


@pytest.mark.parametrize("word", ["active", "expired", "revoked", "all"])
def test_status_chooses(word: str, pat: InProcess, emulator: Emulator) -> None:
    all_of_them = [
        put(emulator, "a", hours=-36, state="expired"),
        put(emulator, "b", state="revoked"),
        put(emulator, "c"),
    ]
    chosen = [each for each in all_of_them if word in {each["status"], "all"}]
    expected = as_json([token_object(each) for each in chosen])
    assert pat("list", "--status", word, "-o", "json") == done(expected)


def test_dead_tokens_are_marked(pat: InProcess, emulator: Emulator) -> None:
    expired = put(emulator, "a", hours=-36 - 12, state="expired")
    revoked = put(emulator, "b", state="revoked")
    assert pat("list", "--status", "all") == done(
        table(
            HEADER,
            row(expired, "2 days ago", "expired"),
            row(revoked, "in 10 days", "revoked"),
        )
    )


@pytest.mark.parametrize(
    ("options", "chosen"),
    [
        (("--expiring", "5d"), "bd"),
        (("--expiring", "30h", "--name", "[abc]"), ""),
        (("--name", "a*"), "a"),
        (("--name", "a", "--name", "c"), "ac"),
        (("--name", "A*"), ""),
        (("--scope", "packaging"), "bc"),
        (("--scope", "vso.packaging", "--scope", "code"), "c"),
        (("--global",), "d"),
        (("--name", "[bc]", "--expiring", "5d"), "b"),
    ],
    ids=lambda value: value if isinstance(value, str) else " ".join(value),
)
def test_filters(options: tuple[str, ...], chosen: str, pat: InProcess, emulator: Emulator) -> None:
    put(emulator, "a")
    put(emulator, "b", hours=100, scope="vso.packaging")
    put(emulator, "c", scope="vso.code vso.packaging")
    emulator.add_tokens(1, name="d", allOrgs=True, validTo=hence(250))
    documents = [token_object(each) for each in emulator.tokens if each["displayName"] in chosen]
    said = [] if chosen else [NOTHING]
    assert pat("list", *options, "-o", "jsonl") == done(as_jsonl(*documents), *said)


@pytest.mark.parametrize(
    ("sort", "order"), [("name", "abc"), ("created", "bca"), ("expires", "cab")]
)
@pytest.mark.parametrize("form", list(Format))
def test_sort(  # two dimensions
    sort: str, order: str, form: Format, pat: InProcess, emulator: Emulator
) -> None:
    emulator.remove_tokens()
    for name, hours in (("b", 1000), ("c", 100), ("a", 500)):
        pat("create", name, "--scope", "code", "--expires", f"{hours}h", "--no-store", "--as=token")
        emulator.advance(5)
    result = pat("list", "--sort", sort, "-o", form.value, "--query", "[].name")
    plain = lines(*order)
    expected = {
        Format.TABLE: plain,
        Format.JSON: as_json(list(order)),
        Format.JSONL: lines(*(f'"{name}"' for name in order)),
        Format.CSV: plain,
        Format.TSV: plain,
        Format.NONE: "",
    }
    assert result == done(expected[form])


def test_sort_can_be_set_in_the_config_file(pat: InProcess, emulator: Emulator) -> None:
    put(emulator, "a", hours=500)
    put(emulator, "b", hours=100)
    pat("config", "set", "sort", "expires")
    assert pat("list", "-o", "json", "--query", "[].name") == done(as_json(["b", "a"]))


def test_every_page_is_read_and_asks_for_the_same(pat: InProcess, emulator: Emulator) -> None:
    emulator.add_tokens(250, name="token {n}")
    pat("list", "-o", "none")  # learns which organization is which
    before = len(emulator.requests)
    result = pat("list", "-o", "tsv", "--query", "[].id")
    ids = sorted(each["authorizationId"] for each in emulator.tokens)
    assert (sorted(result.stdout.split()), result.exit_code, result.stderr) == (ids, 0, "")
    pages = [each["query"] for each in emulator.requests[before:]]
    assert len(pages) == 3
    filters = [{k: v for k, v in page.items() if k != "continuationToken"} for page in pages]
    assert filters[0] == filters[1] == filters[2]
    assert "continuationToken" not in pages[0]


def test_tokens_of_another_organization_are_left_out(pat: InProcess, emulator: Emulator) -> None:
    here = put(emulator, "here")
    there = put(emulator, "there", organization="fabrikam")
    assert pat("list", "-o", "json") == done(as_json([token_object(here)]))
    assert pat("list", "-o", "json", "--org", "fabrikam") == done(as_json([token_object(there)]))


def test_all_orgs_lists_each_token_once(pat: InProcess, emulator: Emulator) -> None:
    there = put(emulator, "a", organization="fabrikam")
    here = put(emulator, "b")
    emulator.add_tokens(1, name="c", allOrgs=True, validTo=hence(250))
    everywhere = emulator.tokens[-1]
    documents = [token_object(each) for each in (there, here, everywhere)]
    assert pat("list", "--all-orgs", "-o", "json") == done(as_json(documents))
    assert pat("list", "--all-orgs", "--name", "[ab]") == done(
        table(
            ("NAME", "ID", "ORG", "SCOPES", "EXPIRES", "NOTES"),
            ("a", short(there), "fabrikam", "code", f"in 10 days ({day(there)})", ""),
            ("b", short(here), "contoso", "code", f"in 10 days ({day(here)})", ""),
        )
    )


def test_all_orgs_needs_no_organization_at_hand(pat: InProcess, emulator: Emulator) -> None:
    token = put(emulator, "a", organization="fabrikam")
    result = pat("list", "--all-orgs", "-o", "json", env={"PAT_ORG": None})
    assert result == done(as_json([token_object(token)]))


def test_all_orgs_goes_on_past_one_that_fails(pat: InProcess, emulator: Emulator) -> None:
    token = put(emulator, "a")
    emulator.fail("GET /fabrikam/* status=403 times=always")
    assert pat("list", "--all-orgs", "-o", "json") == Result(
        exit_code=9,
        stdout=as_json([token_object(token)]),
        stderr=lines(
            f"pat: warning: fabrikam: {host(emulator)} does not allow the operation",
            '{"error": "partial", "message": "1 of your organizations could not be listed",'
            ' "hint": "to try one organization, run: pat list --org NAME", "exit_code": 9}',
        ),
    )


@pytest.mark.parametrize("columns", ["80", "200"])
def test_tables_fit_and_cut_no_name_and_no_id(
    columns: str, pat: InProcess, emulator: Emulator
) -> None:
    name = "git: https://dev.azure.com/contoso on a-laptop-with-a-long-name and more of it"
    token = put(emulator, name, scope="vso.code_write vso.packaging vso.build_execute")
    result = pat("list", env={"COLUMNS": columns})
    header, *rows = result.stdout.splitlines()
    assert (result.exit_code, result.stderr) == (0, "")
    assert max(len(line) for line in (header, *rows)) <= int(columns)
    width = header.index("ID")
    # A long name goes on in the next line; it may be broken at any space or within a word.
    assert "".join("".join(row[:width] for row in rows).split()) == "".join(name.split())
    assert rows[0][width:].split()[0] == short(token)


def test_unknown_words_for_options(pat: InProcess, emulator: Emulator) -> None:
    assert pat("list", "--expiring", "soon") == failed(
        2,
        "'soon' is not a valid span or date",
        "give a span (12h, 30d, 2w, 3mo, 1y) or a date (2026-12-31, 2026-12-31T18:00:00Z)",
    )
    assert pat("list", "--sort", "size") == failed(
        2,
        "Invalid value for '--sort': 'size' is not one of 'name', 'created', 'expires'",
        "for usage, run: pat list --help",
    )
    assert emulator.requests == []


def test_a_repeated_continuation_token_ends_the_list_with_an_error(
    pat: InProcess, emulator: Emulator
) -> None:
    emulator.add_tokens(150, name="token {n}")
    emulator.fail("GET */tokens/pats repeat-continuation times=always")
    result = pat("list", "-o", "json")
    assert (result.exit_code, result.stdout) == (11, "")
    assert len(methods(emulator)) < 10


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ((), "you have no active global tokens"),
        (("--status", "all"), "you have no global tokens"),
        (("--name", "x"), "no token of contoso matches"),
    ],
)
def test_no_global_tokens(
    options: tuple[str, ...], said: str, pat: InProcess, emulator: Emulator
) -> None:
    emulator.remove_tokens()
    result = pat("list", "--global", *options)
    assert result.stderr == f"{said}; to list all, run: pat list --status all\n"
