"""Names a missing right where the service answers as if the sign-in were wrong."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from azdo_pat.api.service_errors import BadRequestError
from azdo_pat.errors import PatError, RefusedError, SignInError

_NOT_AUTHORIZED: Final = "TF400813: The user '"


@contextmanager
def naming_the_right(message: str, hint: str) -> Iterator[None]:
    """Replace a refusal in the block by one that names the right that the user lacks.

    Raises:
        RefusedError: the user lacks it.
    """
    try:
        yield
    except PatError as error:
        if not _is_refusal(error):
            raise
        raise RefusedError(
            message, hint=hint, server_message=error.server_message, activity_id=error.activity_id
        ) from None


def _is_refusal(error: PatError) -> bool:
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
