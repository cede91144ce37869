"""The placeholders of templates and the variables of commands, beside the secret itself."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, NamedTuple

from azdo_pat.errors import PendingError
from azdo_pat.times import rfc3339

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from contextlib import AbstractContextManager
    from pathlib import Path

    from azdo_pat.deliveries.services import Recognizes, Services
    from azdo_pat.models import Handover, Secret

SECRETS: Final = ("token", "basic")
"""The placeholders of a template that stand for the secret."""

FACTS: Final = ("name", "id", "org", "url", "expires", "scopes")
"""The other ones; in a command's environment `PAT_TOKEN_NAME` and so on."""


OVERWRITE_HINT: Final = (
    "check who writes it, as only one can; if another machine renews the token, take its token"
    " over: pat deliver TOKEN; to overwrite it with the stored secret, run: pat deliver TOKEN"
    " --overwrite"
)
"""What to do about a secret that someone else has put there; the command names the token."""


class DeliveryContext(NamedTuple):
    """What deliveries find around them.

    Attributes:
        environment: that of a command, before the facts are added.
        lend: puts a secret into the keyring where another program looks: service and account.
        services: the clients of the services that distribute secrets.
        recognizes: tells whether a secret that is found at the target may be replaced.
        say: tells the user something that does not stop the delivery.
        alone: lets one process, and one thread of it, at a time work on what is so named.
    """

    environment: Mapping[str, str]
    alone: Callable[[str], AbstractContextManager[None]]
    lend: Callable[[str, str, Secret], None]
    services: Services
    recognizes: Recognizes
    say: Callable[[str], None] = lambda _: None

    @contextmanager
    def writing(self, path: Path) -> Iterator[None]:
        """Lock a file, other lines of which may be another token's.

        Raises:
            PendingError: it could not be read or written.
        """
        try:
            with self.alone(f"file {path}"):
                yield
        except (OSError, RuntimeError) as error:  # RuntimeError: a loop of symbolic links
            reason = getattr(error, "strerror", None) or error
            raise PendingError(
                f"{path} cannot be written: {reason}", hint="check its folder and permissions"
            ) from error


def facts(handover: Handover) -> dict[str, str]:
    """Return what is no secret; empty texts for what is not known."""
    pat = handover.pat
    return {
        "name": pat.name,
        "id": pat.id or "",
        "org": pat.org or "",
        "url": handover.org_url,
        "expires": "" if pat.expires is None else rfc3339(pat.expires),
        "scopes": " ".join(pat.scopes),
    }


def values(handover: Handover) -> dict[str, str]:
    """Return what each placeholder of a template stands for, secrets included."""
    secret = handover.secret
    return facts(handover) | {"token": secret.reveal(), "basic": secret.basic()}
