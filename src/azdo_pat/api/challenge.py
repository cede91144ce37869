"""Parses `WWW-Authenticate`, which may hold several challenges or be repeated."""

import base64
import json
import re
from typing import Final

from azdo_pat.api.response import Response

_PIECE: Final = re.compile(
    r"""(?P<name>[\w!#$%&'*+.^`|~-]+)\s*=\s*(?:"(?P<quoted>(?:\\.|[^"\\])*)"|(?P<plain>[^\s,"]*))
    |(?P<scheme>[\w!#$%&'*+.^`|~-]+)
    |.""",
    re.VERBOSE | re.ASCII | re.DOTALL,
)
"""A parameter, a scheme, or any other character (RFC 9110, 11.6.1)."""

_INSUFFICIENT: Final = "insufficient_claims"
_LONGEST_CLAIMS: Final = 16_000


def claims_of(answer: Response) -> str:
    """Return, as JSON, the claims that a new access token must have; empty for none.

    Source: Microsoft identity platform, "Claims challenges, claims requests and client
    capabilities": `Bearer …, error="insufficient_claims", claims="…"`, in base64.
    """
    for scheme, values in challenges(answer.headers.get("WWW-Authenticate", "")):
        if scheme == "bearer" and values.get("error", _INSUFFICIENT) == _INSUFFICIENT:
            found = _decoded(values.get("claims", ""))
            if found:
                return found
    return ""


def challenges(header: str) -> list[tuple[str, dict[str, str]]]:
    """Return the challenges of a header: the scheme and the parameters, names in lower case."""
    found: list[tuple[str, dict[str, str]]] = []
    for piece in _PIECE.finditer(header):
        if piece["scheme"]:
            found.append((piece["scheme"].lower(), {}))
        elif piece["name"] and found:
            quoted = piece["quoted"]
            value = piece["plain"] if quoted is None else re.sub(r"\\(.)", r"\1", quoted)
            found[-1][1].setdefault(piece["name"].lower(), value or "")
    return found


def _decoded(text: str) -> str:
    """Decode a JSON object from base64, with or without padding."""
    if not text or len(text) > _LONGEST_CLAIMS:
        return ""
    plain = text.rstrip("=").replace("+", "-").replace("/", "_")
    try:
        document = base64.urlsafe_b64decode(plain + "=" * (-len(plain) % 4)).decode()
        return document if isinstance(json.loads(document), dict) else ""
    except (ValueError, RecursionError):
        return ""
