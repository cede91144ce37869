"""The header by which git signs in: for an organization, however its URL is written."""

from pathlib import Path

import pytest

from azdo_pat.tools.headers import variables

ORG = "https://dev.azure.com/contoso"
USUAL = ["https://dev.azure.com/contoso/", "https://contoso.visualstudio.com/"]


@pytest.mark.parametrize(
    ("word", "more"),
    [
        ("https://DEV.azure.com/contoso/_git/app", []),
        ("https://dev.azure.com/Contoso/_git/app", ["https://dev.azure.com/Contoso/"]),
        ("https://contoso@dev.azure.com/CONTOSO/a", ["https://dev.azure.com/CONTOSO/"]),
        ("https://dev.azure.com:443/Contoso/a", ["https://dev.azure.com:443/Contoso/"]),
        ("git clone https://dev.azure.com/Contoso/a b", ["https://dev.azure.com/Contoso/"]),
        ("https://CONTOSO.visualstudio.com/_git/a", []),
        ("https://dev.azure.com/fabrikam/_git/app", []),
        ("https://dev.azure.com.example/contoso/_git/app", []),
        ("http://dev.azure.com/Contoso/_git/app", []),
        ("https://[", []),
    ],
)
def test_how_the_organization_is_written(
    word: str, more: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    found = variables("Authorization: Basic x", ORG, ["git", word], {"GIT_CONFIG_COUNT": "2"})
    keys = [found[key] for key in found if key.startswith("GIT_CONFIG_KEY_")]
    urls = [key.removeprefix("http.").removesuffix(".extraHeader") for key in keys]
    assert list(dict.fromkeys(urls)) == [*USUAL, *more]
    assert found["GIT_CONFIG_COUNT"] == str(2 + len(keys))
    assert "GIT_CONFIG_KEY_1" not in found
