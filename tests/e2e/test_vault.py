"""Deliveries to a real OpenBao, by the installed program and by its client."""

from __future__ import annotations

import json
from contextlib import nullcontext
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from azdo_pat.api.http import Http
from azdo_pat.api.vault import Vault
from azdo_pat.deliveries.dispatch import deliver, probe
from azdo_pat.deliveries.placeholders import DeliveryContext
from azdo_pat.delivery_targets import VaultTarget
from azdo_pat.errors import (
    ConflictError,
    NotFoundError,
    PendingError,
    RefusedError,
    SignInError,
    UnavailableError,
)
from azdo_pat.models import AccessToken, Handover, Organization, Pat, Secret, Status
from e2e.openbao import POLICY
from no_services import NoServices

if TYPE_CHECKING:
    from collections.abc import Callable

    from azdo_pat.api.trace import Exchange
    from drivers import Installed
    from e2e.openbao import OpenBao

SECRET, OTHER = "A" * 75 + "AZDOxyz12", "B" * 75 + "AZDOxyz12"
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
    secret=Secret(SECRET),
    org_url="https://dev.azure.com/contoso",
)
CONTOSO = Organization(name="contoso", url="https://dev.azure.com/contoso", hosted=True)
NEIGHBOURS = {
    "user": "the-neighbour",
    "count": 12,
    "nested": {"a": None, "b": [1, "two"]},
    "none": None,
}


def no_access_token() -> AccessToken:
    raise AssertionError


class Stage(NoServices):
    """Delivers with a token, without sleeping."""

    def __init__(self, server: OpenBao, token: str, *, known: str = "") -> None:
        self.address = server.address
        self.requests: list[str] = []
        self.between: Callable[[str], None] = lambda _: None
        self._token = token
        self._known = known
        self._http = Http(
            api_root=None,
            access_token=no_access_token,
            trace=self._trace,
            sleep=lambda _: None,
            version="1",
            headers={},
        )
        self._context = DeliveryContext(
            environment={},
            alone=lambda _: nullcontext(),
            lend=lambda *_: None,
            services=self,
            recognizes=lambda found: not known or found == Secret(known),
        )

    def vault(self, address: str, namespace: str) -> Vault:
        return Vault(self._http, address, namespace, Secret(self._token))

    def target(self, path: str, **given: str | bool) -> VaultTarget:
        made = VaultTarget(path, "pat", self.address)
        return replace(made, **given) if given else made  # type: ignore[arg-type]  # by the field

    def probe(self, path: str, **given: str | bool) -> None:
        probe(self.target(path, **given), CONTOSO, self._context)

    def deliver(self, path: str, secret: str = SECRET, **given: str | bool) -> None:
        handover = HANDOVER._replace(secret=Secret(secret))
        deliver(self.target(path, **given), handover, self._context)

    def both(self, path: str, secret: str = SECRET, **given: str | bool) -> None:
        self.probe(path, **given)
        self.deliver(path, secret, **given)

    def _trace(self, exchange: Exchange) -> None:
        self.requests.append(f"{exchange.method} {exchange.status}")
        self.between(self.requests[-1])


def rights(path: str, *capabilities: str) -> str:
    return f'path "{path}" {{ capabilities = {json.dumps(capabilities)} }}\n'


@pytest.fixture
def stage(openbao: OpenBao) -> Stage:
    return Stage(openbao, openbao.root)


def test_a_secret_is_delivered_and_rotated_by_the_installed_program(
    pat_process: Installed, openbao: OpenBao
) -> None:
    openbao.put("team/ci", NEIGHBOURS)
    token = openbao.token(POLICY)
    variables = {"VAULT_ADDR": openbao.address, "VAULT_TOKEN": token}
    ensure = ("ensure", "ci", "--scope", "code", "--deliver", "vault:secret/team/ci#pat")
    results = []
    for words in (ensure, ("rotate", "ci")):
        results.append(pat_process(*words, "--debug", env=variables))
        assert results[-1].exit_code == 0, results[-1].stderr
        stored = pat_process("get", "ci").stdout.strip()
        assert openbao.fields("team/ci") == {**NEIGHBOURS, "pat": stored}
        assert openbao.run("kv", "get", "-field=pat", "secret/team/ci").strip() == stored
    said = "".join(result.stdout + result.stderr for result in results)
    assert "v1/secret/data/team/ci" in said
    assert token not in said
    assert "the-neighbour" not in said
    metadata = openbao.metadata("team/ci")
    assert metadata["current_version"] == 3
    assert set(metadata["custom_metadata"]) == {
        "azdo-pat.pat.expires",
        "azdo-pat.pat.fingerprint",
        "azdo-pat.pat.id",
    }
    again = pat_process(*ensure, env=variables)
    assert again.exit_code == 0
    assert openbao.metadata("team/ci")["current_version"] == 3


def test_the_environment_must_be_for_the_server_of_the_target(
    pat_process: Installed, openbao: OpenBao
) -> None:
    words = ("ensure", "ci", "--scope", "code", "--deliver", "vault:secret/other/server#pat")
    variables = {"VAULT_ADDR": openbao.address, "VAULT_TOKEN": openbao.root}
    assert pat_process(*words, env=variables).exit_code == 0
    moved = pat_process("rotate", "ci", env={**variables, "VAULT_ADDR": "https://127.0.0.1:1"})
    assert moved.exit_code == 2
    assert f"the target is on {openbao.address}, but VAULT_ADDR" in moved.stderr
    assert (
        pat_process(
            "rotate", "ci", env={"BAO_TOKEN": openbao.root, "BAO_ADDR": openbao.address}
        ).exit_code
        == 0
    )
    assert openbao.metadata("other/server")["current_version"] == 2


def test_a_server_with_a_certificate_is_trusted_by_its_own_variable(
    pat_process: Installed, openbao: OpenBao
) -> None:
    words = ("ensure", "ci", "--scope", "code", "--deliver", "vault:secret/tls/ci#pat")
    variables = {"VAULT_ADDR": openbao.safe_address, "VAULT_TOKEN": openbao.root}
    refused = pat_process(*words, env={**variables, "VAULT_SKIP_VERIFY": "true"})
    assert refused.exit_code == 11
    assert "certificate is from an issuer that this machine does not trust" in refused.stderr
    assert refused.stderr.count("VAULT_SKIP_VERIFY is not heeded") == 1
    assert "ci" not in {each["name"] for each in pat_process("list", "-o", "json").json}
    trusted = {**variables, "VAULT_CACERT": str(openbao.authority)}
    assert pat_process(*words, env=trusted).exit_code == 0
    assert openbao.fields("tls/ci") == {"pat": pat_process("get", "ci").stdout.strip()}


def test_a_new_secret_is_made(openbao: OpenBao, stage: Stage) -> None:
    stage.both("secret/new/deep/a b%c")
    assert openbao.fields("new/deep/a b%c") == {"pat": SECRET}


def test_other_fields_stay_and_the_same_secret_is_not_written_again(
    openbao: OpenBao, stage: Stage
) -> None:
    openbao.put("same", NEIGHBOURS)
    openbao.call("POST", "secret/metadata/same", {"custom_metadata": {"owner": "ada"}})
    for _ in range(3):
        stage.both("secret/same")
    assert openbao.fields("same") == {**NEIGHBOURS, "pat": SECRET}
    metadata = openbao.metadata("same")
    assert metadata["current_version"] == 2
    assert metadata["custom_metadata"] == {
        "owner": "ada",
        "azdo-pat.pat.expires": "2026-12-01T12:00:00Z",
        "azdo-pat.pat.id": HANDOVER.pat.id,
    }


@pytest.mark.parametrize("way", ["delete", "destroy"])
def test_a_secret_whose_newest_version_is_gone_gets_another(
    openbao: OpenBao, stage: Stage, way: str
) -> None:
    path = f"gone/{way}"
    openbao.put(path, NEIGHBOURS)
    openbao.call("POST", f"secret/{way}/{path}", {"versions": [1]})
    stage.both(f"secret/{path}")
    assert openbao.fields(path) == {"pat": SECRET}
    assert openbao.metadata(path)["current_version"] == 2


def test_an_engine_without_versions_keeps_the_other_fields(openbao: OpenBao, stage: Stage) -> None:
    stage.both("old/team/ci")
    assert openbao.call("GET", "old/team/ci")["data"] == {"pat": SECRET}
    openbao.call("POST", "old/team/ci", NEIGHBOURS)
    stage.both("old/team/ci")
    assert openbao.call("GET", "old/team/ci")["data"] == {**NEIGHBOURS, "pat": SECRET}


def test_a_namespace_has_its_own_secrets(openbao: OpenBao, stage: Stage) -> None:
    openbao.call("POST", "sys/namespaces/team")
    mount = {"type": "kv", "options": {"version": "2"}}
    openbao.call("POST", "sys/mounts/secret", mount, namespace="team")
    stage.both("secret/inside", namespace="team")
    read = openbao.hvac("team").secrets.kv.v2.read_secret_version
    found = read(path="inside", raise_on_deleted_version=True)["data"]["data"]
    assert found == {"pat": SECRET}
    with pytest.raises(NotFoundError, match="the namespace does not exist"):
        stage.probe("secret/inside", namespace="absent")
    stage.probe("secret/inside")


def test_a_field_that_someone_else_changed_is_not_overwritten(openbao: OpenBao) -> None:
    openbao.put("theirs", {"pat": "of someone else"})
    stage = Stage(openbao, openbao.root, known=OTHER)
    with pytest.raises(ConflictError, match="the field holds a secret"):
        stage.probe("secret/theirs")
    with pytest.raises(PendingError, match="the field holds a secret") as caught:
        stage.deliver("secret/theirs")
    assert "pat deliver TOKEN --overwrite" in caught.value.hint
    assert openbao.fields("theirs") == {"pat": "of someone else"}
    openbao.put("theirs", {"pat": OTHER})
    stage.both("secret/theirs")
    assert openbao.fields("theirs") == {"pat": SECRET}


@pytest.mark.parametrize("path", ["none/x", "transit/x", "secret/"])
def test_a_path_without_a_key_value_engine_is_refused(stage: Stage, path: str) -> None:
    with pytest.raises(RefusedError, match=r"no secrets engine|type is not kv|engine itself"):
        stage.probe(path.rstrip("/"))


@pytest.mark.parametrize("token", ["s.notoneofthisserver", "root"])
def test_a_token_that_is_not_accepted_is_told_apart(openbao: OpenBao, token: str) -> None:
    with pytest.raises(SignInError, match="did not accept the token"):
        Stage(openbao, token).probe("secret/team/ci")


def test_a_sealed_server_is_named(openbao: OpenBao, stage: Stage) -> None:
    with openbao.sealed(), pytest.raises(UnavailableError, match="is sealed"):
        stage.probe("secret/team/ci")
    stage.probe("secret/unsealed")


@pytest.mark.parametrize(
    ("capabilities", "writes"),
    [
        (("read", "patch"), ["PATCH 200"]),
        (("read", "update"), ["PATCH 403", "POST 200"]),
        (("patch",), ["PATCH 200"]),
    ],
)
def test_what_the_rights_allow_keeps_the_other_fields(
    openbao: OpenBao, capabilities: tuple[str, ...], writes: list[str]
) -> None:
    path = f"rights/{'-'.join(capabilities)}"
    openbao.put(path, NEIGHBOURS)
    stage = Stage(openbao, openbao.token(rights(f"secret/data/{path}", *capabilities)))
    stage.probe(f"secret/{path}")
    stage.requests.clear()
    stage.deliver(f"secret/{path}")
    made = [each for each in stage.requests if not each.startswith("GET")]
    note = "PATCH 403"  # of the metadata: before the field is written, if it was read, and after
    assert made == [note] * ("read" in capabilities) + [*writes, note]
    assert openbao.fields(path) == {**NEIGHBOURS, "pat": SECRET}


def test_the_policy_of_the_guide_suffices_for_a_new_secret_and_for_the_next(
    openbao: OpenBao,
) -> None:
    stage = Stage(openbao, openbao.token(POLICY.replace("team/ci", "policy")))
    stage.both("secret/policy", OTHER)
    stage.both("secret/policy")
    assert openbao.fields("policy") == {"pat": SECRET}
    assert "azdo-pat.pat.id" in openbao.metadata("policy")["custom_metadata"]


@pytest.mark.parametrize("mount", ["secret/data", "old"])
def test_rights_that_would_lose_the_other_fields_are_refused(openbao: OpenBao, mount: str) -> None:
    policy = rights(f"{mount}/blind", "create", "update")
    engine = mount.removesuffix("/data")
    openbao.call("POST", f"{mount}/blind", {"data": {"a": "b"}})
    stage = Stage(openbao, openbao.token(policy))
    for act, error in ((stage.probe, RefusedError), (stage.deliver, PendingError)):
        with pytest.raises(error, match="keep the other ones"):
            act(f"{engine}/blind")
    stage.both(f"{engine}/blind", whole=True)
    found = openbao.call("GET", f"{mount}/blind")["data"]
    assert (found["data"] if engine == "secret" else found) == {"pat": SECRET}


@pytest.mark.parametrize("capabilities", [("read",), ("list",)])
def test_rights_that_do_not_suffice_are_found_before_a_token_is_made(
    openbao: OpenBao, capabilities: tuple[str, ...]
) -> None:
    openbao.put("few", NEIGHBOURS)
    stage = Stage(openbao, openbao.token(rights("secret/data/few", *capabilities)))
    with pytest.raises(RefusedError, match="too few rights") as caught:
        stage.probe("secret/few")
    assert "read, create and patch on secret/data/few" in caught.value.hint


def test_a_token_that_may_patch_only_makes_no_new_secret(openbao: OpenBao) -> None:
    stage = Stage(openbao, openbao.token(rights("secret/data/patchonly", "read", "patch")))
    with pytest.raises(RefusedError, match="too few rights"):
        stage.probe("secret/patchonly")


def test_a_deleted_secret_that_may_not_be_read_gets_another_version(openbao: OpenBao) -> None:
    openbao.put("unread", NEIGHBOURS)
    openbao.call("DELETE", "secret/data/unread")
    policy = rights("secret/data/unread", "patch", "update", "create")
    Stage(openbao, openbao.token(policy)).both("secret/unread")
    assert openbao.fields("unread") == {"pat": SECRET}


def test_a_change_right_before_the_write_is_kept(openbao: OpenBao, stage: Stage) -> None:
    openbao.put("race", {"a": "1"})

    def change(_: str) -> None:
        if stage.requests.count("GET 200") == 2:  # the mount, and the secret
            stage.between = lambda _: None
            openbao.put("race", {"a": "2", "b": "3"})

    stage.between = change
    stage.deliver("secret/race")
    assert "PATCH 400" in stage.requests
    assert openbao.fields("race") == {"a": "2", "b": "3", "pat": SECRET}


def test_a_change_of_the_field_right_before_the_write_is_not_overwritten(openbao: OpenBao) -> None:
    stage = Stage(openbao, openbao.root, known=OTHER)
    openbao.put("race2", {"pat": OTHER})

    def change(_: str) -> None:
        if stage.requests.count("GET 200") == 2:
            stage.between = lambda _: None
            openbao.put("race2", {"pat": "theirs"})

    stage.between = change
    with pytest.raises(PendingError, match="the field holds a secret"):
        stage.deliver("secret/race2")
    assert openbao.fields("race2") == {"pat": "theirs"}


def test_changes_before_each_write_are_reported(openbao: OpenBao, stage: Stage) -> None:
    openbao.put("busy", {"a": "0"})

    def change(request: str) -> None:
        if request == "GET 200":
            openbao.put("busy", {"a": str(len(stage.requests))})

    stage.between = change
    with pytest.raises(PendingError, match="changed the secret each time"):
        stage.deliver("secret/busy")
    assert "pat" not in openbao.fields("busy")


def test_a_change_right_after_the_write_is_reported(openbao: OpenBao, stage: Stage) -> None:
    openbao.call("POST", "old/after", {"a": "1", "b": "2"})

    def change(request: str) -> None:
        if request == "POST 204":
            openbao.call("POST", "old/after", {"a": "changed", "b": "2", "pat": SECRET})

    stage.between = change
    with pytest.raises(PendingError, match=r"at the same time: a$"):
        stage.deliver("old/after")


def test_the_secret_is_in_no_url_and_no_trace(openbao: OpenBao) -> None:
    openbao.put("quiet", {"neighbour": "not-to-be-seen"})
    seen: list[Exchange] = []
    http = Http(
        api_root=None, access_token=no_access_token, trace=seen.append, version="1", headers={}
    )
    place = Vault(http, openbao.address, "", Secret(openbao.root)).locate("secret/quiet")
    place.patch({"pat": SECRET}, cas=1)
    assert place.read().fields == {"neighbour": "not-to-be-seen", "pat": SECRET}
    told = "\n".join(line for each in seen for line in (each.summary(), *each.lines()))
    assert "secret/data/quiet" in told
    for hidden in (SECRET, "not-to-be-seen", openbao.root):
        assert hidden not in told
