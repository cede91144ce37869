"""Holds a lease while a command works, so that one of several machines does it at a time."""

from __future__ import annotations

import os
import socket
import time
from contextlib import contextmanager, suppress
from datetime import timedelta
from threading import Event, Lock, Thread
from typing import TYPE_CHECKING, Final

import click

from azdo_pat.dates import local_minute
from azdo_pat.errors import PatError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from azdo_pat.api.vault_lease import Lease
    from azdo_pat.cli.app import App
    from azdo_pat.delivery_targets import VaultTarget

_SPAN: Final = timedelta(minutes=10)
"""How long the lease is held unless it is extended: as long as another machine waits for one that
was killed."""

lease_option: Final = click.option(
    "--lease",
    metavar="vault:MOUNT/PATH",
    help="Work only while no other machine does: take this lease in HashiCorp Vault or OpenBao.",
)


def lease_place(app: App, text: str | None) -> VaultTarget | None:
    """Return the secret that `--lease` names; None if it is not given.

    Raises:
        UsageError: the text is not a valid place for a lease.
    """
    if text is None:
        return None
    from azdo_pat.deliveries.service_parsing import lease_from_text

    return lease_from_text(text, app.environment)


@contextmanager
def held_lease(app: App, where: VaultTarget | None) -> Iterator[Callable[[], None] | None]:
    """Hold a lease while the block runs; None for none.

    Yields what is to be called before each piece of work, which raises ConflictError if another
    machine has taken the lease; None, after saying so, if another machine holds it.

    Raises:
        PatError: it cannot be taken.
    """
    if where is None:
        yield lambda: None
        return
    from azdo_pat.api.vault_lease import Taken, release_lease, take_lease

    name = f"the lease {where.KIND}:{where.path}"
    try:
        place = app.delivery_services.vault(where.address, where.namespace).locate(where.path)
        taken = take_lease(place, f"{socket.gethostname()}, process {os.getpid()}", _SPAN)
    except PatError as error:
        raise error.saying(f"{name}: {error.message}") from error
    if isinstance(taken, Taken):
        app.runtime.messages.notice(
            f"nothing was done, as another machine is working: {taken.holder} holds"
            f" {name} until {local_minute(taken.until)} at least"
        )
        yield None
        return
    held = _Held(taken)
    over = Event()
    keeper = Thread(target=held.keep, args=(over,), daemon=True)
    keeper.start()
    try:
        yield held.extend
    finally:
        over.set()
        keeper.join()
        with suppress(PatError):  # it ends by itself
            release_lease(held.lease)


class _Held:
    """A lease that is extended when a third of its time is over, however long a delivery takes."""

    def __init__(self, lease: Lease) -> None:
        self.lease = lease
        self._since = time.time()  # goes on while the machine sleeps, unlike time.monotonic
        self._lock = Lock()

    def keep(self, over: Event) -> None:
        """Extend it again and again until it is over; what fails, `extend` finds out."""
        while not over.wait(_SPAN.total_seconds() / 10):
            with suppress(PatError):
                self.extend()

    def extend(self) -> None:
        """Hold it for its whole time from now, or for two thirds of it.

        Raises:
            ConflictError: another machine has taken it.
            PatError: it cannot be extended.
        """
        from azdo_pat.api.vault_lease import renew_lease

        with self._lock:
            now = time.time()
            if abs(now - self._since) > _SPAN.total_seconds() / 3:
                self.lease = renew_lease(self.lease, _SPAN)
                self._since = now
