"""The list: filters, order, pages."""

import itertools
import time

import pytest

from emulator.stage import PATS, Stage


def seed(stage: Stage, **order: object) -> None:
    """Put tokens into contoso."""
    stage.control("POST", "tokens", order)


def pages(stage: Stage, **query: str) -> list[list[str]]:
    """The names on each page, until the continuation token is empty."""
    found: list[list[str]] = []
    for _ in itertools.repeat(None, 100):
        answer = stage.ask("GET", PATS, query).json()
        found.append([token["displayName"] for token in answer["patTokens"]])
        if not answer["continuationToken"]:
            return found
        query["continuationToken"] = answer["continuationToken"]
    raise AssertionError("no end of pages")


@pytest.fixture
def three(bare: Stage) -> Stage:
    """An active, an expired and a revoked token."""
    seed(bare, name="bravo", validTo="2026-09-01")
    seed(bare, name="Alpha", state="expired")
    seed(bare, name="charlie", state="revoked", validTo="2026-08-01")
    return bare


@pytest.mark.parametrize(
    ("wanted", "names"),
    [
        (None, ["bravo"]),
        ("active", ["bravo"]),
        ("EXPIRED", ["Alpha"]),
        ("revoked", ["charlie"]),
        ("all", ["Alpha", "bravo", "charlie"]),
    ],
)
def test_filters(three: Stage, wanted: str | None, names: list[str]) -> None:
    query = {} if wanted is None else {"DisplayFilterOption": wanted}
    assert three.names(**query) == names


@pytest.mark.parametrize(
    ("order", "names"),
    [
        ("displayName", ["Alpha", "bravo", "charlie"]),
        ("displayDate", ["Alpha", "charlie", "bravo"]),
        ("status", ["bravo", "Alpha", "charlie"]),
    ],
)
def test_order(three: Stage, order: str, names: list[str]) -> None:
    query = {"displayFilterOption": "all", "sortByOption": order}
    assert three.names(**query) == names
    assert three.names(**query, isSortAscending="false") == names[::-1]
    assert three.names(**query, isSortAscending="True") == names


def test_time_turns_active_into_expired(three: Stage) -> None:
    three.token = three.access_token(lifetimeSeconds=100 * 86400)
    three.control("POST", "clock", {"advanceSeconds": 80 * 86400})
    assert three.names() == []
    assert three.names(displayFilterOption="expired") == ["Alpha", "bravo"]


def test_pages_hold_each_token_once(bare: Stage) -> None:
    seed(bare, count=45, name="same")
    seed(bare, count=5, name="other {n}")
    found = pages(bare, **{"$top": "20"})
    assert [len(page) for page in found] == [20, 20, 10]
    assert (
        list(itertools.chain.from_iterable(found))
        == [f"other {n}" for n in range(1, 6)] + ["same"] * 45
    )


def test_page_sizes(bare: Stage) -> None:
    seed(bare, count=130)
    assert [len(page) for page in pages(bare)] == [20] * 6 + [10]
    assert [len(page) for page in pages(bare, **{"$top": "1000"})] == [100, 30]
    assert [len(page) for page in pages(bare, **{"$TOP": "65"})] == [65, 65]


@pytest.mark.parametrize(
    "changed",
    [
        {"displayFilterOption": "all"},
        {"sortByOption": "status"},
        {"isSortAscending": "false"},
        {"continuationToken": "rubbish"},
        {"continuationToken": "é"},
        {"continuationToken": "MTA7eA=="},
    ],
)
def test_a_continuation_token_is_bound_to_its_filters(bare: Stage, changed: dict[str, str]) -> None:
    seed(bare, count=30)
    token = bare.ask("GET", PATS).json()["continuationToken"]
    assert bare.ask("GET", PATS, {"continuationToken": token}).status_code == 200
    answer = bare.ask("GET", PATS, {"continuationToken": token} | changed)
    assert (answer.status_code, answer.json()["typeKey"]) == (400, "ArgumentException")


def test_a_continuation_token_is_bound_to_its_organization(bare: Stage) -> None:
    seed(bare, count=30)
    token = bare.ask("GET", PATS).json()["continuationToken"]
    answer = bare.ask("GET", "/fabrikam/_apis/tokens/pats", {"continuationToken": token})
    assert answer.status_code == 400


@pytest.mark.parametrize(
    "query",
    [
        {"$top": "0"},
        {"$top": "-1"},
        {"$top": "x"},
        {"$top": "2147483648"},
        {"displayFilterOption": "some"},
        {"sortByOption": "age"},
        {"isSortAscending": "maybe"},
    ],
)
def test_what_a_list_refuses(bare: Stage, query: dict[str, str]) -> None:
    assert bare.ask("GET", PATS, query).status_code == 400


def test_five_thousand_tokens_are_quick(bare: Stage) -> None:
    seed(bare, count=5000)
    began = time.process_time()  # the emulator's thread counts, a busy machine does not
    found = pages(bare, **{"$top": "100"})
    took = time.process_time() - began
    assert [len(page) for page in found] == [100] * 50
    assert took < 5, "100 ms a page is far too slow"
