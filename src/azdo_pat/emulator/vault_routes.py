"""The vaults of the emulated Azure Key Vault, by their host names or below one root."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from werkzeug.http import http_date
from werkzeug.wrappers import Request, Response

from azdo_pat.emulator import answers
from azdo_pat.emulator.access_tokens import KEY_VAULTS
from azdo_pat.emulator.errors import ConnectionCut
from azdo_pat.emulator.server import Application
from azdo_pat.emulator.vault_doors import NO_TOKEN, caller_of, check_right
from azdo_pat.emulator.vault_errors import Refusal, VaultError
from azdo_pat.emulator.vault_secrets import Draft, Secret, Version, read_draft
from azdo_pat.emulator.vaults import Right, Vault, Vaults

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable

    from azdo_pat.emulator.faults import Fault, FaultBoard
    from azdo_pat.emulator.request_log import RequestLog
    from azdo_pat.emulator.service import Service

    _Operation = tuple[Right, Callable[[], dict[str, Any] | None]]

MICROSOFT: Final = "https://login.microsoftonline.com"
_SUFFIXES: Final = tuple(f".{each.removeprefix('https://')}" for each in KEY_VAULTS)
_NEW_VERSIONS: Final = frozenset({"2025-07-01", "2026-04-01"})
"""Those in which a secret tells its previous version."""

_API_VERSIONS: Final = _NEW_VERSIONS | {
    *("2015-06-01", "2016-10-01"),
    *(f"7.{minor}" for minor in range(7)),
}
_LARGEST_PAGE: Final = 25
_FIRST_ERROR: Final = 400
_MADE_UP: Final = {
    401: (Refusal.UNAUTHORIZED, NO_TOKEN),
    403: (Refusal.BY_ROLES, "Caller is not authorized to perform action on resource."),
    404: (Refusal.NOT_FOUND, "A secret with this name was not found in this key vault."),
    409: (Refusal.IS_DELETED, "Secret is currently in a deleted but recoverable state."),
    429: (
        Refusal.THROTTLED,
        "Request was not processed because too many requests were received.",
    ),
}
_INTERNAL: Final = (Refusal.INTERNAL, "An internal server error occurred.")


class VaultApplication(Application):
    """A WSGI application beside the emulated Azure DevOps, with the same log and faults.

    A vault is named by the host (``contoso-ci.vault.azure.net``), as in Azure, or by the first
    segment of the path. ``authority`` is where its challenge sends clients.
    """

    def __init__(
        self,
        service: Service,
        faults: FaultBoard,
        log: RequestLog,
        closing: threading.Event,
        vaults: Vaults,
        authority: str,
    ) -> None:
        super().__init__(service, faults, log, closing)
        self._vaults = vaults
        self._authority = authority

    def _route(self, request: Request, activity_id: str, *, repeat: bool = False) -> Response:
        del activity_id, repeat
        call = self._call(request)
        try:
            caller = caller_of(request, call.vault, self._service)
            right, operation = call.operation()
            check_right(caller, right, call.vault, request)
            value = operation()
        except VaultError as error:
            return self._refusal(error, call.vault)
        return Response("", status=204) if value is None else answers.json_answer(value)

    def _made_up(self, fault: Fault, request: Request) -> Response:
        status = fault.status or 200
        if fault.special or fault.body is not None or status < _FIRST_ERROR:
            return super()._made_up(fault, request)
        refusal, message = _MADE_UP.get(status, _INTERNAL)
        found = self._refusal(VaultError(refusal, message), self._call(request).vault)
        found.status_code = status
        return found

    def _stamp(self, found: Response, activity_id: str) -> None:
        found.headers["x-ms-request-id"] = activity_id
        found.headers["x-ms-keyvault-region"] = "westeurope"
        found.headers["Cache-Control"] = "no-cache"
        found.headers["Date"] = http_date(self._service.now())

    def _call(self, request: Request) -> _Call:
        """The vault and what is asked of it; without a vault, Azure has no such host, either."""
        parts = [part for part in request.path.split("/") if part]
        root = f"https://{request.host}"
        if request.host.casefold().endswith(_SUFFIXES):
            name = request.host.partition(".")[0]
        else:
            name = parts.pop(0) if parts else ""
            root = f"{root}/{name}"
        vault = self._vaults.find(name)
        if vault is None:
            raise ConnectionCut
        return _Call(request=request, vault=vault, root=root, parts=tuple(parts))

    def _refusal(self, error: VaultError, vault: Vault) -> Response:
        document = error.refusal.document(error.message)
        found = answers.json_answer(document, status=error.refusal.status)
        if error.refusal is Refusal.UNAUTHORIZED:
            found.headers["WWW-Authenticate"] = (
                f'Bearer authorization="{self._authority}/{vault.terms.tenant_id}",'
                f' resource="{vault.terms.resource}"{answers.newer(error.not_before)}'
            )
        return found


@dataclass(frozen=True, kw_only=True)
class _Call:
    """A request to a vault; ``root`` is the vault's address, ``parts`` the path below it."""

    request: Request
    vault: Vault
    root: str
    parts: tuple[str, ...]

    def operation(self) -> _Operation:  # noqa: PLR0911  # one for each kind of request
        """The right that it takes, and what then gives the answer; None for an empty one.

        Raises:
            VaultError: the api-version or the path is no good.
        """
        self._check_version()
        vault = self.vault
        match self.request.method, self.parts:
            case "PUT", ("secrets", name):
                return Right.SET, lambda: self._bundle(name, vault.put(name, self._draft()))
            case "GET", ("secrets", name, "versions"):
                return Right.LIST, lambda: self._page(name)
            case "GET", ("secrets", name) | ("secrets", name, _):
                version = "".join(self.parts[2:])
                return Right.GET, lambda: self._bundle(name, vault.get(name, version))
            case "PATCH", ("secrets", name) | ("secrets", name, _):
                version = "".join(self.parts[2:])
                return Right.SET, lambda: self._without_value(
                    name, vault.update(name, version, self._draft())
                )
            case "DELETE", ("secrets", name):
                return Right.DELETE, lambda: self._deleted(vault.delete(name))
            case "GET", ("deletedsecrets", name):
                return Right.GET, lambda: self._deleted(vault.deleted(name))
            case "POST", ("deletedsecrets", name, "recover"):
                return Right.RECOVER, lambda: self._without_value(name, vault.recover(name))
            case "DELETE", ("deletedsecrets", name):
                return Right.PURGE, lambda: vault.purge(name)
        method = self.request.method
        raise VaultError(Refusal.BAD_PARAMETER, f"Method {method} does not allow operation")

    def _check_version(self) -> None:
        version = self.request.args.get("api-version", "")
        if not version:
            raise VaultError(Refusal.BAD_PARAMETER, "api-version must be specified")
        if version not in _API_VERSIONS:
            message = f"The specified version ({version}) is not recognized."
            raise VaultError(Refusal.BAD_PARAMETER, message)

    def _draft(self) -> Draft:
        try:
            return read_draft(json.loads(self.request.get_data()))
        except (ValueError, RecursionError) as error:
            message = f"The request body is not valid: {error}"
            raise VaultError(Refusal.BAD_PARAMETER, message) from error

    def _item(self, name: str, version: Version) -> dict[str, Any]:
        item: dict[str, Any] = {"id": f"{self.root}/secrets/{name}/{version.version}"}
        if version.content_type is not None:
            item["contentType"] = version.content_type
        item["attributes"] = version.attributes()
        if version.tags is not None:
            item["tags"] = version.tags
        return item

    def _without_value(self, name: str, version: Version) -> dict[str, Any]:
        item = self._item(name, version)
        if self.request.args["api-version"] in _NEW_VERSIONS and version.previous:
            item["previousVersion"] = version.previous
        return item

    def _bundle(self, name: str, version: Version) -> dict[str, Any]:
        return {"value": version.value, **self._without_value(name, version)}

    def _deleted(self, secret: Secret) -> dict[str, Any]:
        return {
            "recoveryId": f"{self.root}/deletedsecrets/{secret.name}",
            **secret.deletion(),
            **self._without_value(secret.name, secret.versions[-1]),
        }

    def _page(self, name: str) -> dict[str, Any]:
        versions = self.vault.versions(name)
        start = self._number("$skiptoken", 0, len(versions))
        size = self._number("maxresults", _LARGEST_PAGE, _LARGEST_PAGE)
        rest = ""
        if start + size < len(versions):
            version = self.request.args["api-version"]
            query = f"api-version={version}&$skiptoken={start + size}&maxresults={size}"
            rest = f"{self.root}/secrets/{name}/versions?{query}"
        page = versions[start : start + size]
        return {"value": [self._item(name, version) for version in page], "nextLink": rest or None}

    def _number(self, argument: str, default: int, most: int) -> int:
        text = self.request.args.get(argument, str(default))
        if text.isascii() and text.isdecimal() and int(text) <= most:
            return int(text)
        message = f"{argument} is not valid: the maximum is {most}"
        raise VaultError(Refusal.BAD_PARAMETER, message)
