"""Deliveries to a Vault server that answers as a real one cannot be made to."""

import json
from collections.abc import Iterator
from contextlib import nullcontext
from datetime import UTC, datetime

import pytest
import responses
from requests import PreparedRequest

from azdo_pat.api.http import Http
from azdo_pat.api.vault import Vault
from azdo_pat.deliveries.placeholders import DeliveryContext
from azdo_pat.deliveries.vault_target import deliver
from azdo_pat.delivery_targets import VaultTarget
from azdo_pat.errors import ConflictError
from azdo_pat.models import AccessToken, Handover, Pat, Secret, Status
from no_services import NoServices

ADDRESS = "https://vault.example.com:8200"
ROOT = f"{ADDRESS}/v1"
DATA = f"{ROOT}/secret/data/ci"
TARGET = VaultTarget("secret/ci", "pat", ADDRESS)
OLD, NEW = "A" * 75 + "AZDOxyz12", "B" * 75 + "AZDOxyz12"
HANDOVER = Handover(
    pat=Pat(
        name="ci",
        id="1b4e28ba-2fa1-11d2-883f-0016d3cca427",
        org="contoso",
        status=Status.ACTIVE,
        scopes=("vso.code",),
        created=None,
        expires=datetime(2026, 12, 1, 12, 0, 0, 0, UTC),
    ),
    secret=Secret(NEW),
    org_url="https://dev.azure.com/contoso",
)
Answer = tuple[int, dict[str, str], str]


def no_access_token() -> AccessToken:
    raise AssertionError


class Server(NoServices):
    """A secret of version 4, and what goes wrong with it.

    Attributes:
        cut: the answers to so many writes are lost after they had their effect.
        old: it does not know PATCH.
        behind: reads show what was there at the start, as a standby may.
        meddles: someone changes a neighbour with each write, in the same version.
    """

    def __init__(self) -> None:
        self.fields: dict[str, object] = {"user": "ada", "pat": OLD}
        self.version = 4
        self.log: list[str] = []
        self.cut = 0
        self.old = self.behind = self.meddles = False
        self._first = dict(self.fields)

    def vault(self, address: str, namespace: str) -> Vault:
        http = Http(
            api_root=None,
            access_token=no_access_token,
            sleep=lambda _: None,
            version="1",
            headers={},
        )
        return Vault(http, address, namespace, Secret("hvs.of-a-test"))

    def read(self, _: PreparedRequest) -> Answer:
        self.log.append("GET")
        fields, version = (self._first, 4) if self.behind else (self.fields, self.version)
        return _answer({"data": fields, "metadata": {"version": version}})

    def write(self, request: PreparedRequest) -> Answer:
        self.log.append(str(request.method))
        if self.old and request.method == "PATCH":
            return 405, {}, '{"errors": ["unsupported operation"]}'
        body = json.loads(request.body or "")
        if body["options"]["cas"] != self.version:
            return 400, {}, '{"errors": ["check-and-set parameter did not match"]}'
        kept = self.fields if request.method == "PATCH" else {}
        self.fields = {**kept, **body["data"]}
        if self.meddles:
            self.fields["user"] = "eve"
        self.version += 1
        if self.cut:
            self.cut -= 1
            raise ConnectionResetError
        return _answer({"version": self.version})


def _answer(data: object) -> Answer:
    return 200, {}, json.dumps({"data": data})


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    engine = {"path": "secret/", "type": "kv", "options": {"version": "2"}}
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        mock.get(f"{ROOT}/sys/internal/ui/mounts/secret/ci", json={"data": engine})
        mock.add_callback("GET", DATA, made.read)
        mock.add_callback("PATCH", DATA, made.write)
        mock.add_callback("POST", DATA, made.write)
        mock.patch(f"{ROOT}/secret/metadata/ci", status=403, json={"errors": ["permission denied"]})
        yield made


def put(server: Server) -> None:
    context = DeliveryContext(
        environment={},
        alone=lambda _: nullcontext(),
        lend=lambda *_: None,
        services=server,
        recognizes=lambda found: found == Secret(OLD),
    )
    deliver(TARGET, HANDOVER, context)


def test_an_answer_that_was_lost_is_no_change_of_someone_else(server: Server) -> None:
    server.cut = 1
    put(server)
    assert server.log == ["GET", "PATCH", "PATCH", "GET"]
    assert (server.fields, server.version) == ({"user": "ada", "pat": NEW}, 5)


def test_a_server_without_patch_gets_all_fields(server: Server) -> None:
    server.old = True
    put(server)
    assert server.log == ["GET", "PATCH", "POST", "GET"]
    assert server.fields == {"user": "ada", "pat": NEW}


def test_a_lost_answer_of_such_a_server_is_no_change_either(server: Server) -> None:
    server.old, server.cut = True, 1
    put(server)
    assert server.log == ["GET", "PATCH", "POST", "POST", "GET"]
    assert (server.fields, server.version) == ({"user": "ada", "pat": NEW}, 5)


def test_a_server_that_is_behind_proves_nothing(server: Server) -> None:
    server.behind = True
    put(server)
    assert server.fields == {"user": "ada", "pat": NEW}


def test_a_neighbour_that_changed_with_the_write_is_reported(server: Server) -> None:
    server.meddles = True
    with pytest.raises(ConflictError, match=r"at the same time: user$") as caught:
        put(server)
    assert "eve" not in f"{caught.value.message}{caught.value.hint}"
