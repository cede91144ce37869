"""What is said of what was left behind: by an earlier run, or where a secret was brought to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from azdo_pat.errors import DoubtfulError
from azdo_pat.naming import as_argument
from azdo_pat.results import Became

if TYPE_CHECKING:
    from collections.abc import Iterable

    from azdo_pat.errors import PatError
    from azdo_pat.models import Intent
    from azdo_pat.output.talk import Talk
    from azdo_pat.results import Recovered
    from azdo_pat.upkeep import Delivery


def say_recovered(talk: Talk, recovered: Recovered) -> None:
    """Say on stderr what became of something that an earlier run had left behind."""
    intent, became, failure = recovered
    if failure is not None:
        _say_failed(talk, intent, failure)
        return
    token = f"{intent.name!r} in {intent.org}"
    interrupted = f"an interrupted {intent.operation} of {token}"
    if became is Became.UNDECIDED:
        talk.warn(
            f"what became of {interrupted} is not known yet; the next command that signs in looks"
            " again"
        )
    elif became is Became.STILL_ACTIVE:
        identifier = intent.authorization_id
        talk.warn(
            f"{token} was not revoked: the request got no answer, and the token is still active;"
            f" to revoke it: pat revoke {identifier} --org {intent.org}"
        )
    elif intent.operation == "end":
        talk.notice(f"completed an interrupted revoke of {token}: the token is revoked")
    elif intent.operation == "revoke":
        talk.notice(f"revoked the token that {token} has replaced ({intent.authorization_id})")
    elif intent.operation == "deliver" and became is Became.NOTHING_DONE:
        replaced = intent.authorization_id
        kept = f", and the token that it has replaced ({replaced}) is not kept for it"
        talk.notice(f"the new secret of {token} goes nowhere any more{kept if replaced else ''}")
    elif intent.operation == "deliver":
        talk.notice(f"delivered the new secret of {token}")
    elif became is Became.COMPLETED:
        talk.notice(f"completed {interrupted}")
    elif became is Became.ROLLED_BACK:
        undone = {"import": "no secret was stored", "forget": "its secret is still stored"}
        what = undone.get(intent.operation, "the token that it had made is revoked")
        talk.notice(f"rolled back {interrupted}: {what}")
    else:
        talk.detail(f"{interrupted} had changed nothing")


def _say_failed(talk: Talk, intent: Intent, failure: PatError) -> None:
    token = f"{intent.name!r} in {intent.org}"
    hint = f" ({failure.hint})" if failure.hint else ""
    if intent.operation == "deliver":
        talk.warn(f"the new secret of {token} is not delivered: {failure.message}")
    elif intent.operation == "move":
        talk.warn(
            f"whether {token} is now named {intent.new_name!r}, and its secret stored under that"
            f" name, is not known: {failure.message}"
        )
    elif intent.operation in {"import", "forget"}:
        talk.warn(
            f"what became of an interrupted {intent.operation} of {token} is not known:"
            f" {failure.message}{hint}"
        )
    elif intent.operation == "revoke":
        talk.warn(
            f"the token that {token} has replaced ({intent.authorization_id}) is not revoked:"
            f" {failure.message}"
        )
    elif intent.operation == "end":
        talk.warn(f"whether the token {token} is revoked is not known: {failure.message}")
    elif isinstance(failure, DoubtfulError):
        talk.warn(f"{failure.message}{hint}")
    else:
        talk.warn(
            f"what an interrupted {intent.operation} of {token} made is not revoked:"
            f" {failure.message}"
        )


def say_where_it_lies(talk: Talk, name: str, deliveries: Iterable[Delivery], now: str) -> None:
    """Say where the secret of a token was brought, once nobody looks after it any more.

    Args:
        talk: where to say it.
        name: of the token.
        deliveries: those that it had.
        now: what has become of the secret: `useless`, `not renewed`.
    """
    for delivery in deliveries:
        step = ""
        if delivery.kind == "setup":
            tool, path, about = delivery.target
            which = "--feed" if "/_packaging/" in about else "--org"
            where = f"{tool} ({path or 'the macOS keychain'}) still has"
            step = f"; to take it out: pat setup {tool} --undo {which} {as_argument(about)}"
        elif delivery.kind == "file":
            where = f"{delivery.target[0]} still holds"
        else:
            where = f"the command {as_argument(delivery.target[0])} was given"
        talk.notice(f"{where} the secret of {name!r}, which is {now} now{step}")
