"""The formats of results (`-o`) and of secrets (`--as`), as names; `output/` writes them."""

import os
from collections.abc import Mapping
from enum import StrEnum
from typing import assert_never


class Format(StrEnum):
    """How results are written on stdout."""

    TABLE = "table"
    JSON = "json"
    JSONL = "jsonl"
    CSV = "csv"
    TSV = "tsv"
    NONE = "none"

    @property
    def is_streamed(self) -> bool:
        """Whether a list is written item by item, as it arrives."""
        match self:
            case Format.JSONL | Format.CSV | Format.TSV | Format.NONE:
                return True
            case Format.TABLE | Format.JSON:
                return False
            case _:
                assert_never(self)

    @property
    def is_json(self) -> bool:
        """Whether an error is written as a JSON object, too."""
        match self:
            case Format.JSON | Format.JSONL:
                return True
            case Format.TABLE | Format.CSV | Format.TSV | Format.NONE:
                return False
            case _:
                assert_never(self)


class SecretForm(StrEnum):
    """How a secret is printed."""

    TOKEN = "token"  # noqa: S105 - the name of a form
    BASIC = "basic"
    HEADER = "header"
    JSON = "json"
    ENV = "env"
    DOTENV = "dotenv"
    NETRC = "netrc"
    AZURE_PIPELINES = "azure-pipelines"
    GITHUB_ACTIONS = "github-actions"

    @property
    def is_for_runner(self) -> bool:
        """Whether it consists of commands to the runner of a CI pipeline."""
        return self in {SecretForm.AZURE_PIPELINES, SecretForm.GITHUB_ACTIONS}

    @property
    def sets_variables(self) -> bool:
        """Whether it sets variables, whose names `--var` chooses."""
        return self.is_for_runner or self in {SecretForm.ENV, SecretForm.DOTENV}


class Shell(StrEnum):
    """Whose syntax `env` is written in; `sh` is every shell of its kind."""

    SH = "sh"
    FISH = "fish"
    POWERSHELL = "powershell"

    @classmethod
    def usual(cls) -> "Shell":
        """Return the one that users of this system usually have."""
        return cls.POWERSHELL if os.name == "nt" else cls.SH


class CheckForm(StrEnum):
    """How findings are written for another program, instead of `-o`."""

    AZURE_PIPELINES = "azure-pipelines"
    GITHUB_ACTIONS = "github-actions"
    PROMETHEUS = "prometheus"
    JUNIT = "junit"
    ICS = "ics"

    @property
    def is_for_runner(self) -> bool:
        """Whether it consists of commands to the runner of a CI pipeline."""
        return self in {CheckForm.AZURE_PIPELINES, CheckForm.GITHUB_ACTIONS}


class Runner(StrEnum):
    """What runs the steps of a pipeline, and reads commands in their output."""

    AZURE_PIPELINES = "azure-pipelines"
    GITHUB_ACTIONS = "github-actions"


def runner_of(environment: Mapping[str, str]) -> Runner | None:
    """Return what runs this step, by the variable that it sets for all programs."""
    if environment.get("TF_BUILD", "").lower() == "true":
        return Runner.AZURE_PIPELINES
    if environment.get("GITHUB_ACTIONS", "").lower() == "true":
        return Runner.GITHUB_ACTIONS
    return None


class Grouping(StrEnum):
    """What the table of `pat admin report` groups tokens by."""

    USER = "user"
    SCOPE = "scope"
    MONTH = "month"
