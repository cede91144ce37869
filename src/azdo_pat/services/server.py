"""Azure DevOps Server, which has tokens but no API for their lifecycle."""

import shlex

from azdo_pat.errors import RefusedError
from azdo_pat.models import Organization


def no_lifecycle(organization: Organization) -> RefusedError:
    """Say what can be done instead of asking a server for what it does not have."""
    return RefusedError(
        f"{organization.url} is Azure DevOps Server, which has no API to manage tokens",
        hint=f"make the token at {organization.url}/_usersSettings/tokens, then store it:"
        f" pat import NAME --org {shlex.quote(organization.url)}",
    )
