"""The `__main__.py` of the zip archive, instead of shiv's.

shiv creates the folder that it unpacks to with the permissions that the umask leaves. `pat` handles
secrets, so no other user may change the program there. And what is compiled in the archive fits
only the Python that the first line of the archive names.
"""

import os
import sys
from pathlib import Path

import _bootstrap

with Path(sys.argv[0]).open("rb") as archive:
    needed = archive.readline().split()[-1].decode()
if needed != "python{}.{}".format(*sys.version_info):
    sys.exit(f"pat: this archive is for {needed}, run: {needed} {sys.argv[0]}")
folder = Path(os.environ.get("SHIV_ROOT") or "~/.shiv").expanduser()
folder.mkdir(mode=0o700, parents=True, exist_ok=True)
if sys.platform != "win32":
    if folder.stat().st_uid != os.getuid():
        sys.exit(f"pat: {folder} belongs to another user; set SHIV_ROOT to a folder of your own")
    folder.chmod(0o700)
_bootstrap.bootstrap()
