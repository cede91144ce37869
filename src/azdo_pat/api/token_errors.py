"""Maps each `patTokenError` to the error that the user reads."""

from typing import Final

from azdo_pat.api.response import Response
from azdo_pat.api.service_errors import NoSuchTokenError, Rule, by_rule
from azdo_pat.errors import (
    NotFoundError,
    PatError,
    RefusedError,
    SignInError,
    UnavailableError,
    UsageError,
)
from azdo_pat.models import GLOBAL_TOKENS_STOP

_ADMINISTRATOR: Final = "ask an administrator of the tenant, or see the policies of {org}"
_TENANT: Final = (
    "; an Azure DevOps Administrator of the tenant can change the policy or exempt you"
    " (Organization settings > Microsoft Entra)"
)
_COLLECTION: Final = (
    "; a Project Collection Administrator of {org} can change the policy or exempt you"
    " (Organization settings > Policies)"
)
"""Source: "Manage personal access tokens using policies", on who may set which, and where."""
_LIST: Final = "to list all tokens, run: pat list --status all"
_AS_USER: Final = "to sign in as a user, run: pat login"
_LATER: Final = "try again later"
_REPORT: Final = "try again; if the problem persists, report it with the activity id"
_ORG: Final = "to check the organization's name, run: pat status"

PAT_TOKEN_ERRORS: Final = {
    # the request
    "displayNameRequired": Rule(
        error=UsageError, message="the token has no name", hint="give a name: pat create NAME"
    ),
    "invalidDisplayName": Rule(
        error=UsageError,
        message="the service does not accept the token's name",
        hint="use a shorter name, with letters, digits, spaces and dashes only",
    ),
    "invalidValidTo": Rule(
        error=UsageError,
        message="the service does not accept the token's expiry",
        hint="use an expiry in the future, at most a year away, for example --expires 30d",
    ),
    "invalidScope": Rule(
        error=UsageError,
        message="the service does not know one of the scopes",
        hint="to list all scopes, run: pat scopes",
    ),
    # the token
    "authorizationNotFound": Rule(
        error=NoSuchTokenError, message="no such token in {org}", hint=_LIST
    ),
    "tokenNotFound": Rule(error=NoSuchTokenError, message="no such token in {org}", hint=_LIST),
    "invalidAuthorizationId": Rule(
        error=NoSuchTokenError, message="no such token in {org}: the id is not valid", hint=_LIST
    ),
    "expiredPatCannotBeExtended": Rule(
        error=RefusedError,
        message="the token has expired, and an expired token cannot be changed",
        hint="to replace it with a new token, run: pat rotate TOKEN",
    ),
    "invalidToken": Rule(
        error=RefusedError, message="the token cannot be changed in its current state", hint=_LIST
    ),
    "failedToUpdateAccessToken": Rule(
        error=UnavailableError, message="the service could not change the token", hint=_LATER
    ),
    "failedToIssueAccessToken": Rule(
        error=UnavailableError, message="the service could not create the token", hint=_LATER
    ),
    "duplicateHash": Rule(
        error=UnavailableError,
        message="the service generated a secret that already existed, and withdrew it",
        hint="try again",
    ),
    # policies
    "patLifespanPolicyViolation": Rule(
        error=RefusedError,
        message="a policy of the tenant (Enforce maximum personal access token lifespan) does not"
        " allow a lifetime that long",
        hint="use a shorter lifetime, for example --expires 7d" + _TENANT,
    ),
    "fullScopePatPolicyViolation": Rule(
        error=RefusedError,
        message="a policy of the tenant (Restrict full-scoped personal access token creation)"
        " forbids tokens with full access",
        hint="use only the scopes that the job needs; to list scopes, run: pat scopes" + _TENANT,
    ),
    "globalPatPolicyViolation": Rule(
        error=RefusedError,
        message="a policy of the tenant (Restrict global personal access token creation)"
        " forbids tokens for all organizations",
        hint="create a token for each organization, with --org NAME" + _TENANT,
    ),
    "globalPATCreationBlocked": Rule(
        error=RefusedError,
        message="the service does not allow tokens for all organizations to be created or changed",
        hint="create a token for each organization, with --org NAME; no global token works from"
        f" {GLOBAL_TOKENS_STOP} on",
    ),
    "disablePatCreationPolicyViolation": Rule(
        error=RefusedError,
        message="a policy of {org} (Restrict personal access token creation) does not allow you to"
        " create this token",
        hint="packaging scopes alone may still be allowed: --scope packaging" + _COLLECTION,
    ),
    "failedToReadTenantPolicy": Rule(
        error=RefusedError,
        message="the service could not read the policies of the tenant",
        hint=_ADMINISTRATOR,
    ),
    "failedToReadOrgPolicy": Rule(
        error=RefusedError,
        message="the service could not read the policies of {org}",
        hint=_ADMINISTRATOR,
    ),
    "sshPolicyDisabled": Rule(
        error=RefusedError,
        message="a policy of {org} (SSH authentication) forbids SSH keys",
        hint="use https instead of ssh" + _COLLECTION,
    ),
    # the user, and the network
    "accessDenied": Rule(
        error=RefusedError,
        message="the signed-in user is not allowed to do this",
        hint=_ADMINISTRATOR,
    ),
    "invalidUserType": Rule(
        error=RefusedError,
        message="only users can have tokens, not service principals or managed identities",
        hint=_AS_USER,
    ),
    "userIdRequired": Rule(
        error=SignInError, message="the sign-in does not identify the user", hint=_AS_USER
    ),
    "invalidUserId": Rule(
        error=SignInError, message="the service does not know the signed-in user", hint=_AS_USER
    ),
    "invalidClient": Rule(
        error=SignInError,
        message="the service does not accept the application that signed in",
        hint=_AS_USER,
    ),
    "invalidClientType": Rule(
        error=SignInError,
        message="the service does not accept the type of application that signed in",
        hint=_AS_USER,
    ),
    "invalidClientId": Rule(
        error=SignInError,
        message="the service does not know the application that signed in",
        hint=_AS_USER,
    ),
    "invalidAudience": Rule(
        error=SignInError,
        message="the access token is for another service",
        hint="to get an access token for Azure DevOps, run:"
        " az account get-access-token --resource 499b84ac-1321-427f-aa17-267ca6975798",
    ),
    "invalidSubject": Rule(
        error=SignInError, message="the access token is for another user", hint=_AS_USER
    ),
    "invalidTokenType": Rule(
        error=SignInError,
        message="the access token is of the wrong type",
        hint="a personal access token cannot be used here; " + _AS_USER,
    ),
    "invalidSource": Rule(
        error=RefusedError,
        message="the service does not accept requests from this location",
        hint=_ADMINISTRATOR,
    ),
    "invalidSourceIP": Rule(
        error=RefusedError,
        message="the service does not accept requests from this network address",
        hint="use the network or VPN that the tenant's policies allow",
    ),
    "sourceNotSupported": Rule(
        error=RefusedError,
        message="the service does not support requests from this kind of source",
        hint=_ADMINISTRATOR,
    ),
    # the organization
    "invalidTargetAccounts": Rule(
        error=NotFoundError,
        message="the service does not know {org} as an organization of the user",
        hint=_ORG,
    ),
    "hostAuthorizationNotFound": Rule(
        error=NotFoundError, message="the signed-in user has no access to {org}", hint=_ORG
    ),
    "deploymentHostNotSupported": Rule(
        error=RefusedError, message="{host} does not manage tokens", hint=_ORG
    ),
}
"""By the values of `SessionTokenError` (spec: tokens 7.2), all but `none`."""

_UNKNOWN: Final = Rule(
    error=RefusedError, message="the service refused the request with {code}", hint=_REPORT
)


def token_failure(code: str, said: str, answer: Response) -> PatError:
    """Return the error for a `patTokenError` other than `none`.

    Args:
        code: its value; one that is not in the table passes through.
        said: `patTokenErrorMessage`, empty where there is none.
        answer: where it came in.
    """
    return by_rule(PAT_TOKEN_ERRORS.get(code, _UNKNOWN), answer, said=said, code=code)
