"""Values that the tests of this room share."""

from datetime import UTC, datetime, timedelta

from azdo_pat.models import Intent, Origin, StoredPat

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
INTENT = Intent(
    operation="create",
    org_url=ORG,
    org="contoso",
    name="ci",
    scopes=("vso.code",),
    valid_to=NOW + timedelta(days=30),
    started=NOW,
)
