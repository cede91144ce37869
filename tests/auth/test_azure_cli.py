"""The access token of the Azure CLI, from real programs that stand in for `az`."""

import json
import os
import sys
import time
import traceback
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from auth.jwts import NOW, USER, jwt
from azdo_pat.auth.azure_cli import AzureCliSource
from azdo_pat.auth.chain import Absent
from azdo_pat.auth.claims import RESOURCE
from azdo_pat.errors import SignInError
from azdo_pat.models import AccessToken, Secret
from drivers import put_program

TOKEN = jwt(USER)
FOLDER = r"%USERPROFILE%\.azure" if sys.platform == "win32" else "~/.azure"
LOGIN = "to see the cause, run: az account get-access-token; to sign in again, run: az login"

Az = Callable[..., AzureCliSource]


@pytest.fixture
def az(tmp_path: Path) -> Az:
    """Return a function that writes an `az`, in Python, and the source that asks it."""

    def write(script: str, seconds: float = 10.0) -> AzureCliSource:
        put_program(tmp_path / "az", f"import os, sys, time\n{script}\n")
        path = f"{tmp_path}{os.pathsep}{os.environ['PATH']}"
        environment = {**os.environ, "PATH": path, "MARK": "passed on"}
        return AzureCliSource(environment=environment, seconds=seconds)

    return write


def printing(text: str) -> str:
    return f"sys.stdout.write({text!r}); sys.stdout.flush()"


def failing(text: str) -> str:
    return f"sys.exit({text!r})"


def refusal(source: AzureCliSource) -> SignInError:
    """Return what it raises, which shows the token nowhere, not even behind the error."""
    with pytest.raises(SignInError) as caught:
        source.access_token(NOW)
    shown = "".join(traceback.TracebackException.from_exception(caught.value).format())
    link: BaseException | None = caught.value
    while link is not None:
        shown += repr(link) + repr(link.args) + str(link)
        link = link.__cause__ or link.__context__
    assert TOKEN not in shown
    return caught.value


class TestAnswers:
    """What it gives."""

    def test_it_runs_in_its_own_folder_and_finds_its_settings(
        self, az: Az, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Its Python may look for modules where it is started: not in somebody's project."""
        project = tmp_path / "project"
        project.mkdir()
        monkeypatch.chdir(project)
        source = az("sys.exit(os.getcwd() + '|' + os.environ['AZURE_CONFIG_DIR'])")
        source = replace(source, environment={**source.environment, "AZURE_CONFIG_DIR": "own"})
        expected = f"{tmp_path.resolve()}|{project / 'own'}"
        assert os.path.normcase(refusal(source).server_message or "") == os.path.normcase(expected)

    def test_the_token_of_the_signed_in_user(self, az: Az) -> None:
        answer = {"accessToken": TOKEN, "expires_on": 1, "tenant": "t", "tokenType": "Bearer"}
        found = az(printing(json.dumps(answer))).access_token(NOW)
        assert isinstance(found, AccessToken)
        assert "az account clear" in found.sign_in_hint
        assert found._replace(sign_in_hint="") == AccessToken(
            secret=Secret(TOKEN),
            source="Azure CLI",
            user="ada@contoso.example",
            tenant="7f0b9c1e-5d43-4f6a-9a51-2c8e6f1d0b37",
            expires=NOW + timedelta(hours=1),
        )

    def test_how_it_is_asked(self, az: Az, tmp_path: Path) -> None:
        record = tmp_path / "record"
        script = (
            f"record = open({str(record)!r}, 'w')\n"
            "told = os.environ['MARK'], os.environ['AZURE_CORE_NO_COLOR'], sys.stdin.read()\n"
            "record.write('|'.join([*sys.argv[1:], *told]))\n"
            + printing(json.dumps({"accessToken": TOKEN}))
        )
        az(script).access_token(NOW)
        # The end is what stands on its standard input: nothing.
        assert record.read_text("utf-8") == (
            f"account|get-access-token|--resource|{RESOURCE}|-o|json|passed on|true|"
        )

    @pytest.mark.parametrize(
        ("user", "rejected", "expected"),
        [
            ("ada@contoso.example", "another", Secret(TOKEN)),
            ("ada@contoso.example", TOKEN, None),
            ("grace@contoso.example", "another", None),
        ],
        ids=["a different one", "the same one", "of a user who signed in meanwhile"],
    )
    def test_another_in_place_of_one_that_was_rejected(
        self, az: Az, user: str, rejected: str, expected: Secret | None
    ) -> None:
        source = az(printing(json.dumps({"accessToken": TOKEN})))
        before = AccessToken(secret=Secret(rejected), source="Azure CLI", user=user)
        found = source.in_place_of(before, NOW)
        assert (found and found.secret) == expected

    def test_warnings_beside_the_answer_do_not_matter(self, az: Az) -> None:
        script = "print('WARNING: upgrade', file=sys.stderr)\n"
        script += printing(json.dumps({"accessToken": TOKEN}))
        answer = az(script).access_token(NOW)
        assert isinstance(answer, AccessToken)

    def test_a_token_that_it_kept_too_long_is_looked_at_like_any_other(self, az: Az) -> None:
        later = datetime(2026, 6, 16, tzinfo=UTC)
        source = az(printing(json.dumps({"accessToken": TOKEN})))
        with pytest.raises(SignInError, match=r"^the access token from Azure CLI expired at"):
            source.access_token(later)

    @pytest.mark.parametrize(
        "said",
        [
            "ERROR: Please run 'az login' to setup account.",
            'Please run "az login" to access your accounts.',
        ],
    )
    def test_nobody_signed_in(self, az: Az, said: str) -> None:
        source = az(failing(said))
        assert source.access_token(NOW) == Absent(reason="no user is signed in (az login)")

    def test_no_subscription_is_not_the_same_as_no_user(self, az: Az) -> None:
        said = "ERROR: No subscription found. Run 'az account set' to select a subscription."
        source = az(failing(said))
        reason = "no subscription is selected (az account set)"
        assert source.access_token(NOW) == Absent(reason=reason)

    def test_the_configured_tenant_is_asked_for(self, az: Az, tmp_path: Path) -> None:
        record = tmp_path / "record"
        answer = printing(json.dumps({"accessToken": TOKEN}))
        source = az(f"open({str(record)!r}, 'w').write('|'.join(sys.argv[1:]))\n{answer}")
        replace(source, tenant="contoso.example").access_token(NOW)
        assert record.read_text("utf-8").endswith("|-o|json|--tenant|contoso.example")

    @pytest.mark.parametrize("path", ["", "/nonexistent"])
    def test_not_installed(self, path: str) -> None:
        source = AzureCliSource(environment={"PATH": path})
        assert source.access_token(NOW) == Absent(reason="not installed")

    def test_not_installed_without_a_path(self) -> None:
        assert AzureCliSource(environment={}).access_token(NOW) == Absent(reason="not installed")

    @pytest.mark.posix("modes of files")
    def test_a_file_that_is_no_program_is_not_it(self, tmp_path: Path) -> None:
        (tmp_path / "az").write_text("#!/bin/sh\n", "utf-8")
        source = AzureCliSource(environment={"PATH": str(tmp_path)})
        assert source.access_token(NOW) == Absent(reason="not installed")


class TestFailures:
    """What goes wrong; the token is in none of it."""

    @pytest.mark.parametrize(
        ("said", "message", "hint", "line"),
        [
            (
                (
                    "WARNING: something\n"
                    "ERROR: AADSTS70043: The refresh token has expired. Trace ID: 1\n"
                    "Interactive authentication is needed. Please run:\n"
                    f"az login --scope {RESOURCE}/.default"
                ),
                ": the sign-in is too old for the tenant's policy",
                f"run: az login --scope {RESOURCE}/.default",
                "AADSTS70043: The refresh token has expired.",
            ),
            (
                (
                    "AADSTS50076: Due to a configuration change, you must use MFA.\n"
                    "Run the command below to authenticate interactively; additional arguments"
                    ' may be added:\naz logout\naz login --tenant "t" --scope "s"'
                ),
                ": the tenant requires multifactor authentication (MFA)",
                'run: az login --tenant "t" --scope "s"',
                "AADSTS50076: Due to a configuration change, you must use MFA.",
            ),
            (
                "ERROR: AADSTS50020: User account does not exist in tenant 'Fabrikam'.",
                ": the tenant does not know this user",
                "run: az login",
                "AADSTS50020: User account does not exist in tenant 'Fabrikam'.",
            ),
            (
                "ERROR: AADSTS99999: Something new.\nTo re-authenticate, please run:\naz login",
                "",
                "run: az login",
                "AADSTS99999: Something new.",
            ),
            (
                "ERROR: [Errno 13] Permission denied: '/home/ada/.azure/msal_token_cache.json'",
                ": it cannot read its saved sign-in",
                (
                    f"check who owns the files in {FOLDER}; or, to sign in again, run: az"
                    " account clear, then az login"
                ),
                "[Errno 13] Permission denied: '/home/ada/.azure/msal_token_cache.json'",
            ),
            (
                "ERROR: Decryption failed: [Errno 1]. Please run 'az login' to setup account.",
                ": it cannot read its saved sign-in",
                (
                    f"check who owns the files in {FOLDER}; or, to sign in again, run: az"
                    " account clear, then az login"
                ),
                "Decryption failed: [Errno 1]. Please run 'az login' to setup account.",
            ),
            (
                (
                    "ERROR: (pii). Status: Response_Status.Status_Unexpected, Tag: 528\n"
                    "Please explicitly log in with:\naz login"
                ),
                ": the sign-in broker of the system (WAM) failed",
                (
                    "run: az login; if that fails as well, sign in without the broker:"
                    " az config set core.enable_broker_on_windows=false, then az login"
                ),
                "(pii). Status: Response_Status.Status_Unexpected, Tag: 528",
            ),
            (
                f"ERROR: refresh_token=0.AXoA1234567890abcdef {TOKEN} is not good\n",
                "",
                (
                    "to see the cause, run: az account get-access-token; to sign in again, run:"
                    " az login"
                ),
                "refresh_token=*** *** is not good",
            ),
        ],
        ids=["old", "mfa", "tenant", "unknown", "cache", "encrypted", "broker", "secret"],
    )
    def test_it_says_why(self, az: Az, said: str, message: str, hint: str, line: str) -> None:
        error = refusal(az(failing(said)))
        assert error.message == f"the Azure CLI could not get an access token{message}"
        assert (error.hint, error.server_message) == (hint, line)

    @pytest.mark.parametrize(
        ("script", "said"),
        [
            ("sys.exit(3)", "exit status 3"),
            (failing("The command failed"), "The command failed"),
            (f"print({TOKEN!r}); sys.exit(1)", "exit status 1"),
            pytest.param(
                "os.kill(os.getpid(), 9)",
                "exit status -9",
                marks=pytest.mark.posix("signals"),
            ),
        ],
    )
    def test_it_fails(self, az: Az, script: str, said: str) -> None:
        error = refusal(az(script))
        assert error.message == "the Azure CLI could not get an access token"
        assert (error.hint, error.server_message) == (LOGIN, said)

    @pytest.mark.parametrize(
        "output",
        [
            "",
            "garbage",
            TOKEN,
            f'{{"accessToken": "{TOKEN}"',
            json.dumps([TOKEN]),
            json.dumps(TOKEN),
            json.dumps({"accesstoken": TOKEN}),
            json.dumps({"accessToken": None}),
            json.dumps({"accessToken": ""}),
            json.dumps({"accessToken": [TOKEN]}),
            "null",
        ],
    )
    def test_garbage(self, az: Az, output: str) -> None:
        error = refusal(az(printing(output)))
        assert error.message == ("the output of the Azure CLI is not an access token")
        assert error.hint == "to see the output, run: az account get-access-token"

    @pytest.mark.parametrize(
        "script", [r"sys.stdout.buffer.write(b'\377\376')", "print('[' * 200_000)"]
    )
    def test_garbage_that_is_no_text_or_has_no_bottom(self, az: Az, script: str) -> None:
        error = refusal(az(script))
        assert error.message == ("the output of the Azure CLI is not an access token")

    @pytest.mark.parametrize(
        "wait",
        [
            "time.sleep(20)",
            "import subprocess as s; s.run([sys.executable, '-c', 'import time; time.sleep(20)'])",
        ],
    )
    def test_it_hangs(self, az: Az, wait: str) -> None:
        # The second one leaves a child that holds the pipe, as the script around az does.
        source = az(f"{printing(json.dumps({'accessToken': TOKEN}))}\n{wait}", seconds=0.6)
        started = time.monotonic()
        error = refusal(source)
        assert time.monotonic() - started < 5
        assert error.message == "the Azure CLI did not answer within 1 seconds"
        assert error.hint == (
            "to see the cause, run: az account get-access-token; or set PAT_ACCESS_TOKEN"
        )

    @pytest.mark.posix("the first line of a script")
    def test_it_cannot_be_run(self, tmp_path: Path) -> None:
        program = tmp_path / "az"
        program.write_text("#!/no/such/interpreter\n", "utf-8")
        program.chmod(0o755)
        error = refusal(AzureCliSource(environment={"PATH": str(tmp_path)}))
        assert error.message == (
            f"the Azure CLI at {program} cannot be run: No such file or directory"
        )
        assert error.hint == "repair the Azure CLI, or set PAT_ACCESS_TOKEN"


def test_a_listener_is_told_while_it_runs(az: Az) -> None:
    told: list[str] = []

    def wait(what: str, _seconds: float | None = None) -> AbstractContextManager[None]:
        told.append(what)
        return nullcontext()

    source = replace(az(failing("Please run 'az login' to setup account.")), waits=wait)
    assert isinstance(source.access_token(NOW), Absent)
    assert told == ["waiting for the Azure CLI (az)"]
