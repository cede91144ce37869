"""Build the tables of `pat explain`, for people."""

from collections.abc import Iterable, Sequence
from datetime import datetime, tzinfo
from typing import Final

from azdo_pat.dates import distance, in_words, local_date, local_minute
from azdo_pat.models import AuditEvent, Pat
from azdo_pat.output.table_model import Cell, Column, Table, Tone, pairs_table
from azdo_pat.output.token_tables import short_ids, short_scopes, status_text
from azdo_pat.results.explanation import Explanation

_HARMLESS: Final = {True: Tone.GOOD, False: Tone.ALARM, None: Tone.WARNING}
_WORDS: Final = {True: "yes", False: "no", None: "unknown"}
_ACTIONS: Final = {
    "Token.PatCreateEvent": "created",
    "Token.PatUpdateEvent": "changed",
    "Token.PatRevokeEvent": "revoked",
    "Token.PatExpiredEvent": "expired",
    "Token.PatSystemRevokeEvent": "revoked by Azure DevOps",
    "Token.PatPublicDiscoveryEvent": "found in a public repository",
    "Token.SshCreateEvent": "SSH key created",
    "Token.SshUpdateEvent": "SSH key changed",
    "Token.SshRevokeEvent": "SSH key revoked",
}


def explanations_table(
    explanations: Sequence[Explanation], now: datetime, zone: tzinfo | None
) -> Table:
    """Return everything about one name, or a row for each token of several names.

    What the audit log says of a name is below the last of its tokens.
    """
    if len(explanations) == 1:
        return _whole(explanations[0], now, zone)
    tokens = [(each, pat) for each in explanations for pat in each.tokens or (None,)]
    log = [lines for each in explanations for lines in _below_tokens(each, now, zone)]
    ids = short_ids([pat.id or "" if pat else "" for _, pat in tokens])
    rows = [_row(each, pat, short, zone) for (each, pat), short in zip(tokens, ids, strict=True)]
    columns = (Column("NAME", 16), Column("ID", 36), Column("CREATED", 10))
    return Table((*columns, Column("MADE BY", 12), Column("HARMLESS", 8)), rows, log)


def _whole(explanation: Explanation, now: datetime, zone: tzinfo | None) -> Table:
    pairs = [("Name", Cell(explanation.name)), ("Made by", _maker(explanation))]
    if explanation.machine:
        here = "this machine" if explanation.this_machine else "not this machine"
        pairs.append(("Machine", Cell(f"{explanation.machine} ({here})")))
    if explanation.occasion:
        pairs.append(("When", Cell(explanation.occasion)))
    if explanation.rights:
        pairs.append(("Rights", Cell(explanation.rights)))
    pairs += [
        ("Harmless", _harmless(explanation)),
        ("", Cell(explanation.verdict)),
        ("What to do", Cell(explanation.advice)),
        *_listed("Tokens", (_token(each, now, zone) for each in explanation.tokens)),
        *_listed("Audit log", _log(explanation, now, zone)),
    ]
    return pairs_table(pairs)


def _row(
    explanation: Explanation, pat: Pat | None, short: str, zone: tzinfo | None
) -> Sequence[Cell]:
    created = pat.created if pat else None
    return (
        Cell(explanation.name),
        Cell(short or "-", Tone.FAINT),
        Cell(local_date(created, zone) if created else "-"),
        _maker(explanation),
        _harmless(explanation),
    )


def _maker(explanation: Explanation) -> Cell:
    return Cell(explanation.maker) if explanation.maker else Cell("unknown", Tone.WARNING)


def _harmless(explanation: Explanation) -> Cell:
    return Cell(_WORDS[explanation.harmless], _HARMLESS[explanation.harmless])


def _token(pat: Pat, now: datetime, zone: tzinfo | None) -> str:
    words = [
        pat.id or "id unknown",
        f"{status_text(pat)} in {pat.org or ('all organizations' if pat.is_global else 'unknown')}",
        _created(pat, now, zone),
        _expiry(pat, now, zone),
        f"scopes {short_scopes(pat.scopes)}" if pat.scopes else "scopes unknown",
    ]
    return ", ".join(words)


def _created(pat: Pat, now: datetime, zone: tzinfo | None) -> str:
    if pat.created is None:
        return "creation unknown"
    return f"created {distance(pat.created, now)} ({local_minute(pat.created, zone)})"


def _expiry(pat: Pat, now: datetime, zone: tzinfo | None) -> str:
    if pat.expires is None:
        return "expiry unknown"
    verb = "expires" if pat.expires > now else "expired"
    return f"{verb} {distance(pat.expires, now)} ({local_date(pat.expires, zone)})"


def _below_tokens(
    explanation: Explanation, now: datetime, zone: tzinfo | None
) -> Sequence[Sequence[Cell]]:
    """Return, for the row of each token, the lines below it."""
    log = [Cell(f"audit log: {each}") for each in _log(explanation, now, zone)]
    return [*([()] * (len(explanation.tokens) - 1)), log]


def _log(explanation: Explanation, now: datetime, zone: tzinfo | None) -> Sequence[str]:
    """Return what the audit log says of a name; nothing if it was not read."""
    if explanation.audit:
        return [_event(each, zone) for each in explanation.audit]
    if since := explanation.audited_since:
        return [f"no event in the last {in_words(now - since)} (since {local_date(since, zone)})"]
    return ()


def action_text(event: AuditEvent) -> str:
    """Return what happened, in words."""
    return _ACTIONS.get(event.action, event.details or event.action)


def _event(event: AuditEvent, zone: tzinfo | None) -> str:
    time = local_minute(event.time, zone) if event.time else "time unknown"
    action = action_text(event)
    actor = event.actor or event.actor_mail or "someone unknown"
    mail = f" <{event.actor_mail}>" if event.actor and event.actor_mail else ""
    address = f" from {event.address}" if event.address else ""
    program = f" with {event.program}" if event.program else ""
    return f"{time} {action} by {actor}{mail}{address}{program}"


def _listed(label: str, texts: Iterable[str]) -> list[tuple[str, Cell]]:
    return [(label if number == 0 else "", Cell(text)) for number, text in enumerate(texts)]
