"""A browser that signs in by itself: `BROWSER="python browser.py %s &"`. SIGN_IN_AS says who."""

import html
import os
import re
import ssl
import sys
from urllib.parse import urlencode, urljoin
from urllib.request import urlopen

FORM = re.compile(r'<form method="post" action="([^"]*)">')
FIELD = re.compile(r'<input type="hidden" name="([^"]*)" value="([^"]*)">')


def fetch(url: str, fields: dict[str, str] | None = None) -> str:
    """Get a page, or send a form."""
    trusted = ssl.create_default_context(cafile=os.environ["PAT_CA_BUNDLE"])
    data = None if fields is None else urlencode(fields).encode()
    context = trusted if url.startswith("https:") else None
    with urlopen(url, data, timeout=30, context=context) as answer:  # noqa: S310  # the emulator's
        page: str = answer.read().decode()
    return page


def form_of(page: str, url: str) -> tuple[str, dict[str, str]]:
    """Return where the form of a page leads to, and its hidden fields."""
    found = FORM.search(page)
    assert found is not None, page
    fields = {html.unescape(name): html.unescape(value) for name, value in FIELD.findall(page)}
    return urljoin(url, html.unescape(found[1])), fields


def sign_in(url: str, user: str) -> str:
    """Go through the pages from the authorize endpoint to the page of the application."""
    action, fields = form_of(fetch(url), url)
    action, fields = form_of(fetch(action, {**fields, "user": user}), action)
    return fetch(action, fields)


if __name__ == "__main__":
    sign_in(sys.argv[1], os.environ["SIGN_IN_AS"])
