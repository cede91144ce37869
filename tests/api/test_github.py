"""The client of GitHub against a server that decrypts what it is sent."""

from collections.abc import Iterator
from typing import Any

import pytest
import responses
from nacl.public import PublicKey, SealedBox

from api.stage import Hands, client
from azdo_pat.api.addresses import github as address
from azdo_pat.api.github import GitHubSecret
from azdo_pat.api.http import Http
from azdo_pat.delivery_targets import GitHubTarget
from azdo_pat.errors import PatError, RefusedError, UnavailableError, UsageError
from azdo_pat.models import AccessToken, Secret
from github_server import TOKEN, GitHub, running

REPOSITORY = "repos/contoso/web/actions"
ORGANIZATION = "orgs/contoso/actions"
ALWAYS = 9


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GitHub]:
    with running(tmp_path_factory.mktemp("github")) as started:
        yield started


@pytest.fixture
def github(server: GitHub) -> GitHub:
    fresh = GitHub(server.host, server.authority)
    vars(server).update(vars(fresh))
    return server


def target(github: GitHub, place: str = "contoso/web", app: str = "actions") -> GitHubTarget:
    """Return a target by its place, as users write it."""
    path, _, environment = place.partition("@")
    owner, _, repository = path.partition("/")
    return GitHubTarget(owner, repository, environment, "ADO_PAT", app, github.host)


def secret(
    github: GitHub, place: str = "contoso/web", app: str = "actions", hands: Hands | None = None
) -> GitHubSecret:
    hands = hands or Hands()
    http = Http(
        api_root=None,
        access_token=lambda: AccessToken(Secret("not-for-github"), source="the test"),
        timeout=(5.0, 5.0),
        ca_bundle=str(github.authority),
        sleep=hands.sleep,
        clock=hands.clock,
        version="1.2.3",
        headers={},
    )
    token = AccessToken(Secret(TOKEN), source="the test")
    return GitHubSecret(http, target(github, place, app), token)


def seal(key: bytes) -> bytes:
    return bytes(SealedBox(PublicKey(key)).encrypt(b"value"))


def failure(github: GitHub, place: str = "contoso/web") -> PatError:
    """Return what the check of a place raises."""
    with pytest.raises(PatError) as caught:
        secret(github, place).require_place()
    return caught.value


@pytest.mark.parametrize(
    ("host", "root", "is_hosted"),
    [
        ("github.com", "https://api.github.com", True),
        ("contoso.ghe.com", "https://api.contoso.ghe.com", True),
        ("github.example.com", "https://github.example.com/api/v3", False),
        ("localhost:8443", "https://localhost:8443/api/v3", False),
        ("github.com.evil.example", "https://github.com.evil.example/api/v3", False),
        ("evilgithub.com", "https://evilgithub.com/api/v3", False),
        ("evilghe.com", "https://evilghe.com/api/v3", False),
    ],
)
def test_the_api_of_each_host(host: str, root: str, is_hosted: bool) -> None:  # noqa: FBT001 - a row
    assert address(host) == (root, is_hosted)


@pytest.mark.parametrize(
    "host",
    ["api.github.com", "www.github.com", "github.com:443", "ghe.com", "a.b.ghe.com", "a.ghe.com:1"],
)
def test_a_host_that_users_do_not_sign_in_to(host: str) -> None:
    with pytest.raises(UsageError, match="is not a GitHub host"):
        address(host)


@responses.activate
def test_what_is_sent_to_github_itself() -> None:
    root = "https://api.github.com/repos/contoso/web"
    responses.get(root, json={"archived": False})
    responses.get(f"{root}/actions/secrets/public-key", json={"key_id": "1", "key": "A" * 43 + "="})
    at = GitHubTarget("contoso", "web", "", "ADO_PAT")
    token = AccessToken(Secret(TOKEN), source="the test")
    GitHubSecret(client(None).http, at, token).require_place()
    sent = [each.request.headers for each in responses.calls]
    assert [each["Authorization"] for each in sent] == [f"Bearer {TOKEN}"] * 2
    assert {each["X-GitHub-Api-Version"] for each in sent} == {"2022-11-28"}


@pytest.mark.parametrize("app", ["actions", "codespaces", "dependabot"])
@pytest.mark.parametrize("place", ["contoso/web", "contoso"])
def test_what_is_put_is_read(github: GitHub, place: str, app: str) -> None:
    path = f"{'repos' if '/' in place else 'orgs'}/{place}/{app}"
    made = secret(github, place, app)
    made.require_place()
    assert made.read() is None
    assert made.put(seal) is None
    assert github.value(path, "ADO_PAT") == "value"
    found = made.read()
    assert found is not None
    assert (found.visibility, found.just_set) == ("private" if place == "contoso" else "", True)
    visibility, chosen = ("selected", (5, 7)) if place == "contoso" else ("", ())
    github.put(path, "ADO_PAT", visibility=visibility, repositories=list(chosen))
    before = made.put(seal)
    assert before is not None
    assert (before.visibility, before.repositories, before.just_set) == (visibility, chosen, False)
    after = made.read()
    assert after is not None
    assert (after.visibility, after.repositories, after.just_set) == (visibility, chosen, True)


def test_who_may_use_a_secret_is_read_right_before_it_is_set(github: GitHub) -> None:
    secret(github, "contoso").put(seal)
    assert [each.path.rpartition("/")[2] for each in github.visits] == [
        "public-key",
        "ADO_PAT",
        "ADO_PAT",
    ]
    assert [each.method for each in github.visits] == ["GET", "GET", "PUT"]


def test_a_repository_whose_name_the_service_writes_in_another_case(github: GitHub) -> None:
    secret(github, "Contoso/Web").put(seal)
    assert github.value(REPOSITORY, "ADO_PAT") == "value"


def test_a_key_that_is_replaced_after_it_was_read(github: GitHub) -> None:
    github.fail("PUT", "/ADO_PAT", before=github.place(REPOSITORY).renew_key)
    secret(github).put(seal)
    assert github.value(REPOSITORY, "ADO_PAT") == "value"
    assert [each.status for each in github.visits if each.method == "PUT"] == [422, 201]


def test_keys_that_are_replaced_all_the_time(github: GitHub) -> None:
    github.fail("PUT", "/ADO_PAT", before=github.place(REPOSITORY).renew_key, times=ALWAYS)
    with pytest.raises(RefusedError, match="did not accept what was sent"):
        secret(github).put(seal)
    assert len(github.asked("PUT")) == 2


def test_a_refusal_that_another_key_does_not_change(github: GitHub) -> None:
    github.fail("PUT", "/ADO_PAT", status=422)
    with pytest.raises(RefusedError, match="did not accept what was sent"):
        secret(github).put(seal)
    assert len(github.asked("PUT")) == 1


@pytest.mark.parametrize("status", [403, 429])
def test_a_pause_that_github_asks_for(github: GitHub, status: int) -> None:
    hands = Hands()
    github.fail("PUT", "/ADO_PAT", status=status, headers={"Retry-After": "60"})
    secret(github, hands=hands).put(seal)
    assert github.value(REPOSITORY, "ADO_PAT") == "value"
    assert sum(hands.slept) == pytest.approx(60, abs=1)


@pytest.mark.parametrize("status", [502, 503, 504])
def test_a_change_is_sent_again(github: GitHub, status: int) -> None:
    github.fail("PUT", "/ADO_PAT", status=status)
    secret(github).put(seal)
    assert github.value(REPOSITORY, "ADO_PAT") == "value"


@pytest.mark.parametrize(
    ("place", "message"),
    [
        ("contoso/gone", "there is no repository contoso/gone on localhost:"),
        ("contoso/web@gone", "there is no environment 'gone' in contoso/web on localhost:"),
        ("fabrikam", "there is no organization fabrikam on localhost:"),
    ],
)
def test_a_place_that_does_not_exist(github: GitHub, place: str, message: str) -> None:
    found = failure(github, place)
    assert found.exit_code == 3
    assert message in found.message
    assert "or the token from the test cannot see its secrets" in found.message


@pytest.mark.parametrize(
    ("rights", "place", "code", "needed", "said"),
    [
        (set(), "contoso/web", 5, "Secrets", "localhost asks for: secrets=read"),
        ({"secrets:write"}, "contoso/web@production", 5, "Environments", "environments=read"),
        ({"secrets:write"}, "contoso", 5, "Secrets", "organization_secrets=read"),
        ({"classic:gist", "classic:user"}, "contoso/web", 3, "Secrets", "this one has: gist, user"),
        ({"classic:repo"}, "contoso", 3, "Secrets", "this one has: repo"),
    ],
)
def test_a_token_without_the_right(
    github: GitHub, rights: set[str], place: str, code: int, needed: str, said: str
) -> None:
    github.rights[TOKEN] = rights
    found = failure(github, place)
    assert found.exit_code == code
    assert "the token from the test cannot" in found.message
    of, scope = ("repository", "repo") if "/" in place else ("organization", "admin:org")
    assert (
        f"a fine-grained token needs the {of} permission {needed} (read and write), a classic one"
        f" the scope {scope}; " in found.hint
    )
    assert found.hint.replace(github.host, "localhost").endswith(said)


@pytest.mark.parametrize(
    ("app", "permission"),
    [("codespaces", "Codespaces secrets"), ("dependabot", "Dependabot secrets")],
)
def test_the_right_to_other_secrets(github: GitHub, app: str, permission: str) -> None:
    github.rights[TOKEN] = {"secrets:write"}
    with pytest.raises(RefusedError) as caught:
        secret(github, app=app).require_place()
    assert f"the repository permission {permission} (read and write)" in caught.value.hint


def test_a_token_that_is_not_accepted(github: GitHub) -> None:
    github.rights.clear()
    found = failure(github)
    assert found.exit_code == 4
    assert found.message == f"{github.host} did not accept the token from the test"
    assert f"gh auth login --hostname {github.host}; or set GH_ENTERPRISE_TOKEN" in found.hint


def test_a_repository_that_is_archived(github: GitHub) -> None:
    github.repositories["contoso/web"].archived = True
    found = failure(github)
    assert (found.exit_code, "contoso/web is archived" in found.message) == (5, True)
    with pytest.raises(RefusedError, match="contoso/web is archived"):
        secret(github).put(seal)


def test_a_repository_that_was_renamed(github: GitHub) -> None:
    github.repositories["contoso/web"].moved = True
    found = failure(github)
    assert (found.exit_code, found.message) == (
        3,
        "repository contoso/web has been renamed or moved",
    )
    assert github.asked("GET") == ["/repos/contoso/web"]


@pytest.mark.parametrize(
    ("fault", "code", "message"),
    [
        ({"status": 500}, 11, "failed (HTTP 500)"),
        ({"status": 502}, 11, "failed (HTTP 502)"),
        ({"status": 409}, 6, "cannot change the secret right now"),
        ({"status": 418}, 5, "refused the request (HTTP 418)"),
        ({"status": 407}, 11, "the proxy requires a user name and password"),
        ({"status": 429}, 11, "accepts no more requests for now (HTTP 429); try again in 1 min"),
        (
            {
                "status": 403,
                "headers": {
                    "Date": "Tue, 01 Dec 2026 00:00:00 GMT",
                    "X-RateLimit-Remaining": "0",
                    "X-RateLimit-Reset": "1796084400",
                },
            },
            11,
            "accepts no more requests for now (HTTP 403); try again in 20 min",
        ),
        (
            {"status": 403, "body": '{"message": "You exceeded a secondary rate limit."}'},
            11,
            "accepts no more requests for now",
        ),
        ({"status": 403, "headers": {"Retry-After": "600"}}, 11, "no more requests for 600 s"),
        (
            {"status": 403, "headers": {"X-GitHub-SSO": "required; url=https://evil.example"}},
            5,
            "is not authorized for the single sign-on of contoso",
        ),
        (
            {"status": 200, "headers": {"Content-Type": "text/html"}, "body": "<html>"},
            11,
            "a web page instead of data",
        ),
        (
            {"status": 302, "headers": {"Content-Type": "text/html"}, "body": "<html>"},
            11,
            "a web page instead of data",
        ),
        ({"status": 200, "body": "x"}, 11, "it is not valid JSON"),
        ({"status": 200, "body": "[]"}, 11, "is not a public key of GitHub"),
        ({"status": 200, "body": '{"key_id": 1, "key": "' + "A" * 43 + '="}'}, 11, "key_id is"),
        ({"status": 200, "body": '{"key_id": "1", "key": "AAAA"}'}, 11, "it is not 32 bytes"),
        ({"status": 200, "body": '{"key_id": "1", "key": "\\u0430"}'}, 11, "it is not 32 bytes"),
        ({"status": 403, "body": '[1, {"message": 1}]'}, 5, "cannot read or change"),
    ],
)
def test_a_github_that_answers_wrongly(
    github: GitHub, fault: dict[str, Any], code: int, message: str
) -> None:
    github.fail("GET", "/public-key", times=ALWAYS, **fault)
    found = failure(github)
    assert found.exit_code == code
    assert message in f"{found.message}; {found.hint}"
    assert "evil.example" not in str(vars(found))


def test_words_of_the_service_are_made_harmless(github: GitHub) -> None:
    body = '{"message": "\\u001b[31m\\nred"}'
    headers = {"X-Accepted-GitHub-Permissions": "a\tb", "X-GitHub-Request-Id": "C0:FF"}
    github.fail("GET", "/public-key", status=403, body=body, headers=headers)
    found = failure(github)
    assert (found.server_message, found.activity_id) == ("[31m red", "C0:FF")
    assert found.hint.endswith("asks for: a b")


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ('{"updated_at": "yesterday"}', "updated_at is missing or of the wrong type"),
        ('{"updated_at": "2026-01-01T00:00:00Z"}', "visibility is missing"),
        (
            '{"updated_at": "2026-01-01T00:00:00Z", "visibility": "some"}',
            "visibility is of an unknown kind",
        ),
    ],
)
def test_a_secret_that_cannot_be_understood(github: GitHub, body: str, message: str) -> None:
    github.fail("GET", "/ADO_PAT", status=200, body=body)
    with pytest.raises(UnavailableError, match=message):
        secret(github, "contoso").read()


@pytest.mark.parametrize("row", ['{"id": "5"}', '{"id": true}', "5"])
def test_a_repository_that_cannot_be_understood(github: GitHub, row: str) -> None:
    github.put(ORGANIZATION, "ADO_PAT", visibility="selected", repositories=[5])
    body = f'{{"total_count": 1, "repositories": [{row}]}}'
    github.fail("GET", "/repositories", status=200, body=body)
    with pytest.raises(UnavailableError, match="is not a repository"):
        secret(github, "contoso").read()


@pytest.mark.parametrize("count", [0, 1, 100, 101, 250])
def test_all_selected_repositories_are_read(github: GitHub, count: int) -> None:
    ids = list(range(1, count + 1))
    github.put(ORGANIZATION, "ADO_PAT", visibility="selected", repositories=ids)
    found = secret(github, "contoso").read()
    assert found is not None
    assert found.repositories == tuple(ids)


@pytest.mark.parametrize("unlisted", [1, 2])
def test_repositories_that_the_token_does_not_see(github: GitHub, unlisted: int) -> None:
    github.put(ORGANIZATION, "ADO_PAT", visibility="selected", repositories=[5, 7])
    github.unlisted = unlisted
    with pytest.raises(PatError, match="not all repositories that may use") as caught:
        secret(github, "contoso").read()
    assert caught.value.exit_code == 6


def test_without_a_date_no_secret_counts_as_just_set(github: GitHub) -> None:
    body = '{"updated_at": "2026-01-01T00:00:00Z"}'
    github.fail("GET", "/ADO_PAT", status=200, body=body, headers={"Date": "today"})
    found = secret(github).read()
    assert found is not None
    assert not found.just_set
