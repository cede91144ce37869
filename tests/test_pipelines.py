"""The pipelines in the documentation, the action and the template, as their linters see them."""

import json
import re
import shutil
import subprocess
import sysconfig
from pathlib import Path

import pytest

from drivers import TIME_LIMIT, need
from published import PAGES, ROOT, Block, blocks

ACTION = ROOT / "actions/check/action.yml"
TEMPLATE = ROOT / "pipelines/check.yml"

ON_PAGES = [each for each in blocks() if (PAGES / "pipelines" / f"{each.page}.md").exists()]
YAML = [each for each in ON_PAGES if each.language == "yaml"]
PIPELINES = {
    "vendor.azure-pipelines": [each for each in YAML if each.file == "azure-pipelines.yml"],
    "vendor.github-workflows": [
        each for each in YAML if each.file.startswith(".github/workflows/")
    ],
    "vendor.gitlab-ci": [each for each in YAML if each.file == ".gitlab-ci.yml"],
}
INCLUDED = {"vendor.github-actions": ACTION, "vendor.azure-pipelines": TEMPLATE}


def linted(config: pytest.Config, program: str, *words: str | Path) -> tuple[int, str]:
    """Run a linter of the development environment; return its exit code and what it said."""
    found = shutil.which(program, path=sysconfig.get_path("scripts"))
    need(config, [] if found else [program])
    ran = subprocess.run(
        [found or program, *words],
        capture_output=True,
        encoding="utf-8",
        timeout=TIME_LIMIT,
        check=False,
    )
    return ran.returncode, ran.stdout + ran.stderr


def written(block: Block, folder: Path) -> Path:
    """Write a block to the file that it names, in a folder of its own."""
    file = folder / f"{block.page}-{block.mark}" / (block.file or "Dockerfile")
    file.parent.mkdir(parents=True)
    # The schema wants a text here, where Microsoft's documentation shows a boolean.
    file.write_text(block.text.replace("always: true", 'always: "true"'), "utf-8")
    return file


def validated(config: pytest.Config, schema: str, *files: Path) -> tuple[int, str]:
    # The schema of Azure Pipelines has patterns that are not valid in Unicode mode.
    words = ("--regex-variant", "nonunicode", "--builtin-schema", schema)
    return linted(config, "check-jsonschema", *words, *files)


def audited(config: pytest.Config, place: Path) -> tuple[int, str]:
    # What is merely informational would recommend PyPI's way to publish, which Azure lacks.
    words = ("--offline", "--no-progress", "--min-severity", "low")
    return linted(config, "zizmor", *words, place)


def test_each_pipeline_is_marked_and_names_its_file() -> None:
    pages = [page.read_text("utf-8") for page in PAGES.glob("pipelines/*.md")]
    fences = sum(len(re.findall(r"^```yaml$", page, re.MULTILINE)) for page in pages)
    assert sum(map(len, PIPELINES.values())) == fences > 0


@pytest.mark.parametrize("schema", PIPELINES)
def test_pipelines_follow_their_schema(
    pytestconfig: pytest.Config, tmp_path: Path, schema: str
) -> None:
    files = [written(block, tmp_path) for block in PIPELINES[schema]]
    code, told = validated(pytestconfig, schema, *files)
    assert code == 0, told


@pytest.mark.parametrize("schema", INCLUDED)
def test_what_pipelines_include_follows_its_schema(
    pytestconfig: pytest.Config, schema: str
) -> None:
    code, told = validated(pytestconfig, schema, INCLUDED[schema])
    assert code == 0, told


@pytest.mark.parametrize("schema", [*PIPELINES, "vendor.github-actions"])
def test_a_schema_tells_right_from_wrong(
    pytestconfig: pytest.Config, tmp_path: Path, schema: str
) -> None:
    file = tmp_path / "wrong.yml"
    file.write_text("on: push\njobs: {a: {steps: [{rn: pat check}]}}\nruns: {using: pat}\n")
    code, told = validated(pytestconfig, schema, file)
    assert (code, "Schema validation errors" in told) == (1, True)


def test_workflows_are_safe(pytestconfig: pytest.Config, tmp_path: Path) -> None:
    for block in PIPELINES["vendor.github-workflows"]:
        written(block, tmp_path)
    code, told = audited(pytestconfig, tmp_path)
    assert code == 0, told


def test_the_action_is_safe(pytestconfig: pytest.Config) -> None:
    code, told = audited(pytestconfig, ACTION)
    assert code == 0, told


def test_the_audit_tells_safe_from_unsafe(pytestconfig: pytest.Config, tmp_path: Path) -> None:
    file = tmp_path / "action.yml"
    file.write_text(ACTION.read_text("utf-8").replace('"$RUNNER_TEMP', '"${{ inputs.org }}'))
    code, told = audited(pytestconfig, file)
    assert (code == 0, "template-injection" in told) == (False, True)


def test_dockerfiles_follow_the_rules(pytestconfig: pytest.Config, tmp_path: Path) -> None:
    files = [written(each, tmp_path) for each in ON_PAGES if each.language == "dockerfile"]
    code, told = linted(pytestconfig, "hadolint", *files)
    assert code == 0, told


def test_the_dev_container_holds_no_secret() -> None:
    [block] = [each for each in ON_PAGES if each.page == "dev-container"]
    assert json.loads(block.text)["remoteEnv"] == {
        "AZURE_DEVOPS_EXT_PAT": "${localEnv:AZURE_DEVOPS_EXT_PAT}"
    }
