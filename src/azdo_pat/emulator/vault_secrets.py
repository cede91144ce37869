"""A secret of Azure Key Vault: its versions, and what a request says of one."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from azdo_pat.emulator.vault_errors import Refusal, VaultError

_NAME: Final = re.compile("[0-9A-Za-z-]{1,127}")
_LONGEST_VALUE: Final = 25_600
_MOST_TAGS: Final = 15
_LONGEST_TAG: Final = 512
_KEPT_DAYS: Final = 90
"""How long a deleted secret can be recovered."""


@dataclass(frozen=True, kw_only=True)
class Draft:
    """What a request says of a secret; None where it says nothing."""

    value: str | None = field(default=None, repr=False)
    content_type: str | None = None
    tags: dict[str, str] | None = None
    enabled: bool | None = None
    not_before: int | None = None
    expires: int | None = None


@dataclass(frozen=True, kw_only=True)
class Version:
    """One version of a secret; times in whole seconds since 1970."""

    version: str
    value: str = field(repr=False)
    content_type: str | None
    tags: dict[str, str] | None
    enabled: bool
    not_before: int | None
    expires: int | None
    created: int
    updated: int
    previous: str | None

    def attributes(self) -> dict[str, Any]:
        """``SecretAttributes`` of the specification."""
        window = {"nbf": self.not_before, "exp": self.expires}
        return {
            "enabled": self.enabled,
            **{name: time for name, time in window.items() if time is not None},
            "created": self.created,
            "updated": self.updated,
            "recoveryLevel": "Recoverable+Purgeable",
            "recoverableDays": _KEPT_DAYS,
        }


@dataclass(kw_only=True)
class Secret:
    """The versions of a secret, oldest first; one or more."""

    name: str
    versions: list[Version]
    deleted: datetime | None = None

    def place(self, version: str) -> int:
        """Where a version is among all; without an id, the latest.

        Raises:
            VaultError: there is none.
        """
        if not version:
            return -1
        for place, each in enumerate(self.versions):
            if each.version == version.casefold():
                return place
        raise missing(f"{self.name}/{version}")

    def deletion(self) -> dict[str, int]:
        """When it was deleted, and when it will be gone for good; empty if it was not deleted."""
        if self.deleted is None:
            return {}
        end = self.deleted + timedelta(days=_KEPT_DAYS)
        return {
            "deletedDate": int(self.deleted.timestamp()),
            "scheduledPurgeDate": int(end.timestamp()),
        }


def read_draft(body: object) -> Draft:
    """What the body of a request says.

    Raises:
        ValueError: a field of it has the wrong type.
    """
    if not isinstance(body, dict):
        raise ValueError("it is not an object")  # noqa: TRY004  # of a client, not of the caller
    attributes = body.get("attributes") or {}
    tags = body.get("tags")
    right = (
        _is(str, body.get("value"), body.get("contentType"))
        and _is(dict, tags, attributes)
        and _is(str, *(tags or {}).values())
        and _is(bool, attributes.get("enabled"))
        and _is(int, attributes.get("nbf"), attributes.get("exp"))
    )
    if not right:
        raise ValueError("a property has the wrong type")
    return Draft(
        value=body.get("value"),
        content_type=body.get("contentType"),
        tags=tags,
        enabled=attributes.get("enabled"),
        not_before=attributes.get("nbf"),
        expires=attributes.get("exp"),
    )


def key_of(name: str) -> str:
    """By what a secret is found: names have no case.

    Raises:
        VaultError: it cannot be the name of one.
    """
    if not _NAME.fullmatch(name):
        message = f"The request URI contains an invalid name: {name}"
        raise VaultError(Refusal.BAD_PARAMETER, message)
    return name.casefold()


def missing(name: str) -> VaultError:
    """There is no such secret, or no such version of it."""
    return VaultError(
        Refusal.NOT_FOUND,
        f"A secret with (name/id) {name} was not found in this key vault. If you recently deleted"
        " this secret you may be able to recover it using the correct recovery command. For help"
        " resolving this issue, please see https://go.microsoft.com/fwlink/?linkid=2125182",
    )


def check(draft: Draft) -> None:
    """Check the size of a version's value and tags, and that it begins before it ends.

    Raises:
        VaultError: 400.
    """
    if len(draft.value or "") > _LONGEST_VALUE:
        message = f"The value of a secret has at most {_LONGEST_VALUE} characters."
        raise VaultError(Refusal.BAD_PARAMETER, message)
    tags = draft.tags or {}
    lengths = [len(text) for pair in tags.items() for text in pair]
    if len(tags) > _MOST_TAGS or max(lengths, default=0) > _LONGEST_TAG:
        message = f"A secret has at most {_MOST_TAGS} tags, of at most {_LONGEST_TAG} characters."
        raise VaultError(Refusal.BAD_PARAMETER, message)
    if draft.not_before and draft.expires and draft.not_before >= draft.expires:
        message = "The attribute exp must be later than the attribute nbf."
        raise VaultError(Refusal.BAD_PARAMETER, message)


def _is(kind: type, *values: object) -> bool:
    return all(value is None or type(value) is kind for value in values)
