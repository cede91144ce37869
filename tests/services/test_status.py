"""Where one stands: everything is looked at, whatever fails on the way."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from azdo_pat.auth.chain import Search
from azdo_pat.errors import SignInError, UsageError
from azdo_pat.models import AccessToken, Identity, Organization, Secret, SourceReport
from azdo_pat.results.diagnosis import Problem, StatusReport
from azdo_pat.services.status import report_status
from services.machine import ADA_ID, CONTOSO_ID, FABRIKAM_ID, LOCKED, NOW, Machine

REPORTS = (SourceReport(name="the test", used=True, detail="used"),)
SIGNED_IN = Search(
    token=AccessToken(
        secret=Secret("bearer"),
        source="the test",
        user="ada@contoso.example",
        tenant="t",
        expires=NOW + timedelta(hours=1),
    ),
    failure=None,
    reports=REPORTS,
)
NOBODY = Search(token=None, failure=SignInError("not signed in", hint="az login"), reports=REPORTS)


def stand(
    machine: Machine,
    search: Search,
    locate: Callable[[], tuple[Organization | None, str]] | None = None,
) -> StatusReport:
    deps = replace(machine.deps, search=search, locate=locate)
    return report_status(deps, config_file="config.toml")


def test_all_is_well(machine: Machine) -> None:
    machine.made()
    assert stand(machine, SIGNED_IN) == StatusReport(
        api_root=machine.emulator.url,
        organization=machine.organization("contoso", CONTOSO_ID),
        organization_source="--org",
        signed_in=True,
        user="ada@contoso.example",
        tenant="t",
        token_source="the test",
        token_expires=NOW + timedelta(hours=1),
        sources=REPORTS,
        identity=Identity(id=ADA_ID, name="Ada Lovelace", mail="ada@contoso.example"),
        organizations=(
            machine.organization("contoso", CONTOSO_ID),
            machine.organization("fabrikam", FABRIKAM_ID),
        ),
        keyring=machine.secrets.describe(),
        keyring_usable=True,
        stored_secrets=1,
        config_file="config.toml",
        state_file=str(machine.folder / "state.db"),
        problems=(),
    )


def test_nobody_is_signed_in_and_nothing_else_works(machine: Machine) -> None:
    def nowhere() -> tuple[Organization | None, str]:
        raise UsageError("that is no organization", hint="name one")

    machine.folder.mkdir()
    machine.folder.joinpath("state.db").write_bytes(b"no database at all" * 100)
    report = stand(machine, NOBODY, nowhere)
    assert (report.signed_in, report.user, report.identity, report.organizations) == (
        False,
        "",
        None,
        (),
    )
    assert (report.organization, report.organization_source) == (None, "")
    assert report.stored_secrets is None
    assert report.problems[:2] == (
        Problem("that is no organization", "name one"),
        Problem("not signed in", "az login"),
    )
    assert len(report.problems) == 3
    assert "state.db" in report.problems[2].text
    assert machine.asked() == []


def test_a_sign_in_that_the_service_refuses(machine: Machine) -> None:
    machine.emulator.fail("GET */profiles/me status=401 times=always")
    report = stand(machine, SIGNED_IN)
    assert (report.signed_in, report.identity) == (False, None)
    assert len(report.problems) == 1
    assert "did not accept the access token from the test" in report.problems[0].text


def test_organizations_that_cannot_be_listed(machine: Machine) -> None:
    machine.emulator.fail("GET */accounts status=403")
    report = stand(machine, SIGNED_IN)
    assert (report.signed_in, report.organizations) == (True, ())
    assert len(report.problems) == 1


def test_the_only_organization_is_the_one_at_hand(machine: Machine) -> None:
    only = {"count": 1, "value": [{"accountId": CONTOSO_ID, "accountName": "Contoso"}]}
    machine.emulator.fail(f"GET */accounts body='{json.dumps(only)}'")
    report = stand(machine, SIGNED_IN, lambda: (None, ""))
    assert report.organization == machine.organization("contoso", CONTOSO_ID)
    assert report.organization_source == "the only one you have"


def test_of_several_organizations_none_is_at_hand(machine: Machine) -> None:
    report = stand(machine, SIGNED_IN, lambda: (None, ""))
    assert (report.organization, report.organization_source) == (None, "")


def test_secrets_that_were_never_stored_are_not_counted(machine: Machine) -> None:
    machine.made("a")
    machine.made("b", machine.fabrikam)
    machine.state.forget(machine.contoso.url, "a")
    assert stand(machine, SIGNED_IN).stored_secrets == 1
    assert LOCKED not in [each.text for each in stand(machine, SIGNED_IN).problems]
