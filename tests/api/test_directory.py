from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import responses

from api.stage import ADA_ID, CONTOSO_ID, FABRIKAM_ID, Stage, client
from azdo_pat.errors import (
    NotFoundError,
    PatError,
    RefusedError,
    SignInError,
    UnavailableError,
    UsageError,
)
from azdo_pat.models import Identity, Organization, PatRequest, Secret

ACCOUNTS = "https://app.vssps.visualstudio.com/_apis/accounts"
CONNECTION = "https://dev.azure.com/contoso/_apis/connectionData"
CONTOSO = Organization(name="contoso", url="https://dev.azure.com/contoso")
SERVER = Organization(name="collection", url="https://server.example/tfs/collection", hosted=False)
USELESS = (
    "the secret may be mistyped, expired, revoked, or issued for another organization;"
    " on Azure DevOps Server, IIS basic authentication must be off"
)
REQUEST = PatRequest(
    display_name="n", scopes=("vso.code",), valid_to=datetime.now(UTC) + timedelta(days=1)
)


def test_me(stage: Stage) -> None:
    assert stage.client().directory.me() == Identity(
        id=ADA_ID, name="Ada Lovelace", mail="ada@contoso.example"
    )


def test_organizations(stage: Stage) -> None:
    assert stage.client().directory.organizations(ADA_ID) == (
        Organization(name="contoso", url=f"{stage.url}/contoso", id=CONTOSO_ID),
        Organization(name="fabrikam", url=f"{stage.url}/fabrikam", id=FABRIKAM_ID),
    )


def test_organizations_on_the_wire() -> None:
    accounts = [
        {"accountId": "BF83696F-383B-4980-95B5-1F1127640A8A", "accountName": "NormalPaulk"},
        {"accountId": "6affcbef-fe5d-44c6-8a29-439b79aaa118", "accountName": "Fabrikam-Fiber"},
    ]
    with responses.RequestsMock() as mock:
        mock.get(ACCOUNTS, json={"count": 2, "value": accounts})
        found = client(None).directory.organizations("a&b")
        assert mock.calls[0].request.url == f"{ACCOUNTS}?memberId=a%26b&api-version=7.1-preview.1"
    assert found == (
        Organization(
            name="fabrikam-fiber",
            url="https://dev.azure.com/fabrikam-fiber",
            id="6affcbef-fe5d-44c6-8a29-439b79aaa118",
        ),
        Organization(
            name="normalpaulk",
            url="https://dev.azure.com/normalpaulk",
            id="bf83696f-383b-4980-95b5-1f1127640a8a",
        ),
    )


@pytest.mark.parametrize(
    "body",
    [
        [],
        {},
        {"value": None},
        {"value": {}},
    ],
)
def test_organizations_of_the_wrong_shape(body: object) -> None:
    with responses.RequestsMock() as mock:
        mock.get(ACCOUNTS, json=body)
        with pytest.raises(UnavailableError, match=r"the response from .* is not a"):
            client(None).directory.organizations("x")


@pytest.mark.parametrize(
    ("row", "names"),
    [
        (1, []),
        (None, []),
        ({"accountName": "", "accountId": "x"}, []),
        ({"accountName": "\ud800", "accountId": CONTOSO_ID}, []),
        ({"accountName": "x"}, ["x"]),
        ({"accountName": "x", "accountId": "x"}, ["x"]),
    ],
)
def test_an_odd_organization_hides_no_other(row: object, names: list[str]) -> None:
    made = client(None)
    right = {"accountName": "contoso", "accountId": CONTOSO_ID}
    with responses.RequestsMock() as mock:
        mock.get(ACCOUNTS, json={"value": [row, right]})
        found = made.directory.organizations("x")
    assert [(each.name, each.id) for each in found] == [
        ("contoso", CONTOSO_ID),
        *((name, None) for name in names),
    ]
    assert len(made.odd) == 1


def test_an_organization_whose_name_cannot_be_one_is_left_out() -> None:
    names = ["x$(id)", "a b", "-o", "x;y", "a/b", "..", "\x1b[31m", "a" * 51, "Contoso"]
    accounts = [{"accountId": CONTOSO_ID, "accountName": name} for name in names]
    with responses.RequestsMock() as mock:
        mock.get(ACCOUNTS, json={"count": len(names), "value": accounts})
        (found,) = client(None).directory.organizations("x")
    assert found.name == "contoso"


@pytest.mark.parametrize("body", [[], {}, {"id": ""}, {"id": 1}, {"id": "\ud800"}])
def test_a_profile_of_the_wrong_shape(body: object) -> None:
    with responses.RequestsMock() as mock:
        mock.get("https://app.vssps.visualstudio.com/_apis/profile/profiles/me", json=body)
        with pytest.raises(UnavailableError, match="is not a profile"):
            client(None).directory.me()


def test_the_id_of_an_organization(stage: Stage) -> None:
    assert stage.client().directory.account_id(stage.organization("contoso")) == CONTOSO_ID
    with pytest.raises(NotFoundError):
        stage.client().directory.account_id(stage.organization("nope"))


@pytest.mark.parametrize(
    "body", [[], {}, {"instanceId": None}, {"instanceId": ""}, {"instanceId": "x"}]
)
def test_an_organization_that_does_not_tell_its_id(body: object) -> None:
    with responses.RequestsMock() as mock:
        mock.get(CONNECTION, json=body)
        with pytest.raises(UnavailableError, match="is not connection data"):
            client(None).directory.account_id(CONTOSO)


def test_a_secret_that_works(stage: Stage) -> None:
    made = stage.client()
    secret = made.tokens.create(stage.contoso, REQUEST).secret
    identity = Identity(id=ADA_ID, name="Ada Lovelace")
    assert made.directory.check_secret(stage.contoso, secret) == identity
    as_server = Organization(name="contoso", url=f"{stage.url}/contoso/", hosted=False)
    assert made.directory.check_secret(as_server, secret) == identity
    assert {entry["authorization"] for entry in stage.asked("GET")} == {"Basic"}


def refused(stage: Stage, secret: Secret, organization: Organization) -> PatError:
    with pytest.raises(SignInError) as caught:
        stage.client().directory.check_secret(organization, secret)
    assert secret.reveal() not in repr(caught.value)
    assert caught.value.__cause__ is None
    return caught.value


def test_a_secret_that_does_not_work(stage: Stage) -> None:
    error = refused(stage, Secret("invented"), stage.contoso)
    assert (error.message, error.hint) == (
        f"{stage.url}/contoso does not accept the secret",
        USELESS,
    )
    assert error.server_message.startswith("TF400813")
    assert error.activity_id


def test_a_secret_of_a_revoked_token(stage: Stage) -> None:
    made = stage.client().tokens.create(stage.contoso, REQUEST)
    stage.client().tokens.revoke(stage.contoso, made.pat.authorization_id)
    refused(stage, made.secret, stage.contoso)


def test_a_secret_of_another_organization(stage: Stage) -> None:
    made = stage.client().tokens.create(stage.contoso, REQUEST)
    refused(stage, made.secret, stage.organization("fabrikam"))


def test_the_anonymous_identity_is_nobody(stage: Stage) -> None:
    stage.control("PUT", "policies", ["public-projects"])
    error = refused(stage, Secret("invented"), stage.contoso)
    assert error.message == f"{stage.url}/contoso does not accept the secret"


@pytest.mark.parametrize("fault", ["html", "html status=203", "status=302 location=/_signin"])
def test_a_sign_in_page_is_no_connection(stage: Stage, fault: str) -> None:
    stage.fault(f"GET */connectionData {fault}")
    refused(stage, Secret("x"), stage.contoso)


def test_a_policy_against_the_secret(stage: Stage) -> None:
    stage.fault("GET */connectionData status=403")
    with pytest.raises(RefusedError):
        stage.client().directory.check_secret(stage.contoso, Secret("x"))


def test_an_organization_that_is_not_there(stage: Stage) -> None:
    with pytest.raises(NotFoundError):
        stage.client().directory.check_secret(stage.organization("nope"), Secret("x"))


@pytest.mark.parametrize(
    ("user", "identity"),
    [
        (
            {"id": "1", "providerDisplayName": "DOMAIN\\ada", "customDisplayName": "Ada"},
            Identity(id="1", name="Ada"),
        ),
        ({"id": "1", "providerDisplayName": "Ada"}, Identity(id="1", name="Ada")),
        ({"id": "1"}, Identity(id="1", name="")),
    ],
)
def test_azure_devops_server_never_sees_the_access_token(
    user: dict[str, str], identity: Identity
) -> None:
    url = f"{SERVER.url}/_apis/connectionData"
    with responses.RequestsMock() as mock:
        mock.get(url, json={"authenticatedUser": user})
        assert client(None).directory.check_secret(SERVER, Secret("ü")) == identity
        request = mock.calls[0].request
        assert request.url == f"{url}?api-version=3.0-preview"
        assert request.headers["Authorization"] == "Basic OsO8"


@pytest.mark.parametrize(
    "body",
    [[], {"authenticatedUser": []}, {"authenticatedUser": {}}, {"authenticatedUser": {"id": 1}}],
)
def test_a_connection_of_the_wrong_shape(body: Any) -> None:  # noqa: ANN401 - any JSON
    with responses.RequestsMock() as mock:
        mock.get(CONNECTION, json=body)
        with pytest.raises(UnavailableError, match=r"the response from .* is not"):
            client(None).directory.check_secret(CONTOSO, Secret("x"))


@pytest.mark.parametrize("user", [{}, {"authenticatedUser": None}])
def test_a_connection_of_nobody(user: dict[str, None]) -> None:
    with responses.RequestsMock() as mock:
        mock.get(CONNECTION, json=user)
        with pytest.raises(SignInError):
            client(None).directory.check_secret(CONTOSO, Secret("x"))


def test_a_secret_does_not_travel_in_the_clear() -> None:
    made = client(None)
    server = Organization(name="c", url="http://server.example/c", hosted=False)
    with pytest.raises(UsageError, match="would be sent unencrypted"):
        made.directory.check_secret(server, Secret("x"))
    assert made.exchanges == []
