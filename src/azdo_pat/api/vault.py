"""Reads and writes secrets of the key-value engine of HashiCorp Vault and OpenBao.

Sources: OpenBao and HashiCorp Vault, "KV secrets engine - version 1 (API)" and "version 2 (API)",
"/sys/internal/ui/mounts", "/sys/capabilities-self", "Namespaces".
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from types import MappingProxyType
from typing import Final, NamedTuple
from urllib.parse import quote

from azdo_pat.api import vault_errors
from azdo_pat.api.addresses import require_protected
from azdo_pat.api.call import ApiCall
from azdo_pat.api.credentials import VaultToken
from azdo_pat.api.http import Http
from azdo_pat.api.response import Response
from azdo_pat.errors import PatError, RefusedError, UnavailableError
from azdo_pat.models import Secret

NO_FIELDS: Final[Mapping[str, object]] = MappingProxyType({})
_MERGE_PATCH: Final = {"Content-Type": "application/merge-patch+json"}
_VERSION_1, _VERSION_2 = 1, 2


class KvSecret(NamedTuple):
    """The newest version of a secret.

    Attributes:
        fields: its names and values, of any type of JSON.
        version: its number; 0 if there was never one, or the engine keeps none.
        is_there: False if the secret does not exist, or its newest version is deleted.
        read_at: the time of the server, in UTC; None if it does not tell.
        notes: the custom metadata.
    """

    fields: Mapping[str, object]
    version: int
    is_there: bool
    read_at: datetime | None = None
    notes: Mapping[str, str] = MappingProxyType({})


class Vault:
    """The secrets of a namespace of one server.

    Args:
        http: the connection.
        address: of the server.
        namespace: its path; empty for none.
        token: of the server; it is sent there only.

    Raises:
        UsageError: the address is neither https nor on this machine, or the token is none.
    """

    def __init__(self, http: Http, address: str, namespace: str, token: Secret) -> None:
        self._http = http
        self._root = f"{require_protected(address)}/v1"
        self._token = VaultToken(token, address)
        # Without X-Vault-Request, an agent in front of the server may refuse the request.
        self._headers = {"X-Vault-Request": "true"}
        if namespace:
            self._headers["X-Vault-Namespace"] = quote(namespace, safe="/")

    def locate(self, path: str) -> "KvPlace":
        """Find the engine that a path leads to.

        Raises:
            RefusedError: there is none, or the token has no right in it.
            SignInError: the token is not accepted.
            UnavailableError: the server did not answer properly.
        """
        call = self.call("GET", f"sys/internal/ui/mounts/{path}")
        answer = self._http.send(call._replace(failure_of=vault_errors.token_rejection_of))
        mount = _data(answer)
        options, where, kind = mount.get("options"), mount.get("path"), mount.get("type")
        if not isinstance(where, str) or not f"{path}/".startswith(where):
            raise _unreadable(answer)
        engine = where.rstrip("/")
        if kind not in {"kv", "generic"}:
            raise RefusedError(
                f"{engine} does not store fields that can be written: its type is not kv",
                hint="choose a path in a key-value engine; to list the engines, run:"
                " vault secrets list",
            )
        rest = path[len(where) :]
        if not rest:
            raise RefusedError(
                f"{path} is a secrets engine itself", hint=f"add the path of a secret: {path}/ci"
            )
        version = options.get("version") if isinstance(options, dict) else None
        if version not in {None, "", str(_VERSION_1), str(_VERSION_2)}:
            raise UnavailableError(
                f"{engine} is a key-value engine of an unknown version", hint="upgrade pat"
            )
        return KvPlace(self, engine, rest, has_versions=version == str(_VERSION_2))

    def call(self, method: str, path: str, body: Mapping[str, object] | None = None) -> ApiCall:
        """Return a request for a path of the API."""
        return ApiCall(
            method=method,
            url=f"{self._root}/{quote(path, safe='/')}",
            body=body,
            credential=self._token,
            headers=self._headers | (_MERGE_PATCH if method == "PATCH" else {}),
            setting="VAULT_ADDR",
            holds_secrets=True,
            failure_of=vault_errors.failure_of,
        )

    def send(self, call: ApiCall, *, may_be_absent: bool = False) -> Response:
        """Make a request, and return the answer, also if it is that there is no secret.

        Raises:
            PatError: it failed.
        """
        return self._http.send(
            call._replace(failure_of=_failure_beside_absence) if may_be_absent else call
        )


class KvPlace:
    """Where a secret is, or could be.

    Args:
        vault: the namespace.
        mount: the path of the engine, without a slash at the end.
        rest: the path of the secret in it.
        has_versions: it is an engine of version 2, which keeps versions and checks them.
    """

    def __init__(self, vault: "Vault", mount: str, rest: str, *, has_versions: bool) -> None:
        self._vault = vault
        self.mount = mount
        self.path = f"{mount}/{rest}"
        self.has_versions = has_versions
        self.data = f"{mount}/data/{rest}" if has_versions else self.path
        self._metadata = f"{mount}/metadata/{rest}"

    def read(self) -> KvSecret:
        """Return the newest version.

        Raises:
            RefusedError: with code `denied`, if the token cannot read it.
            PatError: it cannot be read.
        """
        answer = self._vault.send(self._vault.call("GET", self.data), may_be_absent=True)
        if answer.status == HTTPStatus.NOT_FOUND:
            return _absent(answer)
        document = _data(answer)
        if not self.has_versions:
            return KvSecret(document, 0, is_there=True, read_at=_time(answer))
        fields = document.get("data")
        if not isinstance(fields, dict):
            raise _unreadable(answer)
        version = _version(document, answer)
        at, notes = _time(answer), _notes(document)
        return KvSecret(fields, version, is_there=True, read_at=at, notes=notes)

    def patch(self, fields: Mapping[str, object], *, cas: int | None) -> KvSecret:
        """Write some fields of an existing secret as a new version; the others stay.

        Args:
            fields: those to write.
            cas: the version that must be the newest; None for any.

        Returns:
            The new version, without its fields; where there is no secret, nothing is written.

        Raises:
            ConflictError: another version is the newest.
            RefusedError: with code `denied` or `unsupported`, if the token or the server cannot.
            PatError: it cannot be written.
        """
        call = self._vault.call("PATCH", self.data, _versioned(fields, cas))
        answer = self._vault.send(call, may_be_absent=True)
        if answer.status == HTTPStatus.NOT_FOUND:
            return _absent(answer)
        return KvSecret(NO_FIELDS, _version(_data(answer), answer), is_there=True)

    def write(self, fields: Mapping[str, object], *, cas: int | None) -> KvSecret:
        """Write a whole secret; its other fields are gone.

        It is repeated as PUT would be: with `cas` it has its effect once, and without, it is the
        same each time.

        Args:
            fields: all of them.
            cas: the version that must be the newest, 0 for none; None for any. An engine of
                version 1 does not check it.

        Returns:
            The new version, without its fields.

        Raises:
            ConflictError: another version is the newest.
            RefusedError: with code `denied`, if the token has no right to write it.
            PatError: it cannot be written.
        """
        body = _versioned(fields, cas) if self.has_versions else fields
        answer = self._vault.send(self._vault.call("POST", self.data, body)._replace(acts_as="PUT"))
        if not self.has_versions:
            return KvSecret(NO_FIELDS, 0, is_there=True)
        return KvSecret(NO_FIELDS, _version(_data(answer), answer), is_there=True)

    def annotate(self, notes: Mapping[str, str]) -> None:
        """Set some of the custom metadata of a secret; the other ones stay.

        Args:
            notes: what to set.

        Raises:
            PatError: it cannot be set.
        """
        call = self._vault.call("PATCH", self._metadata, {"custom_metadata": dict(notes)})
        self._vault.send(call)

    def rights(self) -> frozenset[str] | None:
        """Return what the token may do with a secret: `read`, `patch`…; None if it cannot ask.

        Raises:
            PatError: it cannot be found out.
        """
        call = self._vault.call("POST", "sys/capabilities-self", {"paths": [self.data]})
        try:
            answer = self._vault.send(call._replace(acts_as="GET"))
        except RefusedError:
            return None
        rights = _data(answer).get(self.data)
        return frozenset(map(str, rights)) if isinstance(rights, list) else None


def _failure_beside_absence(answer: Response) -> PatError | None:
    """Return the error that a response stands for; None also where there is no secret.

    A patch is then answered without a body.
    """
    is_empty = answer.asked.method == "PATCH" and not answer.body.strip()
    if answer.status == HTTPStatus.NOT_FOUND and (is_empty or vault_errors.messages(answer) == ""):
        return None
    return vault_errors.failure_of(answer)


def _absent(answer: Response) -> KvSecret:
    """Return what a 404 says: it tells the version if the newest one is deleted."""
    version = 0
    if answer.body.strip():
        try:
            document = answer.json()
        except ValueError:
            raise _unreadable(answer) from None
        found = document.get("data") if isinstance(document, dict) else None
        version = _version(found, answer) if isinstance(found, dict) else 0
    return KvSecret(NO_FIELDS, version, is_there=False, read_at=_time(answer))


def _versioned(fields: Mapping[str, object], cas: int | None) -> dict[str, object]:
    return {"data": dict(fields), **({} if cas is None else {"options": {"cas": cas}})}


def _data(answer: Response) -> dict[str, object]:
    try:
        document = answer.json()
    except ValueError:
        raise _unreadable(answer) from None
    data = document.get("data") if isinstance(document, dict) else None
    if not isinstance(data, dict):
        raise _unreadable(answer)
    return data


def _version(document: Mapping[str, object], answer: Response) -> int:
    """Return the number of the version: of a read beside the fields, otherwise at the top."""
    metadata = document.get("metadata", document)
    version = metadata.get("version") if isinstance(metadata, dict) else None
    if not isinstance(version, int):
        raise _unreadable(answer)
    return version


def _notes(document: Mapping[str, object]) -> dict[str, str]:
    metadata = document.get("metadata")
    notes = metadata.get("custom_metadata") if isinstance(metadata, dict) else None
    return {str(key): str(notes[key]) for key in notes} if isinstance(notes, dict) else {}


def _time(answer: Response) -> datetime | None:
    try:
        return parsedate_to_datetime(answer.headers.get("Date", "")).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _unreadable(answer: Response) -> UnavailableError:
    return UnavailableError(
        f"{answer.asked.host} does not answer like Vault or OpenBao",
        hint="check VAULT_ADDR (or BAO_ADDR), and the proxy settings",
    )
