"""Listing tokens and finding the one that is meant."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from azdo_pat.errors import ConflictError, NotFoundError, PatError, RefusedError, StoreError
from azdo_pat.models import Organization, Origin, Pat, PatChanges, Status, StoredPat
from azdo_pat.results.tokens import OrganizationFailure
from azdo_pat.services.find_tokens import Filters, Sort, in_order
from services.machine import CONTOSO_ID, FABRIKAM_ID, NOW, PATS, Machine

LIST = "GET /contoso/_apis/tokens/pats"
PROFILE = "GET /_apis/profile/profiles/me"
ACCOUNTS = "GET /_apis/accounts"
EVERY = (Status.ACTIVE, Status.EXPIRED, Status.REVOKED)


def names(machine: Machine, filters: Filters | None = None) -> list[str]:
    return [pat.name for pat in machine.finder.listing(machine.contoso, filters or Filters())]


def find(machine: Machine, *texts: str) -> tuple[Pat, ...]:
    return machine.finder.find(machine.contoso, texts)


def failure(machine: Machine, *texts: str) -> PatError:
    with pytest.raises(PatError) as caught:
        find(machine, *texts)
    return caught.value


def stored(machine: Machine, **changes: object) -> StoredPat:
    entry = StoredPat(
        org_url=machine.contoso.url,
        org="contoso",
        name="theirs",
        id=None,
        scopes=(),
        created=None,
        expires=None,
        origin=Origin.UNKNOWN,
    )
    return replace(entry, **changes)  # type: ignore[arg-type]  # fields of the entry


@contextmanager
def counted(machine: Machine) -> Iterator[list[str]]:
    """Give a list that holds, in the end, what was asked of the service meanwhile."""
    before = len(machine.asked())
    asked: list[str] = []
    yield asked
    asked += machine.asked()[before:]


class TestListing:
    """The tokens of one organization."""

    def test_everything_of_a_token(self, machine: Machine) -> None:
        mine = machine.made()
        assert list(machine.finder.listing(machine.contoso, Filters())) == [mine]

    def test_tokens_of_other_organizations_are_left_out(self, machine: Machine) -> None:
        machine.emulator.add_tokens(name="here")
        machine.emulator.add_tokens(name="there", organization="fabrikam")
        listed = {pat.display_name for pat in machine.tokens.list(machine.contoso)}
        assert listed == {"here", "there"}  # the service's quirk
        assert names(machine) == ["here"]

    def test_global_ones_belong_everywhere(self, machine: Machine) -> None:
        (identifier,) = machine.emulator.add_tokens(name="everywhere", allOrgs=True)
        (pat,) = machine.finder.listing(machine.contoso, Filters())
        assert (pat.id, pat.org, pat.is_global) == (identifier, None, True)
        (there,) = machine.finder.listing(machine.fabrikam, Filters())
        assert there == pat

    @pytest.mark.parametrize("state", ["active", "expired", "revoked"])
    def test_status(self, machine: Machine, state: str) -> None:
        for each in EVERY:
            machine.emulator.add_tokens(name=each.value, state=each.value)
        status = Status(state)
        listed = machine.finder.listing(machine.contoso, Filters(statuses=(status,)))
        assert [(pat.name, pat.status) for pat in listed] == [(state, status)]

    def test_statuses_in_the_order_asked_for(self, machine: Machine) -> None:
        for each in EVERY:
            machine.emulator.add_tokens(name=each.value, state=each.value)
        assert names(machine, Filters(statuses=EVERY[::-1])) == ["revoked", "expired", "active"]

    def test_every_page_once(self, machine: Machine) -> None:
        machine.emulator.add_tokens(250, name="token {n}")
        machine.organization_cache.all()
        with counted(machine) as asked:
            found = names(machine)
        assert sorted(found) == sorted(f"token {number}" for number in range(1, 251))
        assert asked == [LIST] * 3

    def test_pages_are_asked_for_as_they_are_reached(self, machine: Machine) -> None:
        machine.emulator.add_tokens(250)
        machine.organization_cache.all()
        with counted(machine) as asked:
            next(machine.finder.listing(machine.contoso, Filters()))
        assert asked == [LIST]

    @pytest.mark.parametrize(
        ("filters", "expected"),
        [
            (Filters(names=("ci-*",)), ["ci-build", "ci-deploy"]),
            (Filters(names=("*deploy", "lap*")), ["ci-deploy", "laptop"]),
            (Filters(names=("CI-*",)), []),
            (Filters(names=("ci-?uild",)), ["ci-build"]),
            (Filters(scopes=("vso.code",)), ["ci-build", "laptop"]),
            (Filters(scopes=("vso.build", "vso.code")), ["ci-build"]),
            (Filters(scopes=("vso.cod",)), []),
            (Filters(only_global=True), ["laptop"]),
            (Filters(expires_before=NOW + timedelta(days=7)), ["ci-deploy"]),
            (Filters(expires_before=NOW), []),
            (Filters(names=("ci-*",), scopes=("vso.code",)), ["ci-build"]),
            (Filters(names=("ci-*",), only_global=True), []),
        ],
    )
    def test_filters(self, machine: Machine, filters: Filters, expected: list[str]) -> None:
        machine.emulator.add_tokens(name="ci-build", scope="vso.code vso.build")
        week = "2026-06-22T12:00:00Z"
        machine.emulator.add_tokens(name="ci-deploy", scope="vso.release", validTo=week)
        machine.emulator.add_tokens(name="laptop", scope="vso.code", allOrgs=True)
        assert sorted(names(machine, filters)) == expected


class TestMarks:
    """What this machine knows of the tokens that are listed."""

    def test_stored_and_made_here(self, machine: Machine) -> None:
        mine = machine.made()
        machine.elsewhere()
        marks = {
            pat.id: (pat.stored, pat.origin)
            for pat in machine.finder.listing(machine.contoso, Filters())
        }
        assert marks.pop(mine.id) == (True, Origin.PAT)
        assert list(marks.values()) == [(False, Origin.UNKNOWN)]

    def test_made_here_and_forgotten(self, machine: Machine) -> None:
        mine = machine.made()
        machine.state.forget(machine.contoso.url, "ci")
        assert find(machine, "ci") == (replace(mine, stored=False),)

    def test_made_by_a_tool(self, machine: Machine) -> None:
        machine.emulator.add_tokens(name="git: https://dev.azure.com/contoso on ada-laptop")
        (pat,) = machine.finder.listing(machine.contoso, Filters())
        assert pat.origin is Origin.GIT

    def test_an_imported_one_is_known_by_its_name(self, machine: Machine) -> None:
        machine.elsewhere("theirs")
        machine.state.remember(stored(machine))
        (pat,) = find(machine, "theirs")
        assert (pat.stored, pat.origin) == (True, Origin.UNKNOWN)

    def test_what_is_stored_for_another_organization_does_not_count(self, machine: Machine) -> None:
        machine.elsewhere("theirs")
        machine.state.remember(stored(machine, org_url=machine.fabrikam.url, org="fabrikam"))
        assert not find(machine, "theirs")[0].stored

    def test_the_secret_of_a_revoked_one_is_of_no_use(self, machine: Machine) -> None:
        mine = machine.made()
        machine.tokens.revoke(machine.contoso, mine.id or "")
        assert find(machine, "ci") == (replace(mine, stored=False, status=Status.REVOKED),)


class TestEverywhere:
    """All of the user's organizations."""

    def everywhere(self, machine: Machine) -> tuple[list[Pat], list[OrganizationFailure]]:
        pats, failures = machine.finder.listing_everywhere(
            machine.organization_cache.all(), Filters()
        )
        return list(pats), list(failures)

    def test_no_token_twice(self, machine: Machine) -> None:
        machine.emulator.add_tokens(name="here")
        machine.emulator.add_tokens(name="there", organization="fabrikam")
        machine.emulator.add_tokens(name="everywhere", allOrgs=True)
        pats, failures = self.everywhere(machine)
        assert {(pat.name, pat.org) for pat in pats} == {
            ("here", "contoso"),
            ("there", "fabrikam"),
            ("everywhere", None),
        }
        assert (len(pats), failures) == (3, [])
        assert sorted(machine.asked()[2:]) == [LIST, LIST.replace("contoso", "fabrikam")]

    def test_one_organization_that_fails(self, machine: Machine) -> None:
        machine.emulator.add_tokens(name="here")
        machine.emulator.add_tokens(name="there", organization="fabrikam")
        machine.emulator.fail("GET /fabrikam/* status=403 times=always")
        pats, failures = self.everywhere(machine)
        assert [pat.name for pat in pats] == ["here"]
        (failed,) = failures
        assert failed.org == "fabrikam"
        assert failed.reason.endswith("does not allow the operation")

    @pytest.mark.parametrize("org", ["contoso", "fabrikam"])
    def test_stored_counts_wherever_it_is(self, machine: Machine, org: str) -> None:
        (identifier,) = machine.emulator.add_tokens(name="everywhere", allOrgs=True)
        where = machine.organization(org)
        machine.state.remember(stored(machine, org_url=where.url, org=org, id=identifier))
        pats, _ = self.everywhere(machine)
        assert [(pat.id, pat.stored) for pat in pats] == [(identifier, True)]

    def test_no_organization_can_be_told(self, machine: Machine) -> None:
        machine.emulator.fail("GET */accounts status=403")
        with pytest.raises(RefusedError):
            self.everywhere(machine)


class TestFinding:
    """By name, id, and beginning of the id."""

    def test_each_way_to_name_it(self, machine: Machine) -> None:
        mine = machine.made("my ci")
        identifier = mine.id or ""
        for text in ("my ci", identifier, identifier.upper(), identifier[:8], identifier[:20]):
            assert find(machine, text) == (mine,)

    def test_one_that_is_named_twice_comes_once(self, machine: Machine) -> None:
        one, two = machine.made("one"), machine.made("two")
        assert find(machine, "two", "one", two.id or "", "two") == (two, one)

    def test_names_are_matched_in_full_and_in_their_case(self, machine: Machine) -> None:
        machine.made("ci")
        for text in ("CI", "c", "ci ", "c*", ""):
            error = failure(machine, text)
            assert type(error) is NotFoundError
            assert error.message == f"no token {text!r} in contoso"
            assert error.hint.removeprefix("did you mean ci? ") == (
                "names are case-sensitive; to list all tokens, run: pat list --status all"
            )

    def test_fewer_than_eight_characters_are_no_id(self, machine: Machine) -> None:
        mine = machine.made()
        assert type(failure(machine, (mine.id or "")[:7])) is NotFoundError

    def test_the_active_one_goes_before_expired_and_revoked_ones(self, machine: Machine) -> None:
        for state in ("revoked", "revoked", "expired", "expired", "active"):
            machine.emulator.add_tokens(name="ci", state=state)
        assert [pat.status for pat in find(machine, "ci")] == [Status.ACTIVE]

    def test_the_expired_one_goes_before_revoked_ones(self, machine: Machine) -> None:
        for state in ("revoked", "expired", "revoked"):
            machine.emulator.add_tokens(name="ci", state=state)
        assert [pat.status for pat in find(machine, "ci")] == [Status.EXPIRED]

    def test_old_ones_are_not_asked_for_where_active_ones_suffice(self, machine: Machine) -> None:
        machine.made()
        with counted(machine) as asked:
            find(machine, "ci")
        assert asked == [LIST]

    def test_an_ambiguous_name(self, machine: Machine) -> None:
        ids = machine.emulator.add_tokens(2, name="ci", validTo="2026-08-01T00:00:00Z")
        (everywhere,) = machine.emulator.add_tokens(
            name="ci", allOrgs=True, validTo="2026-09-01T00:00:00Z"
        )
        machine.emulator.add_tokens(name="ci", organization="fabrikam")
        error = failure(machine, "ci")
        assert type(error) is ConflictError
        assert error.message == "3 tokens match 'ci'"
        first, *lines = error.hint.splitlines()
        assert first == "choose one by its id:"
        assert sorted(lines) == sorted(
            [f"{each}  contoso  expires 2026-08-01" for each in ids]
            + [f"{everywhere}  all organizations  expires 2026-09-01"]
        )

    def test_an_ambiguous_beginning(self, machine: Machine) -> None:
        mine = machine.made()
        machine.emulator.add_tokens(name=(mine.id or "")[:8])
        assert type(failure(machine, (mine.id or "")[:8])) is ConflictError

    @pytest.mark.parametrize("state", ["active", "expired", "revoked"])
    def test_a_name_that_begins_the_id_of_another(self, machine: Machine, state: str) -> None:
        mine = machine.made()
        beginning = (mine.id or "")[:8]
        (named,) = machine.emulator.add_tokens(
            name=beginning, state=state, validTo="2026-08-01T00:00:00Z"
        )
        error = failure(machine, beginning)
        assert (type(error), error.message) == (
            ConflictError,
            f"2 tokens match {beginning!r}",
        )
        ends = dict.fromkeys(("active", "expired"), "expires 2026-08-01")  # by its end
        assert sorted(error.hint.splitlines()[1:]) == sorted(
            [
                f"{mine.id}  contoso  expires 2026-07-15, its secret is stored",
                f"{named}  contoso  {ends.get(state, state)}",
            ]
        )
        assert find(machine, "ci") == (mine,)

    def test_a_token_named_like_the_beginning_of_its_own_id(self, machine: Machine) -> None:
        mine = machine.made()
        beginning = (mine.id or "")[:8]
        machine.tokens.update(machine.contoso, mine.id or "", PatChanges(display_name=beginning))
        assert [pat.id for pat in find(machine, beginning)] == [mine.id]

    @pytest.mark.parametrize("mine", ["active", "expired", "revoked"])
    @pytest.mark.parametrize("other", ["active", "expired", "revoked"])
    def test_an_id_in_full_goes_before_a_name(
        self, machine: Machine, mine: str, other: str
    ) -> None:
        (identifier,) = machine.emulator.add_tokens(name="ci", state=mine)
        machine.emulator.add_tokens(name=identifier, state=other)
        (pat,) = find(machine, identifier)
        assert (pat.id, pat.name) == (identifier, "ci")

    def test_a_name_like_an_id_in_full_that_is_nobodys(self, machine: Machine) -> None:
        machine.emulator.add_tokens(name=CONTOSO_ID)
        assert [pat.name for pat in find(machine, CONTOSO_ID)] == [CONTOSO_ID]

    def test_of_another_organization(self, machine: Machine) -> None:
        theirs = machine.made("theirs", machine.fabrikam)
        for text in ("theirs", theirs.id or "", (theirs.id or "")[:8]):
            error = failure(machine, text)
            assert type(error) is NotFoundError
            assert error.message == f"{text!r} is a token of fabrikam, not of contoso"
            assert error.hint == "add --org fabrikam"

    def test_the_one_at_hand_goes_before_that_of_another_organization(
        self, machine: Machine
    ) -> None:
        machine.made("ci", machine.fabrikam)
        machine.emulator.add_tokens(name="ci", state="expired")
        assert [(pat.org, pat.status) for pat in find(machine, "ci")] == [
            ("contoso", Status.EXPIRED)
        ]

    def test_one_missing_among_several(self, machine: Machine) -> None:
        machine.made()
        assert failure(machine, "ci", "nowhere").message == "no token 'nowhere' in contoso"


class TestOrganizations:
    """How often the service is asked for them."""

    def test_a_first_listing_asks_once(self, machine: Machine) -> None:
        machine.emulator.add_tokens(3)
        names(machine)
        names(machine)
        assert machine.asked() == [LIST, PROFILE, ACCOUNTS, LIST]

    def test_the_next_run_does_not_ask(self, machine: Machine) -> None:
        machine.emulator.add_tokens(name="here")
        machine.emulator.add_tokens(name="there", organization="fabrikam")
        names(machine)
        machine.start()
        with counted(machine) as asked:
            assert names(machine) == ["here"]
        assert asked == [LIST]

    def test_what_create_learnt_suffices(self, machine: Machine) -> None:
        machine.made()
        machine.start()
        with counted(machine) as asked:
            assert names(machine) == ["ci"]
        assert asked == [LIST]

    def test_what_create_learnt_forgets_no_other(self, machine: Machine) -> None:
        machine.organization_cache.all()
        machine.start()
        machine.made()
        assert machine.state.organizations(machine.emulator.url) == (
            machine.organization("contoso", CONTOSO_ID),
            machine.organization("fabrikam", FABRIKAM_ID),
        )

    def test_an_empty_list_needs_no_look_up(self, machine: Machine) -> None:
        assert names(machine) == []
        assert machine.asked() == [LIST]

    def test_one_that_the_user_is_only_a_guest_of_tells_its_own_id(self, machine: Machine) -> None:
        machine.emulator.add_tokens(name="here")
        machine.emulator.fail("""GET */accounts body='{"count": 0, "value": []}' times=always""")
        assert names(machine) == ["here"]
        assert machine.asked() == [LIST, PROFILE, ACCOUNTS, "GET /contoso/_apis/connectionData"]
        assert machine.organization_cache.name_of(FABRIKAM_ID) == FABRIKAM_ID

    def test_a_guid_that_is_another_ones_now_is_put_right(self, machine: Machine) -> None:
        machine.emulator.add_tokens(name="here")
        machine.emulator.add_tokens(name="there", organization="fabrikam")
        machine.state.remember_organizations(
            machine.emulator.url,
            (
                machine.organization("contoso", FABRIKAM_ID),
                machine.organization("fabrikam", CONTOSO_ID),
            ),
        )
        assert names(machine) == ["there"]  # as nothing else is known
        machine.start()
        with counted(machine) as asked:
            machine.organization_cache.confirm(machine.contoso)
        assert asked == ["GET /contoso/_apis/connectionData"]
        assert names(machine) == ["here"]
        assert machine.state.organizations(machine.emulator.url) == (
            machine.organization("contoso", CONTOSO_ID),
        )

    def test_the_name_behind_an_id(self, machine: Machine) -> None:
        assert machine.organization_cache.name_of(FABRIKAM_ID.upper()) == "fabrikam"
        assert machine.organization_cache.name_of("0" * 8) == "0" * 8
        assert machine.asked() == [PROFILE, ACCOUNTS]

    def test_a_state_folder_that_cannot_be_written_is_no_hindrance(self, machine: Machine) -> None:
        machine.emulator.add_tokens(name="here")
        locked = Machine(emulator=machine.emulator, folder=Path("/proc/no-such-folder"))
        assert names(locked) == ["here"]
        assert locked.finder.find(locked.contoso, ["here"])[0].stored is False
        pats, failures = locked.finder.listing_everywhere(
            locked.organization_cache.all(), Filters()
        )
        assert ([pat.name for pat in pats], failures) == (["here"], ())

    def test_a_state_file_that_is_none_is_told(self, machine: Machine) -> None:
        machine.emulator.add_tokens()
        machine.folder.mkdir()
        machine.folder.joinpath("state.db").write_bytes(b"no database at all" * 100)
        with pytest.raises(StoreError) as caught:
            names(machine)
        assert "state.db" in caught.value.message

    def test_who_is_signed_in_is_asked_once(self, machine: Machine) -> None:
        assert machine.organization_cache.me() is machine.organization_cache.me()
        assert machine.asked() == [PROFILE]

    def test_an_organization_that_is_not_there(self, machine: Machine) -> None:
        nowhere = Organization(name="nowhere", url=f"{machine.emulator.url}/nowhere")
        with pytest.raises(NotFoundError):
            list(machine.finder.listing(nowhere, Filters()))

    def test_a_page_that_fails_is_not_passed_over(self, machine: Machine) -> None:
        machine.emulator.add_tokens(150)
        machine.emulator.fail(f"GET {PATS} status=403 skip=1")
        with pytest.raises(RefusedError):
            names(machine)


class TestOrder:
    """What a list is in order of."""

    @pytest.mark.parametrize(
        ("sort", "expected"),
        [
            (Sort.NAME, ["a", "B", "c", "Ä"]),
            (Sort.CREATED, ["c", "B", "a", "Ä"]),
            (Sort.EXPIRES, ["B", "a", "c", "Ä"]),
        ],
    )
    def test_unknown_dates_come_last(self, sort: Sort, expected: list[str]) -> None:
        def pat(name: str, created: int | None, expires: int | None) -> Pat:
            return Pat(
                name=name,
                id=name,
                org="contoso",
                status=Status.ACTIVE,
                scopes=(),
                created=None if created is None else NOW + timedelta(days=created),
                expires=None if expires is None else NOW + timedelta(days=expires),
            )

        pats = [pat("Ä", None, None), pat("a", 3, 2), pat("c", 1, 3), pat("B", 2, 1)]
        assert [each.name for each in in_order(pats, sort)] == expected

    def test_equal_ones_by_name_and_id(self) -> None:
        one = Pat(
            name="ci", id="b", org=None, status=Status.ACTIVE, scopes=(), created=NOW, expires=NOW
        )
        pats = [one, replace(one, id="a"), replace(one, name="CI", id="c"), replace(one, id=None)]
        for sort in Sort:
            assert [each.id for each in in_order(pats, sort)] == [None, "a", "b", "c"]
