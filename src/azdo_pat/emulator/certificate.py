"""A certificate for this machine, made at start, and the authority that vouches for it."""

from __future__ import annotations

import ssl
import tempfile
from pathlib import Path
from typing import NamedTuple

import trustme


class Certificate(NamedTuple):
    """``context`` serves TLS as ``localhost``; ``authority`` is what clients must trust, in PEM."""

    context: ssl.SSLContext
    authority: bytes


def make_certificate(*names: str) -> Certificate:
    """A certificate for these host names and addresses."""
    authority = trustme.CA(organization_name="pat emulator")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("localhost", *names).configure_cert(context)
    return Certificate(context, authority.cert_pem.bytes())


def write_authority(certificate: Certificate) -> Path:
    """Write what clients must trust to a file of its own, which the caller removes."""
    with tempfile.NamedTemporaryFile(prefix="pat-emulator-", suffix=".pem", delete=False) as file:
        file.write(certificate.authority)
    return Path(file.name)
