"""Define the command `admin whose`."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from azdo_pat.cli.admin_scan import ScanRequest, jobs_option, scanning
from azdo_pat.cli.admin_sign_in import with_token
from azdo_pat.cli.command import command
from azdo_pat.errors import PatError

if TYPE_CHECKING:
    from azdo_pat.cli.app import App


@command("whose", short_help="Find the owner of a leaked secret.")
@jobs_option
@with_token
def whose_command(app: App, *, jobs: int, admin_token: str | None) -> None:
    """Find the token that a leaked secret belongs to, and its owner.

    pat prompts for the secret; without a terminal, it reads stdin. The secret is not sent anywhere:
    pat hashes it, reads the tokens of all users, and compares the hash with those that the service
    reports. Exits with 3 if no token of the organization has the secret.

    Needs membership in Project Collection Administrators.

    \b
    Examples:
      pat admin whose
      pat admin whose < found.txt
    """
    from azdo_pat.cli.secret_input import secret_from_user
    from azdo_pat.judgement import command as command_line
    from azdo_pat.models import Status
    from azdo_pat.naming import looks_like_secret
    from azdo_pat.redaction import remember
    from azdo_pat.services.admin_tokens import revoke_command
    from azdo_pat.services.admin_whose import token_of
    from azdo_pat.services.stored_secrets import read_secret

    secret = read_secret(secret_from_user(app, "Secret", "pat admin whose"))
    remember(secret.reveal())
    if not looks_like_secret(secret.reveal()):
        app.runtime.messages.warn(
            "the input does not look like the secret of a token, which has 52 or 84 letters and"
            " digits; looking for it all the same"
        )
    with scanning(app, ScanRequest(jobs=jobs, admin_token=admin_token)) as scan:
        owned = token_of(secret, scan)
    app.runtime.render.show(owned)
    notice = app.runtime.messages.notice
    if owned.pat.status in {Status.REVOKED, Status.EXPIRED}:
        notice(f"the token no longer works: it is {owned.pat.status}")
        return
    deps = scan.deps
    own = command_line(owned.pat, "revoke")
    me = ""
    with suppress(PatError):  # the token is found, which matters more
        me = deps.directory.descriptor(deps.organization)
    is_mine = owned.owner.descriptor == me
    yours = revoke_command(owned, deps.organization.name, is_mine=is_mine)
    if own and not owned.owner.is_deleted:
        notice(f"{owned.owner.handle} can revoke it: {own}")
    if secret == deps.session.access_token().secret:
        notice("pat is signed in with this token, so pat admin cannot revoke it")
    elif yours:
        notice(f"you can revoke it: {yours}")
