"""Tokens to start with: a small realistic set, a rich one, and any number on request."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from azdo_pat.emulator import times
from azdo_pat.emulator.directory import (
    ADA,
    CONTOSO,
    FABRIKAM,
    GRACE,
    KATHERINE,
    MARY,
    Organization,
    User,
)
from azdo_pat.emulator.tokens import Status, Token, hash_secret, new_secret

if TYPE_CHECKING:
    from collections.abc import Iterator

_NAMESPACE: Final = uuid.UUID("6f1d7c2a-3b8e-4a59-9d04-7e5c1f2b8a60")


@dataclass(frozen=True, kw_only=True)
class Sample:
    """A token of a preset; ``age`` and ``ends_in`` are days from now, seconds give the fraction."""

    name: str
    scope: str
    ends_in: float
    age: float = 20
    organization: Organization | None = CONTOSO
    owner: User = ADA
    revoked: bool = False
    ssh: bool = False


SMALL: Final = (
    Sample(name="ci-build", scope="vso.build_execute vso.code", ends_in=61.5),
    Sample(
        name="git: https://dev.azure.com/contoso on ada-laptop",
        scope="vso.code_write vso.packaging",
        ends_in=78.25,
        age=11.125,
    ),
    Sample(name="feed reader", scope="vso.packaging", ends_in=4.0625, age=25.75),
    Sample(name="old deployment", scope="vso.release_execute", ends_in=-9.5, age=39.5),
    Sample(name="fabrikam work items", scope="vso.work_write", ends_in=30.2, organization=FABRIKAM),
    Sample(name="grace's own", scope="vso.code", ends_in=40.1, owner=GRACE),
    Sample(name="old laptop", scope="vso.code_write", ends_in=130.4, age=200, organization=None),
)
RICH: Final = (
    *SMALL,
    Sample(name="everything, everywhere", scope="app_token", ends_in=200.3, organization=None),
    Sample(name="legacy global", scope="vso.work", ends_in=-30.7, age=300, organization=None),
    Sample(name="full access", scope="app_token", ends_in=340.9, age=24.3),
    Sample(name="Prüfstand Zürich – 試験 ✓", scope="vso.test_write", ends_in=12.345),  # noqa: RUF001 -- a dash as people type it
    Sample(name="ci-build", scope="vso.build_execute vso.code", ends_in=2.001, age=28),
    Sample(name="leaked", scope="vso.code_full", ends_in=50.5, revoked=True),
    Sample(
        name="Service Hooks :: Azure App Service :: Deploy web app",
        scope="vso.hooks_interact",
        ends_in=90.75,
    ),
    Sample(name="WebAppLoadTestCDIntToken", scope="vso.test_write", ends_in=15.5),
    Sample(name="Microsoft Teams Integration", scope="vso.hooks_write", ends_in=100.1),
    Sample(
        name="git: https://fabrikam.visualstudio.com/ on ADA-PC",
        scope="vso.code_write",
        ends_in=0.4,
        organization=FABRIKAM,
    ),
    Sample(name="guest's script", scope="vso.work", ends_in=55.2, owner=KATHERINE),
    Sample(name="left behind", scope="app_token", ends_in=120.6, age=90, owner=MARY),
    Sample(name="ada's key", scope="app_token", ends_in=300.8, ssh=True),
)
PRESETS: Final = {"small": SMALL, "rich": RICH}


@dataclass(frozen=True, kw_only=True)
class Bulk:
    """Many like tokens; ``{n}`` in the name becomes 1, 2, 3…, without it all bear one name."""

    count: int
    name: str
    scope: str
    organization: Organization | None
    owner: User
    state: Status
    valid_to: datetime | None = None
    ssh: bool = False


def preset(samples: tuple[Sample, ...], now: datetime) -> Iterator[Token]:
    """The tokens of a preset; their ids are the same on every start."""
    for index, sample in enumerate(samples):
        # Odd seconds so that the fractions of the times have different lengths.
        shift = timedelta(milliseconds=137 * index + 320)
        yield Token(
            authorization_id=str(uuid.uuid5(_NAMESPACE, f"{index} {sample.name}")),
            owner_id=sample.owner.user_id,
            display_name=sample.name,
            scope=sample.scope,
            target_accounts=_targets(sample.organization),
            valid_from=times.quantise(now - timedelta(days=sample.age) + shift),
            valid_to=times.quantise(now + timedelta(days=sample.ends_in) + shift),
            secret_hash=hash_secret(new_secret(now)),
            revoked=sample.revoked,
            ssh=sample.ssh,
        )


def bulk(order: Bulk, now: datetime) -> Iterator[tuple[Token, str]]:
    """The tokens ordered, each with its secret."""
    ends_in = timedelta(days=-1 if order.state is Status.EXPIRED else 30)
    for number in range(1, order.count + 1):
        secret = new_secret(now)
        token = Token(
            authorization_id=str(uuid.uuid4()),
            owner_id=order.owner.user_id,
            display_name=order.name.replace("{n}", str(number)),
            scope=order.scope,
            target_accounts=_targets(order.organization),
            valid_from=times.quantise(now - timedelta(days=60)),
            valid_to=times.quantise(order.valid_to or now + ends_in),
            secret_hash=hash_secret(secret),
            revoked=order.state is Status.REVOKED,
            ssh=order.ssh,
        )
        yield token, secret


def _targets(organization: Organization | None) -> tuple[str, ...] | None:
    return None if organization is None else (organization.organization_id,)
