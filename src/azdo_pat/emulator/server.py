"""The application: logs a request, lets faults strike, routes it, stamps the answer."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Final

from werkzeug.http import http_date
from werkzeug.wrappers import Request, Response

from azdo_pat.emulator import answers
from azdo_pat.emulator.call import Call
from azdo_pat.emulator.control import PREFIX, Control
from azdo_pat.emulator.errors import (
    BLOCKED,
    INTERNAL,
    UNAUTHORIZED,
    ConnectionCut,
    ErrorKind,
)
from azdo_pat.emulator.faults import Fault, FaultBoard, Moment, Special
from azdo_pat.emulator.request_log import Entry, RequestLog, masked_body
from azdo_pat.emulator.routes import answer

if TYPE_CHECKING:
    import threading
    from collections.abc import Iterable

    from _typeshed.wsgi import StartResponse, WSGIEnvironment

    from azdo_pat.emulator.service import Service

_ACTIVITY: Final = "{activity_id}"
_MESSAGES: Final[dict[int, tuple[ErrorKind, str]]] = {
    401: (UNAUTHORIZED, "TF400813: The user '' is not authorized to access this resource."),
    429: (
        BLOCKED,
        "TF400733: The request has been canceled: it was blocked for exceeding its usage.",
    ),
}


class Application:
    """A WSGI application; ``closing`` ends waits when the emulator stops."""

    def __init__(
        self, service: Service, faults: FaultBoard, log: RequestLog, closing: threading.Event
    ) -> None:
        self._service = service
        self._faults = faults
        self._log = log
        self._closing = closing
        self._session = str(uuid.uuid4())
        self.control = Control(service, faults, log)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request.

        Raises:
            ConnectionCut: it is to have no answer.
        """
        request = Request(environ)
        if request.path.casefold().startswith(PREFIX):
            found = self.control.answer(request)
        else:
            found = self._answer(request)
        return found(environ, start_response)

    def _answer(self, request: Request) -> Response:
        entry = self._log.add(self._entry(request))
        fault = self._faults.take(request.method, request.path)
        if fault is None:
            found = self._route(request, entry.activity_id)
        else:
            entry.fault = fault.text
            found = self._strike(request, fault, entry.activity_id)
        self._stamp(found, entry.activity_id)
        entry.status = found.status_code
        return found

    def _strike(self, request: Request, fault: Fault, activity_id: str) -> Response:
        # No lock is held here: other requests go on.
        self._closing.wait(fault.delay)
        if fault.cut is Moment.BEFORE:
            raise ConnectionCut
        found = None
        if fault.commit or fault.cut or not fault.replaces_answer:
            repeat = fault.special is Special.REPEAT_CONTINUATION
            found = self._route(request, activity_id, repeat=repeat)
        if fault.cut is Moment.AFTER:
            raise ConnectionCut
        if found is None or fault.replaces_answer:
            found = self._made_up(fault, request)
        if fault.special is Special.BROKEN_JSON:
            data = found.get_data()
            found.set_data(data[: max(1, len(data) * 2 // 3)])
        for name, value in fault.headers:
            found.headers[name] = value
        return found

    def _route(self, request: Request, activity_id: str, *, repeat: bool = False) -> Response:
        call = Call(
            method=request.method,
            path=request.path,
            arguments={name.casefold(): value for name, value in request.args.items()},
            headers=request.headers,
            body=request.get_data(),
            root=request.host_url.rstrip("/"),
            address=request.remote_addr or "",
            activity_id=activity_id,
            repeat=repeat,
        )
        try:
            return answer(call, self._service)
        except Exception as error:  # noqa: BLE001 -- a client must see a 500, not a dead thread
            return answers.error_answer(INTERNAL, f"{type(error).__name__}: {error}")

    def _made_up(self, fault: Fault, request: Request) -> Response:
        if fault.special is Special.HTML:
            return answers.sign_in_page(fault.status or 200)
        if fault.pat_error is not None:
            value = {"patToken": None, "patTokenError": fault.pat_error}
            return answers.json_answer(value, status=fault.status or 200)
        status = fault.status or 200
        if fault.body is not None:
            text = fault.body.encode("utf-8", "replace")
            return Response(text, status=status, content_type="application/json; charset=utf-8")
        kind, message = _MESSAGES.get(
            status, (INTERNAL, f"TF400898: An Internal Error Occurred. Activity Id: {_ACTIVITY}.")
        )
        found = answers.error_answer(kind, message, status=status)
        if status == UNAUTHORIZED.status:
            return answers.challenge(found, request.host_url.rstrip("/"))
        return found

    def _entry(self, request: Request) -> Entry:
        scheme = request.headers.get("Authorization", "").partition(" ")[0]
        return Entry(
            number=0,
            time=self._service.now(),
            method=request.method,
            path=request.path,
            query=request.args.to_dict(),
            user_agent=request.headers.get("User-Agent"),
            authorization=scheme or None,
            body=masked_body(request.get_data()),
            activity_id=str(uuid.uuid4()),
        )

    def _stamp(self, found: Response, activity_id: str) -> None:
        data = found.get_data()
        if _ACTIVITY.encode() in data:
            found.set_data(data.replace(_ACTIVITY.encode(), activity_id.encode()))
        found.headers["ActivityId"] = activity_id
        found.headers["X-TFS-Session"] = self._session
        found.headers["X-VSS-E2EID"] = activity_id
        found.headers["Cache-Control"] = "no-cache, no-store, must-revalidate"
        found.headers["Date"] = http_date(self._service.now())
