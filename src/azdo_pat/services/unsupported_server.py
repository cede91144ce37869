"""The refusal for Azure DevOps Server, which has no API for the lifecycle of tokens."""

from azdo_pat.command_lines import quoted
from azdo_pat.errors import RefusedError
from azdo_pat.models import Organization


def no_lifecycle(organization: Organization) -> RefusedError:
    """Return the error for a server, which names the alternative."""
    return RefusedError(
        f"{organization.url} is Azure DevOps Server, which has no API for managing tokens",
        hint=f"create the token at {organization.url}/_usersSettings/tokens; then, to store it,"
        f" run: pat import NAME --org {quoted(organization.url)}",
    )
