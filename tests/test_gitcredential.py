"""git's protocol for credential helpers, and whom an answer is for."""

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from azdo_pat.errors import UsageError
from azdo_pat.gitcredential import CredentialRequest, read, written
from azdo_pat.models import Secret
from azdo_pat.organizations import serves
from azdo_pat.services.git_helper import is_ours

CONTOSO = "https://dev.azure.com/contoso"
SERVER = "https://tfs.example.com:8443/tfs/Default"


def test_what_git_says_is_understood() -> None:
    text = (
        b"capability[]=authtype\ncapability[]=state\nprotocol=https\nhost=dev.azure.com\n"
        b'path=contoso/_git/a=b\nusername=\xc3\xa9\npassword=x=y\nwwwauth[]=Basic realm="x"\n'
        b"unknown=1\n\nhost=other\n"
    )
    assert read(text) == CredentialRequest(
        protocol="https",
        host="dev.azure.com",
        path="contoso/_git/a=b",
        username="é",
        password=Secret("x=y"),
        capabilities=("authtype", "state"),
    )


def test_an_empty_element_takes_back_a_list() -> None:
    assert read(b"capability[]=a\ncapability[]=\ncapability[]=b\n").capabilities == ("b",)
    assert read(b"capability[]=a\ncapability[]=\n").capabilities == ()


@given(st.binary(max_size=300))
@example(b"host=a\0b\n")
@example(b"host=a\r\n")
@example(b"\xff=\xff\n")
def test_whatever_comes_is_understood_or_refused(text: bytes) -> None:
    try:
        asked = read(text)
    except UsageError:
        return
    for value in (asked.protocol, asked.host, asked.path, asked.username):
        assert not set(value) & set("\0\r\n")


@given(st.text(max_size=30), st.text(max_size=30))
def test_an_answer_is_one_line_a_value(first: str, second: str) -> None:
    try:
        text = written([("username", first), ("password", second)])
    except UsageError:
        assert set(first + second) & set("\0\r\n")
        return
    assert text == f"username={first}\npassword={second}\n"
    if text.isascii() and first:
        asked = read(text.encode())
        assert (asked.username, asked.password) == (first, Secret(second))


@pytest.mark.parametrize(
    ("url", "protocol", "host", "path", "verdict"),
    [
        (CONTOSO, "https", "dev.azure.com", "contoso/_git/app", True),
        (CONTOSO, "https", "DEV.AZURE.COM:443", "/Contoso", True),
        (CONTOSO, "https", "dev.azure.com", "", None),
        (CONTOSO, "https", "dev.azure.com", "contoso2", False),
        (CONTOSO, "https", "contoso.visualstudio.com", "", True),
        (CONTOSO, "https", "contoso.visualstudio.com", "DefaultCollection/x", True),
        (CONTOSO, "http", "dev.azure.com", "contoso", False),
        (CONTOSO, "https", "dev.azure.com:8443", "contoso", False),
        (CONTOSO, "https", "pkgs.dev.azure.com", "contoso", False),
        (SERVER, "https", "tfs.example.com:8443", "tfs/default/_git/app", True),
        (SERVER, "https", "tfs.example.com:8443", "", None),
        (SERVER, "https", "tfs.example.com", "tfs/Default", False),
        (SERVER, "https", "tfs.example.com:8443", "tfs/Other", False),
        (SERVER, "https", "tfs.example.com:8443", "tfs", False),
        (SERVER, "https", "tfs.example.com:8443", "tfs/default/../other", False),
        (SERVER, "https", "tfs.example.com:8443", "tfs/default/%2e%2E/other", False),
        (SERVER, "https", "tfs.example.com:8443", "tfs/default/..%2fother", False),
        (SERVER, "https", "tfs.example.com:8443", "tfs/default/..\\other", False),
        (CONTOSO, "https", "dev.azure.com", "contoso/./_git/app", False),
        (CONTOSO, "https", "dev.azure.com", "contoso/a..b/_git/app", True),
    ],
)
def test_whose_it_is(url: str, protocol: str, host: str, path: str, verdict: bool | None) -> None:  # noqa: FBT001  # a case of the table
    assert serves(url, protocol, host, path) is verdict


LETTERS = st.text("abdeczur.-:@/%0aA\u0430\uff0e", max_size=8)


@given(
    before=LETTERS,
    after=LETTERS,
    host=st.sampled_from(["dev.azure.com", "contoso.visualstudio.com", "tfs.example.com:8443"]),
    path=st.text("contoso/.%2f", max_size=12),
)
@example(before="evil", after="", host="dev.azure.com", path="contoso")
@example(before="", after=".evil.example", host="dev.azure.com", path="contoso")
@example(before="a@", after="", host="dev.azure.com", path="contoso")
@example(before="", after="%0a", host="dev.azure.com", path="contoso")
@example(before="", after="/.evil.example", host="dev.azure.com", path="contoso")
@example(before="evil#.", after="", host="contoso.visualstudio.com", path="contoso")
def test_no_other_host_is_taken_for_ours(before: str, after: str, host: str, path: str) -> None:
    crafted = f"{before}{host}{after}"
    exact = {
        "dev.azure.com",
        "dev.azure.com:443",
        "contoso.visualstudio.com",
        "contoso.visualstudio.com:443",
        "tfs.example.com:8443",
    }
    for url in (CONTOSO, SERVER):
        if serves(url, "https", crafted, path) is not False:
            assert crafted.lower() in exact
    if is_ours(CredentialRequest(protocol="https", host=crafted, path=path), None):
        name = crafted.lower().removesuffix(":443").removesuffix(".visualstudio.com")
        assert crafted.lower() in exact or re.fullmatch(r"[a-z0-9-]+", name)
