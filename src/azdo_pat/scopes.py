"""The scopes that a token can have, and recipes: the least scopes for a job."""

import difflib
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from azdo_pat.errors import UsageError

FULL_ACCESS: Final = "app_token"


class Scope(NamedTuple):
    """One scope, as the web page and the documentation describe it.

    Attributes:
        value: what the API takes.
        name: what the web page shows.
        category: the heading under which it stands there.
        high_privilege: Microsoft marks it as able to do much harm.
        inherits: the scope that it includes, or None.
    """

    value: str
    name: str
    category: str
    high_privilege: bool
    inherits: str | None


class Recipe(NamedTuple):
    """The least scopes for a job."""

    name: str
    summary: str
    scopes: tuple[str, ...]


# Source of both tables: "OAuth 2.0 scopes" of the Azure DevOps documentation
# (integrate/includes/scopes.md), state of 2025-07-16.
_ROWS: Final = (
    ("vso.advsec", "AdvancedSecurity (read)", "Advanced Security", None),
    ("vso.advsec_write", "AdvancedSecurity (read and write)", "Advanced Security", "vso.advsec"),
    (
        "vso.advsec_manage",
        "AdvancedSecurity (read, write, and manage)",
        "Advanced Security",
        "vso.advsec_write",
    ),
    ("vso.agentpools", "Agent Pools (read)", "Agent Pools", None),
    ("vso.agentpools_manage", "Agent Pools (read, manage)", "Agent Pools", "vso.agentpools"),
    (
        "vso.environment_manage",
        "Environment (read, manage)",
        "Agent Pools",
        "vso.agentpools_manage",
    ),
    ("vso.analytics", "Analytics (read)", "Analytics", None),
    ("vso.auditlog", "Audit Log (read)", "Auditing", None),
    ("vso.auditstreams_manage", "Audit Streams (read)", "Auditing", "vso.auditlog"),
    ("vso.build", "Build (read)", "Build", "vso.hooks_write"),
    ("vso.build_execute", "Build (read and execute)", "Build", "vso.build"),
    ("vso.code", "Code (read)", "Code", "vso.hooks_write"),
    ("vso.code_write", "Code (read and write)", "Code", "vso.code"),
    ("vso.code_manage", "Code (read, write, and manage)", "Code", "vso.code_write"),
    ("vso.code_full", "Code (full)", "Code", "vso.code_manage"),
    ("vso.code_status", "Code (status)", "Code", None),
    ("vso.connected_server", "Connected Server", "Connected Server", None),
    ("vso.entitlements", "Entitlements (Read)", "Entitlements", None),
    (
        "vso.memberentitlementmanagement",
        "MemberEntitlement Management (read)",
        "Entitlements",
        None,
    ),
    (
        "vso.memberentitlementmanagement_write",
        "MemberEntitlement Management (write)",
        "Entitlements",
        "vso.memberentitlementmanagement",
    ),
    ("vso.extension", "Extensions (read)", "Extensions", "vso.profile"),
    ("vso.extension_manage", "Extensions (read and manage)", "Extensions", "vso.extension"),
    ("vso.extension.data", "Extension data (read)", "Extensions", "vso.profile"),
    (
        "vso.extension.data_write",
        "Extension data (read and write)",
        "Extensions",
        "vso.extension.data",
    ),
    ("vso.githubconnections", "GitHub Connections (read)", "GitHub Connections", None),
    (
        "vso.githubconnections_manage",
        "GitHub Connections (read and manage)",
        "GitHub Connections",
        "vso.githubconnections",
    ),
    ("vso.graph", "Graph (read)", "Graph & identity", None),
    ("vso.graph_manage", "Graph (manage)", "Graph & identity", "vso.graph"),
    ("vso.identity", "Identity (read)", "Graph & identity", None),
    ("vso.identity_manage", "Identity (manage)", "Graph & identity", "vso.identity"),
    (
        "vso.machinegroup_manage",
        "Deployment group (read, manage)",
        "Machine Group",
        "vso.agentpools_manage",
    ),
    ("vso.gallery", "Marketplace", "Marketplace", "vso.profile"),
    ("vso.gallery_acquire", "Marketplace (acquire)", "Marketplace", "vso.gallery"),
    ("vso.gallery_publish", "Marketplace (publish)", "Marketplace", "vso.gallery"),
    ("vso.gallery_manage", "Marketplace (manage)", "Marketplace", "vso.gallery_publish"),
    ("vso.notification", "Notifications (read)", "Notifications", "vso.profile"),
    ("vso.notification_write", "Notifications (write)", "Notifications", "vso.notification"),
    (
        "vso.notification_manage",
        "Notifications (manage)",
        "Notifications",
        "vso.notification_write",
    ),
    (
        "vso.notification_diagnostics",
        "Notifications (diagnostics)",
        "Notifications",
        "vso.notification",
    ),
    ("vso.packaging", "Packaging (read)", "Packaging", "vso.profile"),
    ("vso.packaging_write", "Packaging (read and write)", "Packaging", "vso.packaging"),
    (
        "vso.packaging_manage",
        "Packaging (read, write, and manage)",
        "Packaging",
        "vso.packaging_write",
    ),
    ("vso.pipelineresources_use", "Pipeline Resources (use)", "Pipeline Resources", None),
    (
        "vso.pipelineresources_manage",
        "Pipeline Resources (use and manage)",
        "Pipeline Resources",
        "vso.pipelineresources_use",
    ),
    ("vso.project", "Project and team (read)", "Project and Team", None),
    ("vso.project_write", "Project and team (read and write)", "Project and Team", "vso.project"),
    (
        "vso.project_manage",
        "Project and team (read, write and manage)",
        "Project and Team",
        "vso.project_write",
    ),
    ("vso.release", "Release (read)", "Release", "vso.profile"),
    ("vso.release_execute", "Release (read, write and execute)", "Release", "vso.release"),
    (
        "vso.release_manage",
        "Release (read, write, execute and manage)",
        "Release",
        "vso.release_execute",
    ),
    ("vso.securefiles_read", "Secure Files (read)", "Secure Files", None),
    (
        "vso.securefiles_write",
        "Secure Files (read, create)",
        "Secure Files",
        "vso.securefiles_read",
    ),
    (
        "vso.securefiles_manage",
        "Secure Files (read, create, and manage)",
        "Secure Files",
        "vso.securefiles_write",
    ),
    ("vso.security_manage", "Security (manage)", "Security", None),
    ("vso.serviceendpoint", "Service Endpoints (read)", "Service Connections", "vso.profile"),
    (
        "vso.serviceendpoint_query",
        "Service Endpoints (read and query)",
        "Service Connections",
        "vso.serviceendpoint",
    ),
    (
        "vso.serviceendpoint_manage",
        "Service Endpoints (read, query and manage)",
        "Service Connections",
        "vso.serviceendpoint_query",
    ),
    ("vso.hooks", "Service hooks (read)", "Service Hooks", "vso.profile"),
    ("vso.hooks_write", "Service hooks (read and write)", "Service Hooks", "vso.hooks"),
    ("vso.hooks_interact", "Service hooks (interact)", "Service Hooks", "vso.profile"),
    ("vso.settings", "Settings (read)", "Settings", None),
    ("vso.settings_write", "Settings (read and write)", "Settings", "vso.settings"),
    ("vso.symbols", "Symbols (read)", "Symbols", "vso.profile"),
    ("vso.symbols_write", "Symbols (read and write)", "Symbols", "vso.symbols"),
    ("vso.symbols_manage", "Symbols (read, write and manage)", "Symbols", "vso.symbols_write"),
    ("vso.taskgroups_read", "Task Groups (read)", "Task Groups", None),
    ("vso.taskgroups_write", "Task Groups (read, create)", "Task Groups", "vso.taskgroups_read"),
    (
        "vso.taskgroups_manage",
        "Task Groups (read, create and manage)",
        "Task Groups",
        "vso.taskgroups_write",
    ),
    ("vso.dashboards", "Team dashboards (read)", "Team Dashboard", None),
    ("vso.dashboards_manage", "Team dashboards (manage)", "Team Dashboard", "vso.dashboards"),
    ("vso.test", "Test management (read)", "Test Management", "vso.profile"),
    ("vso.test_write", "Test management (read and write)", "Test Management", "vso.test"),
    ("vso.threads_full", "PR threads", "Threads", None),
    ("vso.tokens", "Delegated Authorization Tokens", "Tokens", None),
    ("vso.tokenadministration", "Token Administration", "Tokens", None),
    ("vso.pats", "PAT lifecycle (read)", "Tokens", None),
    ("vso.pats_manage", "PAT lifecycle (read and manage)", "Tokens", "vso.pats"),
    ("vso.profile", "User profile (read)", "User Profile", None),
    ("vso.profile_write", "User profile (write)", "User Profile", "vso.profile"),
    ("vso.variablegroups_read", "Variable Groups (read)", "Variable Groups", None),
    (
        "vso.variablegroups_write",
        "Variable Groups (read, create)",
        "Variable Groups",
        "vso.variablegroups_read",
    ),
    (
        "vso.variablegroups_manage",
        "Variable Groups (read, create and manage)",
        "Variable Groups",
        "vso.variablegroups_write",
    ),
    ("vso.wiki", "Wiki (read)", "Wiki", None),
    ("vso.wiki_write", "Wiki (read and write)", "Wiki", "vso.wiki"),
    ("vso.work", "Work items (read)", "Work Items", "vso.hooks_write"),
    ("vso.work_write", "Work items (read and write)", "Work Items", "vso.work"),
    ("vso.work_full", "Work items (full)", "Work Items", "vso.work_write"),
    ("app_token", "Full access (all scopes the user has)", "Full access", None),
)

_HIGH_PRIVILEGE: Final = frozenset(
    {
        "vso.advsec",
        "vso.advsec_write",
        "vso.advsec_manage",
        "vso.agentpools_manage",
        "vso.environment_manage",
        "vso.auditstreams_manage",
        "vso.build_execute",
        "vso.code_write",
        "vso.code_manage",
        "vso.code_full",
        "vso.memberentitlementmanagement_write",
        "vso.extension_manage",
        "vso.githubconnections_manage",
        "vso.graph_manage",
        "vso.identity_manage",
        "vso.machinegroup_manage",
        "vso.gallery_publish",
        "vso.gallery_manage",
        "vso.packaging_write",
        "vso.packaging_manage",
        "vso.pipelineresources_use",
        "vso.pipelineresources_manage",
        "vso.project_manage",
        "vso.release_execute",
        "vso.release_manage",
        "vso.securefiles_read",
        "vso.securefiles_write",
        "vso.securefiles_manage",
        "vso.security_manage",
        "vso.serviceendpoint_manage",
        "vso.taskgroups_manage",
        "vso.tokens",
        "vso.tokenadministration",
        "vso.pats",
        "vso.pats_manage",
        "vso.variablegroups_manage",
        "app_token",
    }
)

SCOPES: Final = tuple(
    Scope(value, name, category, value in _HIGH_PRIVILEGE, inherits)
    for value, name, category, inherits in _ROWS
)

RECIPES: Final = (
    Recipe("git", "clone, fetch and push", ("vso.code_write",)),
    Recipe("git-read", "clone and fetch only", ("vso.code",)),
    Recipe("git-status", "set the status of commits and pull requests", ("vso.code_status",)),
    Recipe("packages", "install packages from feeds", ("vso.packaging",)),
    Recipe("packages-publish", "install and publish packages", ("vso.packaging_write",)),
    Recipe("agent", "register and run build agents", ("vso.agentpools_manage",)),
    Recipe("deployment-group", "register deployment targets", ("vso.machinegroup_manage",)),
    Recipe("environment", "register machines of an environment", ("vso.environment_manage",)),
    Recipe("work-items", "read and change work items", ("vso.work_write",)),
    Recipe("work-items-read", "read work items and run queries", ("vso.work",)),
    Recipe("build", "read builds, queue and change them", ("vso.build_execute",)),
    Recipe("build-read", "read builds and their artifacts", ("vso.build",)),
    Recipe("release", "read releases, start and change them", ("vso.release_execute",)),
    Recipe("release-read", "read releases", ("vso.release",)),
    Recipe("test", "read and write test plans and results", ("vso.test_write",)),
    Recipe("wiki", "read and write wiki pages", ("vso.wiki_write",)),
    Recipe("symbols", "publish symbols", ("vso.symbols_write",)),
    Recipe("analytics", "query Analytics, for Power BI and Excel", ("vso.analytics",)),
    Recipe("audit", "read the audit log", ("vso.auditlog",)),
    Recipe("marketplace", "publish an Azure DevOps extension", ("vso.gallery_publish",)),
    Recipe("marketplace-manage", "publish a VS Code extension", ("vso.gallery_manage",)),
)


def parse_scopes(
    texts: Iterable[str], *, recipes: Iterable[str] = (), allow_unknown: bool = False
) -> tuple[str, ...]:
    """Turn what a user types into the scopes that the API takes.

    Args:
        texts: `vso.code_write`, `code_write` or `full`; several in one text, apart by spaces
            or commas, are several.
        recipes: names of recipes, whose scopes are added.
        allow_unknown: pass on scopes that are not in `SCOPES` (undocumented ones exist).

    Raises:
        UsageError: an unknown scope or recipe, none at all, or full access beside others.
    """
    wanted = [scope for name in recipes for scope in recipe(name).scopes]
    known = {scope.value for scope in SCOPES}
    for text in texts:
        for word in text.replace(",", " ").split():
            value = canonical(word)
            if value in known:
                wanted.append(value)
            elif allow_unknown:
                wanted.append(word if "." in word else value)
            else:
                raise _unknown_scope(word, value)
    scopes = tuple(dict.fromkeys(wanted))
    if not scopes:
        raise UsageError(
            "no scope was given",
            hint="say what the token is for: --scope code_write, --for git, or --scope full"
            " (pat scopes lists all)",
        )
    if FULL_ACCESS in scopes and len(scopes) > 1:
        raise UsageError(
            "full access already includes every other scope",
            hint="leave out either --scope full or the others",
        )
    return scopes


def canonical(word: str) -> str:
    """Write one scope the way the API does: `full` and missing `vso.` are understood."""
    value = word.lower()
    if value in {"full", FULL_ACCESS}:
        return FULL_ACCESS
    return value if value.startswith("vso.") else f"vso.{value}"


def recipe(name: str) -> Recipe:
    """Return the recipe of that name.

    Raises:
        UsageError: there is none.
    """
    for candidate in RECIPES:
        if candidate.name == name.lower():
            return candidate
    near = difflib.get_close_matches(name.lower(), [each.name for each in RECIPES], n=3)
    raise UsageError(
        f"there is no recipe {name!r}",
        hint=f"did you mean {_either(near)}?" if near else "pat scopes --recipes lists them",
    )


def search(word: str) -> tuple[Scope, ...]:
    """Find the scopes in whose value, name or category the word occurs."""
    wanted = word.casefold()
    return tuple(
        scope
        for scope in SCOPES
        if any(wanted in text.casefold() for text in (scope.value, scope.name, scope.category))
    )


def _unknown_scope(word: str, value: str) -> UsageError:
    names = [scope.value for scope in SCOPES]
    near = difflib.get_close_matches(value, names, n=3, cutoff=0.7)
    # "coderead" is near to nothing by its letters, but the stem finds its family.
    near = near or [name for name in names if name.startswith(value[:8]) and value[4:8]][:3]
    proposal = f"did you mean {_either(near)}? " if near else ""
    return UsageError(
        f"there is no scope {word!r}",
        hint=f"{proposal}pat scopes lists all; --allow-unknown-scope passes it on as it is",
    )


def _either(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} or {names[-1]}"
