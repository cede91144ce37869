"""How each kind of result is written: its JSON document, and its table for people."""

from collections.abc import Callable, Sequence
from datetime import datetime, tzinfo
from functools import partial
from typing import Any, NamedTuple, TypeVar

from azdo_pat.models import OwnedPat, Pat, Setting
from azdo_pat.output import (
    admin_documents,
    admin_tables,
    delivery_tables,
    explanation_tables,
    serialize,
    tables,
    token_tables,
)
from azdo_pat.output.serialize import Document
from azdo_pat.output.table_model import Table
from azdo_pat.renewal import Destination
from azdo_pat.results.admin import PolicyState, RevocationRule
from azdo_pat.results.diagnosis import Check, SignedIn, StatusReport
from azdo_pat.results.explanation import Explanation
from azdo_pat.results.plans import Change, Migration
from azdo_pat.results.tokens import Ensured, Revocation, Shown
from azdo_pat.results.tools import KnownTool, SetupResult
from azdo_pat.scopes import Recipe, Scope

Result = Pat | OwnedPat | Shown | Ensured | RevocationRule | SignedIn | StatusReport
"""What is shown alone."""
Item = (
    Change
    | Check
    | Destination
    | Explanation
    | KnownTool
    | Migration
    | PolicyState
    | Recipe
    | Revocation
    | Scope
    | Setting
    | SetupResult
)
"""What is shown in a list; tokens are not here, as they may be written as they arrive."""

T = TypeVar("T")


class View(NamedTuple):
    """How the results of one type are written.

    Attributes:
        document: returns one of them as JSON.
        table: returns the table of one of them, or of a list of them.
    """

    document: Callable[[Any], Document]
    table: Callable[[Any], Table]


def view_of(kind: type, now: datetime, zone: tzinfo | None) -> View:
    """Return how one result of a type is written, with its dates in `zone`."""
    token = partial(token_tables.pat_table, now=now, zone=zone)
    signed_in = partial(tables.signed_in_table, now=now, zone=zone)
    status = partial(tables.status_table, now=now, zone=zone)
    views = (
        _one(Pat, partial(serialize.pat_document, now=now), token),
        _one(
            OwnedPat,
            partial(admin_documents.owned_document, now=now),
            lambda each: admin_tables.owned_pat_table(each, token(each.pat)),
        ),
        _one(
            RevocationRule,
            admin_documents.rule_document,
            partial(admin_tables.rule_table, zone=zone),
        ),
        _one(
            Shown,
            partial(serialize.shown_document, now=now),
            partial(delivery_tables.shown_table, now=now, zone=zone),
        ),
        _one(Ensured, partial(serialize.ensured_document, now=now), lambda each: token(each.pat)),
        _one(SignedIn, serialize.signed_in_document, signed_in),
        _one(StatusReport, serialize.status_document, status),
    )
    return dict(views)[kind]


def list_view_of(kind: type, now: datetime, zone: tzinfo | None) -> View:
    """Return how a list of results of a type is written, with their dates in `zone`."""
    changes = partial(token_tables.changes_table, now=now, zone=zone)
    explanation = partial(serialize.explanation_document, now=now)
    explanations = partial(explanation_tables.explanations_table, now=now, zone=zone)
    migrations = partial(token_tables.migrations_table, now=now, zone=zone)
    revocation = partial(serialize.revocation_document, now=now)
    views = (
        _list(Change, partial(serialize.change_document, now=now), changes),
        _list(Migration, serialize.migration_document, migrations),
        _list(Revocation, revocation, token_tables.revocations_table),
        _list(
            Destination,
            serialize.destination_document,
            partial(delivery_tables.destinations_table, now=now, zone=zone),
        ),
        _list(Check, serialize.check_document, tables.checks_table),
        _list(Explanation, explanation, explanations),
        _list(KnownTool, serialize.tool_document, tables.tools_table),
        _list(PolicyState, admin_documents.policy_document, admin_tables.policies_table),
        _list(Recipe, serialize.recipe_document, tables.recipes_table),
        _list(Scope, serialize.scope_document, tables.scopes_table),
        _list(Setting, serialize.setting_document, tables.settings_table),
        _list(SetupResult, serialize.set_up_document, tables.set_ups_table),
    )
    return dict(views)[kind]


def _one(
    kind: type[T], document: Callable[[T], Document], table: Callable[[T], Table]
) -> tuple[type, View]:
    return kind, View(document, table)


def _list(
    kind: type[T], document: Callable[[T], Document], table: Callable[[Sequence[T]], Table]
) -> tuple[type, View]:
    return kind, View(document, table)
