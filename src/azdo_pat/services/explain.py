"""Explains where a token comes from that its owner does not recognize."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final, NamedTuple

from azdo_pat.command_lines import pat_command
from azdo_pat.errors import PatError, SignInError, StoreError
from azdo_pat.models import Field, Origin, Pat, Status
from azdo_pat.naming import begins_id
from azdo_pat.near_names import did_you_mean
from azdo_pat.origins import MAKERS, is_same_machine, machine_of, maker_name, origin_of, same_name
from azdo_pat.results.explanation import Explained, Explanation
from azdo_pat.services.find_tokens import Filters, Sort, TokenFinder, in_order

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from azdo_pat.models import AuditEvent
    from azdo_pat.operations.deps import Deps
    from azdo_pat.origins import Maker

AUDITED: Final = timedelta(days=30)
"""How far back the audit log is read by default."""
LOG_KEPT: Final = timedelta(days=90)
"""How long the service keeps the audit log."""

_CHOSEN: Final = (
    "No tool that pat knows gives this name: a person or script chose it. Whether the token is"
    " harmless cannot be told from the name."
)
_IF_STRANGE: Final = "Revoke the token if neither you nor a script of yours created it."
_ALL: Final = Filters(statuses=(Status.ACTIVE, Status.EXPIRED, Status.REVOKED))
_MOST_IDS: Final = 3


class Question(NamedTuple):
    """What to explain.

    Attributes:
        names: names, as in a mail, or tokens; empty for all tokens that `pat` did not create.
        machine: the name of this machine.
        since: only events that happened since then, and without names only tokens that were
            created since then; None for the events of `AUDITED`, and for all tokens.
        audit: read the audit log, too.
    """

    names: tuple[str, ...]
    machine: str
    since: datetime | None = None
    audit: bool = False


def explain(question: Question, deps: Deps) -> Explained:
    """Explain names; look up their tokens if a user is signed in.

    A name is explained even if nothing can be looked up: see `unseen` and `unaudited`.

    Raises:
        PatError: no name is given, and the tokens cannot be listed.
    """
    unseen: PatError | None = None
    near = ""
    if question.names:
        try:
            pats = _listed(deps, _ALL)
        except PatError as error:
            unseen, pats = error, _known_here(deps)
        found = tuple(_named(text, pats, question.machine) for text in question.names)
        near = _proposal(found, pats)
    else:
        recent = _since(question.since, _listed(deps, Filters()))
        found = _unexpected(recent, question.machine)
    found, unaudited = _audited(found, question, deps)
    return Explained(found, _steps(found, question, deps, unseen), unseen, unaudited, near)


def _proposal(found: Sequence[Explanation], pats: Sequence[Pat]) -> str:
    """Return which token may be meant, if a single name is unknown."""
    missing = [each.name for each in found if each.is_missing]
    return did_you_mean(missing[0], [each.name for each in pats]) if len(missing) == 1 else ""


def _listed(deps: Deps, filters: Filters) -> Sequence[Pat]:
    deps.session.access_token()  # who is not signed in is told so, and nothing is recovered
    return in_order(TokenFinder(deps).listing(deps.organization, filters), Sort.CREATED)


def _known_here(deps: Deps) -> Sequence[Pat]:
    """Return the tokens that `pat` created on this machine."""
    try:
        known = deps.state.stored()
    except StoreError:  # the command explains the name all the same
        return ()
    return [each.as_pat(each.status_at(deps.now())) for each in known]


def _since(moment: datetime | None, pats: Iterable[Pat]) -> Sequence[Pat]:
    return [each for each in pats if not (moment and each.created and each.created < moment)]


def _named(text: str, pats: Sequence[Pat], machine: str) -> Explanation:
    """Explain a name, or the token that has it as its id or the beginning of its id."""
    readable = [each for each in pats if Field.NAME not in each.unread]
    found = [each for each in readable if each.name == text]
    found = found or [each for each in readable if same_name(each.name, text)]
    by_id = [each for each in pats if begins_id(text, each.id)]
    if by_id and not found:
        return _explanation(by_id[0].name, by_id, machine)
    return _explanation(text, list(dict.fromkeys([*found, *by_id])), machine)


def _unexpected(pats: Sequence[Pat], machine: str) -> tuple[Explanation, ...]:
    """Explain all tokens that `pat` did not create, by name; those of unknown origin first."""
    by_name: dict[str, list[Pat]] = {}
    for pat in pats:
        if pat.origin is not Origin.PAT:
            by_name.setdefault(pat.name, []).append(pat)
    explanations = [_explanation(name, found, machine) for name, found in by_name.items()]
    return tuple(sorted(explanations, key=lambda each: each.origin is not Origin.UNKNOWN))


def _explanation(name: str, pats: Sequence[Pat], machine: str) -> Explanation:
    tokens = tuple(pats)
    if tokens and all(pat.origin is Origin.PAT for pat in tokens):
        return Explanation(
            name=name,
            origin=Origin.PAT,
            maker=maker_name(Origin.PAT),
            occasion="It creates a token when you run pat create, and a new one when it renews a"
            " token: with pat renew, ensure, rotate or apply, or when git asks for one.",
            rights="",
            harmless=True,
            verdict="It is harmless: pat remembers that it created the token here.",
            advice="Keep the token.",
            tokens=tokens,
        )
    origin = origin_of(name)
    if origin is Origin.UNKNOWN:
        return Explanation(
            name=name,
            origin=origin,
            maker="",
            occasion="",
            rights="",
            harmless=None,
            verdict=_CHOSEN if tokens else "No tool that pat knows gives this name.",
            advice=_IF_STRANGE if tokens else "Check the name in the mail.",
            tokens=tokens,
        )
    return _of_tool(name, origin, tokens, machine)


def _of_tool(name: str, origin: Origin, tokens: tuple[Pat, ...], own_machine: str) -> Explanation:
    maker = MAKERS[origin]
    machine = machine_of(name)
    here = None if machine is None else is_same_machine(machine, own_machine)
    harmless, verdict = _verdict(maker, machine, here=here)
    advice = maker.advice
    if excess := _excess(maker, tokens):
        harmless = False
        verdict = (
            "It is not harmless: there is a token with scopes that this tool does not ask for"
            f" ({', '.join(excess)}). Anyone who creates a token can give it this name."
        )
        advice = "Revoke that token."
    return Explanation(
        name=name,
        origin=origin,
        maker=maker_name(origin),
        occasion=maker.occasion,
        rights=maker.rights,
        harmless=harmless,
        verdict=verdict,
        advice=advice,
        machine=machine,
        this_machine=here,
        tokens=tokens,
    )


def _verdict(maker: Maker, machine: str | None, *, here: bool | None) -> tuple[bool | None, str]:
    if not maker.use:
        return False, "Nothing creates such a token any more."
    if here:
        return True, "It is harmless unless the name is forged: the machine in it is this one."
    whose = f"{machine} is a machine of yours and " if machine else ""
    return None, f"It is harmless if {whose}{maker.use}."


def _excess(maker: Maker, tokens: Iterable[Pat]) -> Sequence[str]:
    """Return the scopes of tokens that the tool does not ask for."""
    if not maker.scopes:
        return ()
    return sorted({scope for pat in tokens for scope in pat.scopes} - maker.scopes)


def _audited(
    explanations: tuple[Explanation, ...], question: Question, deps: Deps
) -> tuple[tuple[Explanation, ...], PatError | None]:
    """Add the events of the audit log, or return why it could not be read."""
    if not question.audit:
        return explanations, None
    since = question.since or deps.now() - AUDITED
    try:
        deps.session.access_token()
        events = tuple(deps.audit.token_events(deps.organization, since))
    except PatError as error:
        return explanations, error
    return tuple(_with_events(each, events, since) for each in explanations), None


def _with_events(
    explanation: Explanation, events: Iterable[AuditEvent], since: datetime
) -> Explanation:
    name = explanation.name
    about = tuple(each for each in events if each.token and same_name(each.token, name))
    if about and explanation.is_missing:  # a token of that name is or was there
        explanation = replace(explanation, verdict=_CHOSEN, advice=_IF_STRANGE)
    return replace(explanation, audit=about, audited_since=since)


def _steps(
    explanations: Sequence[Explanation],
    question: Question,
    deps: Deps,
    unseen: PatError | None,
) -> tuple[str, ...]:
    """Return what to do if the user is in doubt, in this order."""
    steps = ["sign in: pat login"] if isinstance(unseen, SignInError) else []
    steps.append(_how_to_revoke(explanations, question, deps, unseen))
    if any(each.origin is Origin.ARTIFACTS for each in explanations):
        steps.append(
            "ask a Project Collection Administrator for a revocation rule, if the token is"
            " self-describing"
        )
    steps += [
        "change the password of your account, in case someone else knows it",
        "ask an administrator of Microsoft Entra for the log of your sign-ins",
    ]
    if not question.audit:
        only = [each.name for each in explanations] if len(explanations) == 1 else ()
        names = question.names or only or ("NAME",)
        steps.append(
            "see in the audit log who created it, or ask an administrator to:"
            f" {pat_command('explain', *names, options=('--audit',))}"
        )
    return tuple(steps)


def _how_to_revoke(
    explanations: Sequence[Explanation],
    question: Question,
    deps: Deps,
    unseen: PatError | None,
) -> str:
    names = [each.name for each in explanations]
    if unseen is not None:
        if known := [each.name for each in explanations if not each.is_missing]:
            return f"revoke the token: {pat_command('revoke', *known)}"
        return f"look for a token of that name: {pat_command('explain', *names)}"
    where = ("--org", deps.organization.name)
    active = [pat for each in explanations for pat in each.tokens if pat.status is Status.ACTIVE]
    ids = [pat.id for pat in active if pat.id]
    if not question.names:
        only = ids if len(active) == 1 else ()
        command = pat_command("revoke", *(only or ("ID",)), options=where)
        which = (
            "the token if you do not recognize it"
            if only
            else "each token that you do not recognize"
        )
        return f"revoke {which}: {command}"
    if not ids:
        command = pat_command("explain", *names, options=("--org", "ORG"))
        return f"look for an active token in your other organizations: {command}"
    if len(ids) <= _MOST_IDS:
        command = pat_command("revoke", *ids, options=where)
        return f"revoke the token{'s'[: len(ids) - 1]}: {command}"
    globs = [word for each in _names_of(active) for word in ("--name", _literal(each))]
    return f"revoke the tokens: {pat_command('revoke', options=(*globs, *where))}"


def _names_of(pats: Iterable[Pat]) -> Sequence[str]:
    return tuple(dict.fromkeys(pat.name for pat in pats))


def _literal(name: str) -> str:
    """Return a pattern that only this name matches."""
    return re.sub(r"([*?\[])", r"[\1]", name)
