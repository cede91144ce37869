"""The types of service connections: some of the service's, with the inputs of each scheme.

Names, inputs and which of them are confidential: Microsoft's examples ``ListEndpointTypes.json``
and ``GET__ServiceEndpointTypes.json`` (vsts-rest-api-specs); ``azdoapi``, of an extension, as
Terraform's provider creates it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, kw_only=True)
class Input:
    """An input of a type or a scheme; ``name`` is its label."""

    input_id: str
    name: str
    confidential: bool = False
    required: bool = True


@dataclass(frozen=True, kw_only=True)
class Scheme:
    """A way to sign in; ``name`` is its label."""

    scheme: str
    name: str
    inputs: tuple[Input, ...]


@dataclass(frozen=True, kw_only=True)
class ConnectionType:
    """A type; ``label`` is its ``displayName``."""

    name: str
    label: str
    schemes: tuple[Scheme, ...]
    inputs: tuple[Input, ...] = ()


def _secret(input_id: str, name: str) -> Input:
    return Input(input_id=input_id, name=name, confidential=True)


def _plain(input_id: str, name: str) -> Input:
    return Input(input_id=input_id, name=name, required=False)


_TOKEN: Final = Scheme(
    scheme="Token",
    name="Token Based Authentication",
    inputs=(_secret("apitoken", "Personal Access Token"),),
)
_BASIC: Final = Scheme(
    scheme="UsernamePassword",
    name="Basic Authentication",
    inputs=(_plain("username", "Username"), _secret("password", "Password")),
)
CONNECTION_TYPES: Final = (
    ConnectionType(
        name="externaltfs", label="Azure Repos/Team Foundation Server", schemes=(_TOKEN, _BASIC)
    ),
    ConnectionType(name="azdoapi", label="Azure DevOps", schemes=(_TOKEN,)),
    ConnectionType(
        name="externalnugetfeed",
        label="NuGet",
        schemes=(
            Scheme(scheme="None", name="ApiKey", inputs=(_secret("nugetkey", "ApiKey"),)),
            Scheme(scheme="Token", name="External Azure DevOps Server", inputs=_TOKEN.inputs),
            _BASIC,
        ),
    ),
    ConnectionType(name="externalnpmregistry", label="npm", schemes=(_BASIC, _TOKEN)),
    ConnectionType(
        name="externalPythonUploadFeed",
        label="Python package upload",
        schemes=(_BASIC, _TOKEN),
        inputs=(_plain("EndpointName", "EndpointName for Twine/Pip task"),),
    ),
    ConnectionType(
        name="github",
        label="GitHub",
        schemes=(
            Scheme(
                scheme="OAuth2",
                name="Grant authorization",
                inputs=(_plain("ConfigurationId", "OAuth Configuration"),),
            ),
            Scheme(
                scheme="Token",
                name="Personal Access Token",
                inputs=(_secret("AccessToken", "Token"), _plain("apitoken", "Token")),
            ),
        ),
    ),
    ConnectionType(name="generic", label="Generic", schemes=(_BASIC,)),
    ConnectionType(
        name="azurerm",
        label="Azure Resource Manager",
        schemes=(
            Scheme(
                scheme="ServicePrincipal",
                name="Service Principal Authentication",
                inputs=(
                    _secret("accessToken", "Access Token"),
                    _plain("serviceprincipalid", "Service Principal Id"),
                    _plain("authenticationType", "Credential"),
                    _secret("serviceprincipalkey", "Service principal key"),
                    _secret("servicePrincipalCertificate", "Certificate"),
                    _plain("tenantid", "Tenant ID"),
                ),
            ),
            Scheme(
                scheme="ManagedServiceIdentity",
                name="Managed Identity Authentication",
                inputs=(_plain("tenantid", "Tenant ID"),),
            ),
        ),
        inputs=(
            _plain("environment", "Environment"),
            _plain("scopeLevel", "Scope Level"),
            _plain("subscriptionId", "Subscription Id"),
            _plain("subscriptionName", "Subscription Name"),
            _plain("creationMode", "Creation Mode"),
        ),
    ),
    ConnectionType(
        name="kubernetes",
        label="Kubernetes",
        schemes=(
            Scheme(
                scheme="Token",
                name="Service Account",
                inputs=(
                    _secret("serviceAccountCertificate", "Certificate"),
                    _plain("isCreatedFromSecretYaml", "Created from a secret"),
                    _secret("apitoken", "API Token"),
                ),
            ),
        ),
    ),
    ConnectionType(
        name="ssh",
        label="SSH",
        schemes=(_BASIC,),
        inputs=(
            _plain("Host", "Host name"),
            _plain("Port", "Port number"),
            Input(input_id="PrivateKey", name="Private key", confidential=True, required=False),
        ),
    ),
)
_CONFIDENTIAL: Final = {
    (kind.name.casefold(), scheme.scheme.casefold()): frozenset(
        each.input_id.casefold() for each in (*kind.inputs, *scheme.inputs) if each.confidential
    )
    for kind in CONNECTION_TYPES
    for scheme in kind.schemes
}
EVERY_CONFIDENTIAL: Final = frozenset().union(*_CONFIDENTIAL.values())
"""The inputs, in lower case, that are confidential in any type."""


def confidential_inputs(kind: str, scheme: str) -> frozenset[str]:
    """The confidential inputs of a scheme and of its type, in lower case.

    For a type that the emulator does not have: all that are confidential anywhere.
    """
    return _CONFIDENTIAL.get((kind.casefold(), scheme.casefold()), EVERY_CONFIDENTIAL)
