"""The life of a token: made, found, used, changed, revoked, with a real keyring."""

import base64
import json
import subprocess

import pytest

from drivers import PROGRAM, Emulator, Installed
from e2e.stage import accepts, active, in_keyring
from store.keyring_service import KeyringService


def created(pat: Installed, name: str, *args: str) -> str:
    """Make a token and return its id."""
    made = pat("create", name, "--scope", "vso.code", "-o", "json", *args)
    assert made.exit_code == 0, made.stderr
    identifier: str = made.json["id"]
    return identifier


def secret_of(pat: Installed, name: str, *args: str) -> str:
    got = pat("get", name, *args)
    assert (got.exit_code, got.stderr) == (0, "")
    return got.stdout.removesuffix("\n")


def test_from_the_first_day_of_a_token_to_its_last(
    pat: Installed, emulator: Emulator, gnome_keyring: KeyringService
) -> None:
    made = pat("create", "laptop", "--scope", "vso.code_write", "--expires", "30d", "-o", "json")
    assert made.exit_code == 0
    assert made.stderr == (
        "created 'laptop' in contoso; its secret is in the keyring: pat get laptop\n"
    )
    token = made.json
    identifier = token["id"]
    secret = secret_of(pat, "laptop")
    service = f"azdo-pat:{emulator.url}/contoso"
    by_keyring = subprocess.run(
        [PROGRAM.with_name("keyring"), "get", service, "laptop"],
        env=pat.environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    assert by_keyring.stdout == f"{secret}\n"
    assert in_keyring(gnome_keyring.environment, emulator, "laptop") == secret
    assert len(secret) == 84
    assert accepts(emulator, secret)
    assert secret not in made.stdout + made.stderr

    assert pat("list", "--name", "laptop", "-o", "json").json == [token]
    assert pat("show", "laptop", "-o", "json").json == token
    assert token | {"created": "", "expires": "", "id": ""} == {
        "name": "laptop",
        "id": "",
        "org": "contoso",
        "status": "active",
        "scopes": ["vso.code_write"],
        "created": "",
        "expires": "",
        "expires_in_days": 30,
        "global": False,
        "stored": True,
        "origin": "pat",
    }

    assert pat("update", "laptop", "--name", "desktop", "--scope", "vso.code").exit_code == 0
    assert in_keyring(gnome_keyring.environment, emulator, "laptop") is None
    assert in_keyring(gnome_keyring.environment, emulator, "desktop") == secret
    assert secret_of(pat, "desktop") == secret
    assert pat("get", "laptop").exit_code == 3
    changed = pat("show", identifier, "-o", "json").json
    assert (changed["name"], changed["scopes"], changed["stored"]) == (
        "desktop",
        ["vso.code"],
        True,
    )

    assert pat("revoke", "desktop", "--yes").exit_code == 0
    assert in_keyring(gnome_keyring.environment, emulator, "desktop") is None
    assert not accepts(emulator, secret)
    gone = pat("get", "desktop")
    assert (gone.exit_code, gone.stdout) == (3, "")
    assert active(emulator, "desktop") == []


def test_a_name_that_is_taken_is_replaced_only_on_request(
    pat: Installed, emulator: Emulator, gnome_keyring: KeyringService
) -> None:
    first = created(pat, "ci")
    old = secret_of(pat, "ci")
    refused = pat("create", "ci", "--scope", "vso.code")
    assert (refused.exit_code, refused.stdout) == (6, "")
    assert "--replace" in refused.stderr
    assert active(emulator, "ci") == [first]
    assert secret_of(pat, "ci") == old
    replaced = pat("create", "ci", "--scope", "vso.code", "--replace", "-o", "json")
    assert replaced.exit_code == 0
    assert f"pat revoke {first}" in replaced.stderr  # the old one lives on, and it says so
    new = secret_of(pat, "ci")
    assert new != old
    assert in_keyring(gnome_keyring.environment, emulator, "ci") == new
    assert sorted(active(emulator, "ci")) == sorted([first, replaced.json["id"]])


def test_a_secret_made_elsewhere_is_piped_in_and_forgotten(
    pat: Installed, emulator: Emulator, gnome_keyring: KeyringService
) -> None:
    made = pat("create", "elsewhere", "--scope", "vso.code", "--no-store", "--as", "token")
    secret = made.stdout.strip()
    assert in_keyring(gnome_keyring.environment, emulator, "elsewhere") is None
    assert pat("get", "elsewhere").exit_code == 3
    taken = pat("import", "mine", stdin=f"{secret}\r\n")
    assert taken.exit_code == 0
    assert secret not in taken.stdout + taken.stderr
    assert secret_of(pat, "mine") == secret
    assert in_keyring(gnome_keyring.environment, emulator, "mine") == secret
    assert pat("forget", "mine").exit_code == 0
    assert in_keyring(gnome_keyring.environment, emulator, "mine") is None
    assert accepts(emulator, secret)
    assert pat("forget", "mine").exit_code == 3


def test_a_secret_that_the_server_refuses_is_not_taken_in(
    pat: Installed, emulator: Emulator, gnome_keyring: KeyringService
) -> None:
    refused = pat("import", "mine", stdin="k" * 52)
    assert (refused.exit_code, refused.stdout) == (4, "")
    assert "k" * 52 not in refused.stderr
    assert in_keyring(gnome_keyring.environment, emulator, "mine") is None


def test_a_secret_typed_at_the_prompt_is_not_shown(
    pat: Installed, emulator: Emulator, gnome_keyring: KeyringService
) -> None:
    secret = pat("create", "a", "--scope", "vso.code", "--no-store", "--as", "token").stdout.strip()
    terminal = pat.on_terminal("import", "typed")
    terminal.expect(r"Token for http\S+/contoso: ")
    terminal.sendline(secret)
    rest = terminal.read()
    terminal.close()
    assert terminal.exitstatus == 0
    assert secret not in rest
    assert "stored 'typed'; to print it, run: " in rest
    assert in_keyring(gnome_keyring.environment, emulator, "typed") == secret


def test_a_token_is_got_by_its_id_and_the_beginning_of_it(pat: Installed) -> None:
    identifier = created(pat, "ci")
    secret = secret_of(pat, "ci")
    assert secret_of(pat, identifier) == secret
    assert secret_of(pat, identifier[:8].upper()) == secret
    assert pat("get", identifier[:7]).exit_code == 3


def test_every_form_of_a_secret_is_the_same_secret(pat: Installed) -> None:
    identifier = created(pat, "ci")
    secret = secret_of(pat, "ci", "--as", "token")
    basic = base64.b64encode(f":{secret}".encode()).decode()
    assert secret_of(pat, "ci", "--as", "basic") == basic
    assert secret_of(pat, "ci", "--as", "header") == f"Authorization: Basic {basic}"
    document = json.loads(secret_of(pat, "ci", "--as", "json"))
    assert (document["name"], document["id"]) == ("ci", identifier)
    assert [key for key, value in document.items() if value == secret] != []


@pytest.mark.parametrize("form", ["token", "basic", "header", "json"])
def test_a_new_secret_is_printed_in_the_form_asked_for(pat: Installed, form: str) -> None:
    made = pat("create", "ci", "--scope", "vso.code", "--as", form)
    assert made.exit_code == 0
    again = pat("get", "ci", "--as", form)
    if form == "json":
        # What it grew old by, and what only the service knows, may differ.
        known = ("name", "id", "org", "scopes", "created", "expires", "stored")
        assert [made.json[key] for key in known] == [again.json[key] for key in known]
    else:
        assert made.stdout == again.stdout


def test_tokens_of_one_name_in_two_organizations_are_two(
    pat: Installed, emulator: Emulator, gnome_keyring: KeyringService
) -> None:
    ids = {org: created(pat, "ci", "--org", org) for org in ("contoso", "fabrikam")}
    secrets = {org: secret_of(pat, "ci", "--org", org) for org in ids}
    assert len(set(secrets.values())) == 2
    for org, secret in secrets.items():
        assert in_keyring(gnome_keyring.environment, emulator, "ci", org=org) == secret
        assert accepts(emulator, secret, org=org)
    listed = pat("list", "--all-orgs", "--name", "ci", "-o", "json").json
    assert {each["org"]: each["id"] for each in listed} == ids
    # Without an organization at hand, the name alone does not say which.
    ambiguous = pat("get", "ci", env={"PAT_ORG": None})
    assert (ambiguous.exit_code, ambiguous.stdout) == (6, "")
    assert all(identifier in ambiguous.stderr for identifier in ids.values())
    assert pat("revoke", "ci", "--yes", "--org", "fabrikam").exit_code == 0
    assert secret_of(pat, "ci") == secrets["contoso"]
    assert pat("get", "ci", "--org", "fabrikam").exit_code == 3
    assert [accepts(emulator, secrets[org], org=org) for org in ids] == [True, False]


def test_a_name_of_any_script_goes_all_the_way(
    pat: Installed, emulator: Emulator, gnome_keyring: KeyringService
) -> None:
    name = "Prüfstand – 試験 🔑 'q' \"d\" $HOME"  # noqa: RUF001  # a dash as people type it
    created(pat, name)
    secret = secret_of(pat, name)
    assert in_keyring(gnome_keyring.environment, emulator, name) == secret
    assert [each["name"] for each in pat("list", "--name", name, "-o", "json").json] == [name]
    assert pat("revoke", name, "--yes").exit_code == 0
    assert in_keyring(gnome_keyring.environment, emulator, name) is None
