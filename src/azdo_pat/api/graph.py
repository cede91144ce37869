"""The users of an organization (spec: graph 7.2, `Users` and `Subject Query`)."""

from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

from azdo_pat.api.addresses import segment
from azdo_pat.api.call import ApiCall, admin_call
from azdo_pat.api.http import Http
from azdo_pat.api.json_fields import Record
from azdo_pat.api.paging import Continuations
from azdo_pat.api.refusals import naming_the_right
from azdo_pat.api.response import Response
from azdo_pat.api.service_errors import BadRequestError
from azdo_pat.errors import NotFoundError, PatError
from azdo_pat.models import Organization, User

MOST_FOUND: Final = 100
"""The service returns no more users for a prefix, and has no further pages."""

_API_VERSION: Final = "7.2-preview.1"
PEOPLE: Final = ("aad", "msa")
"""What the descriptors of users with a work or personal account begin with; the others are
services and cannot have tokens."""
_LIST: Final = "a list of users"
_USER: Final = "a user"
_CONTINUATION: Final = "X-MS-ContinuationToken"


class FoundUsers(NamedTuple):
    """The users that a search found.

    Attributes:
        may_be_more: the service returned as many as it ever does, so others may match, too.
    """

    users: tuple[User, ...]
    may_be_more: bool


class Graph:
    """Reads users.

    Args:
        http: the connection.
        odd: called with a description of each user that could not be read.

    Attributes:
        unreadable: how many of the users that `users` listed could not be read.
    """

    def __init__(self, http: Http, odd: Callable[[str], None] = lambda _: None) -> None:
        self._http = http
        self._odd = odd
        self.unreadable = 0

    def users(self, organization: Organization) -> Iterator[User]:
        """Yield all users, one request per page, made when it is reached.

        Pages have any length: only a header says whether another one follows.

        Raises:
            RefusedError: the signed-in user may not list users.
            PatError: they cannot be listed.
        """
        query = {"subjectTypes": ",".join(PEOPLE), "api-version": _API_VERSION}
        continuations = Continuations()
        while True:
            body, answer = self._json(self._call("GET", organization, "users", query), _LIST)
            for user in self._users(body, answer):
                if user is None:
                    self.unreadable += 1
                else:
                    yield user
            following = answer.headers.get(_CONTINUATION, "")
            if not following:
                return
            continuations.require_new(following, answer, _LIST)
            query["continuationToken"] = following

    def find(self, organization: Organization, prefix: str) -> FoundUsers:
        """Return the users whose name, sign-in name or mail begins so, at most `MOST_FOUND`.

        Raises:
            RefusedError: the signed-in user may not search for users.
            PatError: the search failed.
        """
        call = self._call("POST", organization, "subjectquery", {"api-version": _API_VERSION})
        query = {"query": prefix, "subjectKind": ["User"]}
        body, answer = self._json(call._replace(body=query, acts_as="GET"), _LIST)
        kinds = tuple(f"{kind}." for kind in PEOPLE)
        found = self._users(body, answer)
        people = tuple(each for each in found if each and each.descriptor.startswith(kinds))
        return FoundUsers(people, may_be_more=len(_rows(body, answer)) >= MOST_FOUND)

    def user(self, organization: Organization, descriptor: str) -> User:
        """Return the user with a descriptor.

        Raises:
            NotFoundError: there is none.
            RefusedError: the signed-in user may not see users.
        """
        place = f"users/{segment(descriptor)}"
        call = self._call("GET", organization, place, {"api-version": _API_VERSION})
        try:
            body, answer = self._json(call, _USER)
        except (NotFoundError, BadRequestError):  # 400 for what is no descriptor
            raise NotFoundError(
                f"{organization.name} has no user {descriptor!r}",
                hint="to list its users, run: pat admin users",
            ) from None
        return _user(body, answer)

    def _call(
        self, method: str, organization: Organization, place: str, query: dict[str, str]
    ) -> ApiCall:
        place = f"graph/{place}"
        return admin_call(self._http.addresses, method, organization, place, query)

    def _json(self, call: ApiCall, what: str) -> tuple[object, Response]:
        with naming_the_right(
            f"you cannot list the users of {call.organization}",
            f"sign in as a member of {call.organization}; a personal access token needs the"
            " scope vso.graph (pat create NAME --for admin)",
        ):
            return self._http.json(call, what)

    def _users(self, body: object, answer: Response) -> Iterator[User | None]:
        """Yield the users; None for each that cannot be read."""
        for row in _rows(body, answer):
            try:
                yield _user(row, answer)
            except PatError:
                self._odd(f"a user of {answer.asked.organization}")
                yield None


def _rows(body: object, answer: Response) -> list[object]:
    """Return the rows: a plain array in the specification, an object in Microsoft's example."""
    return body if isinstance(body, list) else Record(body, _LIST, answer).rows("value")


def _user(row: object, answer: Response) -> User:
    user = Record(row, _USER, answer)
    return User(
        descriptor=user.filled_text("descriptor"),
        name=user.shown_text("displayName"),
        upn=user.shown_text("principalName"),
        mail=user.shown_text("mailAddress"),
        is_guest=user.shown_text("metaType").casefold() == "guest",
        is_deleted=user.value("isDeletedInOrigin") is True,
    )
