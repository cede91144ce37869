"""The `__main__.py` of the zip archive, instead of shiv's.

`pat` handles secrets, so no other user may change the program where it is unpacked. shiv creates
that folder with the permissions that the umask leaves, and follows any link. What is compiled in
the archive fits only the Python that the first line of the archive names.
"""

import os
import shlex
import stat
import sys
from pathlib import Path

import _bootstrap


def check_python(archive: Path) -> None:
    """Exit if this is not the Python that the archive is for."""
    with archive.open("rb") as file:
        needed = file.readline().split()[-1].decode()
    if needed != "python{}.{}".format(*sys.version_info):
        version = needed.removeprefix("python")
        windows = sys.platform == "win32"
        command = f'py -{version} "{archive}"' if windows else shlex.join([needed, str(archive)])
        sys.exit(f"pat: this archive is for Python {version}, run: {command}")


def folder_to_unpack_to() -> Path:
    """Return the folder that shiv will use, which only the user can read or change.

    shiv takes what begins with `$` for the name of a variable, and a relative path is another
    folder wherever `pat` starts.

    Raises:
        OSError: it cannot be created.
        RuntimeError: the home folder of the user is not known.
    """
    folder = Path(os.environ.get("SHIV_ROOT") or "~/.shiv").expanduser()
    if not folder.is_absolute():
        sys.exit(f"pat: SHIV_ROOT must be an absolute path, and {str(folder)!r} is not")
    if sys.platform == "win32":
        folder.mkdir(parents=True, exist_ok=True)
    else:
        check_owners(folder)
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        check_owners(folder)  # what has been created since
        folder.chmod(0o700)
    return folder


def check_owners(folder: Path) -> None:
    """Exit if another user could put something else in the place of a folder, or has."""
    if sys.platform != "win32":
        # In a container, the files of the machine's root may seem to belong to the user `nobody`.
        trusted = {0, os.getuid(), Path("/").stat().st_uid}
        real = folder.resolve()
        for each in (folder, *folder.parents, real, *real.parents):
            if not os.path.lexists(each):
                continue
            found = each.lstat()
            own = trusted if each != real else {os.getuid()}
            anyone = stat.S_ISDIR(found.st_mode) and found.st_mode & stat.S_IWOTH
            if found.st_uid not in own:
                problem = "belongs to another user"
            elif anyone and not found.st_mode & stat.S_ISVTX and each != real:
                problem = "can be changed by any user"
            else:
                continue
            sys.exit(f"pat: {each} {problem}; set SHIV_ROOT to a folder of your own")


def unpack(root: Path) -> None:
    """Unpack the archive, unless it is; shiv does it in one step, so never a part of it.

    Raises:
        OSError: there is no space, or the user has no right to write there.
    """
    with _bootstrap.current_zipfile() as archive:
        read = archive.read("environment.json").decode()
        settings = _bootstrap.Environment.from_json(read)
        target = _bootstrap.cache_path(archive, str(root), settings.build_id)
        packages = target / "site-packages"
        if settings.force_extract or not packages.exists():
            _bootstrap.extract_site_packages(
                archive,
                target,
                settings.compile_pyc,
                settings.compile_workers,
                settings.force_extract,
            )
    os.environ.pop("SHIV_FORCE_EXTRACT", None)  # it is done, also for programs that pat starts
    if not packages.exists():
        sys.exit(f"pat: {target} is not complete: delete it, and start pat again")


def main() -> None:
    """Prepare the folder, then let shiv start `pat` in it."""
    check_python(Path(sys.argv[0]))
    try:
        unpack(folder_to_unpack_to())
    except KeyboardInterrupt:
        sys.exit(130)
    except (OSError, RuntimeError) as error:
        sys.exit(f"pat: its folder cannot be prepared: {error}; to use another, set SHIV_ROOT")
    _bootstrap.bootstrap()


main()
