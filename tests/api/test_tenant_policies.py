"""The policies of the tenant, from the emulator and as the service may answer."""

import pytest
import requests
import responses

from api.stage import Stage, client
from azdo_pat.models import Organization, PolicyName, TenantPolicy

CONTOSO = Organization(name="contoso", url="https://dev.azure.com/contoso")
URL = (
    "https://vssps.dev.azure.com/contoso/_apis/TenantPolicy/Policies"
    "/TenantPolicy.RestrictPersonalAccessTokenLifespan"
)


def test_what_the_emulator_has(stage: Stage) -> None:
    read = stage.client().tenant_policies.read
    assert read(CONTOSO, PolicyName.LIFESPAN) == TenantPolicy(PolicyName.LIFESPAN, is_on=False)
    stage.control("PUT", "policies", {"maximumLifespanDays": 30})
    found = read(CONTOSO, PolicyName.LIFESPAN)
    assert found == TenantPolicy(PolicyName.LIFESPAN, is_on=True, max_days=30)


@pytest.mark.parametrize(
    ("properties", "max_days", "has_exceptions"),
    [
        (None, None, False),
        ({"MaxPatLifespanInDays": "7"}, 7, False),
        ({"MaxPatLifespanInDays": 7}, 7, False),
        ({"MaxPatLifespanInDays": "soon"}, None, False),
        ({"MaxPatLifespanInDays": "0"}, None, False),
        ({"MaxPatLifespanInDays": "4000000"}, None, False),
        ({"MaxPatLifespanInDays": "9" * 5000}, None, False),
        ({"MaxPatLifespanInDays": "\N{ARABIC-INDIC DIGIT SEVEN}"}, None, False),
        ({"AllowedUsersAndGroupObjectIds": "[]"}, None, False),
        ({"AllowedUsersAndGroupObjectIds": []}, None, False),
        ({"AllowedUsersAndGroupObjectIds": '["6f1c"]'}, None, True),
        ({"AllowedUsersAndGroupObjectIds": ["6f1c"]}, None, True),
    ],
)
def test_properties(properties: object, max_days: int | None, *, has_exceptions: bool) -> None:
    with responses.RequestsMock() as mock:
        mock.get(URL, json={"name": "x", "value": True, "properties": properties})
        found = client(None).tenant_policies.read(CONTOSO, PolicyName.LIFESPAN)
    assert found == TenantPolicy(
        PolicyName.LIFESPAN, is_on=True, max_days=max_days, has_exceptions=has_exceptions
    )


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (401, "{}"),
        (403, "{}"),
        (404, "<html>"),
        (500, ""),
        (503, ""),
        (200, "<html>sign in</html>"),
        (200, "[]"),
        (200, '{"value": "yes"}'),
        (200, '{"value": true, "properties": 7}'),
    ],
)
def test_what_is_not_told_is_unknown_after_one_request(status: int, body: str) -> None:
    with responses.RequestsMock() as mock:
        mock.get(URL, status=status, body=body)
        assert client(None).tenant_policies.read(CONTOSO, PolicyName.LIFESPAN) is None
        assert len(mock.calls) == 1


def test_no_answer_is_unknown_too() -> None:
    with responses.RequestsMock() as mock:
        mock.get(URL, body=requests.ConnectionError("gone"))
        assert client(None).tenant_policies.read(CONTOSO, PolicyName.LIFESPAN) is None
