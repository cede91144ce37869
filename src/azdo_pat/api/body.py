"""Reads a response's body, up to a maximum size."""

import zlib
from typing import Final

import requests

from azdo_pat.api.network import TRY_AGAIN
from azdo_pat.api.response import Problem

LARGEST: Final = 32 * 1024 * 1024
"""Bytes after decompression; a page of 100 tokens has about 50 thousand."""
ACCEPTED_ENCODING: Final = "gzip"

_PIECE: Final = 64 * 1024
_GZIP: Final = 16 + zlib.MAX_WBITS
_TOO_LARGE: Final = Problem(
    reason=f"its response is larger than {LARGEST // 1024**2} MB", passing=False
)
_NOT_UNPACKABLE: Final = Problem(reason="its response cannot be decompressed", hint=TRY_AGAIN)


def whole_body(response: requests.Response) -> bytes | Problem:
    """Read and decompress the whole body, then release the connection.

    requests itself has no maximum size. For the maximum time see `time_limit`.

    Args:
        response: made with `stream=True`, nothing of it read yet.

    Raises:
        urllib3.exceptions.HTTPError: the connection failed; see `network.NETWORK_ERRORS`.
    """
    packed = response.headers.get("Content-Encoding", "").lower() == ACCEPTED_ENCODING
    # Decompressed here, because urllib3 reads on until decompression yields something.
    unpacking = zlib.decompressobj(_GZIP) if packed else None
    pieces: list[bytes] = []
    room, empty = LARGEST, True
    with response:
        while piece := response.raw.read1(_PIECE, decode_content=False):
            empty = False
            if unpacking is not None:
                try:
                    piece = unpacking.decompress(piece, room + 1)
                except zlib.error:
                    return _NOT_UNPACKABLE
            room -= len(piece)
            if room < 0:
                return _TOO_LARGE
            pieces.append(piece)
    if unpacking is not None and not unpacking.eof and not empty:
        return _NOT_UNPACKABLE
    return b"".join(pieces)
