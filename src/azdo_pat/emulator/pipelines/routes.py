"""Which request is for which endpoint of variable groups and service connections."""

from __future__ import annotations

from typing import TYPE_CHECKING

from azdo_pat.emulator import answers
from azdo_pat.emulator.pipelines import connection_routes, group_routes
from azdo_pat.emulator.pipelines.access import Visit, admit

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from werkzeug.wrappers import Response

    from azdo_pat.emulator.call import Call
    from azdo_pat.emulator.directory import Organization
    from azdo_pat.emulator.service import Service

    _Endpoints = Mapping[str, Callable[[Visit], Response]]


def answer(
    call: Call, service: Service, organization: Organization, rest: list[str], project: str = ""
) -> Response | None:
    """What the service says; None where the request is for something else.

    Args:
        call: the request.
        service: what knows groups and connections.
        organization: the one in the path.
        rest: what follows ``_apis`` in the path, in lower case.
        project: the project in the path, by name or id; empty without.

    Raises:
        SignInNeededError: the credentials are missing or no good.
        ServiceError: the request is refused.
    """
    endpoints: _Endpoints = {}
    scopes = group_routes.SCOPES
    match rest:
        case ["distributedtask", "variablegroups", *below]:
            endpoints = _groups(below, project)
        case ["serviceendpoint", *below]:
            scopes = connection_routes.SCOPES
            endpoints = _connections(below, project)
    if not endpoints:
        return None
    if call.method not in endpoints:
        return answers.wrong_method(call.method, ", ".join(endpoints))
    return endpoints[call.method](admit(call, service, organization, scopes))


# The older API (5.x), which the Azure CLI uses, writes below a project, too.


def _groups(rest: list[str], project: str) -> _Endpoints:
    match rest:
        case [] if project:
            return {
                "GET": lambda visit: group_routes.find(visit, visit.project(project)),
                "POST": lambda visit: group_routes.add(visit, visit.project(project)),
            }
        case []:
            return {"POST": group_routes.add}
        case [key] if project:
            return {
                "GET": lambda visit: group_routes.get(visit, visit.project(project), key),
                "PUT": lambda visit: group_routes.update(visit, key, visit.project(project)),
                "DELETE": lambda visit: group_routes.remove(visit, key, visit.project(project)),
            }
        case [key]:
            return {
                "PUT": lambda visit: group_routes.update(visit, key),
                "DELETE": lambda visit: group_routes.remove(visit, key),
            }
    return {}


def _connections(rest: list[str], project: str) -> _Endpoints:
    match rest:
        case ["types"] if not project:
            return {"GET": connection_routes.types}
        case ["endpoints"] if project:
            return {
                "GET": lambda visit: connection_routes.find(visit, visit.project(project)),
                "POST": lambda visit: connection_routes.add(visit, visit.project(project)),
            }
        case ["endpoints"]:
            return {"POST": connection_routes.add}
        case ["endpoints", key] if project:
            return {
                "GET": lambda visit: connection_routes.get(visit, visit.project(project), key),
                "PUT": lambda visit: connection_routes.update(visit, key, visit.project(project)),
                "DELETE": lambda visit: connection_routes.remove(
                    visit, key, visit.project(project)
                ),
            }
        case ["endpoints", key]:
            return {
                "PUT": lambda visit: connection_routes.update(visit, key),
                "DELETE": lambda visit: connection_routes.remove(visit, key),
            }
    return {}
