"""The HTTP server: threads, connections that stay open, and the cutting of them.

Werkzeug's own handler ends the connection after each answer and waits 10 ms for more input;
clients that reuse connections, as the real service lets them, would never be tested by it.
"""

from __future__ import annotations

import contextlib
import io
import socket
import struct
import sys
import threading
import time
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from werkzeug.serving import ThreadedWSGIServer, WSGIRequestHandler

from azdo_pat.emulator.errors import ConnectionCut, EmulatorError

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable

    from _typeshed.wsgi import WSGIApplication

    # What socketserver serves; the pair is that of datagrams.
    _Request = socket.socket | tuple[bytes, socket.socket]

_PORTS: Final = range(65536)
_LARGEST_BODY: Final = 4 * 1024 * 1024
_RESET_ON_CLOSE: Final = struct.pack("ii", 1, 0)
_NO_BODY: Final = frozenset({HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED})


class Handler(WSGIRequestHandler):
    """One connection, any number of requests."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1

    def run_wsgi(self) -> None:
        """Answer one request and keep the connection."""
        environ = self.make_environ()
        try:
            body = self._read_body(environ)
        except (ValueError, OSError):
            self.send_error(HTTPStatus.BAD_REQUEST)
            return
        environ["wsgi.input"] = io.BytesIO(body)
        environ["CONTENT_LENGTH"] = str(len(body))
        started: list[tuple[str, list[tuple[str, str]]]] = []

        def start_response(
            status: str, headers: list[tuple[str, str]], _error: object = None, /
        ) -> Callable[[bytes], object]:
            started.append((status, headers))
            return lambda _data: None

        try:
            answer = b"".join(self.server.app(environ, start_response))
        except ConnectionCut:
            self._cut()
            return
        self._send(*started[-1], answer)

    def log(self, type: str, message: str, *args: object) -> None:  # noqa: A002 -- werkzeug's name
        """Say nothing: the control endpoint keeps the log."""

    def _read_body(self, environ: dict[str, Any]) -> bytes:
        if environ.get("wsgi.input_terminated"):
            chunks: bytes = environ["wsgi.input"].read()
            return chunks
        length = int(self.headers.get("Content-Length") or 0)
        if not 0 <= length <= _LARGEST_BODY:
            raise ValueError(length)
        data = self.rfile.read(length)
        if len(data) != length:
            # The client went away in the middle: half a request must have no effect.
            raise ValueError(len(data))
        return data

    def _send(self, status: str, headers: list[tuple[str, str]], body: bytes) -> None:
        code, _, reason = status.partition(" ")
        self.send_response_only(int(code), reason)
        bare = int(code) in _NO_BODY
        for name, value in headers:
            if not (bare and name.lower() in {"content-length", "content-type"}):
                self.send_header(name, value)
        self.end_headers()
        if not bare and self.command != "HEAD":
            self.wfile.write(body)
        self.wfile.flush()

    def _cut(self) -> None:
        # Without lingering, the close is a reset: the client cannot take it for an answer.
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        self.close_connection = True


class Server(ThreadedWSGIServer):
    """Serves on one address until closed, and then lets go of every connection."""

    def __init__(
        self, listener: socket.socket, app: WSGIApplication, tls: ssl.SSLContext | None = None
    ) -> None:
        host, port = listener.getsockname()[:2]
        super().__init__(host, port, app, handler=Handler, fd=listener.fileno())
        self.ssl_context = tls  # the handler looks at it to tell https from http
        self._connections: dict[int, _Request] = {}
        self._guard = threading.Lock()

    def get_request(self) -> tuple[socket.socket, Any]:
        """Take a connection; its TLS handshake is for its own thread, with its first byte."""
        try:
            connection, address = super().get_request()
        except OSError:
            time.sleep(0.001)  # `close` has shut the listener, and tells the loop to end right now
            raise
        if self.ssl_context is not None:
            connection = self.ssl_context.wrap_socket(
                connection, server_side=True, do_handshake_on_connect=False
            )
        return connection, address

    def process_request(self, request: _Request, client_address: object) -> None:
        """Remember the connection; a thread of its own serves it."""
        with self._guard:
            self._connections[id(request)] = request
        super().process_request(request, client_address)

    def shutdown_request(self, request: _Request) -> None:
        """Forget the connection."""
        super().shutdown_request(request)
        with self._guard:
            self._connections.pop(id(request), None)

    def handle_error(self, request: _Request, client_address: object) -> None:
        """A client that went away is no news."""

    def close(self) -> None:
        """Stop listening and close what is open; idle clients notice at once."""
        # Linux wakes the thread that waits for a client; elsewhere it is not connected, and the
        # thread looks by itself.
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)
        self.shutdown()
        self.server_close()
        with self._guard:
            connections = list(self._connections.values())
        for connection in connections:
            if isinstance(connection, socket.socket):
                # One that is gone already cannot be shut.
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
                if sys.platform == "win32":
                    # There, only closing it ends the wait of the thread that reads from it, and
                    # `close` would wait for the files that the handler has made of it.
                    with contextlib.suppress(OSError):  # its own thread has just closed it
                        socket.close(connection.detach())
        deadline = time.monotonic() + 1
        while self._connections and time.monotonic() < deadline:
            time.sleep(0.001)


def listen(host: str, port: int) -> socket.socket:
    """A listening socket.

    Raises:
        EmulatorError: the address is in use, not ours or not one.
    """
    if port not in _PORTS:
        raise EmulatorError(f"cannot listen on {host} port {port}: ports are 0 to 65535")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=128)
    except OSError as error:
        reason = error.strerror or str(error)
        raise EmulatorError(f"cannot listen on {host} port {port}: {reason}") from error
