"""Retries, pauses, and where the access token may go."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Final

import pytest
import responses
from hypothesis import given
from hypothesis import strategies as st
from requests import PreparedRequest

from api.stage import PATS, Elsewhere, Hands, Stage, client
from azdo_pat.api.call import ApiCall
from azdo_pat.api.credentials import BasicSecret
from azdo_pat.api.http import Http
from azdo_pat.api.service_errors import PauseError
from azdo_pat.api.trace import Exchange
from azdo_pat.errors import NoAnswerError, PatError, SignInError, UnavailableError
from azdo_pat.models import AccessToken, Organization, PatChanges, PatRequest, Secret

REQUEST: Final = PatRequest(
    display_name="n", scopes=("vso.code",), valid_to=datetime.now(UTC) + timedelta(days=30)
)
OPEN: Final = "the service may have carried out the request; to check, run: pat list"
CLOSED_PORT: Final = "http://127.0.0.1:9"


def a_token(stage: Stage) -> str:
    """Put one token more there; return its authorization id."""
    return str(stage.control("POST", "tokens", {"name": "mine"})["ids"][0])


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
@pytest.mark.parametrize(
    "fault", ["status=429", "status=502", "status=503", "status=504", "cut=before", "cut=after"]
)
def test_a_safe_request_is_repeated(stage: Stage, method: str, fault: str) -> None:
    made, authorization_id = stage.client(), a_token(stage)
    stage.fault(f"{method} * {fault} times=3")
    match method:
        case "GET":
            assert made.tokens.get(stage.contoso, authorization_id).display_name == "mine"
        case "PUT":
            changed = made.tokens.update(
                stage.contoso, authorization_id, PatChanges(display_name="other")
            )
            assert changed.display_name == "other"
        case _:
            gone_before = fault == "cut=after"
            assert made.tokens.revoke(stage.contoso, authorization_id) is not gone_before
    assert len(stage.asked(method)) == 4
    assert len(made.hands.slept) == 3
    assert made.waits == []


@pytest.mark.parametrize("fault", ["status=503", "cut=before"])
def test_four_attempts_and_no_more(stage: Stage, fault: str) -> None:
    made = stage.client()
    stage.fault(f"GET * {fault} times=always")
    with pytest.raises(UnavailableError):
        made.directory.me()
    assert len(stage.asked("GET")) == 4


@pytest.mark.parametrize(("method", "attempts"), [("GET", 2), ("PUT", 1), ("DELETE", 1)])
def test_an_internal_error_is_worth_one_more_get(stage: Stage, method: str, attempts: int) -> None:
    made = stage.client()
    stage.fault(f"{method} * status=500 times=always")
    with pytest.raises(UnavailableError):
        made.http.send(ApiCall(method=method, url=f"{stage.url}{PATS}", body={"a": 1}))
    assert len(stage.asked(method)) == attempts


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ("status=500", "{host} failed (HTTP 500)"),
        ("status=502", "{host} failed (HTTP 502)"),
        ("status=503 retry-after=1", "{host} failed (HTTP 503)"),
        ("status=504", "{host} failed (HTTP 504)"),
        ("cut=before", "{host} did not answer: the connection was cut"),
        ("cut=after", "{host} did not answer: the connection was cut"),
        ("delay=1s", "{host} did not answer: no response in time"),
        ("broken-json", "the response from {host} is not a token: it is not valid JSON"),
        ("body=''", "the response from {host} is not a token: it is not valid JSON"),
        ("body='[]'", "the response from {host} is not a token"),
        (
            'body=\'{"patToken":null,"patTokenError":"none"}\'',
            "the response from {host} is not a token (patToken is null)",
        ),
    ],
)
def test_a_post_of_unknown_outcome_is_never_repeated(
    stage: Stage, fault: str, message: str
) -> None:
    made = stage.client(timeout=(5.0, 0.3))
    stage.fault(f"POST * {fault} times=always")
    with pytest.raises(NoAnswerError) as caught:
        made.tokens.create(stage.contoso, REQUEST)
    assert (caught.value.message, caught.value.hint) == (message.format(host=stage.host), OPEN)
    assert len(stage.asked("POST")) == 1
    assert made.hands.slept == []


def test_a_cut_after_the_commit_leaves_one_token(stage: Stage) -> None:
    stage.fault("POST * cut=after")
    with pytest.raises(NoAnswerError):
        stage.client().tokens.create(stage.contoso, REQUEST)
    assert stage.names().count("n") == 1


def test_a_post_that_was_turned_away_is_repeated(stage: Stage) -> None:
    made = stage.client()
    stage.fault("POST * status=429 retry-after=7 times=2")
    assert made.tokens.create(stage.contoso, REQUEST).pat.display_name == "n"
    assert len(stage.asked("POST")) == 3
    assert [round(seconds, 1) for seconds in made.hands.slept] == [7.0, 7.0]
    assert [(round(seconds, 1), reason) for seconds, reason in made.waits] == [
        (7.0, f"{stage.host} asked clients to slow down")
    ] * 2
    assert stage.names().count("n") == 1


def test_a_post_that_never_left_is_repeated_and_then_no_open_question() -> None:
    made = client(CLOSED_PORT)
    with pytest.raises(UnavailableError) as caught:
        made.tokens.create(Organization(name="contoso", url=""), REQUEST)
    assert type(caught.value) is UnavailableError
    assert caught.value.message == "127.0.0.1:9 did not answer: connection refused"
    assert [exchange.note for exchange in made.exchanges] == ["connection refused"] * 4


@pytest.mark.parametrize(
    ("faults", "had_no_effect"),
    [
        (["status=429 times=always"], True),
        (["status=429 retry-after=3600"], True),
        (["status=503 times=always"], False),
        (["status=503 retry-after=3600"], False),
        (["cut=before times=always"], False),
        (["cut=before", "status=429 times=always"], False),
    ],
)
def test_whether_a_request_may_have_had_an_effect(
    stage: Stage, faults: list[str], *, had_no_effect: bool
) -> None:
    made, authorization_id = stage.client(), a_token(stage)
    for each in faults:
        stage.fault(f"DELETE * {each}")
    with pytest.raises(UnavailableError) as caught:
        made.tokens.revoke(stage.contoso, authorization_id)
    assert caught.value.had_no_effect is had_no_effect


def test_a_request_that_was_not_sent_had_no_effect(stage: Stage) -> None:
    waiting = stage.client()
    stage.fault("GET * retry-after=3600")
    waiting.directory.me()
    for made in (waiting, client(CLOSED_PORT)):
        with pytest.raises(UnavailableError) as caught:
            made.tokens.revoke(stage.contoso, "x")
        assert caught.value.had_no_effect
    assert stage.asked("DELETE") == []


def test_a_pause_that_is_too_long_is_named_not_waited_for(stage: Stage) -> None:
    made = stage.client()
    stage.fault("GET * status=429 retry-after=3600")
    with pytest.raises(UnavailableError) as caught:
        made.directory.me()
    assert (caught.value.message, caught.value.hint) == (
        f"{stage.host} accepts no more requests for 3600 s",
        "try again in 60 min",
    )
    with pytest.raises(UnavailableError, match="accepts no more requests for 3600 s"):
        made.directory.organizations("x")
    assert made.hands.slept == []
    assert len(stage.asked("GET")) == 1


def test_retrying_comes_to_an_end(stage: Stage) -> None:
    made = stage.client()
    stage.fault("GET * status=503 retry-after=40 times=always")
    with pytest.raises(UnavailableError, match="accepts no more requests for 40 s"):
        made.directory.me()
    assert len(stage.asked("GET")) == 2


ANSWERS: Final = pytest.mark.parametrize("answer", ["", "status=429"], ids=["200", "429"])


def test_a_listener_is_told_what_is_waited_for(stage: Stage) -> None:
    made = stage.client()
    stage.fault("GET */profiles/me status=503")
    stage.fault("GET */profiles/me status=429 retry-after=7")
    made.directory.me()
    (answer, retry), (_, pause) = made.waited_for[:2], made.waited_for[1:]
    assert answer == (f"waiting for {stage.host}", None)
    assert retry == (f"{stage.host} answered 503", made.hands.slept[0])
    assert pause[0] == f"{stage.host} asked clients to slow down"
    assert pause[1] == pytest.approx(7, abs=0.5)


@ANSWERS
def test_a_scan_waits_for_longer_pauses(stage: Stage, answer: str) -> None:
    made = stage.client()
    ada = made.directory.descriptor(stage.contoso)
    tokens = list(made.token_admin.tokens(stage.contoso, ada))
    users = list(made.graph.users(stage.contoso))
    stage.fault(f"GET */personalaccesstokens/* {answer} retry-after=120")
    stage.fault(f"GET */graph/users {answer} retry-after=400")
    stage.fault(f"POST */revocations {answer} retry-after=900")
    assert list(made.token_admin.tokens(stage.contoso, ada)) == tokens
    assert list(made.graph.users(stage.contoso)) == users
    made.token_admin.revoke(stage.contoso, [a_token(stage)])
    assert made.directory.descriptor(stage.contoso) == ada
    assert [round(seconds) for seconds in made.hands.slept] == [120, 400, 900]
    assert [round(seconds) for seconds, _ in made.waits] == [120, 400, 900]


@ANSWERS
def test_a_scan_does_not_wait_forever(stage: Stage, answer: str) -> None:
    made = stage.client()
    ada = made.directory.descriptor(stage.contoso)
    stage.fault(f"GET */personalaccesstokens/* {answer} retry-after=902")
    if not answer:
        list(made.token_admin.tokens(stage.contoso, ada))
    with pytest.raises(PauseError, match=r"accepts no more requests for 90[12] s"):
        list(made.token_admin.tokens(stage.contoso, ada))
    assert made.hands.slept == []


def test_pauses_of_one_request_add_up(stage: Stage) -> None:
    made = stage.client()
    ada = made.directory.descriptor(stage.contoso)
    stage.fault("GET */personalaccesstokens/* status=429 retry-after=400 times=always")
    with pytest.raises(PauseError, match="accepts no more requests for 400 s"):
        list(made.token_admin.tokens(stage.contoso, ada))
    assert [round(seconds) for seconds in made.hands.slept] == [400, 400]


def test_a_long_pause_is_no_time_of_retrying(stage: Stage) -> None:
    made = stage.client()
    ada = made.directory.descriptor(stage.contoso)
    tokens = list(made.token_admin.tokens(stage.contoso, ada))
    stage.fault("GET */personalaccesstokens/* status=429 retry-after=400")
    stage.fault("GET */personalaccesstokens/* status=502")
    assert list(made.token_admin.tokens(stage.contoso, ada)) == tokens
    assert len(made.hands.slept) == 2


def test_a_pause_ends_for_a_call_that_is_cancelled(stage: Stage) -> None:
    """What was never sent is interrupted; what was sent has the outcome that it had."""
    made = stage.client()
    ids = [a_token(stage)]

    def is_cancelled() -> bool:
        return len(made.hands.slept) >= 3

    stage.fault("POST */revocations status=503 retry-after=600")
    with pytest.raises(UnavailableError, match=r"failed \(HTTP 503\)"):
        made.token_admin.revoke(stage.contoso, ids, is_cancelled=is_cancelled)
    with pytest.raises(KeyboardInterrupt):
        made.token_admin.revoke(stage.contoso, ids, is_cancelled=is_cancelled)
    assert len(stage.asked("POST")) == 1
    assert made.hands.slept == [0.1] * 3


def test_no_attempt_begins_after_its_time(elsewhere: Callable[..., Elsewhere]) -> None:
    """Each attempt takes forty seconds: the second ends beyond what retrying may take."""
    hands, server = Hands(), elsewhere(503)
    http = Http(
        api_root=server.url,
        access_token=lambda: AccessToken(secret=Secret("x"), source="the test"),
        trace=lambda _: hands.sleep(40),
        sleep=hands.sleep,
        clock=hands.clock,
        version="1",
    )
    with pytest.raises(UnavailableError, match=r"failed \(HTTP 503\)"):
        http.send(ApiCall(method="GET", url=f"{server.url}/x"))
    assert len(server.heard) == 2


def test_a_pause_after_a_success_holds_the_next_request(stage: Stage) -> None:
    made = stage.client()
    stage.fault("GET */profiles/me retry-after=20")
    made.directory.me()
    assert made.hands.slept == []
    made.directory.me()
    assert [round(seconds) for seconds in made.hands.slept] == [20]
    assert [exchange.note for exchange in made.exchanges] == ["asked to wait 20 s", ""]


def test_threads_share_a_pause(stage: Stage) -> None:
    """All sixteen stop after the one answer that orders it; none is asked in between."""
    stage.control("DELETE", "tokens")
    ids = stage.control("POST", "tokens", {"count": 64})["ids"]
    made = stage.client()
    stage.fault("DELETE * status=429 retry-after=30 skip=20")
    with ThreadPoolExecutor(16) as pool:
        revoked = list(pool.map(lambda each: made.tokens.revoke(stage.contoso, each), ids))
    assert revoked == [True] * 64
    log = stage.asked("DELETE")
    assert len(log) == 65
    assert [entry["status"] for entry in log].count(429) == 1
    assert [round(seconds) for seconds in made.hands.slept if seconds > 29] != []
    (told,) = made.waits
    assert told[1].startswith(f"{stage.host} asked clients to slow down; from then on ")


@pytest.mark.parametrize("status", [200, 429])
def test_half_as_many_requests_run_at_once_after_a_pause(status: int) -> None:
    notes: list[str] = []
    http = Http(
        api_root=None,
        access_token=lambda: AccessToken(secret=Secret("x"), source="the test"),
        trace=lambda exchange: notes.append(exchange.note),
        version="1",
    )
    together = {"before": threading.Barrier(8), "after": threading.Barrier(4)}
    running: list[str] = []
    most = {"before": 0, "after": 0}
    numbers = count()

    def answer(_: PreparedRequest) -> tuple[int, dict[str, str], str]:
        number = next(numbers)
        when = "before" if number < 8 else "after"
        running.append(when)
        most[when] = max(most[when], running.count(when))
        together[when].wait(10)
        running.remove(when)
        if when == "before":
            return status, {"Retry-After": "0.1"}, "{}"
        return 200, {}, "{}"

    call = ApiCall(method="GET", url="https://dev.azure.com/a")
    with responses.RequestsMock() as mock, ThreadPoolExecutor(8) as pool:
        mock.add_callback(responses.GET, call.url, callback=answer)
        list(pool.map(http.send, [call] * 16))
    assert most == {"before": 8, "after": 4}
    assert notes[:8] == ["asked to wait 0.1 s; from then on 4 requests at once"] * 8


def test_a_prolonged_pause_is_waited_out() -> None:
    """Another thread's answer orders a longer pause while this one waits."""
    hands = Hands()
    orders = [{"Retry-After": "10"}, {}]

    def sleep(seconds: float) -> None:
        if len(hands.slept) == 0:
            http._gate.hold(25, 0)  # noqa: SLF001 - stands for the other thread
        hands.sleep(seconds)

    http = Http(
        api_root=None,
        access_token=lambda: AccessToken(secret=Secret("x"), source="the test"),
        sleep=sleep,
        clock=hands.clock,
        version="1",
    )
    with responses.RequestsMock() as mock:
        for headers in orders:
            mock.get("https://dev.azure.com/a", json={}, headers=headers)
        for _ in orders:
            http.send(ApiCall(method="GET", url="https://dev.azure.com/a"))
    assert [round(seconds) for seconds in hands.slept] == [10, 15]


def test_the_headers_of_a_request() -> None:
    with responses.RequestsMock() as mock:
        mock.get(
            "https://app.vssps.visualstudio.com/_apis/profile/profiles/me",
            json={"id": "x", "displayName": None},
            headers={"Set-Cookie": "session=abc; Domain=visualstudio.com; Path=/"},
        )
        made = client(None)
        made.directory.me()
        made.directory.me()
        for call in mock.calls:
            assert dict(call.request.headers) == {
                "User-Agent": "azdo-pat/1.2.3",
                "Accept": "application/json",
                "Accept-Encoding": call.request.headers["Accept-Encoding"],
                "Connection": "keep-alive",
                "X-TFS-FedAuthRedirect": "Suppress",
                "X-VSS-ForceMsaPassThrough": "true",
                "Authorization": "Bearer bearer-of-a-test",
            }


def test_netrc_does_not_replace_the_access_token(stage: Stage, home: Path) -> None:
    (home / ".netrc").write_text("default login somebody password something\n")
    (home / ".netrc").chmod(0o600)
    made = stage.client()
    made.directory.me()
    secret = made.tokens.create(stage.contoso, REQUEST).secret
    made.directory.check_secret(stage.contoso, secret)
    asked = [entry["authorization"] for entry in stage.asked("GET") + stage.asked("POST")]
    assert asked == ["Bearer", "Basic", "Bearer"]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(
    stage: Stage, elsewhere: Callable[..., Elsewhere], status: int
) -> None:
    trap = elsewhere()
    stage.fault(f"GET * status={status} location={trap.url}/x")
    with pytest.raises(SignInError):
        stage.client().directory.me()
    assert trap.heard == []


@pytest.mark.parametrize("target", ["http://[::bad", "http://a:port/", "//"])
def test_a_redirect_to_nowhere_is_not_even_looked_at(
    elsewhere: Callable[..., Elsewhere], target: str
) -> None:
    there = elsewhere(302, {"Location": target})
    with pytest.raises(SignInError):
        client(there.url).directory.me()
    with pytest.raises(SignInError):
        client(there.url).tokens.create(Organization(name="x", url=f"{there.url}/x"), REQUEST)


def test_the_access_token_stays_with_its_hosts(
    stage: Stage, elsewhere: Callable[..., Elsewhere]
) -> None:
    trap = elsewhere()
    stage.client().http.send(ApiCall(method="GET", url=f"{trap.url}/x"))
    assert [(method, path) for method, path, _ in trap.heard] == [("GET", "/x")]
    assert "Authorization" not in trap.heard[0][2]


def test_a_secret_stays_with_its_host(elsewhere: Callable[..., Elsewhere]) -> None:
    trap, meant = elsewhere(), elsewhere()
    credential = BasicSecret(Secret("x"), meant.url)
    made = client(CLOSED_PORT)
    for url in (trap.url, meant.url):
        made.http.send(ApiCall(method="GET", url=url, credential=credential))
    assert "Authorization" not in trap.heard[0][2]
    assert meant.heard[0][2]["Authorization"] == "Basic Ong="


def test_a_proxy_is_used_for_the_service(
    elsewhere: Callable[..., Elsewhere], monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy = elsewhere(407, {"Proxy-Authenticate": "Basic"})
    monkeypatch.setenv("HTTPS_PROXY", proxy.url)
    made = client(None)
    with pytest.raises(UnavailableError) as caught:
        made.directory.me()
    assert (caught.value.message, caught.value.hint) == (
        (
            "app.vssps.visualstudio.com did not answer: the proxy cannot be used"
            " (Tunnel connection failed: 407 Proxy Authentication Required)"
        ),
        "check HTTPS_PROXY and NO_PROXY",
    )
    assert {(method, path) for method, path, _ in proxy.heard} == {
        ("CONNECT", "app.vssps.visualstudio.com:443")
    }
    assert all("bearer-of-a-test" not in str(headers) for _, _, headers in proxy.heard)


@pytest.mark.parametrize(
    "exempt", ["app.vssps.visualstudio.com", ".visualstudio.com", "*", "x, visualstudio.com"]
)
def test_a_host_that_no_proxy_is_meant_for(
    elsewhere: Callable[..., Elsewhere], monkeypatch: pytest.MonkeyPatch, exempt: str
) -> None:
    proxy = elsewhere()
    monkeypatch.setenv("HTTPS_PROXY", proxy.url)
    monkeypatch.setenv("NO_PROXY", exempt)
    with pytest.raises(UnavailableError) as caught:
        client(None).directory.me()
    assert "proxy" not in caught.value.message
    assert proxy.heard == []


@pytest.mark.allow_hosts(["127.0.0.1", "127.0.0.2", "::1"])
@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.2", "localhost"])
def test_no_proxy_is_used_for_this_machine(
    elsewhere: Callable[..., Elsewhere], monkeypatch: pytest.MonkeyPatch, host: str
) -> None:
    proxy = elsewhere()
    monkeypatch.setenv("HTTP_PROXY", proxy.url)
    monkeypatch.setenv("ALL_PROXY", proxy.url)
    with pytest.raises(UnavailableError, match="connection refused"):
        client(f"http://{host}:9").directory.me()
    assert proxy.heard == []


@given(st.text(alphabet=st.characters(codec="utf-8"), max_size=20))
def test_what_is_no_access_token_goes_nowhere(text: str) -> None:
    bad = f"{text}\r\nX-Injected: 1"
    with pytest.raises(SignInError) as caught:
        client(CLOSED_PORT, bad).directory.me()
    assert caught.value.message == "the test did not provide an access token"


@pytest.mark.parametrize("text", ["", "a b", "ü", "a\n", "\x7f"])
def test_an_access_token_is_plain(text: str) -> None:
    with pytest.raises(SignInError, match="the test did not provide an access token"):
        client(CLOSED_PORT, text).directory.me()


def test_the_source_is_asked_once_and_again_after_two_minutes(stage: Stage) -> None:
    hands = Hands()
    asked: list[float] = []

    def access_token() -> AccessToken:
        asked.append(hands.clock())
        return AccessToken(secret=Secret(stage.access_token), source="the test")

    http = Http(api_root=stage.url, access_token=access_token, clock=hands.clock, version="1")
    call = ApiCall(
        method="GET", url=f"{stage.url}/_apis/profile/profiles/me?api-version=7.1-preview"
    )
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(http.send, [call] * 16))
    assert len(asked) == 1
    hands.sleep(121)
    http.send(call)
    assert len(asked) == 2


class SignIn:
    """A sign-in whose access tokens are `1`, `2`…, of which the service accepts some.

    Attributes:
        accepted: by the service.
        renewals: the rejected tokens that others were requested for.
        failure: of the next renewal.
    """

    def __init__(self) -> None:
        self.accepted: set[str] = set()
        self.renewals: list[str] = []
        self.failure: PatError | None = None
        self.hands = Hands()
        self.http = Http(
            api_root=None,
            access_token=self._token,
            renewed=self._renewed,
            clock=self.hands.clock,
            version="1",
        )

    def send(self, times: int = 1) -> list[int]:
        """Send requests side by side; return their statuses, or raise what one raises."""
        call = ApiCall(method="GET", url="https://dev.azure.com/a")
        with responses.RequestsMock() as mock, ThreadPoolExecutor(times) as pool:
            mock.add_callback(responses.GET, call.url, callback=self._answer)
            return [each.status for each in pool.map(self.http.send, [call] * times)]

    def _answer(self, request: PreparedRequest) -> tuple[int, dict[str, str], str]:
        good = request.headers["Authorization"].removeprefix("Bearer ") in self.accepted
        return (200 if good else 401), {}, "{}"

    def _renewed(self, rejected: AccessToken, _: str) -> AccessToken:
        self.renewals.append(rejected.secret.reveal())
        if self.failure is not None:
            raise self.failure
        return self._token()

    def _token(self) -> AccessToken:
        return AccessToken(secret=Secret(str(1 + len(self.renewals))), source="the test")


def test_many_threads_have_a_rejected_token_renewed_once() -> None:
    sign_in = SignIn()
    sign_in.accepted = {"2"}
    assert sign_in.send(8) == [200] * 8
    assert sign_in.renewals == ["1"]


def test_a_token_that_has_just_been_renewed_is_not_the_problem() -> None:
    sign_in = SignIn()
    with pytest.raises(SignInError, match="did not accept the access token"):
        sign_in.send(8)
    assert sign_in.renewals == ["1"]


def test_a_long_run_renews_its_token_more_than_once() -> None:
    sign_in = SignIn()
    sign_in.accepted = {"2"}
    sign_in.send()
    sign_in.accepted = {"3"}
    sign_in.hands.sleep(3600)
    assert sign_in.send(8) == [200] * 8
    assert sign_in.renewals == ["1", "2"]


def test_every_thread_is_told_why_no_token_can_be_had() -> None:
    sign_in = SignIn()
    sign_in.failure = SignInError("the sign-in was revoked")
    for _ in range(2):
        with pytest.raises(SignInError, match="the sign-in was revoked"):
            sign_in.send(4)
    assert sign_in.renewals == ["1"]
    sign_in = SignIn()
    sign_in.failure = UnavailableError("not now")
    with pytest.raises(UnavailableError, match="not now"):
        sign_in.send()
    sign_in.failure, sign_in.accepted = None, {"3"}
    assert sign_in.send() == [200]


def test_the_trace_holds_no_secret(stage: Stage) -> None:
    made = stage.client()
    secret = made.tokens.create(stage.contoso, REQUEST).secret
    made.directory.check_secret(stage.contoso, secret)
    stage.fault("GET * cut=before times=always")
    with pytest.raises(UnavailableError):
        made.directory.me()
    told = repr(made.exchanges) + repr(made.waits)
    assert secret.reveal() not in told
    assert stage.access_token not in told
    assert [(each.method, each.status, each.note) for each in made.exchanges] == [
        ("POST", 200, ""),
        ("GET", 200, ""),
        *[("GET", None, "the connection was cut")] * 4,
    ]
    assert all(each.seconds >= 0 for each in made.exchanges)


def test_an_exchange_names_the_whole_request(stage: Stage) -> None:
    made = stage.client()
    made.directory.me()
    (entry,) = stage.asked("GET")
    assert entry["userAgent"] == "azdo-pat/1.2.3"
    assert made.exchanges == [
        Exchange(
            method="GET",
            url=f"{stage.url}/_apis/profile/profiles/me?api-version=7.1-preview.3",
            status=200,
            seconds=made.exchanges[0].seconds,
            activity_id=entry["activityId"],
            note="",
        )
    ]


def test_many_threads_keep_their_connections(stage: Stage) -> None:
    """No warning of a full pool (warnings and their log are silent otherwise)."""
    made = stage.client()
    barrier = threading.Barrier(16)

    def ask(_: int) -> str:
        barrier.wait(5)
        return made.directory.me().name

    with ThreadPoolExecutor(16) as pool:
        assert list(pool.map(ask, range(16))) == ["Ada Lovelace"] * 16
