"""A GitHub Enterprise Server with secrets alone, for one client of its REST API or another.

It has keys of libsodium and decrypts what it is sent, as GitHub does. In `tests/e2e`, GitHub's own
client uses it, too.
"""

import base64
import json
import re
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, unquote, urlsplit

import trustme
from nacl.exceptions import CryptoError
from nacl.public import PrivateKey, SealedBox

ROOT = "/api/v3"
TOKEN = "github_pat_11AAAAAAA0of_a_test"
APPS = ("actions", "codespaces", "dependabot")
_NAME = re.compile(r"(?!GITHUB_)[A-Z_][A-Z0-9_]*")
_PERMISSIONS = {
    "actions": "secrets",
    "codespaces": "codespaces_secrets",
    "dependabot": "dependabot_secrets",
}
_NOT_FOUND = {"message": "Not Found", "documentation_url": "https://docs.github.com/rest"}
_NO_RIGHT = {"message": "Resource not accessible by personal access token"}


@dataclass
class Secret:
    """A secret as it is kept."""

    value: str
    updated: float
    visibility: str = ""
    repositories: list[int] = field(default_factory=list)


@dataclass
class Place:
    """What has secrets, with a key pair of its own."""

    key: PrivateKey = field(default_factory=PrivateKey.generate)
    key_id: str = "key-1"
    secrets: dict[str, Secret] = field(default_factory=dict)

    def renew_key(self) -> None:
        """Replace the key pair: what was encrypted for the former one is refused."""
        self.key, self.key_id = PrivateKey.generate(), f"{self.key_id}+"


@dataclass
class Repository:
    """A repository, as far as secrets go."""

    id: int
    environments: set[str] = field(default_factory=set)
    archived: bool = False
    moved: bool = False


class Visit(NamedTuple):
    """One request, and the status of its answer; 0 if none was sent."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: Any
    status: int


@dataclass
class Fault:
    """What happens instead of the usual answer, or besides it."""

    method: str
    path: str
    status: int = 0
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str = '{"message": "of a fault"}'
    cut: bool = False
    before: Callable[[], None] = lambda: None
    after: Callable[[], None] = lambda: None
    times: int = 1


class Answer(NamedTuple):
    """An answer before it is written."""

    status: int
    document: object = None
    headers: Mapping[str, str] = {}


@dataclass
class GitHub:
    """The running server.

    Attributes:
        host: with its port, for `GH_HOST`.
        authority: a PEM file with the certificate to trust.
        rights: of each token: the permissions of a fine-grained one; or, with `classic:` in front,
            the scopes of a classic one.
        unlisted: how many selected repositories the token cannot see.
        stuck: `updated_at` stays as it is.
    """

    host: str
    authority: Path
    rights: dict[str, set[str]] = field(default_factory=lambda: {TOKEN: {"all"}})
    repositories: dict[str, Repository] = field(
        default_factory=lambda: {"contoso/web": Repository(1, {"production", "a/b c"})}
    )
    organizations: set[str] = field(default_factory=lambda: {"contoso"})
    places: dict[str, Place] = field(default_factory=dict)
    visits: list[Visit] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    unlisted: int = 0
    stuck: bool = False
    lock: threading.RLock = field(default_factory=threading.RLock)

    @property
    def environment(self) -> dict[str, str]:
        """What brings `pat` and `gh` here."""
        return {
            "GH_HOST": self.host,
            "GH_ENTERPRISE_TOKEN": TOKEN,
            "PAT_CA_BUNDLE": str(self.authority),
            "SSL_CERT_FILE": str(self.authority),
        }

    def fail(self, method: str, path: str, **fault: Any) -> None:  # noqa: ANN401 - see Fault
        """Let the next request whose path ends with this one fail."""
        self.faults.append(Fault(method, path, **fault))

    def place(self, path: str) -> Place:
        """Return a place by its path: `repos/contoso/web/actions`."""
        return self.places.setdefault(path, Place())

    def put(self, path: str, name: str, value: str = "theirs", **fields: Any) -> None:  # noqa: ANN401 - see Secret
        """Set a secret as someone else does, an hour ago."""
        made = Secret(value, **{"updated": time.time() - 3600, **fields})
        self.place(path).secrets[name] = made

    def value(self, path: str, name: str) -> str:
        """Return what a secret holds."""
        return self.place(path).secrets[name].value

    def asked(self, method: str) -> list[str]:
        """Return the paths of the requests with a method, below the root."""
        return [each.path for each in self.visits if each.method == method]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # an answer in two packets takes 40 ms more
    github: GitHub

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002, ANN401 - the base's
        pass

    def _serve(self) -> None:
        github = self.github
        content = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        body = json.loads(content) if content else None
        parts = urlsplit(self.path)
        path = parts.path.removeprefix(ROOT)
        with github.lock:
            fault = self._fault(path)
            if fault is not None:
                fault.before()
            if fault is not None and fault.status:
                answer = Answer(fault.status, fault.body, fault.headers)
            else:
                answer = self._answer(path, dict(parse_qsl(parts.query)), body)
            if fault is not None:
                fault.after()
            cut = fault is not None and fault.cut
            status = 0 if cut else answer.status
            github.visits.append(Visit(self.command, path, dict(self.headers), body, status))
        if cut:
            self.close_connection = True
        else:
            self._write(answer)

    do_GET = do_PUT = do_POST = do_DELETE = _serve  # noqa: N815 - the base's

    def _fault(self, path: str) -> Fault | None:
        for fault in self.github.faults:
            if fault.times and fault.method == self.command and path.endswith(fault.path):
                fault.times -= 1
                return fault
        return None

    def _write(self, answer: Answer) -> None:
        document = answer.document
        text = document if isinstance(document, str) else json.dumps(document)
        content = b"" if document is None else text.encode()
        self.send_response_only(answer.status)
        headers = {
            "Date": formatdate(time.time(), usegmt=True),
            "X-GitHub-Request-Id": "AB12:34",
            "Content-Type": "application/json; charset=utf-8",
            "Content-Length": str(len(content)),
            **answer.headers,
        }
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def _answer(  # noqa: PLR0911 - one return per kind of request
        self,
        path: str,
        query: Mapping[str, str],
        body: Any,  # noqa: ANN401 - JSON
    ) -> Answer:
        rights = self._rights()
        if rights is None:
            return Answer(401, {"message": "Bad credentials"})
        steps = [unquote(step) for step in path.strip("/").split("/")]
        match steps:
            case ["api", "graphql"]:
                return Answer(200, {"data": self._ids(body["query"])})
            case ["repos", owner, name, *rest]:
                found = self.github.repositories.get(f"{owner}/{name}".lower())
                if found is None or "unseen" in rights:
                    return Answer(404, _NOT_FOUND)
                if found.moved:
                    moved = f"https://{self.github.host}{ROOT}/repositories/{found.id}"
                    return Answer(301, {"message": "Moved Permanently"}, {"Location": moved})
                if not rest:
                    return Answer(200, {"id": found.id, "archived": found.archived})
                return self._in_repository(found, f"repos/{owner}/{name}".lower(), rest, body)
            case ["orgs", owner, app, "secrets", *rest] if app in APPS:
                if owner.lower() not in self.github.organizations:
                    return Answer(404, _NOT_FOUND)
                refused = self._refused(f"organization_{_PERMISSIONS[app]}", "admin:org")
                place = f"orgs/{owner}/{app}".lower()
                return refused or self._secrets(place, rest, body, query)
        return Answer(404, _NOT_FOUND)

    def _ids(self, query: str) -> dict[str, object]:
        """Answer the one query of GitHub's own client: the ids of some repositories."""
        wanted = re.findall(r'(\w+): repository\(owner: "([^"]*)", name: "([^"]*)"\)', query)
        repositories = self.github.repositories
        return {
            alias: {"databaseId": repositories[f"{owner}/{name}"].id}
            for alias, owner, name in wanted
        }

    def _in_repository(
        self,
        repository: Repository,
        place: str,
        rest: list[str],
        body: Any,  # noqa: ANN401 - JSON
    ) -> Answer:
        match rest:
            case ["environments", environment, "secrets", *below]:
                if environment not in repository.environments:
                    return Answer(404, _NOT_FOUND)
                refused = self._refused("environments", "repo")
                place = f"{place}/environments/{environment}"
            case [app, "secrets", *below] if app in APPS:
                refused = self._refused(_PERMISSIONS[app], "repo")
                place = f"{place}/{app}"
            case _:
                return Answer(404, _NOT_FOUND)
        if refused is None and repository.archived and self.command != "GET":
            return Answer(403, {"message": "Repository was archived so is read-only."})
        return refused or self._secrets(place, below, body, {})

    def _rights(self) -> set[str] | None:
        kind, _, token = self.headers.get("Authorization", "").partition(" ")
        return self.github.rights.get(token) if kind in {"Bearer", "token"} else None

    def _refused(self, permission: str, scope: str) -> Answer | None:
        """Return the refusal of a token that has neither; classic ones are told nothing."""
        rights = self._rights() or set()
        if rights & {"all", f"classic:{scope}"} or f"{permission}:write" in rights:
            return None
        if f"{permission}:read" in rights and self.command == "GET":
            return None
        scopes = sorted(each.removeprefix("classic:") for each in rights if "classic:" in each)
        if scopes:
            return Answer(404, _NOT_FOUND, {"X-OAuth-Scopes": ", ".join(scopes)})
        need = f"{permission}={'read' if self.command == 'GET' else 'write'}"
        return Answer(403, _NO_RIGHT, {"X-Accepted-GitHub-Permissions": need})

    def _secrets(
        self,
        path: str,
        rest: list[str],
        body: Any,  # noqa: ANN401 - JSON
        query: Mapping[str, str],
    ) -> Answer:
        place = self.github.place(path)
        match self.command, rest:
            case "GET", []:
                listed = [self._metadata(path, each) for each in place.secrets]
                return Answer(200, {"total_count": len(listed), "secrets": listed})
            case "GET", ["public-key"]:
                key = base64.b64encode(bytes(place.key.public_key)).decode()
                return Answer(200, {"key_id": place.key_id, "key": key})
            case "GET", [name] if name.upper() in place.secrets:
                return Answer(200, self._metadata(path, name.upper()))
            case "GET", [name, "repositories"] if name.upper() in place.secrets:
                return self._selected(place.secrets[name.upper()], query)
            case "PUT", [name]:
                return self._put(path, place, name.upper(), body)
        return Answer(404, _NOT_FOUND)

    def _metadata(self, path: str, name: str) -> dict[str, object]:
        secret = self.github.place(path).secrets[name]
        moment = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(secret.updated))
        found: dict[str, object] = {"name": name, "created_at": moment, "updated_at": moment}
        if path.startswith("orgs/"):
            found["visibility"] = secret.visibility
            if secret.visibility == "selected":
                url = f"https://{self.github.host}{ROOT}/{path}/secrets/{name}/repositories"
                found["selected_repositories_url"] = url
        return found

    def _selected(self, secret: Secret, query: Mapping[str, str]) -> Answer:
        size, page = int(query.get("per_page", "30")), int(query.get("page", "1"))
        seen = secret.repositories[: len(secret.repositories) - self.github.unlisted]
        rows = [{"id": each} for each in seen[size * (page - 1) : size * page]]
        return Answer(200, {"total_count": len(secret.repositories), "repositories": rows})

    def _put(self, path: str, place: Place, name: str, body: Any) -> Answer:  # noqa: ANN401 - JSON
        of_organization = path.startswith("orgs/")
        visibility = body.get("visibility", "")
        if not _NAME.fullmatch(name) or body.get("key_id") != place.key_id:
            return Answer(422, {"message": "Validation Failed"})
        if of_organization and visibility not in {"all", "private", "selected"}:
            return Answer(422, {"message": "visibility is missing"})
        ids = body.get("selected_repository_ids", [])
        if not all(isinstance(each, str if "/dependabot" in path else int) for each in ids):
            return Answer(422, {"message": "selected_repository_ids are of the wrong type"})
        try:
            value = SealedBox(place.key).decrypt(base64.b64decode(body["encrypted_value"]))
        except (CryptoError, ValueError, KeyError):
            return Answer(422, {"message": "encrypted_value cannot be decrypted"})
        before = place.secrets.get(name)
        updated = before.updated if before and self.github.stuck else time.time()
        place.secrets[name] = Secret(value.decode(), updated, visibility, [int(i) for i in ids])
        return Answer(204) if before else Answer(201, {})


class _Server(ThreadingHTTPServer):
    """Makes the TLS connection in the thread of each client."""

    daemon_threads = True
    context: ssl.SSLContext

    def finish_request(self, request: Any, client_address: Any) -> None:  # noqa: ANN401 - the base's
        request.settimeout(30)
        with suppress(OSError):
            secured = self.context.wrap_socket(request, server_side=True)
            with suppress(OSError):
                super().finish_request(secured, client_address)
            secured.close()


@contextmanager
def running(folder: Path) -> Iterator[GitHub]:
    """Run the server until the block ends; the folder gets its certificate."""
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    file = folder / "github.pem"
    authority.cert_pem.write_to_path(str(file))
    with _Server(("127.0.0.1", 0), type("Handler", (_Handler,), {})) as server:
        server.context = context
        github = GitHub(f"localhost:{server.server_address[1]}", file)
        server.RequestHandlerClass.github = github  # type: ignore[attr-defined]  # made just above
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield github
        finally:
            server.shutdown()
            thread.join()
