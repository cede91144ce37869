"""Answers that never end, or that fill more room than there is."""

import gzip
import socket
import ssl
import threading
import time
import tracemalloc
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path

import pytest

from azdo_pat.api.body import LARGEST
from azdo_pat.api.call import ApiCall
from azdo_pat.api.entra_transport import EntraHttp
from azdo_pat.api.http import Http
from azdo_pat.emulator.certificate import make_certificate
from azdo_pat.errors import NoAnswerError, UnavailableError
from azdo_pat.models import AccessToken, Secret

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
PACKED = HEAD + b"Content-Encoding: gzip\r\nConnection: close\r\n\r\n"
Answering = Callable[[socket.socket], None]


@contextmanager
def serving(
    answer: Answering, tls: ssl.SSLContext | None = None
) -> Iterator[tuple[str, list[int]]]:
    """Run a server while the block runs; give its URL, and the number of its connections."""
    connections: list[int] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            with suppress(OSError):
                while True:
                    connection, _ = listener.accept()
                    connections.append(1)
                    if tls is not None:
                        connection = tls.wrap_socket(connection, server_side=True)
                    with connection, suppress(OSError):
                        while connection.recv(65536):
                            answer(connection)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            scheme = "https" if tls else "http"
            yield f"{scheme}://127.0.0.1:{listener.getsockname()[1]}", connections
        finally:
            with suppress(OSError):  # of Windows, where closing it is enough
                listener.shutdown(socket.SHUT_RDWR)
            listener.close()
            thread.join()


def client(url: str, clock: Callable[[], float] = time.monotonic) -> Http:
    return Http(
        api_root=url,
        access_token=lambda: AccessToken(secret=Secret("x"), source="the test"),
        timeout=(5.0, 5.0),
        clock=clock,
        version="1",
    )


def fast() -> Callable[[], float]:
    """Return a clock on which a minute passes in a second."""
    began = time.monotonic()
    return lambda: (time.monotonic() - began) * 60


def drip(connection: socket.socket) -> None:
    connection.sendall(HEAD + b"Content-Length: 100000\r\n\r\n")
    while True:
        connection.sendall(b" ")
        time.sleep(0.02)


def drip_chunks(connection: socket.socket) -> None:
    connection.sendall(HEAD + b"Transfer-Encoding: chunked\r\n\r\n")
    while True:
        connection.sendall(b"1\r\n \r\n")
        time.sleep(0.02)


def drip_what_unpacks_to_nothing(connection: socket.socket) -> None:
    connection.sendall(PACKED + gzip.compress(b"")[:10])
    while True:
        connection.sendall(b"\0\0\0\xff\xff")
        time.sleep(0.02)


@pytest.mark.parametrize("answer", [drip, drip_chunks, drip_what_unpacks_to_nothing])
@pytest.mark.parametrize(("method", "kind"), [("GET", UnavailableError), ("POST", NoAnswerError)])
def test_an_answer_that_drips_is_given_up(
    answer: Answering, method: str, kind: type[UnavailableError]
) -> None:
    with serving(answer) as (url, connections):
        started = time.monotonic()
        with pytest.raises(UnavailableError) as caught:
            client(url, fast()).send(ApiCall(method=method, url=f"{url}/x"))
        assert 0.9 < time.monotonic() - started < 3
        assert len(connections) == 1
    host = url.removeprefix("http://")
    assert type(caught.value) is kind
    assert caught.value.message == f"{host} did not answer: its response took too long"


def blanks(connection: socket.socket) -> None:
    """Send a gigabyte and a half of blanks, packed."""
    packing = zlib.compressobj(9, zlib.DEFLATED, 31)
    connection.sendall(PACKED)
    for _ in range(1500):
        connection.sendall(packing.compress(b" " * (1 << 20)))
    connection.sendall(packing.flush())
    connection.shutdown(socket.SHUT_WR)


def plain_blanks(connection: socket.socket) -> None:
    connection.sendall(HEAD + b"\r\n")
    for _ in count():
        connection.sendall(b" " * (1 << 20))


@pytest.mark.parametrize("answer", [blanks, plain_blanks])
def test_an_answer_that_fills_the_memory_is_given_up(answer: Answering) -> None:
    with serving(answer) as (url, connections):
        tracemalloc.start()
        try:
            with pytest.raises(UnavailableError, match="its response is larger than 32 MB"):
                client(url).send(ApiCall(method="GET", url=f"{url}/x"))
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert len(connections) == 1
    assert peak < 3 * LARGEST


@pytest.mark.parametrize("size", [0, 2, 100_000])
@pytest.mark.parametrize("how", ["length", "chunks", "packed", "packed chunks"])
def test_whole_answers_on_one_connection(size: int, how: str) -> None:
    body = bytes(index * index % 251 for index in range(size))
    sent = gzip.compress(body) if "packed" in how else body
    head = HEAD + (b"Content-Encoding: gzip\r\n" if "packed" in how else b"")
    if "chunks" in how:
        half = len(sent) // 2
        pieces = [piece for piece in (sent[:half], sent[half:]) if piece]
        framed = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces)
        whole = head + b"Transfer-Encoding: chunked\r\n\r\n" + framed + b"0\r\n\r\n"
    else:
        whole = head + b"Content-Length: %d\r\n\r\n" % len(sent) + sent
    with serving(lambda connection: connection.sendall(whole)) as (url, connections):
        http = client(url)
        for _ in range(3):
            assert http.send(ApiCall(method="GET", url=f"{url}/x")).body == body
        assert len(connections) == 1
        http._session.close()  # noqa: SLF001 - the server waits for the end of the connection


def test_a_packed_answer_that_is_cut_is_none() -> None:
    packed = gzip.compress(b"[1, 2, 3]")[:-12]
    whole = HEAD + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(packed) + packed
    with serving(lambda connection: connection.sendall(whole)) as (url, _):
        http = client(url)
        with pytest.raises(NoAnswerError, match="its response cannot be decompressed"):
            http.send(ApiCall(method="POST", url=f"{url}/x"))
        http._session.close()  # noqa: SLF001 - as above


def drip_headers(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nX-Long: ")
    while True:
        connection.sendall(b"x")
        time.sleep(0.02)


def drip_the_status(connection: socket.socket) -> None:
    while True:
        connection.sendall(b"H")
        time.sleep(0.02)


def flood_with_interim_answers(connection: socket.socket) -> None:
    while True:
        connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        time.sleep(0.001)


def flood_with_headers(connection: socket.socket) -> None:
    connection.sendall(HEAD)
    while True:
        connection.sendall(b"X-One: more\r\n")


SLOW_HEADS = [drip_headers, drip_the_status, flood_with_interim_answers]


@pytest.mark.parametrize("answer", SLOW_HEADS)
@pytest.mark.parametrize(("method", "kind"), [("GET", UnavailableError), ("POST", NoAnswerError)])
def test_headers_that_drip_are_given_up(
    answer: Answering, method: str, kind: type[UnavailableError]
) -> None:
    with serving(answer) as (url, connections), pytest.raises(kind) as info:
        client(url, fast()).send(ApiCall(method=method, url=f"{url}/x"))
    assert info.value.message.endswith("its response took too long")
    assert len(connections) == 1


def test_headers_without_end_are_given_up() -> None:
    with serving(flood_with_headers) as (url, _), pytest.raises(UnavailableError):
        client(url, fast()).send(ApiCall(method="GET", url=f"{url}/x"))


@pytest.mark.parametrize("answer", [drip, drip_chunks, *SLOW_HEADS])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_an_entra_that_drips_is_given_up(answer: Answering, method: str, tmp_path: Path) -> None:
    """Signing in and renewing make no other requests than these."""
    certificate = make_certificate("127.0.0.1")
    authority = tmp_path / "authority.pem"
    authority.write_bytes(certificate.authority)
    with serving(answer, certificate.context) as (url, connections):
        entra = EntraHttp(
            url,
            timeout=(5.0, 5.0),
            ca_bundle=str(authority),
            trace=lambda _: None,
            clock=fast(),
        )
        started = time.monotonic()
        with pytest.raises(UnavailableError) as caught:
            entra.get(f"{url}/x") if method == "GET" else entra.post(f"{url}/x")
        assert 0.9 < time.monotonic() - started < 3
        assert len(connections) == 1
    assert caught.value.message.endswith("its response took too long")


@pytest.mark.parametrize("answer", SLOW_HEADS)
def test_a_proxy_that_drips_is_given_up(answer: Answering, monkeypatch: pytest.MonkeyPatch) -> None:
    call = ApiCall(method="GET", url="https://elsewhere.example/x")
    with serving(answer) as (url, _):
        monkeypatch.setenv("HTTPS_PROXY", url)
        made = client("https://elsewhere.example", fast())
        with pytest.raises(UnavailableError):
            made.send(call)
