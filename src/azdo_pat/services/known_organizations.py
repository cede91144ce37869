"""Knows the organizations of the user, for suggestions, and finds out whether one exists."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from azdo_pat.errors import NoOrganizationError, PatError

if TYPE_CHECKING:
    from collections.abc import Collection

    from azdo_pat.models import Organization
    from azdo_pat.operations.deps import Deps

_MOST_NAMED: Final = 5


def known_organizations(deps: Deps) -> list[str]:
    """Return the user's organizations as last seen, and those of stored tokens; none on an error.

    They are read from the state file. The network is not used.
    """
    from azdo_pat.organizations import HOSTED_ROOT, is_of_root  # noqa: PLC0415 - only a mistake

    try:
        root = deps.session.api_root
        seen = deps.state.organizations(root or HOSTED_ROOT)
        stored = [each.organization for each in deps.state.stored()]
    except PatError:
        return []
    known = [*seen, *(each for each in stored if is_of_root(each, root))]
    return sorted({each.name for each in known})


def require_known(
    organization: Organization, listed: Collection[Organization] | None, deps: Deps
) -> bool:
    """Check that the organization exists, and return whether that is known.

    The service is asked if it does not list the organization, which it does not for a guest.
    If the service cannot be asked, no name is taken for a mistake: the organization may be one that
    this machine has not seen yet.

    Args:
        organization: the one that is set.
        listed: what the service lists for the signed-in user; None if it could not be asked.
        deps: the parts of the program.

    Raises:
        NoOrganizationError: the service does not know it.
        PatError: the service does not let the user in, or did not answer.
    """
    if not organization.hosted:
        return False
    if listed is None:
        return organization.name in known_organizations(deps)
    if organization.url not in {each.url for each in listed}:
        try:
            deps.directory.account_id(organization)
        except NoOrganizationError as error:
            known = sorted({each.name for each in listed})
            error.hint = f"{_near(organization.name, known)}{_instead(known)}"
            raise
    return True


def near_organization(organization: Organization, deps: Deps) -> str:
    """Return the question whether an organization that is known here was meant; or nothing."""
    return _near(organization.name, known_organizations(deps)).rstrip()


def _near(name: str, known: Collection[str]) -> str:
    from azdo_pat.near_names import did_you_mean  # noqa: PLC0415 - as above

    return did_you_mean(name, known)


def _instead(known: Collection[str]) -> str:
    names = [*known][:_MOST_NAMED]
    more = ", …" if len(known) > _MOST_NAMED else ""
    listed = f" (known: {', '.join(names)}{more})" if names else ""
    return f"to use another organization, add --org{listed}"
