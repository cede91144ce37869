"""The users of an organization (spec: graph 7.2, `Users` and `Subject Query`)."""

from collections.abc import Callable, Iterator
from typing import Final

from azdo_pat.api.addresses import Service, segment, with_query
from azdo_pat.api.http import ApiCall, Http
from azdo_pat.api.json_fields import Record
from azdo_pat.api.refusals import is_refusal, lacks_right
from azdo_pat.api.response import Response
from azdo_pat.api.service_errors import BadRequestError, unreadable
from azdo_pat.errors import NotFoundError, PatError
from azdo_pat.models import Organization, User

MOST_FOUND: Final = 100
"""The service returns no more users for a prefix, and has no further pages."""

_API_VERSION: Final = "7.2-preview.1"
_PEOPLE: Final = "aad,msa"
"""Users with a work or personal account; the others are services and cannot have tokens."""
_LIST: Final = "a list of users"
_USER: Final = "a user"
_CONTINUATION: Final = "X-MS-ContinuationToken"
_MOST_PAGES: Final = 10_000


class Graph:
    """Reads users.

    Args:
        http: the connection.
        odd: called with a description of each user that could not be read.
    """

    def __init__(self, http: Http, odd: Callable[[str], None] = lambda _: None) -> None:
        self._http = http
        self._odd = odd

    def users(self, organization: Organization) -> Iterator[User]:
        """Yield all users, one request per page, made when it is reached.

        Pages have any length: only a header says whether another one follows.

        Raises:
            RefusedError: the signed-in user may not list users.
            PatError: they cannot be listed.
        """
        query = {"subjectTypes": _PEOPLE, "api-version": _API_VERSION}
        seen: set[int] = set()
        for _ in range(_MOST_PAGES):
            body, answer = self._json(self._call("GET", organization, "users", query))
            yield from self._users(body, answer)
            following = answer.headers.get(_CONTINUATION, "")
            if not following:
                return
            if hash(following) in seen:
                raise unreadable(answer, f"{_LIST} (a page is repeated)")
            seen.add(hash(following))
            query["continuationToken"] = following
        raise unreadable(answer, f"{_LIST} (it does not end after {_MOST_PAGES} pages)")

    def find(self, organization: Organization, prefix: str) -> tuple[User, ...]:
        """Return the users whose name, sign-in name or mail begins so, at most `MOST_FOUND`.

        Raises:
            RefusedError: the signed-in user may not search for users.
            PatError: the search failed.
        """
        call = self._call("POST", organization, "subjectquery", {"api-version": _API_VERSION})
        query = {"query": prefix, "subjectKind": ["User"]}
        body, answer = self._json(call._replace(body=query, is_query=True))
        kinds = tuple(f"{kind}." for kind in _PEOPLE.split(","))
        found = self._users(body, answer)
        return tuple(each for each in found if each.descriptor.startswith(kinds))

    def user(self, organization: Organization, descriptor: str) -> User:
        """Return the user with a descriptor.

        Raises:
            NotFoundError: there is none.
            RefusedError: the signed-in user may not see users.
        """
        place = f"users/{segment(descriptor)}"
        call = self._call("GET", organization, place, {"api-version": _API_VERSION})
        try:
            body, answer = self._json(call)
        except (NotFoundError, BadRequestError):  # 400 for what is no descriptor
            raise NotFoundError(
                f"{organization.name} has no user {descriptor!r}",
                hint="to list its users, run: pat admin users",
            ) from None
        return _user(body, answer)

    def _call(
        self, method: str, organization: Organization, place: str, query: dict[str, str]
    ) -> ApiCall:
        base = self._http.addresses.base(Service.TOKENS)
        url = f"{base}/{segment(organization.name)}/_apis/graph/{place}"
        return ApiCall(method=method, url=with_query(url, query), organization=organization.name)

    def _json(self, call: ApiCall) -> tuple[object, Response]:
        try:
            return self._http.json(call, _LIST)
        except PatError as error:
            if not is_refusal(error):
                raise
            raise lacks_right(
                error,
                f"you cannot list the users of {call.organization}",
                f"sign in as a member of {call.organization}; a personal access token needs the"
                " scope vso.graph (pat create NAME --for admin)",
            ) from None

    def _users(self, body: object, answer: Response) -> Iterator[User]:
        # A plain array in the specification, an object in Microsoft's example.
        rows = body if isinstance(body, list) else Record(body, _LIST, answer).rows("value")
        for row in rows:
            try:
                yield _user(row, answer)
            except PatError:
                self._odd(f"a user of {answer.asked.organization}")


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
