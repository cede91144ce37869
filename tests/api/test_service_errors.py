"""Each answer that is no success, from the emulator, as the error that the user reads."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from api.stage import Stage
from azdo_pat.api.service_errors import BadRequestError, NoSuchTokenError
from azdo_pat.errors import (
    NoAnswerError,
    NoOrganizationError,
    PatError,
    RefusedError,
    SignInError,
    UnavailableError,
)
from azdo_pat.models import Organization, PatRequest

REPORT = "try again; if the problem persists, report it with the activity id"
SIGN_IN = "to sign in again, run: pat login; or set PAT_ACCESS_TOKEN to a new access token"
REQUEST = PatRequest(
    display_name="n", scopes=("vso.code",), valid_to=datetime.now(UTC) + timedelta(days=30)
)
STATUS = "try again later; for the status of the service, see https://status.dev.azure.com"
EXPIRED = "{host} did not accept the access token from the test"


def failure(stage: Stage, fault: str) -> PatError:
    """Return what listing ends in when every request meets the fault."""
    stage.fault(f"GET */tokens/pats times=always {fault}")
    with pytest.raises(PatError) as caught:
        list(stage.client().tokens.list(stage.contoso))
    assert stage.access_token not in repr(caught.value)
    assert caught.value.__cause__ is caught.value.__context__ is None
    return caught.value


def error_body(message: str, kind: str = "VssServiceException") -> str:
    """Return the part of a fault that answers with Azure DevOps' error object."""
    body = {"$id": "1", "innerException": None, "message": message, "typeKey": kind}
    return "body='" + json.dumps(body).replace("'", "'\\''") + "'"


@pytest.mark.usefixtures("no_finalizers")
@pytest.mark.parametrize(
    ("fault", "kind", "message", "hint"),
    [
        ("status=401", SignInError, EXPIRED, SIGN_IN),
        ("status=401 body=''", SignInError, EXPIRED, SIGN_IN),
        (
            "status=401 " + error_body("TF400813: The user 'ada' is not authorized"),
            SignInError,
            "contoso does not know the signed-in user: wrong account, tenant or organization",
            "check the organization's name; to sign in to its tenant, run: pat login --org contoso",
        ),
        (
            "status=401 " + error_body("TF400813: Resource not available for anonymous access."),
            SignInError,
            EXPIRED,
            SIGN_IN,
        ),
        (
            "status=401 header.WWW-Authenticate='Bearer x=TokenCreatedWithOutdatedPolicies'",
            SignInError,
            "the access token from the test was issued before the sign-in policies changed",
            "to sign in again, run: pat login; or set PAT_ACCESS_TOKEN to a new access token",
        ),
        (
            "status=401 " + error_body("TF401444: Please sign-in at least once"),
            SignInError,
            "contoso requires the user to sign in once in a browser",
            "sign in at https://dev.azure.com in a browser, then try again",
        ),
        (
            "status=401 " + error_body("VS403463: The conditional access policy failed"),
            SignInError,
            "a Conditional Access policy of the tenant does not allow this sign-in",
            (
                "on a device and network that the policy allows, run: pat login; to change the"
                " policy, ask an administrator of Microsoft Entra"
            ),
        ),
        (
            "status=404 " + error_body("no profile", "ProfileDoesNotExistException"),
            SignInError,
            "the signed-in user has no Azure DevOps profile yet",
            "sign in at https://dev.azure.com in a browser, then try again",
        ),
        (
            "status=403 "
            + error_body(
                "Service principals are not allowed to perform this action.",
                "InvalidAccessException",
            ),
            RefusedError,
            "service principals and managed identities cannot manage tokens",
            "to sign in as a user, run: pat login",
        ),
        (
            "status=403 "
            + error_body("The requested operation is not allowed.", "InvalidAccessException"),
            RefusedError,
            "the sign-in was accepted, but the operation is not allowed",
            (
                "the tenant's sign-in frequency policy may require a new sign-in: sign in at"
                " https://dev.azure.com in a browser, then run: pat login"
            ),
        ),
        (
            "status=403",
            RefusedError,
            "{host} does not allow the operation",
            "ask an administrator of contoso for the permission",
        ),
        (
            "status=404 " + error_body("gone", "SessionTokenNotFoundException"),
            NoSuchTokenError,
            "no such token in contoso",
            "to list all tokens, run: pat list --status all",
        ),
        (
            "status=404",
            NoOrganizationError,
            "there is no organization contoso, or the signed-in user has no access to it",
            "to list your organizations, run: pat status",
        ),
        (
            "html status=404",
            NoOrganizationError,
            "there is no organization contoso, or the signed-in user has no access to it",
            "to list your organizations, run: pat status",
        ),
        (
            "status=400 " + error_body("out of range", "VssVersionOutOfRangeException"),
            UnavailableError,
            "{host} does not know this version of the API",
            (
                "Azure DevOps Server has no API for tokens; for Azure DevOps Services, check"
                " PAT_API_URL"
            ),
        ),
        (
            "status=400 " + error_body("preview", "VssInvalidPreviewVersionException"),
            UnavailableError,
            "{host} does not know this version of the API",
            "check PAT_API_URL, or upgrade pat",
        ),
        (
            "status=407 body=''",
            UnavailableError,
            "the proxy in front of {host} requires authentication",
            "set user and password in HTTPS_PROXY: http://USER:PASSWORD@PROXY:PORT",
        ),
        ("status=400 body=''", BadRequestError, "{host} refused the request (HTTP 400)", REPORT),
        ("status=418 body='[1]'", BadRequestError, "{host} refused the request (HTTP 418)", REPORT),
        (
            "status=429",
            UnavailableError,
            "{host} received too many requests (HTTP 429)",
            "wait a few minutes, then try again",
        ),
        ("status=500", UnavailableError, "{host} failed (HTTP 500)", STATUS),
        ("status=503 body='<not json'", UnavailableError, "{host} failed (HTTP 503)", STATUS),
        ("html status=502", UnavailableError, "{host} failed (HTTP 502)", STATUS),
        ("html", SignInError, "{host} answered with a sign-in page instead of data", SIGN_IN),
        (
            "html status=203",
            SignInError,
            "{host} answered with a sign-in page instead of data",
            SIGN_IN,
        ),
        (
            "status=203 body='{}'",
            SignInError,
            "{host} answered with a sign-in page instead of data",
            SIGN_IN,
        ),
        (
            "status=302 location=/_signin",
            SignInError,
            "{host} answered with a sign-in page instead of data",
            SIGN_IN,
        ),
        (
            "broken-json",
            UnavailableError,
            "the response from {host} is not a list of tokens: it is not valid JSON",
            STATUS,
        ),
        (
            "body=''",
            UnavailableError,
            "the response from {host} is not a list of tokens: it is not valid JSON",
            STATUS,
        ),
        (
            "body='" + "[" * 60_000 + "'",
            UnavailableError,
            "the response from {host} is not a list of tokens: it is not valid JSON",
            STATUS,
        ),
        (
            "body='[]'",
            UnavailableError,
            "the response from {host} is not a list of tokens",
            STATUS,
        ),
        (
            "body='{}'",
            UnavailableError,
            (
                "the response from {host} is not a list of tokens"
                " (patTokens is missing or of the wrong type)"
            ),
            STATUS,
        ),
    ],
)
def test_an_answer_becomes_an_error(
    stage: Stage, fault: str, kind: type[PatError], message: str, hint: str
) -> None:
    error = failure(stage, fault)
    assert type(error) is kind
    assert (error.message, error.hint) == (message.format(host=stage.host), hint)
    assert error.activity_id == stage.asked("GET")[-1]["activityId"]


def test_the_services_own_words_and_code_are_kept(stage: Stage) -> None:
    error = failure(stage, "status=403 " + error_body("VS1: \x1b[2Jno\nway", "SomeException"))
    assert isinstance(error, RefusedError)
    assert (error.server_message, error.code) == ("VS1: [2Jno way", "SomeException")


def test_an_endless_message_is_cut(stage: Stage) -> None:
    error = failure(stage, "status=403 " + error_body("x" * 5000))
    assert error.server_message == "x" * 499 + "…"


def test_a_message_of_the_wrong_type_is_none(stage: Stage) -> None:
    error = failure(stage, 'status=403 body=\'{"message":{"a":1},"typeKey":7}\'')
    assert isinstance(error, RefusedError)
    assert (error.server_message, error.code) == ("", "")


def test_braces_in_a_name_are_nothing_special(stage: Stage) -> None:
    stage.fault("GET * status=404")
    with pytest.raises(NoOrganizationError) as caught:
        stage.client().tokens.get(Organization(name="{host}", url=""), "x")
    assert caught.value.message == (
        "there is no organization {host}, or the signed-in user has no access to it"
    )


def test_a_page_that_concerns_no_organization(stage: Stage) -> None:
    stage.fault("GET */profiles/me status=404")
    with pytest.raises(UnavailableError) as caught:
        stage.client().directory.me()
    assert caught.value.message == f"{stage.host} does not know the requested URL (HTTP 404)"


@pytest.mark.parametrize("name", ["nope", "a/b", "../contoso", "contoso?"])
def test_an_organization_that_is_not_there(stage: Stage, name: str) -> None:
    with pytest.raises(NoOrganizationError) as caught:
        next(stage.client().tokens.list(stage.organization(name)))
    assert caught.value.message == (
        f"there is no organization {name}, or the signed-in user has no access to it"
    )


def test_an_organization_of_others(stage: Stage) -> None:
    with pytest.raises(SignInError) as caught:
        next(stage.client().tokens.list(stage.organization("northwind")))
    assert caught.value.message == (
        "northwind does not know the signed-in user: wrong account, tenant or organization"
    )


def test_a_service_principal_is_refused(stage: Stage) -> None:
    bearer = stage.control("POST", "access-tokens", {"kind": "app"})["accessToken"]
    with pytest.raises(RefusedError) as caught:
        stage.client(bearer).directory.me()
    assert caught.value.message == "service principals and managed identities cannot manage tokens"


def test_an_expired_access_token(stage: Stage) -> None:
    bearer = stage.control("POST", "access-tokens", {"lifetimeSeconds": 1})["accessToken"]
    stage.control("POST", "clock", {"advanceSeconds": 3600})
    with pytest.raises(SignInError) as caught:
        stage.client(bearer).directory.me()
    assert caught.value.message == EXPIRED.format(host=stage.host)
    assert caught.value.server_message.startswith("TF400813: ")


OPEN = "the service may have carried out the request; to check, run: pat list"
PAGE = " body='<html>blocked</html>'"
OWN = " " + error_body("TF1: no")


def created(stage: Stage, fault: str) -> PatError:
    """Return what creating ends in when the answer is replaced after the service has acted."""
    stage.fault(f"POST * times=always {fault}")
    with pytest.raises(PatError) as caught:
        stage.client().tokens.create(stage.contoso, REQUEST)
    return caught.value


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ("status=400" + PAGE, "{host} refused the request (HTTP 400)"),
        ('status=400 body=\'{"error":{"message":"x"}}\'', "{host} refused the request (HTTP 400)"),
        ('status=400 body=\'{"message":"x"}\'', "{host} refused the request (HTTP 400)"),
        ('status=400 body=\'{"typeKey":"x"}\'', "{host} refused the request (HTTP 400)"),
        ("html status=403", "{host} does not allow the operation"),
        ("status=403 body=''", "{host} does not allow the operation"),
        (
            "status=404" + PAGE,
            "there is no organization contoso, or the signed-in user has no access to it",
        ),
        ("status=407" + PAGE, "the proxy in front of {host} requires authentication"),
        ("status=407" + OWN, "the proxy in front of {host} requires authentication"),
        ("status=408 body=''", "{host} refused the request (HTTP 408)"),
        ("status=408" + OWN, "{host} refused the request (HTTP 408)"),
        ("status=413 body=''", "{host} refused the request (HTTP 413)"),
    ],
)
def test_a_post_that_a_gateway_refused_is_open(stage: Stage, fault: str, message: str) -> None:
    error = created(stage, fault)
    assert type(error) is NoAnswerError
    assert (error.message, error.hint) == (message.format(host=stage.host), OPEN)
    assert error.activity_id == stage.asked("POST")[-1]["activityId"]


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ("status=400" + OWN, BadRequestError),
        ('status=400 body=\'{"$id":"1","message":"x"}\'', BadRequestError),
        ("status=403" + OWN, RefusedError),
        ("status=404" + OWN, NoOrganizationError),
        ("status=401 body=''", SignInError),
        ("html status=401", SignInError),
        ("status=429 body=''", UnavailableError),
        ('body=\'{"patToken":null,"patTokenError":"somethingNew"}\'', RefusedError),
    ],
)
def test_a_post_that_the_service_refused_is_settled(
    stage: Stage, fault: str, kind: type[PatError]
) -> None:
    assert type(created(stage, fault)) is kind


def test_a_post_that_the_service_failed_on_is_open(stage: Stage) -> None:
    stage.fault("POST * status=500")
    with pytest.raises(NoAnswerError) as caught:
        stage.client().tokens.create(stage.contoso, REQUEST)
    assert (caught.value.message, caught.value.hint) == (
        f"{stage.host} failed (HTTP 500)",
        "the service may have carried out the request; to check, run: pat list",
    )
