"""Masking: what is known wherever it stands, what is unknown by its shape or its field."""

import json
from base64 import b64encode
from urllib.parse import quote, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azdo_pat import redaction
from azdo_pat.models import USER_NAME
from azdo_pat.redaction import masked, masked_body, masked_headers, remember, remember_fields

NEW = "1a" * 38 + "AZDO" + "Zz9q"
OLD = "abcdefghijklmnopqrstuvwxyz234567abcdefghijklmnopqrst"
JWT = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhZGEifQ.c2lnbmF0dXJl"
REFRESH = "1.AXoAHpsLf0NdakajUSyObx0LN1tIm_" + "Xy-9." * 12
SHAPED = [NEW, OLD, JWT, REFRESH, b64encode(f":{NEW}".encode()).decode()]


@pytest.mark.parametrize("secret", SHAPED)
@pytest.mark.parametrize(
    "around",
    ["{}", "before {} after", "https://u:{}@host/", "?q=%3A{}&r=1", '{{"x": "{}"}}', "Basic {}"],
)
def test_a_shape_is_enough(secret: str, around: str) -> None:
    assert secret not in masked(around.format(secret))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Authorization: Bearer abcdefghijklmnop0123", "Authorization: Bearer ***"),
        ("https://user:pass@proxy:8080/x", "https://***@proxy:8080/x"),
        ("GET /x?code=AwABAAAAvPM1&state=5", "GET /x?code=***&state=5"),
        ('{"refresh_token":"short-one', '{"refresh_token":"***'),
    ],
)
def test_a_field_of_a_text(text: str, expected: str) -> None:
    assert masked(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "GET https://vssps.dev.azure.com/contoso/_apis/tokens/pats?continuationToken=17: 200",
        "no such token in contoso",
        "activity 0f4b1c1e-5d43-4f6a-9a51-2c8e6f1d0b37",
        "VS403463: The conditional access policy defined by your tenant has failed.",
        'code = super().main(given)  # File "cli/exit.py", line 34',
        "Bearer authorization_uri=https://login.microsoftonline.com/7f0b9c1e-5d43",
    ],
)
def test_what_is_no_secret_stays(text: str) -> None:
    assert masked(text) == text


def test_headers_that_vouch_for_somebody() -> None:
    given_headers = [
        ("Authorization", "Basic OmFiYw=="),
        ("set-cookie", "a=b"),
        ("Location", "https://host/?code=1"),
        ("X-Echo", NEW),
        ("X-TFS-FedAuthRedirect", "Suppress"),
    ]
    assert masked_headers(given_headers) == [
        ("Authorization", "***"),
        ("set-cookie", "***"),
        ("Location", "***"),
        ("X-Echo", "***"),
        ("X-TFS-FedAuthRedirect", "Suppress"),
    ]


def test_a_json_body() -> None:
    body = {
        "patToken": {"displayName": "ci", "token": "x", "validTo": "2026-12-01T00:00:00Z"},
        "patTokenError": "none",
        "list": [{"access_token": "abc", "refresh_token": None, "device_code": ""}],
        "expires_in": 3599,
    }
    assert json.loads(masked_body(json.dumps(body).encode(), "application/json")) == {
        "patToken": {"displayName": "ci", "token": "***", "validTo": "2026-12-01T00:00:00Z"},
        "patTokenError": "none",
        "list": [{"access_token": "***", "refresh_token": None, "device_code": ""}],
        "expires_in": 3599,
    }


def test_a_form() -> None:
    body = urlencode({"grant_type": "refresh_token", "refresh_token": "a&b", "scope": "s/.default"})
    shown = masked_body(body.encode(), "application/x-www-form-urlencoded;charset=utf-8")
    assert shown == "grant_type=refresh_token&refresh_token=***&scope=s/.default"


@pytest.mark.usefixtures("no_finalizers")
@pytest.mark.parametrize("body", [b"\xff\xfe", b"[" * 100_000, b"{broken " + NEW.encode(), b""])
def test_a_body_that_is_none(body: bytes) -> None:
    assert NEW not in masked_body(body, "application/json")


def test_what_is_short_is_no_secret() -> None:
    remember("list")
    assert masked("pat list") == "pat list"


def test_fields_are_remembered_however_deep() -> None:
    remember_fields({"a": [{"code_verifier": "verify-me-please"}], "scope": "not-this-one"})
    assert masked("verify-me-please not-this-one") == "*** not-this-one"
    redaction.forget()
    assert masked("verify-me-please") == "verify-me-please"


TEXTS = st.text(min_size=8, max_size=100).filter(lambda text: text.strip("*") and "***" not in text)


@given(secret=TEXTS, before=st.text(), after=st.text())
def test_what_is_known_is_found_in_every_guise(secret: str, before: str, after: str) -> None:
    redaction.forget()
    remember(secret)
    plain = secret.encode("utf-8", "surrogatepass")
    guises = [
        secret,
        quote(secret, errors="surrogatepass", safe=""),
        b64encode(plain).decode(),
        b64encode(b":" + plain).decode(),
        b64encode(f"{USER_NAME}:".encode() + plain).decode(),
        json.dumps(secret)[1:-1],
    ]
    for guise in guises:
        assert guise not in masked(f"{before}\n{guise}\n{after}")
    document = {"message": [secret, {secret: 1}]}
    for ensure_ascii in (True, False):
        body = json.dumps(document, ensure_ascii=ensure_ascii).encode("utf-8", "surrogatepass")
        shown = masked_body(body, "application/json")
        assert secret not in shown
        assert json.dumps(secret)[1:-1] not in shown
