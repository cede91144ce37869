"""What is released: its version, its changelog, and the versions of others that it allows."""

import re
import tomllib
from itertools import chain
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import azdo_pat
from azdo_pat.cli.documented import GUIDES

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
DEPENDENCIES = [
    *PROJECT["project"]["dependencies"],
    *chain(*PROJECT["project"]["optional-dependencies"].values()),
]


def test_the_version_is_written_in_one_place() -> None:
    assert PROJECT["project"]["dynamic"] == ["version"]
    assert PROJECT["tool"]["hatch"]["version"]["path"] == "src/azdo_pat/__init__.py"
    assert re.fullmatch(r"\d+\.\d+\.\d+((a|b|rc)\d+)?", azdo_pat.__version__)


def test_the_changelog_tells_of_this_version() -> None:
    changelog = (ROOT / "CHANGELOG.md").read_text("utf-8")
    first, *released = re.findall(r"^## \[(.*?)\]", changelog, re.MULTILINE)
    assert first == "Unreleased"
    assert not released or azdo_pat.__version__ in released


def test_the_first_command_has_a_form_for_windows() -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    command = readme.partition("<!-- ci: tour -->\n```sh\n")[2].partition("\n")[0]
    on_windows = command.replace("'", '"').replace(".venv/bin/", ".venv\\Scripts\\")
    lines = on_windows.replace("python3 ", "py ").split(" && ")
    assert lines[0] == "py -m venv .venv"
    assert "\n".join(lines) in readme + (ROOT / "docs/guides/windows.md").read_text("utf-8")


def test_the_wheel_has_the_pages_that_help_names() -> None:
    shared = PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["shared-data"]
    assert {kept.replace("docs", "share/doc/azdo-pat", 1) for kept in shared} - {
        "share/doc/azdo-pat/man"
    } == set(shared.values()) - {"share/man/man1"}
    named = {"docs/start.md", *(f"docs/{page}" for page in GUIDES.values())}
    assert {page for page in named if not shared.keys() & {page, page.rpartition("/")[0]}} == set()


@pytest.mark.parametrize("file", ["pipelines/requirements.txt", "release/requirements.txt"])
def test_what_is_pinned_is_all_that_is_needed(file: str) -> None:
    text = (ROOT / file).read_text("utf-8").replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    assert [line for line in lines if "--hash=sha256:" not in line] == []
    pinned: dict[str, list[str]] = {}
    for line in lines:
        requirement = Requirement(line.partition("--hash")[0])
        ((version,),) = ({each.version for each in requirement.specifier},)
        pinned.setdefault(canonicalize_name(requirement.name), []).append(version)
    groups = PROJECT["dependency-groups"]
    needed = [*PROJECT["project"]["dependencies"], *PROJECT["build-system"]["requires"]]
    if file.startswith("release/"):
        needed += [*DEPENDENCIES, *groups["release"], *groups["tests"]]
    for wanted in (Requirement(each) for each in needed if isinstance(each, str)):
        versions = pinned.get(canonicalize_name(wanted.name), [])
        assert any(wanted.specifier.contains(each) for each in versions), f"nox -s locks: {wanted}"


def test_no_page_installs_from_an_index_before_the_readme_does() -> None:
    from_index = re.compile(
        r"(?:pipx? install|pipx inject \S+|uv tool install|uvx|--spec|--with)\b.*\bazdo-pat\b"
    )
    if "not on a package index yet" not in (ROOT / "README.md").read_text("utf-8"):
        return
    pages = {*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")}
    pages -= {ROOT / "CHANGELOG.md", ROOT / "docs/development/releasing.md"}
    found = {page.name: from_index.findall(page.read_text("utf-8")) for page in pages}
    assert {name: lines for name, lines in found.items() if lines} == {}


@pytest.mark.parametrize("dependency", DEPENDENCIES)
def test_newer_versions_of_dependencies_are_allowed(dependency: str) -> None:
    requirement = dependency.partition(";")[0]
    assert re.fullmatch(r"[\w.-]+>=[\d.]+", requirement.strip())
