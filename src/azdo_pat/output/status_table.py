"""Build the tables of `pat status` and `pat login`."""

from datetime import datetime, tzinfo

from azdo_pat.output.dates import distance, local_minute
from azdo_pat.output.table_model import Cell, TableModel, Tone
from azdo_pat.output.table_rows import pairs_grid
from azdo_pat.results import SignedIn, StatusReport


def status_grid(report: StatusReport, now: datetime, zone: tzinfo | None) -> TableModel:
    """Return the table of the sign-in, organization, keyring, files and problems."""
    pairs = _signed_in(report, now, zone) + _place(report)
    pairs += [
        ("Keyring", _keyring(report)),
        ("Secrets", _secrets(report)),
        ("Config", Cell(report.config_file)),
        ("State", Cell(report.state_file)),
    ]
    pairs += _listed("Problems", [Cell(problem, Tone.ALARM) for problem in report.problems])
    return pairs_grid(pairs)


def signed_in_grid(signed_in: SignedIn, now: datetime, zone: tzinfo | None) -> TableModel:
    """Return the table of the user, tenant and expiry of a sign-in."""
    until = f"{local_minute(signed_in.expires, zone)} ({distance(signed_in.expires, now)})"
    kept = (
        Cell("yes; it renews itself", Tone.GOOD) if signed_in.remembered else Cell("no", Tone.ALARM)
    )
    return pairs_grid(
        [
            ("Signed in", Cell(signed_in.user, Tone.GOOD)),
            ("Tenant", Cell(signed_in.tenant)),
            ("Access token", Cell(f"until {until}")),
            ("Remembered", kept),
        ]
    )


def _signed_in(report: StatusReport, now: datetime, zone: tzinfo | None) -> list[tuple[str, Cell]]:
    pairs = [("Signed in", _user(report))]
    if report.identity is not None:
        mail = f" <{report.identity.mail}>" if report.identity.mail else ""
        pairs.append(("Profile", Cell(f"{report.identity.name}{mail}")))
    if report.tenant:
        pairs.append(("Tenant", Cell(report.tenant)))
    if report.token_source:
        until = ""
        if (expires := report.token_expires) is not None:
            until = f", until {local_minute(expires, zone)} ({distance(expires, now)})"
        pairs.append(("Access token", Cell(f"from {report.token_source}{until}")))
    return pairs + _listed(
        "Sources",
        [Cell(f"{source.name}: {source.detail}") for source in report.sources],
    )


def _user(report: StatusReport) -> Cell:
    if report.signed_in is None:
        return Cell("unknown: the service did not answer", Tone.WARNING)
    if not report.signed_in:
        return Cell("no", Tone.ALARM)
    return Cell(f"yes, as {report.user}" if report.user else "yes", Tone.GOOD)


def _place(report: StatusReport) -> list[tuple[str, Cell]]:
    organization = report.organization
    if organization is None:
        at_hand = Cell("none set", Tone.WARNING)
    else:
        source = f" (from {report.organization_source})" if report.organization_source else ""
        at_hand = Cell(f"{organization.name}{source}")
    pairs = [("Organization", at_hand)]
    if organization is not None:
        pairs.append(("", Cell(organization.url)))
    names = ", ".join(each.name for each in report.organizations)
    return [*pairs, ("Organizations", Cell(names or "unknown")), ("Service", Cell(report.api_root))]


def _keyring(report: StatusReport) -> Cell:
    if report.keyring_usable:
        return Cell(report.keyring)
    return Cell(f"{report.keyring} (not usable)".lstrip(), Tone.ALARM)


def _secrets(report: StatusReport) -> Cell:
    if report.stored_secrets is None:
        return Cell("unknown", Tone.WARNING)
    return Cell(f"{report.stored_secrets} stored")


def _listed(label: str, cells: list[Cell]) -> list[tuple[str, Cell]]:
    return [(label if number == 0 else "", cell) for number, cell in enumerate(cells)]
