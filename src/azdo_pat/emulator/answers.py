"""What goes over the wire: JSON documents, error bodies, sign-in pages."""

from __future__ import annotations

import base64
import json
import uuid
from typing import TYPE_CHECKING, Any, Final

from werkzeug.wrappers import Response

from azdo_pat.emulator import times
from azdo_pat.emulator.directory import ANONYMOUS, TENANT_ID, Organization, User
from azdo_pat.emulator.tokens import Status

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from azdo_pat.emulator.audit import Event
    from azdo_pat.emulator.errors import ErrorKind
    from azdo_pat.emulator.projects import Project
    from azdo_pat.emulator.tokens import Token
    from azdo_pat.emulator.versions import Version

_NO_ID: Final = str(uuid.UUID(int=0))
_HTML: Final = "text/html; charset=utf-8"
_SIGN_IN_PAGE: Final = """<!DOCTYPE html>
<html lang="en"><head><title>Azure DevOps Services | Sign In</title></head>
<body><h1>Sign in</h1><p>This is the sign-in page of a local emulator.</p></body></html>
"""
_NOT_FOUND_PAGE: Final = """<!DOCTYPE html>
<html lang="en"><head><title>The resource cannot be found.</title></head>
<body><h1>404 - Page not found</h1></body></html>
"""


def json_answer(value: object, *, status: int = 200, version: str = "") -> Response:
    """A JSON document; ``version`` is the api-version that the answer keeps to."""
    kind = "application/json; charset=utf-8"
    if version:
        kind += f"; api-version={version}"
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    if not all(character < "\ud800" or character > "\udfff" for character in text):
        text = json.dumps(value, separators=(",", ":"))  # UTF-8 has none; its escape is JSON
    return Response(text.encode(), status=status, content_type=kind)


def error_answer(kind: ErrorKind, message: str, *, status: int | None = None) -> Response:
    """The error body that all Azure DevOps services share."""
    value = {
        "$id": "1",
        "innerException": None,
        "message": message,
        "typeName": kind.type_name,
        "typeKey": kind.type_key,
        "errorCode": 0,
        "eventId": kind.event_id,
    }
    return json_answer(value, status=kind.status if status is None else status)


def collection(values: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """The object that a list of objects is wrapped in."""
    found = list(values)
    return {"count": len(found), "value": found}


def sign_in_page(status: int) -> Response:
    """The HTML that comes instead of data."""
    return Response(_SIGN_IN_PAGE, status=status, content_type=_HTML)


def not_found_page() -> Response:
    """The HTML for an address that leads nowhere."""
    return Response(_NOT_FOUND_PAGE, status=404, content_type=_HTML)


def wrong_method(method: str, allowed: str) -> Response:
    """The refusal of a method; ``allowed`` are those that there are."""
    message = f"The requested resource does not support http method '{method}'."
    refusal = json_answer({"count": 1, "value": {"Message": message}}, status=405)
    refusal.headers["Allow"] = allowed
    return refusal


def challenge(
    answer: Response, root: str, tenant: str = TENANT_ID, *, not_before: int = 0
) -> Response:
    """Add the headers that say how to sign in, and to which tenant.

    With ``not_before`` they ask for a token that is not older: a claims challenge of Continuous
    Access Evaluation, as Microsoft's documentation of it shows one.
    """
    address = f"https://login.microsoftonline.com/{tenant}"
    bearer = f"Bearer authorization_uri={address}"
    bearer += newer(not_before)
    answer.headers.add("WWW-Authenticate", bearer)
    answer.headers.add("WWW-Authenticate", f'Basic realm="{root}"')
    answer.headers.add("WWW-Authenticate", "TFS-Federated")
    answer.headers["X-VSS-ResourceTenant"] = tenant
    return answer


def newer(not_before: int) -> str:
    """What a challenge adds to ask for a token that is not older; empty for any."""
    if not not_before:
        return ""
    claims = {"access_token": {"nbf": {"essential": True, "value": str(not_before)}}}
    encoded = base64.b64encode(json.dumps(claims, separators=(",", ":")).encode()).decode()
    return f', error="insufficient_claims", claims="{encoded}"'


def token_json(token: Token, secret: str | None = None) -> dict[str, Any]:
    """``PatToken`` of the specification; the secret is there only after a create."""
    targets = token.target_accounts
    return {
        "displayName": token.display_name,
        "validTo": times.write(token.valid_to),
        "scope": token.scope,
        "targetAccounts": None if targets is None else list(targets),
        "validFrom": times.write(token.valid_from),
        "authorizationId": token.authorization_id,
        "token": secret,
    }


def session_token_json(token: Token, now: datetime, version: Version) -> dict[str, Any]:
    """``SessionToken`` as Microsoft's example shows it; from 7.2 on, it tells whose a secret is.

    An SSH key has no secret to correlate.
    """
    targets = token.target_accounts
    value = {
        "clientId": _NO_ID,
        "accessId": _NO_ID,
        "authorizationId": token.authorization_id,
        "hostAuthorizationId": _NO_ID,
        "userId": token.owner_id,
        "validFrom": times.write_without_zone(token.valid_from),
        "validTo": times.write_without_zone(token.valid_to),
        "displayName": token.display_name,
        "scope": token.scope,
        "targetAccounts": None if targets is None else list(targets),
        "token": None,
        "alternateToken": None,
        "isValid": token.status(now) is Status.ACTIVE,
        "isPublic": token.ssh,
        "publicData": None,
        "source": None,
    }
    if version.has_correlating_ids:
        value["crossCompanyCorrelatingId"] = None if token.ssh else token.correlating_id
    return value


def profile_json(user: User) -> dict[str, Any]:
    """``Profile`` as Microsoft's example shows it."""
    return {
        "displayName": user.display_name,
        "publicAlias": user.user_id,
        "emailAddress": user.mail,
        "coreRevision": 1647,
        "timeStamp": "2024-05-12T22:23:07.727+00:00",
        "id": user.user_id,
        "revision": 1647,
    }


def account_json(organization: Organization, root: str) -> dict[str, Any]:
    """``Account`` as Microsoft's example shows it."""
    return {
        "accountId": organization.organization_id,
        "accountUri": f"{root}/{organization.name}/",
        "accountName": organization.name,
        "properties": {},
    }


def project_json(project: Project, organization: Organization, root: str) -> dict[str, Any]:
    """A project, as Microsoft's example shows one."""
    return {
        "id": project.project_id,
        "name": project.name,
        "url": f"{root}/{organization.name}/_apis/projects/{project.project_id}",
        "state": "wellFormed",
        "revision": 11,
        "visibility": "private",
        "lastUpdateTime": "2026-01-12T09:41:00.123Z",
    }


def audit_json(event: Event, organization: Organization, user: User) -> dict[str, Any]:
    """``DecoratedAuditLogEntry`` with the fields that Microsoft's example has for a user."""
    action = event.action
    return {
        "id": event.event_id,
        "correlationId": event.activity_id,
        "activityId": event.activity_id,
        "actorCUID": user.object_id,
        "actorUserId": user.user_id,
        "actorUPN": user.mail,
        "authenticationMechanism": event.mechanism,
        "timestamp": event.time.isoformat(),
        "scopeType": "organization",
        "scopeDisplayName": f"{organization.name} (Organization)",
        "scopeId": organization.organization_id,
        "ipAddress": event.address,
        "userAgent": event.user_agent,
        "actionId": action.action_id,
        "data": {"DisplayName": event.name} if event.name else {},
        "details": action.sentence.replace("{name}", event.name),
        "area": action.area,
        "category": action.category,
        "categoryDisplayName": action.category.capitalize(),
        "actorDisplayName": user.display_name,
    }


def graph_user_json(user: User, organization: Organization, root: str) -> dict[str, Any]:
    """``GraphUser`` with the fields that Microsoft's examples have."""
    value: dict[str, Any] = {"subjectKind": "user"}
    if user.kind == "aad":
        value |= {"directoryAlias": user.mail.partition("@")[0]}
        value |= {"metaType": "guest" if user.guest else "member"}
    graph = f"{root}/{organization.name}/_apis/Graph"
    descriptor = user.descriptor
    value |= {
        "domain": TENANT_ID if user.kind == "aad" else "Build",
        "principalName": user.mail or user.object_id,
        "mailAddress": user.mail,
        "origin": "aad" if user.kind == "aad" else "vsts",
        "originId": user.object_id,
        "displayName": user.display_name,
        "_links": {
            "self": {"href": f"{graph}/Users/{descriptor}"},
            "memberships": {"href": f"{graph}/Memberships/{descriptor}"},
            "membershipState": {"href": f"{graph}/MembershipStates/{descriptor}"},
            "storageKey": {"href": f"{graph}/StorageKeys/{descriptor}"},
            "avatar": {
                "href": f"{root}/{organization.name}/_apis/GraphProfile/MemberAvatars/{descriptor}"
            },
        },
        "url": f"{graph}/Users/{descriptor}",
        "descriptor": descriptor,
    }
    return value | ({"isDeletedInOrigin": True} if user.deleted else {})


def descriptor_json(user: User, organization: Organization, root: str) -> dict[str, Any]:
    """``GraphDescriptorResult`` as Microsoft's example shows it."""
    graph = f"{root}/{organization.name}/_apis/Graph"
    return {
        "value": user.descriptor,
        "_links": {
            "self": {"href": f"{graph}/Descriptors/{user.user_id}"},
            "storageKey": {"href": f"{graph}/StorageKeys/{user.descriptor}"},
            "subject": {"href": f"{graph}/Users/{user.descriptor}"},
        },
    }


def connection_json(user: User, organization: Organization) -> dict[str, Any]:
    """``ConnectionData`` as the clients of the real service read it."""
    identity = _identity(user)
    return {
        "authenticatedUser": identity,
        "authorizedUser": identity,
        "instanceId": organization.organization_id,
        "deploymentId": "1f18445b-609a-73c1-2ae2-521b74b4c11d",
        "deploymentType": "hosted",
        "locationServiceData": {
            "serviceOwner": "00025394-6065-48ca-87d9-7f5672854ef7",
            "defaultAccessMappingMoniker": "PublicAccessMapping",
            "lastChangeId": 62693399,
            "lastChangeId64": 62693399,
        },
    }


def _identity(user: User) -> dict[str, Any]:
    if user is ANONYMOUS:
        kind, account = "System:PublicAccess", user.user_id
        subject = f"s2s.{user.descriptor.partition('.')[2]}"
    else:
        kind, subject = "Microsoft.IdentityModel.Claims.ClaimsIdentity", user.descriptor
        account = f"{TENANT_ID}\\{user.mail}"
    return {
        "id": user.user_id,
        "descriptor": f"{kind};{account}",
        "subjectDescriptor": subject,
        "providerDisplayName": user.display_name,
        "isActive": True,
        "properties": {"Account": {"$type": "System.String", "$value": user.mail}},
        "resourceVersion": 2,
        "metaTypeId": 0,
    }
