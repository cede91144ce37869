"""Microsoft's own clients against the emulator, with a token that `pat` made."""

import shutil
import sys
from pathlib import Path

import pytest

from drivers import Emulator, Installed, Result
from e2e.guides import made, run

# A process of its own: the package keeps what it has learned of a URL, in memory and at home.
CLIENT = """
import sys
from azure.devops.connection import Connection
from azure.devops.exceptions import AzureDevOpsAuthenticationError, AzureDevOpsServiceError
from msrest.authentication import BasicAuthentication, BasicTokenAuthentication

url, kind, secret = sys.argv[1:]
basic, bearer = BasicAuthentication("", secret), BasicTokenAuthentication({"access_token": secret})
connection = Connection(base_url=url, creds=basic if kind == "basic" else bearer)
clients = connection.clients_v7_1
try:
    connection.authenticate()
except (AzureDevOpsAuthenticationError, AzureDevOpsServiceError) as error:
    sys.exit(str(error))
user = clients.get_location_client().get_connection_data().authenticated_user
print(user.provider_display_name)
print([each.name for each in connection.clients.get_core_client().get_projects()])
if kind == "bearer":
    print(clients.get_profile_client().get_profile("me").id == user.id)
    accounts = clients.get_accounts_client().get_accounts(member_id=user.id)
    print([each.account_name for each in accounts])
    log = clients.get_audit_client().query_log()
    print([each.details for each in log.decorated_audit_log_entries if each.area == "Token"])
"""
PROJECT_LIST = ("az", "devops", "project", "list", "--query", "value[].name", "-o", "tsv")


def package(pat: Installed, home: Path, url: str, kind: str, secret: str) -> Result:
    return run(pat, home, sys.executable, "-c", CLIENT, f"{url}/contoso", kind, secret)


def test_the_python_package(pat: Installed, emulator: Emulator, home: Path) -> None:
    secret = made(pat, "work", "git")
    done = package(pat, home, emulator.url, "basic", secret)
    assert (done.stdout, done.exit_code) == ("Ada Lovelace\n['fabric']\n", 0), done.stderr
    bearer = emulator.environment["PAT_ACCESS_TOKEN"] or ""
    done = package(pat, home, emulator.url, "bearer", bearer)
    expected = "Ada Lovelace\n['fabric']\nTrue\n['contoso', 'fabrikam']\n"
    expected += """['Personal Access Token "work" was created.']\n"""
    assert (done.stdout, done.exit_code) == (expected, 0), done.stderr
    assert pat("revoke", "work", "--yes").exit_code == 0
    refused = package(pat, home, emulator.url, "basic", secret)
    assert (refused.exit_code, refused.stdout) == (1, "")
    assert "TF400813" in refused.stderr


@pytest.mark.skipif(shutil.which("az") is None, reason="not here: az")
def test_az_devops(pat: Installed, emulator: Emulator, home: Path) -> None:
    version = run(pat, home, "az", "version", "-o", "json")
    if "azure-devops" not in version.stdout:
        pytest.skip("az has no extension azure-devops here")
    secret = made(pat, "work", "git")
    with_secret = Installed({**pat.env, "AZURE_DEVOPS_EXT_PAT": secret})
    organization = ("--org", f"{emulator.url}/contoso")
    listed = run(with_secret, home, *PROJECT_LIST, *organization)
    assert (listed.exit_code, listed.stdout) == (0, "fabric\n"), listed.stderr
    assert pat("revoke", "work", "--yes").exit_code == 0
    refused = run(with_secret, home, *PROJECT_LIST, *organization)
    assert (refused.exit_code, refused.stdout) == (1, "")
