"""Define the command `cargo-credential`: cargo's credential provider protocol."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any, Final

import click

from azdo_pat.cli.command import command
from azdo_pat.errors import PatError
from azdo_pat.urls import parse

if TYPE_CHECKING:
    from azdo_pat.cli.app import App

_VERSION: Final = 1


@command("cargo-credential")
@click.option("--cargo-plugin", is_flag=True, hidden=True)
def cargo_credential_command(app: App, *, cargo_plugin: bool) -> None:
    """Answer cargo's requests for credentials. To configure cargo, run: pat setup cargo.

    For feeds of Azure Artifacts, matched by exact host, cargo gets the stored token that can read
    packages with the fewest rights. Other registries are left to cargo's other providers.

    \b
    Example:
      pat setup cargo --feed https://…/ORG/_packaging/FEED/Cargo/index/
    """
    # Source: The Cargo Book, "Credential Provider Protocol".
    del cargo_plugin  # cargo says it to each provider
    out = app.runtime.verbatim_out
    out.write(json.dumps({"v": [_VERSION]}) + "\n")
    out.flush()
    for line in sys.stdin:
        out.write(json.dumps(_answer(line)) + "\n")
        out.flush()


def _answer(line: str) -> dict[str, Any]:
    try:
        request = json.loads(line)
        url = parse(str(request["registry"]["index-url"]).removeprefix("sparse+"))
        kind = request["kind"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        return _error(
            "other", message=f"pat cannot read the request from cargo ({type(error).__name__})"
        )
    if "/_packaging/" not in url.path:
        return _error("url-not-supported")
    if kind != "get":
        return _error("operation-not-supported")
    from azdo_pat.cli.feed_lookup import secret_for_feed
    from azdo_pat.models import USER_NAME

    try:
        secret = secret_for_feed(*url.place)
    except PatError as error:
        from azdo_pat.output.sanitize import harmless

        return _error("other", message=harmless(f"{error.message}; {error.hint}"))
    if secret is None:
        return _error("not-found")
    return {
        "Ok": {
            "kind": "get",
            "token": f"Basic {secret.basic(USER_NAME)}",  # the value of the header
            "cache": "session",
            "operation_independent": True,
        }
    }


def _error(kind: str, **more: str) -> dict[str, Any]:
    return {"Err": {"kind": kind, **more, **({"caused-by": []} if more else {})}}
