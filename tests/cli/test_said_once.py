"""What a command has done is said once, where its table is on the same terminal."""

import re
from pathlib import Path

import pytest

from drivers import Emulator, Installed

STYLE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
ID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"


@pytest.fixture
def pat(pat_process: Installed, emulator: Emulator) -> Installed:
    emulator.remove_tokens()
    return pat_process


def shown(pat: Installed, *args: str) -> str:
    """Run it on a terminal; return what reached it, each space once."""
    terminal = pat.on_terminal(*args)
    text = STYLE.sub("", terminal.read())
    terminal.close()
    assert terminal.exitstatus == 0, text
    return re.sub(ID, "ID", re.sub(r"\s+", " ", text)).strip()


def test_one_token(pat: Installed) -> None:
    created = shown(pat, "create", "ci", "--for", "git")
    assert created.startswith("✓ created 'ci'; to print its secret, run: pat get ci Name ci ID ")
    kept = shown(pat, "ensure", "ci", "--for", "git")
    assert kept.startswith("kept 'ci' Name ci ID ID ")
    rotated = shown(pat, "rotate", "ci")
    assert rotated.startswith(
        "✓ rotated 'ci': the old token ID is revoked to print the new secret, run: pat get ci Name"
    )
    updated = shown(pat, "update", "ci", "--expires", "40d")
    assert updated.startswith("✓ updated 'ci' Name ci ID ")
    for text in (created, kept, rotated, updated):
        said = ("keyring", "contoso")
        assert [text.count(word) for word in said] == [1] * len(said), text


def test_one_row(pat: Installed, tmp_path: Path) -> None:
    file = tmp_path / "tokens.toml"
    file.write_text('[[token]]\nname = "ci"\nscopes = ["packaging"]\n')
    for args, outcome in (
        (("apply", str(file)), "created"),
        (("renew", "--within", "60d"), "rotated"),
        (("revoke", "ci", "--yes"), "revoked"),
    ):
        text = shown(pat, *args)
        assert text.startswith("NAME "), text
        assert sum(word in text for word in ("created", "rotated", "renewed", "revoked")) == 1
        assert text.count(outcome) == 1
    assert shown(pat, "renew") == "nothing is due for renewal"


def test_without_a_table_the_message_says_all(pat: Installed) -> None:
    whole = "created 'ci' in contoso; its secret is in the keyring: pat get ci"
    assert f"✓ {whole}" in shown(pat, "create", "ci", "--for", "git", "-o", "none")
