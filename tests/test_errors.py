"""One class of error per exit code of the contract."""

import pytest

from azdo_pat import errors
from azdo_pat.errors import ExitCode, PatError, RefusedError

CONTRACT = {
    "DONE": 0,
    "FAULT": 1,
    "USAGE": 2,
    "NOT_FOUND": 3,
    "NOT_SIGNED_IN": 4,
    "REFUSED": 5,
    "CONFLICT": 6,
    "NO_STORE": 7,
    "PENDING": 8,
    "PARTIAL": 9,
    "FOUND": 10,
    "UNAVAILABLE": 11,
    "NOT_EXECUTABLE": 126,
    "NO_COMMAND": 127,
    "INTERRUPTED": 130,
}
CLASSES = {
    "PatError": (1, "fault"),
    "UsageError": (2, "usage"),
    "NotFoundError": (3, "not_found"),
    "NoOrganizationError": (3, "not_found"),
    "SignInError": (4, "not_signed_in"),
    "RefusedError": (5, "refused"),
    "ConflictError": (6, "conflict"),
    "StoreError": (7, "no_store"),
    "DamagedError": (7, "no_store"),
    "PendingError": (8, "pending"),
    "PartialError": (9, "partial"),
    "UnavailableError": (11, "unavailable"),
    "NotExecutableError": (126, "not_executable"),
    "NoCommandError": (127, "no_command"),
    "CancelledError": (130, "interrupted"),
    "DoubtfulError": (11, "unavailable"),
    "NoAnswerError": (11, "unavailable"),
}


def test_exit_codes_are_those_of_the_contract() -> None:
    assert {code.name: code.value for code in ExitCode} == CONTRACT


def test_each_class_has_its_exit_code_and_word() -> None:
    found = {
        name: (kind.exit_code.value, kind.error)
        for name, kind in vars(errors).items()
        if isinstance(kind, type) and issubclass(kind, PatError)
    }
    assert found == CLASSES


@pytest.mark.parametrize("name", CLASSES)
def test_an_error_carries_what_the_user_reads(name: str) -> None:
    kind: type[PatError] = getattr(errors, name)
    error = kind("it failed", hint="do this", server_message="TF1: no", activity_id="42")
    assert str(error) == "it failed"
    assert (error.message, error.hint) == ("it failed", "do this")
    assert (error.server_message, error.activity_id) == ("TF1: no", "42")
    bare = kind("it failed")
    assert (bare.hint, bare.server_message, bare.activity_id) == ("", "", "")


def test_a_refusal_names_its_code() -> None:
    assert RefusedError("no", code="invalidScope").code == "invalidScope"
    assert RefusedError("no").code == ""
