"""Secrets sent through every path: none comes out in what is said, or in a file."""

import json
import shlex
from base64 import b64encode
from pathlib import Path
from typing import Final
from urllib.parse import quote

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from azdo_pat import redaction
from drivers import Emulator, InProcess

ALPHABET: Final = "".join(map(chr, range(0x21, 0x7F)))
BASE32: Final = "abcdefghijklmnopqrstuvwxyz234567"
ALNUM: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"


def texts(alphabet: str, size: int) -> st.SearchStrategy[str]:
    return st.text(alphabet, min_size=size, max_size=size)


NEW: Final = st.tuples(texts(ALNUM, 76), texts(ALNUM, 4)).map("AZDO".join)
OLD: Final = texts(BASE32, 52)
JWT: Final = st.tuples(texts(ALNUM, 20), texts(ALNUM, 30)).map(
    lambda parts: f"eyJ{parts[0]}.eyJ{parts[1]}.sig_-nature"
)
ANY: Final = st.text(ALPHABET, min_size=16, max_size=100)
SECRETS: Final = st.one_of(NEW, OLD, JWT, ANY).filter(lambda text: len(set(text)) > 4)

ANSWERS: Final = {
    "message": lambda s: f"status=403 body={shlex.quote(json.dumps({'$id': '1', 'message': s}))}",
    "unavailable": lambda s: f"status=500 body={shlex.quote(json.dumps({'message': s}))}",
    "pat token error": lambda s: (
        "body="
        + shlex.quote(
            json.dumps(
                {
                    "patToken": None,
                    "patTokenError": "accessDenied",
                    "patTokenErrorMessage": f"<{s}>",
                }
            )
        )
    ),
    "unknown error": lambda s: (
        "body=" + shlex.quote(json.dumps({"patToken": None, "patTokenError": s}))
    ),
    "page": lambda s: f"content-type=text/html body={shlex.quote(f'<p>{s}</p>')}",
    "broken": lambda s: "body=" + shlex.quote('{"token": "' + s),
    "other shape": lambda s: "body=" + shlex.quote(json.dumps([s, {s: s}])),
    "challenge": lambda s: f"status=401 header.WWW-Authenticate={shlex.quote('Bearer x=' + s)}",
    "activity": lambda s: f"status=500 header.ActivityId={shlex.quote(s)}",
    "session": lambda s: f"status=400 body={{}} header.X-TFS-Session={shlex.quote(s)}",
    "redirect": lambda s: f"status=302 location={shlex.quote('https://host/?code=' + s)}",
    "cookie": lambda s: f"status=403 header.Set-Cookie={shlex.quote('a=' + s)}",
    "limit": lambda s: f"ratelimit-resource={shlex.quote(s)} ratelimit-limit=1",
    "retry": lambda s: f"status=429 retry-after={shlex.quote(s)}",
}
"""By what is wrong: the fault that makes the emulator answer with a secret in it."""

RUNS: Final = (
    ("list",),
    ("list", "-o", "json"),
    ("create", "one", "--scope", "code"),
    ("create", "one", "--scope", "code", "-o", "json"),
    ("show", "one"),
    ("update", "one", "--name", "two"),
    ("import", "one"),
    ("revoke", "one", "--yes"),
    ("status",),
    ("status", "-o", "json"),
)


TOLD: Final = st.sampled_from([(), ("-v",), ("--debug",)])


@settings(
    max_examples=settings().max_examples // 3,
    # One emulator and one home serve all examples: no example leaves anything that another needs.
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    secret=SECRETS,
    wrong=st.tuples(st.sampled_from(sorted(ANSWERS)), st.booleans()),
    args=st.tuples(st.sampled_from(RUNS), TOLD).map(lambda parts: (*parts[0], *parts[1])),
)
def test_a_service_that_echoes_what_it_was_sent(
    secret: str,
    wrong: tuple[str, bool],
    args: tuple[str, ...],
    pat: InProcess,
    emulator: Emulator,
    home: Path,
) -> None:
    """The bearer, or the personal access token that is imported, comes back in some guise."""
    redaction.forget()
    emulator.heal()
    env = {} if args[0] == "import" else {"PAT_ACCESS_TOKEN": secret}
    answer, quoted = wrong
    fault = ANSWERS[answer](quote(secret, safe="") if quoted else secret)
    emulator.fail(f"* * times=always {fault}")
    result = pat(*args, stdin=secret, env=env)
    emulator.heal()
    assert_unseen(secret, result.stdout + result.stderr)
    assert_unseen(secret, written(home))


@settings(
    max_examples=settings().max_examples // 10,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],  # as above
)
@given(secret=SECRETS, how=TOLD, fails=st.booleans())
def test_a_token_that_is_made(
    secret: str,
    how: tuple[str, ...],
    pat: InProcess,
    emulator: Emulator,
    home: Path,
    *,
    fails: bool,
) -> None:
    """The one answer that holds a secret, whatever it looks like; and a keyring that fails."""
    redaction.forget()
    emulator.heal()
    token = {
        "displayName": "one",
        "validTo": "2027-01-01T00:00:00Z",
        "scope": "vso.code",
        "targetAccounts": ["0c5d9c3b-1f0f-4a0e-9d0c-1d7c1e0f5a11"],
        "validFrom": "2026-12-01T00:00:00Z",
        "authorizationId": "4ab5ac66-6a3c-4d62-9dd8-0d8a4e0bff4f",
        "token": secret,
    }
    body = shlex.quote(json.dumps({"patToken": token, "patTokenError": "none"}))
    emulator.fail(f"POST * body={body}")
    # A name that is given twice, so that each run makes a token.
    options = ("--fail-if-shortened",) if fails else ()
    result = pat("create", "one", "--scope", "code", "--replace", *options, *how)
    emulator.heal()
    pat("revoke", "one", "--yes", *how)
    assert_unseen(secret, result.stdout + result.stderr)
    assert_unseen(secret, written(home))


def assert_unseen(secret: str, where: str) -> None:
    """Find the secret in no guise."""
    guises = {
        secret,
        json.dumps(secret)[1:-1],
        quote(secret, safe=""),
        b64encode(secret.encode()).decode().rstrip("="),
        b64encode(f":{secret}".encode()).decode().rstrip("="),
    }
    assert {guise for guise in guises if guise in where} == set()


def written(home: Path) -> str:
    """Return all that was written below the home."""
    files = (file for file in home.rglob("*") if file.is_file())
    return "".join(file.read_bytes().decode("latin-1") for file in files)
