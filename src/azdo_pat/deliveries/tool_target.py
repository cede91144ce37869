"""Deliver to the file of a tool that `pat setup` has set up, or to the macOS keychain."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from azdo_pat.deliveries.writable_files import content_to_change
from azdo_pat.errors import NotFoundError, PendingError, StoreError, UsageError
from azdo_pat.files import check_writable, read_text, write_text
from azdo_pat.tools import osxkeychain
from azdo_pat.tools.registry import TOOLS
from azdo_pat.tools.tool import ToolInput

if TYPE_CHECKING:
    from azdo_pat.deliveries.placeholders import DeliveryContext
    from azdo_pat.delivery_targets import ToolTarget
    from azdo_pat.models import Handover


def probe(target: ToolTarget) -> None:
    """Check that the tool's file can be written; the keychain is tried by the delivery alone.

    Raises:
        NotFoundError: its folder does not exist.
        RefusedError: it cannot be read or written.
        UsageError: this version does not know the tool.
    """
    if target.tool == osxkeychain.KEEPER.name:
        return
    if target.tool not in TOOLS:
        raise UsageError(_unknown(target), hint="upgrade pat")
    content_to_change(Path(target.path))


def deliver(target: ToolTarget, handover: Handover, context: DeliveryContext) -> None:
    """Put the secret where the tool looks for it; the rest of the file stays as it is.

    Raises:
        PendingError: the file cannot be read, understood or written; or the keychain not.
    """
    name = target.tool
    if name == osxkeychain.KEEPER.name:
        _into_keychain(handover, context)
        return
    tool = TOOLS.get(name)
    if tool is None:
        raise PendingError(_unknown(target), hint="upgrade pat")
    feed = target.about if tool.feed else ""
    tool_input = ToolInput(secret=handover.secret.reveal(), feed=feed, org_url=handover.org_url)
    file = Path(target.path)
    try:
        with context.writing(file):
            if tool.service:
                context.lend(tool.service(handover.org_url), tool.account, handover.secret)
            before = read_text(file)
            after = tool.changed(before, tool_input)
            if after != before:
                check_writable(file)
                write_text(file, after, mode=0o600 if tool.keeps_secret else None)
    except (StoreError, UsageError) as error:
        place = name if isinstance(error, StoreError) else target.path
        raise PendingError(f"{place}: {error.message}", hint=error.hint) from error


def _unknown(target: ToolTarget) -> str:
    return f"this version of pat does not know the tool {target.tool!r}"


def _into_keychain(handover: Handover, context: DeliveryContext) -> None:
    try:
        for item in osxkeychain.items(handover.org_url):
            osxkeychain.put(item, handover.secret.reveal(), context.environment)
    except (NotFoundError, StoreError, UsageError) as error:
        raise PendingError(error.message, hint=error.hint) from error
