"""Lists the tokens of all of the user's organizations in parallel."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final

from azdo_pat.errors import PatError
from azdo_pat.results import OrganizationFailure

if TYPE_CHECKING:
    from collections.abc import Sequence

    from azdo_pat.models import Organization, Pat
    from azdo_pat.services.find_tokens import Filters, TokenFinder

_SIDE_BY_SIDE: Final = 8


def listing_everywhere(
    browser: TokenFinder, organizations: Sequence[Organization], filters: Filters
) -> tuple[Sequence[Pat], Sequence[OrganizationFailure]]:
    """List the tokens of several organizations in parallel.

    Each token appears once, although the service may list it in several organizations.

    Returns:
        The tokens, and the organizations that could not be listed.
    """

    def of(organization: Organization) -> Sequence[Pat] | OrganizationFailure:
        try:
            return tuple(browser.listing(organization, filters))
        except PatError as error:
            return OrganizationFailure(org=organization.name, reason=error.message)

    browser.recall(organizations)  # only this thread reads the state
    with ThreadPoolExecutor(_SIDE_BY_SIDE) as pool:
        answers = list(pool.map(of, organizations))
    found: dict[str | Pat, Pat] = {}
    for answer in answers:
        if not isinstance(answer, OrganizationFailure):
            # Every organization lists a global token, and its secret is stored for one of them.
            # Tokens whose id could not be read are compared by their readable fields.
            keyed = [(pat.id or pat, pat) for pat in answer]
            found.update({key: pat for key, pat in keyed if pat.stored or key not in found})
    failures = [each for each in answers if isinstance(each, OrganizationFailure)]
    return tuple(found.values()), tuple(failures)
