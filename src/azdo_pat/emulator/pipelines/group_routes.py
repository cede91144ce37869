"""The API of variable groups."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from werkzeug.wrappers import Response

from azdo_pat.emulator import answers, locations, times
from azdo_pat.emulator.errors import (
    ACCESS_DENIED,
    ARGUMENT,
    INTERNAL,
    UNAUTHORIZED,
    VARIABLE_GROUP_EXISTS,
    VARIABLE_GROUP_NOT_FOUND,
    ServiceError,
)
from azdo_pat.emulator.graph_routes import CONTINUATION
from azdo_pat.emulator.library.items import Reference, Role, later
from azdo_pat.emulator.library.variable_groups import Variable, VariableGroup, written
from azdo_pat.emulator.pipelines import queries
from azdo_pat.emulator.pipelines.access import Scopes, Visit
from azdo_pat.emulator.pipelines.bodies import GroupRequest, read_group
from azdo_pat.emulator.pipelines.documents import group_json
from azdo_pat.emulator.versions import read_version

if TYPE_CHECKING:
    from azdo_pat.emulator.projects import Project

SCOPES: Final = Scopes(
    read=frozenset({"vso.variablegroups_read", "vso.variablegroups_write"}),
    manage="vso.variablegroups_manage",
)


def find(visit: Visit, project: Project) -> Response:
    """The groups of a project that a user may see, the newest first.

    The continuation token is the id of the next page's first group, as in Microsoft's example
    ``GET_VariableGroupsByActionFilter.json``.
    """
    version = read_version(visit.call, locations.VARIABLE_GROUPS)
    role = queries.least_role(visit)
    name, ids = _pattern(visit), queries.words(visit, "groupids")
    order = visit.call.arguments.get("queryorder", "idDescending").casefold()
    start = queries.whole_number(visit, "continuationtoken")
    top = queries.whole_number(visit, "$top")
    ascending = order == "idascending"
    found = sorted(
        (
            group
            for group in visit.service.library.groups.all()
            if group.organization_id == visit.organization.organization_id
            and group.in_project(project.project_id)
            and visit.role_in(group) >= role
            and name.fullmatch(group.name)
            and (not ids or group.key in ids)
        ),
        key=lambda group: int(group.key),
        reverse=not ascending,
    )
    if start is not None:
        found = [
            each
            for each in found
            if (int(each.key) >= start if ascending else int(each.key) <= start)
        ]
    page = found if top is None else found[:top]
    answer = answers.json_answer(
        answers.collection(group_json(group, visit) for group in page), version=version.text
    )
    if len(page) < len(found):
        answer.headers[CONTINUATION] = found[len(page)].key
    return answer


def get(visit: Visit, project: Project, key: str) -> Response:
    """One group of a project; null where there is none.

    The service answers so both to an unknown id and to one of another project: Terraform's
    provider and ``az`` look for it.
    """
    version = read_version(visit.call, locations.VARIABLE_GROUPS)
    group = visit.service.library.groups.find(key, visit.organization.organization_id)
    seen = (
        group is not None
        and group.in_project(project.project_id) is not None
        and visit.role_in(group) >= Role.READER
    )
    value = group_json(group, visit) if group is not None and seen else None
    return answers.json_answer(value, version=version.text)


def add(visit: Visit, project: Project | None = None) -> Response:
    """Make a group; ``project`` is that of the older API, which has one in the path."""
    version = read_version(visit.call, locations.VARIABLE_GROUPS)
    request = read_group(visit.call.body)
    name, variables = _checked(request)
    references = _references(visit, request, project)
    if len(references) > 1:
        raise ServiceError(INTERNAL, "Sharing of variable group is not allowed.")
    library, now = visit.service.library, times.quantise(visit.service.now())
    _require_unique(visit, name, references)
    group = VariableGroup(
        key=library.next_group(),
        organization_id=visit.organization.organization_id,
        kind=request.kind or "Vsts",
        name=name,
        description=request.description,
        variables={},
        provider_data=request.provider_data,
        references=references,
        created_by=visit.user.user_id,
        created_on=now,
        modified_by=visit.user.user_id,
        modified_on=now,
        roles={visit.user.user_id: Role.ADMINISTRATOR},
    )
    group = replace(group, variables=_kept(group, variables))
    library.groups.keep(group)
    return answers.json_answer(group_json(group, visit), version=version.text)


def update(visit: Visit, key: str, project: Project | None = None) -> Response:
    """Put a whole group in place of the one that there is; what is left out is gone."""
    version = read_version(visit.call, locations.VARIABLE_GROUPS)
    request = read_group(visit.call.body)
    shelf = visit.service.library.groups
    with shelf.writing(key, visit.organization.organization_id) as before:
        group = _administered(visit, before, key)
        name, variables = _checked(request)
        references = _references(visit, request, project, group)
        for each in references:
            if group.in_project(each.project_id) is None:
                raise ServiceError(
                    ARGUMENT, f"Variable group is not part of project {each.project_id}."
                )
        _require_unique(visit, name, references, but=key)
        group = replace(
            group,
            kind=request.kind or group.kind,
            name=name,
            description=request.description,
            provider_data=request.provider_data,
            references=references,
            modified_by=visit.user.user_id,
            modified_on=later(visit.service.now(), group.modified_on),
        )
        group = replace(group, variables=_kept(group, variables))
        shelf.keep(group)
        value = group_json(group, visit)
    return answers.json_answer(value, version=version.text)


def remove(visit: Visit, key: str, project: Project | None = None) -> Response:
    """Delete a group from projects; once it is in none, it is gone."""
    read_version(visit.call, locations.VARIABLE_GROUPS)
    shelf = visit.service.library.groups
    with shelf.writing(key, visit.organization.organization_id) as before:
        group = _administered(visit, before, key)
        left = (
            queries.leaving(visit, group)
            if project is None
            else tuple(each for each in group.references if each.project_id != project.project_id)
        )
        if left:
            shelf.keep(replace(group, references=left))
        else:
            shelf.remove(key)
    return Response(status=204)


def _administered(visit: Visit, group: VariableGroup | None, key: str) -> VariableGroup:
    """The group, which the user administers.

    Raises:
        ServiceError: 404; there is none. 403; the user has another role.
    """
    if group is None or visit.role_in(group) is Role.NONE:
        raise ServiceError(VARIABLE_GROUP_NOT_FOUND, f"Variable group with ID {key} is not found.")
    if visit.role_in(group) < Role.ADMINISTRATOR:
        raise ServiceError(
            ACCESS_DENIED,
            "You do not have permissions to perform this operation on the variable group. A"
            " variable group Administrator can add you to the Administrator role.",
        )
    return group


def _checked(request: GroupRequest) -> tuple[str, dict[str, Variable]]:
    """The name and the variables of a request.

    Raises:
        ServiceError: 400; one of the two is missing. That there must be a variable was seen of
            the service.
    """
    if not request.name:
        raise ServiceError(ARGUMENT, "Variable group name is not valid.")
    if not request.variables:
        raise ServiceError(ARGUMENT, "Variable group must have at least one variable defined.")
    return request.name, dict(request.variables)


def _kept(group: VariableGroup, sent: dict[str, Variable]) -> dict[str, Variable]:
    if group.is_linked:
        return {name: replace(each, value=None, secret=True) for name, each in sent.items()}
    return written(group.variables, sent)


def _references(
    visit: Visit, request: GroupRequest, project: Project | None, group: VariableGroup | None = None
) -> tuple[Reference, ...]:
    """The projects of a group after a write.

    With a project in the path, the older API needs no references.

    Raises:
        ServiceError: 401; there are none (vsts-rest-api-specs issue 531; in 2025, AzurePipelinesPS
            issue 32 has a message about it instead). 400 or 404; a reference is not good.
    """
    if request.references:
        return queries.references(visit, request.references)
    if project is None:
        raise ServiceError(
            UNAUTHORIZED,
            f"TF400813: The user '{visit.user.user_id}' is not authorized to access this resource.",
        )
    if group is not None:
        return group.references
    return (
        Reference(
            project_id=project.project_id,
            name=request.name or "",
            description=request.description,
        ),
    )


def _require_unique(
    visit: Visit, name: str, references: tuple[Reference, ...], *, but: str = ""
) -> None:
    """Raises ServiceError: 409, where a project has another group of that name."""
    for group in visit.service.library.groups.all():
        same = group.name.casefold() == name.casefold() and group.key != but
        if same and any(group.in_project(each.project_id) for each in references):
            raise ServiceError(VARIABLE_GROUP_EXISTS, f"Variable group {name} already exists.")


def _pattern(visit: Visit) -> re.Pattern[str]:
    """What ``groupName`` matches: a whole name in any case, where ``*`` stands for anything."""
    text = visit.call.arguments.get("groupname") or "*"
    parts = (re.escape(part) for part in text.split("*"))
    return re.compile(".*".join(parts), re.IGNORECASE | re.DOTALL)
