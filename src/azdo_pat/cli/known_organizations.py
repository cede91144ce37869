"""Name the organizations that this machine knows, for suggestions and completion."""

from __future__ import annotations

from typing import TYPE_CHECKING

from azdo_pat.errors import PatError

if TYPE_CHECKING:
    from azdo_pat.cli.app import App


def known_organizations(app: App) -> list[str]:
    """Return the user's organizations as last seen, and those of stored tokens; none on an error.

    They are read from the state file. The network is not used.
    """
    from azdo_pat.organizations import HOSTED_ROOT, is_of_root  # only a mistake needs it

    try:
        root = app.session.api_root
        seen = app.state.organizations(root or HOSTED_ROOT)
        stored = [each.organization for each in app.state.stored()]
    except PatError:
        return []
    known = [*seen, *(each for each in stored if is_of_root(each, root))]
    return sorted({each.name for each in known})
