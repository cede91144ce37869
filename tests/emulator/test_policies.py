"""Policies: what each forbids, and how they are written."""

import pytest

from azdo_pat.emulator.errors import EmulatorError
from azdo_pat.emulator.policies import Creation, Lifespan, Policies, parse_policies
from emulator.stage import PATS, Stage, new_token


def test_full_scope_forbidden(bare: Stage) -> None:
    token = bare.create()
    bare.control("PUT", "policies", {"fullScopeForbidden": True})
    assert bare.error(scope="app_token") == "fullScopePatPolicyViolation"
    update = bare.error("PUT", authorizationId=token["authorizationId"], scope="app_token")
    assert update == "fullScopePatPolicyViolation"
    assert bare.create()["scope"] == "vso.code"


def test_an_old_scope_is_not_judged_again(bare: Stage) -> None:
    token = bare.create(scope="app_token")
    bare.control("PUT", "policies", {"fullScopeForbidden": True})
    body = {"authorizationId": token["authorizationId"], "displayName": "renamed"}
    assert bare.ask("PUT", PATS, body=body).json()["patToken"]["displayName"] == "renamed"


def test_a_long_life_is_cut_short_silently(bare: Stage) -> None:
    old = bare.create()
    bare.control("PUT", "policies", ["maximum-lifespan=7"])
    assert bare.create()["validTo"] == "2026-06-22T12:00:00.1233333Z"
    assert bare.create(validTo="2026-06-20")["validTo"] == "2026-06-20T00:00:00.00Z"
    bare.control("POST", "clock", {"advanceSeconds": 86400})
    bare.token = bare.access_token()
    body = {"authorizationId": old["authorizationId"], "validTo": "2026-09-01"}
    changed = bare.ask("PUT", PATS, body=body).json()["patToken"]
    # Counted from the day it was made, not from today.
    assert changed["validTo"] == "2026-06-22T12:00:00.1233333Z"


def test_a_long_life_is_refused(bare: Stage) -> None:
    bare.control("PUT", "policies", ["maximum-lifespan=7 mode=refuse"])
    assert bare.error() == "patLifespanPolicyViolation"
    token = bare.create(validTo="2026-06-20")
    update = bare.error("PUT", authorizationId=token["authorizationId"], validTo="2026-06-30")
    assert update == "patLifespanPolicyViolation"


def test_the_tenants_policies_as_the_administration_pages_read_them(bare: Stage) -> None:
    path = "/contoso/_apis/TenantPolicy/Policies/TenantPolicy."
    lifespan = "RestrictPersonalAccessTokenLifespan"
    bare.version = None
    assert bare.ask("GET", f"{path}{lifespan}").json() == {
        "name": f"TenantPolicy.{lifespan}",
        "value": False,
        "properties": {},
    }
    bare.control("PUT", "policies", {"maximumLifespanDays": 30, "fullScopeForbidden": True})
    assert bare.ask("GET", f"{path}{lifespan}").json()["properties"] == {
        "MaxPatLifespanInDays": "30"
    }
    full = bare.ask("GET", f"{path}RestrictFullScopePersonalAccessToken").json()
    assert full["value"] is True
    assert bare.ask("GET", f"{path}Unheard").status_code == 404
    bare.control("PUT", "policies", ["policies-forbidden"])
    assert bare.ask("GET", f"{path}{lifespan}").status_code == 403
    bare.token = None
    assert bare.ask("GET", f"{path}{lifespan}").status_code == 401


def test_global_forbidden_has_its_own_error(bare: Stage) -> None:
    bare.control("PUT", "policies", {"globalForbidden": True})
    assert bare.error(allOrgs=True) == "globalPatPolicyViolation"


def test_creation_disabled(bare: Stage) -> None:
    token = bare.create()
    bare.control("PUT", "policies", {"creation": "disabled"})
    assert bare.error() == "disablePatCreationPolicyViolation"
    body = {"authorizationId": token["authorizationId"], "displayName": "renamed"}
    assert bare.ask("PUT", PATS, body=body).json()["patTokenError"] == "none"
    bare.version = "7.1-preview.1"
    assert bare.error() == "accessDenied"


def test_creation_for_packaging_only(bare: Stage) -> None:
    bare.control("PUT", "policies", {"creation": "packaging-only"})
    assert bare.error() == "disablePatCreationPolicyViolation"
    assert bare.error(scope="vso.packaging vso.code") == "disablePatCreationPolicyViolation"
    assert bare.create(scope="vso.packaging vso.packaging_write")["scope"].startswith("vso.pack")


def test_an_organization_has_policies_of_its_own(bare: Stage) -> None:
    policies = ["maximum-lifespan=7", "fabrikam:creation-disabled", "fabrikam:public-projects"]
    written = bare.control("PUT", "policies", policies)
    assert written["organizations"] == {
        "fabrikam": {"creation": "disabled", "publicProjects": True}
    }
    assert bare.control("PUT", "policies", written) == written
    assert bare.create()["validTo"] == "2026-06-22T12:00:00.1233333Z"
    body = new_token(validTo="2026-06-20")
    refused = bare.ask("POST", "/fabrikam/_apis/tokens/pats", body=body).json()
    assert refused["patTokenError"] == "disablePatCreationPolicyViolation"
    assert bare.connect("wrong").status_code == 401
    assert bare.connect("wrong", "/fabrikam/_apis/connectionData").status_code == 200


def test_what_an_organization_does_not_set_holds_for_all() -> None:
    policies = parse_policies(("maximum-lifespan=30 mode=refuse", "Fabrikam:maximum-lifespan=7"))
    assert policies.of("fabrikam") == Policies(
        maximum_lifespan_days=7, lifespan_mode=Lifespan.REFUSE
    )
    assert policies.of("contoso") is policies


def test_global_tokens_are_hidden_once_they_have_stopped(bare: Stage) -> None:
    bare.control("POST", "tokens", {"name": "wide", "allOrgs": True, "validTo": "2027-06-01"})
    bare.control("POST", "tokens", {"name": "own", "validTo": "2027-06-01"})
    bare.control("PUT", "policies", ["global-hidden"])
    assert bare.names() == ["own", "wide"]
    bare.control("POST", "clock", {"advanceSeconds": 169 * 86400})
    bare.token = bare.access_token()
    assert bare.names() == ["own"]
    bare.control("PUT", "policies", {})
    assert bare.names() == ["own", "wide"]


def test_strings() -> None:
    written = (
        "full-scope-forbidden",
        "global-forbidden",
        "global-blocked",
        "global-hidden",
        "maximum-lifespan=7 mode=refuse",
        "creation-packaging-only",
        "public-projects",
    )
    policies = Policies(
        full_scope_forbidden=True,
        global_forbidden=True,
        global_blocked=True,
        global_hidden=True,
        maximum_lifespan_days=7,
        lifespan_mode=Lifespan.REFUSE,
        creation=Creation.PACKAGING_ONLY,
        public_projects=True,
    )
    assert parse_policies(written) == policies
    assert Policies.from_json(policies.to_json()) == policies


@pytest.mark.parametrize(
    "text",
    [
        "",
        "nonsense",
        "maximum-lifespan",
        "maximum-lifespan=0",
        "maximum-lifespan=7 mode=maybe",
        "maximum-lifespan=7 hard",
        "full-scope-forbidden=yes",
        "global-forbidden mode=clamp",
        "nowhere:creation-disabled",
        "fabrikam:",
        "fabrikam:nonsense",
        "'",
    ],
)
def test_strings_refused(text: str) -> None:
    with pytest.raises(EmulatorError):
        parse_policies((text,))


@pytest.mark.parametrize(
    "value",
    [
        {"unknown": True},
        {"fullScopeForbidden": 1},
        {"maximumLifespanDays": 0},
        {"maximumLifespanDays": "7"},
        {"lifespanMode": "x"},
        {"creation": None},
        {"organizations": []},
        {"organizations": {"nowhere": {}}},
        {"organizations": {"fabrikam": True}},
        {"organizations": {"fabrikam": {"unknown": True}}},
        {"organizations": {"fabrikam": {"organizations": {}}}},
    ],
)
def test_json_refused(value: dict[str, object]) -> None:
    with pytest.raises(EmulatorError):
        Policies.from_json(value)
