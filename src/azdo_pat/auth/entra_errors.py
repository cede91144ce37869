"""Maps Microsoft Entra's error codes to the errors that the user reads.

Source: "Microsoft Entra authentication and authorization error codes".
"""

import re
from collections.abc import Mapping
from typing import Final, NamedTuple

from azdo_pat.errors import PatError, RefusedError, SignInError, UnavailableError

AGAIN: Final = "to sign in again, run: pat login"
_ADMINISTRATOR: Final = "ask an administrator of the tenant"


class _Rule(NamedTuple):
    codes: frozenset[int]
    message: str
    hint: str = AGAIN
    error: type[PatError] = SignInError


def _rule(
    *codes: int, message: str, hint: str = AGAIN, error: type[PatError] = SignInError
) -> _Rule:
    return _Rule(codes=frozenset(codes), message=message, hint=hint, error=error)


_RULES: Final = (
    _rule(
        50173,
        message="the sign-in was revoked: the password was changed, or an administrator revoked it",
    ),
    _rule(
        70008, 700082, 700084, message="the sign-in expired because it was not used for too long"
    ),
    _rule(50078, 50089, 70043, 70044, message="the sign-in is too old for the tenant's policy"),
    _rule(
        50076, 50079, 50074, 50158, message="the tenant requires multifactor authentication (MFA)"
    ),
    _rule(65004, message="the sign-in was declined", hint="run pat login, and accept the sign-in"),
    _rule(
        65001,
        90094,
        90095,
        message="no one has consented to this application in the tenant",
        hint=f"{_ADMINISTRATOR}; or sign in without --client-id",
        error=RefusedError,
    ),
    _rule(
        53000,
        53001,
        message="a Conditional Access policy requires a device that the tenant manages",
        hint="on such a device, run pat login and sign in with its browser",
    ),
    _rule(
        53003,
        530003,
        53002,
        530035,
        530036,
        message="a Conditional Access policy of the tenant does not allow this sign-in",
        hint="policies often forbid device codes: run pat login with a browser, on a device and"
        f" network that the policy allows; or {_ADMINISTRATOR}",
        error=RefusedError,
    ),
    _rule(
        90002,
        900021,
        90013,
        message="the tenant does not exist",
        hint="use the tenant's domain or id, as in: pat login --tenant contoso.onmicrosoft.com",
    ),
    _rule(
        700016,
        700038,
        message="the tenant does not know this application",
        hint="check --client-id and --tenant, or leave them out",
    ),
    _rule(
        50020,
        50034,
        51004,
        message="the tenant does not know this user",
        hint="to sign in as another user, run: pat login --account NAME; or name the --tenant",
    ),
    _rule(50057, message="the user's account is disabled", hint=_ADMINISTRATOR),
    _rule(
        50055,
        message="the user's password has expired",
        hint="change the password, then run pat login",
    ),
    _rule(70016, 70020, message="the code was not entered in time"),
)

_BY_ERROR: Final = {
    "access_denied": 65004,
    "authorization_declined": 65004,
    "authorization_pending": 70016,
    "expired_token": 70020,
    "code_expired": 70020,
    "consent_required": 65001,
}
_PASSING: Final = frozenset({"temporarily_unavailable", "server_error", "service_unavailable"})
_CODE: Final = re.compile(r"AADSTS(\d{4,7})")


def refusal(answer: Mapping[str, object]) -> PatError:
    """Return the error for an OAuth error response.

    Args:
        answer: `error`, `error_description`, `error_codes`…, as Entra or MSAL give them.
    """
    error = _text(answer, "error")
    said = _first_line(_text(answer, "error_description"))
    codes = _codes(answer, said) or {_BY_ERROR.get(error, 0)}
    activity = _text(answer, "correlation_id")
    for rule in _RULES:
        if rule.codes & codes:
            return rule.error(
                rule.message, hint=rule.hint, server_message=said, activity_id=activity
            )
    if error in _PASSING or not (error or said or any(codes)):
        return UnavailableError(
            "Microsoft Entra cannot sign users in right now",
            hint="try again later",
            server_message=said,
            activity_id=activity,
        )
    return SignInError(
        f"Microsoft Entra refused the sign-in ({error or 'no reason given'})",
        hint=AGAIN,
        server_message=said,
        activity_id=activity,
    )


def explained(said: str) -> str:
    """Return the message for the first known code (`AADSTS70043`); empty if none is known."""
    codes = {int(each) for each in _CODE.findall(said)}
    return next((rule.message for rule in _RULES if rule.codes & codes), "")


def _codes(answer: Mapping[str, object], said: str) -> set[int]:
    listed = answer.get("error_codes")
    found = (
        {each for each in listed if isinstance(each, int)} if isinstance(listed, list) else set()
    )
    return found or {int(each) for each in _CODE.findall(said)}


def _text(answer: Mapping[str, object], name: str) -> str:
    value = answer.get(name)
    return value if isinstance(value, str) else ""


def _first_line(text: str) -> str:
    # The lines below it have ids and times, which repeat the activity id.
    return re.split(r"\s*(?:Trace ID:|\r?\n)", text, maxsplit=1)[0].strip()[:500]
