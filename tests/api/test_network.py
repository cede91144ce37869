"""Networks that do not work, as they really fail on this machine."""

import datetime as dt
import errno
import ipaddress
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
import requests
import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from urllib3 import exceptions as wire

from api.stage import Elsewhere, client
from azdo_pat.api.network import trouble_of
from azdo_pat.api.response import Problem
from azdo_pat.errors import UnavailableError

NETWORK = "check the network, VPN and proxy settings (HTTPS_PROXY, NO_PROXY)"
AGAIN = f"try again; if the problem persists, {NETWORK}"
CERTIFICATES = (
    "if a proxy inspects TLS, trust its certificate: pat config set ca-bundle FILE,"
    " or REQUESTS_CA_BUNDLE"
)
OTHER = "is for another host name (IP address mismatch, certificate is not valid for '127.0.0.1')"
ANSWERED = "another server answered"
CLOCK = "check this machine's clock; if it is right, the server's certificate must be renewed"


def failure(api_root: str, timeout: float = 5.0) -> tuple[str, str]:
    made = client(api_root, timeout=(timeout, timeout))
    with pytest.raises(UnavailableError) as caught:
        made.directory.me()
    error = caught.value
    assert error.__cause__ is error.__context__ is None
    assert "bearer-of-a-test" not in repr(error)
    return error.message, error.hint


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """Make a certificate for 127.0.0.1 that nobody trusts, with its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test")])
    address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([address]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path / "certificate.pem"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + made.public_bytes(serialization.Encoding.PEM)
    )
    return path


@pytest.fixture
def tls_server(certificate: Path) -> Iterator[str]:
    """Serve one profile by https to whoever trusts the certificate; give the address."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with serving(context) as address:
        yield address


@contextmanager
def serving(context: ssl.SSLContext) -> Iterator[str]:
    """Serve one profile by https with the certificate of this context; give the address."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                raw, _ = listener.accept()
            except OSError:
                return
            with raw:
                try:
                    with context.wrap_socket(raw, server_side=True) as connection:
                        connection.recv(65536)
                        body = b'{"id":"1"}'
                        head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\n\r\n"
                        connection.sendall(head.encode() + body)
                except OSError:
                    continue

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield f"https://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        with suppress(OSError):  # of Windows, where closing it is enough
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()


def test_connection_refused() -> None:
    assert failure("http://127.0.0.1:9") == (
        "127.0.0.1:9 did not answer: connection refused",
        "PAT_API_URL points to this machine: is the emulator or proxy running?",
    )


def test_a_name_that_is_not_known() -> None:
    message, hint = failure("https://no-such-host.invalid")
    assert message.startswith(
        "no-such-host.invalid did not answer: its host name cannot be resolved ("
    )
    assert hint == NETWORK


def test_a_name_that_cannot_be_one() -> None:
    host = "a" * 70 + ".example"
    message, _ = failure(f"https://{host}")
    assert message.startswith(f"{host} did not answer: ")


def test_no_answer_in_time() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        message = f"127.0.0.1:{port} did not answer: no response in time"
        assert failure(f"http://127.0.0.1:{port}", 0.1) == (message, AGAIN)


def test_https_to_a_server_that_speaks_http(elsewhere: Callable[..., Elsewhere]) -> None:
    port = elsewhere().port
    assert failure(f"https://127.0.0.1:{port}") == (
        (
            f"127.0.0.1:{port} did not answer: no secure connection could be made"
            " (wrong version number)"
        ),
        CERTIFICATES,
    )


def test_a_certificate_that_is_not_trusted(tls_server: str) -> None:
    host = tls_server.removeprefix("https://")
    message, hint = failure(tls_server)
    unknown = "its certificate is from an issuer that this machine does not trust (self"
    assert message.startswith(f"{host} did not answer: {unknown}")
    assert hint == CERTIFICATES


@pytest.mark.parametrize(
    ("name", "days", "trusted", "expected"),
    [
        ("127.0.0.1", (-9, -1), True, ("has expired (certificate has expired)", CLOCK)),
        ("127.0.0.1", (1, 9), True, ("is not valid yet (certificate is not yet valid)", CLOCK)),
        (
            "other.example",
            (-1, 9),
            True,
            (OTHER, "check the address (PAT_API_URL, PAT_AUTHORITY) and the proxy: " + ANSWERED),
        ),
        (
            "127.0.0.1",
            (-1, 9),
            False,
            (
                (
                    "is from an issuer that this machine does not trust (unable to get local"
                    " issuer certificate)"
                ),
                CERTIFICATES,
            ),
        ),
    ],
    ids=["expired", "too new", "other name", "unknown issuer"],
)
def test_what_is_wrong_with_a_certificate(
    name: str,
    days: tuple[int, int],
    trusted: bool,  # noqa: FBT001 - a parameter of the test
    expected: tuple[str, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    cause, hint = expected
    now = dt.datetime.now(dt.UTC)
    authority = trustme.CA()
    made = authority.issue_cert(
        name,
        not_before=now + dt.timedelta(days=days[0]),
        not_after=now + dt.timedelta(days=days[1]),
    )
    bundle = tmp_path / "bundle.pem"
    (authority if trusted else trustme.CA()).cert_pem.write_to_path(str(bundle))
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(bundle))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.configure_cert(context)
    with serving(context) as address:
        host = address.removeprefix("https://")
        assert failure(address) == (f"{host} did not answer: its certificate {cause}", hint)


def test_a_certificate_that_the_user_trusts(
    tls_server: str, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))
    assert client(tls_server).directory.me().id == "1"


def test_a_bundle_that_is_not_there(
    tls_server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "bundle.pem"))
    host = tls_server.removeprefix("https://")
    assert failure(tls_server) == (
        f"{host} did not answer: the file of trusted certificates cannot be read",
        "check ca-bundle (pat config list), REQUESTS_CA_BUNDLE and CURL_CA_BUNDLE",
    )


def test_a_bundle_that_holds_no_certificate(
    tls_server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "bundle.pem").write_text("no certificate")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "bundle.pem"))
    host = tls_server.removeprefix("https://")
    message, hint = failure(tls_server)
    assert message.startswith(
        f"{host} did not answer: no secure connection could be made (no certificate"
    )
    assert hint == CERTIFICATES


@pytest.mark.parametrize(
    ("proxy", "message"),
    [
        ("http://127.0.0.1:9", "the proxy cannot be used (Connection refused)"),
        (
            "socks5://127.0.0.1:9",
            "a SOCKS proxy needs PySocks: install it in the Python environment of pat",
        ),
        ("http:///nowhere", "the proxy's address is malformed"),
    ],
)
def test_a_proxy_that_does_not_work(
    monkeypatch: pytest.MonkeyPatch, proxy: str, message: str
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", proxy)
    assert failure("https://azure.example") == (
        f"azure.example did not answer: {message}",
        "check HTTPS_PROXY and NO_PROXY",
    )


@pytest.mark.parametrize(
    ("headers", "body", "reason"),
    [
        ({"Content-Encoding": "gzip"}, b"no gzip", "its response cannot be decompressed"),
        ({"Content-Length": "100"}, b"{}", "the connection was cut"),
        ({"Transfer-Encoding": "chunked"}, b"zz\r\n", "the connection was cut"),
    ],
)
def test_an_answer_that_ends_badly(headers: dict[str, str], body: bytes, reason: str) -> None:
    lines = [f"{name}: {value}" for name, value in headers.items()]
    head = "\r\n".join(["HTTP/1.1 200 OK", "Connection: close", *lines, "", ""]).encode()
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            for _ in range(4):
                connection, _ = listener.accept()
                with connection:
                    connection.recv(65536)
                    connection.sendall(head + body)

        thread = threading.Thread(target=serve)
        thread.start()
        port = listener.getsockname()[1]
        assert failure(f"http://127.0.0.1:{port}") == (
            f"127.0.0.1:{port} did not answer: {reason}",
            AGAIN,
        )
        thread.join()


@pytest.mark.parametrize(
    "answer",
    [
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"HTTP/1.1 abc\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + 70_000 * b"x" + b"\r\n\r\n",
    ],
    ids=["SSH", "no status", "a line without an end"],
)
def test_an_answer_that_is_not_http(answer: bytes) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            for _ in range(4):
                connection, _ = listener.accept()
                with connection:
                    connection.recv(65536)
                    connection.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        port = listener.getsockname()[1]
        assert failure(f"http://127.0.0.1:{port}") == (
            f"127.0.0.1:{port} did not answer: its response is not valid HTTP",
            "check the address (PAT_API_URL, PAT_AUTHORITY) and the proxy",
        )
        thread.join()


def caused(error: Exception, cause: Exception) -> Exception:
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("error", "trouble"),
    [
        (
            requests.exceptions.InvalidURL("x"),
            Problem(reason="the request failed", hint=AGAIN, passing=False),
        ),
        (wire.HTTPError("x"), Problem(reason="the request failed", hint=AGAIN, passing=False)),
        (
            requests.ConnectTimeout("x"),
            Problem(reason="connecting took too long", hint=NETWORK, sent=False),
        ),
        (
            requests.ConnectionError(wire.ReadTimeoutError(None, "", "x")),  # type: ignore[arg-type]  # urllib3's pool is of no account here
            Problem(reason="no response in time", hint=AGAIN),
        ),
        (
            caused(
                wire.NameResolutionError("x", None, socket.gaierror()),  # type: ignore[arg-type]  # as above
                socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution"),
            ),
            Problem(
                reason="its host name cannot be resolved (Temporary failure in name resolution)",
                hint=NETWORK,
                sent=False,
            ),
        ),
        (
            caused(
                wire.NewConnectionError(None, "x"),  # type: ignore[arg-type]  # as above
                OSError(errno.ENETUNREACH, "Network is unreachable"),
            ),
            Problem(
                reason="it cannot be reached (Network is unreachable)", hint=NETWORK, sent=False
            ),
        ),
        (
            OSError(errno.EMFILE, "Too many open files"),
            Problem(reason="the request failed", hint=AGAIN, passing=False),
        ),
    ],
)
def test_what_cannot_be_brought_about_here(error: Exception, trouble: Problem) -> None:
    assert trouble_of(error) == trouble
