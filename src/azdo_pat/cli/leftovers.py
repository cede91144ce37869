"""What is said of what an earlier run left behind."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from azdo_pat.output.talk import Talk
    from azdo_pat.services.recovery import Recovered


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
    else:
        own = f"the token {intent.name!r} in {intent.org}"
        what = {"revoke": old, "end": own}.get(intent.operation, left)
        talk.warn(f"{what} could not be revoked yet: {failure.message}")
