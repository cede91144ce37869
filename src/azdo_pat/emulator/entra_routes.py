"""The pages and endpoints of the emulated Microsoft Entra."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING, Final

from werkzeug.wrappers import Request, Response

from azdo_pat.emulator import answers
from azdo_pat.emulator.directory import USERS, find_user
from azdo_pat.emulator.entra import Entra, SignInRequest
from azdo_pat.emulator.entra_errors import EntraError, refusal
from azdo_pat.emulator.server import Application

if TYPE_CHECKING:
    import threading

    from azdo_pat.emulator.faults import Fault, FaultBoard
    from azdo_pat.emulator.request_log import RequestLog
    from azdo_pat.emulator.service import Service

_BAD_REQUEST: Final = 400
_PAGE: Final = """<!DOCTYPE html>
<html lang="en"><head><title>Sign in to your account</title></head>
<body><h1>Sign in</h1><p>This is the Microsoft Entra of a local emulator.</p>
{content}</body></html>
"""


class EntraApplication(Application):
    """A WSGI application beside the emulated Azure DevOps, with the same log and faults."""

    def __init__(
        self,
        service: Service,
        faults: FaultBoard,
        log: RequestLog,
        closing: threading.Event,
        entra: Entra,
    ) -> None:
        super().__init__(service, faults, log, closing)
        self._entra = entra

    def _route(self, request: Request, activity_id: str, *, repeat: bool = False) -> Response:
        del activity_id, repeat
        try:
            return self._page(request, request.host_url.rstrip("/"))
        except EntraError as error:
            return answers.json_answer(refusal(error.code, self._entra.now()), status=_BAD_REQUEST)

    def _made_up(self, fault: Fault, request: Request) -> Response:
        if fault.aadsts is None:
            return super()._made_up(fault, request)
        document = refusal(fault.aadsts, self._entra.now())
        return answers.json_answer(document, status=fault.status or _BAD_REQUEST)

    def _page(self, request: Request, root: str) -> Response:
        parts = request.path.strip("/").split("/")
        if request.method == "GET":
            return self._get(request.args.to_dict(), parts, root)
        if request.method == "POST":
            return self._post(request.form.to_dict(), parts, root)
        return Response("", status=405)

    def _get(self, arguments: dict[str, str], parts: list[str], root: str) -> Response:
        match parts:
            case [tenant, "v2.0", ".well-known", "openid-configuration"]:
                self._entra.tenant_id(tenant)
                return answers.json_answer(_discovery(f"{root}/{tenant}"))
            case [tenant, "oauth2", "v2.0", "authorize"]:
                return self._authorize(tenant, arguments)
            case ["devicelogin"]:
                return _html(_choice("/devicelogin", {}, '<input name="user_code">'))
        return Response("", status=404)

    def _post(self, form: dict[str, str], parts: list[str], root: str) -> Response:
        match parts:
            case [tenant, "login"]:
                return self._login(tenant, form)
            case [tenant, "oauth2", "v2.0", "devicecode" | "token" as what]:
                if what == "token":
                    return answers.json_answer(self._entra.redeem(form, tenant))
                return answers.json_answer(self._entra.start_device(form, tenant, root))
            case ["devicelogin"]:
                user = find_user(form.get("user", ""))
                known = self._entra.enter_code(form.get("user_code", ""), user)
                return _html(f"<p>{'You can close this window.' if known else 'No such code.'}</p>")
        return Response("", status=404)

    def _authorize(self, tenant: str, arguments: dict[str, str]) -> Response:
        request = _sign_in_request(tenant, arguments)
        try:
            self._entra.check_request(request)
        except EntraError as error:
            # No redirect: where it would lead to is what was wrong, or may be.
            said = refusal(error.code, self._entra.now())["error_description"]
            return _html(f"<p>{html.escape(said)}</p>", status=_BAD_REQUEST)
        return _html(_choice(f"/{tenant}/login", {**arguments, "tenant": tenant}, ""))

    def _login(self, tenant: str, form: dict[str, str]) -> Response:
        request = _sign_in_request(tenant, form)
        self._entra.check_request(request)
        user = find_user(form.get("user", ""))
        if user is None:
            document = refusal(65004, self._entra.now())
            fields = {each: document[each] for each in ("error", "error_description")}
            fields["state"] = request.state
        else:
            fields = self._entra.consent(request, user)
        back = _form(request.redirect_uri, fields, '<button type="submit">Continue</button>')
        return _html(f"{back}<script>document.forms[0].submit()</script>")


def _sign_in_request(tenant: str, fields: dict[str, str]) -> SignInRequest:
    names = (
        "client_id",
        "redirect_uri",
        "scope",
        "state",
        "nonce",
        "code_challenge",
        "response_mode",
    )
    values = {name: fields.get(name, "") for name in names}
    if fields.get("code_challenge_method") != "S256":
        values["code_challenge"] = ""
    return SignInRequest(tenant=tenant, **values)


def _discovery(base: str) -> dict[str, str]:
    return {
        "issuer": f"{base}/v2.0",
        "authorization_endpoint": f"{base}/oauth2/v2.0/authorize",
        "token_endpoint": f"{base}/oauth2/v2.0/token",
        "device_authorization_endpoint": f"{base}/oauth2/v2.0/devicecode",
    }


def _choice(action: str, fields: dict[str, str], inputs: str) -> str:
    buttons = "".join(
        f'<button name="user" value="{user.key}">{html.escape(user.display_name)}</button>'
        for user in USERS
    )
    return _form(action, fields, f'{inputs}{buttons}<button name="user" value="">Cancel</button>')


def _form(action: str, fields: dict[str, str], inputs: str) -> str:
    hidden = "".join(
        f'<input type="hidden" name="{html.escape(name)}" value="{html.escape(value)}">'
        for name, value in fields.items()
    )
    return f'<form method="post" action="{html.escape(action)}">{hidden}{inputs}</form>'


def _html(content: str, *, status: int = 200) -> Response:
    page = _PAGE.format(content=content)
    return Response(page, status=status, content_type="text/html; charset=utf-8")
