"""Where the resources of the service are, as Microsoft's own clients ask before anything else.

A client knows a resource by an id. It asks which URL serves the area of the resource, and there for
the resource's route and versions.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from azdo_pat.emulator import answers, sign_in
from azdo_pat.emulator.body import read_guid
from azdo_pat.emulator.versions import LATEST, Resource, read_version

if TYPE_CHECKING:
    from werkzeug.wrappers import Response

    from azdo_pat.emulator.call import Call
    from azdo_pat.emulator.directory import Organization
    from azdo_pat.emulator.service import Service

PATS: Final = Resource()
PROFILES: Final = Resource(revisions=3, released=True)
ACCOUNTS: Final = Resource(released=True)
CONNECTION: Final = Resource(optional=True)
PROJECTS: Final = Resource(revisions=4, released=True)
AUDIT: Final = Resource()
GRAPH: Final = Resource()
TOKEN_ADMINISTRATION: Final = Resource()
VARIABLE_GROUPS: Final = Resource(revisions=2, released=True)
ENDPOINTS: Final = Resource(revisions=4, released=True)
ENDPOINT_TYPES: Final = Resource(released=True)
_RESOURCE_AREAS: Final = Resource(optional=True)


@dataclass(frozen=True, kw_only=True)
class _Location:
    """A resource; `everywhere` says that it is below organizations and outside of them."""

    id: str
    area: str
    name: str
    route: str
    resource: Resource
    organization: bool = True
    everywhere: bool = False


@dataclass(frozen=True, kw_only=True)
class _Area:
    """A group of resources, all below an organization or all outside of organizations."""

    id: str
    name: str
    organization: bool = True


# Ids, names and routes: the `x-ms-vss-…` fields of Microsoft's OpenAPI documents, and what its
# clients for Python and Go send (microsoft/azure-devops-python-api, microsoft/azure-devops-go-api).
_LOCATIONS: Final = (
    _Location(
        id="00d9565f-ed9c-4a06-9a50-00e7896ccab4",
        area="Location",
        name="ConnectionData",
        route="_apis/{resource}",
        resource=CONNECTION,
    ),
    _Location(
        id="e81700f7-3be2-46de-8624-2eb35882fcaa",
        area="Location",
        name="ResourceAreas",
        route="_apis/{resource}/{areaId}",
        resource=_RESOURCE_AREAS,
        everywhere=True,
    ),
    _Location(
        id="55967393-20ef-45c6-a96c-b5d5d5986a9a",
        area="Tokens",
        name="Pats",
        route="_apis/{area}/{resource}",
        resource=PATS,
    ),
    _Location(
        id="4e5fa14f-7097-4b73-9c85-00abc7353c61",
        area="Audit",
        name="auditLog",
        route="_apis/{area}/{resource}",
        resource=AUDIT,
    ),
    _Location(
        id="6fa30b9a-9558-4e3b-a95f-a12572caa6e6",
        area="Audit",
        name="actions",
        route="_apis/{area}/{resource}",
        resource=AUDIT,
    ),
    _Location(
        id="005e26ec-6b77-4e4f-a986-b3827bf241f5",
        area="Graph",
        name="Users",
        route="_apis/{area}/{resource}/{userDescriptor}",
        resource=GRAPH,
    ),
    _Location(
        id="05942c89-006a-48ce-bb79-baeb8abf99c6",
        area="Graph",
        name="SubjectQuery",
        route="_apis/{area}/{resource}",
        resource=GRAPH,
    ),
    _Location(
        id="048aee0a-7072-4cde-ab73-7af77b1e0b4e",
        area="Graph",
        name="Descriptors",
        route="_apis/{area}/{resource}/{storageKey}",
        resource=GRAPH,
    ),
    _Location(
        id="af68438b-ed04-4407-9eb6-f1dbae3f922e",
        area="TokenAdmin",
        name="personalAccessTokens",
        route="_apis/{area}/{resource}/{subjectDescriptor}",
        resource=TOKEN_ADMINISTRATION,
    ),
    _Location(
        id="a9c08b2c-5466-4e22-8626-1ff304ffdf0f",
        area="TokenAdmin",
        name="revocations",
        route="_apis/{area}/{resource}",
        resource=TOKEN_ADMINISTRATION,
    ),
    _Location(
        id="ee4afb16-e7ab-4ed8-9d4b-4ef3e78f97e4",
        area="TokenAdmin",
        name="revocationRules",
        route="_apis/{area}/{resource}",
        resource=TOKEN_ADMINISTRATION,
    ),
    _Location(
        id="ef5b7057-ffc3-4c77-bbad-c10b4a4abcc7",
        area="distributedtask",
        name="variablegroups",
        route="_apis/{area}/{resource}/{groupId}",
        resource=VARIABLE_GROUPS,
    ),
    _Location(
        id="f5b09dd5-9d54-45a1-8b5a-1c8287d634cc",
        area="distributedtask",
        name="variablegroups",
        route="{project}/_apis/{area}/{resource}/{groupId}",
        resource=VARIABLE_GROUPS,
    ),
    _Location(
        id="14e48fdc-2c8b-41ce-a0c3-e26f6cc55bd0",
        area="serviceendpoint",
        name="endpoints",
        route="_apis/{area}/{resource}/{endpointId}",
        resource=ENDPOINTS,
    ),
    _Location(
        id="e85f1c62-adfc-4b74-b618-11a150fb195e",
        area="serviceendpoint",
        name="endpoints",
        route="{project}/_apis/{area}/{resource}/{endpointId}",
        resource=ENDPOINTS,
    ),
    _Location(
        id="5a7938a4-655e-486c-b562-b78c54a7e87b",
        area="serviceendpoint",
        name="types",
        route="_apis/{area}/{resource}",
        resource=ENDPOINT_TYPES,
    ),
    _Location(
        id="603fe2ac-9723-48b9-88ad-09305aa6c6e1",
        area="core",
        name="projects",
        route="_apis/{resource}/{*projectId}",
        resource=PROJECTS,
    ),
    _Location(
        id="f83735dc-483f-4238-a291-d45f6080a9af",
        area="Profile",
        name="Profiles",
        route="_apis/{area}/{resource}/{id}",
        resource=PROFILES,
        organization=False,
    ),
    _Location(
        id="229a6a53-b428-4ffb-a835-e8f36b5b4b1e",
        area="Accounts",
        name="Accounts",
        route="_apis/{resource}",
        resource=ACCOUNTS,
        organization=False,
    ),
)
_AREAS: Final = (
    _Area(id="79134c72-4a58-4b42-976c-04e7115f32bf", name="core"),
    _Area(id="55967393-20ef-45c6-a96c-b5d5d5986a9a", name="Tokens"),
    _Area(id="94ff054d-5ee1-413d-9341-3f4a7827de2e", name="Audit"),
    _Area(id="bb1e7ec9-e901-4b68-999a-de7012b920f8", name="Graph"),
    _Area(id="af68438b-ed04-4407-9eb6-f1dbae3f922e", name="TokenAdmin"),
    _Area(id="a85b8835-c1a1-4aac-ae97-1c3d0ba72dbd", name="distributedtask"),
    _Area(id="1814ab31-2f4f-4a9f-8761-f4d77dc5a5d7", name="serviceendpoint"),
    _Area(id="8ccfef3d-2b87-4e99-8ccb-66e343d2daa8", name="Profile", organization=False),
    _Area(id="0d55247a-1c47-4462-9b1f-5e2125590ee6", name="Accounts", organization=False),
)


def where(
    call: Call, service: Service, organization: Organization | None, rest: list[str]
) -> Response | None:
    """Say where resources are.

    The answers say nothing of any user, so a request without credentials gets them, too.

    Args:
        call: the request.
        service: what knows the tokens.
        organization: the one in the path, or None.
        rest: what follows `_apis` in the path, in lower case.

    Returns:
        None where the request is for something else.

    Raises:
        SignInNeededError: the credentials are no good.
        ServiceError: 400; it asks for a version that there is not.
    """
    version = ""
    match call.method, rest:
        case "OPTIONS", [] | [_]:
            everywhere = call.arguments.get("allhosttypes", "").casefold() == "true"
            value = _locations(organization, area="".join(rest), everywhere=everywhere)
        case "GET", ["resourceareas"]:
            version = read_version(call, _RESOURCE_AREAS).text
            value = answers.collection(_areas(call.root, organization))
        case "GET", ["resourceareas", area_id]:
            version = read_version(call, _RESOURCE_AREAS).text
            value = _area(call.root, organization, read_guid(area_id))
        case _:
            return None
    sign_in.check_credentials(call.headers, service, organization)
    return answers.json_answer(value, version=version)


def _locations(organization: Organization | None, *, area: str, everywhere: bool) -> dict[str, Any]:
    return answers.collection(
        _location_json(each)
        for each in _LOCATIONS
        if (everywhere or each.everywhere or each.organization is (organization is not None))
        and area in {"", each.area.casefold()}
    )


def _areas(root: str, organization: Organization | None) -> list[dict[str, Any]]:
    return [
        _area_json(each, root, organization)
        for each in _AREAS
        if organization is not None or not each.organization
    ]


def _area(root: str, organization: Organization | None, area_id: str | None) -> dict[str, Any]:
    """Return one area; one that is nothing but nulls where there is none with this id."""
    for each in _areas(root, organization):
        if each["id"] == area_id:
            return each
    return {"id": None, "name": None, "locationUrl": None}


def _location_json(location: _Location) -> dict[str, Any]:
    newest = ".".join(map(str, LATEST))
    return {
        "id": location.id,
        "area": location.area,
        "resourceName": location.name,
        "routeTemplate": location.route,
        "resourceVersion": location.resource.revisions,
        "minVersion": "1.0",
        "maxVersion": newest,
        "releasedVersion": newest if location.resource.released else "0.0",
    }


def _area_json(each: _Area, root: str, organization: Organization | None) -> dict[str, Any]:
    below = f"{organization.name}/" if organization is not None and each.organization else ""
    return {"id": each.id, "name": each.name, "locationUrl": f"{root}/{below}"}
