"""Reads and replaces the items of projects of Azure DevOps that pipelines use secrets from."""

from collections.abc import Mapping
from typing import Final, NamedTuple

from azdo_pat.api.addresses import segment, with_query
from azdo_pat.api.call import ApiCall
from azdo_pat.api.http import Http
from azdo_pat.api.refusals import naming_the_right
from azdo_pat.api.response import Response, printable
from azdo_pat.errors import NoAnswerError, NotFoundError

_SAFE_TO_REPEAT: Final = "the service may have carried out the request; delivering again is safe"


class Kind(NamedTuple):
    """A kind of items.

    Attributes:
        noun: what one is called.
        place: their path below `_apis`.
        right: what the user needs to change one, as a next step.
    """

    noun: str
    place: str
    right: str


class ProjectItems:
    """The items of one kind in an organization.

    Args:
        http: the connection to the service.
        organization: its name.
        kind: of the items.
    """

    def __init__(self, http: Http, organization: str, kind: Kind) -> None:
        self._http = http
        self._organization = organization
        self._kind = kind

    def read(
        self, project: str, identifier: str, query: dict[str, str], what: str
    ) -> tuple[object, Response]:
        """Return the JSON of an item, or of a list of items if `identifier` is empty.

        Args:
            project: its name or id.
            identifier: of the item.
            query: the parameters, with the version of the API.
            what: what the response should be, with its article.

        Raises:
            NotFoundError: there is no such project.
            RefusedError: the user lacks the right.
            PatError: it cannot be read.
        """
        below = f"{segment(project)}/_apis/{self._kind.place}"
        try:
            return self.json(f"{below}/{identifier}" if identifier else below, query, what)
        except NotFoundError as error:
            raise self.missing(f"project {project!r}") from error

    def json(self, below: str, query: dict[str, str], what: str) -> tuple[object, Response]:
        """Return the JSON of a path below the organization; raises as `read` does."""
        with naming_the_right(self._refusal, self._kind.right):
            return self._http.json(self._call("GET", below, query), what)

    def replace(
        self, identifier: str, document: Mapping[str, object], query: dict[str, str]
    ) -> None:
        """Replace a whole item.

        The request is not repeated where it may have had an effect: someone else may have changed
        the item since.

        Raises:
            NotFoundError: there is none.
            RefusedError: the user lacks the right.
            NoAnswerError: it is unknown whether it was replaced.
            PatError: it was not replaced.
        """
        call = self._call("PUT", f"_apis/{self._kind.place}/{identifier}", query)
        try:
            with naming_the_right(self._refusal, self._kind.right):
                self._http.send(call._replace(body=document, acts_as="POST"))
        except NoAnswerError as error:
            error.hint = _SAFE_TO_REPEAT
            raise
        except NotFoundError as error:
            raise self.missing(f"{self._kind.noun} {identifier}") from error

    def missing(self, what: str) -> NotFoundError:
        """Return the error for something that does not exist or that the user cannot see."""
        return NotFoundError(
            f"there is no {printable(what)} in {self._organization}, or you cannot see it",
            hint="check the names in the delivery target, and your role",
        )

    @property
    def _refusal(self) -> str:
        return f"you cannot read or change this {self._kind.noun} in {self._organization}"

    def _call(self, method: str, below: str, query: dict[str, str]) -> ApiCall:
        root = self._http.addresses.organization(self._organization)
        return ApiCall(
            method=method,
            url=with_query(f"{root}/{below}", query),
            organization=self._organization,
            holds_secrets=True,
        )
