"""Limits the total time of a response, from its first byte to its last.

requests' timeout starts again with each byte, and http.client has none for status and headers: a
server that sends a byte every second, or one `100 Continue` after the other, would block forever.
"""

import http.client
import io
from collections.abc import Callable
from typing import Any, Final

from requests.adapters import HTTPAdapter

ANSWERING_SECONDS: Final = 60.0
"""Seconds for a whole response; twice the read timeout if that is longer."""


class TooSlowError(TimeoutError):
    """A response began in time, but did not end in time."""


class PatientAdapter(HTTPAdapter):
    """Makes connections, also through a proxy, whose responses must end in time.

    Args:
        timeout: seconds to connect, and seconds without a byte while reading.
        clock: monotonic seconds.
        pool_size: how many connections to one host are kept.
    """

    def __init__(
        self, timeout: tuple[float, float], clock: Callable[[], float], pool_size: int = 10
    ) -> None:
        seconds = max(ANSWERING_SECONDS, 2 * timeout[1])

        class Answer(http.client.HTTPResponse):
            """A response that reads from its socket with a deadline."""

            def __init__(self, sock: Any, *args: Any, **more: Any) -> None:  # noqa: ANN401 - a socket, or what plays one; passed on
                super().__init__(sock, *args, **more)
                self.fp = _bounded(self.fp, sock, clock() + seconds, clock)

        self._answer = Answer
        super().__init__(pool_maxsize=pool_size)

    def get_connection_with_tls_context(self, *args: Any, **more: Any) -> Any:  # noqa: ANN401 - as requests has them
        """Return a pool of such connections; see requests."""
        pool: Any = super().get_connection_with_tls_context(*args, **more)
        made: Any = pool.ConnectionCls
        if made.response_class is not self._answer:
            pool.ConnectionCls = type(made.__name__, (made,), {"response_class": self._answer})
        return pool


def _bounded(
    file: Any,  # noqa: ANN401 - what `makefile` gives
    sock: Any,  # noqa: ANN401 - as above
    until: float,
    clock: Callable[[], float],
) -> io.BufferedReader:
    return io.BufferedReader(_Bounded(file.detach(), sock, until, clock))


class _Bounded(io.RawIOBase):
    """Reads from a socket until a deadline."""

    def __init__(
        self,
        raw: Any,  # noqa: ANN401 - as above
        sock: Any,  # noqa: ANN401 - as above
        until: float,
        clock: Callable[[], float],
    ) -> None:
        self._raw = raw
        self._sock = sock
        self._until = until
        self._clock = clock

    def readable(self) -> bool:
        """Return True; see `io.RawIOBase`."""
        return True

    def readinto(self, buffer: Any, /) -> int | None:  # noqa: ANN401 - a buffer
        """Read the available bytes; see `io.RawIOBase`.

        Raises:
            TooSlowError: the time is over.
        """
        left = self._until - self._clock()
        if left <= 0:
            raise TooSlowError("the response was not complete in time")
        usual = self._sock.gettimeout()
        self._sock.settimeout(left if usual is None else min(usual, left))
        try:
            read: int | None = self._raw.readinto(buffer)
        except TimeoutError:
            if usual is not None and left > usual:
                raise
            raise TooSlowError("the response was not complete in time") from None
        finally:
            self._sock.settimeout(usual)
        return read

    def close(self) -> None:
        """Close the socket, too; see `io.RawIOBase`."""
        if not self.closed:
            self._raw.close()
        super().close()
