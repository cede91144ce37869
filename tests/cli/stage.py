"""What a run of `pat` is to leave behind, said in full, from what the emulator holds."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import zip_longest
from typing import Any
from urllib.parse import urlsplit

import pytest

from azdo_pat.cli.runtime import Runtime
from drivers import Emulator, InProcess, Result

ACCOUNTS = {
    "38aaa865-2c70-4bf7-a308-0c6539c38c1a": "contoso",
    "6affcbef-fe5d-44c6-8a29-439b79aaa118": "fabrikam",
}
RESOURCE = "499b84ac-1321-427f-aa17-267ca6975798"

Token = dict[str, Any]


def done(stdout: str = "", *notices: str) -> Result:
    """What a good end leaves: the data, and what was said beside it."""
    return Result(exit_code=0, stdout=stdout, stderr=lines(*notices))


def failed(exit_code: int, message: str, *below: str, before: Sequence[str] = ()) -> Result:
    """What an error leaves: nothing on stdout, what is wrong and what to do on stderr."""
    said = [*before, f"pat: {message}", *(f"     {line}" for line in below)]
    return Result(exit_code=exit_code, stdout="", stderr=lines(*said))


def failed_as_json(exit_code: int, error: str, message: str, hint: str, **more: str) -> Result:
    """What an error leaves with `-o json`: one object on stderr, nothing on stdout."""
    document = {"error": error, "message": message, "hint": hint, "exit_code": exit_code, **more}
    return Result(exit_code=exit_code, stdout="", stderr=one_line(document))


def lines(*texts: str) -> str:
    """Texts, each on a line of its own."""
    return "".join(f"{text}\n" for text in texts)


def one_line(document: object) -> str:
    """A document as the one line that an error is."""
    return json.dumps(document, ensure_ascii=False) + "\n"


def as_json(document: object) -> str:
    """A document as `-o json` writes it."""
    return json.dumps(document, ensure_ascii=False, indent=2) + "\n"


def as_jsonl(*documents: object) -> str:
    """Documents as `-o jsonl` writes them."""
    return lines(
        *(json.dumps(each, ensure_ascii=False, separators=(",", ":")) for each in documents)
    )


def table(*rows: Sequence[str]) -> str:
    """Rows of cells as a table: columns side by side, two spaces between, no space at the end."""
    columns = zip_longest(*rows, fillvalue="")
    widths = [max(len(cell) for cell in column) for column in columns]
    return lines(
        *(
            "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=False)).rstrip()
            for row in rows
        )
    )


def moment(text: str) -> datetime:
    """A time as the emulator writes it: RFC 3339 with up to seven digits of fraction."""
    whole, _, fraction = text.removesuffix("Z").partition(".")
    seconds = datetime.fromisoformat(whole).replace(tzinfo=UTC)
    return seconds + timedelta(microseconds=int(fraction.ljust(6, "0")[:6] or 0))


def hence(hours: float) -> str:
    """The moment so many hours from now, RFC 3339."""
    return (datetime.now(UTC) + timedelta(hours=hours)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def seconds_only(text: str) -> str:
    """A time of the emulator's as the contract writes it: whole seconds, `Z`."""
    return moment(text).strftime("%Y-%m-%dT%H:%M:%SZ")


def put(emulator: Emulator, name: str, *, hours: float = 250, **fields: str) -> Token:
    """Add a token that ends so many hours from now; return it as the emulator holds it."""
    (identifier,) = emulator.add_tokens(1, name=name, validTo=hence(hours), **fields)
    return next(each for each in emulator.tokens if each["authorizationId"] == identifier)


def held(emulator: Emulator, name: str) -> Token:
    """The one token of that name, as the emulator holds it."""
    (token,) = [each for each in emulator.tokens if each["displayName"] == name]
    return token


def names(emulator: Emulator, status: str = "active") -> list[str]:
    """The names of all tokens of that status, sorted."""
    return sorted(each["displayName"] for each in emulator.tokens if each["status"] == status)


def token_object(token: Token, **changes: object) -> dict[str, object]:
    """The token object of the contract, of a token as the emulator holds it."""
    accounts = token["targetAccounts"]
    ends = moment(token["validTo"])
    if accounts is None:  # all of them stop that day
        ends = min(ends, datetime(2026, 12, 1, tzinfo=UTC))
    has_stopped = accounts is None and token["status"] == "active" and ends <= datetime.now(UTC)
    return {
        "name": token["displayName"],
        "id": token["authorizationId"],
        "org": ACCOUNTS[accounts[0]] if accounts else None,
        "status": "expired" if has_stopped else token["status"],
        "scopes": token["scope"].split(),
        "created": seconds_only(token["validFrom"]),
        "expires": ends.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "expires_in_days": -((datetime.now(UTC) - ends) // timedelta(hours=1)) // 24,
        "global": accounts is None,
        "stored": False,
        "origin": "unknown",
        **changes,
    }


def short(token: Token) -> str:
    """The first eight characters of its id, as tables show it."""
    return str(token["authorizationId"])[:8]


def day(token: Token) -> str:
    """The day on which it ends, in UTC."""
    return seconds_only(token["validTo"])[:10]


def minute(text: str) -> str:
    """A time of the emulator's to the minute, as tables show it in UTC."""
    return moment(text).strftime("%Y-%m-%d %H:%M")


def host(emulator: Emulator) -> str:
    """The emulator's host and port, as errors name the service."""
    return urlsplit(emulator.url).netloc


def activity(emulator: Emulator, method: str = "") -> str:
    """The id under which the emulator logged the last request (of that method)."""
    logged = [each for each in emulator.requests if each["method"].startswith(method)]
    return str(logged[-1]["activityId"])


def methods(emulator: Emulator) -> list[str]:
    """The methods of the requests so far, in order."""
    return [each["method"] for each in emulator.requests]


def service(emulator: Emulator, organization: str = "contoso") -> str:
    """The service under which an organization's secrets lie in the keyring."""
    return f"azdo-pat:{emulator.url}/{organization}"


def at(day: str, emulator: Emulator, pat: InProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let it be that day, at the service and on this machine."""
    ahead = datetime.fromisoformat(f"{day}T12:00:00+00:00") - datetime.now(UTC)
    at_service = moment_of(emulator) - datetime.now(UTC)
    emulator.advance((ahead - at_service).total_seconds())
    monkeypatch.setattr(Runtime, "now", lambda _: datetime.now(UTC) + ahead)
    pat.env = {**pat.env, "PAT_ACCESS_TOKEN": emulator.mint("user")}


def moment_of(emulator: Emulator) -> datetime:
    """Return the service's time."""
    return datetime.fromisoformat(emulator.clock[:19] + "+00:00")
