"""What is said of what was left behind: by an earlier run, or where a secret was brought to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from azdo_pat.naming import as_argument

if TYPE_CHECKING:
    from collections.abc import Iterable

    from azdo_pat.output.talk import Talk
    from azdo_pat.services.recovery import Recovered
    from azdo_pat.upkeep import Delivery


def say_recovered(talk: Talk, recovered: Recovered) -> None:
    """Say on stderr what became of something that an earlier run had left behind."""
    intent, failure = recovered
    old = f"the token that {intent.name!r} in {intent.org} has replaced"
    new = f"the new secret of {intent.name!r} in {intent.org}"
    left = f"what an interrupted {intent.operation} of {intent.name!r} in {intent.org} left"
    if failure is None:
        if intent.operation == "end":
            talk.notice(f"finished what revoking {intent.name!r} in {intent.org} had begun")
        elif intent.operation == "revoke":
            talk.notice(f"revoked {old} ({intent.authorization_id})")
        elif intent.operation == "deliver":
            talk.notice(f"delivered {new}")
        else:
            talk.detail(f"settled {left}")
    elif intent.operation == "deliver":
        talk.warn(f"{new} could not be delivered yet: {failure.message}")
    elif intent.operation == "move":
        talk.warn(
            f"whether {intent.name!r} in {intent.org} is named {intent.new_name!r} now, and its"
            f" secret stored so, is not settled yet: {failure.message}"
        )
    else:
        own = f"the token {intent.name!r} in {intent.org}"
        what = {"revoke": old, "end": own}.get(intent.operation, left)
        talk.warn(f"{what} could not be revoked yet: {failure.message}")


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
