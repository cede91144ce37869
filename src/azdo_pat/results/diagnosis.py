"""Who is signed in, and what keeps `pat` from working."""

from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from azdo_pat.models import Identity, Organization, Pending, SourceReport
from azdo_pat.renewal import Destination


class Health(StrEnum):
    """The result of one check of `pat doctor`."""

    OK = "ok"
    PROBLEM = "problem"
    SKIPPED = "skipped"
    FIXED = "fixed"


class Check(NamedTuple):
    """One check of `pat doctor`.

    Attributes:
        detail: the state, or the problem.
        fix: how to repair it; empty if there is nothing to repair.
        time: the time that the detail names; None for none.
    """

    name: str
    status: Health
    detail: str
    fix: str = ""
    time: datetime | None = None


class Problem(NamedTuple):
    """What keeps `pat` from working.

    Attributes:
        message: what is wrong.
        fix: the next step; empty if none is known.
    """

    message: str
    fix: str = ""

    @property
    def text(self) -> str:
        """Both in one sentence."""
        return f"{self.message}; {self.fix}" if self.fix else self.message


class SignedIn(NamedTuple):
    """The result of `pat login`.

    Attributes:
        user: the sign-in name.
        tenant: the id of the tenant that was signed in to.
        expires: when the access token expires; a saved sign-in renews it.
        remembered: the sign-in was saved for the next command.
    """

    user: str
    tenant: str
    expires: datetime
    remembered: bool


class StatusReport(NamedTuple):
    """The result of `pat status`.

    Attributes:
        organization: the current one, None if none is set; `organization_source` says where
            it came from.
        signed_in: None if the service did not answer.
        stored_secrets: how many; None if the state file cannot be read.
        problems: what keeps `pat` from working.
        pending: what earlier runs have left for a later one.
        destinations: the delivery targets of all stored tokens.
    """

    api_root: str
    organization: Organization | None
    organization_source: str
    signed_in: bool | None
    user: str
    tenant: str
    token_source: str
    token_expires: datetime | None
    sources: tuple[SourceReport, ...]
    identity: Identity | None
    organizations: tuple[Organization, ...]
    keyring: str
    keyring_usable: bool
    stored_secrets: int | None
    config_file: str
    state_file: str
    problems: tuple[Problem, ...]
    pending: tuple[Pending, ...] = ()
    destinations: tuple[Destination, ...] = ()
