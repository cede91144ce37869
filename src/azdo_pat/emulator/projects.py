"""The projects of the organizations: two in contoso, one in each of the others."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from azdo_pat.emulator.directory import CONTOSO, ORGANIZATIONS

if TYPE_CHECKING:
    from azdo_pat.emulator.directory import Organization


@dataclass(frozen=True, kw_only=True)
class Project:
    """A project; its id is the same on every start."""

    organization_id: str
    name: str

    @property
    def project_id(self) -> str:
        """Its GUID."""
        return str(uuid.uuid5(uuid.UUID(self.organization_id), self.name))


_NAMES: Final = {CONTOSO.name: ("fabric", "Web Shop")}
_PROJECTS: Final = tuple(
    Project(organization_id=each.organization_id, name=name)
    for each in ORGANIZATIONS
    for name in _NAMES.get(each.name, ("fabric",))
)


def projects_of(organization: Organization) -> list[Project]:
    """The projects of an organization."""
    return [each for each in _PROJECTS if each.organization_id == organization.organization_id]


def find_project(organization: Organization, word: str) -> Project | None:
    """The project of an organization with this name or GUID, in any case."""
    wanted = word.casefold()
    for project in projects_of(organization):
        if wanted in {project.name.casefold(), project.project_id}:
            return project
    return None
