"""Converts the renewal settings of a token to JSON, and back."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from azdo_pat.renewal import Renewal

if TYPE_CHECKING:
    from azdo_pat.delivery_targets import Delivery


def written_renewal(renewal: Renewal) -> str:
    """Serialize the settings; those not set are left out."""
    document: dict[str, object] = {}
    if renewal.deliveries:
        from azdo_pat.store.target_codec import written_target  # noqa: PLC0415 - see there

        document["deliveries"] = [written_target(each) for each in renewal.deliveries]
    if renewal.renew_before is not None:
        document["renew_before"] = renewal.renew_before.total_seconds()
    if renewal.source:
        document["source"] = renewal.source
    if renewal.shortened:
        document["shortened"] = True
    if renewal.grace is not None:
        document["grace"] = renewal.grace.total_seconds()
    return json.dumps(document)


def read_renewal(text: str) -> Renewal:
    """Parse the settings.

    Raises:
        ValueError: it is none.
        TypeError: the same.
    """
    document = json.loads(text)
    try:
        before, grace = document.get("renew_before"), document.get("grace")
        return Renewal(
            deliveries=_deliveries(document.get("deliveries", ())),
            renew_before=None if before is None else timedelta(seconds=before),
            source=str(document.get("source", "")),
            shortened=bool(document.get("shortened", False)),
            grace=None if grace is None else timedelta(seconds=grace),
        )
    except (AttributeError, KeyError, OverflowError) as error:
        raise ValueError(str(error)) from error


def _deliveries(documents: list[dict[str, Any]]) -> tuple[Delivery, ...]:
    if not documents:
        return ()
    from azdo_pat.store.target_codec import read_target  # noqa: PLC0415 - see there

    return tuple(map(read_target, documents))
