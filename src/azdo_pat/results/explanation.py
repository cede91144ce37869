"""What a token's name tells."""

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from azdo_pat.errors import PatError
from azdo_pat.models import AuditEvent, Origin, Pat


@dataclass(frozen=True, kw_only=True)
class Explanation:
    """Who or what gave a token its name, and what to do about the token.

    Attributes:
        maker: the tool, in words; empty if no tool is known to give the name.
        occasion: when it creates a token, as sentences; empty if no tool is known.
        rights: what its tokens can do, in words; empty if that is not known.
        harmless: None if that depends on facts that `pat` does not know.
        verdict: the reason, as a sentence.
        advice: what to do, as sentences.
        machine: the machine in the name; None if there is none.
        this_machine: whether this is that machine; None if there is none.
        tokens: the tokens that have the name, as far as they could be looked up.
        audit: the events of the audit log about the name; None if it was not read.
        audited_since: the time from which the audit log was read; None if it was not.
    """

    name: str
    origin: Origin
    maker: str
    occasion: str
    rights: str
    harmless: bool | None
    verdict: str
    advice: str
    machine: str | None = None
    this_machine: bool | None = None
    tokens: tuple[Pat, ...] = ()
    audit: tuple[AuditEvent, ...] | None = None
    audited_since: datetime | None = None

    @property
    def is_missing(self) -> bool:
        """Whether neither a tool nor a token is known by the name."""
        return not (self.maker or self.tokens or self.audit)

    @property
    def text(self) -> str:
        """All of it in sentences."""
        maker = f"This name is given by {self.maker}." if self.maker else ""
        rights = f"Such a token can {self.rights}." if self.rights else ""
        parts = (maker, self.occasion, rights, self.verdict, self.advice)
        return " ".join(part for part in parts if part)


class Explained(NamedTuple):
    """The result of `pat explain`.

    Attributes:
        steps: what to do if the user is in doubt, in this order.
        unseen: why the service was not asked for the tokens; None if it was.
        unaudited: why the audit log could not be read; None if it was, or was not asked for.
        near: asks whether a similar name is meant, before a hint; empty if there is none.
    """

    explanations: tuple[Explanation, ...]
    steps: tuple[str, ...]
    unseen: PatError | None = None
    unaudited: PatError | None = None
    near: str = ""
