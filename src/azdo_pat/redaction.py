"""Masks every secret in a text: for `--debug`, error messages and tracebacks.

Two methods, as neither is enough alone. Secrets that this run sent or received are masked
wherever they appear, in any usual encoding, because a service may echo them. Other secrets
are masked by their form, or by the name of their field.
"""

import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Final
from urllib.parse import parse_qsl, quote, quote_plus, urlencode

MASK: Final = "***"
_SHORTEST_KNOWN: Final = 8
"""A shorter text is not a secret, and masking it would make other text unreadable."""

_SECRET_FIELDS: Final = frozenset(
    {
        "accesstoken",
        "assertion",
        "authorization",
        "clientassertion",
        "clientinfo",
        "clientsecret",
        "code",
        "codeverifier",
        "cookie",
        "devicecode",
        "idtoken",
        "password",
        "pat",
        "refreshtoken",
        "secret",
        "token",
        "usercode",
    }
)
"""Without `_` and `-`, in lower case. Sources: the `token` of a `PatToken` (spec: tokens 7.2);
RFC 6749, 7636 and 8628; Microsoft Entra's `client_info` names the account."""

_SECRET_HEADERS: Final = frozenset(
    {
        "authorization",
        "cookie",
        "location",  # sign-in URLs contain codes and states
        "proxy-authorization",
        "set-cookie",
        "x-vault-token",
        "x-vss-forwardedpassword",
    }
)

_NAMES: Final = (
    "access_?token|refresh_?token|id_?token|token|client_?secret|password"
    "|device_?code|user_?code|code_?verifier|code"
)
_SHAPES: Final = (
    # a JSON web token, signed or encrypted
    (r"eyJ[\w-]{6,}(?:\.[\w-]*)+", MASK),
    # a refresh token or code of Microsoft Entra
    (r"(?:\b|(?<=%3A))[01M]\.[\w-]{2,}[\w.*!$-]{40,}", MASK),
    (r"(?i)\b(bearer|basic)\s+[\w.~+/-]{16,}=*(?![\w=])", rf"\1 {MASK}"),
    (r"://[^/@\s]+@", f"://{MASK}@"),
    # a password with a slash or another `@` in it; `:` and a number is a port
    (r"://[^/@\s:]*:(?!\d+/)[^\s\"']*@", f"://{MASK}@"),
    # without a scheme, as proxies are often written
    (r"(?<![\w/@:])[\w.%+-]+:[^\s@/:]+@(?=[\w.-]+:\d)", f"{MASK}@"),
    # a field in a text that is neither JSON nor a form
    (rf"(?i)\b({_NAMES})(=|\"\s*:\s*\"?)[^\s\"'&;,<>\\]{{6,}}", rf"\1\2{MASK}"),
    # a personal access token: 84 letters and digits, formerly 52; longer in base64
    (r"[A-Za-z0-9]{52,}(?:[A-Za-z0-9+/]*={0,2})", MASK),
)
"""Compiled on first use: most runs mask nothing."""

_PROXY: Final = (
    r"\s*([A-Za-z][A-Za-z0-9+.-]*://)?"
    r"(.*(?:@|%40))?"
    r"((?:\[[0-9A-Fa-f:.%]+\]|[\w.-]+)(?::\d{1,5})?)"
    r"/?\s*"
)

_known: dict[str, set[str]] = {}
"""By their first characters, as a run may remember thousands and mask as many texts."""


def remember(*secrets: str) -> None:
    """Mask these secrets in every text of this process from now on.

    Args:
        secrets: texts that were sent or received; those of fewer than 8 characters are ignored.
    """
    for secret in secrets:
        if len(secret) >= _SHORTEST_KNOWN:
            for guise in guises(secret):
                _known.setdefault(guise[:_SHORTEST_KNOWN], set()).add(guise)


def remember_fields(document: object) -> None:
    """Remember the values of secret fields in a form or in JSON, at any depth."""
    if isinstance(document, Mapping):
        for name, value in document.items():
            if isinstance(value, str) and _is_secret(str(name)):
                remember(value)
            else:
                remember_fields(value)
    elif isinstance(document, list):
        for item in document:
            remember_fields(item)


def without_credentials(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the environment for another program, without the credentials of `pat` itself."""
    return {
        name: value
        for name, value in environment.items()
        if name not in {"PAT_ACCESS_TOKEN", "PAT_ADMIN_TOKEN", "PAT_KEYVAULT_ACCESS_TOKEN"}
    }


def forget() -> None:
    """Forget all remembered secrets."""
    _known.clear()


def masked(text: str) -> str:
    """Return the text with secrets masked."""
    if _known:
        text = _without_known(text)
    for shape, instead in _SHAPES:
        text = re.sub(shape, instead, text)
    return text


def _without_known(text: str) -> str:
    """Return the text with remembered secrets masked, overlapping ones too."""
    parts: list[str] = []
    done = start = end = 0
    for place in range(len(text) - _SHORTEST_KNOWN + 1):
        for secret in _known.get(text[place : place + _SHORTEST_KNOWN], ()):
            if not text.startswith(secret, place):
                continue
            if place >= end > start:
                parts += [text[done:start], MASK]
                done = end
            if place >= end:
                start = place
            end = max(end, place + len(secret))
    if end > start:
        parts += [text[done:start], MASK]
        done = end
    return "".join([*parts, text[done:]])


def masked_proxy(given: str) -> str:
    """Return scheme, host and port of a proxy's address, with everything else masked.

    Users write it in many forms, also invalid ones: without a scheme, with an
    `@` or a slash in the password, percent-encoded. A part that is not a host is masked.
    """
    found = re.fullmatch(_PROXY, given, re.DOTALL)
    if not found:
        return MASK
    scheme, user, host = found.groups("")
    return f"{scheme}{f'{MASK}@' if user else ''}{host}"


def masked_hosts(given: str) -> str:
    """Return a list of hosts, as in `NO_PROXY`, reduced to the hosts."""
    return ",".join(
        masked_proxy(each) if re.search("@|%40", each) else masked(each)
        for each in given.split(",")
    )


def masked_headers(headers: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return the headers in order, with the values of credentials masked."""
    return [
        (name, MASK if name.lower() in _SECRET_HEADERS else masked(value))
        for name, value in headers
    ]


def masked_body(body: bytes, content_type: str) -> str:
    """Return a body as text with secrets masked.

    Args:
        body: as it was sent or received, decompressed.
        content_type: from its header; a wrong one does no harm.
    """
    import json  # noqa: PLC0415 - only --debug shows bodies

    text = body.decode("utf-8", "replace")
    if "x-www-form-urlencoded" in content_type.lower():
        pairs = parse_qsl(text, keep_blank_values=True)
        return urlencode([(key, _of_field(key, value)) for key, value in pairs], safe="*:/ ")
    with suppress(ValueError, RecursionError):  # not JSON, or nested too deeply
        text = json.dumps(_walked(json.loads(text)), ensure_ascii=False)
    return masked(text)


def _walked(value: object) -> object:
    if isinstance(value, Mapping):
        return {masked(str(key)): _of_field(str(key), item) for key, item in value.items()}
    if isinstance(value, list):
        return [_walked(item) for item in value]
    return masked(value) if isinstance(value, str) else value


def _of_field(name: str, value: object) -> object:
    if _is_secret(name):
        # An empty value is not a secret, and explains why a client fails.
        return value if value is None or value == "" else MASK
    return _walked(value)


def _is_secret(field: str) -> bool:
    return field.lower().replace("_", "").replace("-", "") in _SECRET_FIELDS


def guises(secret: str) -> set[str]:
    """Return a secret in its possible encodings: plain, URL, JSON, HTML, base64."""
    import json  # noqa: PLC0415 - a run that has nothing to mask needs neither
    from base64 import b64encode  # noqa: PLC0415 - as above

    plain = secret.encode("utf-8", "surrogatepass")
    found = {
        secret,
        quote(secret, safe="", errors="surrogatepass"),
        quote_plus(secret, errors="surrogatepass"),
        json.dumps(secret)[1:-1],
        json.dumps(secret, ensure_ascii=False)[1:-1],
        secret.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;"),
        b64encode(plain).decode(),
        b64encode(b":" + plain).decode(),
        b64encode(b"pat:" + plain).decode(),  # `models.USER_NAME`, which is above this room
    }
    found |= {each.replace('"', "&quot;").replace("'", "&apos;") for each in found}
    return found | {each.rstrip("=") for each in found}
