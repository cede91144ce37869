"""Undoes the setup of a tool."""

from __future__ import annotations

from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Final

from azdo_pat.errors import ConflictError, UsageError
from azdo_pat.homes import home_folder
from azdo_pat.redaction import guises, remember
from azdo_pat.results.tools import SetupOutcome, SetupResult
from azdo_pat.services.tool_setup.tool_file import ToolFile
from azdo_pat.services.tool_setup.wiring import (
    follow,
    followers_locked,
    possible_secrets,
    recorded,
    setup_records,
    tool_input,
)
from azdo_pat.tools.diff import taken_out
from azdo_pat.tools.tool import checked_feed

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from azdo_pat.operations.deps import Deps
    from azdo_pat.services.tool_setup.wiring import SetupRequest
    from azdo_pat.store.setup_records import SetupEntry, SetupRecord
    from azdo_pat.tools.tool import Tool

_BY_HAND: Final = "remove pat's lines by hand, then run: pat setup {tool} --undo --leave-file"


def uninstall(tool: Tool, request: SetupRequest, deps: Deps) -> list[SetupResult]:
    """Undo what was set up for a tool.

    For one feed, or for the organization that is named, or else for all.

    Raises:
        UsageError: an argument does not fit the tool, or its file cannot be read or written.
        NotFoundError: the tool is not set up, or not for that.
        ConflictError: what was put in cannot be told from later changes; or a token that the tool
            has is being rotated.
        StoreError: the keyring refuses, or a record cannot be read or written.
    """
    results = []
    records, dry_run = setup_records(deps), request.dry_run
    with deps.in_line("setup"):
        if request.feed is not None:
            request = request._replace(feed=checked_feed(tool, request.feed))
        for path, setup in recorded(tool, request, deps):
            told = tool_input(request, deps)._replace(feed=setup.feed, org_url=setup.org_url)
            tool_file = ToolFile(tool, Path(path), home_folder(), told)
            delivery = tool_file.delivery
            with followers_locked(delivery, None, deps), deps.in_line(f"file {path}"):
                record = records.find(tool.known_as, path)
                if record is None:
                    continue
                service = tool.service(setup.org_url) if tool.service else ""
                ours = possible_secrets(delivery, setup, deps) if service else ()

                def held(other: SetupEntry, tool_file: ToolFile = tool_file) -> Sequence[str]:
                    return possible_secrets(tool_file.told(other, "").delivery, other, deps)

                results.append(
                    undo(
                        record,
                        setup,
                        tool_file,
                        held,
                        leave_file=request.leave_file,
                        dry_run=dry_run,
                    )
                )
                if dry_run:
                    continue
                follow(delivery, None, deps)
                if service:
                    deps.secrets.take_back(service, tool.account, ours)
                # In this order: killed between any two, the same again does the rest.
                records.put(record.without(setup))
                if service:
                    deps.secrets.drop_aside(service, tool.account)
    return results


def undo(
    record: SetupRecord,
    setup: SetupEntry,
    tool_file: ToolFile,
    held: Callable[[SetupEntry], Sequence[str]],
    *,
    leave_file: bool,
    dry_run: bool,
) -> SetupResult:
    """Restore the previous content of a file; if it was changed since, remove only our lines.

    What was set up beside it stays. The record stays, too; done twice is done once.

    Args:
        record: what the file was like.
        setup: the one of it that is undone.
        tool_file: where that is.
        held: gives the secrets that may lie there for a setup, the newest first, as far as known.
        leave_file: do nothing to the file.
        dry_run: only say what would be done.

    Raises:
        ConflictError: what was put in cannot be told from later changes; nothing has changed.
    """
    ours = held(setup)
    remember(*ours)
    current = after = ""
    exact = False
    if not leave_file and tool_file.path.exists():
        current = tool_file.read()
        after, exact = _undone(record, setup, tool_file, current)
        # Where it is as it was left, no secret has come to lie elsewhere in it.
        if not exact and _stays(ours, record, setup, tool_file, held, after):
            raise ConflictError(
                f"{record.path} was changed after the setup, and undoing would leave the secret"
                " in it",
                hint=_BY_HAND.format(tool=tool_file.tool.name),
            )
    result = SetupResult(
        tool=tool_file.tool.name,
        file=record.path,
        outcome=SetupOutcome.PLANNED if dry_run else SetupOutcome.UNDONE,
        feed=setup.feed,
        token=setup.name,
        diff=tool_file.told(setup, ours[0] if ours else _stand_in(setup)).shown(current, after),
    )
    if dry_run:
        return result
    tool_file.clear()
    if leave_file or not tool_file.path.exists():
        return result
    last = not record.without(setup).setups
    if last and exact and record.before is None:
        tool_file.remove()
    elif after != current or last:
        tool_file.write(after, mode=record.mode if last else None)
    return result


def _undone(
    record: SetupRecord, setup: SetupEntry, tool_file: ToolFile, current: str
) -> tuple[str, bool]:
    """Return a content without a setup, and whether all else of it is as it was left.

    Raises:
        ConflictError: what was put in is not found in it as it was.
    """

    def all_of(setups: Sequence[SetupEntry], text: str) -> str:
        for each in setups:
            text = _edited(tool_file.told(each, _stand_in(each)), text)
        return text

    def seen(setups: Sequence[SetupEntry]) -> str:
        try:
            return all_of(setups, current)
        except UsageError:
            return current  # it need not be understood to be found unchanged

    before = _text(record)
    rest = record.without(setup).setups
    put_in, target = all_of(record.setups, before), all_of(rest, before)
    now = seen(record.setups)
    if now == put_in and not rest:
        return before, True
    after = taken_out(current, now, put_in, target)
    if after is None and seen(rest) == target:
        return current, True  # a run that was killed has done it
    stand_ins = [each for other in record.setups for each in guises(_stand_in(other))]
    if after is None or any(each in after for each in stand_ins):
        if not _is_there(setup, tool_file, current):
            return current, False  # removed by the change
        raise ConflictError(
            f"{record.path} was changed after the setup, and pat cannot tell which lines it wrote",
            hint=_BY_HAND.format(tool=tool_file.tool.name),
        )
    return after, now == put_in


@cache
def _edited(tool_file: ToolFile, text: str) -> str:
    """Return a content with what the tool is told in it.

    One setup after the other is undone: for each of them the same was put in before.
    """
    return tool_file.edited(text)


def _stand_in(setup: SetupEntry) -> str:
    """Return what stands for a secret where contents are compared: it may be another one by now.

    Each setup has its own: else the secret of one could take the place of another's.
    """
    return f"pat-stand-in-{sha256(setup.about.encode()).hexdigest()[:16]}"


def _is_there(setup: SetupEntry, tool_file: ToolFile, current: str) -> bool:
    """Tell whether any line that only this setup makes is in a content."""
    own = tool_file.told(setup, _stand_in(setup)).edited("")
    feed = setup.feed and f"https://other.invalid/_packaging/other{tool_file.tool.feed.rstrip('/')}"
    other = setup._replace(feed=feed, org_url="https://other.invalid/other")
    common = {line.strip() for line in tool_file.told(other, "other").edited("").splitlines()}
    lines = [line.strip() for line in own.splitlines() if line.strip() not in common]
    plain = [line for line in lines if not any(each in line for each in guises(_stand_in(setup)))]
    if not plain:
        return True
    return any(line in current for line in plain)


def _text(record: SetupRecord) -> str:
    return "" if record.before is None else record.before.decode("utf-8", "surrogateescape")


def _stays(  # what it depends on
    secrets: Sequence[str],
    record: SetupRecord,
    setup: SetupEntry,
    tool_file: ToolFile,
    held: Callable[[SetupEntry], Sequence[str]],
    after: str,
) -> bool:
    """Tell whether a secret that was put in would still be there, as in lines made comments.

    The user's own content may hold the same secret, and what was put in for another feed.
    """
    if not tool_file.tool.keeps_secret:
        return False
    rest = [(each, held(each)) for each in record.without(setup).setups]
    allowed = [_text(record)]
    allowed += [tool_file.told(each, theirs[0]).edited("") for each, theirs in rest if theirs]
    return any(
        after.count(guise) > sum(text.count(guise) for text in allowed)
        for secret in secrets
        for guise in guises(secret)
    )
