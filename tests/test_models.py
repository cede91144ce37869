"""Secrets that do not show."""

import copy
import json
import logging
import pickle
import traceback
from dataclasses import asdict
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azdo_pat.models import (
    AccessToken,
    NewPat,
    Pat,
    Secret,
    ServicePat,
    Status,
    global_tokens_stop,
)
from azdo_pat.results.tokens import Created, StoredSecret

TEXT = "Zq7" * 25 + "xAZDOabcd1"
NOW = datetime(2026, 6, 15, 12, tzinfo=UTC)
PAT = Pat(
    name="ci",
    id="1b4e28ba-2fa1-11d2-883f-0016d3cca427",
    org="contoso",
    status=Status.ACTIVE,
    scopes=("vso.code",),
    created=NOW,
    expires=NOW,
)
SERVICE_PAT = ServicePat(
    authorization_id="1b4e28ba-2fa1-11d2-883f-0016d3cca427",
    display_name="ci",
    scopes=("vso.code",),
    valid_from=NOW,
    valid_to=NOW,
    target_accounts=None,
)


class TestSecret:
    """The text comes out of `reveal` and of nothing else."""

    def test_reveal(self) -> None:
        assert Secret(TEXT).reveal() == TEXT

    def test_every_way_to_print_it_shows_stars(self) -> None:
        secret = Secret(TEXT)
        assert (repr(secret), str(secret), ascii(secret)) == (
            "Secret('***')",
            "***",
            "Secret('***')",
        )
        assert f"{secret} {secret!r} {secret!s} {secret:>200}" == "*** Secret('***') *** ***"
        assert "%s %r" % (secret, secret) == "*** Secret('***')"  # noqa: UP031  # old code formats so
        assert "{:s} {!r}".format(secret, [secret]) == "*** [Secret('***')]"  # noqa: UP032  # the same

    @given(st.text())
    def test_print_says_nothing_of_text_or_length(self, text: str) -> None:
        shown = {repr(Secret(text)), str(Secret(text)), f"{Secret(text):x^40}"}
        assert shown == {"Secret('***')", "***"}

    def test_no_value_that_holds_it_shows_it(self) -> None:
        secret = Secret(TEXT)
        holders = [
            NewPat(pat=SERVICE_PAT, secret=secret),
            Created(pat=PAT, secret=secret),
            StoredSecret(pat=PAT, secret=secret),
            AccessToken(secret=secret, source="a test"),
            {"secret": secret},
            (secret,),
        ]
        assert [TEXT in repr(holder) or TEXT in str(holder) for holder in holders] == [False] * 6

    @pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
    def test_it_is_not_pickled(self, protocol: int) -> None:
        with pytest.raises(TypeError, match=r"^a secret is not written to anything$"):
            pickle.dumps(Secret(TEXT), protocol)

    def test_it_is_not_copied_into_anything(self) -> None:
        for copying in (copy.copy, copy.deepcopy):
            with pytest.raises(TypeError, match=r"^a secret is not written to anything$"):
                copying(Secret(TEXT))
        with pytest.raises(TypeError, match=r"^a secret is not written to anything$"):
            asdict(StoredSecret(pat=PAT, secret=Secret(TEXT)))

    def test_json_does_not_take_it(self) -> None:
        with pytest.raises(TypeError) as caught:
            json.dumps({"secret": Secret(TEXT)})
        assert TEXT not in str(caught.value)
        assert json.dumps(Secret(TEXT), default=str) == '"***"'

    def test_it_has_no_attributes_to_look_through(self) -> None:
        assert not hasattr(Secret(TEXT), "__dict__")
        with pytest.raises(TypeError):
            vars(Secret(TEXT))

    def test_neither_a_log_nor_a_traceback_with_its_variables_shows_it(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        secret = Secret(TEXT)
        try:
            raise ValueError(secret)  # noqa: TRY301  # the traceback is what is looked at
        except ValueError as error:
            shown = "".join(
                traceback.TracebackException.from_exception(error, capture_locals=True).format()
            )
            logging.getLogger("test").exception("failed with %s and %r", secret, secret)
        assert "ValueError: ***" in shown
        assert "secret = Secret('***')" in shown
        assert TEXT not in shown.replace(f"TEXT = '{TEXT}'", "")
        assert "failed with *** and Secret('***')" in caplog.text
        assert TEXT not in caplog.text

    def test_equal_secrets_are_equal(self) -> None:
        assert Secret(TEXT) == Secret(TEXT)
        assert hash(Secret(TEXT)) == hash(Secret(TEXT))
        assert Secret(TEXT) != Secret(TEXT[:-1])
        assert Secret(TEXT) != TEXT
        assert {Secret("a"), Secret("a"), Secret("b")} == {Secret("a"), Secret("b")}


@pytest.mark.parametrize(
    ("now", "said"),
    [
        ("2026-11-30T23:59:59+00:00", "stops working on 2026-12-01"),
        ("2026-11-30T16:00:00-08:00", "stopped working on 2026-12-01"),
        ("2026-12-01T00:00:00+00:00", "stopped working on 2026-12-01"),
    ],
)
def test_global_tokens_stop_that_day(now: str, said: str) -> None:
    assert global_tokens_stop(datetime.fromisoformat(now)) == said
