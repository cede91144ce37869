"""Detect and open the user's web browser."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from azdo_pat.executables import searched_safely

if TYPE_CHECKING:
    from collections.abc import Mapping


def has_browser(environment: Mapping[str, str]) -> bool:
    """Return whether the user would see a browser that is opened here."""
    if environment.get("BROWSER"):
        return True
    if any(environment.get(name) for name in ("SSH_CONNECTION", "SSH_CLIENT", "SSH_TTY")):
        return False
    return sys.platform in {"darwin", "win32"} or any(
        environment.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "WSL_DISTRO_NAME")
    )


def open_page(url: str) -> bool:
    """Open a page in the browser; return False if that failed."""
    import webbrowser

    try:
        with searched_safely():
            return webbrowser.open(url)
    except webbrowser.Error:
        return False
