"""What is printed for a shell, read by that shell itself."""

import shutil

import pytest

from drivers import Installed, need
from e2e.stage import shell


@pytest.fixture
def secret(pat: Installed) -> str:
    """Store a secret; return it."""
    assert pat("create", "ci", "--scope", "code").exit_code == 0
    return pat("get", "ci").stdout.strip()


@pytest.mark.parametrize(
    ("program", "line"),
    [
        ("bash", 'eval "$(pat get ci --as env --var A --var B --shell sh)"; echo "$A $B"; env'),
        ("dash", 'eval "$(pat get ci --as env --var A --var B --shell sh)"; echo "$A $B"; env'),
        ("fish", "pat get ci --as env --var A --var B --shell fish | source; echo $A $B; env"),
    ],
)
def test_the_variables_are_set_and_exported(
    program: str, line: str, pat: Installed, secret: str, request: pytest.FixtureRequest
) -> None:
    need(request.config, [] if shutil.which(program) else [program])
    ran = shell(pat, 'exec "$@"', program, "-c", line)
    first, *environment = ran.stdout.splitlines()
    assert (ran.exit_code, first) == (0, f"{secret} {secret}"), ran.stderr
    assert {f"A={secret}", f"B={secret}"} <= set(environment)


def test_fish_completes(pat: Installed, secret: str, request: pytest.FixtureRequest) -> None:
    need(request.config, [] if shutil.which("fish") else ["fish"])
    assert secret
    line = 'pat completion fish | source; complete -C "pat get c"; complete -C "pat setu"'
    ran = shell(pat, 'exec "$@"', "fish", "-c", line)
    assert ran.stdout.splitlines() == [
        "ci\tcontoso",
        "setup\tConfigure git, npm, pip, NuGet, Maven... to use a token.",
    ], ran
