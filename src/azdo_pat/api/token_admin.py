"""The tokens and SSH keys of any user, for administrators (spec: tokenAdmin 7.2)."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Final

from azdo_pat.api.addresses import segment
from azdo_pat.api.call import ApiCall, admin_call
from azdo_pat.api.http import Http
from azdo_pat.api.json_fields import Record
from azdo_pat.api.paging import Continuations
from azdo_pat.api.refusals import naming_the_right
from azdo_pat.api.response import Response
from azdo_pat.api.tokens import read_token
from azdo_pat.models import Field, Organization, SessionToken
from azdo_pat.times import rfc3339

MOST_REVOKED: Final = 990
"""The tokens that Microsoft's own script revokes with one request (microsoft/vsts-script-samples,
`Revoke-VSTSPATsJWTs.ps1`). The service has a limit, which it does not tell."""

_API_VERSION: Final = "7.2-preview.1"
_PAGE_SIZE: Final = "20"
"""As in Microsoft's sample. The service has a limit, which it does not tell; more is an error."""
_NO_MORE: Final = "00000000-0000-0000-0000-000000000000"
_LIST: Final = "a list of tokens"


class TokenAdmin:
    """Reads and revokes the tokens of any user of an organization; threads may share an instance.

    Args:
        http: the connection.
        odd: called with what could not be read, for each token; must be thread-safe.
    """

    def __init__(self, http: Http, odd: Callable[[str], None] = lambda _: None) -> None:
        self._http = http
        self._odd = odd

    def tokens(
        self,
        organization: Organization,
        descriptor: str,
        *,
        ssh: bool = False,
        is_last: bool = False,
    ) -> Iterator[SessionToken]:
        """Yield the tokens of a user, or the SSH keys, one request per page.

        Args:
            organization: of the user.
            descriptor: of the user.
            ssh: the SSH keys.
            is_last: see `ApiCall`.

        Raises:
            NotFoundError: the user is not a user of the organization.
            RefusedError: the signed-in user may not administer tokens.
            PatError: they cannot be listed.
        """
        place = f"personalaccesstokens/{segment(descriptor)}"
        query = {"pageSize": _PAGE_SIZE, **_kind(ssh=ssh)}
        continuations = Continuations()
        seen: set[str] = set()
        while True:
            call = self._call("GET", organization, place, query)
            page, answer = self._page(call._replace(is_last=is_last))
            for row in page.rows("value"):
                token = self._token(row, answer)
                identifier = token.pat.authorization_id
                if identifier not in seen:  # pages of a list that changes may overlap
                    yield token
                if identifier:
                    seen.add(identifier)
            following = page.url_part("continuationToken")
            if following in {"", _NO_MORE}:
                return
            continuations.require_new(following, answer, "a complete list")
            query["continuationToken"] = following

    def revoke(
        self,
        organization: Organization,
        authorization_ids: Sequence[str],
        *,
        ssh: bool = False,
        is_cancelled: Callable[[], bool] | None = None,
    ) -> None:
        """Revoke tokens of any users, or SSH keys; one that is gone, or unknown, is passed over.

        The service does not tell which of them it has revoked, and may take up to an hour
        (documentation: "Revoke personal access tokens for organization users"). The request may be
        repeated.

        Args:
            organization: whose users they are of.
            authorization_ids: at most `MOST_REVOKED`.
            ssh: they are SSH keys.
            is_cancelled: see `ApiCall`.

        Raises:
            KeyboardInterrupt: it was cancelled before the request was sent.
            BadRequestError: one of the ids is refused, or there are too many; none is revoked.
            RefusedError: the signed-in user may not administer tokens.
            PatError: it is unknown whether they are revoked; but see
                `UnavailableError.had_no_effect`.
        """
        call = self._call("POST", organization, "revocations", _kind(ssh=ssh))
        body = [{"authorizationId": each} for each in authorization_ids]
        self._send(call._replace(body=body, acts_as="DELETE", is_cancelled=is_cancelled))

    def add_rule(
        self, organization: Organization, scopes: Sequence[str], before: datetime | None
    ) -> None:
        """End all access tokens (JWTs) with one of the scopes that were issued before a time.

        Args:
            organization: in which they are refused from now on.
            scopes: which of them; a token with any of these is refused.
            before: None for now, by the service's clock.

        Raises:
            RefusedError: the signed-in user may not administer tokens.
            NoAnswerError: it is unknown whether the rule holds.
            PatError: the rule was not added.
        """
        body: dict[str, object] = {"scopes": " ".join(scopes)}
        if before is not None:
            body["createdBefore"] = rfc3339(before, "milliseconds")
        call = self._call("POST", organization, "revocationrules", {"api-version": _API_VERSION})
        self._send(call._replace(body=body))

    def _call(
        self, method: str, organization: Organization, place: str, query: dict[str, str]
    ) -> ApiCall:
        place = f"tokenadmin/{place}"
        return admin_call(self._http.addresses, method, organization, place, query)

    def _send(self, call: ApiCall) -> None:
        with _naming_the_right(call):
            self._http.send(call)

    def _page(self, call: ApiCall) -> tuple[Record, Response]:
        with _naming_the_right(call):
            body, answer = self._http.json(call, _LIST)
        return Record(body, _LIST, answer), answer

    def _token(self, row: object, answer: Response) -> SessionToken:
        pat = read_token(row, answer)
        fields = row if isinstance(row, dict) else {}
        if fields and not fields.get(Field.NAME, ""):  # null in Microsoft's example
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


def _kind(*, ssh: bool) -> dict[str, str]:
    return {"isPublic": str(ssh).lower(), "api-version": _API_VERSION}


def _naming_the_right(call: ApiCall) -> AbstractContextManager[None]:
    return naming_the_right(
        f"you cannot administer the tokens of {call.organization}",
        "only members of Project Collection Administrators can; a personal access token of"
        " a member needs the scope vso.tokenadministration (pat create NAME --for admin)",
    )
