"""The tokens that the tests of this room show."""

import io
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from azdo_pat.formats import Format
from azdo_pat.models import Identity, Organization, Origin, Pat, SourceReport, Status
from azdo_pat.output.render import Renderer, TableStyle
from azdo_pat.results.diagnosis import Problem, StatusReport

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
ZONE = ZoneInfo("Europe/Berlin")
TAIL = "-7b1e-4f0c-9d2e-0a1b2c3d4e5f"

LAPTOP = Pat(
    name="laptop",
    id=f"3d1f0c2a{TAIL}",
    org="contoso",
    status=Status.ACTIVE,
    scopes=("vso.code_write",),
    created=NOW - timedelta(days=20),
    expires=NOW + timedelta(days=30),
    stored=True,
    origin=Origin.PAT,
)
PUBLISHING = Pat(
    name="ci publishing of packages",
    id=f"3d1f0c2b{TAIL}",
    org="contoso",
    status=Status.ACTIVE,
    scopes=("vso.packaging_write", "vso.code", "vso.build_execute"),
    created=NOW - timedelta(days=20),
    expires=NOW + timedelta(days=5, hours=7),
    stored=True,
)
BY_GIT = Pat(
    name="git: https://dev.azure.com/contoso on LAPTOP-7GJ2K",
    id=f"aaaa0c2b{TAIL}",
    org="contoso",
    status=Status.ACTIVE,
    scopes=("vso.code_write",),
    created=NOW - timedelta(days=65),
    expires=NOW + timedelta(days=300),
    origin=Origin.GIT,
)
GLOBAL = Pat(
    name="old everything",
    id=f"bbbb0c2b{TAIL}",
    org=None,
    status=Status.ACTIVE,
    scopes=("app_token",),
    created=NOW - timedelta(days=275),
    expires=NOW + timedelta(days=90),
    is_global=True,
)
EXPIRED = Pat(
    name="gone",
    id=f"cccc0c2b{TAIL}",
    org="contoso",
    status=Status.EXPIRED,
    scopes=("vso.code",),
    created=NOW - timedelta(days=33),
    expires=NOW - timedelta(days=3),
)
EVIL = Pat(
    name="evil\x1b[31m[bold]red[/]\u202e\n",
    id=f"dddd0c2b{TAIL}",
    org="contoso",
    status=Status.REVOKED,
    scopes=("vso.code",),
    created=NOW - timedelta(hours=2),
    expires=NOW + timedelta(hours=5),
)
UNKNOWN = Pat(
    name="部署令牌 🚀",
    id=None,
    org="contoso",
    status=Status.UNKNOWN,
    scopes=(),
    created=None,
    expires=None,
    stored=True,
)
ALL = (LAPTOP, PUBLISHING, BY_GIT, GLOBAL, EXPIRED, EVIL, UNKNOWN)


STATUS = StatusReport(
    api_root="https://vssps.dev.azure.com",
    organization=Organization(name="contoso", url="https://dev.azure.com/contoso", id="c-1"),
    organization_source="PAT_ORG",
    signed_in=True,
    user="ada@contoso.com",
    tenant="t-1",
    token_source="Azure CLI",
    token_expires=NOW + timedelta(minutes=52),
    sources=(
        SourceReport(name="PAT_ACCESS_TOKEN", used=False, detail="not set"),
        SourceReport(name="Azure CLI", used=True, detail="az 2.91.0"),
    ),
    identity=Identity(id="i-1", name="Ada Lovelace", mail="ada@contoso.com"),
    organizations=(Organization(name="contoso", url="https://dev.azure.com/contoso"),),
    keyring="Secret Service",
    keyring_usable=True,
    stored_secrets=2,
    config_file="/home/ada/.config/pat/config.toml",
    state_file="/home/ada/.local/state/pat/state.db",
    problems=(Problem("the clock is off by 3 minutes", "set it"),),
)


def shown(
    show: Callable[[Renderer], object],
    *,
    form: Format = Format.TABLE,
    width: int | None = 80,
    color: bool = False,
    query: Callable[[object], object] | None = None,
) -> str:
    """Return what a renderer writes when `show` uses it."""
    out = io.StringIO()
    screen = TableStyle(color=color, width=width, zone=ZONE)
    show(Renderer(out=out, format=form, now=NOW, screen=screen, query=query))
    return out.getvalue()
