"""Delivers a secret, and probes whether that can be done: which module for which target."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from azdo_pat.deliveries import (
    command_target,
    file_target,
    github_target,
    key_vault_target,
    service_connection_target,
    tool_target,
    variable_group_target,
    vault_target,
)
from azdo_pat.delivery_targets import (
    CommandTarget,
    FileTarget,
    GitHubTarget,
    KeyVaultTarget,
    ServiceConnectionTarget,
    ToolTarget,
    UnknownTarget,
    VariableGroupTarget,
    VaultTarget,
)
from azdo_pat.errors import PatError, PendingError, UsageError
from azdo_pat.redaction import remember

if TYPE_CHECKING:
    from azdo_pat.deliveries.placeholders import DeliveryContext
    from azdo_pat.delivery_targets import Delivery, ServiceTarget
    from azdo_pat.models import Handover, HeldSecret, Organization


def probe(delivery: Delivery, organization: Organization, context: DeliveryContext) -> None:
    """Check, without changing anything, that a secret can be delivered to a target.

    What reading cannot tell is left to the delivery.

    Args:
        delivery: the target.
        organization: that of the token.
        context: what deliveries find around them.

    Raises:
        PatError: it cannot be.
    """
    match delivery:
        case CommandTarget():
            command_target.probe(delivery, context)
        case FileTarget():
            file_target.probe(delivery)
        case ToolTarget():
            tool_target.probe(delivery)
        case UnknownTarget():
            raise _unknown(delivery)
        case _:
            try:
                _probe_service(delivery, organization, context)
            except PatError as error:
                raise _naming(delivery, error) from error


def _probe_service(
    target: ServiceTarget, organization: Organization, context: DeliveryContext
) -> None:
    match target:
        case KeyVaultTarget():
            key_vault_target.probe(target, context)
        case VaultTarget():
            vault_target.probe(target, context)
        case VariableGroupTarget():
            variable_group_target.probe(target, organization.name, context)
        case ServiceConnectionTarget():
            service_connection_target.probe(target, organization.name, context)
        case GitHubTarget():
            github_target.probe(target, context)
        case _:
            assert_never(target)


def deliver(delivery: Delivery, handover: Handover, context: DeliveryContext) -> None:
    """Bring a secret to one target; done again with the same, to the same effect.

    Raises:
        PendingError: it could not be done.
    """
    remember(handover.secret.reveal())
    match delivery:
        case CommandTarget():
            command_target.deliver(delivery, handover, context)
        case FileTarget():
            file_target.deliver(delivery, handover, context)
        case ToolTarget():
            tool_target.deliver(delivery, handover, context)
        case UnknownTarget():
            error = _unknown(delivery)
            raise PendingError(error.message, hint=error.hint)
        case _:
            try:
                _deliver_to_service(delivery, handover, context)
            except PatError as error:
                named = _naming(delivery, error)
                raise PendingError(
                    named.message,
                    hint=named.hint,
                    server_message=named.server_message,
                    activity_id=named.activity_id,
                ) from error


def _deliver_to_service(
    target: ServiceTarget, handover: Handover, context: DeliveryContext
) -> None:
    match target:
        case KeyVaultTarget():
            key_vault_target.deliver(target, handover, context)
        case VaultTarget():
            vault_target.deliver(target, handover, context)
        case VariableGroupTarget():
            variable_group_target.deliver(target, _organization(handover), handover, context)
        case ServiceConnectionTarget():
            service_connection_target.deliver(target, _organization(handover), handover, context)
        case GitHubTarget():
            github_target.deliver(target, handover, context)
        case _:
            assert_never(target)


def held(delivery: Delivery, context: DeliveryContext) -> HeldSecret | None:
    """Return the secret that a vault holds, with the token that was noted there.

    Returns:
        None if there is none, or no note, or it cannot be read; and for other kinds of targets.

    Raises:
        PatError: the vault cannot be used.
    """
    try:
        match delivery:
            case KeyVaultTarget():
                return key_vault_target.held(delivery, context)
            case VaultTarget():
                return vault_target.held(delivery, context)
            case _:
                return None
    except PatError as error:
        assert isinstance(delivery, KeyVaultTarget | VaultTarget)  # noqa: S101 - for mypy
        raise _naming(delivery, error) from error


def _organization(handover: Handover) -> str:
    """Return the name of the organization of a token; a global one has none but in its URL."""
    return handover.pat.org or handover.org_url.rpartition("/")[2]


def _unknown(target: UnknownTarget) -> UsageError:
    return UsageError(
        f"this version of pat does not know delivery targets of the kind {target.kind!r}",
        hint="upgrade pat, or choose another delivery target",
    )


def _naming(target: ServiceTarget, error: PatError) -> PatError:
    """Return an error that names the target, too."""
    return error.saying(f"{target.place}: {error.message}")
