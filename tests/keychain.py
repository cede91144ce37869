"""A stand-in for git's helper for the macOS keychain, which keeps what it is told in a file.

It does as git's own: it gives what is kept for a host and a user, or for any user of a host;
erases only what has the password that it is told; and keeps the end of a password's life behind
the password. `OLD` makes it one from before git 2.46, which stores nothing over what is there.
"""

import json
import os
import sys
from pathlib import Path

HELPER = f"""#!{sys.executable}
import json, os, pathlib, sys

file = pathlib.Path(os.environ["KEYCHAIN"])
held = json.loads(file.read_text()) if file.exists() else {{}}
if "LOCKED" in os.environ:
    sys.exit("failed to get: -25308")
told = dict(line.split("=", 1) for line in sys.stdin.read().splitlines() if line)
host = told["protocol"] + "://{{}}@" + told["host"]
users = [told["username"]] if "username" in told else ["pat", "contoso"]
place = next((each for each in map(host.format, users) if each in held), host.format(users[0]))
if sys.argv[1] == "get" and place in held:
    print("username=" + users[0], "password=" + held[place], sep="\\n")
elif sys.argv[1] == "store" and not ("OLD" in os.environ and place in held):
    ends = told.get("password_expiry_utc")
    held[place] = told["password"] + (f"\\npassword_expiry_utc={{ends}}" if ends else "")
elif sys.argv[1] == "erase" and held.get(place) == told.get("password"):
    held.pop(place, None)
file.write_text(json.dumps(held))
"""


class Keychain:
    """What the stand-in for git's helper keeps."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "keychain.json"
        program = folder / "git-credential-osxkeychain"
        program.write_text(HELPER, "utf-8")
        program.chmod(0o755)
        self.env = {
            "PATH": f"{folder}{os.pathsep}{os.environ['PATH']}",
            "KEYCHAIN": str(self.file),
        }

    @property
    def held(self) -> dict[str, str]:
        """The passwords, by place."""
        found: dict[str, str] = json.loads(self.file.read_text("utf-8"))
        return found

    def put(self, place: str, password: str) -> None:
        """Let somebody else have put a password there."""
        self.file.write_text(json.dumps({place: password}), "utf-8")
