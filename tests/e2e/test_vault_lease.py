"""A lease at a real OpenBao: of several processes, one at a time holds it."""

import subprocess
import sys
from datetime import timedelta

import pytest

from azdo_pat.api.http import Http
from azdo_pat.api.vault import Vault
from azdo_pat.api.vault_lease import Lease, Taken, release_lease, renew_lease, take_lease
from azdo_pat.errors import ConflictError, UsageError
from azdo_pat.models import AccessToken, Secret
from e2e.openbao import OpenBao


def no_access_token() -> AccessToken:
    raise AssertionError


def vault(server: OpenBao) -> Vault:
    http = Http(api_root=None, access_token=no_access_token, version="1", headers={})
    return Vault(http, server.address, "", Secret(server.root))


def test_only_one_of_two_holds_a_lease(openbao: OpenBao) -> None:
    span = timedelta(minutes=5)
    place = vault(openbao).locate("secret/leases/renew")
    lease = take_lease(place, "one", span)
    assert isinstance(lease, Lease)
    assert take_lease(place, "one", span) == Taken("one", lease.until.replace(microsecond=0))
    assert isinstance(take_lease(place, "two", span), Taken)
    longer = renew_lease(lease, timedelta(hours=1))
    assert longer.until - lease.until > timedelta(minutes=54)
    release_lease(lease)  # an outdated one: nothing happens
    assert isinstance(take_lease(place, "two", span), Taken)
    release_lease(longer)
    second = take_lease(place, "two", span)
    assert isinstance(second, Lease)
    with pytest.raises(ConflictError, match="another machine has taken the lease"):
        renew_lease(longer, span)
    assert openbao.fields("leases/renew")["holder"] == "two"


def test_a_lease_that_has_ended_can_be_taken(openbao: OpenBao) -> None:
    place = vault(openbao).locate("secret/leases/ended")
    lease = take_lease(place, "one", timedelta(seconds=-1))
    assert isinstance(lease, Lease)
    assert isinstance(take_lease(place, "two", timedelta(minutes=5)), Lease)
    with pytest.raises(ConflictError):
        renew_lease(lease, timedelta(minutes=5))


THEIRS = {"until": "2026-01-01T00:00:00Z", "user": "ada"}


def test_a_lease_never_takes_the_place_of_another_secret(openbao: OpenBao) -> None:
    openbao.put("leases/not", THEIRS)
    client = vault(openbao)
    with pytest.raises(ConflictError, match="it is not a lease"):
        take_lease(client.locate("secret/leases/not"), "one", timedelta(minutes=5))
    assert openbao.fields("leases/not") == THEIRS
    with pytest.raises(UsageError, match="version 2"):
        take_lease(client.locate("old/lease"), "one", timedelta(minutes=5))


CONTENDER = """\
import sys
from datetime import timedelta
from azdo_pat.api.http import Http
from azdo_pat.api.vault import Vault
from azdo_pat.api.vault_lease import Taken, release_lease, take_lease
from azdo_pat.models import Secret

address, token, holder, rounds = sys.argv[1:]
http = Http(api_root=None, access_token=None, version="1", headers={})
place = Vault(http, address, "", Secret(token)).locate("secret/leases/contended")
work = Vault(http, address, "", Secret(token)).locate("old/work")
taken = 0
for _ in range(int(rounds)):
    lease = take_lease(place, holder, timedelta(minutes=5))
    if isinstance(lease, Taken):
        continue
    taken += 1
    # Alone, or another one's word would be there.
    assert work.read().fields.get("busy") == "", "two hold the lease"
    work.write({"busy": holder}, cas=None)
    assert work.read().fields == {"busy": holder}, "two hold the lease"
    work.write({"busy": ""}, cas=None)
    release_lease(lease)
print(taken)
"""


def test_two_processes_never_hold_a_lease_at_once(openbao: OpenBao) -> None:
    openbao.call("POST", "old/work", {"busy": ""})
    running = [
        subprocess.Popen(
            [sys.executable, "-c", CONTENDER, openbao.address, openbao.root, holder, "60"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for holder in ("one", "two")
    ]
    outputs = [each.communicate(timeout=120) for each in running]
    assert [each.returncode for each in running] == [0, 0], outputs
    assert all(int(stdout) for stdout, _ in outputs), outputs
