"""Microsoft's hosts, as far as tools use a token there: git, packages, and the API behind them.

A proxy leads https connections to `dev.azure.com`, `pkgs.dev.azure.com` and the like to a server
of this process, which has certificates for these names; so real clients run with the real URLs.
Requests to the API and to vaults are passed on to the emulator, which also says whether a secret
is good.
"""

import base64
import json
import os
import select
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPSConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import unquote, urlsplit

import trustme

from drivers import TIME_LIMIT, Emulator
from e2e.stage import accepts

OURS = (
    "dev.azure.com",
    "*.dev.azure.com",
    "*.visualstudio.com",
    "*.pkgs.visualstudio.com",
    "app.vssps.visualstudio.com",
    "*.vault.azure.net",
    "tfs.example.com",
    "dev.azure.com.evil.example",
    "evildev.azure.com",
)
HOP = {"connection", "transfer-encoding", "content-length", "keep-alive", "date", "server"}


class Visit(NamedTuple):
    """One request."""

    method: str
    host: str
    path: str
    authorization: str
    body: bytes = b""

    @property
    def secret(self) -> str:
        """The password of a Basic header, or the bearer, or nothing."""
        kind, _, text = self.authorization.partition(" ")
        if kind == "Basic":
            return base64.b64decode(text).decode().partition(":")[2]
        return text


@dataclass
class Hosts:
    """The running stand-in.

    Attributes:
        proxy: its URL, for `HTTPS_PROXY`.
        authority: a PEM file with the certificate to trust.
        repositories: a folder; `contoso/_git/app` of it is what `/contoso/_git/app` serves.
        packages: a folder; `contoso/_packaging/…` of it likewise.
        answers: what further requests get, by method and path: content type and content.
        visits: all requests, those apart that the emulator answers.
        asked: hosts that the proxy was asked for.
        bearer: an access token that is accepted like a secret.
    """

    emulator: Emulator
    proxy: str
    authority: Path
    repositories: Path
    packages: Path
    bearer: str
    answers: dict[str, tuple[str, bytes]] = field(default_factory=dict)
    visits: list[Visit] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    @property
    def environment(self) -> dict[str, str]:
        """What brings every client here: requests, git, pip, uv, npm, and what trusts OpenSSL."""
        authority = str(self.authority)
        return {
            "HTTPS_PROXY": self.proxy,
            "https_proxy": self.proxy,
            "REQUESTS_CA_BUNDLE": authority,
            "CURL_CA_BUNDLE": authority,
            "GIT_SSL_CAINFO": authority,
            "SSL_CERT_FILE": authority,
            "NODE_EXTRA_CA_CERTS": authority,
            "npm_config_cafile": authority,
            "PIP_CERT": authority,
        }

    def repository(self, path: str) -> Path:
        """Make a repository with one commit; return its folder."""
        folder = self.repositories / path
        folder.mkdir(parents=True)

        def git(*args: str) -> None:
            subprocess.run(
                ["git", "-C", folder, *args], check=True, capture_output=True, timeout=TIME_LIMIT
            )

        git("init", "-q", "-b", "main", "--bare")
        git("config", "http.receivepack", "true")
        tree = subprocess.run(
            ["git", "-C", folder, "mktree"], input=b"", check=True, capture_output=True
        ).stdout.strip()
        who = ["-c", "user.name=ada", "-c", "user.email=ada@example.com"]
        made = subprocess.run(
            ["git", "-C", folder, *who, "commit-tree", "-m", "first", tree.decode()],
            check=True,
            capture_output=True,
        )
        git("update-ref", "refs/heads/main", made.stdout.strip().decode())
        return folder

    def secrets(self) -> set[str]:
        """Return every secret that came, to whichever host."""
        return {visit.secret for visit in self.visits if visit.authorization}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    hosts: Hosts

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002, ANN401  # the base's
        pass

    def _serve(self) -> None:
        body = self._body()
        host = self.headers.get("Host", "")
        path = urlsplit(self.path).path
        answer = self.hosts.answers.get(f"{self.command} {unquote(path)}")
        known = "/_git/" in path or "/_packaging/" in path or answer is not None
        if not known:
            self._pass_on(body)
            return
        authorization = self.headers.get("Authorization", "")
        visit = Visit(self.command, host, path, authorization, body)
        self.hosts.visits.append(visit)
        if not self._accepted(visit):
            self._answer(
                401,
                [
                    ("WWW-Authenticate", "Bearer authorization_uri=https://login.example/t"),
                    ("WWW-Authenticate", 'Basic realm="https://dev.azure.com/"'),
                    ("Content-Type", "text/plain"),
                ],
                b"TF400813: The user is not authorized to access this resource.",
            )
        elif answer is not None:
            kind, content = answer
            self._answer(200, [("Content-Type", kind)], content)
        elif "/_git/" in path:
            self._git(body)
        else:
            self._package(path, body)

    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = do_PATCH = do_OPTIONS = _serve  # noqa: N815  # the base's

    def _accepted(self, visit: Visit) -> bool:
        if visit.authorization.startswith("Bearer "):
            return visit.secret == self.hosts.bearer
        return visit.authorization.startswith("Basic ") and accepts(
            self.hosts.emulator, visit.secret
        )

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() == "chunked":
            chunks = []
            while size := int(self.rfile.readline().split(b";")[0], 16):
                chunks.append(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
            return b"".join(chunks)
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def _answer(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def _pass_on(self, body: bytes) -> None:
        emulator = self.hosts.emulator
        headers = {n: v for n, v in self.headers.items() if n.lower() not in HOP}
        connection = HTTPConnection(urlsplit(emulator.url).netloc, timeout=TIME_LIMIT)
        if _matches(headers["Host"], "*.vault.azure.net"):
            context = ssl.create_default_context(cafile=str(emulator.authority_file))
            place = urlsplit(emulator.vaults or "").netloc
            connection = HTTPSConnection(place, timeout=TIME_LIMIT, context=context)
        else:
            del headers["Host"]
        connection.request(self.command, self.path, body or None, headers)
        response = connection.getresponse()
        content = response.read()
        kept = [(n, v) for n, v in response.getheaders() if n.lower() not in HOP]
        connection.close()
        self._answer(response.status, kept, content)

    def _git(self, body: bytes) -> None:
        """Let git's own CGI program serve (git-http-backend(1))."""
        parts = urlsplit(self.path)
        environment = {
            "PATH": os.environ["PATH"],
            "GIT_PROJECT_ROOT": str(self.hosts.repositories),
            "GIT_HTTP_EXPORT_ALL": "1",
            "GIT_CONFIG_GLOBAL": os.devnull,
            "PATH_INFO": unquote(parts.path),
            "QUERY_STRING": parts.query,
            "REQUEST_METHOD": self.command,
            "REMOTE_USER": "ada",
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(len(body)),
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
            "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
        }
        ran = subprocess.run(
            ["git", "http-backend"], input=body, env=environment, capture_output=True, check=True
        )
        head, _, content = ran.stdout.partition(b"\r\n\r\n")
        status = 200
        headers = []
        for line in head.decode().split("\r\n"):
            name, _, value = line.partition(": ")
            if name == "Status":
                status = int(value.split()[0])
            else:
                headers.append((name, value))
        self._answer(status, headers, content)

    def _package(self, path: str, body: bytes) -> None:
        """Serve a file; what is sent is kept, under its path."""
        file = self.hosts.packages / unquote(path).lstrip("/")
        if self.command in {"PUT", "POST"}:
            file = file / "upload" if path.endswith("/") else file
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(body)
            self._answer(200, [("Content-Type", "application/json")], b"{}")
            return
        for found, kind in (
            (file / "index.html", "text/html"),
            (file / "index.json", "application/json"),
            (file, "application/json" if file.suffix == ".json" else "application/octet-stream"),
        ):
            if found.is_file():
                self._answer(200, [("Content-Type", kind)], found.read_bytes())
                return
        self._answer(404, [("Content-Type", "application/json")], json.dumps({}).encode())


class _Server(ThreadingHTTPServer):
    """Makes the TLS connection in the thread of each client, so that none holds up the others."""

    daemon_threads = True
    context: ssl.SSLContext

    def finish_request(self, request: Any, client_address: Any) -> None:  # noqa: ANN401  # the base's
        request.settimeout(TIME_LIMIT)
        with suppress(OSError):
            secured = self.context.wrap_socket(request, server_side=True)
            super().finish_request(secured, client_address)
            with suppress(OSError):
                secured.unwrap()
            secured.close()


class _Proxy(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    target: tuple[str, int]
    hosts: Hosts

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002, ANN401  # the base's
        pass

    def do_CONNECT(self) -> None:  # the base's
        host = self.path.rpartition(":")[0]
        self.hosts.asked.append(host)
        if not any(_matches(host, pattern) for pattern in OURS):
            self.send_error(403)
            return
        with socket.create_connection(self.target, timeout=TIME_LIMIT) as other:
            self.send_response(200)
            self.end_headers()
            self._pump(other)
        self.close_connection = True

    def _pump(self, other: socket.socket) -> None:
        mine = self.connection
        while True:
            ready, _, _ = select.select([mine, other], [], [], TIME_LIMIT)
            if not ready:
                return
            for each in ready:
                with suppress(OSError):
                    if data := each.recv(65536):
                        (other if each is mine else mine).sendall(data)
                        continue
                return


def _matches(host: str, pattern: str) -> bool:
    if pattern.startswith("*."):
        return host.partition(".")[2] == pattern[2:]
    return host == pattern


@contextmanager
def running(emulator: Emulator, folder: Path, bearer: str = "") -> Iterator[Hosts]:
    """Run the stand-in until the block ends."""
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(*OURS).configure_cert(context)
    file = folder / "authority.pem"
    authority.cert_pem.write_to_path(str(file))
    with (
        _Server(("127.0.0.1", 0), type("Handler", (_Handler,), {})) as server,
        ThreadingHTTPServer(("127.0.0.1", 0), type("Proxy", (_Proxy,), {})) as proxy,
    ):
        proxy.daemon_threads = True
        server.context = context
        hosts = Hosts(
            emulator=emulator,
            proxy=f"http://127.0.0.1:{proxy.server_address[1]}",
            authority=file,
            repositories=folder / "repositories",
            packages=folder / "packages",
            bearer=bearer,
        )
        handler, proxying = server.RequestHandlerClass, proxy.RequestHandlerClass
        handler.hosts = proxying.hosts = hosts  # type: ignore[attr-defined]  # made just above
        proxying.target = server.server_address[:2]  # type: ignore[attr-defined]  # as above
        threads = [
            threading.Thread(target=each.serve_forever, args=(0.02,)) for each in (server, proxy)
        ]
        for thread in threads:
            thread.start()
        try:
            yield hosts
        finally:
            for each in (server, proxy):
                each.shutdown()
            for thread in threads:
                thread.join()
