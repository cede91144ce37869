"""The scopes that the emulator accepts.

Source: the scope table of Microsoft's "Authenticate with OAuth 2.0" page (2025-07-16), plus
``vso.governance``, which no page names and the service takes
(AzureAD/microsoft-authentication-cli issue 369).
"""

from __future__ import annotations

from typing import Final

FULL_ACCESS: Final = "app_token"
PACKAGING: Final = "vso.packaging"

_DOCUMENTED: Final = """
vso.advsec vso.advsec_write vso.advsec_manage vso.agentpools vso.agentpools_manage
vso.environment_manage vso.analytics vso.auditlog vso.auditstreams_manage vso.build
vso.build_execute vso.code vso.code_write vso.code_manage vso.code_full vso.code_status
vso.connected_server vso.entitlements vso.memberentitlementmanagement
vso.memberentitlementmanagement_write vso.extension vso.extension_manage vso.extension.data
vso.extension.data_write vso.githubconnections vso.githubconnections_manage vso.graph
vso.graph_manage vso.identity vso.identity_manage vso.machinegroup_manage vso.gallery
vso.gallery_acquire vso.gallery_publish vso.gallery_manage vso.notification
vso.notification_write vso.notification_manage vso.notification_diagnostics vso.packaging
vso.packaging_write vso.packaging_manage vso.pipelineresources_use vso.pipelineresources_manage
vso.project vso.project_write vso.project_manage vso.release vso.release_execute
vso.release_manage vso.securefiles_read vso.securefiles_write vso.securefiles_manage
vso.security_manage vso.serviceendpoint vso.serviceendpoint_query vso.serviceendpoint_manage
vso.hooks vso.hooks_write vso.hooks_interact vso.settings vso.settings_write vso.symbols
vso.symbols_write vso.symbols_manage vso.taskgroups_read vso.taskgroups_write
vso.taskgroups_manage vso.dashboards vso.dashboards_manage vso.test vso.test_write
vso.threads_full vso.tokens vso.tokenadministration vso.pats vso.pats_manage vso.profile
vso.profile_write vso.variablegroups_read vso.variablegroups_write vso.variablegroups_manage
vso.wiki vso.wiki_write vso.work vso.work_write vso.work_full app_token
"""
VALID: Final = frozenset(_DOCUMENTED.split()) | {FULL_ACCESS, "vso.governance"}


def are_valid(scope: str) -> bool:
    """Whether a space-separated list names at least one scope and only known ones."""
    names = scope.split()
    return bool(names) and VALID.issuperset(names)


def are_packaging_only(scope: str) -> bool:
    """Whether every scope of a space-separated list is about packages."""
    names = scope.split()
    return bool(names) and all(
        name == PACKAGING or name.startswith(PACKAGING + "_") for name in names
    )
