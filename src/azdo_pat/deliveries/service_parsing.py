"""Parse the delivery targets of services, such as `keyvault:VAULT/NAME`.

In text, the parts are percent-decoded, so that a part can contain what separates parts.
"""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote

from azdo_pat.delivery_targets import (
    GitHubTarget,
    KeyVaultTarget,
    ServiceConnectionTarget,
    VariableGroupTarget,
    VaultTarget,
)
from azdo_pat.errors import UsageError
from azdo_pat.organizations import is_name
from azdo_pat.urls import parse

if TYPE_CHECKING:
    from collections.abc import Mapping

KEY_VAULT: Final = "keyvault:VAULT/NAME"
VAULT: Final = "vault:MOUNT/PATH#FIELD"
LEASE: Final = "vault:MOUNT/PATH"
VARIABLE_GROUP: Final = "variable-group:[ORG/]PROJECT/GROUP#VARIABLE"
SERVICE_CONNECTION: Final = "service-connection:[ORG/]PROJECT/NAME[#PARAMETER]"
GITHUB_REPOSITORY: Final = "github:OWNER/REPO[@ENVIRONMENT]#NAME"
GITHUB_ORGANIZATION: Final = "github:OWNER#NAME"

_DNS_LABEL: Final = r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?"
_VAULT_NAME: Final = rf"{_DNS_LABEL}(?:\.{_DNS_LABEL})*"
"""A vault of the public cloud by its name, or of any cloud by its host name."""

_KEY_VAULT_NAME: Final = "[0-9A-Za-z-]{1,127}"
"""Source: the specification of Key Vault, `SetSecret`."""

_GITHUB_NAME: Final = "[A-Z_][A-Z0-9_]*"
"""Source: GitHub, "Using secrets in GitHub Actions", on the names of secrets."""

_OWNER: Final = "[A-Za-z0-9_-]+"
_REPOSITORY: Final = "[A-Za-z0-9._-]+"
_HOST: Final = rf"{_VAULT_NAME}(?::[0-9]{{1,5}})?"
_SERVER: Final = rf"{_VAULT_NAME}|\[?[0-9a-f:.]+\]?"
"""A host name of ASCII, or an IP address."""

_APPS: Final = ("actions", "codespaces", "dependabot")


def key_vault_from_text(text: str, environment: Mapping[str, str]) -> KeyVaultTarget:
    """Understand `VAULT/NAME`."""
    del environment
    vault, secret = _steps(text, KEY_VAULT, least=2, most=2)
    return _key_vault(vault, secret)


def key_vault_from_table(
    table: Mapping[str, object], environment: Mapping[str, str]
) -> KeyVaultTarget:
    """Understand `{ keyvault = "VAULT", secret = "NAME" }`."""
    del environment
    return _key_vault(_text(table, "keyvault"), _text(table, "secret"))


def _key_vault(vault: str, secret: str) -> KeyVaultTarget:
    vault = vault.lower()
    if not re.fullmatch(_VAULT_NAME, vault):
        raise UsageError(
            f"{vault!r} is not the name of a key vault",
            hint="give its name, or its host name such as contoso.vault.azure.net; without https://",
        )
    if not re.fullmatch(_KEY_VAULT_NAME, secret):
        raise UsageError(
            f"{secret!r} cannot be the name of a secret in Azure Key Vault",
            hint="use letters, digits and hyphens, 127 at most",
        )
    return KeyVaultTarget(vault, secret)


def vault_from_text(text: str, environment: Mapping[str, str]) -> VaultTarget:
    """Understand `MOUNT/PATH#FIELD`; the server is that of `VAULT_ADDR`."""
    path, field = _halves(text, VAULT)
    steps = _steps(path, VAULT, least=2)
    return _vault(steps, _decoded(field, VAULT), environment)


def vault_from_table(table: Mapping[str, object], environment: Mapping[str, str]) -> VaultTarget:
    """Understand `{ vault = "MOUNT/PATH", field = "FIELD", address = …, namespace = … }`."""
    steps = _text(table, "vault").split("/")
    whole = table.get("whole", False)
    if not isinstance(whole, bool):
        raise UsageError(f"whole = {whole!r} is not true or false")
    if len(steps) < 2:  # noqa: PLR2004 - the mount and a path in it
        raise _malformed(VAULT)
    return _vault(
        [_checked(each, VAULT) for each in steps],
        _text(table, "field"),
        {
            **environment,
            **({"BAO_ADDR": _text(table, "address")} if "address" in table else {}),
            **({"BAO_NAMESPACE": _text(table, "namespace")} if "namespace" in table else {}),
        },
        whole=whole,
    )


def lease_from_text(text: str, environment: Mapping[str, str]) -> VaultTarget:
    """Understand `vault:MOUNT/PATH`, the secret that stands for a lease.

    Returns:
        The secret, with an empty field.

    Raises:
        UsageError: it is none.
    """
    kind, _, path = text.partition(":")
    if kind != VaultTarget.KIND or "#" in path:
        raise UsageError(
            f"{text!r} is not a valid place for a lease",
            hint=f"use {LEASE}, a secret that nothing else uses",
        )
    return _vault(_steps(path, LEASE, least=2), "", environment)


def _vault(
    steps: list[str], field: str, environment: Mapping[str, str], *, whole: bool = False
) -> VaultTarget:
    address = environment.get("BAO_ADDR") or environment.get("VAULT_ADDR") or ""
    if not address:
        raise UsageError(
            "vault: needs the address of the server",
            hint="set VAULT_ADDR (or BAO_ADDR), for example https://vault.example.com:8200; in a"
            ' file: address = "…"',
        )
    for step in "/".join(steps).split("/"):  # one may have been written with %2F
        _checked(step, VAULT)
    url = parse(address)
    if (
        not re.fullmatch(_SERVER, url.host.lower())
        or not url.is_protected
        or url.user
        or url.query
        or url.fragment
        or not url.host
    ):
        raise UsageError(
            "the address of the Vault server is not an https address with a host and a path only",
            hint="set VAULT_ADDR to an address such as https://vault.example.com:8200; http is"
            " allowed for this machine only",
        )
    namespace = environment.get("BAO_NAMESPACE") or environment.get("VAULT_NAMESPACE") or ""
    return VaultTarget(
        path="/".join(steps),
        field=field,
        address=address.rstrip("/"),
        namespace=namespace.strip("/"),
        whole=whole,
    )


def variable_group_from_text(text: str, environment: Mapping[str, str]) -> VariableGroupTarget:
    """Understand `[ORG/]PROJECT/GROUP#VARIABLE`."""
    del environment
    path, variable = _halves(text, VARIABLE_GROUP)
    steps = _steps(path, VARIABLE_GROUP, least=2, most=3)
    *org, project, group = steps
    return VariableGroupTarget(_org(*org), project, group, _decoded(variable, VARIABLE_GROUP))


def variable_group_from_table(
    table: Mapping[str, object], environment: Mapping[str, str]
) -> VariableGroupTarget:
    """Understand `{ variable_group = "GROUP", project = …, variable = …, org = … }`."""
    del environment
    return VariableGroupTarget(
        _org(_text(table, "org")) if "org" in table else "",
        _text(table, "project"),
        _text(table, "variable_group"),
        _text(table, "variable"),
    )


def service_connection_from_text(
    text: str, environment: Mapping[str, str]
) -> ServiceConnectionTarget:
    """Understand `[ORG/]PROJECT/NAME[#PARAMETER]`."""
    del environment
    path, sign, parameter = text.partition("#")
    *org, project, connection = _steps(path, SERVICE_CONNECTION, least=2, most=3)
    return ServiceConnectionTarget(
        _org(*org),
        project,
        connection,
        _decoded(parameter, SERVICE_CONNECTION) if sign else "",
    )


def service_connection_from_table(
    table: Mapping[str, object], environment: Mapping[str, str]
) -> ServiceConnectionTarget:
    """Understand `{ service_connection = "NAME", project = …, parameter = …, org = … }`."""
    del environment
    return ServiceConnectionTarget(
        _org(_text(table, "org")) if "org" in table else "",
        _text(table, "project"),
        _text(table, "service_connection"),
        _text(table, "parameter") if "parameter" in table else "",
    )


def github_from_text(text: str, environment: Mapping[str, str]) -> GitHubTarget:
    """Understand `OWNER/REPO[@ENVIRONMENT]#NAME` or `OWNER#NAME`; the host is that of `GH_HOST`."""
    where, secret = _halves(text, GITHUB_REPOSITORY)
    path, sign, environment_name = where.partition("@")
    owner, *repository = _steps(path, GITHUB_REPOSITORY, least=1, most=2)
    if sign and not repository:
        raise _malformed(GITHUB_REPOSITORY)
    return _github(
        owner,
        repository[0] if repository else "",
        _decoded(environment_name, GITHUB_REPOSITORY) if sign else "",
        secret,
        "actions",
        environment.get("GH_HOST") or "github.com",
    )


def github_from_table(table: Mapping[str, object], environment: Mapping[str, str]) -> GitHubTarget:
    """Understand `{ github = "OWNER[/REPO]", secret = …, environment = …, app = …, host = … }`."""
    owner, slash, repository = _text(table, "github").partition("/")
    if slash and not repository:
        raise _malformed(GITHUB_REPOSITORY)
    if "environment" in table and not repository:
        raise UsageError("only a repository has environments", hint='write github = "OWNER/REPO"')
    return _github(
        owner,
        repository,
        _text(table, "environment") if "environment" in table else "",
        _text(table, "secret"),
        _text(table, "app") if "app" in table else "actions",
        _text(table, "host") if "host" in table else environment.get("GH_HOST") or "github.com",
    )


def _github(
    owner: str, repository: str, environment: str, secret: str, app: str, host: str
) -> GitHubTarget:
    if not re.fullmatch(_OWNER, owner) or (
        repository and (not re.fullmatch(_REPOSITORY, repository) or repository in {".", ".."})
    ):
        raise UsageError(
            f"{f'{owner}/{repository}' if repository else owner!r} cannot be a repository or"
            " organization of GitHub",
            hint=f"use {GITHUB_REPOSITORY} or {GITHUB_ORGANIZATION}",
        )
    secret = secret.upper()
    if not re.fullmatch(_GITHUB_NAME, secret) or secret.startswith("GITHUB_"):
        raise UsageError(
            f"{secret!r} cannot be the name of a secret of GitHub",
            hint="use letters, digits and underscores, no digit first, and no GITHUB_ in front",
        )
    if app not in _APPS:
        raise UsageError(f"app = {app!r} is not valid", hint=f"valid: {', '.join(_APPS)}")
    if environment and app != "actions":
        raise UsageError(f"{app} has no secrets of environments", hint="leave out the environment")
    host = host.lower()
    if not re.fullmatch(_HOST, host):
        raise UsageError(
            f"{host!r} is not a GitHub host", hint="set GH_HOST to a host name, or unset it"
        )
    return GitHubTarget(owner, repository, environment, secret, app, host)


def _halves(text: str, form: str) -> tuple[str, str]:
    """Split at the only `#`."""
    path, sign, name = text.partition("#")
    if not sign or not name or "#" in name:
        raise _malformed(form)
    return path, name


def _steps(text: str, form: str, *, least: int, most: int | None = None) -> list[str]:
    """Split a path into its decoded parts."""
    steps = [_decoded(each, form) for each in text.split("/")]
    if len(steps) < least or (most is not None and len(steps) > most):
        raise _malformed(form)
    return steps


def _decoded(text: str, form: str) -> str:
    try:
        return _checked(unquote(text, errors="strict"), form)
    except UnicodeDecodeError:
        raise _malformed(form) from None


def _checked(text: str, form: str) -> str:
    """Return one part of a target, after checking that it can be part of a URL."""
    if text.strip() in {"", ".", ".."} or any(
        unicodedata.category(sign) in {"Cc", "Cs", "Cf", "Zl", "Zp"} for sign in text
    ):
        raise _malformed(form)
    return text


def _malformed(form: str) -> UsageError:
    kind = form.partition(":")[0]
    return UsageError(
        f"the delivery target {kind}: is not valid",
        hint=f"use {form}; to write one of /#@% itself, use %2F, %23, %40 or %25",
    )


def _org(name: str = "") -> str:
    if name and not is_name(name):
        raise UsageError(
            f"{name!r} is not the name of an organization", hint="use its name, not its URL"
        )
    return name.lower()


def _text(table: Mapping[str, object], key: str) -> str:
    value = table.get(key)
    if value is None:
        raise UsageError(f"a delivery lacks the key {key}", hint=f'add: {key} = "…"')
    if not isinstance(value, str):
        raise UsageError(f"{key} = {value!r} is not a string", hint=f'write {key} = "…"')
    return _checked(value, key)
