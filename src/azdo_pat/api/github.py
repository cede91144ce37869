"""Sets a secret of GitHub (GitHub, "REST API endpoints for secrets" of each kind)."""

import base64
import binascii
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from azdo_pat.api.addresses import github, segment, with_query
from azdo_pat.api.call import ApiCall
from azdo_pat.api.credentials import BearerOfService
from azdo_pat.api.github_errors import INVALID, Asked, archived, service_time
from azdo_pat.api.http import Http
from azdo_pat.api.json_fields import Record
from azdo_pat.api.response import Response
from azdo_pat.api.service_errors import unreadable
from azdo_pat.delivery_targets import GitHubTarget
from azdo_pat.errors import ConflictError, NotFoundError, RefusedError
from azdo_pat.models import AccessToken

_HEADERS: Final = {
    "Accept": "application/vnd.github+json",
    "X-GitHub-Api-Version": "2022-11-28",
}
_KEY_BYTES: Final = 32
_A_PAGE: Final = 100
_MOST_PAGES: Final = 1000
_NEW_VISIBILITY: Final = "private"
_VISIBILITIES: Final = frozenset({"all", "private", "selected"})
_SAME_MOMENT: Final = timedelta(seconds=5)
"""`updated_at` is in whole seconds, and the clocks of a service's machines differ."""

_KEY: Final = "a public key of GitHub"
_SECRET: Final = "a secret of GitHub"  # noqa: S105 - what an answer should be
_REPOSITORIES: Final = "a list of repositories"


class SecretState(NamedTuple):
    """What can be read of a secret; never its value.

    Attributes:
        updated: when it was set last, in whole seconds.
        read: the time of the service's own clock when it was read; None if it did not say.
        visibility: which repositories of the organization may use it: `all`, `private` or
            `selected`; empty for a secret of a repository.
        repositories: the ids of the selected ones, in ascending order.
    """

    updated: datetime
    read: datetime | None
    visibility: str = ""
    repositories: tuple[int, ...] = ()

    @property
    def just_set(self) -> bool:
        """Whether that was so shortly before that the next time can be the same."""
        return self.read is not None and self.read - self.updated < _SAME_MOMENT


class _PublicKey(NamedTuple):
    id: str
    content: bytes


class GitHubSecret:
    """One secret: of a repository, of one of its environments, or of an organization.

    Args:
        http: the connection; each request has a credential of its own.
        target: which secret.
        token: of GitHub; sent to the API of the target's host only.

    Raises:
        UsageError: the host is not that of a GitHub.
    """

    def __init__(self, http: Http, target: GitHubTarget, token: AccessToken) -> None:
        address = github(target.host)
        self._http = http
        self._target = target
        self._credential = BearerOfService(token, address.url)
        self._asked = Asked(target, token.source, address.is_hosted)
        self._root = address.url
        self._setting = "" if target.host == "github.com" else "GH_HOST"

    def require_place(self) -> None:
        """Check that the place of the secret exists, and that the token may read its public key.

        Every right to change secrets includes that one.

        Raises:
            NotFoundError: the place does not exist, or the token cannot see it.
            RefusedError: the token lacks a right; or the repository is archived.
            PatError: it cannot be read.
        """
        if self._target.repository:
            document, answer = self._json(self._repository, "a repository")
            if Record(document, "a repository", answer).value("archived") is True:
                raise archived(self._target)
        self._key()

    def read(self) -> SecretState | None:
        """Return what can be read of the secret; None if there is none.

        Raises:
            ConflictError: the repositories that may use it change just now.
            PatError: it cannot be read.
        """
        try:
            document, answer = self._json(self._secret, _SECRET)
        except NotFoundError:
            return None
        record = Record(document, _SECRET, answer)
        updated, at = record.moment("updated_at"), service_time(answer.headers)
        read = None if at is None else datetime.fromtimestamp(at, updated.tzinfo)
        if self._target.repository:
            return SecretState(updated, read)
        visibility = record.text("visibility")
        if visibility not in _VISIBILITIES:
            raise unreadable(answer, f"{_SECRET} (visibility is of an unknown kind)")
        chosen = self._selected() if visibility == "selected" else ()
        return SecretState(updated, read, visibility, chosen)

    def put(self, seal: Callable[[bytes], bytes]) -> SecretState | None:
        """Set the secret; in an organization, the same repositories as before may use it.

        All private and internal repositories may use a new one, as with GitHub's own client.

        Args:
            seal: encrypts it, given the public key of its place.

        Returns:
            What could be read of it right before; None if it is new.

        Raises:
            NotFoundError: the place does not exist, or the token cannot see it.
            RefusedError: the token lacks a right.
            PatError: it could not be set.
        """
        key = self._key()
        before = self.read()
        audience = {} if self._target.repository else self._audience(before)
        try:
            self._put(key, seal, audience)
        except RefusedError as error:
            # The key may have been replaced since it was read.
            if error.code != INVALID or (newer := self._key()) == key:
                raise
            self._put(newer, seal, audience)
        return before

    def _audience(self, before: SecretState | None) -> dict[str, object]:
        """Return which repositories may use the secret: setting it replaces that, too."""
        if before is None:
            return {"visibility": _NEW_VISIBILITY}
        if before.visibility != "selected":
            return {"visibility": before.visibility}
        ids: list[object] = list(before.repositories)
        if self._target.app == "dependabot":  # as GitHub's own client sends them
            ids = [str(each) for each in ids]
        return {"visibility": before.visibility, "selected_repository_ids": ids}

    def _put(
        self, key: _PublicKey, seal: Callable[[bytes], bytes], audience: Mapping[str, object]
    ) -> None:
        encrypted = base64.b64encode(seal(key.content)).decode()
        body = {"encrypted_value": encrypted, "key_id": key.id, **audience}
        call = self._call("PUT", self._secret)
        self._http.send(call._replace(body=body, holds_secrets=True))

    def _key(self) -> _PublicKey:
        """Return the public key of the place: each has its own, and it can change."""
        document, answer = self._json(f"{self._secrets}/public-key", _KEY)
        record = Record(document, _KEY, answer)
        try:
            content = base64.b64decode(record.text("key"), validate=True)
        except (binascii.Error, ValueError):
            content = b""
        if len(content) != _KEY_BYTES:
            raise unreadable(answer, f"{_KEY} (it is not {_KEY_BYTES} bytes)")
        return _PublicKey(record.filled_text("key_id"), content)

    def _selected(self) -> tuple[int, ...]:
        """Return the ids of the repositories that may use the secret, all of them.

        One that is left out loses the secret when it is set.
        """
        found: set[int] = set()
        for page in range(1, _MOST_PAGES + 1):
            query = {"per_page": str(_A_PAGE), "page": str(page)}
            document, answer = self._json(
                with_query(f"{self._secret}/repositories", query), _REPOSITORIES
            )
            record = Record(document, _REPOSITORIES, answer)
            rows = record.rows("repositories")
            found.update(_id(row, answer) for row in rows)
            if not rows or len(found) == record.value("total_count"):
                break
        if len(found) != record.value("total_count"):
            raise ConflictError(
                "not all repositories that may use the secret can be read: the token cannot see"
                " them, or they change just now",
                hint="try again; or use a token that sees all repositories of"
                f" {self._target.owner}",
            )
        return tuple(sorted(found))

    def _json(self, path: str, what: str) -> tuple[object, Response]:
        return self._http.json(self._call("GET", path), what)

    def _call(self, method: str, path: str) -> ApiCall:
        return ApiCall(
            method=method,
            url=f"{self._root}/{path}",
            credential=self._credential,
            headers=_HEADERS,
            setting=self._setting,
            failure_of=self._asked.failure_of,
        )

    @property
    def _repository(self) -> str:
        return f"repos/{segment(self._target.owner)}/{segment(self._target.repository)}"

    @property
    def _secrets(self) -> str:
        target = self._target
        if target.environment:
            return f"{self._repository}/environments/{segment(target.environment)}/secrets"
        place = self._repository if target.repository else f"orgs/{segment(target.owner)}"
        return f"{place}/{target.app}/secrets"

    @property
    def _secret(self) -> str:
        return f"{self._secrets}/{segment(self._target.secret)}"


def _id(row: object, answer: Response) -> int:
    number = Record(row, "a repository", answer).value("id")
    if not isinstance(number, int) or isinstance(number, bool):
        raise unreadable(answer, "a repository (id is missing or of the wrong type)")
    return number
