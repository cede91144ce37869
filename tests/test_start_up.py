"""What a command does not need, it does not import: each import costs the user time.

The installed program runs in a process of its own, and tells at its end what `sys.modules` holds.
"""

from pathlib import Path

import pytest

from drivers import Emulator, Installed

LIBRARIES = {
    "dateutil",
    "filelock",
    "jinja2",
    "jmespath",
    "keyring",
    "markupsafe",
    "msal",
    "msal_extensions",
    "nacl",
    "platformdirs",
    "pyperclip",
    "requests",
    "rich",
    "sqlite3",
    "svg",
    "tomlkit",
    "trustme",
    "werkzeug",
}
"""What the rooms of the package own, click excepted."""

SLOW = {"asyncio", "email.message", "http.client", "importlib.metadata", "ssl", "subprocess"}
"""Parts of the standard library that take longer than everything a quick command does."""


DELIVERING = {
    f"azdo_pat.{name}"
    for name in (
        "api.key_vault",
        "api.project_items",
        "api.service_connections",
        "api.variable_groups",
        "cli.delivery_services",
        "cli.key_vault_sign_ins",
        "deliveries.dispatch",
        "deliveries.key_vault_target",
        "deliveries.parsing",
        "deliveries.service_connection_target",
        "deliveries.service_parsing",
        "deliveries.variable_group_target",
        "delivery_targets",
        "services.deliver",
        "services.destinations",
    )
}
"""Modules of our own for commands that deliver, or that tell where something is delivered."""


UNLISTED = {
    f"azdo_pat.{name}"
    for name in (
        "auth.azure_cli",
        "expiry",
        "output.table_model",
        "output.tables",
        "output.token_tables",
        "output.views",
        "results",
        "scopes",
    )
}
"""Modules of our own that a list as JSON does without."""


@pytest.mark.parametrize("args", [("--help",), ("--version",), ("create", "--help")], ids=" ".join)
def test_help_needs_click_alone(
    args: tuple[str, ...], pat_process: Installed, tmp_path: Path
) -> None:
    imported = pat_process.modules(*args, folder=tmp_path)
    assert (LIBRARIES | SLOW | DELIVERING) & imported == set()


def test_get_needs_the_keyring_alone(pat_process: Installed, tmp_path: Path) -> None:
    assert pat_process("create", "ci", "--scope", "vso.code").exit_code == 0
    imported = pat_process.modules("get", "ci", folder=tmp_path)
    assert LIBRARIES & imported <= {"keyring", "filelock"}


def test_who_reads_a_delivered_secret_needs_nothing_that_delivers(
    pat_process: Installed, emulator: Emulator, tmp_path: Path
) -> None:
    command = ("ensure", "ci", "--scope", "vso.code", "--as", "token")
    target = "variable-group:fabric/ci-secrets#PAT"
    assert pat_process(*command, "--deliver", target).exit_code == 0
    assert DELIVERING & pat_process.modules("get", "ci", folder=tmp_path) == set()
    host = emulator.url.removeprefix("http://")
    asked = f"protocol=http\nhost={host}\npath=contoso/x\n\n"
    for others in (("git-credential", "get"), command, ("list", "-o", "json")):
        imported = pat_process.modules(*others, folder=tmp_path, stdin=asked)
        assert DELIVERING & imported == {"azdo_pat.delivery_targets"}, others


def test_the_recorder_sees_what_delivers(pat_process: Installed, tmp_path: Path) -> None:
    target = "variable-group:fabric/ci-secrets#PAT"
    command = ("ensure", "ci", "--scope", "vso.code", "--deliver", target)
    imported = pat_process.modules(*command, folder=tmp_path)
    others = {"key_vault", "service_connection", "services.deliver", "services.destinations"}
    needed = {name for name in DELIVERING if not any(other in name for other in others)}
    assert needed - imported == set()


def test_a_token_that_is_kept_needs_the_keyring_and_the_state(
    pat_process: Installed, tmp_path: Path
) -> None:
    command = ("ensure", "ci", "--scope", "vso.code", "--as", "token")
    assert pat_process(*command).exit_code == 0
    imported = pat_process.modules(*command, folder=tmp_path)
    assert LIBRARIES & imported <= {"keyring", "filelock", "sqlite3", "dateutil"}
    unneeded = {"azdo_pat.services.create", "azdo_pat.services.rotate", "azdo_pat.journal"}
    assert unneeded & imported == set()


def test_scopes_as_json_needs_no_library(pat_process: Installed, tmp_path: Path) -> None:
    imported = pat_process.modules("scopes", "-o", "json", folder=tmp_path)
    assert LIBRARIES & imported == set()


def test_list_as_json_needs_no_rich(pat_process: Installed, tmp_path: Path) -> None:
    imported = pat_process.modules("list", "-o", "json", folder=tmp_path)
    assert LIBRARIES & imported <= {"requests", "sqlite3", "platformdirs"}
    unneeded = {"subprocess", "concurrent.futures", "zoneinfo", "azdo_pat.journal"}
    assert unneeded & imported == set()
    assert UNLISTED & imported == set()


def test_a_name_is_explained_without_requests(pat_process: Installed, tmp_path: Path) -> None:
    offline = Installed({**pat_process.env, "PAT_ACCESS_TOKEN": None, "PATH": None})
    name = "Microsoft Teams Integration"
    modules = offline.modules("explain", name, "-o", "json", folder=tmp_path)
    assert not modules & {"requests", "rich", "keyring", "msal"}


def test_list_of_stored_tokens_needs_no_recovery(pat_process: Installed, tmp_path: Path) -> None:
    assert pat_process("create", "ci", "--scope", "vso.code").exit_code == 0
    imported = pat_process.modules("list", "--stored", "-o", "json", folder=tmp_path)
    unneeded = {"requests", "azdo_pat.journal", "azdo_pat.operations.local_secrets"}
    assert unneeded & imported == set()


def test_check_of_stored_tokens_needs_the_state_alone(
    pat_process: Installed, tmp_path: Path
) -> None:
    assert pat_process("create", "ci", "--scope", "vso.work").exit_code == 0
    imported = pat_process.modules("check", "--stored", "-o", "json", folder=tmp_path)
    assert LIBRARIES & imported <= {"sqlite3", "platformdirs"}
    unneeded = {"azdo_pat.journal", "azdo_pat.services.find_tokens", "azdo_pat.output.views"}
    assert unneeded & imported == set()


def test_the_recorder_sees_what_is_imported(pat_process: Installed, tmp_path: Path) -> None:
    imported = pat_process.modules("list", "-o", "json", folder=tmp_path)
    assert {"click", "requests"} <= imported
