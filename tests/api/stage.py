"""The client against a running emulator, with a clock that sleeping moves."""

import threading
import time
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import requests

from azdo_pat.api.audit import AuditLog
from azdo_pat.api.directory import Directory
from azdo_pat.api.graph import Graph
from azdo_pat.api.http import Http
from azdo_pat.api.tenant_policies import TenantPolicies
from azdo_pat.api.token_admin import TokenAdmin
from azdo_pat.api.tokens import Tokens
from azdo_pat.api.trace import Exchange
from azdo_pat.emulator.run import RunningEmulator
from azdo_pat.models import AccessToken, Organization, Secret

CONTOSO_ID = "38aaa865-2c70-4bf7-a308-0c6539c38c1a"
FABRIKAM_ID = "6affcbef-fe5d-44c6-8a29-439b79aaa118"
ADA_ID = "d6245f20-2af8-44f4-9451-8107cb2767db"
PATS = "/contoso/_apis/tokens/pats"


class Hands:
    """A monotonic clock whose sleep takes no time, but moves it."""

    def __init__(self) -> None:
        self.slept: list[float] = []
        self._lock = threading.Lock()
        self._skipped = 0.0

    def clock(self) -> float:
        with self._lock:
            return time.monotonic() + self._skipped

    def sleep(self, seconds: float) -> None:
        with self._lock:
            self.slept.append(seconds)
            self._skipped += seconds


@dataclass(frozen=True, kw_only=True)
class Client:
    """A client, and what it told."""

    http: Http
    hands: Hands
    exchanges: list[Exchange] = field(default_factory=list)
    waits: list[tuple[float, str]] = field(default_factory=list)
    odd: list[str] = field(default_factory=list)
    waited_for: list[tuple[str, float | None]] = field(default_factory=list)

    @property
    def tokens(self) -> Tokens:
        return Tokens(self.http, self.odd.append)

    @property
    def audit(self) -> AuditLog:
        return AuditLog(self.http, self.odd.append)

    @property
    def graph(self) -> Graph:
        return Graph(self.http, self.odd.append)

    @property
    def token_admin(self) -> TokenAdmin:
        return TokenAdmin(self.http, self.odd.append)

    @property
    def tenant_policies(self) -> TenantPolicies:
        return TenantPolicies(self.http)

    @property
    def directory(self) -> Directory:
        return Directory(self.http, self.odd.append)


def client(
    api_root: str | None,
    bearer: str = "bearer-of-a-test",
    timeout: tuple[float, float] = (5.0, 5.0),
) -> Client:
    """Return a client; its access token says that it comes from the test."""
    hands = Hands()
    exchanges: list[Exchange] = []
    waits: list[tuple[float, str]] = []
    waited_for: list[tuple[str, float | None]] = []

    def wait(what: str, seconds: float | None = None) -> AbstractContextManager[None]:
        waited_for.append((what, seconds))
        return nullcontext()

    http = Http(
        api_root=api_root,
        access_token=lambda: AccessToken(secret=Secret(bearer), source="the test"),
        timeout=timeout,
        trace=exchanges.append,
        pausing=lambda seconds, reason: waits.append((seconds, reason)),
        waits=wait,
        sleep=hands.sleep,
        clock=hands.clock,
        version="1.2.3",
    )
    return Client(http=http, hands=hands, exchanges=exchanges, waits=waits, waited_for=waited_for)


class Stage:
    """A running emulator and its control endpoint."""

    def __init__(self, emulator: RunningEmulator) -> None:
        self.url = emulator.url
        self.host = emulator.url.removeprefix("http://")
        self.access_token = emulator.access_token
        self.contoso = self.organization("contoso", CONTOSO_ID)

    def organization(self, name: str, guid: str | None = None) -> Organization:
        return Organization(name=name, url=f"{self.url}/{name}", id=guid)

    def client(self, bearer: str = "", timeout: tuple[float, float] = (5.0, 5.0)) -> Client:
        return client(self.url, bearer or self.access_token, timeout)

    def control(self, method: str, what: str, body: object = None) -> Any:  # noqa: ANN401 - a document of any shape
        answer = requests.request(method, f"{self.url}/_emulator/{what}", json=body, timeout=5)
        assert answer.ok, answer.text
        return answer.json()

    def fault(self, text: str) -> None:
        self.control("POST", "faults", {"fault": text})

    def asked(self, method: str) -> list[dict[str, Any]]:
        """Return what was asked of the service with a method, as its log has it."""
        log: list[dict[str, Any]] = self.control("GET", "requests")["requests"]
        return [entry for entry in log if entry["method"] == method]

    def names(self) -> list[str]:
        """Return the display names of all tokens there are."""
        return [token["displayName"] for token in self.control("GET", "state")["tokens"]]


class Elsewhere:
    """Another server on this machine: it remembers what it is asked, and answers as it is told.

    Attributes:
        heard: method, path and headers of each request.
    """

    def __init__(self, status: int, headers: dict[str, str], body: bytes) -> None:
        heard: list[tuple[str, str, dict[str, str]]] = []
        self.heard = heard

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self) -> None:
                heard.append((self.command, self.path, dict(self.headers)))
                self.rfile.read(int(self.headers.get("Content-Length") or 0))
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_GET = do_POST = do_PUT = do_DELETE = do_CONNECT = answer  # noqa: N815 - http.server's names

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self._server.server_port
        self.url = f"http://127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
