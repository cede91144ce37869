"""Judges tokens: what needs the user's attention, how badly, and the command that ends it.

Pure: `pat check`, the notes of `pat list` and `pat doctor` share these judgements.
"""

from __future__ import annotations

import re
from collections import defaultdict
from datetime import timedelta
from itertools import count
from typing import TYPE_CHECKING, Final

from azdo_pat.command_lines import pat_command
from azdo_pat.dates import in_words, local_date, whole_days
from azdo_pat.findings import DEFAULT_LIMITS, Finding, Kind, Limits, Severity
from azdo_pat.models import (
    GLOBAL_TOKENS_STOP,
    Field,
    Origin,
    Pat,
    PendingKind,
    PolicyName,
    Status,
)
from azdo_pat.naming import (
    LONGEST_NAME,
    has_controls,
    is_for_command,
    name_instead,
    valid_part,
)
from azdo_pat.origins import maker_name
from azdo_pat.scope_table import HIGH_PRIVILEGE
from azdo_pat.scopes import FULL_ACCESS, RECIPE_SCOPES, SCOPES, less_privileged, without_included

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from azdo_pat.models import TenantPolicy

SPRAWL: Final = 3
"""So many tokens of one program on one machine are a warning."""
_PREFIX: Final = 8
_LONGEST_COMMAND: Final = timedelta(days=2)
_DAY: Final = timedelta(days=1)
_STILL_MISSED: Final = timedelta(days=30)
"""A token that expired longer ago is evidently not in use; `pat renew` leaves it, too."""
_LATE: Final = timedelta(days=1)
"""A scheduled `pat renew` runs once a day at least."""
_URGENT: Final = timedelta(days=1)
_GLOBAL_URGENT: Final = timedelta(days=30)
_RENEWED_BY_TOOL: Final = frozenset({Origin.GIT, Origin.ARTIFACTS, Origin.IDE})
"""These programs make themselves a new token when theirs has expired."""


def of_token(
    pat: Pat,
    now: datetime,
    limits: Limits = DEFAULT_LIMITS,
    *,
    is_replaced_here: bool = False,
    of_another: bool = False,
) -> Iterator[Finding]:
    """Yield what there is to say of a token by itself.

    Args:
        pat: the token.
        now: the time.
        limits: what is too near, and what is too long.
        is_replaced_here: it is a global token, and `pat` has created and stored here a token of its
            name for one organization, as `pat migrate` does.
        of_another: it is the token of another user, and only they know where its secret is stored.
    """
    if pat.status is Status.REVOKED:
        return
    if pat.is_global:
        yield _global(pat, now, is_replaced_here=is_replaced_here, of_another=of_another)
    elif has_ended(pat, now):
        if finding := _expired(pat, now):
            yield finding
        return
    elif finding := _expiring(pat, now, limits):
        yield finding
    if has_ended(pat, now):
        return
    if pat.unread:
        yield _about(
            pat,
            Kind.UNREADABLE,
            Severity.WARNING,
            f"the service's answer about it cannot be read ({', '.join(sorted(pat.unread))})",
        )
    if finding := _scopes(pat, now, is_replaced_here=is_replaced_here):
        yield finding
    if finding := _long_lived(pat, now, limits):
        yield finding


def of_tokens(
    pats: Sequence[Pat],
    now: datetime,
    limits: Limits = DEFAULT_LIMITS,
    *,
    of_another: bool = False,
) -> Iterator[Finding]:
    """Yield what there is to say of tokens, each by itself and one beside the other.

    Arguments as of `of_token`.
    """
    active = [pat for pat in pats if is_active(pat, now)]
    stored = {
        pat.name for pat in active if pat.stored and pat.origin is Origin.PAT and not pat.is_global
    }
    for pat in pats:
        is_replaced_here = pat.is_global and _name_of_replacement(pat.name) in stored
        yield from of_token(
            pat, now, limits, is_replaced_here=is_replaced_here, of_another=of_another
        )
    yield from _made_by_tools(active)
    yield from _same_names(active)


def in_need(pats: Sequence[Pat], now: datetime) -> int:
    """Return how many tokens need attention: those with more than notes, or with steps left."""
    needy = {
        (each.org, each.name, each.id)
        for each in of_tokens(pats, now)
        if each.severity is not Severity.NOTE
    }
    needy |= {(pat.org, pat.name, pat.id) for pat in pats if is_unfinished(pat)}
    return len(needy)


def is_unfinished(pat: Pat) -> bool:
    """Return whether something is still to be done with a token; a grace period ends by itself."""
    return any(each.kind is not PendingKind.GRACE for each in pat.pending)


def has_ended(pat: Pat, now: datetime) -> bool:
    """Return whether a token has expired; the clock knows of that before the service does."""
    return pat.status is Status.EXPIRED or (pat.expires is not None and pat.expires <= now)


def is_missed(pat: Pat, now: datetime) -> bool:
    """Return whether a token is still in use, as far as its expiry tells."""
    return pat.expires is None or now - pat.expires <= _STILL_MISSED


def is_active(pat: Pat, now: datetime) -> bool:
    """Return whether a token is neither revoked nor expired, as far as is known."""
    return pat.status is not Status.REVOKED and not has_ended(pat, now)


def is_replaced(pat: Pat, now: datetime) -> bool:
    """Return whether something replaces an active token in time, so that no one must act."""
    if pat.expires is None or pat.is_global:
        return False
    return _renewed(pat, pat.expires, now)[0] is Severity.NOTE


def command(pat: Pat, verb: str, *options: str) -> str:
    """Return the command line of `pat` for a token, as the user types it.

    It is empty if the token cannot be named.
    """
    if Field.ID in pat.unread or not (pat.id or pat.name):
        return ""
    return command_for(verb, pat.id, pat.name, *options, org=pat.org)


def command_for(
    verb: str, authorization_id: str | None, name: str, *options: str, org: str | None
) -> str:
    """Return the command line of `pat` for a token in an organization, as the user types it.

    The token is named by the beginning of its id, which is shorter than most names, and exact.
    """
    token = authorization_id[:_PREFIX] if authorization_id else name
    where = ("--org", org) if org else ()
    return pat_command(verb, token, options=(*options, *where))


def _about(
    pat: Pat,
    kind: Kind,
    severity: Severity,
    message: str,
    fix: str = "",
    *,
    until: datetime | None = None,
) -> Finding:
    return Finding(
        kind,
        severity,
        message,
        fix,
        org=pat.org,
        name=pat.name,
        id=pat.id,
        scopes=pat.scopes,
        expires=pat.expires,
        until=until or pat.expires,
    )


def _global(pat: Pat, now: datetime, *, is_replaced_here: bool, of_another: bool) -> Finding:
    """Return what to do about a token of all organizations, before and after the day."""
    stops = pat.expires is not None and pat.expires > now
    urgent = pat.expires is None or pat.expires - now < _GLOBAL_URGENT
    more = ""
    if is_replaced_here:
        more = "; a token of its name is stored here: when nothing uses the global one, revoke it"
    elif _may_be_used_elsewhere(pat, now) and not of_another:
        more = "; its secret is not stored here, so another machine may use it"
    return _about(
        pat,
        Kind.GLOBAL,
        Severity.ERROR if urgent else Severity.WARNING,
        f"valid in all organizations: such tokens {'stop' if stops else 'stopped'} working on"
        f" {GLOBAL_TOKENS_STOP}{more}",
        _without_global(pat, now, is_replaced_here=is_replaced_here),
    )


def _may_be_used_elsewhere(pat: Pat, now: datetime) -> bool:
    """Return whether to revoke a token may stop programs that no command of `pat` knows."""
    return not pat.stored and not has_ended(pat, now)


def _without_global(pat: Pat, now: datetime, *options: str, is_replaced_here: bool) -> str:
    """Return the next command on the way to do without a global token.

    One that others may use is replaced, but revoked only by a command of its own: after that, the
    user looks at what uses it.
    """
    name = _name_of_replacement(pat.name)
    if name != pat.name:
        options = (*options, "--name", name)
    if not _may_be_used_elsewhere(pat, now):
        return command(pat, "migrate", "--to-all", "--revoke-old", *options)
    if is_replaced_here:
        return command(pat, "revoke")
    return command(pat, "migrate", "--to-all", *options)


def _name_of_replacement(name: str) -> str:
    """Return the name of what replaces a global token; it may not be able to have the same."""
    return name_instead(name) if has_controls(name) else name


def _expired(pat: Pat, now: datetime) -> Finding | None:
    """Return a finding for a token that this machine has and evidently misses."""
    if not pat.stored or pat.expires is None or not is_missed(pat, now):
        return None
    return _about(pat, Kind.EXPIRED, Severity.ERROR, "it has expired", _rotate(pat))


def _is_for_command(pat: Pat) -> bool:
    """Return whether a token was made for one command, by its name and by how long it lives."""
    if pat.created is None or pat.expires is None:
        return False
    return is_for_command(pat.name) and pat.expires - pat.created <= _LONGEST_COMMAND


def _expiring(pat: Pat, now: datetime, limits: Limits) -> Finding | None:
    """Return a finding for a token that expires soon; a note if it is renewed by itself.

    A token for one command is meant to: its command uses it only for so long.
    """
    if pat.expires is None or pat.expires - now > limits.within or _is_for_command(pat):
        return None
    severity, why, fix = _renewed(pat, pat.expires, now)
    has_days = whole_days(pat.expires, now) > 0
    left = in_words(pat.expires - now) if has_days else "less than a day"
    longer = f"{min(365, max(30, limits.within // _DAY + 1))}d"
    allowed = limits.allowed.get(pat.org or "")
    if not fix and severity is not Severity.NOTE:
        if _is_at_its_longest(pat, allowed) and not pat.stored:
            why = f"; a policy allows {allowed} days, so it cannot be extended"
            fix = _rotate(pat, "--expires", f"{allowed}d")
        else:
            fix = _rotate(pat) if pat.stored else command(pat, "update", "--expires", longer)
    return _about(pat, Kind.EXPIRING, severity, f"it expires in {left}{why}", fix)


def _is_at_its_longest(pat: Pat, allowed: int | None) -> bool:
    """Return whether a policy lets a token not live longer; the service would end it earlier."""
    if allowed is None or pat.created is None or pat.expires is None:
        return False
    return pat.created + timedelta(days=allowed) <= pat.expires


def _renewed(pat: Pat, expires: datetime, now: datetime) -> tuple[Severity, str, str]:
    """Return how bad it is that a token expires soon, what else to say of that, and the fix.

    The fix is empty if the token is renewed by itself, or there is no special one.
    """
    alarm = Severity.ERROR if expires - now < _URGENT else Severity.WARNING
    due = pat.renewal_due
    if due is not None:
        if due > now:
            return Severity.NOTE, f"; pat renew replaces it from {local_date(due)} on", ""
        if now - due < min(_LATE, (expires - due) / 2):
            return Severity.NOTE, "; the next pat renew replaces it", "pat renew"
        said = f", and pat renew has not replaced it, though it is due since {local_date(due)}"
        return alarm, said, "pat renew"
    if pat.origin in _RENEWED_BY_TOOL:
        return Severity.NOTE, "; the program that made it makes another", command(pat, "revoke")
    return alarm, "", ""


def _rotate(pat: Pat, *options: str) -> str:
    """Return the command that replaces a token; an imported one without id, the secret alone."""
    if pat.id is None:
        return command(pat, "import", "--replace")
    if pat.unread & {Field.SCOPES, Field.TARGETS}:
        return ""
    return command(pat, "rotate", *options)


def _scopes(pat: Pat, now: datetime, *, is_replaced_here: bool) -> Finding | None:
    if FULL_ACCESS in pat.scopes:
        return _about(
            pat,
            Kind.FULL_ACCESS,
            Severity.WARNING,
            "it has full access: it may do all that its owner may do",
            _with_scope(pat, now, is_replaced_here=is_replaced_here),
        )
    if pat.is_global or pat.origin not in {Origin.PAT, Origin.UNKNOWN}:
        return None  # it is to be replaced in any case, or its program would not work with less
    high = [scope for scope in pat.scopes if scope in HIGH_PRIVILEGE]
    # Where pat created it, the user has chosen; of other tokens, the purpose is not known.
    if high and not (pat.origin is Origin.PAT and RECIPE_SCOPES.issuperset(high)):
        enough = less_privileged(pat.scopes)
        message = f"high privilege: {_short(high)}"
        if enough:
            message = f"{message}; may be enough: {_short(enough)}"
        return _broad(pat, message, enough)
    needed = without_included(pat.scopes)
    idle = [scope for scope in pat.scopes if scope not in needed]
    return _broad(pat, f"its other scopes include {_short(idle)}", needed) if idle else None


def of_policies(pat: Pat, policies: Sequence[TenantPolicy], now: datetime) -> Iterator[Finding]:
    """Yield a finding for each policy that forbids to renew a token as it is."""
    for policy in policies:
        if not policy.is_on:
            continue
        unless = ", unless its owner is exempt" if policy.has_exceptions else ""
        if policy.name is PolicyName.FULL_ACCESS and FULL_ACCESS in pat.scopes:
            message = f"a policy forbids full access, so it cannot be renewed as it is{unless}"
            fix = _with_scope(pat, now)
        elif policy.name is PolicyName.GLOBAL and pat.is_global:
            message = (
                "a policy forbids tokens for all organizations, so it cannot be renewed as it"
                f" is{unless}"
            )
            fix = _without_global(pat, now, is_replaced_here=False)
        elif policy.name is PolicyName.LIFESPAN and _is_too_long(pat, policy.max_days):
            message = (
                f"a policy allows a lifetime of {policy.max_days} days at most, so it cannot be"
                f" renewed as it is{unless}"
            )
            fix = _rotate(pat, "--expires", f"{policy.max_days}d")
        else:
            continue
        yield _about(pat, Kind.POLICY, Severity.WARNING, message, fix)


def _is_too_long(pat: Pat, max_days: int | None) -> bool:
    if max_days is None or pat.created is None or pat.expires is None:
        return False
    return (pat.expires.date() - pat.created.date()).days > max_days  # as the service compares


def _short(scopes: Sequence[str]) -> str:
    return ", ".join(scope.removeprefix("vso.") for scope in scopes)


def _broad(pat: Pat, message: str, scopes: Sequence[str]) -> Finding:
    fix = command(pat, "update", *scope_options(scopes)) if scopes else ""
    return _about(pat, Kind.BROAD, Severity.NOTE, message, fix)


def scope_options(scopes: Sequence[str]) -> Sequence[str]:
    """Return the options that name these scopes on the command line of `pat`."""
    known = {each.value for each in SCOPES}
    names = [scope.removeprefix("vso.") if scope in known else scope for scope in scopes]
    options = [word for name in names for word in ("--scope", name)]
    return options if known.issuperset(scopes) else [*options, "--allow-unknown-scope"]


def has_long_life(pat: Pat, max_life: timedelta) -> bool:
    """Return whether a token's lifetime is over a limit; a global one's does not matter."""
    if pat.created is None or pat.expires is None or pat.is_global:
        return False
    # A day more: a span of months, or the end of a day.
    return pat.expires - pat.created > max_life + timedelta(days=1)


def _long_lived(pat: Pat, now: datetime, limits: Limits) -> Finding | None:
    max_life = limits.max_life
    if pat.created is None or pat.expires is None or not has_long_life(pat, max_life):
        return None
    life = pat.expires - pat.created
    # A policy would shorten what lives longer.
    allowed = limits.allowed.get(pat.org or "")
    wanted = max_life if allowed is None else min(max_life, timedelta(days=allowed))
    end = pat.created + wanted
    if pat.stored or end <= now + timedelta(days=1):
        fix = _rotate(pat, "--expires", span_text(wanted))
    else:
        fix = command(pat, "update", "--expires", local_date(end))
    said = f"its lifetime is {in_words(life)}, over {in_words(max_life)}"
    return _about(pat, Kind.LONG_LIVED, Severity.WARNING, said, fix)


def _days(span: timedelta) -> int:
    """Return a span in days, to the nearest one; 0 for less than a day."""
    return round(span / _DAY) if span >= _DAY else 0


def span_text(span: timedelta) -> str:
    """Return a span in days or hours, as `--expires` takes it."""
    days = _days(span)
    return f"{days}d" if days else f"{_hours(span)}h"


def _hours(span: timedelta) -> int:
    return max(1, span // timedelta(hours=1))


def _made_by_tools(active: Sequence[Pat]) -> Iterator[Finding]:
    """Yield a note for each token that another program made; warn where they pile up."""
    groups = defaultdict[tuple[str | None, str], list[Pat]](list)
    for pat in active:
        if pat.origin not in {Origin.PAT, Origin.UNKNOWN}:
            groups[pat.org, " ".join(pat.name.casefold().split())].append(pat)
    for group in groups.values():
        many = len(group) >= SPRAWL
        for pat in group:
            message = f"made by {maker_name(pat.origin)}"
            if many:
                message = f"{message}, one of {len(group)} of this name"
            severity = Severity.WARNING if many else Severity.NOTE
            yield _about(pat, Kind.MADE_BY_TOOL, severity, message, command(pat, "revoke"))


def _same_names(active: Sequence[Pat]) -> Iterator[Finding]:
    """Yield a note for each token whose name another one has, but for the newest."""
    groups = defaultdict[tuple[str | None, str], list[Pat]](list)
    for pat in active:
        if pat.origin in {Origin.PAT, Origin.UNKNOWN} and pat.name:
            groups[pat.org, pat.name].append(pat)
    taken = {(pat.org, pat.name) for pat in active}
    for (org, name), group in groups.items():
        oldest_first = sorted(group, key=lambda pat: (pat.stored, _created(pat)))
        for pat in oldest_first[:-1]:
            free = next(new for new in _numbered(name) if (org, new) not in taken)
            taken.add((org, free))
            yield _about(
                pat,
                Kind.SAME_NAME,
                Severity.NOTE,
                f"{len(group)} active tokens have this name, so commands need the id",
                command(pat, "update", "--name", free),
            )


def _numbered(name: str) -> Iterator[str]:
    """Yield names that tell a token from others of its name, and that a token can have."""
    readable = valid_part(name)
    for number in count(2):
        ending = f" ({number})"
        yield f"{readable[: LONGEST_NAME - len(ending)]}{ending}"


def _created(pat: Pat) -> float:
    return pat.created.timestamp() if pat.created else 0.0


def _with_scope(pat: Pat, now: datetime, *, is_replaced_here: bool = False) -> str:
    """Return the command that takes full access from a token; a global one is replaced."""
    scope = ("--scope", _fitting_scope(pat.name))
    if pat.is_global:
        return _without_global(pat, now, *scope, is_replaced_here=is_replaced_here)
    return command(pat, "update", *scope)


def _fitting_scope(name: str) -> str:
    """Return the scope that a token needs, guessed by its name; else the word to replace."""
    words = re.findall(r"[^\W_]+", name.casefold())
    for start, scope in _SCOPES_BY_WORD:
        if any(word.startswith(start) for word in words):
            return scope
    return "SCOPE"


_SCOPES_BY_WORD: Final = (
    ("git", "code_write"),
    ("publish", "packaging_write"),
    ("npm", "packaging"),
    ("nuget", "packaging"),
    ("feed", "packaging"),
    ("artifact", "packaging"),
    ("packag", "packaging"),
    ("agent", "agentpools_manage"),
    ("vsce", "gallery_manage"),
    ("marketplace", "gallery_manage"),
    ("build", "build"),
    ("release", "release"),
    ("wiki", "wiki_write"),
    ("work", "work_write"),
)
"""What the beginning of a word in a name says of a token's use; the first that fits counts."""
