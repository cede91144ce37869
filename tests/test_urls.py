"""A URL is taken apart once, and an invalid one is nobody's."""

import pytest

from azdo_pat.urls import INVALID, parse


@pytest.mark.parametrize(
    "text", ["https://host:x/", "https://host:99999/", "https://[::1/", "https://a\u2100b/"]
)
def test_what_is_no_url_has_no_parts(text: str) -> None:
    assert parse(text) is INVALID
    assert not parse(text).is_protected


def test_the_parts_of_a_url() -> None:
    url = parse("https://User:Word@Host.Example:8443//a/%20b/?q#f")
    assert (url.scheme, url.user, url.host, url.port) == (
        "https",
        "User:Word",
        "host.example",
        8443,
    )
    assert url.authority == "host.example:8443"
    assert url.steps == ["a", "%20b"]
    assert url.place == ("https", "User:Word@Host.Example:8443", "//a/%20b/")
    assert (url.query, url.fragment) == ("q", "f")


@pytest.mark.parametrize(
    ("text", "is_protected"),
    [
        ("https://host/", True),
        ("http://host/", False),
        ("http://[::1]:8080/", True),
        ("http://LOCALHOST/", True),
        ("ftp://localhost/", False),
        ("localhost", False),
    ],
)
def test_where_a_secret_may_be_sent(text: str, is_protected: bool) -> None:  # noqa: FBT001  # a parameter of pytest
    assert parse(text).is_protected is is_protected
