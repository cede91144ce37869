"""Faults: each kind over real HTTP, and how they are written."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from azdo_pat.emulator.errors import EmulatorError
from azdo_pat.emulator.faults import Fault, Moment, Special, parse_fault
from azdo_pat.emulator.run import Options, start
from emulator.stage import PATS, Stage, new_token


def statuses(stage: Stage, count: int, method: str = "GET") -> list[int]:
    """The statuses of as many requests."""
    return [stage.ask(method, PATS).status_code for _ in range(count)]


def test_a_status_so_many_times(stage: Stage) -> None:
    stage.fault("GET */tokens/pats status=503 times=2 retry-after=1")
    answer = stage.ask("GET", PATS)
    message = f"TF400898: An Internal Error Occurred. Activity Id: {answer.headers['ActivityId']}."
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")
    assert answer.json()["message"] == message
    assert statuses(stage, 2) == [503, 200]


def test_once_unless_said_otherwise(stage: Stage) -> None:
    stage.fault("* * status=500")
    assert statuses(stage, 2) == [500, 200]


def test_always_until_it_is_taken_down(stage: Stage) -> None:
    stage.fault("GET * status=429 times=always")
    number = stage.control("GET", "faults")["faults"][0]["id"]
    assert statuses(stage, 3) == [429, 429, 429]
    assert stage.control("DELETE", f"faults/{number}") == {"removed": 1}
    assert statuses(stage, 1) == [200]


def test_only_where_it_is_meant(stage: Stage) -> None:
    stage.fault("PUT|DELETE */fabrikam/* status=500 times=always")
    assert stage.ask("DELETE", "/fabrikam/_apis/tokens/pats").status_code == 500
    assert stage.ask("PUT", "/Fabrikam/_apis/tokens/pats").status_code == 500
    assert stage.ask("GET", "/fabrikam/_apis/tokens/pats").status_code == 200
    assert stage.ask("DELETE", PATS).status_code == 400


def test_the_second_one_only(stage: Stage) -> None:
    stage.fault("GET * status=500 skip=1")
    assert statuses(stage, 3) == [200, 500, 200]


def test_by_rate_and_repeatably(stage: Stage) -> None:
    found = []
    for _ in range(2):
        stage.fault("GET * status=500 rate=0.5 seed=7")
        found.append(statuses(stage, 30))
        stage.control("DELETE", "faults")
    assert found[0] == found[1]
    assert set(found[0]) == {200, 500}


def test_two_faults_one_after_the_other(stage: Stage) -> None:
    stage.fault("GET * status=500")
    stage.fault("GET * status=503")
    assert statuses(stage, 3) == [500, 503, 200]
    assert [fault["hits"] for fault in stage.control("GET", "faults")["faults"]] == [1, 1]


def test_a_delay_holds_nobody_else_up(stage: Stage) -> None:
    stage.fault("GET */fabrikam/* delay=1s")
    address = f"{stage.emulator.url}/fabrikam/_apis/tokens/pats"
    began = time.perf_counter()
    with ThreadPoolExecutor(1) as pool:
        slow = pool.submit(requests.get, address, timeout=10)
        while not stage.control("GET", "requests")["requests"]:
            assert time.perf_counter() - began < 5
        assert stage.ask("GET", PATS).status_code == 200
        assert not slow.done()
        assert slow.result().status_code == 203
    assert time.perf_counter() - began >= 1


def test_closing_does_not_wait_for_a_delay() -> None:
    with start(Options(faults=("GET * delay=30s",))) as emulator:
        with pytest.raises(requests.Timeout):
            requests.get(emulator.url + PATS, timeout=0.1)
        began = time.perf_counter()
    assert time.perf_counter() - began < 5


@pytest.mark.parametrize(("moment", "made"), [("before", []), ("after", ["new one"])])
def test_a_cut_connection(bare: Stage, moment: str, made: list[str]) -> None:
    bare.fault(f"POST */tokens/pats cut={moment}")
    with pytest.raises(requests.ConnectionError):
        bare.ask("POST", PATS, body=new_token())
    assert bare.names() == made
    entry = bare.control("GET", "requests")["requests"][0]
    assert (entry["method"], entry["status"]) == ("POST", None)


@pytest.mark.parametrize(("commit", "made"), [("", []), ("commit=yes", ["new one"])])
def test_a_failure_with_and_without_effect(bare: Stage, commit: str, made: list[str]) -> None:
    bare.fault(f"POST * status=500 {commit}")
    assert bare.ask("POST", PATS, body=new_token()).status_code == 500
    assert bare.names() == made


def test_retry_after_comes_with_a_200_too(stage: Stage) -> None:
    stage.fault(
        "GET * retry-after=2 ratelimit-resource=Concurrency ratelimit-remaining=0 "
        "ratelimit-reset=1750000000 header.X-Extra='a b'"
    )
    answer = stage.ask("GET", PATS)
    assert (answer.status_code, len(answer.json()["patTokens"])) == (200, 5)
    names = ("Retry-After", "X-RateLimit-Resource", "X-RateLimit-Remaining", "X-RateLimit-Reset")
    expected = ["2", "Concurrency", "0", "1750000000"]
    assert [answer.headers[name] for name in names] == expected
    assert answer.headers["X-Extra"] == "a b"


@pytest.mark.parametrize(("status", "expected"), [("", 200), ("status=203", 203)])
def test_html_instead_of_data(stage: Stage, status: str, expected: int) -> None:
    stage.fault(f"GET * html {status}")
    answer = stage.ask("GET", PATS)
    assert (answer.status_code, answer.headers["Content-Type"]) == (
        expected,
        "text/html; charset=utf-8",
    )


def test_broken_json(bare: Stage) -> None:
    bare.fault("POST * broken-json")
    answer = bare.ask("POST", PATS, body=new_token())
    assert (answer.status_code, answer.text[:13]) == (200, '{"patToken":{')
    with pytest.raises(requests.JSONDecodeError):
        answer.json()
    assert bare.names() == ["new one"]


def test_a_continuation_token_without_end(stage: Stage) -> None:
    stage.fault("GET * repeat-continuation times=always")
    first = stage.ask("GET", PATS).json()
    second = stage.ask("GET", PATS, {"continuationToken": first["continuationToken"]}).json()
    assert first == second
    assert first["continuationToken"]
    assert len(first["patTokens"]) == 5


def test_an_unknown_error_code(bare: Stage) -> None:
    bare.fault("POST * pat-error=moonInTheWrongPhase")
    answer = bare.ask("POST", PATS, body=new_token())
    assert (answer.status_code, answer.json()) == (
        200,
        {"patToken": None, "patTokenError": "moonInTheWrongPhase"},
    )
    assert bare.names() == []


def test_a_body_of_ones_own(stage: Stage) -> None:
    stage.fault("""GET * status=403 body='{"message": "VS403463: no"}' content-type=text/plain""")
    answer = stage.ask("GET", PATS)
    assert (answer.status_code, answer.text, answer.headers["Content-Type"]) == (
        403,
        '{"message": "VS403463: no"}',
        "text/plain",
    )


def test_known_statuses_speak_as_the_service_does(stage: Stage) -> None:
    stage.fault("GET * status=401")
    stage.fault("GET * status=429")
    unauthorized, throttled = stage.ask("GET", PATS), stage.ask("GET", PATS)
    assert unauthorized.json()["typeKey"] == "UnauthorizedRequestException"
    assert "WWW-Authenticate" in unauthorized.headers
    assert throttled.json()["message"].startswith("TF400733: ")


def test_faults_from_the_start() -> None:
    options = Options(faults=("GET */connectionData status=500", "GET * status=503"))
    with start(options) as emulator:
        found = [
            requests.get(emulator.url + path, timeout=5).status_code
            for path in (PATS, "/contoso/_apis/connectionData")
        ]
    assert found == [503, 500]


def test_strings() -> None:
    text = "get|PUT */pats delay=1.5s times=always skip=2 cut=after broken-json retry-after=3"
    assert parse_fault(text) == Fault(
        text=text,
        method="get|PUT",
        path="*/pats",
        times=None,
        skip=2,
        delay=1.5,
        cut=Moment.AFTER,
        special=Special.BROKEN_JSON,
        headers=(("Retry-After", "3"),),
    )
    assert parse_fault("* * delay=250").delay == 0.25
    assert parse_fault("* * rate=0.1").times is None
    assert parse_fault("* * rate=0.1 times=3").times == 3
    assert parse_fault("* * html=no").special is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "GET",
        "GET */pats more",
        "GET * unknown=1",
        "GET * status=99",
        "GET * status=x",
        "GET * '",
        "GET * times=-1",
        "GET * rate=2",
        "GET * delay=soon",
        "GET * cut=maybe",
        "GET * commit=5",
        "GET * html=perhaps",
        "GET * retry-after='a\nb'",
        "GET * header.=x",
        "GET * 'header.a b=x'",
    ],
)
def test_strings_refused(text: str) -> None:
    with pytest.raises(EmulatorError):
        parse_fault(text)
