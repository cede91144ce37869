"""What the state file remembers."""

import sqlite3
from dataclasses import replace
from datetime import timedelta, timezone
from pathlib import Path

import pytest

from azdo_pat.errors import ConflictError
from azdo_pat.models import Organization, StoredPat
from azdo_pat.store.state import State
from store.values import CI, CREATE, IMPORTED, NOW, ORG, OTHER, create_of


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "state.db"


@pytest.fixture
def state(path: Path) -> State:
    return State(path)


class TestTokens:
    """What is known of tokens."""

    def test_everything_comes_back(self, state: State) -> None:
        state.remember(CI)
        state.remember(IMPORTED)
        assert state.stored() == (CI, IMPORTED)
        assert state.stored(ORG) == (CI,)
        assert state.stored("https://dev.azure.com/nobody") == ()
        assert state.find(OTHER, IMPORTED.name) == IMPORTED
        assert state.find(ORG, IMPORTED.name) is None
        assert state.find(ORG, "CI") is None

    def test_times_are_kept_in_utc(self, state: State, path: Path) -> None:
        here = timezone(timedelta(hours=2))
        state.remember(replace(CI, created=NOW.astimezone(here), expires=None))
        with sqlite3.connect(path) as connection:
            rows = connection.execute("SELECT created, expires FROM tokens").fetchall()
        connection.close()
        assert rows == [("2026-06-15T12:00:00Z", None)]

    def test_a_time_without_a_zone_is_a_mistake(self, state: State) -> None:
        with pytest.raises(ValueError, match="without a zone"):
            state.remember(replace(CI, created=NOW.replace(tzinfo=None)))
        assert state.stored() == ()

    def test_remembering_replaces(self, state: State) -> None:
        state.remember(CI)
        newer = replace(CI, id="other", scopes=("vso.code",), stored=False)
        state.remember(newer)
        assert state.stored() == (newer,)

    @pytest.mark.parametrize(
        ("prefix", "found"),
        [
            ("1b4e28ba", (CI,)),
            ("1B4E28BA-2FA1-11D2-883F-0016D3CCA427", (CI,)),
            ("1b4e28bb", ()),
            ("%", ()),
            ("1b4e28b_", ()),
        ],
    )
    def test_find_by_id(self, state: State, prefix: str, found: tuple[StoredPat, ...]) -> None:
        state.remember(CI)
        state.remember(IMPORTED)
        assert state.find_by_id(prefix) == found

    def test_rename(self, state: State) -> None:
        state.remember(CI)
        state.rename(ORG, "ci", "build")
        state.rename(ORG, "unknown", "nothing")
        assert state.stored() == (replace(CI, name="build"),)

    def test_rename_takes_no_name_from_another(self, state: State) -> None:
        build = replace(CI, name="build", id="2")
        state.remember(CI)
        state.remember(build)
        with pytest.raises(ConflictError, match="another token is named 'build'"):
            state.rename(ORG, "ci", "build")
        assert state.stored() == (build, CI)

    def test_the_command_in_the_hint_can_be_copied(self, state: State) -> None:
        state.remember(CI)
        state.remember(replace(CI, name="-x $(id)", id="2"))
        with pytest.raises(ConflictError) as caught:
            state.rename(ORG, "ci", "-x $(id)")
        assert caught.value.hint == "to delete its secret, run: pat forget -- '-x $(id)'"

    def test_what_was_made_here_stays_known(self, state: State) -> None:
        state.remember(CI)
        state.remember(replace(CI, id="second"))
        state.remember(replace(IMPORTED, id="foreign"))
        state.forget(ORG, "ci")
        assert state.stored() == (replace(IMPORTED, id="foreign"),)
        assert CI.id is not None
        assert state.made() == {CI.id.lower(), "second"}


class TestOrganizations:
    """The signed-in user's organizations."""

    ROOT = "https://dev.azure.com"
    SEEN = (
        Organization(name="zeta", url=f"{ROOT}/zeta", id="1"),
        Organization(name="alpha", url=f"{ROOT}/alpha", hosted=False),
    )

    def test_they_come_back_in_their_order(self, state: State) -> None:
        state.remember_organizations(self.ROOT, self.SEEN)
        state.remember_organizations("http://127.0.0.1:8080", self.SEEN[:1])
        assert state.organizations(self.ROOT) == self.SEEN
        assert state.organizations("http://127.0.0.1:8080") == self.SEEN[:1]
        assert state.organizations("https://elsewhere") == ()

    def test_they_replace_those_before(self, state: State) -> None:
        state.remember_organizations(self.ROOT, self.SEEN)
        state.remember_organizations(self.ROOT, self.SEEN[1:])
        assert state.organizations(self.ROOT) == self.SEEN[1:]
        state.remember_organizations(self.ROOT, ())
        assert state.organizations(self.ROOT) == ()


class TestJournal:
    """Operations under way."""

    def test_an_entry_from_begin_to_finish(self, state: State) -> None:
        key = state.begin(CREATE)
        assert state.unfinished(ORG, "ci") == (create_of(key=key),)
        state.note(key, "Made-1")
        noted = create_of(key=key)._replace(new=CREATE.new._replace(authorization_id="Made-1"))
        assert state.unfinished() == (noted,)
        assert state.made() == {"made-1"}
        state.finish(key, CI)
        assert (state.unfinished(), state.stored()) == ((), (CI,))

    def test_finish_without_a_token(self, state: State) -> None:
        key = state.begin(CREATE)
        state.finish(key)
        assert (state.unfinished(), state.stored()) == ((), ())

    def test_unfinished_of_one_name(self, state: State) -> None:
        first = state.begin(CREATE)
        second = state.begin(create_of(name="build"))
        third = state.begin(create_of(org_url=OTHER))
        keys = [each.entry.key for each in state.unfinished()]
        assert keys == [first, second, third]
        assert [each.entry.key for each in state.unfinished(ORG)] == [first, second]
        assert [each.entry.key for each in state.unfinished(ORG, "ci")] == [first]
        assert [each.entry.key for each in state.unfinished(name="ci")] == [first, third]

    def test_keys_are_not_used_again(self, state: State) -> None:
        first = state.begin(CREATE)
        state.finish(first)
        assert state.begin(CREATE) > first

    def test_finish_is_one_transaction(self, state: State) -> None:
        key = state.begin(CREATE)
        broken = replace(CI, created=NOW.replace(tzinfo=None))
        with pytest.raises(ValueError, match="without a zone"):
            state.finish(key, broken)
        assert (state.stored(), len(state.unfinished())) == ((), 1)
