"""The control endpoint below ``/_emulator/``: how tests set the stage and look behind it."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from werkzeug.wrappers import Request, Response

from azdo_pat.emulator import access_tokens, seed, times
from azdo_pat.emulator.access_tokens import Kind, Order
from azdo_pat.emulator.control_body import (
    fields_of,
    is_number,
    is_whole,
    organization_of,
    read,
    user_of,
)
from azdo_pat.emulator.crowd import LARGEST, MOST_TOKENS, Crowd
from azdo_pat.emulator.directory import ORGANIZATIONS, PEOPLE
from azdo_pat.emulator.errors import EmulatorError
from azdo_pat.emulator.faults import FaultBoard, parse_fault
from azdo_pat.emulator.pipelines.control import PipelinesControl
from azdo_pat.emulator.policies import Policies, parse_policies
from azdo_pat.emulator.spoiling import parse_spoiler
from azdo_pat.emulator.tokens import Status

if TYPE_CHECKING:
    from collections.abc import Callable

    from azdo_pat.emulator.entra import Entra
    from azdo_pat.emulator.request_log import RequestLog
    from azdo_pat.emulator.service import Service
    from azdo_pat.emulator.vault_control import VaultControl

PREFIX: Final = "/_emulator/"
_MOST_TOKENS: Final = 100_000
_LONGEST: Final = 10 * 365 * 86400


class Control:
    """Answers control requests; ``hosts`` are the Host headers it listens to."""

    def __init__(self, service: Service, faults: FaultBoard, log: RequestLog) -> None:
        self._service = service
        self._faults = faults
        self._log = log
        self.hosts: frozenset[str] = frozenset()
        self.entra: Entra | None = None
        self.vaults: VaultControl | None = None

    def answer(self, request: Request) -> Response:
        """Carry out one control request.

        A web page must not drive the emulator: a foreign Host (DNS rebinding) and any Origin
        are refused.
        """
        if request.host.casefold() not in self.hosts:
            return _json({"error": f"not the host of this emulator: {request.host}"}, 403)
        if "Origin" in request.headers:
            return _json({"error": "the control endpoint is not for web pages"}, 403)
        name, _, rest = request.path[len(PREFIX) :].strip("/").partition("/")
        if request.method == "DELETE" and name == "faults" and rest:
            return self._remove_fault(rest)
        action = self._actions().get((request.method, name)) if not rest else None
        if action is None:
            return _json({"error": f"no such control: {request.method} {request.path}"}, 404)
        try:
            return _json(action(read(request)))
        except (EmulatorError, ValueError, OverflowError) as error:
            return _json({"error": str(error)}, 400)

    def _actions(self) -> dict[tuple[str, str], Callable[[object], object]]:
        return {
            ("GET", "health"): lambda _: {"status": "ok"},
            ("GET", "faults"): lambda _: {"faults": self._faults.to_json()},
            ("POST", "faults"): self._add_faults,
            ("DELETE", "faults"): lambda _: {"removed": self._faults.remove()},
            ("GET", "policies"): lambda _: self._service.policies.to_json(),
            ("PUT", "policies"): self._set_policies,
            ("POST", "tokens"): self._seed,
            ("DELETE", "tokens"): lambda _: {"removed": self._service.clear()},
            ("PUT", "users"): self._invent,
            ("POST", "secrets"): self._secrets,
            ("POST", "spoilers"): self._spoil,
            ("DELETE", "spoilers"): lambda _: {"removed": self._service.spoilers.clear()},
            ("GET", "state"): lambda _: self._state(),
            ("GET", "requests"): lambda _: {"requests": self._log.to_json()},
            ("DELETE", "requests"): lambda _: {"removed": self._log.clear()},
            ("GET", "clock"): lambda _: {"now": times.write(self._service.now())},
            ("POST", "clock"): self._advance,
            ("POST", "access-tokens"): self._mint,
            ("DELETE", "access-tokens"): lambda _: {
                "notBefore": self._service.reject_access_tokens()
            },
            ("DELETE", "refresh-tokens"): lambda _: {
                "removed": self.entra.revoke_all() if self.entra else 0
            },
            **PipelinesControl(self._service).actions(),
            **(self.vaults.actions() if self.vaults else {}),
        }

    def _add_faults(self, value: object) -> object:
        texts = fields_of(value, {"fault", "faults"})
        wanted = [texts["fault"]] if "fault" in texts else texts.get("faults", [])
        if not isinstance(wanted, list) or not all(isinstance(text, str) for text in wanted):
            raise EmulatorError("fault is a string, faults a list of strings")
        parsed = [parse_fault(text) for text in wanted]
        return {"ids": [self._faults.add(fault) for fault in parsed]}

    def _remove_fault(self, number: str) -> Response:
        known = number.isascii() and number.isdecimal() and self._faults.remove(int(number))
        if not known:
            return _json({"error": f"no fault {number}"}, 404)
        return _json({"removed": 1})

    def _set_policies(self, value: object) -> object:
        if isinstance(value, list) and all(isinstance(text, str) for text in value):
            self._service.policies = parse_policies(tuple(value))
        elif isinstance(value, dict):
            self._service.policies = Policies.from_json(value)
        else:
            raise EmulatorError("policies are an object, or a list of policy strings")
        return self._service.policies.to_json()

    def _seed(self, value: object) -> object:
        now = self._service.now()
        names = {"preset", "count", "organization", "name", "scope", "user", "state", "validTo"}
        fields = fields_of(value, names | {"allOrgs", "withSecrets", "ssh"})
        if "preset" in fields:
            samples = seed.PRESETS.get(fields["preset"])
            if samples is None:
                raise EmulatorError(f"preset is one of {', '.join(seed.PRESETS)}")
            tokens = tuple(seed.preset(samples, now))
            self._service.put(tokens)
            return {"count": len(tokens), "ids": [token.authorization_id for token in tokens]}
        made = tuple(seed.bulk(self._bulk(fields), now))
        self._service.put(token for token, _ in made)
        answer: dict[str, object] = {
            "count": len(made),
            "ids": [token.authorization_id for token, _ in made],
        }
        if fields.get("withSecrets"):
            answer["secrets"] = [secret for _, secret in made]
        return answer

    def _invent(self, value: object) -> object:
        fields = {"seed": 1, "tokens": 5} | fields_of(value, {"count", "seed", "tokens"})
        count, number, tokens = fields.get("count"), fields["seed"], fields["tokens"]
        if not is_whole(count) or not 0 <= count <= LARGEST or not is_whole(number):
            raise EmulatorError(f"count lies between 0 and {LARGEST}, seed is a whole number")
        if not is_whole(tokens) or not 0 <= tokens <= MOST_TOKENS:
            raise EmulatorError(f"tokens lies between 0 and {MOST_TOKENS}")
        now = times.quantise(self._service.now())
        self._service.invent(Crowd(count=count, seed=number, tokens=tokens, since=now))
        return {"count": count, "seed": number, "tokens": tokens}

    def _secrets(self, value: object) -> object:
        user = user_of(fields_of(value, {"user"}), self._service.people)
        crowd = self._service.people.crowd
        ids = [token.authorization_id for token in crowd.tokens_of(user)]
        return {"secrets": dict(zip(ids, crowd.secrets_of(user), strict=True))}

    def _spoil(self, value: object) -> object:
        order = fields_of(value, {"token", "fields", "without", "row", "rows"})
        self._service.spoilers.add(*parse_spoiler(order))
        return {}

    def _state(self) -> object:
        now = self._service.now()
        return {
            "now": times.write(now),
            "policies": self._service.policies.to_json(),
            "faults": self._faults.to_json(),
            "users": [
                {"user": user.key, "id": user.user_id, "name": user.display_name} for user in PEOPLE
            ],
            "organizations": [
                {
                    "name": each.name,
                    "id": each.organization_id,
                    "members": sorted(each.member_ids),
                }
                for each in ORGANIZATIONS
            ],
            "tokens": [
                {
                    "authorizationId": token.authorization_id,
                    "displayName": token.display_name,
                    "scope": token.scope,
                    "targetAccounts": token.target_accounts,
                    "validFrom": times.write(token.valid_from),
                    "validTo": times.write(token.valid_to),
                    "status": token.status(now).value,
                    "ownerId": token.owner_id,
                }
                | ({"ssh": True} if token.ssh else {})
                for token in self._service.all_tokens()
            ],
        }

    def _advance(self, value: object) -> object:
        seconds = fields_of(value, {"advanceSeconds"}).get("advanceSeconds")
        if not is_number(seconds) or abs(seconds) > _LONGEST:
            raise EmulatorError("advanceSeconds is a number of seconds, ten years at most")
        return {"now": times.write(self._service.advance(timedelta(seconds=seconds)))}

    def _mint(self, value: object) -> object:
        fields = fields_of(value, {"kind", "user", "lifetimeSeconds", "scopes", "resource"})
        try:
            kind = Kind(fields.get("kind", "user"))
        except ValueError as error:
            kinds = ", ".join(kind.value for kind in Kind)
            raise EmulatorError(f"kind is one of {kinds}") from error
        seconds = fields.get("lifetimeSeconds", 3600)
        if not is_number(seconds) or not 0 < seconds <= _LONGEST:
            raise EmulatorError("lifetimeSeconds is a number of seconds, ten years at most")
        order = Order(
            kind=kind,
            user=user_of(fields, self._service.people),
            lifetime=timedelta(seconds=seconds),
            scopes=str(fields.get("scopes", "user_impersonation")),
            audience=str(fields.get("resource", access_tokens.AZURE_DEVOPS)),
        )
        key, now = self._service.signing_key, self._service.now()
        return {"accessToken": access_tokens.mint(order, key=key, now=now)}

    def _bulk(self, fields: dict[str, Any]) -> seed.Bulk:
        count = fields.get("count", 1)
        if not is_whole(count) or not 1 <= count <= _MOST_TOKENS:
            raise EmulatorError(f"count lies between 1 and {_MOST_TOKENS}")
        organization = organization_of(fields)
        valid_to = fields.get("validTo")
        return seed.Bulk(
            count=count,
            name=str(fields.get("name", "token {n}")),
            scope=str(fields.get("scope", "vso.code")),
            organization=None if fields.get("allOrgs") else organization,
            owner=user_of(fields, self._service.people),
            state=Status(fields.get("state", "active")),
            valid_to=None if valid_to is None else times.read(str(valid_to)),
            ssh=bool(fields.get("ssh")),
        )


def _json(value: object, status: int = 200) -> Response:
    text = json.dumps(value) + "\n"
    return Response(text, status=status, content_type="application/json; charset=utf-8")
