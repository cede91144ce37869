"""Start and stop an emulator: what the command line and tests use."""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Self

from azdo_pat.emulator import access_tokens, persist, seed, times
from azdo_pat.emulator.access_tokens import Kind, Order
from azdo_pat.emulator.certificate import Certificate, make_certificate, write_authority
from azdo_pat.emulator.crowd import Crowd
from azdo_pat.emulator.directory import ADA, CONTOSO
from azdo_pat.emulator.entra import Entra
from azdo_pat.emulator.entra_routes import EntraApplication
from azdo_pat.emulator.faults import FaultBoard, parse_fault
from azdo_pat.emulator.library.samples import samples
from azdo_pat.emulator.policies import parse_policies
from azdo_pat.emulator.request_log import RequestLog
from azdo_pat.emulator.server import Application
from azdo_pat.emulator.service import Contents, Service
from azdo_pat.emulator.serving import Server, listen
from azdo_pat.emulator.vault_control import VaultControl
from azdo_pat.emulator.vault_routes import MICROSOFT, VaultApplication
from azdo_pat.emulator.vaults import PUBLIC_CLOUD, Vaults

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Options:
    """How to start; port 0 is a free one, without ``state_file`` nothing outlives the emulator.

    ``users`` are invented, in place of those of the state file. With ``tls`` it answers by https.
    With ``entra`` there is a Microsoft Entra beside it, on a free port, to sign in at; with
    ``vaults`` an Azure Key Vault, on another one.
    """

    host: str = "127.0.0.1"
    port: int = 0
    state_file: Path | None = None
    tls: bool = False
    entra: bool = False
    vaults: bool = False
    faults: tuple[str, ...] = ()
    policies: tuple[str, ...] = ()
    users: int | None = None


class RunningEmulator:
    """An emulator that answers until closed; a context manager.

    ``access_token`` signs in the default user for 12 hours, and ``vault_token`` to the vaults of
    the first tenant. ``authority`` is the address of its
    Entra, ``vaults`` the one below which its vaults are; None without. ``authority_file`` holds
    the certificate to trust for them, and for the emulator itself where that answers by https.
    """

    def __init__(
        self, server: Server, *, url: str, access_token: str, closing: threading.Event
    ) -> None:
        self._closing = closing
        self._closed = False
        self._servers: list[tuple[Server, threading.Thread]] = []
        self.url = url
        self.access_token = access_token
        self.organization = CONTOSO.name
        self.authority: str | None = None
        self.vaults: str | None = None
        self.vault_token = ""
        self.authority_file: Path | None = None
        self.serve(server)

    def serve_beside(self, application: Application, certificate: Certificate) -> str:
        """Let another application answer, too, until this is closed; gives its address."""
        with listen("127.0.0.1", 0) as listener:
            server = Server(listener, application, certificate.context)
        self.serve(server)
        return f"https://localhost:{server.server_address[1]}"

    def serve(self, server: Server) -> None:
        """Let a server answer until this is closed."""
        thread = threading.Thread(
            target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
        )
        thread.start()
        self._servers.append((server, thread))

    def close(self) -> None:
        """Stop serving and close every connection; a second call does nothing."""
        if self._closed:
            return
        self._closed = True
        self._closing.set()
        for server, thread in self._servers:
            server.close()
            thread.join()
        if self.authority_file is not None:
            self.authority_file.unlink(missing_ok=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def utc_now() -> datetime:
    """The machine's clock."""
    return datetime.now(UTC)


def start(options: Options, *, clock: Callable[[], datetime] = utc_now) -> RunningEmulator:
    """Start an emulator in a background thread; when this returns, it answers.

    Raises:
        EmulatorError: the address is in use, the state file cannot be read or written, or a
            fault or policy string is not understood.
    """
    service = _service(options, clock)
    faults = FaultBoard()
    for text in options.faults:
        faults.add(parse_fault(text))
    if options.policies:
        service.policies = parse_policies(options.policies)
    if options.users is not None:
        service.invent(Crowd(count=options.users, since=times.quantise(service.now())))
    closing = threading.Event()
    log = RequestLog()
    application = Application(service, faults, log, closing)
    beside = options.entra or options.vaults
    certificate = make_certificate("127.0.0.1", options.host) if options.tls or beside else None
    secured = certificate if options.tls else None
    with listen(options.host, options.port) as listener:
        server = Server(listener, application, secured.context if secured else None)
    name = f"[{options.host}]" if ":" in options.host else options.host
    port = server.server_address[1]
    names = ("127.0.0.1", "localhost", "[::1]", name.casefold())
    application.control.hosts = frozenset(f"{each}:{port}" for each in names)
    order = Order(kind=Kind.USER, user=ADA, lifetime=timedelta(hours=12))
    running = RunningEmulator(
        server,
        url=f"{'https' if secured else 'http'}://{name}:{port}",
        access_token=access_tokens.mint(order, key=service.signing_key, now=service.now()),
        closing=closing,
    )
    if certificate:
        running.authority_file = write_authority(certificate)
        parts = service, faults, log, closing
        if options.entra:
            entra = application.control.entra = Entra(service)
            page = EntraApplication(*parts, entra)
            running.authority = running.serve_beside(page, certificate)
        if options.vaults:
            vaults = Vaults(service.now)
            application.control.vaults = VaultControl(vaults)
            doors = VaultApplication(*parts, vaults, running.authority or MICROSOFT)
            running.vaults = running.serve_beside(doors, certificate)
            order = replace(order, audience=PUBLIC_CLOUD)
            running.vault_token = access_tokens.mint(
                order, key=service.signing_key, now=service.now()
            )
    return running


def _service(options: Options, clock: Callable[[], datetime]) -> Service:
    path = options.state_file
    contents = None if path is None else persist.load(path)
    if contents is None:
        contents = Contents(
            signing_key=persist.new_signing_key(),
            tokens=tuple(seed.preset(seed.SMALL, clock())),
            holdings=samples(clock()),
        )
    if path is None:
        return Service(contents, clock=clock, save=lambda _: None)
    # Written at once: a place that cannot be written is better known now than at the first change.
    persist.save(path, contents)
    return Service(contents, clock=clock, save=lambda changed: persist.save(path, changed))
