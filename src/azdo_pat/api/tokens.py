"""The user's own tokens: list, get, create, update, revoke (spec: tokens 7.2, `Pats`)."""

from collections.abc import Callable, Iterator, Mapping
from typing import Final, TypeVar

from azdo_pat.api.addresses import Service, segment, with_query
from azdo_pat.api.call import ApiCall
from azdo_pat.api.http import Http
from azdo_pat.api.json_fields import Record
from azdo_pat.api.paging import Continuations
from azdo_pat.api.response import Response
from azdo_pat.api.service_errors import NoSuchTokenError, unreadable
from azdo_pat.api.token_errors import token_failure
from azdo_pat.errors import UnavailableError
from azdo_pat.models import (
    Field,
    NewPat,
    Organization,
    PatChanges,
    PatRequest,
    Secret,
    ServicePat,
    Status,
)
from azdo_pat.redaction import remember
from azdo_pat.times import rfc3339

_API_VERSION: Final = "7.2-preview.1"
"""7.1 lacks `patTokenErrorMessage` and the four newest values of `patTokenError`."""
_PAGE_SIZE: Final = "100"
_ONE: Final = "a token"
_LIST_OF_TOKENS: Final = "a list of tokens"
_MOST_PAGES: Final = 1000
_MOST_EMPTY_PAGES: Final = 3
"""Consecutive empty pages; a filter may leave one or two."""


class Tokens:
    """The lifecycle API of personal access tokens.

    Every method raises a `PatError` on failure: SignInError, RefusedError,
    NotFoundError for an organization that does not exist, UnavailableError.

    Tokens are read field by field, and rows independently: an unreadable field is named
    in `ServicePat.unread`, and hides no other.

    Args:
        http: the connection.
        odd: called with what could not be read, for each row; must be thread-safe.
    """

    def __init__(self, http: Http, odd: Callable[[str], None] = lambda _: None) -> None:
        self._http = http
        self._odd = odd

    def list(
        self,
        organization: Organization,
        status: Status | None = Status.ACTIVE,
        *,
        sort: str | None = None,
        ascending: bool = True,
    ) -> Iterator[ServicePat]:
        """Yield the tokens, one request per page of 100, made when it is reached.

        The list may contain tokens of the user's other organizations, see their target accounts.

        Args:
            organization: the organization to ask.
            status: which tokens; None for all, without telling their status.
            sort: `displayName`, `displayDate` or `status`; None leaves it to the service.
            ascending: the order of `sort`.
        """
        wanted = "all" if status is None else status.value
        query = {"displayFilterOption": wanted, "$top": _PAGE_SIZE}
        if sort is not None:
            query |= {"sortByOption": sort, "isSortAscending": str(ascending).lower()}
        continuations = Continuations(_MOST_PAGES)
        empty = 0
        while True:
            body, answer = self._http.json(self._call("GET", organization, query), _LIST_OF_TOKENS)
            page = Record(body, _LIST_OF_TOKENS, answer)
            rows = page.rows("patTokens")
            for row in rows:
                yield self._service_pat(row, answer)
            following = page.url_part("continuationToken")
            if not following:
                return
            empty = 0 if rows else empty + 1
            if empty == _MOST_EMPTY_PAGES:
                raise unreadable(answer, "a complete list (its pages are empty)")
            continuations.require_new(following, answer, "a complete list")
            # Every page needs the same filters (spec: Pats_List).
            query["continuationToken"] = following

    def get(self, organization: Organization, authorization_id: str) -> ServicePat:
        """Return one token.

        Raises:
            NotFoundError: the token does not exist.
        """
        call = self._call("GET", organization, {"authorizationId": authorization_id})
        token, answer = self._token(call)
        return self._service_pat(token, answer)

    def create(self, organization: Organization, request: PatRequest) -> NewPat:
        """Create a token; only this response contains its secret.

        Any field except its id and secret may be unreadable.

        Raises:
            NoAnswerError: it is unknown whether the token was created, or its id or secret.
        """
        body = {
            "displayName": request.display_name,
            "scope": " ".join(request.scopes),
            "validTo": rfc3339(request.valid_to, "milliseconds"),
            "allOrgs": False,
        }
        token, answer = self._token(self._call("POST", organization, {}, body))
        record = Record(token, _ONE, answer)
        secret = record.secret("token")
        remember(secret)
        record.guid(Field.ID)
        return NewPat(pat=self._service_pat(token, answer), secret=Secret(secret))

    def update(
        self, organization: Organization, authorization_id: str, changes: PatChanges
    ) -> ServicePat:
        """Change a token; only the given fields are sent.

        Raises:
            NotFoundError: the token does not exist.
        """
        body: dict[str, object] = {"authorizationId": authorization_id}
        if changes.display_name is not None:
            body["displayName"] = changes.display_name
        if changes.scopes is not None:
            body["scope"] = " ".join(changes.scopes)
        if changes.valid_to is not None:
            body["validTo"] = rfc3339(changes.valid_to, "milliseconds")
        token, answer = self._token(self._call("PUT", organization, {}, body))
        return self._service_pat(token, answer)

    def revoke(self, organization: Organization, authorization_id: str) -> bool:
        """Revoke a token; False if it no longer exists."""
        call = self._call("DELETE", organization, {"authorizationId": authorization_id})
        try:
            answer = self._http.send(call)
            _raise_refusal(answer)
        except NoSuchTokenError:
            return False
        return True

    def _call(
        self,
        method: str,
        organization: Organization,
        query: Mapping[str, str],
        body: Mapping[str, object] | None = None,
    ) -> ApiCall:
        base = self._http.addresses.base(Service.TOKENS)
        url = f"{base}/{segment(organization.name)}/_apis/tokens/pats"
        return ApiCall(
            method=method,
            url=with_query(url, {**query, "api-version": _API_VERSION}),
            organization=organization.name,
            body=body,
        )

    def _token(self, call: ApiCall) -> tuple[object, Response]:
        """Make a call that answers with a `PatTokenResult`; return the object that is the token."""
        body, answer = self._http.json(call, _ONE)
        result = Record(body, _ONE, answer)
        _raise_token_failure(result, answer)
        token = result.value("patToken")
        if token is None:
            raise unreadable(answer, "a token (patToken is null)")
        if not isinstance(token, dict):
            raise unreadable(answer, _ONE)
        return token, answer

    def _service_pat(self, row: object, answer: Response) -> ServicePat:
        pat = read_token(row, answer)
        if pat.unread:
            fields = ", ".join(sorted(pat.unread))
            where = answer.asked.organization
            self._odd(f"a token of {where} ({pat.authorization_id or 'id unknown'}: {fields})")
        return pat


def _raise_token_failure(result: Record, answer: Response) -> None:
    code = result.text_or_empty("patTokenError")
    if code not in {"", "none"}:
        raise token_failure(code, result.shown_text("patTokenErrorMessage"), answer)


def _raise_refusal(answer: Response) -> None:
    """Raise the error in a revocation's response, which the spec says is empty."""
    try:
        body = answer.json()
    except ValueError:
        return
    if isinstance(body, dict):
        _raise_token_failure(Record(body, "a revocation", answer), answer)


_T = TypeVar("_T")


def read_token(row: object, answer: Response) -> ServicePat:
    """Read a token as far as it can be read; what cannot is among `unread`."""
    if not isinstance(row, dict):
        return ServicePat("", "", (), None, None, (), frozenset(Field))
    token = Record(row, _ONE, answer)
    unread: set[Field] = set()

    def read(field: Field, how: Callable[[str], _T], otherwise: _T) -> _T:
        try:
            return how(field)
        except UnavailableError:
            unread.add(field)
            return otherwise

    nowhere: tuple[str, ...] | None = ()
    targets = read(Field.TARGETS, token.guids_or_none, nowhere)
    if targets == ():
        unread.add(Field.TARGETS)  # an empty list contains no organization
    scopes = tuple(read(Field.SCOPES, token.filled_text, "").split())
    if not scopes:
        unread.add(Field.SCOPES)  # no token has an empty set of scopes
    return ServicePat(
        authorization_id=read(Field.ID, token.guid, ""),
        display_name=read(Field.NAME, token.filled_text, token.shown_text(Field.NAME)),
        scopes=scopes,
        valid_from=read(Field.CREATED, token.moment, None),
        valid_to=read(Field.EXPIRES, token.moment, None),
        target_accounts=targets,
        unread=frozenset(unread),
    )
