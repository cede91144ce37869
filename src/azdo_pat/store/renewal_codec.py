"""How a token is looked after, as the state file has it: a JSON object with what is set."""

from datetime import timedelta

from azdo_pat.renewal import Delivery, Renewal


def written_renewal(renewal: Renewal) -> str:
    """Write it; what is not set is left out."""
    document: dict[str, object] = {}
    if renewal.deliveries:
        document["deliveries"] = [each._asdict() for each in renewal.deliveries]
    if renewal.renew_before is not None:
        document["renew_before"] = renewal.renew_before.total_seconds()
    if renewal.source:
        document["source"] = renewal.source
    if renewal.shortened:
        document["shortened"] = True
    if not document:
        return "{}"
    import json  # noqa: PLC0415 - most tokens have none

    return json.dumps(document)


def read_renewal(text: str) -> Renewal:
    """Read it back.

    Raises:
        ValueError: it is none.
        TypeError: the same.
    """
    if text == "{}":
        return Renewal()
    import json  # noqa: PLC0415 - as above

    document = json.loads(text)
    try:
        before = document.get("renew_before")
        return Renewal(
            deliveries=tuple(_delivery(**each) for each in document.get("deliveries", ())),
            renew_before=None if before is None else timedelta(seconds=before),
            source=str(document.get("source", "")),
            shortened=bool(document.get("shortened", False)),
        )
    except (AttributeError, OverflowError) as error:
        raise ValueError(str(error)) from error


def _delivery(
    *, kind: str, target: list[str], template: str = "", folder: str = "", seconds: int = 60
) -> Delivery:
    return Delivery(
        kind=str(kind),
        target=tuple(map(str, target)),
        template=str(template),
        folder=str(folder),
        seconds=int(seconds),
    )
