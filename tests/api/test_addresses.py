import pytest

from azdo_pat.api.addresses import (
    Addresses,
    Service,
    is_loopback,
    origin,
    require_protected,
    segment,
)
from azdo_pat.errors import UsageError


def test_microsofts_hosts_without_a_root() -> None:
    addresses = Addresses(None)
    assert [addresses.base(service) for service in Service] == [
        "https://vssps.dev.azure.com",
        "https://app.vssps.visualstudio.com",
        "https://dev.azure.com",
        "https://auditservice.dev.azure.com",
    ]
    assert addresses.organization("contoso") == "https://dev.azure.com/contoso"
    assert addresses.origins == {
        ("https", "vssps.dev.azure.com", 443),
        ("https", "app.vssps.visualstudio.com", 443),
        ("https", "dev.azure.com", 443),
        ("https", "auditservice.dev.azure.com", 443),
    }


def test_one_root_serves_all() -> None:
    addresses = Addresses("http://127.0.0.1:8080/azure/")
    assert {addresses.base(service) for service in Service} == {"http://127.0.0.1:8080/azure"}
    assert addresses.organization("contoso") == "http://127.0.0.1:8080/azure/contoso"
    assert addresses.origins == {("http", "127.0.0.1", 8080)}


@pytest.mark.parametrize(
    "url",
    [
        "https://proxy.example/azure",
        "http://localhost:1",
        "http://127.8.9.1:1",
        "http://[::1]:1",
        "HTTPS://Proxy.Example",
    ],
)
def test_protected(url: str) -> None:
    assert require_protected(url + "/") == url


@pytest.mark.parametrize(
    ("url", "message"),
    [
        (
            "http://proxy.example",
            "proxy.example has an address that is not https: the secret would be sent unencrypted",
        ),
        (
            "http://localhost.evil.example",
            (
                "localhost.evil.example has an address that is not https: the secret would be sent"
                " unencrypted"
            ),
        ),
        (
            "http://127.0.0.1.evil.example",
            (
                "127.0.0.1.evil.example has an address that is not https: the secret would be sent"
                " unencrypted"
            ),
        ),
        (
            "https://user:word@host.example",
            "the address of host.example contains more than a host and a path",
        ),
        (
            "https://host.example/?a=b",
            "the address of host.example contains more than a host and a path",
        ),
        (
            "https://host.example/#a",
            "the address of host.example contains more than a host and a path",
        ),
        ("ftp://host.example", "'ftp://host.example' is not a URL"),
        ("host.example", "'host.example' is not a URL"),
        ("https://", "'https://' is not a URL"),
        ("https://host:port", "'https://host:port' is not a URL"),
        ("https://[::1", "'https://[::1' is not a URL"),
        ("", "'' is not a URL"),
    ],
)
def test_refused_as_a_root(url: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        Addresses(url)
    assert caught.value.message == message


def test_loopback_is_by_address_and_never_by_likeness() -> None:
    hosts = [
        *["localhost", "127.0.0.1", "127.255.2.3", "::1", "localhost.example", "128.0.0.1", "a"],
        *["127.0.0.1.example", "127.0.0.256", "127.0.1", "127.0.0.1\n", "1127.0.0.1", "127x0x0x1"],
    ]
    assert [host for host in hosts if is_loopback(host)] == [
        "localhost",
        "127.0.0.1",
        "127.255.2.3",
        "::1",
    ]


def test_origin_ignores_what_does_not_change_it() -> None:
    assert origin("https://DEV.azure.com/a?b#c") == origin("https://dev.azure.com:443")
    assert origin("https://dev.azure.com") != origin("https://dev.azure.com.evil.example")
    assert origin("https://dev.azure.com") != origin("https://dev.azure.com@evil.example")


@pytest.mark.parametrize(
    ("name", "quoted"),
    [
        ("contoso", "contoso"),
        ("a/b", "a%2Fb"),
        ("../x", "..%2Fx"),
        ("a?b#c", "a%3Fb%23c"),
        ("a b", "a%20b"),
        ("ü", "%C3%BC"),
        ("%2e%2e", "%252e%252e"),
        ("@evil.example", "%40evil.example"),
        ("a\r\nb", "a%0D%0Ab"),
    ],
)
def test_a_name_stays_one_segment(name: str, quoted: str) -> None:
    assert segment(name) == quoted


@pytest.mark.parametrize("name", ["", ".", ".."])
def test_a_name_that_is_a_folder_is_refused(name: str) -> None:
    with pytest.raises(UsageError, match="is not a valid name"):
        segment(name)
