"""What `admin revoke` says about its plan and its result, and the exit code."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import click

from azdo_pat.cli.admin_scan import counted, say_unread
from azdo_pat.cli.bulk import needs_total
from azdo_pat.cli.recovery_messages import say_remaining_copies
from azdo_pat.command_lines import pat_command
from azdo_pat.errors import ExitCode, PartialError, PendingError, UsageError
from azdo_pat.models import OwnedPat
from azdo_pat.results.tokens import Outcome
from azdo_pat.services.admin_revoke_plan import Protection

if TYPE_CHECKING:
    from collections.abc import Sequence

    from azdo_pat.cli.app import App
    from azdo_pat.results.admin import OwnedRevocation
    from azdo_pat.services.admin_revoke import Ended
    from azdo_pat.services.admin_revoke_plan import LeftOut, Plan
    from azdo_pat.services.admin_tokens import Scan

_MOST_NAMED: Final = 10
_REMEDIES: Final = {
    Protection.IN_USE: "to revoke it, sign in as a user, or with another token",
    Protection.MINE: "to revoke your own tokens, too, add --include-mine",
    Protection.GLOBAL: "to revoke them in all organizations of their owners, add --include-global",
    Protection.UNREADABLE: "to revoke one nevertheless, give its id, if that can be read",
}


class Summary:
    """Says what is left out and what became of the tokens.

    Args:
        app: the program.
        plan: what is to be revoked.
        scan: the users whose tokens were read.
        by_id: the tokens were named.
        ssh: they are SSH keys.
    """

    def __init__(self, app: App, plan: Plan, scan: Scan, *, by_id: bool, ssh: bool) -> None:
        self._app = app
        self._messages = app.runtime.messages
        self._plan = plan
        self._by_id = by_id
        # Where the tokens were found, it does not matter who could not be read.
        self._unread = 0 if by_id else scan.unread
        self._scan = scan
        self._thing = "SSH key" if ssh else "token"
        self._deliveries = {
            each.id: each.renewal.deliveries
            for each in scan.deps.state.stored(scan.deps.organization.url)
        }

    @property
    def what(self) -> str:
        """The tokens that would be revoked, in words."""
        living = self._plan.living
        owners = {each.owner.descriptor: each.owner for each in living}
        whose = (
            next(iter(owners.values())).upn or "1 user"
            if len(owners) == 1
            else counted(len(owners), "user")
        )
        everywhere = sum(bool(each.pat.is_global) for each in living)
        where = f" ({everywhere} of them valid in all organizations)" if everywhere else ""
        return f"{self._counted(len(living))} of {whose}{where}"

    def say_plan(self) -> None:
        """Say what is left out, and why; and which users could not be read.

        Raises:
            PatError: nothing is left of what was named.
        """
        plan = self._plan
        if self._by_id and not plan.chosen:
            if len(plan.failures) == 1 and not plan.left_out:
                raise plan.failures[0]
            if len(plan.left_out) == 1 and not plan.failures:
                raise _protected(plan.left_out[0])
        for failure in plan.failures:
            self._messages.warn(failure.one_line)
        if self._unread:
            say_unread(self._app, self._scan)
            self._messages.warn(
                f"the tokens of {counted(self._unread, 'user')} could not be read, so some may be"
                " missing here"
            )
        for protection in Protection:
            left_out = [each for each in plan.left_out if each.protection is protection]
            if left_out:
                self._say_left_out(left_out, protection)

    def _say_left_out(self, left_out: Sequence[LeftOut], protection: Protection) -> None:
        shown = ", ".join(_named(each.owned) for each in left_out[:_MOST_NAMED])
        more = f" and {len(left_out) - _MOST_NAMED} more" if len(left_out) > _MOST_NAMED else ""
        tell = self._messages.notice
        if protection is Protection.UNREADABLE or self._by_id:
            tell = self._messages.warn
        tell(
            f"left out {self._counted(len(left_out))} ({protection.value}): {shown}{more};"
            f" {_REMEDIES[protection]}"
        )

    def conclude_without(self, said: str) -> None:
        """End where no token was revoked.

        Raises:
            PartialError: some tokens could not be found or read, or were left out.
        """
        self._messages.notice(said)
        self._complain()

    def conclude(self, ended: Ended) -> None:
        """Say what became of the tokens.

        Raises:
            PatError: something failed, or is left to do.
            Exit: the user cancelled.
        """
        if not ended.interrupted:
            self._say_items(ended.items)
        before = ended.count(Outcome.ALREADY_REVOKED, Outcome.EXPIRED)
        if ended.interrupted:
            self._messages.warn(
                f"interrupted: sent {ended.sent} of {self._counted(len(ended.items) - before)} to"
                " the service, but did not check whether they are revoked; to see that, run the"
                " same command again"
            )
            raise click.exceptions.Exit(ExitCode.INTERRUPTED)
        revoked, gone = ended.count(Outcome.REVOKED), len(self._scan.gone)
        words = [f"revoked {self._counted(revoked)}"] if revoked else []
        words += [f"no longer active before: {self._counted(before)}"] if before else []
        words += [f"{counted(gone, 'user')} left in the meantime"] if gone else []
        if len(words) > 1 or (words and needs_total(self._app, len(ended.items))):
            tell = self._messages.done if revoked else self._messages.notice
            tell("; ".join(words))
        if ended.stopped_by is not None:
            raise ended.stopped_by
        self._complain(ended.count(Outcome.FAILED), ended.unchecked)
        if pending := ended.count(Outcome.PENDING):
            raise PendingError(
                f"{self._counted(pending)} may still work: the service can take up to an hour to"
                " revoke them",
                hint="to see whether they are revoked, run the same command again",
            )
        for item, _ in ended.items:
            if item.left_in_keyring:
                raise PendingError(
                    f"{item.pat.name} is revoked, but its secret could not be deleted from the"
                    f" keyring: {item.left_in_keyring}",
                    hint=f"to delete it later, run: {pat_command('forget', item.pat.name)}",
                )

    def _say_items(self, items: Sequence[OwnedRevocation]) -> None:
        failed = [each for each in items if each.item.error]
        for item, owner in failed[:_MOST_NAMED]:
            doubt = "; it may be revoked nevertheless: run the command again" * item.doubtful
            self._messages.warn(f"{_named(OwnedPat(item.pat, owner))}: {item.error}{doubt}")
        if len(failed) > _MOST_NAMED:
            self._messages.warn(f"… and {len(failed) - _MOST_NAMED} more")
        for item, _ in items:
            if item.outcome is Outcome.REVOKED:
                targets = self._deliveries.get(item.pat.id, ())
                say_remaining_copies(self._messages, item.pat.name, targets, "no longer works")

    def _complain(self, failed: int = 0, unchecked: str = "") -> None:
        """Raise PartialError if tokens failed, or could not be read."""
        left_out = [
            each
            for each in self._plan.left_out
            if self._by_id or each.protection is Protection.UNREADABLE
        ]
        failed += len(self._plan.failures) + len(left_out)
        wrong = [f"{self._counted(failed)} could not be revoked"] if failed else []
        if self._unread:
            wrong.append(f"{counted(self._unread, 'user')} could not be read")
        if unchecked:
            wrong.append(f"it could not be checked which tokens are revoked: {unchecked}")
        if wrong:
            raise PartialError("; ".join(wrong), hint="see above; then run the command again")

    def _counted(self, number: int) -> str:
        return counted(number, self._thing)


def _named(owned: OwnedPat) -> str:
    """Return a token and its owner, in words."""
    pat, owner = owned
    return f"{pat.name or '(unnamed)'} ({pat.id or 'id unknown'}) of {owner.handle}"


def _protected(left_out: LeftOut) -> UsageError:
    return UsageError(
        f"nothing was revoked: {_named(left_out.owned)} is left out ({left_out.protection.value})",
        hint=_REMEDIES[left_out.protection],
    )
