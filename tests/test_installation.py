"""What a bundle is, and which words start it; tests/e2e/test_bundles.py has real ones."""

import sys

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
