"""The variable groups of Azure Pipelines (spec: distributedTask 7.2, `Variablegroups`)."""

from collections.abc import Mapping
from typing import Final, NamedTuple

from azdo_pat.api.http import Http
from azdo_pat.api.json_fields import Record
from azdo_pat.api.project_items import Kind, ProjectItems
from azdo_pat.api.response import Response
from azdo_pat.api.service_errors import unreadable

_VERSION: Final = {"api-version": "7.2-preview.2"}
_GROUP: Final = "a variable group"
_LIST: Final = "a list of variable groups"
_LINKED: Final = "azurekeyvault"
_KIND: Final = Kind(
    noun="variable group",
    place="distributedtask/variablegroups",
    right="ask for the role Administrator on the variable group (Pipelines > Library > the group >"
    " Security); a sign-in of your own application also needs the scope vso.variablegroups_manage",
)


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
        http: the connection to the service.
        organization: its name.
    """

    def __init__(self, http: Http, organization: str) -> None:
        self._items = ProjectItems(http, organization, _KIND)

    def find(self, project: str, name: str) -> int:
        """Return the id of the group of a project with a name, in any case.

        Raises:
            NotFoundError: there is none, or no such project.
            RefusedError: the user lacks the right.
            PatError: it cannot be read.
        """
        query = {"groupName": name, **_VERSION}  # "*" in it stands for anything
        body, answer = self._items.read(project, "", query, _LIST)
        for row in Record(body, _LIST, answer).rows("value"):
            found = Record(row, _GROUP, answer)
            if found.text("name").casefold() == name.casefold():
                return _number(found, answer)
        raise self._items.missing(f"variable group {name!r} in project {project!r}")

    def get(self, project: str, number: int) -> VariableGroup:
        """Return a group by its id.

        Raises:
            NotFoundError: there is none.
            RefusedError: the user lacks the right.
            PatError: it cannot be read.
        """
        body, answer = self._items.read(project, str(number), _VERSION, _GROUP)
        if body is None:  # the service's answer for an unknown id
            raise self._items.missing(f"variable group {number} in project {project!r}")
        record = Record(body, _GROUP, answer)
        if not isinstance(body, dict) or not isinstance(body.get("variables"), dict):
            raise unreadable(answer, f"{_GROUP} with variables")
        if not body.get("variableGroupProjectReferences"):  # it is refused without them
            raise unreadable(answer, f"{_GROUP} with its projects")
        vault = None
        if record.text_or_empty("type").casefold() == _LINKED:
            provider = record.record("providerData", "the vault of a variable group")
            vault = provider.shown_text("vault") if provider else ""
        return VariableGroup(id=_number(record, answer), document=body, vault=vault)

    def put(self, number: int, document: Mapping[str, object]) -> None:
        """Replace a whole group; a secret that is null in it stays what it is.

        Raises as `ProjectItems.replace`.
        """
        self._items.replace(str(number), document, _VERSION)


def _number(record: Record, answer: Response) -> int:
    number = record.value("id")
    if not isinstance(number, int):
        raise unreadable(answer, f"{_GROUP} with an id")
    return number
