"""Makes requests: sessions, time limits, retries, and every failure as a `PatError`."""

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from http import HTTPStatus
from typing import Final

import requests

from azdo_pat.api.addresses import Addresses, no_proxy
from azdo_pat.api.body import whole_body
from azdo_pat.api.call import ApiCall
from azdo_pat.api.challenge import claims_of
from azdo_pat.api.credentials import Bearer
from azdo_pat.api.network import NETWORK_ERRORS, trouble_of
from azdo_pat.api.rate_limit import Gate, backoff, retry_after
from azdo_pat.api.request_headers import AZURE_DEVOPS, session
from azdo_pat.api.response import Problem, RequestSummary, Response, may_have_acted
from azdo_pat.api.retries import ATTEMPTS, RETRYING_SECONDS, may_repeat
from azdo_pat.api.service_errors import (
    failure_of,
    failure_to_answer,
    is_sign_in_page,
    told_to_wait,
    unreadable,
)
from azdo_pat.api.time_limit import PatientAdapter
from azdo_pat.api.trace import (
    Exchange,
    Message,
    received_message,
    sent_message,
    without_body,
)
from azdo_pat.errors import UnavailableError
from azdo_pat.models import AccessToken
from azdo_pat.urls import parse
from azdo_pat.waiting import Waits, interruptible, slept, unheard

_WORTH_TELLING_SECONDS: Final = 2.0
_POOL_SIZE: Final = 32


def _ignore_exchange(_: Exchange) -> None:
    pass


def _nothing_else(_rejected: AccessToken, _claims: str) -> None:
    pass


def _ignore_pause(_seconds: float, _reason: str) -> None:
    pass


class Http:
    """Makes requests; threads may share an instance.

    Args:
        api_root: one root that serves every host (`PAT_API_URL`); None for Microsoft's hosts.
        access_token: the source of the bearer; called on first use, and every two minutes.
        renewed: returns another access token in place of one that the service rejected,
            given the claims that the service asked for; None if there is no other.
        timeout: seconds to connect, and seconds without a byte while reading. A whole answer may
            take a minute, or twice the timeout if that is longer.
        ca_bundle: a file of certificates to trust instead of the usual ones; overrides the
            environment's.
        trace: called for each request.
        pausing: called with seconds and reason before a pause of more than two seconds that a
            service asked for, once for all threads.
        waits: is told of every wait, for an answer, a retry or the end of a pause.
        sleep: waits for a number of seconds.
        clock: monotonic seconds.
        version: of this program, for the service's log.
        headers: what the service wants to be told with every request.

    Raises:
        UsageError: the root is neither https nor on this machine.
    """

    def __init__(  # noqa: PLR0913 - the composition root sets each once, by name
        self,
        *,
        api_root: str | None,
        access_token: Callable[[], AccessToken],
        renewed: Callable[[AccessToken, str], AccessToken | None] = _nothing_else,
        timeout: tuple[float, float] = (10.0, 30.0),
        ca_bundle: str | None = None,
        trace: Callable[[Exchange], None] = _ignore_exchange,
        pausing: Callable[[float, str], None] = _ignore_pause,
        waits: Waits = unheard,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
        version: str,
        headers: Mapping[str, str] = AZURE_DEVOPS,
    ) -> None:
        self.addresses = Addresses(api_root)
        self._bearer = Bearer(access_token, renewed, self.addresses.origins, clock)
        self._timeout = timeout
        self._ca_bundle = ca_bundle
        self._trace = trace
        self._pausing = pausing
        self._waits = waits
        self._sleep = sleep
        self._clock = clock
        self._gate = Gate(clock)
        self._session = session(version, PatientAdapter(timeout, clock, _POOL_SIZE), headers)

    def json(self, call: ApiCall, what: str) -> tuple[object, Response]:
        """Make the request and return the JSON of the response, and the response.

        Args:
            call: the request.
            what: what the response should be, with its article, for error messages.

        Raises:
            PatError: the request failed, or the response is not JSON.
        """
        answer = self.send(call)
        try:
            return answer.json(), answer
        except ValueError:
            failure = unreadable(answer, f"{what}: it is not valid JSON")
        raise failure

    def send(self, call: ApiCall) -> Response:
        """Make the request, retrying if that is safe and may help, and return a 2xx response.

        A POST is retried only if it certainly had no effect: it never reached the service, or was
        rejected with 429 or 401.

        Raises:
            NoAnswerError: a POST left, and its outcome is unknown.
            KeyboardInterrupt: it was cancelled before it was sent.
            PauseError: the service asked for a longer pause than the call has patience for.
            SignInError: the access token and its replacement were rejected, or there is none.
            PatError: it failed in another way.
        """
        outcomes: list[Response | Problem] = []
        try:
            return self._sent(call, outcomes)
        except UnavailableError as error:
            error.had_no_effect = not any(map(may_have_acted, outcomes))
            raise

    def _sent(self, call: ApiCall, outcomes: list[Response | Problem]) -> Response:
        used = None if call.credential else self._bearer.current()
        outcome = self._answered(call, outcomes)
        if used is not None and isinstance(outcome, Response) and self._renew(used, outcome):
            outcome = self._answered(call, outcomes)
        if isinstance(outcome, Problem):
            raise failure_to_answer(outcome, self._asked(call))
        failure = (call.failure_of or failure_of)(outcome)
        if failure is not None:
            raise failure
        return outcome

    def _renew(self, used: AccessToken, answer: Response) -> bool:
        """Replace the bearer if it was rejected; return whether to repeat the request.

        A sign-in page instead of an answer is a rejection, too. But a proxy can send one after the
        service has done its work, so no POST is repeated then.
        """
        rejected = answer.status == HTTPStatus.UNAUTHORIZED
        if not rejected and not is_sign_in_page(answer):
            return False
        renewed = self._bearer.renew(used, claims_of(answer))
        return renewed and (rejected or answer.asked.method != "POST")

    def _answered(self, call: ApiCall, outcomes: list[Response | Problem]) -> Response | Problem:
        """Make the request, retrying if that is safe and may help; return the last outcome.

        Each outcome is added to those of earlier attempts.
        """
        asked = self._asked(call)
        with self._waits(f"waiting for {asked.host}"):
            return self._repeated(call, asked, outcomes)

    def _repeated(
        self, call: ApiCall, asked: RequestSummary, outcomes: list[Response | Problem]
    ) -> Response | Problem:
        begun = math.inf
        paused = 0.0
        outcome: Response | Problem | None = None
        attempt = 1
        while True:
            with self._gate.turn() as pauses:
                if not self._passed_gate(call, asked):
                    if outcome is None:
                        raise KeyboardInterrupt
                    break
                begun = min(begun, self._clock())
                outcome = self._attempt(call, asked, pauses)
            outcomes.append(outcome)
            is_first = attempt == 1 and not call.is_last
            if attempt == ATTEMPTS or not may_repeat(call.effect, outcome, is_first=is_first):
                break
            ordered = retry_after(outcome.headers) if isinstance(outcome, Response) else None
            if ordered:
                paused += ordered
                if paused > call.patience:
                    raise told_to_wait(ordered, asked)
            delay = ordered or backoff(attempt)
            if self._clock() + delay > begun + paused + RETRYING_SECONDS:
                break
            if not ordered:
                with self._waits(f"{asked.host} {_said(outcome)}", delay):
                    self._sleep(delay)
            attempt += 1
        return outcome

    def probe(self, call: ApiCall) -> Response | None:
        """Make the request once, and return the response; None if none came."""
        with self._gate.turn() as pauses:
            outcome = self._attempt(call, self._asked(call), pauses)
        return outcome if isinstance(outcome, Response) else None

    def _asked(self, call: ApiCall) -> RequestSummary:
        used = None if call.credential else self._bearer.current()
        return RequestSummary(
            method=call.effect,
            host=parse(call.url).netloc,
            organization=call.organization,
            source=used.source if used else "",
            sign_in_hint=used.sign_in_hint if used else "",
            setting=call.setting,
        )

    def _attempt(self, call: ApiCall, asked: RequestSummary, pauses: int) -> Response | Problem:
        started = self._clock()
        outcome: Response | Problem
        sent: Message | None
        received: Message | None = None
        try:
            response, body = interruptible(lambda: self._exchange(call))
        except NETWORK_ERRORS as error:
            outcome = trouble_of(error)
            sent = sent_message(getattr(error, "request", None))
        else:
            sent = sent_message(response.request)
            if isinstance(body, Problem):
                outcome = body
            else:
                outcome = Response(
                    status=response.status_code, headers=response.headers, body=body, asked=asked
                )
                received = received_message(response, body)
        if call.holds_secrets:
            sent, received = sent and without_body(sent), received and without_body(received)
        self._note(
            Exchange(
                method=call.method,
                url=call.url,
                status=None,
                seconds=self._clock() - started,
                sent=sent,
                received=received,
            ),
            outcome,
            pauses,
        )
        return outcome

    def _exchange(self, call: ApiCall) -> tuple[requests.Response, bytes | Problem]:
        response = self._session.request(
            call.method,
            call.url,
            json=call.body,
            headers=call.headers,
            auth=call.credential or self._bearer,
            timeout=self._timeout,
            allow_redirects=False,
            verify=self._ca_bundle,
            proxies=no_proxy(call.url),
            stream=True,
        )
        return response, whole_body(response)

    def _note(self, exchange: Exchange, outcome: Response | Problem, pauses: int) -> None:
        """Trace the response, and close the gate if it asks for a pause."""
        status, activity_id, note = None, "", ""
        if isinstance(outcome, Response):
            status, activity_id = outcome.status, outcome.activity_id
            pause = retry_after(outcome.headers)
            if pause:
                self._gate.hold(pause, pauses)
                note = f"asked to wait {pause:g} s{self._gate.consequence}"
        else:
            note = outcome.reason
        self._trace(replace(exchange, status=status, activity_id=activity_id, note=note))

    def _passed_gate(self, call: ApiCall, asked: RequestSummary) -> bool:
        """Wait until a pause that the service asked for is over, even if it is extended.

        Return whether the call is still wanted then.
        """
        waited_for = 0.0
        while (opens := self._gate.opens()) > max(waited_for, self._clock()):
            delay = opens - self._clock()
            if delay > call.patience:
                raise told_to_wait(delay, asked)
            if delay > _WORTH_TELLING_SECONDS and self._gate.to_tell(opens):
                reason = f"{asked.host} asked clients to slow down{self._gate.consequence}"
                self._pausing(delay, reason)
            if delay > 0:
                with self._waits(f"{asked.host} asked clients to slow down", delay):
                    if not slept(delay, self._sleep, call.is_cancelled):
                        return False
            waited_for = opens
        return True


def _said(outcome: Response | Problem) -> str:
    if isinstance(outcome, Problem):
        return f"did not answer ({outcome.reason})"
    return f"answered {outcome.status}"
