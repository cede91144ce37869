"""Each value of `patTokenError`, in an answer of HTTP 200."""

from datetime import UTC, datetime, timedelta

import pytest

from api.stage import Stage
from azdo_pat.api.service_errors import NoSuchTokenError
from azdo_pat.api.token_errors import PAT_TOKEN_ERRORS
from azdo_pat.errors import (
    ExitCode,
    NotFoundError,
    PatError,
    RefusedError,
    SignInError,
    UnavailableError,
    UsageError,
)
from azdo_pat.models import PatChanges, PatRequest

# SessionTokenError of Microsoft's specification (tokens 7.2), in its order, without `none`.
VALUES = {
    "displayNameRequired": UsageError,
    "invalidDisplayName": UsageError,
    "invalidValidTo": UsageError,
    "invalidScope": UsageError,
    "userIdRequired": SignInError,
    "invalidUserId": SignInError,
    "invalidUserType": RefusedError,
    "accessDenied": RefusedError,
    "failedToIssueAccessToken": UnavailableError,
    "invalidClient": SignInError,
    "invalidClientType": SignInError,
    "invalidClientId": SignInError,
    "invalidTargetAccounts": NotFoundError,
    "hostAuthorizationNotFound": NotFoundError,
    "authorizationNotFound": NoSuchTokenError,
    "failedToUpdateAccessToken": UnavailableError,
    "sourceNotSupported": RefusedError,
    "invalidSourceIP": RefusedError,
    "invalidSource": RefusedError,
    "duplicateHash": UnavailableError,
    "sshPolicyDisabled": RefusedError,
    "invalidToken": RefusedError,
    "tokenNotFound": NoSuchTokenError,
    "invalidAuthorizationId": NoSuchTokenError,
    "failedToReadTenantPolicy": RefusedError,
    "globalPatPolicyViolation": RefusedError,
    "fullScopePatPolicyViolation": RefusedError,
    "patLifespanPolicyViolation": RefusedError,
    "invalidTokenType": SignInError,
    "invalidAudience": SignInError,
    "invalidSubject": SignInError,
    "deploymentHostNotSupported": RefusedError,
    "disablePatCreationPolicyViolation": RefusedError,
    "failedToReadOrgPolicy": RefusedError,
    "globalPATCreationBlocked": RefusedError,
    "expiredPatCannotBeExtended": RefusedError,
}
REQUEST = PatRequest(
    display_name="n", scopes=("vso.code",), valid_to=datetime.now(UTC) + timedelta(days=30)
)


def refusal(stage: Stage, fault: str) -> PatError:
    stage.fault(f"POST */tokens/pats {fault}")
    with pytest.raises(PatError) as caught:
        stage.client().tokens.create(stage.contoso, REQUEST)
    assert len(stage.asked("POST")) == 1
    return caught.value


def test_the_table_has_all_values_and_no_others() -> None:
    assert set(PAT_TOKEN_ERRORS) == set(VALUES)


@pytest.mark.parametrize("code", VALUES)
def test_a_value_becomes_an_error(stage: Stage, code: str) -> None:
    error = refusal(stage, f"pat-error={code}")
    rule = PAT_TOKEN_ERRORS[code]
    words = {"org": "contoso", "host": stage.host}
    assert type(error) is VALUES[code]
    assert (error.message, error.hint) == (rule.message.format(**words), rule.hint.format(**words))
    assert error.message
    assert error.hint
    assert error.activity_id == stage.asked("POST")[0]["activityId"]
    if isinstance(error, RefusedError):
        assert error.code == code


@pytest.mark.parametrize("rule", PAT_TOKEN_ERRORS.values(), ids=PAT_TOKEN_ERRORS)
def test_a_message_is_one_line_without_a_full_stop(rule: object) -> None:
    text = str(rule)
    assert "\\n" not in text
    assert ".'" not in text


def test_messages_tell_the_values_apart() -> None:
    messages = [rule.message for code, rule in PAT_TOKEN_ERRORS.items() if code != "tokenNotFound"]
    assert len(set(messages)) == len(messages)


def test_the_servers_message_is_passed_on(stage: Stage) -> None:
    body = '{"patToken":null,"patTokenError":"invalidScope","patTokenErrorMessage":"vso.\\u001bx"}'
    error = refusal(stage, f"body='{body}'")
    assert (type(error), error.server_message) == (UsageError, "vso.x")


def test_an_unknown_value_passes_through(stage: Stage) -> None:
    body = '{"patToken":null,"patTokenError":"moonPhase","patTokenErrorMessage":"Wait for it"}'
    error = refusal(stage, f"body='{body}'")
    assert isinstance(error, RefusedError)
    assert (error.message, error.code, error.server_message, error.exit_code) == (
        "the service refused the request with moonPhase",
        "moonPhase",
        "Wait for it",
        ExitCode.REFUSED,
    )


def test_a_value_counts_even_beside_a_token(stage: Stage) -> None:
    stage.fault(
        "PUT * body='"
        '{"patToken":{"displayName":"n","validTo":null,"scope":"","targetAccounts":null,'
        '"validFrom":null,"authorizationId":"x"},"patTokenError":"accessDenied"}\''
    )
    with pytest.raises(RefusedError) as caught:
        stage.client().tokens.update(stage.contoso, "x", PatChanges(display_name="n"))
    assert caught.value.code == "accessDenied"


def test_the_emulators_policies(stage: Stage) -> None:
    stage.control("PUT", "policies", ["full-scope-forbidden"])
    request = PatRequest(
        display_name="n", scopes=("app_token",), valid_to=datetime.now(UTC) + timedelta(days=1)
    )
    with pytest.raises(RefusedError) as caught:
        stage.client().tokens.create(stage.contoso, request)
    assert (caught.value.code, caught.value.server_message) == (
        "fullScopePatPolicyViolation",
        "A policy of the tenant forbids tokens with full access.",
    )
