"""Searches the sources of access tokens in order; the first one with a token is used."""

from collections.abc import Iterable
from datetime import datetime
from typing import Final, NamedTuple, Protocol

from azdo_pat.errors import PatError, RefusedError, SignInError
from azdo_pat.models import AccessToken, SourceReport

WITHHELD: Final = "not used: PAT_API_URL is not https"


class Absent(NamedTuple):
    """The result of a source without a token, with the reason."""

    reason: str


class TokenSource(Protocol):
    """One source of access tokens."""

    @property
    def name(self) -> str:
        """Its name in messages."""

    def access_token(self, now: datetime) -> AccessToken | Absent:
        """Return the token, or the reason why there is none.

        Raises:
            SignInError: there is one, and it cannot be used.
        """


class Withheld(NamedTuple):
    """A source that must not be used for the current API root."""

    name: str

    def access_token(self, now: datetime) -> AccessToken | Absent:
        """Return the reason; see `TokenSource`."""
        del now
        return Absent(reason=WITHHELD)


class Search(NamedTuple):
    """The result of a search through the sources.

    Attributes:
        token: None if no source had a usable one; then `failure` says why.
    """

    token: AccessToken | None
    failure: PatError | None
    reports: tuple[SourceReport, ...]

    def with_unasked(self, names: Iterable[str]) -> tuple[SourceReport, ...]:
        """Return a report on every source, including those after the one that is used.

        Args:
            names: of all sources, in their order.
        """
        known = {report.name for report in self.reports}
        first = self.reports[-1].name if self.reports else ""
        unasked = (
            SourceReport(name=name, used=False, detail=f"not used: {first} takes precedence")
            for name in names
            if name not in known
        )
        return (*self.reports, *unasked)

    def required(self) -> AccessToken:
        """Return the token.

        Raises:
            SignInError: no source had an access token.
            RefusedError: the access token found is not a user's.
        """
        if self.token is None:
            raise self.failure or SignInError("not signed in")
        return self.token


def first_that_answers(
    sources: Iterable[TokenSource],
    now: datetime,
    *,
    applications: bool = False,
    variable: str = "PAT_ACCESS_TOKEN",
) -> Search:
    """Ask the sources in order until one has a token, even an unusable one.

    Continuing with the next source after an unusable token would act as another user than the one
    that was intended.

    Args:
        sources: of access tokens.
        now: the current time.
        applications: whether the token may be of a service principal or managed identity. They
            cannot manage tokens of their own (documentation: "Manage PATs using REST API").
        variable: the one that an access token can be set in.
    """
    reports: list[SourceReport] = []
    for source in sources:
        try:
            answer = source.access_token(now)
            if isinstance(answer, AccessToken) and answer.is_application and not applications:
                raise _not_of_a_user(source.name)
        except PatError as error:
            reports.append(SourceReport(name=source.name, used=False, detail=error.message))
            return Search(token=None, failure=error, reports=tuple(reports))
        if isinstance(answer, AccessToken):
            reports.append(SourceReport(name=source.name, used=True, detail="used"))
            return Search(token=answer, failure=None, reports=tuple(reports))
        reports.append(SourceReport(name=source.name, used=False, detail=answer.reason))
    tried = "; ".join(f"{report.name}: {report.detail}" for report in reports)
    if any(report.detail == WITHHELD for report in reports):
        failure = SignInError(
            f"not signed in ({tried})",
            hint="unset PAT_API_URL, or set it to an https address; for an emulator, set"
            " PAT_ACCESS_TOKEN to its access token",
        )
        return Search(token=None, failure=failure, reports=tuple(reports))
    failure = SignInError(
        f"not signed in ({tried})",
        hint="to sign in, run: pat login; or use the Azure CLI (az login), or set"
        f" {variable} to a Microsoft Entra access token",
    )
    return Search(token=None, failure=failure, reports=tuple(reports))


def _not_of_a_user(source: str) -> RefusedError:
    return RefusedError(
        f"the access token from {source} belongs to a service principal or managed identity, which"
        " cannot manage personal access tokens",
        hint="to sign in as a user, run: pat login; or use the identity's access token in place of"
        " a personal access token",
    )
