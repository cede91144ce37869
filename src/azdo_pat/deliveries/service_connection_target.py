"""Delivers a secret to a service connection of Azure DevOps."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final

from azdo_pat.errors import ConflictError, PendingError, UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from azdo_pat.deliveries.placeholders import DeliveryContext
    from azdo_pat.deliveries.services import ServiceConnection, ServiceConnections
    from azdo_pat.delivery_targets import ServiceConnectionTarget
    from azdo_pat.models import Handover

_SCHEMES: Final = frozenset({"token", "usernamepassword", "none"})
"""Those that can hold a personal access token; `None` is that of the API key of NuGet."""
_READY_SECONDS: Final = 10.0
_KEPT: Final = ("data", "url", "owner", "name", "type", "isShared")


def probe(target: ServiceConnectionTarget, organization: str, context: DeliveryContext) -> None:
    """Check that the connection can be read, and which parameter holds the secret.

    Raises:
        NotFoundError: there is no such connection.
        UsageError: it can hold no token there, or would lose another secret.
        PatError: it cannot be read.
    """
    connections = context.services.service_connections(target.org or organization)
    connection = connections.find(target.project, target.connection)
    _parameter(target, connection, connections.confidential(connection.kind, connection.scheme))


def deliver(
    target: ServiceConnectionTarget,
    organization: str,
    handover: Handover,
    context: DeliveryContext,
) -> None:
    """Set the parameter, keep everything else, and wait until the connection is ready.

    Raises:
        ConflictError: someone else has changed the connection at the same time.
        PatError: the parameter could not be set, or the connection is not ready.
    """
    org = target.org or organization
    connections = context.services.service_connections(org)
    found = connections.find(target.project, target.connection)
    inputs = connections.confidential(found.kind, found.scheme)
    with context.alone(f"service connection {found.id} of {org.casefold()}"):
        _set(target, connections, found, inputs, handover)


def _set(
    target: ServiceConnectionTarget,
    connections: ServiceConnections,
    found: ServiceConnection,
    inputs: Sequence[str],
    handover: Handover,
) -> None:
    connection = connections.get(target.project, found.id)  # again, as that took a while
    if (connection.kind, connection.scheme) != (found.kind, found.scheme):
        raise ConflictError(
            "someone has just changed how the service connection signs in", hint="try again"
        )
    name = _parameter(target, connection, inputs)
    authorization: Any = connection.document["authorization"]
    parameters = {**authorization["parameters"], name: handover.secret.reveal()}
    sent = {
        **connection.document,
        "authorization": {**authorization, "parameters": parameters},
    }
    connections.put(connection.id, sent)
    after = _settled(target, connections, connection.id)
    if _comparable(after.document, name) != _comparable(sent, name):
        raise ConflictError(
            "someone else has changed the service connection at the same time",
            hint="check it in Project settings > Service connections; delivering again keeps what"
            " is there",
        )


def _settled(
    target: ServiceConnectionTarget, connections: ServiceConnections, guid: str
) -> ServiceConnection:
    end = time.monotonic() + _READY_SECONDS
    while True:
        found = connections.get(target.project, guid)
        if found.failure:
            raise PendingError(
                "the service connection failed after its change",
                hint="check it in Project settings > Service connections",
                server_message=found.failure,
            )
        if found.is_ready:
            return found
        if time.monotonic() > end:
            raise PendingError(
                f"the service connection was not ready {_READY_SECONDS:.0f} s after its change",
                hint="check it in Project settings > Service connections",
            )
        time.sleep(0.5)


def _parameter(
    target: ServiceConnectionTarget, connection: ServiceConnection, inputs: Sequence[str]
) -> str:
    """Return the name of the parameter that holds the secret, as the connection spells it.

    Args:
        target: the delivery target.
        connection: as the service describes it.
        inputs: the confidential inputs of its type and scheme.

    Raises:
        UsageError: no parameter can hold it, or it is not clear which, or another would be lost.
    """
    by_name = {each.casefold(): each for each in inputs}
    if connection.scheme.casefold() not in _SCHEMES or not by_name:
        raise UsageError(
            f"a service connection with the scheme {connection.scheme!r} holds no personal access"
            " token",
            hint="choose a connection that signs in with a token or a password",
        )
    wanted = target.parameter.casefold()
    if (not wanted and len(by_name) > 1) or (wanted and wanted not in by_name):
        raise UsageError(
            "the parameter that holds the secret is not clear"
            if not wanted
            else f"the service connection has no confidential parameter {target.parameter!r}",
            hint=f"add one of them after #: {', '.join(by_name.values())}",
        )
    key = wanted or next(iter(by_name))
    authorization: Any = connection.document["authorization"]
    there: Mapping[str, object] = authorization["parameters"]
    lost = [
        each
        for each, value in there.items()
        if value is None and each.casefold() in by_name and each.casefold() != key
    ]
    if lost:
        raise UsageError(
            f"the service connection has another secret, {lost[0]}, which the service may lose",
            hint="use a connection with one secret, or set it by hand",
        )
    return next((each for each in there if each.casefold() == key), by_name[key])


def _comparable(document: Mapping[str, object], secret: str) -> tuple[object, ...]:
    """Return what must be the same after the delivery."""
    authorization: Any = document["authorization"]
    parameters = {
        name.casefold(): value
        for name, value in authorization["parameters"].items()
        if name.casefold() != secret.casefold()
    }
    references = document.get("serviceEndpointProjectReferences")
    return (
        authorization.get("scheme"),
        parameters,
        document.get("description") or "",
        [document.get(each) for each in _KEPT],
        sorted(references, key=str) if isinstance(references, list) else references,
    )
