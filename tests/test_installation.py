"""What a bundle is, and which words start it; tests/e2e/test_bundles.py has real ones."""

import shutil
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest

from azdo_pat import installation


def test_a_package_is_no_bundle() -> None:
    assert (installation.bundle(), installation.kind()) == ((), "")
    words = installation.running_module("azdo_pat.output.clipboard")
    assert words == [sys.executable, "-P", "-m", "azdo_pat.output.clipboard"]


@pytest.mark.parametrize(
    ("arguments", "module"),
    [
        (["-m", "azdo_pat.output.clipboard"], "azdo_pat.output.clipboard"),
        (["-m", "pdb"], None),
        (["-m", "azdo_pat.output.clipboard", "more"], None),
        (["list"], None),
        ([], None),
    ],
)
def test_only_modules_of_pat_are_run(arguments: list[str], module: str | None) -> None:
    assert installation.module_to_run(arguments) == module


def test_variables_of_the_bootloader_are_not_passed_on() -> None:
    environment = {"_PYI_ARCHIVE_FILE": "/opt/pat/pat", "LD_LIBRARY_PATH": "/opt/of-the-user"}
    installation.restore_environment(environment)  # no bootloader has changed the second one
    assert environment == {"LD_LIBRARY_PATH": "/opt/of-the-user"}


@pytest.mark.parametrize(
    ("package", "pages"),
    [
        ("src/azdo_pat", "docs"),
        ("lib/python3.13/site-packages/azdo_pat", "share/doc/azdo-pat"),
        ("Lib/site-packages/azdo_pat", "share/doc/azdo-pat"),
        ("azdo_pat", "share/doc/azdo-pat"),
        ("lib/python3.13/site-packages/azdo_pat", None),
    ],
    ids=["checkout", "environment", "windows", "bundle", "nowhere"],
)
def test_where_the_documentation_is(tmp_path: Path, package: str, pages: str | None) -> None:
    module = tmp_path / package / "installation.py"
    module.parent.mkdir(parents=True)
    shutil.copy(installation.__file__, module)
    spec = spec_from_file_location("installed_there", module)
    assert spec is not None
    assert spec.loader is not None
    there = module_from_spec(spec)
    spec.loader.exec_module(there)
    expected = None
    if pages is not None:
        page = tmp_path / pages / "guides/expiry.md"
        page.parent.mkdir(parents=True)
        page.touch()
        expected = str(page)
    assert there.documentation("guides/expiry.md") == expected
