"""Reading an answer's body, with an end to the room that it fills."""

import zlib
from typing import Final

import requests

from azdo_pat.api.network import TRY_AGAIN
from azdo_pat.api.response import Problem

LARGEST: Final = 32 * 1024 * 1024
"""Bytes, unpacked: a page of 100 tokens has about 50 thousand."""
ACCEPTED_ENCODING: Final = "gzip"

_PIECE: Final = 64 * 1024
_GZIP: Final = 16 + zlib.MAX_WBITS
_TOO_LARGE: Final = Problem(
    reason=f"its answer is larger than {LARGEST // 1024**2} MB", passing=False
)
_NOT_UNPACKABLE: Final = Problem(reason="its answer cannot be unpacked", hint=TRY_AGAIN)


def whole_body(response: requests.Response) -> bytes | Problem:
    """Read the body to its end, unpacked, or say why not; the connection is free then.

    requests reads without such a bound. For the time there is one, see `patience`.

    Args:
        response: made with `stream=True`, nothing of it read yet.

    Raises:
        urllib3.exceptions.HTTPError: the connection failed; see `network.NETWORK_ERRORS`.
    """
    packed = response.headers.get("Content-Encoding", "").lower() == ACCEPTED_ENCODING
    # Unpacked here: urllib3 goes on reading until something comes out of it.
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
