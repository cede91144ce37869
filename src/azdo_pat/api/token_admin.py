"""The tokens and SSH keys of any user, for administrators (spec: tokenAdmin 7.2)."""

from collections.abc import Callable, Iterator
from typing import Final

from azdo_pat.api.addresses import Service, segment, with_query
from azdo_pat.api.http import ApiCall, Http
from azdo_pat.api.json_fields import Record
from azdo_pat.api.paging import Continuations
from azdo_pat.api.refusals import naming_the_right
from azdo_pat.api.response import Response
from azdo_pat.api.tokens import read_token
from azdo_pat.models import Field, Organization, SessionToken

_API_VERSION: Final = "7.2-preview.1"
_PAGE_SIZE: Final = "20"
"""As in Microsoft's sample. The service has a limit, which it does not tell; more is an error."""
_NO_MORE: Final = "00000000-0000-0000-0000-000000000000"
_LIST: Final = "a list of tokens"


class TokenAdmin:
    """Reads the tokens of any user of an organization; threads may share an instance.

    Args:
        http: the connection.
        odd: called with what could not be read, for each token; must be thread-safe.
    """

    def __init__(self, http: Http, odd: Callable[[str], None] = lambda _: None) -> None:
        self._http = http
        self._odd = odd

    def tokens(
        self, organization: Organization, descriptor: str, *, ssh: bool = False
    ) -> Iterator[SessionToken]:
        """Yield the tokens of a user, or the SSH keys, one request per page.

        Raises:
            NotFoundError: the user is not a user of the organization.
            RefusedError: the signed-in user may not administer tokens.
            PatError: they cannot be listed.
        """
        base = self._http.addresses.base(Service.TOKENS)
        url = f"{base}/{segment(organization.name)}/_apis/tokenadmin/personalaccesstokens"
        query = {
            "pageSize": _PAGE_SIZE,
            "isPublic": str(ssh).lower(),
            "api-version": _API_VERSION,
        }
        continuations = Continuations()
        while True:
            page, answer = self._page(
                ApiCall(
                    method="GET",
                    url=with_query(f"{url}/{segment(descriptor)}", query),
                    organization=organization.name,
                )
            )
            for row in page.rows("value"):
                yield self._token(row, answer)
            following = page.url_part("continuationToken")
            if following in {"", _NO_MORE}:
                return
            continuations.require_new(following, answer, "a complete list")
            query["continuationToken"] = following

    def _page(self, call: ApiCall) -> tuple[Record, Response]:
        with naming_the_right(
            f"you cannot administer the tokens of {call.organization}",
            "only members of Project Collection Administrators can; a personal access token of"
            " a member needs the scope vso.tokenadministration (pat create NAME --for admin)",
        ):
            body, answer = self._http.json(call, _LIST)
        return Record(body, _LIST, answer), answer

    def _token(self, row: object, answer: Response) -> SessionToken:
        pat = read_token(row, answer)
        fields = row if isinstance(row, dict) else {}
        if fields and fields.get(Field.NAME) is None:  # as in Microsoft's example
            pat = pat._replace(display_name="", unread=pat.unread - {Field.NAME})
        if pat.unread:
            unread = ", ".join(sorted(pat.unread))
            where = answer.asked.organization
            self._odd(f"a token of {where} ({pat.authorization_id or 'id unknown'}: {unread})")
        valid, correlating = fields.get("isValid"), fields.get("crossCompanyCorrelatingId")
        if fields and not isinstance(valid, bool):
            where = answer.asked.organization
            self._odd(f"a token of {where} ({pat.authorization_id or 'id unknown'}: isValid)")
        return SessionToken(
            pat=pat,
            is_valid=valid if isinstance(valid, bool) else None,
            correlating_id=correlating if isinstance(correlating, str) else "",
        )
