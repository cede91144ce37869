import json
import sys
from base64 import b64decode, b64encode
from pathlib import Path

import pytest

from azdo_pat.errors import UnavailableError
from azdo_pat.formats import Format, SecretForm, Shell
from azdo_pat.models import Secret
from azdo_pat.output.secret_request import SecretRequest
from azdo_pat.output.secret_writers import literal, secret_text, tell_runner
from azdo_pat.output.serialize import pat_document
from azdo_pat.results.tokens import StoredSecret
from output.samples import LAPTOP, NOW, shown

HELD = StoredSecret(pat=LAPTOP, secret=Secret("s3cret-é"))


def test_token_is_the_secret_alone() -> None:
    assert secret_text(HELD, SecretRequest(SecretForm.TOKEN), NOW) == "s3cret-é"


def test_basic_is_the_base64_of_an_empty_user_and_the_secret() -> None:
    text = secret_text(HELD, SecretRequest(SecretForm.BASIC), NOW)
    assert b64decode(text, validate=True).decode() == ":s3cret-é"


def test_header_is_a_whole_header() -> None:
    basic = secret_text(HELD, SecretRequest(SecretForm.BASIC), NOW)
    assert (
        secret_text(HELD, SecretRequest(SecretForm.HEADER), NOW) == f"Authorization: Basic {basic}"
    )


def test_json_is_the_token_object_and_last_the_secret() -> None:
    document = json.loads(secret_text(HELD, SecretRequest(SecretForm.JSON), NOW))
    assert document == {**pat_document(LAPTOP, NOW), "token": "s3cret-é"}
    assert list(document)[-1] == "token"


@pytest.mark.parametrize("form", list(Format))
def test_a_secret_is_printed_the_same_in_every_format(form: Format) -> None:
    text = shown(lambda renderer: renderer.secret(HELD, SecretRequest(SecretForm.TOKEN)), form=form)
    assert text == "s3cret-é\n"


PLAIN = StoredSecret(
    pat=LAPTOP, secret=Secret("abc123"), org_url=f"https://dev.azure.com/{LAPTOP.org or ''}"
)
ODD = StoredSecret(
    pat=LAPTOP, secret=Secret("a'b $c%\\"), org_url="https://tfs.example.com:8443/Default"
)


def basic(user: str, secret: str) -> str:
    return b64encode(f"{user}:{secret}".encode()).decode()


@pytest.mark.parametrize(
    ("shell", "plain", "odd"),
    [
        (Shell.SH, "A=abc123\nexport A", "A='a'\"'\"'b $c%\\'\nexport A"),
        (Shell.FISH, "set -gx A 'abc123'", "set -gx A 'a\\'b $c%\\\\'"),
        (Shell.POWERSHELL, "$env:A = 'abc123'", "$env:A = 'a''b $c%\\'"),
    ],
)
def test_env_is_quoted_for_the_shell(shell: Shell, plain: str, odd: str) -> None:
    secret_request = SecretRequest(SecretForm.ENV, ("A",), shell)
    assert secret_text(PLAIN, secret_request, NOW) == plain
    assert secret_text(ODD, secret_request, NOW) == odd


def test_powershell_ends_a_text_at_typographic_quotes_too() -> None:
    text = "it\u2019s \u2018a\u201a b\u201b $(c)"
    assert literal(text, Shell.POWERSHELL) == (
        "'it\u2019\u2019s \u2018\u2018a\u201a\u201a b\u201b\u201b $(c)'"
    )


def test_env_sets_each_name() -> None:
    text = secret_text(PLAIN, SecretRequest(SecretForm.ENV, ("A", "B")), NOW)
    assert text == "A=abc123\nexport A\nB=abc123\nexport B"


def test_dotenv() -> None:
    secret_request = SecretRequest(SecretForm.DOTENV)
    assert secret_text(PLAIN, secret_request, NOW) == "AZURE_DEVOPS_EXT_PAT=abc123"
    assert secret_text(ODD, secret_request, NOW) == 'AZURE_DEVOPS_EXT_PAT="a\'b \\$c%\\\\"'
    spaced = StoredSecret(pat=LAPTOP, secret=Secret("a b"))
    assert secret_text(spaced, secret_request, NOW) == "AZURE_DEVOPS_EXT_PAT='a b'"


def test_netrc_names_every_host_that_takes_the_token() -> None:
    hosts = [
        "dev.azure.com",
        "pkgs.dev.azure.com",
        f"{LAPTOP.org}.visualstudio.com",
        f"{LAPTOP.org}.pkgs.visualstudio.com",
    ]
    assert secret_text(PLAIN, SecretRequest(SecretForm.NETRC), NOW).splitlines() == [
        f"machine {host} login pat password abc123" for host in hosts
    ]
    server = StoredSecret(pat=LAPTOP, secret=Secret("x1"), org_url=ODD.org_url)
    assert secret_text(server, SecretRequest(SecretForm.NETRC), NOW) == (
        "machine tfs.example.com login pat password x1"
    )


def test_azure_pipelines_masks_each_form_before_it_sets_a_variable() -> None:
    lines = secret_text(PLAIN, SecretRequest(SecretForm.AZURE_PIPELINES, ("A", "B.C")), NOW)
    org = LAPTOP.org or ""
    masked = [
        "abc123",
        b64encode(b"abc123").decode(),
        *(basic(user, "abc123") for user in ("", "pat", org, "VssSessionToken")),
    ]
    assert lines.splitlines() == [
        *(f"##vso[task.setsecret]{text}" for text in masked),
        "##vso[task.setvariable variable=A;issecret=true]abc123",
        "##vso[task.setvariable variable=B.C;issecret=true]abc123",
    ]
    assert "issecret=true]a'b $c%AZP25\\" in secret_text(
        ODD, SecretRequest(SecretForm.AZURE_PIPELINES), NOW
    )


def test_a_line_that_has_no_end_in_the_runners_file(tmp_path: Path) -> None:
    file = tmp_path / "env"
    file.write_text("X=1", "utf-8")
    secret_request = SecretRequest(
        form=SecretForm.GITHUB_ACTIONS, names=("MY_PAT",), file=str(file)
    )
    tell_runner(PLAIN, secret_request)
    tell_runner(PLAIN, secret_request)
    secret = PLAIN.secret.reveal()
    assert file.read_text("utf-8") == f"X=1\nMY_PAT={secret}\nMY_PAT={secret}\n"


def test_github_actions_masks_first_and_then_writes_the_file(tmp_path: Path) -> None:
    file = tmp_path / "env"
    file.write_text("OTHER=1\n")
    secret_request = SecretRequest(SecretForm.GITHUB_ACTIONS, ("A",), file=str(file))
    lines = secret_text(PLAIN, secret_request, NOW).splitlines()
    assert lines[0] == "::add-mask::abc123"
    assert {line.partition("::add-mask::")[0] for line in lines} == {""}
    assert len(lines) == 6
    assert file.read_text() == "OTHER=1\n"
    assert shown(lambda renderer: renderer.secret(PLAIN, secret_request)).splitlines() == lines
    assert file.read_text() == "OTHER=1\nA=abc123\n"


def test_a_runners_file_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    secret_request = SecretRequest(SecretForm.GITHUB_ACTIONS, file=str(tmp_path))
    with pytest.raises(UnavailableError) as caught:
        shown(lambda renderer: renderer.secret(PLAIN, secret_request))
    reason = "Permission denied" if sys.platform == "win32" else "Is a directory"
    assert caught.value.message == f"cannot write to the file that GITHUB_ENV names: {reason}"
