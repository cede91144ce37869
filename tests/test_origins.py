"""The tools that create tokens, by the names of the tokens."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azdo_pat.models import Origin
from azdo_pat.origins import MAKERS, is_same_machine, machine_of, maker_name, origin_of, same_name


@pytest.mark.parametrize(
    ("name", "origin"),
    [
        ("git: https://contoso.visualstudio.com/ on ADA-PC", Origin.GIT),
        ("Git: https://dev.azure.com/contoso on ada-laptop", Origin.GIT),
        ("git: http://tfs:8080/tfs on PC", Origin.GIT),
        ("Service Hooks :: Azure App Service :: Deploy web app", Origin.SERVICE_HOOKS),
        ("Service Hooks : Azure App Service : Deploy web app", Origin.SERVICE_HOOKS),
        ("Service Hooks: Azure App Service: Deploy web app", Origin.SERVICE_HOOKS),
        ("Service Hooks:Azure App Service:Deploy web app", Origin.SERVICE_HOOKS),
        ("service hooks ::  azure app  service::: deploy web app", Origin.SERVICE_HOOKS),
        ("Service Hooks : : Azure App Service : : Deploy web app", Origin.SERVICE_HOOKS),
        ("Service Hooks for my app", Origin.UNKNOWN),
        ("Service Hooks: Azure App Service: my own", Origin.UNKNOWN),
        ("Microsoft Teams Integration of mine", Origin.UNKNOWN),
        ("Git: https://dev.azure.com/contoso", Origin.UNKNOWN),
        ("GIT:https://dev.azure.com/contoso  ON  PC", Origin.GIT),
        ("Azure DevOps Artifacts Credential Provider", Origin.ARTIFACTS),
        (
            "VSTS IntelliJ Plugin: https://dev.azure.com/contoso from: ada on: PC",
            Origin.IDE,
        ),
        ("WebAppLoadTestCDIntToken", Origin.LOAD_TEST),
        ("Microsoft Teams Integration", Origin.TEAMS),
        ("git: my own", Origin.UNKNOWN),
        ("my git: https://dev.azure.com", Origin.UNKNOWN),
        ("Service Hooks", Origin.UNKNOWN),
        ("laptop", Origin.UNKNOWN),
        ("", Origin.UNKNOWN),
    ],
)
def test_the_tool_by_the_name(name: str, origin: Origin) -> None:
    assert origin_of(name) is origin


@pytest.mark.parametrize(
    ("name", "machine"),
    [
        ("git: https://contoso.visualstudio.com/ on ADA-PC", "ADA-PC"),
        ("Git: https://dev.azure.com/contoso on ada-laptop.local", "ada-laptop.local"),
        ("git: https://dev.azure.com/on on on", "on"),
        ("VSTS IntelliJ Plugin: https://dev.azure.com/x from: ada on call on: PC", "PC"),
        ("VSTS IntelliJ Plugin: https://x.visualstudio.com from: ada on: pc.example", "pc.example"),
        ("Microsoft Teams Integration", None),
        ("git: https://dev.azure.com/contoso", None),
        ("backup on ada-laptop", None),
        ("", None),
    ],
)
def test_the_machine_in_the_name(name: str, machine: str | None) -> None:
    assert machine_of(name) == machine


@pytest.mark.parametrize(
    ("named", "own", "same"),
    [
        ("ADA-PC", "ada-pc", True),
        ("ada-laptop", "ada-laptop.example.org", True),
        ("ada-laptop.example.org", "ADA-LAPTOP", True),
        ("ada.example.org", "ada.example.com", False),
        ("A-LONG-NAME-OF-", "a-long-name-of-a-machine", True),
        ("A-LONG-NAME-O", "a-long-name-of-a-machine", False),
        ("ada-pc", "ada-pc-2", False),
        ("ada-pc-2", "ada-pc", False),
        ("", "", False),
        (".local", ".local2", False),
        ("ada-pc", "", False),
    ],
)
def test_the_same_machine(named: str, own: str, *, same: bool) -> None:
    assert is_same_machine(named, own) is same


def test_spellings_of_a_name() -> None:
    assert same_name("Service Hooks :: X", "service hooks: x")
    assert not same_name("Service Hooks", "Service Hook")


def test_every_tool_is_described() -> None:
    assert set(MAKERS) == set(Origin) - {Origin.PAT, Origin.UNKNOWN}
    for maker in MAKERS.values():
        assert all((maker.occasion, maker.advice))


def test_the_guide_names_what_is_recognized() -> None:
    guide = Path(__file__).parents[1] / "docs" / "guides" / "unexpected-token.md"
    table = guide.read_text("utf-8").partition("## Names that tools give")[2].partition("## ")[0]
    cells = [row.split("|")[1] for row in table.splitlines() if row.startswith("| `")]
    names = [name for cell in cells for name in re.findall("`(.+?)`", cell)]
    assert {origin_of(each) for each in names} == set(MAKERS)


def test_every_maker_has_a_name_of_its_own() -> None:
    assert len({maker_name(each) for each in Origin} - {""}) == len(Origin)


@given(st.text())
def test_any_text_is_a_name(name: str) -> None:
    assert (machine_of(name) is None) or origin_of(name) in {Origin.GIT, Origin.IDE}
