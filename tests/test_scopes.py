"""Scopes and recipes: the tables against the documentation, and what users type."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azdo_pat.errors import UsageError
from azdo_pat.scopes import (
    RECIPES,
    SCOPES,
    Recipe,
    Scope,
    canonical,
    includes,
    parse_scopes,
    recipe,
    search,
)

FACTS = Path(__file__).parents[2] / "shared" / "facts" / "scopes.json"
VALUES = [scope.value for scope in SCOPES]
ALL = "to list all, run: pat scopes; to use it unchecked, add --allow-unknown-scope"


class TestTables:
    """What stands in them."""

    def test_scopes_are_those_of_the_documentation(self) -> None:
        if not FACTS.exists():
            pytest.skip("the extract of the documentation is not on this machine")
        documented = json.loads(FACTS.read_text("utf-8"))
        assert [
            {
                "category": scope.category,
                "scope": scope.value,
                "name": scope.name,
                "high_privilege": scope.high_privilege,
                "inherits": scope.inherits,
            }
            for scope in SCOPES
            if scope.value in {each["scope"] for each in documented}
        ] == documented

    def test_a_scope_is_described_in_full(self) -> None:
        assert SCOPES[VALUES.index("vso.code_write")] == Scope(
            value="vso.code_write",
            name="Code (read and write)",
            category="Code",
            high_privilege=True,
            inherits="vso.code",
        )

    def test_values_are_unique_and_inherit_from_one_another(self) -> None:
        assert len(set(VALUES)) == len(VALUES)
        assert {scope.inherits for scope in SCOPES} <= {None, *VALUES}

    def test_nothing_inherits_from_itself_in_a_circle(self) -> None:
        parents = {scope.value: scope.inherits for scope in SCOPES}
        for value in VALUES:
            line = [value]
            while (parent := parents[line[-1]]) is not None:
                assert parent not in line
                line.append(parent)

    def test_recipes_are_unique_and_made_of_documented_scopes(self) -> None:
        names = [each.name for each in RECIPES]
        assert len(set(names)) == len(names)
        assert {scope for each in RECIPES for scope in each.scopes} <= set(VALUES)

    def test_the_recipes_of_the_contract_are_there(self) -> None:
        promised = "git git-read packages packages-publish agent work-items build release"
        assert {*promised.split(), "marketplace"} <= {each.name for each in RECIPES}


class TestParsing:
    """From what users type to what the API takes."""

    @pytest.mark.parametrize(
        ("texts", "scopes"),
        [
            (["vso.code_write"], ("vso.code_write",)),
            (["code_write"], ("vso.code_write",)),
            (["CODE_Write"], ("vso.code_write",)),
            (["VSO.Code"], ("vso.code",)),
            (["full"], ("app_token",)),
            (["Full"], ("app_token",)),
            (["app_token"], ("app_token",)),
            (["extension.data_write"], ("vso.extension.data_write",)),
            (["code work_write,build"], ("vso.code", "vso.work_write", "vso.build")),
            ([" code , ,work "], ("vso.code", "vso.work")),
            (["work", "code", "vso.work"], ("vso.work", "vso.code")),
        ],
    )
    def test_what_is_understood(self, texts: list[str], scopes: tuple[str, ...]) -> None:
        assert parse_scopes(texts) == scopes

    def test_recipes_come_first_and_nothing_twice(self) -> None:
        parsed = parse_scopes(["packaging", "code_write"], recipes=["git", "Work-Items"])
        assert parsed == ("vso.code_write", "vso.work_write", "vso.packaging")

    @pytest.mark.parametrize("scope", SCOPES, ids=VALUES)
    def test_each_scope_is_known_with_and_without_its_prefix(self, scope: Scope) -> None:
        short = scope.value.removeprefix("vso.")
        assert parse_scopes([scope.value]) == parse_scopes([short.upper()]) == (scope.value,)

    def test_unknown_ones_are_passed_on_when_allowed(self) -> None:
        parsed = parse_scopes(["governance", "Contoso.Own", "code"], allow_unknown=True)
        assert parsed == ("vso.governance", "Contoso.Own", "vso.code")

    @pytest.mark.parametrize(
        ("word", "proposal"),
        [
            ("code_wriet", "did you mean vso.code_write, vso.advsec_write or vso.code? "),
            ("vso.packagin", "did you mean vso.packaging, vso.packaging_write or"),
            ("coderead", "did you mean vso.code"),
            ("xyzzy", "to list all, run: pat scopes"),
            ("vso.", "to list all, run: pat scopes"),
        ],
    )
    def test_an_unknown_one_is_refused_with_the_nearest(self, word: str, proposal: str) -> None:
        with pytest.raises(UsageError) as caught:
            parse_scopes(["code", word])
        assert caught.value.message == f"unknown scope {word!r}"
        assert caught.value.hint.startswith(proposal)
        assert caught.value.hint.endswith(ALL)

    @pytest.mark.parametrize("texts", [[], [""], [" ", ",,"]])
    def test_none_at_all(self, texts: list[str]) -> None:
        with pytest.raises(UsageError) as caught:
            parse_scopes(texts)
        assert caught.value.message == "no scope given"
        assert caught.value.hint == (
            "state what the token is for: --scope code_write, --for git, or --scope full"
            " (to list all, run: pat scopes)"
        )

    @pytest.mark.parametrize(("texts", "recipes"), [(["full", "code"], []), (["full"], ["git"])])
    def test_full_access_stands_alone(self, texts: list[str], recipes: list[str]) -> None:
        with pytest.raises(UsageError) as caught:
            parse_scopes(texts, recipes=recipes)
        assert caught.value.message == "full access already includes every other scope"
        assert caught.value.hint == "use --scope full alone, or leave it out"

    @given(st.lists(st.text(max_size=20), max_size=4))
    def test_no_text_raises_anything_but_a_usage_error(self, texts: list[str]) -> None:
        try:
            parsed = parse_scopes(texts)
        except UsageError as error:
            assert error.message  # noqa: PT017  # both ends are fine, and each is looked at
        else:
            assert set(parsed) <= set(VALUES)

    @given(st.lists(st.sampled_from(VALUES[:-1]), min_size=1))
    def test_the_order_of_first_mention_is_kept(self, values: list[str]) -> None:
        assert parse_scopes(values) == tuple(dict.fromkeys(values))
        assert parse_scopes([",".join(values)]) == tuple(dict.fromkeys(values))

    @given(st.text(max_size=20))
    def test_canonical_form_is_stable(self, word: str) -> None:
        assert canonical(canonical(word)) == canonical(word)


class TestRecipes:
    """Recipes by name."""

    def test_by_name_in_any_case(self) -> None:
        expected = Recipe("git-read", "clone and fetch only", ("vso.code",))
        assert recipe("git-read") == recipe("GIT-Read") == expected

    @pytest.mark.parametrize(
        ("name", "hint"),
        [
            ("gitt", "did you mean git?"),
            ("wikki", "did you mean wiki?"),
            ("zzzzzz", "to list all, run: pat scopes --recipes"),
        ],
    )
    def test_an_unknown_one_is_refused_with_the_nearest(self, name: str, hint: str) -> None:
        with pytest.raises(UsageError) as caught:
            parse_scopes([], recipes=[name])
        assert (caught.value.message, caught.value.hint) == (f"unknown recipe {name!r}", hint)


class TestSearch:
    """Finding scopes by a word."""

    @pytest.mark.parametrize(
        ("word", "values"),
        [
            ("wiki", ["vso.wiki", "vso.wiki_write"]),
            ("FULL ACCESS", ["app_token"]),
            ("PR threads", ["vso.threads_full"]),
            ("vso.code_s", ["vso.code_status"]),
            ("no such thing", []),
            ("", VALUES),
        ],
    )
    def test_by_value_name_and_category(self, word: str, values: list[str]) -> None:
        assert [scope.value for scope in search(word)] == values


@pytest.mark.parametrize(
    ("scopes", "wanted", "included"),
    [
        (["vso.code_write"], "vso.code", True),
        (["vso.code"], "vso.code_write", False),
        (["vso.build", "vso.code_full"], "vso.code", True),
        (["vso.code_write"], "vso.code_status", False),
        (["app_token"], "vso.anything", True),
        (["vso.code_full"], "app_token", False),
        (["vso.unknown"], "vso.unknown", True),
        ([], "vso.code", False),
    ],
)
def test_one_scope_includes_another(scopes: list[str], wanted: str, *, included: bool) -> None:
    assert includes(scopes, wanted) is included


@given(st.sampled_from(VALUES))
def test_each_scope_includes_itself(value: str) -> None:
    assert includes([value], value)
