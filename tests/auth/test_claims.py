"""What an access token says of itself, and which ones are refused before they are sent."""

import json
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auth.jwts import HOW_TO, NOW, USER, jwt, raw_jwt
from azdo_pat.auth.claims import RESOURCE, inspect
from azdo_pat.errors import PatError, SignInError
from azdo_pat.models import AccessToken, Secret


def look_at(text: str) -> AccessToken:
    return inspect(text, source="the test", now=NOW)


def refusal(text: str) -> PatError:
    with pytest.raises(PatError) as caught:
        look_at(text)
    assert text.strip() not in f"{caught.value.message} {caught.value.hint}"
    assert text.strip() not in repr(caught.value)
    return caught.value


class TestUsers:
    """Tokens that can be sent."""

    def test_everything_that_it_tells(self) -> None:
        assert look_at(f" {jwt(USER)}\n") == AccessToken(
            secret=Secret(jwt(USER)),
            source="the test",
            user="ada@contoso.example",
            tenant="7f0b9c1e-5d43-4f6a-9a51-2c8e6f1d0b37",
            expires=NOW + timedelta(hours=1),
        )

    @pytest.mark.parametrize(
        ("claims", "user"),
        [
            ({"upn": "a@b", "unique_name": "c@d", "email": "e@f"}, "a@b"),
            ({"upn": "", "unique_name": "live.com#c@d", "email": "e@f"}, "live.com#c@d"),
            ({"upn": None, "email": "e@f"}, "e@f"),
            ({"upn": ["a"]}, ""),
        ],
    )
    def test_the_sign_in_name(self, claims: dict[str, object], user: str) -> None:
        assert look_at(jwt({"aud": RESOURCE, "scp": "vso.pats", **claims})).user == user

    @pytest.mark.parametrize(
        "audience",
        [
            RESOURCE,
            RESOURCE.upper(),
            "https://app.vssps.visualstudio.com",
            "https://app.vssps.visualstudio.com/",
            "https://dev.azure.com/",
            "https://vssps.dev.azure.com",
        ],
    )
    def test_the_audiences_of_azure_devops(self, audience: str) -> None:
        assert look_at(jwt({**USER, "aud": audience})).user == "ada@contoso.example"

    @pytest.mark.usefixtures("no_finalizers")
    @pytest.mark.parametrize(
        "text",
        [
            "opaque",
            "EwBYA-opaque_token.of+another/kind==",
            "a.b.c",
            "..",
            f"x.{'!' * 20}.y",
            raw_jwt(b"\xff\xfe"),
            raw_jwt(b"not json"),
            raw_jwt(b'"a text"'),
            raw_jwt(b"[1]"),
            raw_jwt(b"[" * 100_000),
            jwt({}),
            jwt(USER) + ".more",
        ],
    )
    def test_what_tells_nothing_is_passed_on_as_it_is(self, text: str) -> None:
        assert look_at(text) == AccessToken(secret=Secret(text), source="the test")

    @pytest.mark.parametrize("exp", [True, "soon", None, 1e300, -1e300, [1]])
    def test_an_end_that_is_none(self, exp: object) -> None:
        assert look_at(jwt({**USER, "exp": exp})).expires is None

    def test_an_end_that_is_no_number(self) -> None:
        payload = json.dumps({**USER, "exp": 1}).replace('"exp": 1', '"exp": NaN')
        assert look_at(raw_jwt(payload.encode())).expires is None

    def test_it_does_not_show_its_secret(self) -> None:
        assert jwt(USER) not in repr(look_at(jwt(USER)))


class TestApplications:
    """Tokens of service principals and managed identities."""

    @pytest.mark.parametrize(
        "claims",
        [
            {**USER, "idtyp": "app"},
            {key: value for key, value in USER.items() if key != "scp"},
            {"idtyp": "app"},
        ],
    )
    def test_of_a_service_principal(self, claims: dict[str, object]) -> None:
        assert look_at(jwt(claims)).is_application

    @pytest.mark.parametrize("text", [jwt(USER), "opaque"])
    def test_of_a_user(self, text: str) -> None:
        assert not look_at(text).is_application


class TestRefused:
    """Tokens that cannot work, and what to do instead."""

    @pytest.mark.parametrize(
        "text",
        [
            "a" * 76 + "AZDO" + "b" * 4,
            "Zz9" * 25 + "ZAZDO0000",
            "abcdefgh234567" * 3 + "abcdefgh23",
            "\n" + "a" * 76 + "AZDO" + "bbbb" + "\n",
        ],
    )
    def test_a_personal_access_token(self, text: str) -> None:
        error = refusal(text)
        assert type(error) is SignInError
        assert error.message == (
            "the test contains a personal access token, not a Microsoft Entra access token"
        )
        assert error.hint == f"to get an access token from the Azure CLI, run: {HOW_TO}"

    @pytest.mark.parametrize(
        "text",
        [
            "a" * 75 + "AZDO" + "b" * 5,
            "a" * 76 + "azdo" + "bbbb",
            "a" * 83,
            "a" * 51,
            "A" * 52,
            "1" * 52,
        ],
    )
    def test_what_only_looks_a_little_like_one(self, text: str) -> None:
        assert look_at(text).secret == Secret(text)

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "  ",
            "two words",
            "line\nline",
            "line\r\nX-Evil: 1",
            "tab\tbed",
            "é",
            "a\x00b",
            "\x7f",
        ],
    )
    def test_what_cannot_stand_in_a_header(self, text: str) -> None:
        with pytest.raises(SignInError) as caught:
            look_at(text)
        assert caught.value.message == "the test does not contain an access token"
        assert caught.value.hint == f"to get one, run: {HOW_TO}"

    @pytest.mark.parametrize("seconds", [0, -1, -86400])
    def test_expired(self, seconds: int) -> None:
        error = refusal(jwt({**USER, "exp": NOW.timestamp() + seconds}))
        end = NOW + timedelta(seconds=seconds)
        assert type(error) is SignInError
        assert error.message == (f"the access token from the test expired at {end:%Y-%m-%d %H:%M}")
        assert error.hint == f"to get a new access token from the Azure CLI, run: {HOW_TO}"

    def test_a_second_before_the_end_it_is_good(self) -> None:
        token = look_at(jwt({**USER, "exp": NOW.timestamp() + 1}))
        assert token.expires == NOW + timedelta(seconds=1)

    @pytest.mark.parametrize(
        "audience",
        [
            "https://management.core.windows.net/",
            "https://graph.microsoft.com",
            "https://dev.azure.com.evil",
            "00000003-0000-0000-c000-000000000000",
        ],
    )
    def test_for_another_service(self, audience: str) -> None:
        error = refusal(jwt({**USER, "aud": audience}))
        assert type(error) is SignInError
        assert error.message == (
            f"the access token from the test is for {audience!r}, not for Azure DevOps"
        )
        assert error.hint == f"to get an access token for Azure DevOps, run: {HOW_TO}"

    @given(
        st.text() | st.text(max_size=60).map(lambda text: raw_jwt(text.encode("utf-8", "replace")))
    )
    def test_any_text_is_a_token_or_a_readable_error(self, text: str) -> None:
        try:
            assert look_at(text).secret == Secret(text.strip())
        except SignInError as error:
            assert error.hint  # noqa: PT017  # both ends are fine, and each is looked at
