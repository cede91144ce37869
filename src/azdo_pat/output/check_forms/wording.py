"""Say in a line what was found, for the forms that people read."""

from datetime import UTC, datetime

from azdo_pat.dates import local_minute
from azdo_pat.findings import Checked, Finding, Severity


def sentence(finding: Finding, now: datetime) -> str:
    """Return a finding in one line: which token, what, its expiry, and the command to run."""
    about = " ".join(subject(finding))
    what = f"{about}: {finding.message}" if about else finding.message
    if finding.expires is not None:
        what = f"{what} ({expiry(finding.expires, now)})"
    to_do = advice(finding)
    return f"{what}; {to_do}" if to_do else what


def advice(finding: Finding) -> str:
    """Return what to do about a finding, and who does it; empty if nothing is known."""
    if finding.owner_fix:
        return f"tell the owner to run: {finding.owner_fix}"
    return f"run: {finding.fix}" if finding.fix else ""


def subject(finding: Finding) -> list[str]:
    """Return which token a finding is about, or else which organization, in parts."""
    if finding.name is None:
        return [finding.org] if finding.org else []
    parts = [f"'{finding.name}'"]
    parts += [f"of {finding.owner.handle}"] if finding.owner else []
    parts += [f"in {finding.org}"] if finding.org else []
    return parts


def expiry(expires: datetime, now: datetime) -> str:
    """Return when a token expires or has expired, in UTC."""
    return f"{'expires' if expires > now else 'expired'} {utc_minute(expires)}"


def utc_minute(moment: datetime) -> str:
    """Return a time to the minute; the machine of a pipeline has no time zone of a user."""
    return f"{local_minute(moment, UTC)} UTC"


def counts(checked: Checked) -> str:
    """Return how much was found: `1 error, 2 warnings`."""
    parts = []
    for severity in reversed(Severity):
        number = sum(finding.severity is severity for finding in checked.findings)
        if number:
            parts.append(counted(number, severity))
    return ", ".join(parts)


def counted(number: int, noun: str) -> str:
    """Return a number with its noun, in the plural where it is not 1."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
