"""The options of the commands of `admin` that read the tokens of users, and the reading."""

from __future__ import annotations

import functools
import os
import sys
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import click

from azdo_pat.cli.admin_sign_in import signed_in, with_token
from azdo_pat.cli.interrupts import interruptible_once
from azdo_pat.command_lines import pat_command
from azdo_pat.dates import local_minute
from azdo_pat.errors import CancelledError, PartialError, PatError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from azdo_pat.cli.app import App
    from azdo_pat.models import User
    from azdo_pat.services.admin_tokens import Scan
    from azdo_pat.store.scan_file import ScanFile, ScanSubject

_JOBS: Final = 12
_MOST_NAMED: Final = 10
_STDIN: Final = Path("-")
_RESULTS: Final = ("to", "file")
"""The parameters of commands that name the file of a result: `--to`, `--html`."""


class ScanRequest(NamedTuple):
    """Whose tokens to read, and how.

    Attributes:
        texts: what names the users; empty for all users, or those in the file to go on with.
        jobs: how many users to read side by side.
        save: the file to save the tokens to.
        resume: the file to go on with.
        admin_token: the stored token to sign in with, by name or id.
        exactly: the beginning of a user's name is not enough.
    """

    texts: tuple[str, ...] = ()
    jobs: int = _JOBS
    save: Path | None = None
    resume: Path | None = None
    admin_token: str | None = None
    exactly: bool = False


users_from_option: Final = click.option(
    "--users-from",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Read the users from FILE, one per line; - is stdin.",
)
jobs_option: Final = click.option(
    "--jobs",
    metavar="N",
    type=click.IntRange(1, 32),
    default=_JOBS,
    show_default=True,
    help="How many users to read side by side.",
)


def scan_options(*, everyone: bool) -> Callable[[Callable[..., object]], Callable[..., object]]:
    """Return what adds the options to a command; its function gets a `ScanRequest` as `request`.

    Args:
        everyone: the command reads all users if none is named; else it must be asked to.
    """

    def decorate(function: Callable[..., object]) -> Callable[..., object]:
        @click.argument("users", metavar="[USER]...", nargs=-1)
        @click.option(
            "--all-users",
            is_flag=True,
            help=f"Read the tokens of all users{' (the default)' * everyone}.",
        )
        @users_from_option
        @jobs_option
        @click.option(
            "--save",
            metavar="FILE",
            type=click.Path(path_type=Path),
            help="Save what is read to FILE, so that --resume can go on after an interruption.",
        )
        @click.option(
            "--resume",
            metavar="FILE",
            type=click.Path(path_type=Path),
            help="Go on with FILE: read only the users that are not in it yet.",
        )
        @with_token
        @functools.wraps(function)
        def folded(  # noqa: PLR0913  # one argument for each option
            app: App,
            users: tuple[str, ...],
            *args: Any,  # noqa: ANN401  # the command's own
            all_users: bool,
            users_from: Path | None,
            jobs: int,
            save: Path | None,
            resume: Path | None,
            admin_token: str | None,
            **rest: Any,  # noqa: ANN401  # as above
        ) -> object:
            named = bool(users) or users_from is not None
            if all_users and named:
                raise UsageError(
                    "--all-users cannot be combined with other users", hint="leave out one of them"
                )
            if resume and named:
                raise UsageError(
                    f"the users are those in {resume}",
                    hint="leave out --resume, or the users",
                )
            if save and resume and save != resume:
                raise UsageError(
                    "--resume saves to the same file", hint="leave out --save, or --resume"
                )
            if not (named or all_users or everyone or resume):
                raise UsageError(
                    "no user given",
                    hint="name a user, or add --all-users; to list users, run: pat admin users",
                )
            texts = users if users_from is None else (*users, *read_users(users_from))
            request = ScanRequest(texts, jobs, save, resume, admin_token)
            return function(app, *args, request=request, **rest)

        return folded

    return decorate


def read_users(file: Path) -> Sequence[str]:
    """Return the users that a file names, one per line.

    Raises:
        UsageError: it cannot be read, or names no one.
    """
    from azdo_pat.files import LARGEST, decoded

    where = "stdin" if file == _STDIN else str(file)
    try:
        if file == _STDIN:
            content = sys.stdin.buffer.read(LARGEST + 1)
        else:
            with file.open("rb") as opened:
                content = opened.read(LARGEST + 1)
        if len(content) > LARGEST:
            raise UsageError(f"{where} is larger than {LARGEST // 1_000_000} MB")
        lines = [line.strip() for line in decoded(content).splitlines()]
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text"
        raise UsageError(f"the users in {where} cannot be read: {reason}") from error
    found = [line for line in lines if line]
    if not found:
        raise UsageError(f"{where} names no user", hint="write one user per line")
    return found


@contextmanager
def scanning(app: App, request: ScanRequest, *, ssh: bool = False) -> Iterator[Scan]:
    """Yield the scan of users, and show its progress while the block runs.

    Raises:
        SignInError: no one is signed in.
        NotFoundError: a user does not exist; or the file to go on with does not.
        ConflictError: a user is ambiguous; or another process works on the file.
        UsageError: the file is not that of a scan, or of another one than is asked for.
    """
    from azdo_pat.services.admin_tokens import Scan

    with ExitStack() as stack:
        stack.enter_context(interruptible_once())  # a scheduler ends jobs by SIGTERM
        app, users, saved = _begun(app, request, stack, ssh=ssh)
        scan = Scan(users, app, ssh=ssh, jobs=request.jobs, saved=saved)
        stack.callback(scan.close)
        # Rows that are written as they arrive would be drawn over, and show the progress as well.
        if not (app.runtime.render.draws_as_it_goes and app.runtime.out.isatty()):
            scan.done = stack.enter_context(app.runtime.progress(lambda: scan.total, "users"))
        try:
            yield scan
        except KeyboardInterrupt as interrupt:
            raise CancelledError("interrupted", hint=_with_going_on("", saved)) from interrupt
        except PatError as error:
            if not scan.is_complete:
                error.hint = _with_going_on(error.hint, saved)
            raise


def _begun(
    app: App, request: ScanRequest, stack: ExitStack, *, ssh: bool
) -> tuple[App, Iterable[User], ScanFile | None]:
    """Return the program with its sign-in, the users, and the file that is open until the end."""
    file = request.resume or request.save
    if file is None:
        app = signed_in(app, request.admin_token)
        return app, _users(app, request), None
    _require_other(file)
    from azdo_pat.files import resolved
    from azdo_pat.store.scan_file import ScanFile, ScanSubject, require_replaceable, saved_scan

    # With both options, a complete file is that of an earlier run.
    if request.resume is not None and not (
        request.save and (not file.exists() or saved_scan(file).is_complete)
    ):
        return _resumed(app, request, file, stack, ssh=ssh)
    require_replaceable(file)
    stack.enter_context(app.exclusive(os.path.normcase(resolved(file))))
    require_replaceable(file)  # as above
    app = signed_in(app, request.admin_token)
    if not request.texts and app.runtime.err.isatty():
        app.runtime.messages.notice(f"listing the users of {app.organization.name}…")
    users = tuple(_users(app, request))
    subject = ScanSubject(
        org=app.organization.name,
        org_url=app.organization.url,
        ssh=ssh,
        started=app.now(),
        users=users,
        unlisted=app.graph.unreadable,
    )
    return app, users, stack.enter_context(closing(ScanFile(file, subject)))


def _require_other(file: Path) -> None:
    """Check that no other option writes to the file of the scan.

    Raises:
        UsageError: one does.
    """
    params = click.get_current_context().params
    for name in _RESULTS:
        other = params.get(name)
        if other is not None and os.path.abspath(other) == os.path.abspath(file):  # noqa: PTH100  # links stay
            raise UsageError(
                f"{file} cannot hold both results", hint="give one of them another file"
            )


def _resumed(
    app: App, request: ScanRequest, file: Path, stack: ExitStack, *, ssh: bool
) -> tuple[App, Iterable[User], ScanFile]:
    from azdo_pat.files import resolved
    from azdo_pat.store.scan_file import ScanFile, saved_scan

    found = saved_scan(file)
    if not found.is_complete:
        stack.enter_context(app.exclusive(os.path.normcase(resolved(file))))
        found = saved_scan(file)  # another process may have gone on with it until now
    subject = found.subject
    app = _at(app, file, subject, ssh=ssh)
    begun, total = local_minute(subject.started), len(subject.users)
    users = counted(total, "user")
    if found.is_complete:
        app.runtime.messages.notice(f"{file} has all of {users}, as of {begun}")
    else:
        app = signed_in(app, request.admin_token)
        app.runtime.messages.notice(
            f"going on with {file}, begun {begun}: {len(found.done)} of {users} are in it"
        )
    return app, subject.users, stack.enter_context(closing(ScanFile(file, subject, found)))


def _users(app: App, request: ScanRequest) -> Iterable[User]:
    """Return the users that are named, or all as they are listed."""
    if not request.texts:
        return app.graph.users(app.organization)
    from azdo_pat.services.admin_users import find_users

    return find_users(request.texts, app, jobs=request.jobs, exactly=request.exactly)


def _at(app: App, file: Path, subject: ScanSubject, *, ssh: bool) -> App:
    """Return the program for the organization of a file.

    Raises:
        UsageError: another organization, or another kind of scan, is asked for.
    """
    from azdo_pat.organizations import HOSTED_ROOT, hosted

    root = app.session.api_root
    there = hosted(subject.org, root)
    if subject.org_url != there.url:
        raise UsageError(
            f"{file} is of {subject.org_url}, not of {root or HOSTED_ROOT}",
            hint="set PAT_API_URL to the service that the file is of, or unset it",
        )
    given, _ = app.session.located
    is_given = given is not None and given.url == there.url
    if app.runtime.options.org is not None and not is_given:
        raise UsageError(
            f"{file} is of {subject.org}, not of {given.name if given else 'another one'}",
            hint="leave out --org, and unset PAT_ORG, or give another file",
        )
    if subject.ssh != ssh:
        raise UsageError(
            f"{file} is of {'SSH keys' if subject.ssh else 'tokens'}",
            hint="leave out --ssh" if ssh else "add --ssh",
        )
    return app if is_given else app.at(there)


def _to_go_on(saved: ScanFile) -> str:
    """Return what is saved, and the command that goes on with it."""
    context = click.get_current_context()
    _, *words = context.command_path.split()
    signed_in_with = context.params.get("admin_token")
    options = ["--resume", str(saved.path), *(["--with", signed_in_with] if signed_in_with else [])]
    options += ["--ssh"] * saved.subject.ssh
    return (
        f"{len(saved.done)} of {counted(len(saved.subject.users), 'user')} are in {saved.path};"
        f" to go on, run: {pat_command(' '.join(words), options=options)}"
    )


def _with_going_on(hint: str, saved: ScanFile | None) -> str:
    begun = saved is not None and 0 < len(saved.done) < len(saved.subject.users)
    more = [_to_go_on(saved)] if saved is not None and begun else []
    return "\n".join([*([hint] if hint else []), *more])


def conclude(app: App, scan: Scan, what: str) -> None:
    """Say what was found if all users were read, or which users were not.

    Args:
        app: the program.
        scan: the scan, which has ended.
        what: what was found, with its number.

    Raises:
        PartialError: some users could not be read.
        PatError: the only user could not.
    """
    everyone = counted(scan.users + scan.unlisted, "user")
    if scan.is_complete:
        gone = counted(len(scan.gone), "user")
        left = f"; {gone} left in the meantime" if scan.gone else ""
        app.runtime.messages.notice(f"{what} of {everyone}{left}")
        return
    if scan.users == 1 and scan.failures:
        raise scan.failures[0].error
    say_unread(app, scan)
    raise PartialError(
        f"{scan.unread} of {everyone} could not be read",
        hint=_with_going_on("see above; the tokens of the others are complete", scan.saved),
    )


def say_unread(app: App, scan: Scan) -> None:
    """Say which users could not be read, and why."""
    warn = app.runtime.messages.warn
    for failure in scan.failures[:_MOST_NAMED]:
        warn(f"{failure.user.handle}: {failure.error.message}")
    if len(scan.failures) > _MOST_NAMED:
        warn(f"… and {len(scan.failures) - _MOST_NAMED} more users")
    if scan.unlisted:
        warn(scan.why_unlisted)


def counted(number: int, thing: str) -> str:
    """Return a number of things, in words."""
    return f"{number} {thing}{'s' * (number != 1)}"
