"""What the library of a new emulator holds: something to deliver a token to."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from azdo_pat.emulator import times
from azdo_pat.emulator.directory import ADA, CONTOSO, GRACE
from azdo_pat.emulator.library.items import Reference
from azdo_pat.emulator.library.library import Holdings
from azdo_pat.emulator.library.service_connections import ServiceConnection
from azdo_pat.emulator.library.variable_groups import Variable, VariableGroup
from azdo_pat.emulator.projects import projects_of

if TYPE_CHECKING:
    from typing import Any

_AGE: Final = timedelta(days=12)


def samples(now: datetime) -> Holdings:
    """A variable group and a service connection in the first project of contoso."""
    project = projects_of(CONTOSO)[0]
    made = times.quantise(now - _AGE)
    common: dict[str, Any] = {
        "organization_id": CONTOSO.organization_id,
        "created_by": GRACE.user_id,
        "created_on": made,
        "modified_by": ADA.user_id,
        "modified_on": made,
    }

    def there(name: str, description: str) -> dict[str, Any]:
        reference = Reference(project_id=project.project_id, name=name, description=description)
        return {"name": name, "description": description, "references": (reference,)}

    group = VariableGroup(
        key="1",
        kind="Vsts",
        variables={
            "AZURE_DEVOPS_PAT": Variable(value=None, secret=True),
            "FEED_URL": Variable(value="https://pkgs.dev.azure.com/contoso/_packaging/feed"),
            "SIGNING_KEY": Variable(value="not a real key", secret=True),
        },
        **there("ci-secrets", "What the pipelines of fabric need"),
        **common,
    )
    connection = ServiceConnection(
        key=str(uuid.uuid5(uuid.UUID(project.project_id), "fabrikam")),
        kind="externaltfs",
        url="https://dev.azure.com/fabrikam",
        scheme="Token",
        parameters={"apitoken": "not a real token"},
        **there("fabrikam", "The repositories of fabrikam"),
        **common,
    )
    return Holdings(groups=(group,), connections=(connection,))
