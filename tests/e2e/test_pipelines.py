"""The files that users copy into their pipelines, run by simulated runners and schedulers."""

import base64
import configparser
import os
import re
import shutil
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from xml.etree import ElementTree as ET

import junitparser
import pytest

from drivers import PROGRAM, Emulator, Installed, need
from e2e.simulated import AzurePipelines, GitHubActions, GitLab, Runner
from e2e.stage import accepts, active, create, in_keyring, run
from published import ROOT, snippet

FOUND = "'ci' in contoso: its lifetime is"
LATER = "secret-of-another-machine"
API = "rest --resource 499b84ac-1321-427f-aa17-267ca6975798 --url https://dev.azure.com/"

CARELESS = """\
#!/bin/sh
# A program that prints the secret that it uses, and az also what it sends.
name=$(basename "$0")
echo "$name $*" >>"$HOME/calls"
secret=${AZURE_DEVOPS_EXT_PAT:-${TWINE_PASSWORD:-${NPM_TOKEN:-}}}
printf %s "$secret" >"$HOME/used"
if [ "$name" != npm ]; then echo "using '$secret'"; fi
if [ "$name" = npm ]; then
    # The token may live no longer than this program.
    here=$PAT_API_URL/contoso/_apis/connectionData
    printf 'user = ":%s"' "$secret" | curl -sfK - "$here" >/dev/null && echo published
fi
if [ "$name" = az ]; then echo "sending $(printf ':%s' "$secret" | base64 -w 0)"; fi
"""
SERVICES = [
    pytest.param(AzurePipelines, "azure-pipelines", id="azure-pipelines"),
    pytest.param(GitHubActions, "github-actions", id="github-actions"),
    pytest.param(GitLab, "gitlab-ci", id="gitlab-ci"),
]
Service = Callable[..., AzurePipelines | GitHubActions | GitLab]


def put(home: Path, name: str, text: str = CARELESS) -> None:
    """Put a program on the PATH of the runner."""
    program = home / "bin" / name
    program.parent.mkdir(exist_ok=True)
    program.write_text(text, "utf-8")
    program.chmod(0o700)


@pytest.fixture
def hosted(home: Path) -> dict[str, str]:
    """What a runner of a CI service's has: programs, but neither a sign-in nor a keyring."""
    for name in ("az", "npm", "twine", "pipx", "pip"):
        put(home, name)
    return {"HOME": str(home), "PATH": f"{home / 'bin'}:/usr/bin:/bin"}


@pytest.fixture
def signed_in(bare: dict[str, str], home: Path) -> dict[str, str]:
    """What a self-hosted runner has whose user has run `pat login`."""
    for name in ("az", "npm"):
        put(home, name)
    return bare


def called(home: Path) -> list[str]:
    return (home / "calls").read_text("utf-8").splitlines()


def used(home: Path) -> str:
    """Return the secret that the last of the programs used."""
    return (home / "used").read_text("utf-8")


def check_hidden(runner: Runner, secret: str) -> None:
    """Check that a job succeeded, and that its log shows the secret in no form."""
    assert runner.result == "Succeeded", runner.text
    for form in (secret, base64.b64encode(f":{secret}".encode()).decode()):
        assert form not in runner.text


@pytest.mark.parametrize(("service", "page"), SERVICES[:2])
def test_a_token_for_the_steps_of_a_job(
    emulator: Emulator, signed_in: dict[str, str], home: Path, service: Service, page: str
) -> None:
    job = service(home, signed_in)
    job.run(snippet(page, "token"))
    assert accepts(emulator, used(home))
    check_hidden(job, used(home))
    assert job.log[-2:] == ["using '***'", "sending ***"]
    assert called(home) == ["az devops project list --organization https://dev.azure.com/contoso"]


@pytest.mark.parametrize(("service", "page"), SERVICES)
def test_a_token_for_one_command(
    emulator: Emulator, signed_in: dict[str, str], home: Path, service: Service, page: str
) -> None:
    job = service(home, signed_in)
    job.run(snippet(page, "exec"))
    check_hidden(job, used(home))
    assert "published" in job.log
    assert called(home) == ["npm publish"]
    assert not accepts(emulator, used(home))


def test_a_token_that_is_kept_for_one_command(
    emulator: Emulator, signed_in: dict[str, str], home: Path
) -> None:
    command = ["/bin/bash", "-ec", snippet("gitlab-ci", "keep")]
    assert run(command, signed_in, home) == "published\n"
    assert run(command, signed_in, home) == "published\n"
    assert accepts(emulator, used(home))
    assert len(active(emulator, "publish")) == 1


@pytest.mark.parametrize(("service", "page"), SERVICES)
def test_a_secret_that_another_machine_has_delivered(
    hosted: dict[str, str], home: Path, service: Service, page: str
) -> None:
    job = service(home, hosted, {"AZURE_PAT": LATER})
    job.run(snippet(page, "hosted"))
    assert used(home) == LATER
    check_hidden(job, LATER)
    assert job.log[-1] == "using '***'"


@pytest.mark.parametrize(("service", "page"), SERVICES)
def test_no_personal_access_token(
    hosted: dict[str, str], home: Path, service: Service, page: str
) -> None:
    put(
        home, "az", '#!/bin/sh\necho "$*" >>"$HOME/calls"\nif [ $1 = account ]; then echo eyJ; fi\n'
    )
    put(
        home, "git", f'#!/bin/sh\necho "$*" >>"$HOME/calls"\nexec {shutil.which("git")} config -l\n'
    )
    hosted |= {"AZURE_TENANT_ID": "tenant", "AZURE_CLIENT_ID": "client"}
    job = service(home, hosted)
    if isinstance(job, GitHubActions):
        job = GitHubActions(home, hosted, variables={"AZURE_TENANT_ID": "tenant"})
    job.run(snippet(page, "federation"))
    assert job.result == "Succeeded", job.text
    assert sum(line.startswith(API) for line in called(home)) == 1
    if page == "github-actions":
        assert job.passed_over == ["azure/login"]
        assert (
            "http.https://dev.azure.com/contoso/.extraheader=Authorization: Bearer ***" in job.log
        )
    if page == "gitlab-ci":
        assert called(home)[0].startswith("login --service-principal --tenant tenant")


def test_the_token_of_the_job(hosted: dict[str, str], home: Path) -> None:
    job = AzurePipelines(home, hosted, {"System.AccessToken": LATER})
    job.run(snippet("azure-pipelines", "own-token"))
    assert used(home) == LATER
    assert job.passed_over == ["npmAuthenticate@0"]
    assert called(home)[-1].endswith("--organization https://dev.azure.com/contoso/")


def test_renewal_in_azure_pipelines(
    pat: Installed, emulator: Emulator, bare: dict[str, str], home: Path
) -> None:
    (home / "tokens.toml").write_text(snippet("apply", "apply"), "utf-8")
    deploy = home / "deploy-secret"
    deploy.write_text('#!/bin/sh\n[ "$1" = production ] && cat > deployed\n')
    deploy.chmod(0o700)
    job = AzurePipelines(home, bare)
    job.run(snippet("azure-pipelines", "renew"))
    assert "created 2" in job.log
    deployed = (home / "deployed").read_text()
    assert in_keyring(pat.environment(), emulator, "deploy") == deployed
    assert accepts(emulator, deployed)
    packages = (home / ".env").read_text().removeprefix("AZURE_PACKAGES=").strip()
    assert in_keyring(pat.environment(), emulator, "packages") == packages
    assert stat.S_IMODE((home / ".env").stat().st_mode) == 0o600
    job.run(snippet("azure-pipelines", "renew"))
    assert "kept 2" in job.log


def test_renewal_in_github_actions(emulator: Emulator, bare: dict[str, str], home: Path) -> None:
    put(home, "gh", '#!/bin/sh\necho "$*" > gh-arguments; cat > gh-secret\n')
    job = GitHubActions(home, bare, {"SECRETS_ADMIN": LATER})
    for said in ("created 'ci' in contoso", "kept 'ci' in contoso"):
        job.run(snippet("github-actions", "renew"))
        assert any(line.startswith(said) for line in job.log)
    assert (home / "gh-arguments").read_text() == "secret set AZURE_PAT --repo contoso/app\n"
    check_hidden(job, (home / "gh-secret").read_text())
    assert accepts(emulator, (home / "gh-secret").read_text())
    assert len(active(emulator, "ci")) == 1


def test_check_in_azure_pipelines(watched: dict[str, str], home: Path) -> None:
    job = AzurePipelines(home, watched)
    job.run(snippet("azure-pipelines", "check"))
    [(severity, text)] = job.issues
    assert (job.result, severity) == ("SucceededWithIssues", "warning")
    assert text.startswith(FOUND)
    assert "\n| warning | <code>ci</code> | contoso |" in job.summary


def test_check_in_github_actions(watched: dict[str, str], home: Path) -> None:
    job = GitHubActions(home, watched)
    job.run(snippet("github-actions", "check"))
    [(severity, text)] = job.issues
    assert (job.result, severity) == ("Succeeded", "warning")
    assert text.startswith(FOUND)
    assert "\n| warning | <code>ci</code> | contoso |" in job.summary


@pytest.mark.parametrize(
    ("service", "page", "mark"),
    [(AzurePipelines, "azure-pipelines", "junit"), (GitLab, "gitlab-ci", "check")],
)
def test_check_as_test_results(
    watched: dict[str, str], home: Path, service: Service, page: str, mark: str
) -> None:
    job = service(home, watched)
    job.run(snippet(page, mark))
    assert job.result == "Failed"
    [suite] = junitparser.JUnitXml.fromfile(str(home / "tokens.xml"))
    assert [(case.classname, case.name, len(case.result)) for case in suite] == [
        ("contoso", "ci", 1)
    ]


INCLUDED = [
    pytest.param(AzurePipelines, snippet("azure-pipelines", "template"), id="azure-pipelines"),
    pytest.param(GitHubActions, snippet("github-actions", "action"), id="github-actions"),
]
ADMIN = re.compile(r"( *(org|adminToken|admin-token): .*\n)+")


@pytest.fixture
def without_pat(home: Path) -> Path:
    """Let python3 make an environment with this `pat`, as pip would from this repository."""
    lines = [
        "#!/bin/sh",
        "for last; do :; done",
        'case "$2 $*" in',
        f'venv*) mkdir -p "$4/bin"; ln -sf {PROGRAM} "$4/bin/pat"; cp "$0" "$4/bin/python" ;;',
        '*--require-hashes*) cp "$last" "$HOME/pinned" ;;',
        'pip*--no-index*) cd "$last" && pwd -P >"$HOME/installed" ;;',
        "esac",
    ]
    put(home, "python3", "\n".join(lines))
    (home / "azdo-pat-source").symlink_to(ROOT)  # what the checkout of the template makes
    return home / "installed"


@pytest.mark.parametrize(("service", "pipeline"), INCLUDED)
def test_check_what_is_stored_without_installing_pat(
    watched: dict[str, str], home: Path, without_pat: Path, service: Service, pipeline: str
) -> None:
    (home / "bin" / "pat").unlink()
    here = ADMIN.sub("", pipeline)
    job = service(home, watched)
    job.run(here)
    assert without_pat.read_text() == f"{ROOT}\n"
    pinned = (home / "pinned").read_bytes()
    assert pinned == (ROOT / "pipelines/requirements.txt").read_bytes()
    assert job.result in {"Succeeded", "SucceededWithIssues"}, job.text
    assert [severity for severity, _ in job.issues] == ["warning"]
    assert "\n| warning | <code>ci</code> | contoso |" in job.summary
    job = service(home, watched)
    job.run(re.sub("(fail-on|failOn): error", r"\1: long-lived", here))
    assert job.result == "Failed"
    job = service(home, {**watched, "PAT_STATE_DIR": str(home / "new")})
    job.run(here)
    assert (job.result, job.issues) == (
        "Failed",
        [
            (
                "error",
                "no secret is stored for the user of this runner, so there are no tokens to check",
            )
        ],
    )


@pytest.mark.parametrize(("service", "pipeline"), INCLUDED)
def test_check_the_tokens_of_all_users_without_a_sign_in(
    emulator: Emulator,
    hosted: dict[str, str],
    home: Path,
    without_pat: Path,
    service: Service,
    pipeline: str,
) -> None:
    secret = emulator.add_with_secret("inventory", scope="vso.tokenadministration vso.graph")
    hosted |= {"PAT_API_URL": emulator.url}
    job = service(home, hosted, {"patAdminToken": secret, "AZURE_ADMIN_PAT": secret})
    job.run(pipeline)
    assert without_pat.exists()
    assert "old laptop" in job.summary, job.text
    assert job.result == "Failed"  # a token for all organizations is an error
    assert secret not in job.text + job.summary


@pytest.mark.parametrize(("service", "pipeline"), INCLUDED)
def test_inputs_are_never_run(
    watched: dict[str, str], home: Path, without_pat: Path, service: Service, pipeline: str
) -> None:
    evil = f'"; touch {home}/evidence; $(touch {home}/evidence) `touch {home}/evidence`'
    text = ADMIN.sub("", pipeline)
    job = service(home, watched)
    job.run(re.sub("(fail-on|failOn): error", lambda found: f"{found[1]}: '{evil}'", text))
    assert without_pat.exists()
    assert job.result == "Failed"
    assert "is neither a level nor a kind of finding" in job.text
    assert not (home / "evidence").exists()


def test_delivery_to_gitlab(pat: Installed, emulator: Emulator, home: Path) -> None:
    put(home, "deliver-to-gitlab", snippet("gitlab-ci", "deliver"))
    put(
        home,
        "glab",
        '#!/bin/sh\necho "$*" >>"$HOME/calls"\ncat >"$HOME/used"\n'
        'if [ "$2" = set ]; then touch "$HOME/there"; fi\n[ -e "$HOME/there" ]\n',
    )
    path = {"PATH": f"{home / 'bin'}:{os.environ['PATH']}"}
    target = "command:deliver-to-gitlab contoso/app AZURE_PAT"
    ran = pat("ensure", "ci", "--scope", "code", "--deliver", target, env=path)
    assert ran.exit_code == 0, ran.stderr
    assert pat("rotate", "ci", env=path).exit_code == 0
    options = "AZURE_PAT --repo contoso/app --masked"
    update, create_ = f"variable update {options}", f"variable set {options}"
    assert called(home) == [update, create_, update]
    assert in_keyring(pat.environment(), emulator, "ci") == used(home)


@contextmanager
def jenkins_server() -> Iterator[tuple[str, list[tuple[str, str, str]]]]:
    """Take what is posted: the path, the Authorization header and the body."""
    posted: list[tuple[str, str, str]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            posted.append((self.path, self.headers["Authorization"], body))
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base's name
            del format, args

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", posted
        server.shutdown()


def test_delivery_to_jenkins(pat: Installed, emulator: Emulator, home: Path) -> None:
    put(home, "deliver-to-jenkins", snippet("jenkins", "deliver"))
    (home / ".netrc").write_text("machine 127.0.0.1 login ada password its-api-token\n")
    path = {"PATH": f"{home / 'bin'}:{os.environ['PATH']}"}
    with jenkins_server() as (url, posted):
        target = f"command:deliver-to-jenkins {url} azure-pat"
        ran = pat("ensure", "ci", "--scope", "code", "--deliver", target, env=path)
    assert ran.exit_code == 0, ran.stderr
    [(where, who, body)] = posted
    assert where == "/credentials/store/system/domain/_/credential/azure-pat/config.xml"
    assert who == f"Basic {base64.b64encode(b'ada:its-api-token').decode()}"
    fields = {each.tag: each.text for each in ET.fromstring(body)}  # noqa: S314  # our own
    assert fields["id"] == "azure-pat"
    assert fields["secret"] == in_keyring(pat.environment(), emulator, "ci")


def jenkins(
    request: pytest.FixtureRequest, mark: str, env: dict[str, str], home: Path, *, code: int = 0
) -> str:
    """Run a Jenkinsfile of the page, with stand-ins for its steps."""
    java, groovy = shutil.which("java"), shutil.which("groovy")
    need(request.config, [] if java and groovy else ["groovy"])
    (home / "Jenkinsfile").write_text(snippet("jenkins", mark), "utf-8")
    there = {"JAVA_HOME": str(Path(java or "").resolve().parents[1])}
    stand_in = Path(__file__).with_name("jenkins.groovy")
    return run([groovy or "", stand_in, "Jenkinsfile"], env | there, home, code=code)


def test_a_token_for_one_command_in_jenkins(
    request: pytest.FixtureRequest, emulator: Emulator, signed_in: dict[str, str], home: Path
) -> None:
    log = jenkins(request, "exec", signed_in, home)
    assert called(home) == ["npm publish"]
    assert "published\n" in log
    assert not accepts(emulator, used(home))
    assert used(home) not in log


def test_a_credential_of_jenkins(
    request: pytest.FixtureRequest, hosted: dict[str, str], home: Path
) -> None:
    log = jenkins(request, "hosted", hosted | {"azure_pat": LATER}, home)
    assert used(home) == LATER
    assert "using '****'\n" in log


def test_check_in_jenkins(
    request: pytest.FixtureRequest, watched: dict[str, str], home: Path
) -> None:
    assert "junit: 1 failed\n" in jenkins(request, "check", watched, home, code=1)


def test_a_build_of_an_image(
    emulator: Emulator, pat: Installed, bare: dict[str, str], home: Path
) -> None:
    """Run the commands of the page; what BuildKit would mount is a file here, or a variable."""
    assert pat("create", "packages", "--for", "packages").exit_code == 0
    put(home, "docker", '#!/bin/sh\necho "$*" >>"$HOME/calls"\nenv -0 >"$HOME/environment"\n')
    put(home, "pip", '#!/bin/sh\nprintf %s "$PIP_INDEX_URL" >used\n')
    put(home, "npm", '#!/bin/sh\nprintf %s "$NPM_TOKEN_BASE64" | base64 -d >used\n')
    secret = in_keyring(pat.environment(), emulator, "packages") or "none"
    feed = "pkgs.dev.azure.com/contoso/_packaging/feed/pypi/simple/"
    for dockerfile, command, expected in (
        ("mount", "build", f"https://pat:{secret}@{feed}"),
        ("variable", "build-npm", secret),
    ):
        assert run(["/bin/sh", "-ec", snippet("dockerfile", command)], bare, home) == ""
        environment = (home / "environment").read_text().split("\0")
        [(identifier, variable)] = re.findall(r"--secret id=(\w+),env=(\w+)", called(home)[-1])
        [mounted] = [
            each.removeprefix(f"{variable}=")
            for each in environment
            if each.startswith(f"{variable}=")
        ]
        last = snippet("dockerfile", dockerfile).partition("RUN --mount=type=secret,")[2]
        options, _, script = last.partition(" ")
        (home / identifier).write_text(mounted)
        own = {"env=" + variable: {variable: mounted}, "": {}}
        assert options.partition(",")[0] == f"id={identifier}"
        env = {"HOME": str(home), "PATH": bare["PATH"], **own[options.partition(",")[2]]}
        script = script.removeprefix("\\\n").replace("/run/secrets", str(home))
        assert run(["/bin/sh", "-ec", script], env, home) == ""
        assert used(home) == expected
    assert secret not in (home / "calls").read_text()


def cron_lines() -> list[str]:
    """Return the commands of the crontab, each of which has the five fields of a time before it."""
    lines = snippet("scheduler", "cron").splitlines()
    for line in lines:
        assert re.match(r"\d+ [\d,]+ \* \* \* [A-Z~]", line)
        assert "%" not in line  # which cron takes for a line end
    return [line.split(maxsplit=5)[5] for line in lines]


def at_home(home: Path) -> None:
    """Put `pat` where pipx and uv put it."""
    local = home / ".local" / "bin"
    local.mkdir(parents=True)
    (local / "pat").symlink_to(PROGRAM)


def test_renewal_by_cron(
    pat: Installed, emulator: Emulator, bare: dict[str, str], home: Path
) -> None:
    create(pat, "ci")
    at_home(home)
    address = bare.pop("DBUS_SESSION_BUS_ADDRESS")
    command = cron_lines()[0].replace("unix:path=/run/user/$(id -u)/bus", f"'{address}'")
    assert address in command
    env = {name: text for name, text in bare.items() if name != "XDG_RUNTIME_DIR"}
    before = in_keyring(pat.environment(), emulator, "ci")
    assert run(["/bin/sh", "-c", command], env, home) == ""
    assert in_keyring(pat.environment(), emulator, "ci") == before
    said = run(["/bin/sh", "-c", f"{command} --within 13h -o none"], env, home)
    assert said == ""
    after = in_keyring(pat.environment(), emulator, "ci")
    assert after not in {None, before}
    assert len(active(emulator, "ci")) == 1


def test_check_by_cron(pat: Installed, watched: dict[str, str], home: Path) -> None:
    at_home(home)
    command = cron_lines()[1]
    said = run(["/bin/sh", "-c", command], watched, home, code=10)
    assert FOUND.partition(": ")[2] in said
    assert pat("update", "ci", "--expires", "30d", "-q", "-o", "none").exit_code == 0
    assert run(["/bin/sh", "-c", command], watched, home) == ""


def systemd_command(name: str, home: Path) -> list[str]:
    """Let systemd read the two units; return what the service starts."""
    service = configparser.ConfigParser(interpolation=None)
    service.read_string(snippet("scheduler", f"{name}-service"))
    timer = configparser.ConfigParser(interpolation=None)
    timer.read_string(snippet("scheduler", f"{name}-timer"))
    assert service["Service"]["Type"] == "oneshot"
    assert timer["Timer"]["Persistent"] == "true"
    at_home(home)
    if shutil.which("systemd-analyze"):
        run(["systemd-analyze", "calendar", timer["Timer"]["OnCalendar"]], dict(os.environ), home)
    return service["Service"]["ExecStart"].replace("%h", str(home)).split()


def test_renewal_by_systemd(
    pat: Installed, emulator: Emulator, bare: dict[str, str], home: Path
) -> None:
    create(pat, "ci")
    before = in_keyring(pat.environment(), emulator, "ci")
    start = systemd_command("renew", home)
    assert "renewed 1 token\n" in run([*start, "--within", "13h"], bare, home)
    assert in_keyring(pat.environment(), emulator, "ci") != before


def test_check_by_systemd(watched: dict[str, str], home: Path) -> None:
    run(systemd_command("check", home), watched, home, code=10)
