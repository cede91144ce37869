"""A lease: of several machines, one at a time does a work.

It is a secret of its own in a key-value engine of version 2, whose check-and-set decides: a lease
is taken, renewed and released only by a write that names the version read before, and the server
accepts one of two such writes. Time is that of the server, by the `Date` header of its answers, so
the clocks of the machines do not matter; but it counts whole seconds.

A lease that its holder does not release ends by itself. A holder that works on after `until` may
find that another has taken it: `renew` says so, and must be called in time.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final, NamedTuple, Protocol
from uuid import uuid4

from azdo_pat.api.json_fields import parse_moment
from azdo_pat.api.vault import KvSecret
from azdo_pat.errors import ConflictError, UnavailableError, UsageError
from azdo_pat.times import rfc3339

_FIELDS: Final = frozenset({"holder", "until", "claim"})
_LONGEST: Final = timedelta(hours=1)
"""What ends later was not written by `pat`, and would stop every machine."""
_SHOWN: Final = 200
_ENDED: Final = "1970-01-01T00:00:00Z"


class Place(Protocol):
    """What a lease needs of `api.vault.KvPlace`."""

    @property
    def mount(self) -> str:
        """The path of the engine."""

    @property
    def path(self) -> str:
        """The path of the secret, with that of the engine in front."""

    @property
    def has_versions(self) -> bool:
        """Whether the engine keeps versions, and checks which one is replaced."""

    def read(self) -> KvSecret:
        """Return the newest version of the secret."""

    def write(self, fields: Mapping[str, object], *, cas: int | None) -> KvSecret:
        """Write a whole secret as a new version, if `cas` is the newest one."""


class Lease(NamedTuple):
    """A lease that is held.

    Attributes:
        where: the secret that stands for it.
        holder: who holds it, for people.
        until: when it ends, by the clock of the server.
        claim: tells it from another one of the same holder.
        version: of the secret, as long as it is held.
    """

    where: Place
    holder: str
    until: datetime
    claim: str
    version: int


class Taken(NamedTuple):
    """A lease that someone else holds.

    Attributes:
        holder: who, for people.
        until: when it ends unless it is renewed, by the clock of the server.
    """

    holder: str
    until: datetime


def take_lease(where: Place, holder: str, span: timedelta) -> Lease | Taken:
    """Take a lease; or return who holds it, which may be a holder of the same name.

    Args:
        where: the secret that stands for it, which need not exist yet.
        holder: who takes it, for people.
        span: how long it is held unless it is renewed; more than a few seconds.

    Raises:
        ConflictError: the secret is something else than a lease.
        UsageError: the engine keeps no versions, and so cannot check them.
        PatError: it cannot be read or written.
    """
    if not where.has_versions:
        raise UsageError(
            "a lease needs a key-value engine of version 2",
            hint=f"choose a path in one, or upgrade it: vault kv enable-versioning {where.mount}",
        )
    found = where.read()
    now = _server_time(found)
    if found.is_there and (taken := _taken(found)).until > now:
        if taken.until > now + _LONGEST:
            raise ConflictError(
                f"its end, {rfc3339(taken.until)}, is too far away for a lease of pat",
                hint="check who wrote it, and delete it: vault kv delete"
                f" -mount={where.mount} {where.path[len(where.mount) + 1 :]}",
            )
        return taken
    lease = Lease(where, holder, now + span, uuid4().hex, found.version)
    try:
        return _written(lease)
    except ConflictError:
        return _taken(where.read())


def renew_lease(lease: Lease, span: timedelta) -> Lease:
    """Hold a lease for longer; return it as it is then.

    Args:
        lease: as it was returned last.
        span: how long from now.

    Raises:
        ConflictError: another has taken it.
        PatError: it cannot be written; it is held until its end.
    """
    now = _server_time(lease.where.read())
    try:
        return _written(lease._replace(until=now + span))
    except ConflictError:
        raise ConflictError(
            f"another machine has taken the lease {lease.where.path}, as it had ended",
            hint="take it for longer, or renew it earlier",
        ) from None


def release_lease(lease: Lease) -> None:
    """End a lease, so that another can take it at once; if another has taken it, do nothing.

    Raises:
        PatError: it cannot be written; it ends by itself.
    """
    fields = {"holder": "", "until": _ENDED, "claim": lease.claim}
    try:
        lease.where.write(fields, cas=lease.version)
    except ConflictError:
        return


def _written(lease: Lease) -> Lease:
    """Write a lease over the version that it has, and return it with the new one.

    Raises:
        ConflictError: another version is the newest.
    """
    fields = {"holder": lease.holder, "until": rfc3339(lease.until), "claim": lease.claim}
    try:
        version = lease.where.write(fields, cas=lease.version).version
    except ConflictError:
        # If the answer to the write was lost, it was repeated, and its own version is in its way.
        found = lease.where.read()
        if found.fields != fields:
            raise
        version = found.version
    return lease._replace(version=version)


def _taken(found: KvSecret) -> Taken:
    """Return who holds the lease that was found, and until when.

    Raises:
        ConflictError: it is none.
    """
    until = found.fields.get("until")
    if set(found.fields) == _FIELDS and isinstance(until, str):
        try:
            return Taken(str(found.fields["holder"])[:_SHOWN], parse_moment(until))
        except ValueError:
            pass
    raise ConflictError(
        "it is not a lease, but holds something else",
        hint="choose a path that nothing else uses",
    )


def _server_time(found: KvSecret) -> datetime:
    """Return the time of the server when it answered.

    Raises:
        UnavailableError: it did not tell.
    """
    if found.read_at is None:
        raise UnavailableError(
            "the Vault server, or a proxy in front of it, does not tell the time",
            hint="let the proxy pass the Date header",
        )
    return found.read_at
