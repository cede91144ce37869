"""What is remembered of sign-ins."""

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azdo_pat.auth.sign_ins import SignIn, SignIns, read, written
from azdo_pat.models import Secret

CONTOSO = "https://dev.azure.com/contoso"
FABRIKAM = "https://dev.azure.com/fabrikam"
END = datetime(2026, 11, 25, 12, tzinfo=UTC)


def sign_in(user: str, tenant: str = "t1") -> SignIn:
    return SignIn(
        account=f"{user}.home",
        user=f"{user}@contoso.example",
        tenant=tenant,
        client_id="c",
        token=Secret(f"token of {user} in {tenant}"),
        expires=END,
    )


def test_what_is_written_is_read() -> None:
    both = SignIns().signed_in(sign_in("ada"), CONTOSO).signed_in(sign_in("grace", "t2"), "")
    assert read(written(both)) == both


def test_each_organization_has_its_own_and_the_latest_serves_the_rest() -> None:
    both = SignIns().signed_in(sign_in("ada"), CONTOSO).signed_in(sign_in("grace"), FABRIKAM)
    assert both.of(CONTOSO) == sign_in("ada")
    assert both.of(FABRIKAM) == sign_in("grace")
    assert both.of("") == sign_in("grace")
    assert SignIns().of(CONTOSO) is None


def test_a_guest_in_two_tenants_is_two_sign_ins() -> None:
    both = SignIns().signed_in(sign_in("ada"), CONTOSO).signed_in(sign_in("ada", "t2"), FABRIKAM)
    assert both.of(CONTOSO) == sign_in("ada")
    assert both.of(FABRIKAM) == sign_in("ada", "t2")


def test_a_fresh_token_changes_nothing_else() -> None:
    one = SignIns().signed_in(sign_in("ada"), CONTOSO)
    fresh = sign_in("ada")._replace(token=Secret("new"))
    assert one.with_fresh(fresh) == SignIns().signed_in(fresh, CONTOSO)


@pytest.mark.usefixtures("no_finalizers")
@pytest.mark.parametrize(
    "text",
    ["", "{}", "[]", "null", '{"version": 2}', '{"version": 1}', "{", "[" * 100_000],
    ids=["empty", "object", "list", "null", "later", "bare", "cut", "deep"],
)
def test_what_this_version_did_not_write_is_nothing(text: str) -> None:
    assert read(Secret(text)) == SignIns()


@given(st.recursive(st.none() | st.booleans() | st.floats() | st.text(), st.lists))
def test_any_json_is_read_without_a_failure(value: object) -> None:
    document = {"version": 1, "latest": value, "organizations": value, "sign_ins": value}
    assert isinstance(read(Secret(json.dumps(document))), SignIns)


def test_no_secret_is_shown() -> None:
    assert "token of" not in repr(SignIns().signed_in(sign_in("ada"), CONTOSO))
