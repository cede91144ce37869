"""The option `--deliver`, and the error for a failed delivery."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from azdo_pat.cli.global_options import option
from azdo_pat.errors import PendingError, UsageError

if TYPE_CHECKING:
    from azdo_pat.renewal import Delivery


deliver_option: Final = option(
    "--deliver",
    "deliveries",
    metavar="PLACE",
    multiple=True,
    help="Bring the secret there, now and at each rotation: command:LINE, file:PATH,"
    " or file:PATH|NAME={token}. Repeatable; none forgets them.",
)


def parsed_deliveries(texts: tuple[str, ...]) -> tuple[Delivery, ...] | None:
    """Parse the values of `--deliver`; None if it was not given.

    Raises:
        UsageError: one is malformed, or the working folder is gone.
    """
    if not texts:
        return None
    if texts == ("none",):
        return ()
    from azdo_pat.deliveries.parsing import from_text

    try:
        folder = Path.cwd()
    except OSError as error:
        raise UsageError(
            f"the working folder cannot be used: {error.strerror or error}",
            hint="change to a folder that is there: deliveries are run in it",
        ) from error
    return tuple(dict.fromkeys(from_text(text, folder) for text in texts))


def not_delivered(tokens: int) -> PendingError:
    """Return the error for new secrets that are stored but not delivered everywhere."""
    return PendingError(
        "the new secret is in the keyring, but not delivered everywhere"
        if tokens == 1
        else f"{tokens} new secrets are in the keyring, but not delivered everywhere",
        hint="a token that is replaced lives on; mend what stands in the way, then run: pat renew",
    )
