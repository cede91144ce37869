"""The Azure DevOps extension of the Azure CLI, `az devops`.

It looks for a token in the keyring, under a service of its own for each organization, and knows
which organization is meant from its defaults. Source: `azext_devops/dev/common`,
`credential_store.py`, `uri.py` and `config.py`.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from azdo_pat.tools.line_editing import in_section
from azdo_pat.urls import parse

if TYPE_CHECKING:
    from collections.abc import Mapping

    from azdo_pat.tools.tool import ToolInput

USER: Final = "Personal Access Token"


def service(org_url: str) -> str:
    """Return the keyring service of an organization; for a server, of its first path segment."""
    url = parse(org_url.lower())
    return f"azdevops-cli:{url.scheme}://{url.netloc}/{next(iter(url.steps), '')}"


def file(environment: Mapping[str, str], home: Path) -> Path:
    """Return the extension's settings."""
    if own := environment.get("AZURE_DEVOPS_EXT_CONFIG_DIR"):
        return Path(own) / "config"
    return Path(environment.get("AZURE_CONFIG_DIR") or home / ".azure") / "azuredevops" / "config"


def edited(text: str, tool_input: ToolInput) -> str:
    """Return it with the organization as the default; see `Tool.edited`."""
    return in_section(text, "defaults", {"organization": f"organization = {tool_input.org_url}"})
