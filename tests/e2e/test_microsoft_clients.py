"""Microsoft's own clients against the emulator, with a token that `pat` made."""

import os
import shutil
import sys
from pathlib import Path

import pytest

from azdo_pat.emulator.run import Options, start
from drivers import Emulator, Installed, Result
from e2e.guides import made, run
from e2e.hosts import running as stand_in
from e2e.stage import captured

OTHER_TENANT = "c2a6e0d4-93b1-4e7f-8d25-6b0f4a1c7e58"
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
ADMINISTRATOR = """
import sys
from azure.devops.connection import Connection
from azure.devops.v7_1.graph.models import GraphSubjectQuery
from azure.devops.v7_1.token_admin.models import TokenAdminRevocation, TokenAdminRevocationRule
from msrest.authentication import BasicAuthentication

url, secret = sys.argv[1:]
clients = Connection(base_url=url, creds=BasicAuthentication("", secret)).clients_v7_1
graph, administration = clients.get_graph_client(), clients.get_token_admin_client()

users, continuation = [], None
while not users or continuation:
    page = graph.list_users(subject_types=["aad", "msa"], continuation_token=continuation)
    users += page.graph_users
    continuation = page.continuation_token
print(len(users), sorted({user.meta_type for user in users}))
query = GraphSubjectQuery(query="grace", subject_kind=["User"])
(grace,) = graph.query_subjects(query)
print(grace.display_name, graph.get_user(grace.descriptor).principal_name)


def tokens(descriptor, is_public=False):
    found, continuation = [], None
    while not found or continuation:
        page = administration.list_personal_access_tokens(
            descriptor, page_size=2, continuation_token=continuation, is_public=is_public
        )
        found += page.value
        continuation = page.continuation_token
    return found


def shown():
    print([(token.display_name, token.is_valid) for token in tokens(grace.descriptor)])


shown()
revocations = [
    TokenAdminRevocation(authorization_id=token.authorization_id)
    for token in tokens(grace.descriptor)[:2]
]
administration.revoke_authorizations(revocations)
shown()
print([key.display_name for key in tokens(grace.descriptor, is_public=True)])
administration.create_revocation_rule(TokenAdminRevocationRule(scopes="vso.code"))
log = clients.get_audit_client().query_log()
for details in sorted(each.details for each in log.decorated_audit_log_entries):
    print(details)
"""
LIBRARY = """
import sys
from azure.devops.connection import Connection
from azure.devops.v7_1.service_endpoint.models import ServiceEndpoint
from azure.devops.v7_1.task_agent.models import VariableGroupParameters, VariableValue
from msrest.authentication import BasicAuthentication

url, secret = sys.argv[1:]
clients = Connection(base_url=url, creds=BasicAuthentication("", secret)).clients_v7_1
tasks, endpoints = clients.get_task_agent_client(), clients.get_service_endpoint_client()


def told(group):
    return {name: (each.value, each.is_secret) for name, each in group.variables.items()}


(group,) = tasks.get_variable_groups("fabric", group_name="ci-*", action_filter="manage")
group = tasks.get_variable_group("FABRIC", group.id)
for name, variable in told(group).items():
    print(name, *variable)
group.variables["AZURE_DEVOPS_PAT"] = VariableValue(value="new", is_secret=True)
changed = tasks.update_variable_group(group, group.id)
print(told(changed) == told(group) | {"AZURE_DEVOPS_PAT": (None, True)})
print(changed.modified_on > group.modified_on, changed.modified_by.display_name)
wanted = VariableGroupParameters(
    name="another",
    type="Vsts",
    variables={"A": VariableValue(value="a")},
    variable_group_project_references=group.variable_group_project_references,
)
for reference in wanted.variable_group_project_references:
    reference.name = "another"
added = tasks.add_variable_group(wanted)
print([each.name for each in tasks.get_variable_groups("fabric")])
fabric = added.variable_group_project_references[0].project_reference.id
tasks.delete_variable_group(added.id, [fabric])
print(tasks.get_variable_group("fabric", added.id))

(listed,) = endpoints.get_service_endpoints_by_names("fabric", ["fabrikam"])
endpoint = endpoints.get_service_endpoint_details("fabric", listed.id)
print(listed.authorization.parameters, endpoint.authorization.parameters)
(kind,) = endpoints.get_service_endpoint_types(type=endpoint.type, scheme="Token")
(scheme,) = [each for each in kind.authentication_schemes if each.scheme == "Token"]
print([(each.id, each.is_confidential) for each in scheme.input_descriptors])
endpoint.authorization.parameters["apitoken"] = "new"
changed = endpoints.update_service_endpoint(endpoint, endpoint.id)
print(changed.is_ready, changed.authorization.parameters, changed.url)
references = endpoint.service_endpoint_project_references
references[0].name = "another"
another = ServiceEndpoint(
    name="another",
    type="externaltfs",
    authorization=endpoint.authorization,
    service_endpoint_project_references=references,
)
added = endpoints.create_service_endpoint(another)
print([each.name for each in endpoints.get_service_endpoints("fabric")])
endpoints.delete_service_endpoint(added.id, [fabric])
print(endpoints.get_service_endpoint_details("fabric", added.id))
"""
VAULT = """
import sys
from azure.core.credentials import AccessToken
from azure.core.exceptions import HttpResponseError
from azure.keyvault.secrets import SecretClient

tokens = dict(zip(("7f0b9c1e-5d43-4f6a-9a51-2c8e6f1d0b37", sys.argv[2]), sys.argv[3:]))


class Credential:
    def get_token(self, *scopes, tenant_id="", **options):
        print(scopes, list(tokens).index(tenant_id))
        return AccessToken(tokens[tenant_id], 1 << 40)


client = SecretClient(f"https://{sys.argv[1]}.vault.azure.net", Credential())
client.set_secret("pat", "first", content_type="text/plain", tags={"team": "build"})
first = client.get_secret("pat")
print(first.value, first.properties.content_type, first.properties.tags)
second = client.set_secret("pat", "second").properties
print(client.get_secret("pat").value, second.tags, second.vault_url)
print(client.get_secret("pat", first.properties.version).value)
client.update_secret_properties("pat", tags={"a": "b"})
print(len(list(client.list_properties_of_secret_versions("pat", max_page_size=1))))
deleted = client.begin_delete_secret("pat").result()
for work in (lambda: client.get_secret("pat"), lambda: client.set_secret("pat", "third")):
    try:
        work()
    except HttpResponseError as error:
        print(error.status_code, error.error.code)
print((client.get_deleted_secret("pat").scheduled_purge_date - deleted.deleted_date).days)
client.begin_recover_deleted_secret("pat").wait()
print(client.get_secret("pat").properties.tags)
client.begin_delete_secret("pat").wait()
client.purge_deleted_secret("pat")
client.set_secret("pat", "third")
"""
PROJECT_LIST = ("az", "devops", "project", "list", "--query", "value[].name", "-o", "tsv")


def package(pat: Installed, home: Path, url: str, kind: str, secret: str) -> Result:
    return run(pat, home, sys.executable, "-c", CLIENT, f"{url}/contoso", kind, secret)


def test_the_python_package(pat: Installed, emulator: Emulator, home: Path) -> None:
    secret = made(pat, "work", "git")
    done = package(pat, home, emulator.url, "basic", secret)
    assert (done.stdout, done.exit_code) == ("Ada Lovelace\n['fabric', 'Web Shop']\n", 0), (
        done.stderr
    )
    bearer = emulator.environment["PAT_ACCESS_TOKEN"] or ""
    done = package(pat, home, emulator.url, "bearer", bearer)
    expected = "Ada Lovelace\n['fabric', 'Web Shop']\nTrue\n['contoso', 'fabrikam']\n"
    expected += """['Personal Access Token "work" was created.']\n"""
    assert (done.stdout, done.exit_code) == (expected, 0), done.stderr
    assert pat("revoke", "work", "--yes").exit_code == 0
    refused = package(pat, home, emulator.url, "basic", secret)
    assert (refused.exit_code, refused.stdout) == (1, "")
    assert "TF400813" in refused.stderr


def test_the_python_package_of_an_administrator(
    pat: Installed, emulator: Emulator, home: Path
) -> None:
    scopes = ("vso.tokenadministration", "vso.graph", "vso.auditlog")
    arguments = [word for scope in scopes for word in ("--scope", scope)]
    assert pat("create", "admin", *arguments).exit_code == 0
    secret = pat("get", "admin").stdout.strip()
    emulator.invent_users(1200)
    emulator.add_tokens(3, user="grace", name="hers {n}")
    emulator.add_tokens(user="grace", name="her key", ssh=True)
    url = f"{emulator.url}/contoso"
    chosen = ("--user", "grace@contoso.example", "--name", "hers 3", "--yes", "--with", "admin")
    assert pat("admin", "revoke", *chosen).exit_code == 0
    done = run(pat, home, sys.executable, "-c", ADMINISTRATOR, url, secret)
    expected = """\
1204 ['guest', 'member']
Grace Hopper grace@contoso.example
[("grace's own", True), ('hers 1', True), ('hers 2', True), ('hers 3', False)]
[("grace's own", False), ('hers 1', False), ('hers 2', True), ('hers 3', False)]
['her key']
Personal Access Token "admin" was created.
Personal Access Token "grace's own" was revoked.
Personal Access Token "hers 1" was revoked.
Personal Access Token "hers 3" was revoked.
"""
    assert (done.stdout, done.exit_code) == (expected, 0), done.stderr


def made_for_libraries(pat: Installed) -> str:
    """Make a token that may change variable groups and service connections."""
    scopes = ("vso.variablegroups_manage", "vso.serviceendpoint_manage")
    arguments = [word for scope in scopes for word in ("--scope", scope)]
    assert pat("create", "libraries", *arguments).exit_code == 0
    return pat("get", "libraries").stdout.strip()


def test_the_python_package_of_variable_groups_and_service_connections(
    pat: Installed, emulator: Emulator, home: Path
) -> None:
    secret = made_for_libraries(pat)
    done = run(pat, home, sys.executable, "-c", LIBRARY, f"{emulator.url}/contoso", secret)
    expected = """\
AZURE_DEVOPS_PAT None True
FEED_URL https://pkgs.dev.azure.com/contoso/_packaging/feed None
SIGNING_KEY None True
True
True Ada Lovelace
['another', 'ci-secrets']
None
None {'apitoken': None}
[('apitoken', True)]
True {'apitoken': None} https://dev.azure.com/fabrikam
['fabrikam', 'another']
None
"""
    assert (done.stdout, done.exit_code) == (expected, 0), done.stderr
    assert emulator.variables("ci-secrets") == {
        "AZURE_DEVOPS_PAT": "new",
        "FEED_URL": "https://pkgs.dev.azure.com/contoso/_packaging/feed",
        "SIGNING_KEY": "not a real key",
    }
    assert emulator.parameters("fabrikam") == {"apitoken": "new"}


def need_az_devops(pat: Installed, home: Path) -> None:
    """Skip a test where there is no `az` with the extension for Azure DevOps."""
    version = run(pat, home, "az", "version", "-o", "json") if shutil.which("az") else None
    if version is None or "azure-devops" not in version.stdout:
        pytest.skip("not here: az with the extension azure-devops")


@pytest.mark.parametrize(("vault", "used"), [("contoso-ci", 0), ("tailspin-ci", 1)])
def test_the_python_package_of_key_vault(tmp_path: Path, vault: str, used: int) -> None:
    with start(Options(vaults=True)) as running, stand_in(Emulator(running), tmp_path) as hosts:
        emulator = hosts.emulator
        resource = "https://vault.azure.net"
        tokens = [
            emulator.mint("user", resource=resource, user=who) for who in ("ada", "ada-abroad")
        ]
        command = [sys.executable, "-c", VAULT, vault, OTHER_TENANT, *tokens]
        done = captured(command, {**os.environ, **hosts.environment}, cwd=tmp_path)
        assert done.exit_code == 0, done.stderr
        assert (
            done.stdout
            == f"""\
('{resource}/.default',) {used}
first text/plain {{'team': 'build'}}
second None https://{vault}.vault.azure.net
first
2
404 SecretNotFound
409 Conflict
90
{{'a': 'b'}}
"""
        )
        assert [each["value"] for each in emulator.vault_secrets(vault)["pat"]] == ["third"]


def test_az_devops(pat: Installed, emulator: Emulator, home: Path) -> None:
    need_az_devops(pat, home)
    secret = made(pat, "work", "git")
    with_secret = Installed({**pat.env, "AZURE_DEVOPS_EXT_PAT": secret})
    organization = ("--org", f"{emulator.url}/contoso")
    listed = run(with_secret, home, *PROJECT_LIST, *organization)
    assert (listed.exit_code, listed.stdout) == (0, "fabric\nWeb Shop\n"), listed.stderr
    assert pat("revoke", "work", "--yes").exit_code == 0
    refused = run(with_secret, home, *PROJECT_LIST, *organization)
    assert (refused.exit_code, refused.stdout) == (1, "")


def test_az_pipelines(pat: Installed, emulator: Emulator, home: Path) -> None:
    """It reads a whole group and sends it back, secrets without a value."""
    need_az_devops(pat, home)
    with_secret = Installed({**pat.env, "AZURE_DEVOPS_EXT_PAT": made_for_libraries(pat)})
    group = ("az", "pipelines", "variable-group")
    place = ("--org", f"{emulator.url}/contoso", "--project", "fabric", "-o", "tsv")
    listed = run(with_secret, home, *group, "list", *place, "--query", "[].name")
    assert (listed.exit_code, listed.stdout) == (0, "ci-secrets\n"), listed.stderr
    wanted = ("--group-id", "1", "--name", "azure_devops_pat", "--value", "new")
    changed = run(with_secret, home, *group, "variable", "update", *wanted, *place)
    assert changed.exit_code == 0, changed.stderr
    assert emulator.variables("ci-secrets") == {
        "AZURE_DEVOPS_PAT": "new",
        "FEED_URL": "https://pkgs.dev.azure.com/contoso/_packaging/feed",
        "SIGNING_KEY": "not a real key",
    }
