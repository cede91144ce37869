"""The page of `pat admin report --html`."""

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser

from azdo_pat.models import OwnedPat, Pat, Status, User
from azdo_pat.output.report.page import page
from azdo_pat.results.admin import Group, Numbers, Owner, TokenReport, Top

NOW = datetime(2026, 6, 15, 12, tzinfo=UTC)
HOSTILE = (
    "<script>alert(1)</script>",
    "</title></style><img src=https://evil.example onerror=alert(1)>",
    "\"' onmouseover='alert(1)",
    "{{ 7 * 7 }}{% raw %}",
    "nul\x00 esc\x1b[31m bell\x07",
    "\u202egnp.exe",
    "]]><!--",
    "&lt;b&gt; &amp;",
)


def report(names: Sequence[str] = ("ci",)) -> TokenReport:
    """A report in which every text is one of these."""
    users = [User(f"aad.{name}", name, name, name, is_guest=True) for name in names]
    pats = [
        OwnedPat(
            Pat(
                name=name,
                id=name,
                org="contoso",
                status=Status.ACTIVE,
                scopes=(name, "app_token"),
                created=NOW,
                expires=NOW,
                is_global=True,
            ),
            owner,
        )
        for name, owner in zip(names, users, strict=True)
    ]
    numbers = Numbers(1234, 1, 2, 3, 4)
    return TokenReport(
        org=names[0],
        at=NOW,
        read_since=NOW - timedelta(hours=3),
        is_complete=True,
        users=4,
        unread=0,
        within=timedelta(hours=12),
        max_life=timedelta(days=90),
        numbers=numbers,
        expired=5,
        by_scope=(*(Group(name, 7, 1) for name in names), Group(None, 1, 1)),
        by_month=(Group("2026-06", 9, 1), Group("9999-12", 1, 1), Group(None, 1, 1)),
        by_age=(Group("over 2 years", 1, 1), Group(None, 1, 1)),
        owners=Top(tuple(Owner(each, numbers) for each in users), 40),
        oldest=Top(tuple(pats), 40),
        broadest=Top(tuple(pats), len(pats)),
    )


class Page(HTMLParser):
    """What a browser sees: the elements with their attributes, and the text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += f"{data} "

    def count(self, tag: str) -> int:
        return sum(name == tag for name, _ in self.elements)


def test_no_name_can_act() -> None:
    text = page(report(HOSTILE), "1.0")
    seen = Page(text)
    plain = Page(page(report(["plain"] * len(HOSTILE)), "1.0"))
    assert [tag for tag, _ in seen.elements] == [tag for tag, _ in plain.elements]
    allowed = {*(name for _, attributes in plain.elements for name in attributes)}
    assert {name for _, attributes in seen.elements for name in attributes} == allowed
    for name in HOSTILE[:4]:
        assert name in seen.text
    assert r"nul\x00 esc\x1b[31m bell\x07" in seen.text
    assert r"\u202egnp.exe" in seen.text
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", text)


def test_nothing_is_loaded_and_nothing_runs() -> None:
    text = page(report(), "1.0")
    seen = Page(text)
    assert not re.search(r"https?:|url\(|@import|javascript:", text)
    assert {tag for tag, _ in seen.elements}.isdisjoint(
        {"script", "link", "img", "iframe", "object", "embed", "base", "form", "a"}
    )
    attributes = {name for _, each in seen.elements for name in each}
    assert attributes.isdisjoint({"src", "href", "srcset", "style", "xlink:href", "action"})
    assert not [name for name in attributes if name.startswith("on")]
    policies = [
        each["content"]
        for tag, each in seen.elements
        if each.get("http-equiv") == "Content-Security-Policy"
    ]
    assert policies == [
        "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
    ]


def test_it_can_be_heard() -> None:
    seen = Page(page(report(), "1.0"))
    ids = [each["id"] for _, each in seen.elements if "id" in each]
    assert len(ids) == len(set(ids))
    assert dict(seen.elements)["html"] == {"lang": "en"}
    charts = [each for tag, each in seen.elements if tag == "svg"]
    assert len(charts) == 3
    for chart in charts:
        assert chart["role"] == "img"
        assert set(str(chart["aria-labelledby"]).split()) <= set(ids)
    assert seen.count("desc") == 3
    assert seen.count("table") == seen.count("caption") == seen.count("thead") == 6
    assert seen.count("h1") == 1


def test_what_it_says() -> None:
    text = " ".join(Page(page(report(), "1.0")).text.split())
    for expected in (
        "as of 2026-06-15 12:00 UTC, of tokens read since 2026-06-15 09:00 UTC · 4 users",
        "Active tokens 1,234 of 40 users",
        "within 12 hours",
        "over 90 days",
        "39 more users not listed here",
        "39 more tokens not listed here",
        "Dec 9999",
        "Made by pat 1.0",
    ):
        assert expected in text
    assert "Partial report" not in text


def test_a_partial_report_is_marked() -> None:
    made = replace(report(), is_complete=False, unread=1)
    seen = Page(page(made, "1.0")).text
    assert "Partial report: Personal access tokens of ci" in seen
    assert "1 user of 4 could not be read" in seen


def test_no_tokens() -> None:
    none: Top[OwnedPat] = Top((), 0)
    made = replace(
        report(),
        numbers=Numbers(),
        by_scope=(),
        by_month=(),
        by_age=(),
        owners=Top((), 0),
        oldest=none,
        broadest=none,
    )
    seen = Page(page(made, "1.0"))
    assert "No active tokens" in seen.text
    assert seen.count("svg") == 0


def test_long_names_are_cut() -> None:
    assert len(page(report(["x" * 100_000]), "1.0")) < 40_000
