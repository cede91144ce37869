"""How little it takes to read a secret from the real Secret Service."""

from pathlib import Path

from drivers import Installed
from test_start_up import LIBRARIES


def test_get_needs_no_library_at_all(pat: Installed, tmp_path: Path) -> None:
    created = pat.modules("create", "ci", "--scope", "vso.code", folder=tmp_path)
    fetched = pat.modules("get", "ci", folder=tmp_path)
    assert ({"keyring"} & created, LIBRARIES & fetched) == ({"keyring"}, set())
