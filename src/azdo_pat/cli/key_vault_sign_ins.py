"""Where the access token for a key vault comes from, which may be of another tenant."""

from __future__ import annotations

from typing import TYPE_CHECKING

from azdo_pat.errors import SignInError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from azdo_pat.api.key_vault import SignIn
    from azdo_pat.auth.chain import TokenSource
    from azdo_pat.auth.client import Wanted
    from azdo_pat.cli.session import Session
    from azdo_pat.models import AccessToken


class KeyVaultSignIns:
    """The access tokens for key vaults, found once a run.

    The sources are those for Azure DevOps, with a variable of its own: `PAT_KEYVAULT_ACCESS_TOKEN`,
    the account of `pat login`, the Azure CLI.

    Args:
        session: of this run.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._found: dict[SignIn, AccessToken] = {}

    def __call__(self, wanted: SignIn, rejected: AccessToken | None, claims: str) -> AccessToken:
        """Return the access token for a sign-in.

        Args:
            wanted: the resource and the tenant.
            rejected: the last one, if the vault rejected it; then another one, if there is one.
            claims: what the vault requires of that one, as JSON; empty for nothing.

        Raises:
            SignInError: there is none.
            PatError: it could not be requested.
        """
        if wanted not in self._found or rejected is not None:
            from azdo_pat.auth.claims import key_vault
            from azdo_pat.auth.client import Wanted

            self._found[wanted] = self._asked(
                Wanted(
                    resource=key_vault(wanted.resource),
                    tenant=wanted.tenant,
                    claims=claims,
                    anew=rejected is not None,
                )
            )
        return self._found[wanted]

    def _asked(self, wanted: Wanted) -> AccessToken:
        from azdo_pat.auth.chain import first_that_answers

        found = first_that_answers(
            self._sources(wanted),
            self._session.runtime.now(),
            applications=True,
            variable=wanted.resource.variable,
        ).required()
        self._session.runtime.messages.detail(
            f"access token for {wanted.resource.id} from {found.source}"
        )
        if found.tenant and found.tenant.lower() != wanted.tenant:
            raise SignInError(
                f"the access token from {found.source} is of the tenant {found.tenant}, but the"
                f" vault belongs to the tenant {wanted.tenant}",
                hint="to get an access token of that tenant from the Azure CLI, add to the command:"
                f" --tenant {wanted.tenant}",
            )
        return found

    def _sources(self, wanted: Wanted) -> Iterator[TokenSource]:
        from azdo_pat.api.addresses import PUBLIC_CLOUD
        from azdo_pat.auth.azure_cli import AzureCliSource
        from azdo_pat.auth.client import MICROSOFT
        from azdo_pat.auth.environment import EnvironmentSource
        from azdo_pat.auth.saved_sign_in import SourceForService

        session = self._session
        runtime = session.runtime
        yield EnvironmentSource(value=runtime.options.key_vault_token, resource=wanted.resource)
        # In another cloud, the account of the public one does not exist.
        if session.authority != MICROSOFT or wanted.resource.id == PUBLIC_CLOUD:
            yield SourceForService(
                memory=session.memory,
                organization=session.url_at_hand(),
                entra=session.renewing_entra,
                wanted=wanted,
            )
        yield AzureCliSource(
            environment=runtime.environment,
            tenant=wanted.tenant,
            resource=wanted.resource,
            waits=runtime.waits,
        )
