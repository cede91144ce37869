"""Suggestions for misspelt names."""

import pytest

from azdo_pat.command_lines import quoted
from azdo_pat.near_names import did_you_mean, near_names

NAMES = ["laptop", "Laptop-2", "ci", "my laptop", "deploy"]


@pytest.mark.parametrize(
    ("word", "near"),
    [
        ("lapto", ["laptop"]),
        ("LAPTOP", ["laptop"]),
        ("laptop-3", ["Laptop-2"]),
        ("dep", ["deploy"]),
        ("my l", ["my laptop"]),
        ("de", []),
        ("ci", []),
        ("xyzzy", []),
        ("", []),
    ],
)
def test_the_nearest_is_found_whatever_its_case(word: str, near: list[str]) -> None:
    assert near_names(word, NAMES) == near


def test_a_beginning_of_many_names_says_too_little() -> None:
    assert near_names("web", ["web production", "web staging"], most=9) == [
        "web production",
        "web staging",
    ]
    assert near_names("web", [f"web number {n}" for n in range(4)], most=9) == []


def test_what_cannot_be_typed_is_not_proposed() -> None:
    names = ["laptop\n", "\x1b[31mlaptop", "lap\u202etop", "laptop\u200b"]
    assert near_names("laptop", names, most=9) == []


def test_names_that_differ_by_case_alone_are_both_found() -> None:
    assert near_names("CI", ["ci", "Ci", "ci"], most=3) == ["ci", "Ci"]


@pytest.mark.parametrize(
    ("word", "question"),
    [
        ("deplyo", "did you mean deploy? "),
        ("laptop", f"did you mean Laptop-2 or {quoted('my laptop')}? "),
        ("xyzzy", ""),
    ],
)
def test_a_question_can_be_copied_from(word: str, question: str) -> None:
    assert did_you_mean(word, NAMES, most=2) == question
