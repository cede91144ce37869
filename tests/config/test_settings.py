"""The keys of the configuration: what each may be."""

from datetime import date

import pytest

from azdo_pat.config.settings import KEYS, Value, checked, key_named, parse_value
from azdo_pat.errors import UsageError

NAMES = (
    "org, output, color, quiet, verbose, no-input, expires, sort, keyring, git-token,"
    " packages-token, git-renew, ca-bundle, client-id,"
    " tenant, timeout"
)
EXPECTED = {
    "a non-empty string": [
        "org",
        "expires",
        "keyring",
        "git-token",
        "packages-token",
        "ca-bundle",
        "client-id",
        "tenant",
    ],
    "true or false": ["quiet", "verbose", "no-input", "git-renew"],
    "one of table, json, jsonl, csv, tsv, none": ["output"],
    "one of auto, always, never": ["color"],
    "one of name, created, expires": ["sort"],
    "a whole number of seconds from 1 to 600": ["timeout"],
}


class TestKeys:
    """Which there are."""

    def test_defaults_and_variables(self) -> None:
        assert {key.name: (key.variable, key.default) for key in KEYS} == {
            "org": ("PAT_ORG", None),
            "output": ("PAT_OUTPUT", "table"),
            "color": ("PAT_COLOR", "auto"),
            "quiet": ("PAT_QUIET", False),
            "verbose": ("PAT_VERBOSE", False),
            "no-input": ("PAT_NO_INPUT", False),
            "expires": ("PAT_EXPIRES", "30d"),
            "sort": ("PAT_SORT", "name"),
            "keyring": ("PAT_KEYRING", None),
            "git-token": ("PAT_GIT_TOKEN", None),
            "packages-token": ("PAT_PACKAGES_TOKEN", None),
            "git-renew": ("PAT_GIT_RENEW", True),
            "ca-bundle": ("PAT_CA_BUNDLE", None),
            "client-id": ("PAT_CLIENT_ID", None),
            "tenant": ("PAT_TENANT", None),
            "timeout": ("PAT_TIMEOUT", 30),
        }

    def test_each_default_is_a_value_that_its_key_takes(self) -> None:
        for key in KEYS:
            if key.default is not None:
                assert checked({key.name: key.default}, where="test") == {key.name: key.default}

    @pytest.mark.parametrize(
        ("name", "hint"),
        [
            ("ouput", "did you mean output?"),
            ("no_input", "did you mean no-input?"),
            ("Org", "did you mean org?"),
            ("xyzzy", f"valid settings: {NAMES}"),
            ("", f"valid settings: {NAMES}"),
        ],
    )
    def test_an_unknown_one(self, name: str, hint: str) -> None:
        with pytest.raises(UsageError) as caught:
            key_named(name)
        assert (caught.value.message, caught.value.hint) == (f"unknown setting {name!r}", hint)


class TestValues:
    """What users type."""

    @pytest.mark.parametrize(
        ("name", "text", "value"),
        [
            ("org", " contoso ", "contoso"),
            ("output", "jsonl", "jsonl"),
            ("color", "never", "never"),
            ("quiet", "Yes", True),
            ("quiet", " on ", True),
            ("verbose", "1", True),
            ("no-input", "TRUE", True),
            ("quiet", "off", False),
            ("verbose", "0", False),
            ("no-input", "no", False),
            ("quiet", "false", False),
            ("sort", "expires", "expires"),
            ("timeout", "1", 1),
            ("timeout", "600", 600),
            ("timeout", "007", 7),
        ],
    )
    def test_taken(self, name: str, text: str, value: Value) -> None:
        parsed = parse_value(key_named(name), text, where="test")
        assert (parsed, type(parsed)) == (value, type(value))

    @pytest.mark.parametrize(
        ("name", "text"),
        [
            ("org", ""),
            ("org", "  "),
            ("keyring", "\t"),
            ("output", "xml"),
            ("output", "JSON"),
            ("color", "auto "),
            ("quiet", "maybe"),
            ("verbose", ""),
            ("no-input", "2"),
            ("sort", "-name"),
            ("timeout", "0"),
            ("timeout", "601"),
            ("timeout", "-1"),
            ("timeout", "1.5"),
            ("timeout", "30s"),
            ("timeout", ""),
            ("timeout", "٣"),
            ("timeout", "²"),
        ],
    )
    def test_refused(self, name: str, text: str) -> None:
        with pytest.raises(UsageError) as caught:
            parse_value(key_named(name), text, where="PAT_X")
        assert caught.value.message == f"PAT_X: {text!r} is not a valid value for {name}"
        takes = next(words for words, keys in EXPECTED.items() if name in keys)
        assert caught.value.hint == f"use {takes}"

    def test_each_key_says_what_it_takes(self) -> None:
        assert sorted(sum(EXPECTED.values(), [])) == sorted(key.name for key in KEYS)  # noqa: RUF017  # a handful


class TestDocuments:
    """What a file holds."""

    def test_values_are_brought_to_their_kind(self) -> None:
        document = {"org": "contoso", "quiet": True, "verbose": "off", "timeout": 5}
        assert checked(document, where="f") == {
            "org": "contoso",
            "quiet": True,
            "verbose": False,
            "timeout": 5,
        }

    def test_nothing(self) -> None:
        assert checked({}, where="f") == {}

    @pytest.mark.parametrize(
        "value", [1.5, ["contoso"], {"name": "contoso"}, date(2026, 6, 15), None]
    )
    def test_no_simple_value(self, value: object) -> None:
        with pytest.raises(UsageError) as caught:
            checked({"org": value}, where="f")
        assert caught.value.message == "f: org is not a simple value"
        assert caught.value.hint == "to list all settings, run: pat config list"

    def test_an_unknown_key_is_named_with_its_file_and_the_way_out(self) -> None:
        with pytest.raises(UsageError) as caught:
            checked({"org": "contoso", "outptu": "json"}, where="f")
        assert caught.value.message == "f: unknown setting 'outptu'"
        assert (
            caught.value.hint
            == "did you mean output?; to remove the setting, run: pat config unset outptu"
        )

    def test_a_value_that_its_key_does_not_take(self) -> None:
        with pytest.raises(UsageError) as caught:
            checked({"timeout": True}, where="f")
        assert caught.value.message == "f: 'true' is not a valid value for timeout"
