"""Signs in with Microsoft Entra: the only module that imports MSAL."""

import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final, TypeVar

import msal  # type: ignore[import-untyped]  # msal carries no types

from azdo_pat.auth.claims import RESOURCE
from azdo_pat.auth.client import AZURE_CLI, Challenged, Client, Granted, Wanted
from azdo_pat.auth.entra_errors import AGAIN, refusal
from azdo_pat.auth.sign_ins import SignIn
from azdo_pat.errors import PatError, SignInError, UnavailableError
from azdo_pat.executables import searched_safely
from azdo_pat.models import Secret

_SCOPES: Final = (f"{RESOURCE}/.default",)
_OWN_SCOPES: Final = (f"{RESOURCE}/vso.pats", f"{RESOURCE}/vso.pats_manage")
"""The scopes for an application of the user's own, which may be registered for these alone."""

_CAPABILITIES: Final = ("CP1",)
"""`pat` handles the claims with which a service rejects a token before its expiry (Microsoft
identity platform, "Claims challenges, claims requests and client capabilities")."""

_BROWSER_SECONDS: Final = 300
_DONE_PAGE: Final = "You are signed in to pat. You can close this window."

Result = TypeVar("Result")


class MsalClient:
    """Signs a user in, or renews the access token of a cached sign-in.

    Every method raises `PatError` on failure.

    Args:
        client: the application and the authority.
        http_client: makes the requests, with the methods that MSAL needs: `get`, `post`, `close`.
        cache: MSAL's serialized cache; None for an empty one.
        now: the clock.
    """

    def __init__(
        self,
        client: Client,
        *,
        http_client: object,
        cache: Secret | None,
        now: Callable[[], datetime],
    ) -> None:
        # MSAL logs what it thinks; what matters of it is raised here.
        logging.getLogger("msal").addHandler(logging.NullHandler())
        self._client = client
        self._now = now
        self._scopes = list(_SCOPES if client.client_id == AZURE_CLI else _OWN_SCOPES)
        self._cache = msal.SerializableTokenCache()
        if cache is not None:
            _guarded(lambda: self._cache.deserialize(cache.reveal()))
        try:
            # Without instance discovery only the authority is contacted.
            self._app = _guarded(
                lambda: msal.PublicClientApplication(
                    client.client_id,
                    authority=f"{client.authority}/{client.tenant}",
                    instance_discovery=False,
                    http_client=http_client,
                    token_cache=self._cache,
                    client_capabilities=_CAPABILITIES,
                )
            )
        except ValueError:
            failure = SignInError(
                f"{client.authority} has no tenant {client.tenant!r}",
                hint="use the tenant's domain or id, as in: pat login --tenant"
                " contoso.onmicrosoft.com",
            )
        else:
            return
        raise failure

    def by_browser(
        self,
        *,
        account: str,
        claims: str,
        show: Callable[[str], None],
        unopened: Callable[[], None],
    ) -> Granted:
        """Sign in with authorization code and PKCE, in the system's browser.

        Args:
            account: a sign-in name to suggest; empty to let the user choose.
            claims: what Entra requires of this sign-in, as JSON; empty for nothing.
            show: called with the address before it is opened.
            unopened: called if no browser could be opened.
        """
        # The steps of MSAL's acquire_token_interactive, which tells no one the address it opens.
        # It is not part of MSAL's documented interface, so nothing else may depend on it.
        from msal.oauth2cli.authcode import (  # type: ignore[import-untyped]  # noqa: PLC0415  # as above
            AuthCodeReceiver,
        )

        with _guarded(lambda: AuthCodeReceiver(port=0)) as receiver:
            flow = _guarded(
                lambda: self._app.initiate_auth_code_flow(
                    self._scopes,
                    # Entra accepts any port of localhost, but not of 127.0.0.1 (RFC 8252, 7.3).
                    redirect_uri=f"http://localhost:{receiver.get_port()}",
                    prompt=None if account else "select_account",
                    login_hint=account or None,
                    claims_challenge=claims or None,
                    response_mode="form_post",  # what the receiver understands
                )
            )
            show(str(flow["auth_uri"]))
            with searched_safely():  # it starts the browser
                reply = _guarded(
                    lambda: receiver.get_auth_response(
                        auth_uri=flow["auth_uri"],
                        state=flow["state"],
                        timeout=_BROWSER_SECONDS,
                        success_template=_DONE_PAGE,
                        auth_uri_callback=lambda _: unopened(),
                        browser_name=msal.application._preferred_browser(),  # noqa: SLF001  # Edge on Linux: Conditional Access can require it
                    )
                )
        if reply is None:
            raise SignInError(
                f"no sign-in was completed in the browser within {_BROWSER_SECONDS // 60} minutes",
                hint="try again; if this machine has no browser, run: pat login --device-code",
            )
        return self._granted(
            _guarded(lambda: self._app.acquire_token_by_auth_code_flow(flow, reply))
        )

    def by_device_code(self, *, claims: str, show: Callable[[str, str], None]) -> Granted:
        """Sign in with a code that the user enters in a browser on any machine.

        Args:
            claims: what Entra requires of this sign-in, as JSON; empty for nothing.
            show: called with the address and the code.
        """
        flow = _guarded(
            lambda: self._app.initiate_device_flow(self._scopes, claims_challenge=claims or None)
        )
        if "user_code" not in flow:
            raise refusal(flow)
        show(str(flow.get("verification_uri")), str(flow["user_code"]))
        answer = _guarded(
            lambda: self._app.acquire_token_by_device_flow(flow, claims_challenge=claims or None)
        )
        return self._granted(answer)

    def renew(self, sign_in: SignIn) -> Granted | Challenged:
        """Get a new access token with the refresh token, without a prompt.

        It requests the claims in `sign_in.challenge`.
        """
        return self._silently(
            sign_in, self._scopes, claims=sign_in.challenge, also_if_one_is_cached=True
        )

    def for_service(self, sign_in: SignIn, wanted: Wanted) -> Granted | Challenged:
        """Get an access token for another service with the refresh token, without a prompt.

        Args:
            sign_in: of the account.
            wanted: the access token; its tenant is that of the client.
        """
        scopes = [f"{wanted.resource.id}/.default"]
        return self._silently(
            sign_in, scopes, claims=wanted.claims, also_if_one_is_cached=wanted.anew
        )

    def _silently(
        self, sign_in: SignIn, scopes: list[str], *, claims: str, also_if_one_is_cached: bool
    ) -> Granted | Challenged:
        known = _guarded(lambda: self._app.get_accounts(sign_in.user))
        account = next((each for each in known if each["home_account_id"] == sign_in.account), None)
        if account is None:
            gone = SignInError(f"the sign-in of {sign_in.user} is not saved", hint=AGAIN)
            return Challenged(gone, "")
        answer = _guarded(
            lambda: self._app.acquire_token_silent_with_error(
                scopes,
                account,
                force_refresh=also_if_one_is_cached,
                claims_challenge=claims or None,
            )
        )
        if answer is None:
            gone = SignInError(f"the sign-in of {sign_in.user} has expired", hint=AGAIN)
            return Challenged(gone, "")
        if "access_token" not in answer:
            wanted = answer.get("claims")
            return Challenged(refusal(answer), wanted if isinstance(wanted, str) else "")
        return self._granted(answer, former=sign_in)

    def _granted(self, answer: Mapping[str, Any], former: SignIn | None = None) -> Granted:
        if "access_token" not in answer:
            raise refusal(answer)
        expires = self._now() + timedelta(seconds=int(answer.get("expires_in", 0)))
        token = Secret(str(answer["access_token"]))
        if former is not None:
            sign_in = former._replace(token=token, expires=expires, challenge="")
        else:
            claims = answer.get("id_token_claims") or {}
            user = str(claims.get("preferred_username", ""))
            sign_in = SignIn(
                account=self._home_account(claims),
                user=user,
                tenant=str(claims.get("tid", "")),
                client_id=self._client.client_id,
                token=token,
                expires=expires,
            )
        return Granted(sign_in, Secret(self._cache.serialize()))

    def _home_account(self, claims: Mapping[str, object]) -> str:
        local = claims.get("oid")
        accounts: Sequence[Mapping[str, str]] = self._app.get_accounts()
        mine = [each for each in accounts if each.get("local_account_id") == local]
        return (mine or accounts)[0]["home_account_id"] if accounts else str(local)


def _guarded(work: Callable[[], Result], *passed: type[Exception]) -> Result:
    """Call MSAL; its exceptions are replaced, as they may contain the request.

    Raises:
        PatError: what the HTTP client raised, or that the answer was none that MSAL understands.
        ValueError: the authority or the tenant is none.
    """
    through: tuple[type[Exception], ...] = (PatError, ValueError, *passed)
    try:
        return work()
    except through:
        raise
    except Exception as error:  # noqa: BLE001 - requests, KeyError, RuntimeError: see above
        name = type(error).__name__
        failure = UnavailableError(
            "Microsoft Entra cannot sign users in right now"
            if name == "MsalServiceError"  # MSAL's for an answer of 5xx
            else f"Microsoft Entra gave an unexpected answer ({name})",
            hint=(
                "try again; if the problem persists, check the proxy settings, and"
                " PAT_AUTHORITY if it is set"
            ),
        )
    raise failure
