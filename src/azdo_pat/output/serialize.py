"""Convert results to JSON documents for scripts.

The keys and their order are a contract. Times are RFC 3339 in UTC to the whole second, ending in
`Z`; what is unknown is null.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from azdo_pat.dates import whole_days
from azdo_pat.models import Field, Status
from azdo_pat.output.escape import visible_json
from azdo_pat.times import rfc3339

if TYPE_CHECKING:
    from datetime import datetime

    from azdo_pat.findings import Finding
    from azdo_pat.models import (
        AuditEvent,
        Organization,
        Pat,
        Pending,
        Setting,
    )
    from azdo_pat.renewal import Destination
    from azdo_pat.results.diagnosis import Check, SignedIn, StatusReport
    from azdo_pat.results.explanation import Explanation
    from azdo_pat.results.plans import Change, Migration
    from azdo_pat.results.tokens import Ensured, Revocation, Shown
    from azdo_pat.results.tools import KnownTool, SetupResult
    from azdo_pat.scopes import Recipe, Scope

Document = dict[str, object]

OUTCOME_KEYS: Final = ("outcome", "error", "left_in_keyring")
"""What `revoke` adds to a token object."""

PAT_KEYS: Final = (
    "name",
    "id",
    "org",
    "status",
    "scopes",
    "created",
    "expires",
    "expires_in_days",
    "global",
    "stored",
    "origin",
)
"""The keys of the token object in order: the columns of csv and tsv."""


EVENT_KEYS: Final = (
    "time",
    "action",
    "token",
    "actor",
    "actor_mail",
    "address",
    "program",
    "details",
)
"""The keys of an event of the audit log in order."""


def json_text(document: object, *, indent: int | None = 2) -> str:
    """Return `document` as JSON, with characters escaped that could act on a terminal."""
    separators = (",", ": ") if indent else (",", ":")
    text = json.dumps(document, ensure_ascii=False, indent=indent, separators=separators)
    return visible_json(text)


def pat_document(pat: Pat, now: datetime) -> Document:
    """Return the token object. `expires_in_days` is rounded down: below 0 once it has expired.

    A global token that has stopped working is expired, though the service may list it as active.
    """
    stopped = pat.is_global and pat.expires is not None and pat.expires <= now
    status = Status.EXPIRED if stopped and pat.status is Status.ACTIVE else pat.status
    return {
        "name": pat.name or (None if Field.NAME in pat.unread else ""),
        "id": pat.id,
        "org": pat.org,
        "status": str(status),
        "scopes": list(pat.scopes),
        "created": _time(pat.created),
        "expires": _time(pat.expires),
        "expires_in_days": None if pat.expires is None else whole_days(pat.expires, now),
        "global": None if Field.TARGETS in pat.unread else pat.is_global,
        "stored": pat.stored,
        "origin": str(pat.origin),
    }


def shown_document(shown: Shown, now: datetime) -> Document:
    """Return the token object; with `deliveries`, its delivery targets, if it has any."""
    document = pat_document(shown.pat, now)
    if shown.destinations:
        document["deliveries"] = [_destination(each) for each in shown.destinations]
    return document


def destination_document(destination: Destination) -> Document:
    """Return a delivery target with the name of its token."""
    return {"name": destination.name, "org": destination.org} | _destination(destination)


def _destination(destination: Destination) -> Document:
    """Return a delivery target: `at` is when it was last tried, `error` why that failed."""
    from azdo_pat.delivery_targets import kind_of  # noqa: PLC0415 - see that module

    return {
        "target": destination.target.place,
        "kind": kind_of(destination.target),
        "state": str(destination.state),
        "at": _time(destination.at),
        "error": destination.reason or None,
    }


def revocation_document(revocation: Revocation, now: datetime) -> Document:
    """Return the token object with `outcome`, `error` and `left_in_keyring` (null if nothing)."""
    return pat_document(revocation.pat, now) | outcome_document(revocation)


def outcome_document(revocation: Revocation) -> Document:
    """Return what became of a token; see `OUTCOME_KEYS`."""
    return {
        "outcome": str(revocation.outcome),
        "error": revocation.error or None,
        "left_in_keyring": revocation.left_in_keyring or None,
    }


def ensured_document(ensured: Ensured, now: datetime) -> Document:
    """Return the token object with `outcome`: `created`, `rotated`…."""
    return pat_document(ensured.pat, now) | {"outcome": str(ensured.outcome)}


def change_document(change: Change, now: datetime) -> Document:
    """Return the token object with `action`, `why`, `outcome` and `error` (null if nothing)."""
    return pat_document(change.pat, now) | {
        "action": str(change.action),
        "why": change.why or None,
        "outcome": str(change.outcome),
        "error": change.error or None,
    }


def finding_document(finding: Finding, now: datetime) -> Document:
    """Return a finding; what does not apply is null. `expires_in_days` is that of the token.

    `owner` is null, as for the user's own tokens; see `admin_documents` for those of others.
    """
    return {
        "kind": str(finding.kind),
        "severity": str(finding.severity),
        "org": finding.org,
        "name": finding.name,
        "id": finding.id,
        "owner": None,
        "scopes": list(finding.scopes),
        "expires": _time(finding.expires),
        "expires_in_days": None if finding.expires is None else whole_days(finding.expires, now),
        "until": _time(finding.until),
        "message": finding.message,
        "fix": finding.fix or None,
        "file": finding.file or None,
        "line": finding.line,
    }


def migration_document(migration: Migration) -> Document:
    """Return the outcome in one organization; `id` and `expires` are null without a token there."""
    failure, pat = migration.failure, migration.pat
    fix = failure.hint if failure else "fix the cause, then run: pat renew"
    return {
        "name": pat.name,
        "from_id": migration.old.id,
        "org": migration.org,
        "outcome": str(migration.outcome),
        "id": pat.id,
        "expires": _time(pat.expires) if pat.id or migration.outcome == "planned" else None,
        "reason": migration.reason or None,
        "fix": (migration.reason and " ".join(fix.split())) or None,
    }


def check_document(check: Check) -> Document:
    """Return the result of one check; `fix` is null if there is nothing to fix."""
    return {
        "check": check.name,
        "status": str(check.status),
        "detail": check.detail,
        "time": _time(check.time),
        "fix": check.fix or None,
    }


def explanation_document(explanation: Explanation, now: datetime) -> Document:
    """Return what is known of a name; `audit` is null if the audit log was not read."""
    audit = explanation.audit
    return {
        "name": explanation.name,
        "origin": str(explanation.origin),
        "explanation": explanation.text,
        "harmless": explanation.harmless,
        "machine": explanation.machine,
        "this_machine": explanation.this_machine,
        "tokens": [pat_document(each, now) for each in explanation.tokens],
        "audit": None if audit is None else [event_document(each) for each in audit],
    }


def event_document(event: AuditEvent) -> Document:
    """Return an event of the audit log; what is unknown is null."""
    return {
        "time": _time(event.time),
        "action": event.action,
        "token": event.token or None,
        "actor": event.actor or None,
        "actor_mail": event.actor_mail or None,
        "address": event.address or None,
        "program": event.program or None,
        "details": event.details or None,
    }


def scope_document(scope: Scope) -> Document:
    """Return a scope; `inherits` is the scope that it includes, or null."""
    return {
        "value": scope.value,
        "name": scope.name,
        "category": scope.category,
        "high_privilege": scope.high_privilege,
        "inherits": scope.inherits,
    }


def recipe_document(recipe: Recipe) -> Document:
    """Return a recipe with its scopes."""
    return {"name": recipe.name, "summary": recipe.summary, "scopes": list(recipe.scopes)}


def set_up_document(set_up: SetupResult) -> Document:
    """Return the result for a tool; `feed` and `token` are null if it has none."""
    return {
        "tool": set_up.tool,
        "file": set_up.file or None,
        "outcome": str(set_up.outcome),
        "feed": set_up.feed or None,
        "token": set_up.token or None,
    }


def tool_document(tool: KnownTool) -> Document:
    """Return a tool that can be set up; `feed` is what its feed's URL ends with, or null.

    `set_up` is an array of what it is set up for; `delivery` is what became of the last delivery
    of the secret there, or null for a tool that asks for secrets.
    """
    return {
        "tool": tool.name,
        "summary": tool.summary,
        "secret_in_file": tool.secret_in_file,
        "feed": tool.feed or None,
        "set_up": [
            {
                "file": each.file or None,
                "feed": each.feed or None,
                "org_url": each.org_url or None,
                "token": each.token or None,
                "delivery": each.destination and _destination(each.destination),
            }
            for each in tool.setups
        ],
    }


def setting_document(setting: Setting) -> Document:
    """Return a setting; `value` is null where it is not set."""
    return {"key": setting.key, "value": setting.value, "source": setting.source}


def status_document(report: StatusReport) -> Document:
    """Return everything that `pat status` shows; unknown texts are null."""
    organization = report.organization
    identity = report.identity
    document: Document = {
        "api_root": report.api_root,
        "organization": organization and _organization(organization),
        "organization_source": report.organization_source or None,
        "signed_in": report.signed_in,
        "user": report.user or None,
        "tenant": report.tenant or None,
        "token_source": report.token_source or None,
        "token_expires": _time(report.token_expires),
        "sources": [
            {"name": source.name, "used": source.used, "detail": source.detail}
            for source in report.sources
        ],
        "identity": identity
        and {"id": identity.id, "name": identity.name, "mail": identity.mail or None},
        "organizations": [_organization(each) for each in report.organizations],
        "keyring": report.keyring,
        "keyring_usable": report.keyring_usable,
        "stored_secrets": report.stored_secrets,
        "config_file": report.config_file,
        "state_file": report.state_file,
        "problems": [each.text for each in report.problems],
        "pending": [_pending(each) for each in report.pending],
    }
    if report.destinations:
        document["deliveries"] = [destination_document(each) for each in report.destinations]
    return document


def signed_in_document(signed_in: SignedIn) -> Document:
    """Return the result of `pat login`."""
    return {
        "user": signed_in.user or None,
        "tenant": signed_in.tenant or None,
        "expires": rfc3339(signed_in.expires),
        "remembered": signed_in.remembered,
    }


def _pending(pending: Pending) -> Document:
    return {
        "kind": str(pending.kind),
        "name": pending.name,
        "org": pending.org,
        "id": pending.id,
        "until": _time(pending.until),
        "reason": pending.reason or None,
        "fix": pending.fix,
    }


def _organization(organization: Organization) -> Document:
    return {
        "name": organization.name,
        "url": organization.url,
        "id": organization.id,
        "hosted": organization.hosted,
    }


def _time(moment: datetime | None) -> str | None:
    return None if moment is None else rfc3339(moment)
