"""Commands that install packages, for hints; each fits how `pat` or a program is installed."""

from __future__ import annotations

import json
import sys
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit
from urllib.request import url2pathname

from azdo_pat.command_lines import quoted
from azdo_pat.installation import bundle

_NAME: Final = "azdo-pat"


def source() -> str | None:
    """Return what installs this `pat` elsewhere: a path, an address, or its name on an index.

    None if that is not known, as in a bundle, or if the folder or the file is not there any more.

    Source: PEP 610, "Recording the Direct URL Origin of installed distributions".
    """
    if bundle():
        return None  # what is recorded in it is a folder of those who built it
    try:
        recorded = distribution(_NAME).read_text("direct_url.json")
        return _NAME if recorded is None else _of_origin(json.loads(recorded))
    except (PackageNotFoundError, OSError, ValueError, TypeError, LookupError):
        return None


def _of_origin(origin: dict[str, Any]) -> str | None:
    """Return what pip takes for an origin in the form of PEP 610."""
    url, below = origin["url"], origin.get("subdirectory", "")
    if system := origin.get("vcs_info"):
        fragment = f"#subdirectory={below}" if below else ""
        return f"{system['vcs']}+{url}@{system['commit_id']}{fragment}"
    parts = urlsplit(url)
    if parts.scheme != "file":
        return str(url)
    server = "" if parts.netloc in {"", "localhost"} else f"//{parts.netloc}"
    path = Path(url2pathname(server + parts.path), below)
    return str(path) if path.exists() else None


def adding(*packages: str, to: Path | None = None) -> str:
    """Return the command that adds packages to an environment.

    Args:
        packages: names, paths or addresses.
        to: the Python of that environment; by default the one that `pat` runs in.
    """
    to = to or Path(sys.executable)
    environment, added = _environment(to), " ".join(map(quoted, packages))
    if (environment / "pipx_metadata.json").exists():
        return f"pipx inject {quoted(environment.name)} {added}"
    python = quoted(str(to))
    if is_virtual(to) and not _has_pip(environment):  # as uv makes them
        return f"uv pip install --python {python} {added}"
    if sys.platform == "win32" and python[0] in "'\"":
        # PowerShell does not start a program whose name is in quotes.
        return f"py -m pip --python {python} install {added}"
    return f"{python} -m pip install {added}"


def program_with(program: str, package: str) -> str:
    """Return the command that installs a program for the user, and a package for it to import.

    It is one of uv if that has installed this `pat`, as there may be no pipx then.
    """
    added = quoted(package)
    if (_environment(Path(sys.executable)) / "uv-receipt.toml").exists():
        return f"uv tool install {program} --with {added}"
    return f"pipx install {program}, then: pipx inject {program} {added}"


def is_virtual(python: Path) -> bool:
    """Return whether a Python belongs to a virtual environment; see PEP 405."""
    return (_environment(python) / "pyvenv.cfg").exists()


def _environment(python: Path) -> Path:
    return python.parent.parent


def _has_pip(environment: Path) -> bool:
    libraries = "Lib" if sys.platform == "win32" else "lib/python*"
    return any(environment.glob(f"{libraries}/site-packages/pip"))
