"""How this project checks itself; `nox --list` tells. Dependencies come from pyproject.toml."""

import os
import platform
import shutil
from itertools import chain
from pathlib import Path

import nox
from nox.virtualenv import PassthroughEnv
from packaging.requirements import Requirement

PYPROJECT = nox.project.load_toml("pyproject.toml")
PYTHONS = nox.project.python_versions(PYPROJECT)

SIDE_BY_SIDE = ("-n", str(2 * (os.cpu_count() or 1)), "--dist", "worksteal")
"""Most of the time of a test is waiting for programs and time limits."""
REAL = ("-n", "auto", "--dist", "worksteal")
"""Real programs want a processor each: some of these tests look at the clock."""
AGAIN = "--hypothesis-profile=quick"
"""Fewer examples on a Python that is not the first: what they find is seldom a matter of that."""

LOCKS = {
    "pipelines/requirements.txt": (),
    "release/requirements.txt": ("--all-extras", "--group=release"),
}
"""What is installed where its code could do harm: with an administrator's token, to a release."""

nox.needs_version = ">=2025.2.9"
nox.options.sessions = ["tests", "lint", "docs"]
nox.options.default_venv_backend = "virtualenv"
nox.options.error_on_missing_interpreters = False  # test on the Pythons that are here


def install(session: nox.Session, group: str, *constraints: str) -> None:
    """Install the project with its extras and one of its dependency groups.

    With `--no-venv` it is there already: in the group `dev`, which has all others in it.
    """
    if isinstance(session.virtualenv, PassthroughEnv):
        return
    packages = nox.project.dependency_groups(PYPROJECT, group)
    session.install("-e", ".[emulator,github,report]", *packages, *constraints)


@nox.session(python=PYTHONS)
def tests(session: nox.Session) -> None:
    """Run the tests; what needs programs that are not here is skipped, and says so."""
    install(session, "tests")
    again = [] if session.python == PYTHONS[0] else [AGAIN]
    session.run("pytest", *SIDE_BY_SIDE, *again, *session.posargs)


@nox.session
def lint(session: nox.Session) -> None:
    """Check format, style, types, import directions, and the files for pipelines and releases."""
    install(session, "dev")
    session.run("ruff", "format", "--check")
    session.run("ruff", "check")
    for system in ("linux", "win32", "darwin"):
        session.run("mypy", "--platform", system)
    session.run("lint-imports")
    session.run("pytest", "--require-components", "tests/test_pipelines.py")
    workflow = ".github/workflows/release.yml"
    session.run("check-jsonschema", "--builtin-schema", "vendor.github-workflows", workflow)
    session.run("zizmor", "--offline", "--quiet", ".github")
    if platform.system() == "Linux":
        session.run("hadolint", "release/Containerfile")


@nox.session
def docs(session: nox.Session) -> None:
    """Check that what is made from the program is up to date; build the site; check its links."""
    install(session, "docs")
    session.run("python", "docs/generate.py", "--check")
    session.run("mkdocs", "build", "--strict", env={"NO_MKDOCS_2_WARNING": "1"})
    pages = ("tests/test_docs.py", "tests/test_commands.py", "tests/test_site.py")
    session.run("pytest", *SIDE_BY_SIDE, *pages, *session.posargs)


@nox.session
def e2e(session: nox.Session) -> None:
    """Drive the installed pat with a real keyring, git and terminal (Debian packages: .ci/run)."""
    install(session, "e2e")
    session.run("pytest", "-m", "e2e", "--require-components", *REAL, *session.posargs)


@nox.session
def contract(session: nox.Session) -> None:
    """Let schemathesis look for answers of the emulator that break its OpenAPI description."""
    install(session, "contract")
    session.run("pytest", "-m", "contract", "--require-components", *session.posargs)


@nox.session(python=PYTHONS[0])
def minimums(session: nox.Session) -> None:
    """Run the tests on the oldest Python with the oldest versions that we say will do."""
    constraints = Path(session.virtualenv.location, "minimums.txt")
    constraints.write_text("\n".join(oldest()), "utf-8")
    install(session, "tests", "--constraint", str(constraints))
    session.run("pytest", *SIDE_BY_SIDE, AGAIN, *session.posargs)


@nox.session(python=PYTHONS[0])
def windows(session: nox.Session) -> None:
    """Run the main job and the tests in a Windows Python, under Wine; see tests/windows/run.py."""
    machine = platform.system(), platform.machine()
    root = hasattr(os, "geteuid") and os.geteuid() == 0
    if machine != ("Linux", "x86_64") or not (shutil.which("wine") or root):
        session.skip("Wine is not installed, and this is not root on an x86_64 Debian to do that")
    session.run("python", "-m", "windows.run", *session.posargs, env={"PYTHONPATH": "tests"})


@nox.session
def package(session: nox.Session) -> None:
    """Build sdist and wheel, judge them, and install the wheel on each Python that is here."""
    install(session, "release")
    session.run("python", "release/package.py", "dist/package")


@nox.session(python=PYTHONS[0])
def bundle(session: nox.Session) -> None:
    """Build the single folder and the zip archive, and do the main job with each."""
    install(session, "release")
    session.run("python", "release/bundle.py", "dist/bundle")
    job = ("tests/e2e/test_bundles.py", "--bundles", "dist/bundle")
    session.run("pytest", "-m", "e2e", "--require-components", *REAL, *job, *session.posargs)


@nox.session
def locks(session: nox.Session) -> None:
    """Renew the versions and hashes of what the action and a release install."""
    session.install("uv")
    build = Path(session.create_tmp(), "build.in")
    build.write_text("\n".join(PYPROJECT["build-system"]["requires"]), "utf-8")
    for target, options in LOCKS.items():
        command = ("uv", "pip", "compile", "--quiet", "--upgrade", "--universal", "--no-annotate")
        how = ("--generate-hashes", f"--python-version={PYTHONS[0]}", "--no-emit-index-url")
        header = "--custom-compile-command=nox -s locks"
        session.run(*command, *how, header, "-o", target, "pyproject.toml", str(build), *options)


@nox.session
def bench(session: nox.Session) -> None:
    """Measure against the yardsticks in docs/performance.md."""
    install(session, "tests")
    session.run("python", "benchmarks/run.py", *session.posargs)


def oldest() -> list[str]:
    """Turn each lower bound of a run-time dependency into the only version allowed."""
    project = PYPROJECT["project"]
    lines = chain(project["dependencies"], *project["optional-dependencies"].values())
    return [
        f"{requirement.name}=={bound.version}"
        for requirement in map(Requirement, lines)
        for bound in requirement.specifier
        if bound.operator == ">="
    ]
