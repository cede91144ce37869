"""The options that select tokens by what they are, shared by commands of `admin`."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from azdo_pat.cli import options

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from azdo_pat.services.admin_tokens import Selection


class TokenFilters(NamedTuple):
    """The values of the options; a token must meet all that are given."""

    only_global: bool = False
    only_full: bool = False
    scopes: tuple[str, ...] = ()
    expiring: str | None = None
    older_than: str | None = None
    names: tuple[str, ...] = ()

    def selection(self, now: datetime, status: str = "active") -> Selection:
        """Return the conditions.

        Raises:
            UsageError: the value of an option is malformed.
        """
        from azdo_pat.cli.list_show import filters_of
        from azdo_pat.expiry import parse_since
        from azdo_pat.services.admin_tokens import Selection

        return Selection(
            filters_of(
                now, status, self.expiring, self.names, self.scopes, only_global=self.only_global
            ),
            created_before=None if self.older_than is None else parse_since(self.older_than, now),
            only_full=self.only_full,
        )


def token_filters(verb: str) -> Callable[[Callable[..., object]], Callable[..., object]]:
    """Return what adds the options to a command; its function gets `TokenFilters` as `filters`.

    Args:
        verb: what the command does with the tokens, for the help: `List`.
    """

    def decorate(function: Callable[..., object]) -> Callable[..., object]:
        @click.option(
            "--global",
            "only_global",
            is_flag=True,
            help=f"{verb} only tokens valid in all organizations.",
        )
        @click.option(
            "--full", "only_full", is_flag=True, help=f"{verb} only tokens with full access."
        )
        @options.scope(help=f"{verb} only tokens with this scope. Repeatable.")
        @click.option(
            "--expiring",
            metavar="SPAN",
            help=f"{verb} only tokens that expire within this span: 7d.",
        )
        @click.option(
            "--older-than",
            metavar="SPAN|DATE",
            help=f"{verb} only tokens created longer ago than this span, or before this date:"
            " 180d.",
        )
        @options.name_filter(help=f"{verb} only tokens whose name matches. Repeatable.")
        @functools.wraps(function)
        def folded(*args: Any, **given: Any) -> object:  # noqa: ANN401  # the command's own, too
            filters = TokenFilters(*(given.pop(each) for each in TokenFilters._fields))
            return function(*args, filters=filters, **given)

        return folded

    return decorate
