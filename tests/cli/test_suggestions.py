"""A misspelt name gets the nearest ones, in every command and without a further request."""

import pytest

from drivers import Emulator, InProcess

STORED = "did you mean laptop? to see what is stored"
LISTED = "did you mean laptop? names are case-sensitive"


@pytest.fixture
def laptop(pat: InProcess) -> str:
    """Store a token."""
    assert pat("create", "laptop", "--for", "git", "-q", "-o", "none").exit_code == 0
    return "laptop"


def hint(pat: InProcess, *args: str, code: int) -> str:
    """Return the first line below the message of an error."""
    result = pat(*args)
    assert (result.exit_code, result.stdout) == (code, ""), result
    return result.stderr.splitlines()[1].strip()


@pytest.mark.usefixtures("laptop")
@pytest.mark.parametrize(
    "args",
    [
        ("get", "lapto"),
        ("forget", "lapto"),
        ("deliver", "lapto"),
        ("exec", "LAPTOP", "--", "true"),
        ("admin", "list", "--all-users", "--with", "lapto"),
    ],
    ids=" ".join,
)
def test_of_a_stored_token(args: tuple[str, ...], pat: InProcess, emulator: Emulator) -> None:
    before = len(emulator.requests)
    assert hint(pat, *args, code=3).startswith(STORED)
    assert len(emulator.requests) == before


@pytest.mark.usefixtures("laptop")
@pytest.mark.parametrize(
    "args",
    [
        ("show", "lapto"),
        ("rotate", "Laptop"),
        ("revoke", "lapto", "--yes"),
        ("update", "lapto", "--expires", "3d"),
    ],
    ids=" ".join,
)
def test_of_a_listed_token(args: tuple[str, ...], pat: InProcess) -> None:
    assert hint(pat, *args, code=3).startswith(LISTED)


@pytest.mark.usefixtures("laptop")
def test_of_a_token_that_is_checked(pat: InProcess) -> None:
    assert hint(pat, "check", "--stored", "lapto", code=3).startswith("did you mean laptop? ")
    assert hint(pat, "check", "lapto", code=3).startswith("did you mean laptop? ")


def test_of_a_token_to_set_up_with(pat: InProcess, emulator: Emulator) -> None:
    feed = f"{emulator.url}/contoso/_packaging/libs/npm/registry/"
    assert pat("create", "feeds", "--for", "packages", "-q", "-o", "none").exit_code == 0
    said = hint(pat, "setup", "npm", "--feed", feed, "--use", "feed", code=3)
    assert said.startswith("did you mean feeds? to create one, run: pat create feed ")


@pytest.mark.usefixtures("laptop")
def test_of_a_token_to_explain(pat: InProcess) -> None:
    said = pat("explain", "lapto")
    assert said.exit_code == 3
    assert "did you mean laptop? check the name in the mail" in said.stderr


@pytest.mark.usefixtures("laptop")
@pytest.mark.parametrize("args", [("list",), ("create", "x", "--for", "git"), ("check",)])
def test_of_an_organization(args: tuple[str, ...], pat: InProcess) -> None:
    assert hint(pat, *args, "--org", "contos", code=3) == (
        "did you mean contoso? to list your organizations, run: pat status"
    )


@pytest.mark.usefixtures("laptop")
def test_a_token_of_another_organization_is_found(pat: InProcess) -> None:
    said = hint(pat, "get", "laptop", "--org", "contos", code=3)
    assert said.startswith("one is stored for contoso: add --org contoso; ")


@pytest.mark.parametrize(
    ("args", "code", "said"),
    [
        (("setup", "gti"), 2, "did you mean git? it knows git, "),
        (("scopes", "cod_write"), 3, "did you mean vso.code_write? "),
    ],
)
def test_of_other_words(args: tuple[str, ...], code: int, said: str, pat: InProcess) -> None:
    assert hint(pat, *args, code=code).startswith(said)


def test_of_an_option(pat: InProcess) -> None:
    said = pat("list", "--exprng", "3d")
    assert (said.exit_code, said.stderr.splitlines()[0]) == (
        2,
        "pat: No such option '--exprng'. Did you mean --expiring?",
    )
    assert pat("list", "--xyzzy").stderr.startswith("pat: No such option '--xyzzy'\n")
