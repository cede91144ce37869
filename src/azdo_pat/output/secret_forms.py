"""The forms in which a secret is printed when the user asks for it."""

from base64 import b64encode
from collections.abc import Callable
from datetime import datetime
from enum import StrEnum
from typing import assert_never

from azdo_pat.models import Secret
from azdo_pat.output.machine import json_text, pat_document
from azdo_pat.results import Held


class SecretForm(StrEnum):
    """What `--as` takes."""

    TOKEN = "token"  # noqa: S105 - the name of a form
    BASIC = "basic"
    HEADER = "header"
    JSON = "json"


def secret_text(
    held: Held, form: SecretForm, now: datetime, query: Callable[[object], object] | None = None
) -> str:
    """Return the secret in the form asked for, without a line end.

    `token` is the bare secret; `basic` the base64 of `:secret` (an empty user name, RFC 7617, in
    UTF-8); `header` the whole HTTP header; `json` the token object and, last, `token`: the secret,
    or what `query` chooses from that object.
    """
    match form:
        case SecretForm.TOKEN:
            return held.secret.reveal()
        case SecretForm.BASIC:
            return _basic(held.secret)
        case SecretForm.HEADER:
            return f"Authorization: Basic {_basic(held.secret)}"
        case SecretForm.JSON:
            document = pat_document(held.pat, now) | {"token": held.secret.reveal()}
            return json_text(query(document) if query else document)
        case _:
            assert_never(form)


def _basic(secret: Secret) -> str:
    return b64encode(f":{secret.reveal()}".encode()).decode("ascii")
