"""The order of sources: the first that answers."""

from dataclasses import dataclass
from datetime import datetime

import pytest

from auth.jwts import NOW, USER, jwt
from azdo_pat.auth.chain import Absent, Search, first_that_answers
from azdo_pat.auth.environment import EnvironmentSource
from azdo_pat.errors import RefusedError, SignInError
from azdo_pat.models import AccessToken, Secret, SourceReport

TOKEN = AccessToken(secret=Secret("bearer"), source="second")


@dataclass
class Told:
    """A source that answers as it is told, and counts how often it is asked."""

    name: str
    answer: AccessToken | Absent | SignInError | RefusedError
    asked: int = 0

    def access_token(self, now: datetime) -> AccessToken | Absent:
        assert now == NOW
        self.asked += 1
        if isinstance(self.answer, SignInError | RefusedError):
            raise self.answer
        return self.answer


class TestOrder:
    """Who is asked, and what is told of it."""

    def test_the_first_that_answers_ends_the_search(self) -> None:
        sources = [
            Told("first", Absent(reason="not set")),
            Told("second", TOKEN),
            Told("third", TOKEN),
        ]
        found = first_that_answers(sources, NOW)
        assert found == Search(
            token=TOKEN,
            failure=None,
            reports=(
                SourceReport(name="first", used=False, detail="not set"),
                SourceReport(name="second", used=True, detail="used"),
            ),
        )
        assert found.required() is TOKEN
        assert found.with_unasked(["first", "second", "third"]) == (
            *found.reports,
            SourceReport(name="third", used=False, detail="not used: second takes precedence"),
        )
        assert [source.asked for source in sources] == [1, 1, 0]

    def test_an_application_is_refused_unless_it_may_sign_in(self) -> None:
        of_application = TOKEN._replace(is_application=True)
        sources = [Told("first", of_application), Told("second", TOKEN)]
        refused = first_that_answers(sources, NOW)
        assert refused.token is None
        with pytest.raises(RefusedError) as caught:
            refused.required()
        assert caught.value.message == (
            "the access token from first belongs to a service principal or managed identity,"
            " which cannot manage personal access tokens"
        )
        assert caught.value.hint == (
            "to sign in as a user, run: pat login; or use the identity's access token in place"
            " of a personal access token"
        )
        found = first_that_answers(sources, NOW, applications=True)
        assert found.required() is of_application

    @pytest.mark.parametrize("error", [SignInError("expired"), RefusedError("an app's")])
    def test_a_useless_token_ends_it_too(self, error: SignInError | RefusedError) -> None:
        second = Told("second", TOKEN)
        found = first_that_answers([Told("first", error), second], NOW)
        report = SourceReport(name="first", used=False, detail=error.message)
        assert found == Search(token=None, failure=error, reports=(report,))
        assert second.asked == 0
        with pytest.raises(type(error)) as caught:
            found.required()
        assert caught.value is error

    def test_none_answers(self) -> None:
        sources = [Told("A", Absent(reason="not set")), Told("B", Absent(reason="not installed"))]
        found = first_that_answers(sources, NOW)
        with pytest.raises(SignInError) as caught:
            found.required()
        assert caught.value.message == "not signed in (A: not set; B: not installed)"
        assert caught.value.hint == (
            "to sign in, run: pat login; or use the Azure CLI (az login), or set"
            " PAT_ACCESS_TOKEN to a Microsoft Entra access token"
        )
        assert found.reports == (
            SourceReport(name="A", used=False, detail="not set"),
            SourceReport(name="B", used=False, detail="not installed"),
        )


class TestEnvironment:
    """`PAT_ACCESS_TOKEN`."""

    @pytest.mark.parametrize("value", [None, Secret(""), Secret(" \n")])
    def test_not_set(self, value: Secret | None) -> None:
        assert EnvironmentSource(value=value).access_token(NOW) == Absent(reason="not set")

    def test_set(self) -> None:
        source = EnvironmentSource(value=Secret(f"{jwt(USER)}\n"))
        token = source.access_token(NOW)
        assert isinstance(token, AccessToken)
        assert (token.secret, token.source) == (Secret(jwt(USER)), "PAT_ACCESS_TOKEN")
        assert jwt(USER) not in repr(source)

    def test_a_personal_access_token_in_its_place(self) -> None:
        source = EnvironmentSource(value=Secret("a" * 76 + "AZDO" + "bbbb"))
        with pytest.raises(SignInError) as caught:
            source.access_token(NOW)
        assert caught.value.message == (
            "PAT_ACCESS_TOKEN contains a personal access token, not a Microsoft Entra access token"
        )
