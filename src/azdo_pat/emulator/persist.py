"""The state file: one JSON document, for the owner's eyes only, replaced in one step."""

from __future__ import annotations

import base64
import json
import os
import secrets
import tempfile
from dataclasses import asdict
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from azdo_pat.emulator.audit import Event
from azdo_pat.emulator.crowd import Crowd
from azdo_pat.emulator.errors import EmulatorError
from azdo_pat.emulator.library import persistence
from azdo_pat.emulator.library.library import Holdings
from azdo_pat.emulator.policies import Policies
from azdo_pat.emulator.rules import Rule
from azdo_pat.emulator.service import Contents
from azdo_pat.emulator.tokens import Token

_FORMAT: Final = "azdo-pat-emulator"
_VERSION: Final = 1


def load(path: Path) -> Contents | None:
    """What the file holds; None where there is no file yet.

    Raises:
        EmulatorError: it cannot be read or is no state file; it is left as it is.
    """
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
        if value["format"] != _FORMAT or value["version"] != _VERSION:
            raise EmulatorError(f"{path} is not a state file of this emulator")
        return Contents(
            signing_key=base64.b64decode(value["signingKey"], validate=True),
            policies=Policies.from_json(value["policies"]),
            clock_offset=timedelta(seconds=value["clockOffsetSeconds"]),
            tokens=tuple(_token(item) for item in value["tokens"]),
            # A file of an earlier version has none.
            events=tuple(_event(item) for item in value.get("auditEvents", ())),
            rules=tuple(_rule(item) for item in value.get("revocationRules", ())),
            crowd=_crowd(value["crowd"]) if "crowd" in value else Crowd(count=0),
            holdings=persistence.from_json(value["library"]) if "library" in value else Holdings(),
        )
    except FileNotFoundError:
        return None
    except OSError as error:
        raise EmulatorError(f"cannot read the state file {path}: {error.strerror}") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise EmulatorError(f"{path} is not a state file of this emulator") from error


def save(path: Path, contents: Contents) -> None:
    """Write everything, so that a reader sees the old document or the new one.

    Raises:
        EmulatorError: the file or its folder cannot be written.
    """
    value = {
        "format": _FORMAT,
        "version": _VERSION,
        "signingKey": base64.b64encode(contents.signing_key).decode(),
        "policies": contents.policies.to_json(),
        "clockOffsetSeconds": contents.clock_offset.total_seconds(),
        "tokens": [_json(token) for token in contents.tokens],
        "auditEvents": [
            asdict(event) | {"time": event.time.isoformat()} for event in contents.events
        ],
        "revocationRules": [
            asdict(rule) | {"created_before": rule.created_before.isoformat()}
            for rule in contents.rules
        ],
        "crowd": asdict(contents.crowd) | {"since": contents.crowd.since.isoformat()},
        "library": persistence.to_json(contents.holdings),
    }
    try:
        # mkstemp makes the file readable by its owner alone.
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                json.dump(value, file)
            Path(name).replace(path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise EmulatorError(f"cannot write the state file {path}: {error.strerror}") from error


def new_signing_key() -> bytes:
    """A key for access tokens that no other emulator has."""
    return secrets.token_bytes(32)


def _json(token: Token) -> dict[str, Any]:
    return {
        "authorizationId": token.authorization_id,
        "ownerId": token.owner_id,
        "displayName": token.display_name,
        "scope": token.scope,
        "targetAccounts": token.target_accounts,
        "validFrom": token.valid_from.isoformat(),
        "validTo": token.valid_to.isoformat(),
        "secretHash": token.secret_hash,
        "revoked": token.revoked,
        "revokedFrom": token.revoked_from.isoformat() if token.revoked_from else None,
        "ssh": token.ssh,
    }


def _token(value: dict[str, Any]) -> Token:
    targets = value["targetAccounts"]
    # A file of an earlier version lacks the last two.
    revoked_from = value.get("revokedFrom")
    return Token(
        authorization_id=value["authorizationId"],
        owner_id=value["ownerId"],
        display_name=value["displayName"],
        scope=value["scope"],
        target_accounts=None if targets is None else tuple(targets),
        valid_from=datetime.fromisoformat(value["validFrom"]),
        valid_to=datetime.fromisoformat(value["validTo"]),
        secret_hash=value["secretHash"],
        revoked=value["revoked"],
        revoked_from=datetime.fromisoformat(revoked_from) if revoked_from else None,
        ssh=value.get("ssh", False),
    )


def _event(value: dict[str, Any]) -> Event:
    return Event(**value | {"time": datetime.fromisoformat(value["time"])})


def _rule(value: dict[str, Any]) -> Rule:
    return Rule(
        organization_id=value["organization_id"],
        scopes=tuple(value["scopes"]),
        created_before=datetime.fromisoformat(value["created_before"]),
    )


def _crowd(value: dict[str, Any]) -> Crowd:
    return Crowd(**value | {"since": datetime.fromisoformat(value["since"])})
