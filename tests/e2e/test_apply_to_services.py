"""pat apply: a file declares the services that secrets are delivered to."""

import re
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from azdo_pat.cli.main import pat as root
from azdo_pat.emulator.run import Options
from azdo_pat.emulator.run import start as start_emulator
from drivers import Emulator, InProcess, Installed
from e2e.openbao import OpenBao
from e2e.places import ITEM, Place, key_vault, service_connection, variable_group
from e2e.stage import finish, start

TOKENS = f"""\
[[token]]
name = "ci"
scopes = "code"
grace = "1h"
deliver = [
    {{ keyvault = "contoso-ci", secret = "{ITEM}" }},
    {{ variable_group = "{ITEM}", project = "fabric", variable = "PAT" }},
    {{ service_connection = "{ITEM}", project = "fabric" }},
]

[[token]]
name = "second"
scopes = "build"
deliver = {{ variable_group = "{ITEM}", project = "Web Shop", variable = "SECOND" }}
"""


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    """Start an emulator with key vaults."""
    with start_emulator(Options(vaults=True)) as running:
        yield Emulator(running)


@pytest.fixture
def places(emulator: Emulator, request: pytest.FixtureRequest) -> Iterator[list[Place]]:
    """Set up the places that the first token is delivered to."""
    with ExitStack() as stack:
        opened = (key_vault, variable_group, service_connection)
        yield [stack.enter_context(each(emulator, request)) for each in opened]


@pytest.fixture
def pat(pat_process: Installed, places: list[Place]) -> Installed:
    """Run the installed `pat` with what it needs to deliver to them."""
    environment = dict(pat_process.env)
    for place in places:
        environment.update(place.environment)
    return Installed(environment)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "tokens.toml"
    path.write_text(TOKENS, "utf-8")
    return path


def outcomes(pat: Installed, file: Path) -> dict[str, str]:
    applied = pat("apply", str(file), "-o", "json")
    assert applied.exit_code == 0, applied.stderr
    return {each["name"]: each["outcome"] for each in applied.json}


def delivered(emulator: Emulator, places: list[Place]) -> list[str | None]:
    """Return what is where the first token goes, and where the second one goes."""
    return [*[each.secret() for each in places], emulator.variables(ITEM)["SECOND"]]


def test_each_service_has_what_the_file_declares(
    pat: Installed, emulator: Emulator, places: list[Place], file: Path
) -> None:
    assert outcomes(pat, file) == {"ci": "created", "second": "created"}
    first, second = (pat("get", name).stdout.strip() for name in ("ci", "second"))
    assert delivered(emulator, places) == [first, first, first, second]
    others = emulator.variables(ITEM)
    assert (others["PLAIN"], others["OTHER"]) == ("a", "b")

    there, asked = delivered(emulator, places), len(emulator.requests)
    assert outcomes(pat, file) == {"ci": "kept", "second": "kept"}
    assert (delivered(emulator, places), len(emulator.requests)) == (there, asked)

    tokens, kept = emulator.tokens, [each.rest() for each in places]
    changed = TOKENS.replace(f'secret = "{ITEM}"', 'secret = "new"').replace("SECOND", "THIRD")
    file.write_text(changed, "utf-8")
    assert outcomes(pat, file) == {"ci": "delivered", "second": "delivered"}
    assert emulator.tokens == tokens
    assert [each["value"] for each in emulator.vault_secrets("contoso-ci")["new"]] == [first]
    assert emulator.variables(ITEM)["THIRD"] == second
    assert [each.secret() for each in places] == [first] * 3
    assert places[2].rest() == kept[2]


def test_it_rotates_to_all_of_them(
    pat: Installed, emulator: Emulator, places: list[Place], file: Path
) -> None:
    assert outcomes(pat, file) == {"ci": "created", "second": "created"}
    former, kept = delivered(emulator, places), [each.rest() for each in places]
    file.write_text(TOKENS.replace('"code"', '"code_write"'), "utf-8")
    assert outcomes(pat, file) == {"ci": "rotated", "second": "kept"}
    secret = pat("get", "ci").stdout.strip()
    assert secret != former[0]
    assert delivered(emulator, places) == [secret] * 3 + former[3:]
    assert [each.rest() for each in places] == kept
    states = [each["state"] for each in pat("show", "ci", "-o", "json").json["deliveries"]]
    assert states == ["delivered"] * 3


@pytest.mark.parametrize("mount", ["secret", "old"])
def test_many_fields_of_one_secret_at_once(
    mount: str, emulator: Emulator, openbao: OpenBao, tmp_path: Path
) -> None:
    """All of them arrive: with versions nobody tries too often, and without nobody is lost."""
    server = {"VAULT_ADDR": openbao.address, "VAULT_TOKEN": openbao.root}
    here = InProcess(root, {**emulator.environment, **server})
    names = [f"token-{number}" for number in range(8)]
    declared = (
        f'[[token]]\nname = "{name}"\nscopes = "code"\n'
        f'deliver = {{ vault = "{mount}/many", field = "{name}" }}\n'
        for name in names
    )
    file = tmp_path / "many.toml"
    file.write_text("".join(declared), "utf-8")
    applied = here("apply", str(file), "-q", "-o", "none")
    assert applied.exit_code == 0, applied.stderr
    versions = mount == "secret"
    read = openbao.call("GET", f"{mount}/data/many" if versions else f"{mount}/many")["data"]
    fields = read["data"] if versions else read
    assert fields == {name: here("get", name).stdout.strip() for name in names}


def test_in_the_sandbox(tmp_path: Path) -> None:
    """With what is there from the start, as the guide has it."""
    file = tmp_path / "tokens.toml"
    file.write_text(
        '[[token]]\nname = "ci"\nscopes = "code"\ndeliver = [\n'
        '    { keyvault = "contoso-ci", secret = "azure-pat" },\n'
        '    { variable_group = "ci-secrets", project = "fabric", variable = "AZURE_PAT" },\n'
        '    { service_connection = "fabrikam", project = "fabric" },\n]\n',
        "utf-8",
    )
    script = 'pat apply "$0" -o none && pat apply "$0" -o none && pat show ci -o json'
    done = finish(start(Installed({}), "sandbox", "sh", "-c", script, str(file)))
    assert done.exit_code == 0, done.stderr
    assert re.findall("created 1|kept 1", done.stderr) == ["created 1", "kept 1"]
    assert [(each["target"], each["state"]) for each in done.json["deliveries"]] == [
        ("keyvault:contoso-ci/azure-pat", "delivered"),
        ("variable-group:fabric/ci-secrets#AZURE_PAT", "delivered"),
        ("service-connection:fabric/fabrikam", "delivered"),
    ]
