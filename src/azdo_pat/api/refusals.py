"""Recognizes a missing right where the service answers as if the sign-in were wrong."""

from typing import Final

from azdo_pat.api.service_errors import BadRequestError
from azdo_pat.errors import PatError, RefusedError, SignInError

_NOT_AUTHORIZED: Final = "TF400813: The user '"


def is_refusal(error: PatError) -> bool:
    """Return whether an error means that the signed-in user lacks a right.

    The administration APIs answer with 401 then (spec: tokenAdmin), and name the user; they name
    none if the sign-in is wrong.
    """
    if isinstance(error, RefusedError):
        return not isinstance(error, BadRequestError)
    said = error.server_message
    return (
        isinstance(error, SignInError)
        and _NOT_AUTHORIZED in said
        and f"{_NOT_AUTHORIZED}'" not in said
    )


def lacks_right(error: PatError, message: str, hint: str) -> RefusedError:
    """Return the error that names the missing right, with what the service said."""
    return RefusedError(
        message, hint=hint, server_message=error.server_message, activity_id=error.activity_id
    )
