"""The variable groups of Azure Pipelines (spec: distributedTask 7.2, `Variablegroups`)."""

from collections.abc import Mapping
from typing import Final, NamedTuple

from azdo_pat.api.addresses import Service, segment, with_query
from azdo_pat.api.call import ApiCall
from azdo_pat.api.http import Http
from azdo_pat.api.json_fields import Record
from azdo_pat.api.refusals import naming_the_right
from azdo_pat.api.response import Response, printable
from azdo_pat.api.service_errors import unreadable
from azdo_pat.errors import NoAnswerError, NotFoundError

_API_VERSION: Final = "7.2-preview.2"
_GROUP: Final = "a variable group"
_LIST: Final = "a list of variable groups"
_LINKED: Final = "azurekeyvault"


class VariableGroup(NamedTuple):
    """A variable group.

    Attributes:
        id: its number.
        document: all of it as the service sent it; secrets in it are null.
        vault: the key vault that its variables come from; None for a group that holds them.
    """

    id: int
    document: Mapping[str, object]
    vault: str | None


class VariableGroups:
    """Reads and replaces the variable groups of an organization.

    Args:
        http: the connection.
        organization: its name.
    """

    def __init__(self, http: Http, organization: str) -> None:
        self._http = http
        self._organization = organization

    def find(self, project: str, name: str) -> VariableGroup:
        """Return the group of a project with a name, in any case.

        Raises:
            NotFoundError: there is none, or no such project.
            PatError: it cannot be read.
        """
        query = {"groupName": name, "api-version": _API_VERSION}  # "*" in it stands for anything
        body, answer = self._read(project, "", query, _LIST)
        for row in Record(body, _LIST, answer).rows("value"):
            found = Record(row, _GROUP, answer)
            if found.text("name").casefold() == name.casefold():
                return self.get(project, _number(found, answer))
        raise self._missing(f"variable group {name!r} in project {project!r}")

    def get(self, project: str, number: int) -> VariableGroup:
        """Return a group by its id.

        Raises:
            NotFoundError: there is none.
            PatError: it cannot be read.
        """
        body, answer = self._read(project, f"/{number}", {"api-version": _API_VERSION}, _GROUP)
        if body is None:  # the service's answer for an unknown id
            raise self._missing(f"variable group {number} in project {project!r}")
        record = Record(body, _GROUP, answer)
        if not isinstance(body, dict) or not isinstance(body.get("variables"), dict):
            raise unreadable(answer, f"{_GROUP} with variables")
        vault = None
        if record.text_or_empty("type").casefold() == _LINKED:
            provider = record.record("providerData", "the vault of a variable group")
            vault = provider.shown_text("vault") if provider else ""
        return VariableGroup(id=_number(record, answer), document=body, vault=vault)

    def put(self, number: int, document: Mapping[str, object]) -> None:
        """Replace a whole group; a secret that is null in it stays what it is.

        The request is not repeated where it may have had an effect: someone else may have changed
        the group since.

        Raises:
            NotFoundError: there is none.
            RefusedError: the user is not an Administrator of the group.
            NoAnswerError: it is unknown whether it was replaced.
            PatError: it was not replaced.
        """
        place = f"{self._root}/_apis/distributedtask/variablegroups/{number}"
        call = self._call("PUT", place, {"api-version": _API_VERSION})
        try:
            with naming_the_right(
                f"you cannot change variable group {number} of {self._organization}",
                "ask for the role Administrator on the variable group (Pipelines > Library > the"
                " group > Security); a sign-in of your own application also needs the scope"
                " vso.variablegroups_manage",
            ):
                self._http.send(call._replace(body=document, acts_as="POST"))
        except NoAnswerError as error:
            error.hint = "the service may have carried out the request; delivering again is safe"
            raise
        except NotFoundError as error:
            raise self._missing(f"variable group {number}") from error

    @property
    def _root(self) -> str:
        base = self._http.addresses.base(Service.ORGANIZATIONS)
        return f"{base}/{segment(self._organization)}"

    def _read(
        self, project: str, place: str, query: dict[str, str], what: str
    ) -> tuple[object, Response]:
        url = f"{self._root}/{segment(project)}/_apis/distributedtask/variablegroups{place}"
        try:
            with naming_the_right(
                f"you cannot read the variable groups of project {project!r}",
                "ask for the role Administrator on the variable group; a sign-in of your own"
                " application also needs the scope vso.variablegroups_manage",
            ):
                return self._http.json(self._call("GET", url, query), what)
        except NotFoundError as error:
            raise self._missing(f"project {project!r}") from error

    def _call(self, method: str, url: str, query: dict[str, str]) -> ApiCall:
        return ApiCall(
            method=method,
            url=with_query(url, query),
            organization=self._organization,
            holds_secrets=True,
        )

    def _missing(self, what: str) -> NotFoundError:
        return NotFoundError(
            f"there is no {printable(what)} in {self._organization}, or you cannot see it",
            hint="check the names in the delivery target, and your role",
        )


def _number(record: Record, answer: Response) -> int:
    number = record.value("id")
    if not isinstance(number, int):
        raise unreadable(answer, f"{_GROUP} with an id")
    return number
