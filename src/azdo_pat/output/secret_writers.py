"""Write a secret in each format of `--as`."""

from __future__ import annotations

import re
from base64 import b64encode
from pathlib import Path
from typing import TYPE_CHECKING, assert_never

from azdo_pat.errors import StoreError, UnavailableError
from azdo_pat.formats import SecretForm, Shell
from azdo_pat.models import USER_NAME
from azdo_pat.organizations import hosts_of
from azdo_pat.output.runner_commands import append_lines, azure_command, github_command

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime

    from azdo_pat.output.secret_request import SecretRequest
    from azdo_pat.results.tokens import StoredSecret


def secret_text(
    held: StoredSecret,
    secret_request: SecretRequest,
    now: datetime,
    query: Callable[[object], object] | None = None,
) -> str:
    """Return the secret in the requested format, without a line end.

    `token` is the bare secret; `basic` the base64 of `:secret` (an empty user name, RFC 7617, in
    UTF-8); `header` the whole HTTP header; `json` the token object and, last, `token`: the secret,
    or what `query` chooses from that object. Of `github-actions` this is what the runner is told;
    `tell_runner` writes what its file gets.
    """
    secret = held.secret
    match secret_request.form:
        case SecretForm.TOKEN:
            return secret.reveal()
        case SecretForm.BASIC:
            return secret.basic()
        case SecretForm.HEADER:
            return f"Authorization: Basic {secret.basic()}"
        case SecretForm.JSON:
            # Most secrets are printed bare, and pat ensure as often as a script runs.
            from azdo_pat.output.serialize import json_text, pat_document  # noqa: PLC0415 - see above

            more = {"outcome": held.outcome} if held.outcome else {}
            document = pat_document(held.pat, now) | more | {"token": secret.reveal()}
            return json_text(query(document) if query else document)
        case _:
            return "\n".join(_lines(held, secret_request))


def _lines(held: StoredSecret, secret_request: SecretRequest) -> Iterable[str]:
    """Return the lines of the formats that another program reads.

    Raises:
        StoreError: the secret would set more than one value. `pat` stores no such secret, but
            other programs may.
    """
    text = held.secret.reveal()
    if (
        secret_request.form in {SecretForm.NETRC, SecretForm.GITHUB_ACTIONS}
        and not text.isprintable()
    ):
        raise StoreError(
            f"the secret of {held.pat.name!r} contains a line break or another control character",
            hint="to store it again, run: pat import --replace",
        )
    match secret_request.form:
        case SecretForm.ENV:
            return [assignment(name, text, secret_request.shell) for name in secret_request.names]
        case SecretForm.DOTENV:
            return [f"{name}={_dotenv(text)}" for name in secret_request.names]
        case SecretForm.NETRC:
            hosts = hosts_of(held.org_url)
            return [f"machine {host} login {USER_NAME} password {text}" for host in hosts]
        case SecretForm.AZURE_PIPELINES:
            # All are masked before any variable is set.
            masks = [azure_command("task.setsecret", each) for each in _masked_forms(held)]
            variables = [
                azure_command("task.setvariable", text, variable=name, issecret="true")
                for name in secret_request.names
            ]
            return [*masks, *variables]
        case _:
            return [github_command("add-mask", each) for each in _masked_forms(held)]


def tell_runner(held: StoredSecret, secret_request: SecretRequest) -> None:
    """Append the variables to the file of `$GITHUB_ENV`, for later steps.

    Raises:
        UnavailableError: the file cannot be written.
    """
    lines = "".join(f"{name}={held.secret.reveal()}\n" for name in secret_request.names)
    try:
        append_lines(Path(secret_request.file), lines)
    except OSError as error:
        raise UnavailableError(
            f"cannot write to the file that GITHUB_ENV names: {error.strerror or error}",
            hint="to print the secret instead, use --as token",
        ) from error


def _masked_forms(held: StoredSecret) -> list[str]:
    """Return all texts in which the secret may appear in a log, since masks compare whole texts.

    The bare one comes first, then its base64, alone (npm's `_password`) and behind each user name
    that a tool may send along.
    """
    secret = held.secret
    users = ["", USER_NAME, *([held.pat.org] if held.pat.org else []), "VssSessionToken"]
    alone = b64encode(secret.reveal().encode()).decode("ascii")
    return [secret.reveal(), alone, *(secret.basic(user) for user in users)]


def assignment(name: str, text: str, shell: Shell) -> str:
    """Return the lines that set a variable of a shell, also for the programs that it starts."""
    word = literal(text, shell)
    match shell:
        case Shell.SH:
            return f"{name}={word}\nexport {name}"
        case Shell.FISH:
            return f"set -gx {name} {word}"
        case Shell.POWERSHELL:
            return f"$env:{name} = {word}"
        case _:
            assert_never(shell)


def literal(text: str, shell: Shell) -> str:
    """Return a text as a shell's word in which nothing has a meaning of its own."""
    match shell:
        case Shell.SH:
            from shlex import quote  # noqa: PLC0415 - one form of many

            return quote(text)
        case Shell.FISH:
            escaped = text.replace("\\", "\\\\").replace("'", "\\'")
            return f"'{escaped}'"
        case Shell.POWERSHELL:
            # All of these end a text (PowerShell's about_Quoting_Rules, and its tokenizer).
            doubled = re.sub("(['\u2018\u2019\u201a\u201b])", r"\1\1", text)
            return f"'{doubled}'"
        case _:
            assert_never(shell)


def _dotenv(text: str) -> str:
    """Quote a value in a way that all readers of `.env` files accept."""
    if text.isalnum():
        return text
    if "'" not in text:
        return f"'{text}'"
    for character in '\\"$`':
        text = text.replace(character, f"\\{character}")
    return f'"{text}"'
