"""The failures of the emulator: its own, and those that the service answers with."""

from __future__ import annotations

from enum import StrEnum
from typing import Final, NamedTuple


class EmulatorError(Exception):
    """The emulator cannot start or was told something it does not understand."""


class ConnectionCut(Exception):  # noqa: N818 -- it is an order to the server, not an error
    """Close the connection without an answer."""


class TokenError(StrEnum):
    """The values of ``patTokenError`` in use here (``SessionTokenError`` of tokens-7.2)."""

    NONE = "none"
    DISPLAY_NAME_REQUIRED = "displayNameRequired"
    INVALID_DISPLAY_NAME = "invalidDisplayName"
    INVALID_VALID_TO = "invalidValidTo"
    INVALID_SCOPE = "invalidScope"
    ACCESS_DENIED = "accessDenied"
    FAILED_TO_UPDATE = "failedToUpdateAccessToken"
    INVALID_TOKEN = "invalidToken"  # noqa: S105 -- a name, not a secret
    TOKEN_NOT_FOUND = "tokenNotFound"  # noqa: S105 -- a name, not a secret
    INVALID_AUTHORIZATION_ID = "invalidAuthorizationId"
    GLOBAL_POLICY = "globalPatPolicyViolation"
    FULL_SCOPE_POLICY = "fullScopePatPolicyViolation"
    LIFESPAN_POLICY = "patLifespanPolicyViolation"
    CREATION_POLICY = "disablePatCreationPolicyViolation"
    GLOBAL_BLOCKED = "globalPATCreationBlocked"
    EXPIRED = "expiredPatCannotBeExtended"


# api-version 7.1 lacks the newest values (specification/tokens/7.1 against 7.2).
BEFORE_7_2: Final = {
    TokenError.CREATION_POLICY: TokenError.ACCESS_DENIED,
    TokenError.GLOBAL_BLOCKED: TokenError.GLOBAL_POLICY,
    TokenError.EXPIRED: TokenError.FAILED_TO_UPDATE,
}

MESSAGES: Final = {
    TokenError.DISPLAY_NAME_REQUIRED: "A token needs a name.",
    TokenError.INVALID_DISPLAY_NAME: "The name of the token is not valid.",
    TokenError.INVALID_VALID_TO: "The expiration date must lie ahead, within one year.",
    TokenError.INVALID_SCOPE: "The scope is not valid.",
    TokenError.ACCESS_DENIED: "Access denied.",
    TokenError.FAILED_TO_UPDATE: "The token could not be updated.",
    TokenError.INVALID_TOKEN: "The token is not valid.",
    TokenError.TOKEN_NOT_FOUND: "There is no such token.",
    TokenError.INVALID_AUTHORIZATION_ID: "The authorization id is not valid.",
    TokenError.GLOBAL_POLICY: "A policy of the tenant forbids global tokens.",
    TokenError.FULL_SCOPE_POLICY: "A policy of the tenant forbids tokens with full access.",
    TokenError.LIFESPAN_POLICY: "A policy of the tenant limits the lifespan of tokens.",
    TokenError.CREATION_POLICY: "A policy of the organization restricts the creation of tokens.",
    TokenError.GLOBAL_BLOCKED: "Global tokens can no longer be created.",
    TokenError.EXPIRED: "An expired token cannot be extended.",
}


class TokenRefusedError(Exception):
    """A token request refused the way the service does: HTTP 200 and a ``patTokenError``."""

    def __init__(self, error: TokenError) -> None:
        super().__init__(error.value)
        self.error = error


class ErrorKind(NamedTuple):
    """An exception of the service as its JSON body names it."""

    status: int
    type_name: str
    event_id: int = 3000

    @property
    def type_key(self) -> str:
        """The bare class name."""
        return self.type_name.split(",", 1)[0].rsplit(".", 1)[-1]


_FRAMEWORK: Final = "Microsoft.TeamFoundation.Framework.Server"
_WEB_API: Final = "Microsoft.VisualStudio.Services.WebApi"
_COMMON: Final = "Microsoft.VisualStudio.Services.Common"
_AUTHORIZATION: Final = "Microsoft.VisualStudio.Services.DelegatedAuthorization"
_TASKS: Final = "Microsoft.TeamFoundation.DistributedTask.WebApi"
_ENDPOINTS: Final = "Microsoft.VisualStudio.Services.ServiceEndpoints.WebApi"
_CORE: Final = "Microsoft.TeamFoundation.Core.WebApi"

UNAUTHORIZED: Final = ErrorKind(401, f"{_FRAMEWORK}.UnauthorizedRequestException, {_FRAMEWORK}")
ACCESS_CHECK: Final = ErrorKind(403, f"{_FRAMEWORK}.AccessCheckException, {_FRAMEWORK}")
INVALID_ACCESS: Final = ErrorKind(403, f"{_FRAMEWORK}.InvalidAccessException, {_FRAMEWORK}")
TOKEN_NOT_FOUND: Final = ErrorKind(
    404, f"{_AUTHORIZATION}.SessionTokenNotFoundException, {_WEB_API}"
)
SUBJECT_NOT_FOUND: Final = ErrorKind(
    404, "Microsoft.VisualStudio.Services.Graph.GraphSubjectNotFoundException, " + _WEB_API
)
HOST_NOT_FOUND: Final = ErrorKind(404, f"{_FRAMEWORK}.HostDoesNotExistException, {_FRAMEWORK}")
PROFILE_NOT_FOUND: Final = ErrorKind(
    404, "Microsoft.VisualStudio.Services.Profile.ProfileDoesNotExistException, " + _WEB_API
)
NO_PROJECT_WITH_NAME: Final = ErrorKind(
    404, f"{_CORE}.ProjectDoesNotExistWithNameException, {_CORE}"
)
NO_PROJECT_WITH_ID: Final = ErrorKind(404, f"{_CORE}.ProjectDoesNotExistException, {_CORE}")
ACCESS_DENIED: Final = ErrorKind(403, f"{_TASKS}.AccessDeniedException, {_TASKS}")
VARIABLE_GROUP_EXISTS: Final = ErrorKind(409, f"{_TASKS}.VariableGroupExistsException, {_TASKS}")
VARIABLE_GROUP_NOT_FOUND: Final = ErrorKind(
    404, f"{_TASKS}.VariableGroupNotFoundException, {_TASKS}"
)
CONNECTION_EXISTS: Final = ErrorKind(
    500, f"{_ENDPOINTS}.DuplicateServiceConnectionException, {_ENDPOINTS}"
)
CONNECTION_NOT_FOUND: Final = ErrorKind(
    404, f"{_ENDPOINTS}.ServiceEndpointNotFoundException, {_ENDPOINTS}"
)
CONNECTION_REFUSED: Final = ErrorKind(400, f"{_ENDPOINTS}.ServiceEndpointException, {_ENDPOINTS}")
NO_CONTROLLER: Final = ErrorKind(404, "System.Web.HttpException, System.Web", event_id=0)
ARGUMENT: Final = ErrorKind(400, "System.ArgumentException, mscorlib", event_id=0)
ARGUMENT_NULL: Final = ErrorKind(400, "System.ArgumentNullException, mscorlib", event_id=0)
ARGUMENT_RANGE: Final = ErrorKind(400, "System.ArgumentOutOfRangeException, mscorlib", event_id=0)
JSON_READER: Final = ErrorKind(
    400, "Newtonsoft.Json.JsonReaderException, Newtonsoft.Json", event_id=0
)
NO_VERSION: Final = ErrorKind(400, f"{_WEB_API}.VssVersionNotSpecifiedException, {_WEB_API}")
PREVIEW_VERSION: Final = ErrorKind(400, f"{_WEB_API}.VssInvalidPreviewVersionException, {_WEB_API}")
VERSION_RANGE: Final = ErrorKind(400, f"{_WEB_API}.VssVersionOutOfRangeException, {_WEB_API}")
BAD_VERSION: Final = ErrorKind(400, f"{_WEB_API}.VssInvalidApiResourceVersionException, {_WEB_API}")
BLOCKED: Final = ErrorKind(429, f"{_FRAMEWORK}.RequestBlockedException, {_FRAMEWORK}")
INTERNAL: Final = ErrorKind(500, f"{_COMMON}.VssServiceException, {_COMMON}")


class ServiceError(Exception):
    """A failure that the service answers with an HTTP status and its JSON error body."""

    def __init__(self, kind: ErrorKind, message: str) -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message
