"""Templates: lines of a file that hold a secret, found again by the text around it."""

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azdo_pat.deliveries.template import checked_template, filled, placed
from azdo_pat.errors import UsageError

VALUES = {
    "token": "s3cret",
    "basic": "OnMzY3JldA==",
    "name": "ci",
    "id": "1b4e28ba",
    "org": "contoso",
    "url": "https://dev.azure.com/contoso",
    "expires": "2026-12-01T00:00:00Z",
    "scopes": "vso.code vso.packaging",
}
NEWER = VALUES | {"token": "n3wer", "basic": "Om4zd2Vy", "expires": "2027-01-01T00:00:00Z"}


@pytest.mark.parametrize(
    ("before", "template", "after"),
    [
        ("", "PAT={token}", "PAT=s3cret\n"),
        ("A=1\n", "PAT={token}", "A=1\nPAT=s3cret\n"),
        ("A=1", "PAT={token}", "A=1\nPAT=s3cret\n"),
        ("PAT=old\nA=1\n", "PAT={token}", "PAT=s3cret\nA=1\n"),
        ("A=1\nPAT=old", "PAT={token}", "A=1\nPAT=s3cret"),
        ("A=1\r\nPAT=old\r\nB=2\r\n", "PAT={token}", "A=1\r\nPAT=s3cret\r\nB=2\r\n"),
        ("MYPAT=1\n", "PAT={token}", "MYPAT=1\nPAT=s3cret\n"),
        ("# PAT=old\n", "PAT={token}", "# PAT=old\nPAT=s3cret\n"),
        ("PAT=a\nPAT=b\n", "PAT={token}", "PAT=s3cret\nPAT=s3cret\n"),
        ("x\n", "machine h\n  password {token}", "x\nmachine h\n  password s3cret\n"),
        (
            "machine h\n  password old\nmachine i\n  password keep\n",
            "machine h\n  password {token}",
            "machine h\n  password s3cret\nmachine i\n  password keep\n",
        ),
        (
            "machine h\r\n  password old\r\n",
            "machine h\n  password {token}",
            "machine h\r\n  password s3cret\r\n",
        ),
        ("", '{{"pat": "{token}"}}', '{"pat": "s3cret"}\n'),
        ("a.*b=[1]\n", "a.*b=[{token}]", "a.*b=[s3cret]\n"),
        ("a\\1=x\n", "a\\1={token}", "a\\1=s3cret\n"),
        ("h: OnOld\n", "h: {basic}", "h: OnMzY3JldA==\n"),
        ("", "{org} {name} {token} # {expires}", "contoso ci s3cret # 2026-12-01T00:00:00Z\n"),
    ],
)
def test_placed(before: str, template: str, after: str) -> None:
    assert placed(before, template, VALUES) == after
    assert placed(after, template, VALUES) == after
    renewed = placed(after, template, NEWER)
    assert "s3cret" not in renewed
    assert renewed.count("\n") == after.count("\n")


@pytest.mark.parametrize("template", ["{name}={token}", "{org}.{id}={token}", "{url} {token}"])
def test_a_line_is_known_by_what_a_rotation_leaves(template: str) -> None:
    mine = filled(template, VALUES) + "\n"
    content = f"DB_PASSWORD=hunter2\nother.x=y\nhttps://x y\n{mine}API_KEY=a b\n"
    newer = filled(template, NEWER) + "\n"
    assert placed(content, template, NEWER) == content.replace(mine, newer)


def test_a_long_line_takes_no_time() -> None:
    template = "{id} {token} {scopes} {expires} {basic}!"
    started = time.process_time()
    assert placed(" a b c" * 5000 + "\n", template, VALUES).startswith(" a b c")
    assert time.process_time() - started < 5  # some milliseconds; minutes if all ways are tried


LITERALS = st.text(st.characters(exclude_characters="{}\r", exclude_categories=["Cs"]), min_size=1)


@given(
    content=st.text(st.characters(exclude_categories=["Cs"])),
    head=LITERALS.filter(re.compile(r"\w").search),
    tail=st.text(st.sampled_from("abc \"';#"), max_size=3),
)
def test_twice_is_as_once_and_other_lines_stay(content: str, head: str, tail: str) -> None:
    template = checked_template(f"{head}{{token}}{tail}")
    once = placed(content, template, VALUES)
    assert placed(once, template, VALUES) == once
    assert filled(template, VALUES) in once.replace("\r\n", "\n")
    if once.startswith(content):  # added, not replaced
        assert placed(once, template, NEWER).startswith(content)


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("PAT", "does not contain the secret"),
        ("{name}", "does not contain the secret"),
        ("{token}", "no text that identifies its line"),
        ("  {token}\n", "no text that identifies its line"),
        ("={token}", "no text that identifies its line"),
        ("{id}: {token}", "no text that identifies its line"),
        ("PAT={secret}", "contains the unknown placeholder {secret}"),
        ("PAT={}", "contains the unknown placeholder {}"),
        ("A\rPAT={token}", "contains a carriage return"),
        ("PAT={token", "is not valid: "),
        ("PAT=}{token}", "is not valid: "),
        ("PAT={token!r}", "neither a format nor a conversion"),
        ("PAT={token:>9}", "neither a format nor a conversion"),
        ("PAT={token.__class__}", "contains the unknown placeholder {token.__class__}"),
    ],
)
def test_mistakes(template: str, message: str) -> None:
    with pytest.raises(UsageError, match=message.replace("{", r"\{")):
        checked_template(template)
