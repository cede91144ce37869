"""Values that the tests of this room share."""

from datetime import UTC, datetime, timedelta
from typing import Any

from azdo_pat.journal import Create, JournalEntry, NewToken
from azdo_pat.models import Organization, Origin, StoredPat

ORG = "https://dev.azure.com/contoso"
OTHER = "https://dev.azure.com/fabrikam"
NOW = datetime(2026, 6, 15, 12, tzinfo=UTC)
CI = StoredPat(
    org_url=ORG,
    org="contoso",
    name="ci",
    id="1B4E28BA-2fa1-11d2-883f-0016d3cca427",
    scopes=("vso.code", "vso.build_execute"),
    created=NOW,
    expires=NOW + timedelta(days=30, microseconds=123456),
)
IMPORTED = StoredPat(
    org_url=OTHER,
    org="fabrikam",
    name="Ünïcode 'quoted'",
    id=None,
    scopes=(),
    created=None,
    expires=None,
    stored=False,
    origin=Origin.UNKNOWN,
)
CREATE = Create(
    entry=JournalEntry(Organization(name="contoso", url=ORG), "ci", NOW),
    new=NewToken(("vso.code",), NOW + timedelta(days=30)),
)


def create_of(
    name: str = "ci",
    org_url: str = ORG,
    **changes: Any,  # noqa: ANN401  # fields
) -> Create:
    """Return `CREATE` with another entry."""
    organization = Organization(name="contoso", url=org_url)
    entry = CREATE.entry._replace(organization=organization, name=name, **changes)
    return CREATE._replace(entry=entry)
