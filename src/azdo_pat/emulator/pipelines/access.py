"""Who may do what with variable groups and service connections, and in which project."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from azdo_pat.emulator import sign_in
from azdo_pat.emulator.body import read_guid
from azdo_pat.emulator.errors import (
    NO_PROJECT_WITH_ID,
    NO_PROJECT_WITH_NAME,
    UNAUTHORIZED,
    ServiceError,
)
from azdo_pat.emulator.library.items import Item, Role
from azdo_pat.emulator.projects import Project, find_project

if TYPE_CHECKING:
    from azdo_pat.emulator.call import Call
    from azdo_pat.emulator.directory import Organization, User
    from azdo_pat.emulator.service import Service

_EVERYTHING: Final = frozenset({"user_impersonation", "app_token"})


@dataclass(frozen=True, kw_only=True)
class Scopes:
    """What an API asks for; ``read`` are all with which one may read."""

    read: frozenset[str]
    manage: str

    def allow(self, held: frozenset[str], *, write: bool) -> bool:
        """Whether those that a caller holds will do."""
        wanted = {self.manage} if write else self.read | {self.manage}
        return not held.isdisjoint(_EVERYTHING | wanted)


@dataclass(frozen=True, kw_only=True)
class Visit:
    """A request by a member of an organization who has the scopes for it."""

    call: Call
    service: Service
    organization: Organization
    user: User

    def role_in(self, item: Item) -> Role:
        """What the user may do with an item: administrators everything, others may read.

        That holds where the item does not say otherwise of the user.
        """
        administers = self.service.administers(self.user, self.organization)
        usual = Role.ADMINISTRATOR if administers else Role.READER
        return item.roles.get(self.user.user_id, usual)

    def project(self, word: str) -> Project:
        """The project with a name or id.

        Raises:
            ServiceError: 404; there is none.
        """
        found = find_project(self.organization, word)
        if found is not None:
            return found
        if read_guid(word):
            raise ServiceError(
                NO_PROJECT_WITH_ID,
                "VS800075: The project with id 'vstfs:///Classification/TeamProject/"
                f"{word}' does not exist, or you do not have permission to access it.",
            )
        raise ServiceError(
            NO_PROJECT_WITH_NAME,
            f"TF200016: The following project does not exist: {word}. Verify that the name of"
            " the project is correct and that the project exists on the specified Azure DevOps"
            " Server.",
        )


def admit(call: Call, service: Service, organization: Organization, scopes: Scopes) -> Visit:
    """The visit of a caller who may use the API.

    Raises:
        SignInNeededError: the credentials are missing or no good.
        ServiceError: 401 for who is no member, and where a scope is missing: seen of the
            service, also with a scope that lets create but not change (vsts-rest-api-specs issue
            601). 403 for a service principal.
    """
    user, held = sign_in.user_and_scopes(call.headers, service, organization)
    sign_in.require_member(user, organization)
    if not scopes.allow(held, write=call.method != "GET"):
        raise ServiceError(
            UNAUTHORIZED,
            f"TF400813: The user '{user.user_id}' is not authorized to access this resource.",
        )
    return Visit(call=call, service=service, organization=organization, user=user)
