"""Where a secret is delivered to at a service, as those see it who read it there."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

import github_server
from drivers import Emulator

if TYPE_CHECKING:
    from e2e.openbao import OpenBao

ITEM = "build-pat"
"""The name of the item at each service; no other part of a path has a hyphen."""


@dataclass(frozen=True, kw_only=True)
class Place:
    """An item of a service that holds other things, too.

    Attributes:
        target: the delivery target.
        secret: gives the secret that is there.
        rest: gives everything else that is there, and must stay.
        environment: what `pat` needs to deliver there.
    """

    target: str
    secret: Callable[[], str | None]
    rest: Callable[[], object]
    environment: Mapping[str, str] = field(default_factory=dict)


OpenPlace = Callable[[Emulator, pytest.FixtureRequest], AbstractContextManager[Place]]
"""Set a place up, at the emulator or at a server that is a fixture."""


@contextmanager
def key_vault(emulator: Emulator, _: pytest.FixtureRequest) -> Iterator[Place]:
    """A secret of a key vault, with a tag and a content type, beside another secret."""
    vault = "contoso-ci"
    kept = {"contentType": "text/plain", "tags": {"team": "build"}, "attributes": {"nbf": 1}}
    emulator.set_secret(vault, ITEM, "former", **kept)
    emulator.set_secret(vault, "other", "theirs")

    def secret() -> str:
        values: list[str] = [each["value"] for each in emulator.vault_secrets(vault)[ITEM]]
        assert len(set(values)) == len(values), "a secret was set twice"
        return values[-1]

    def rest() -> object:
        secrets = emulator.vault_secrets(vault)
        newest = secrets.pop(ITEM)[-1]
        tags = {
            name: text for name, text in newest["tags"].items() if not name.startswith("azdo-pat-")
        }
        return secrets, newest["contentType"], newest["attributes"]["nbf"], tags

    yield Place(
        target=f"keyvault:{vault}/{ITEM}",
        secret=secret,
        rest=rest,
        environment={
            "PAT_KEYVAULT_ACCESS_TOKEN": emulator.mint("user", resource="https://vault.azure.net")
        },
    )


@contextmanager
def vault(_: Emulator, request: pytest.FixtureRequest) -> Iterator[Place]:
    """A field of a secret of a real OpenBao, beside another field."""
    server: OpenBao = request.getfixturevalue("openbao")
    server.put(ITEM, {"PAT": "former", "OTHER": "theirs"})

    def rest() -> object:
        fields = server.fields(ITEM)
        del fields["PAT"]
        return fields

    yield Place(
        target=f"vault:secret/{ITEM}#PAT",
        secret=lambda: str(server.fields(ITEM)["PAT"]),
        rest=rest,
        environment={"VAULT_ADDR": server.address, "VAULT_TOKEN": server.root},
    )


@contextmanager
def variable_group(emulator: Emulator, _: pytest.FixtureRequest) -> Iterator[Place]:
    """A variable of a group of two projects, beside a plain variable and a secret one."""
    variables = {
        "PLAIN": {"value": "a", "isReadOnly": True},
        "OTHER": {"value": "b", "isSecret": True},
    }
    emulator.add_variable_group(ITEM, projects=["fabric", "Web Shop"], variables=variables)

    def rest() -> object:
        found = emulator.variable_group(ITEM)
        del found["variables"]["PAT"], found["modifiedOn"]
        return found

    yield Place(
        target=f"variable-group:fabric/{ITEM}#PAT",
        secret=lambda: emulator.variables(ITEM)["PAT"],
        rest=rest,
    )


@contextmanager
def service_connection(emulator: Emulator, _: pytest.FixtureRequest) -> Iterator[Place]:
    """The password of a connection of two projects that signs in with a user's name, too."""
    emulator.add_service_connection(
        ITEM,
        projects=["fabric", "Web Shop"],
        scheme="UsernamePassword",
        parameters={"username": "build", "password": "former"},
        data={"kept": "yes"},
    )

    def rest() -> object:
        found = emulator.service_connection(ITEM)
        del found["parameters"]["password"], found["modifiedOn"]
        return found

    yield Place(
        target=f"service-connection:fabric/{ITEM}",
        secret=lambda: emulator.parameters(ITEM)["password"],
        rest=rest,
    )


@contextmanager
def github(_: Emulator, request: pytest.FixtureRequest) -> Iterator[Place]:
    """A secret of an organization that one repository sees, beside another secret."""
    folders: pytest.TempPathFactory = request.getfixturevalue("tmp_path_factory")
    where, name = "orgs/contoso/actions", "BUILD_PAT"
    with github_server.running(folders.mktemp("github")) as server:
        server.put(where, name, "former", visibility="selected", repositories=[1])
        server.put(where, "OTHER", visibility="all")

        def rest() -> object:
            secrets = server.place(where).secrets
            seen = {each: (there.visibility, there.repositories) for each, there in secrets.items()}
            return seen, server.value(where, "OTHER")

        yield Place(
            target=f"github:contoso#{name}",
            secret=lambda: server.value(where, name),
            rest=rest,
            environment=server.environment,
        )
