"""The runners of CI services, as far as the pages about pipelines need them.

Each runs the scripts of a job as its original does (which shell, which options, which
environment), obeys what the steps tell it, and keeps the log as users see it: masked.
"""

import re
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from drivers import TIME_LIMIT
from output.runners import Command, azure_command, github_command
from published import ROOT

Variables = Mapping[str, str]
Step = dict[str, Any]


class Runner:
    """What all of them have.

    Attributes:
        log: the lines of the log, masked, without those that the runner takes for itself.
        issues: what the page of the run shows: severity and text.
        summary: what the steps added to the summary.
        passed_over: the steps that no one here can run: tasks and actions of others, checkouts.
        result: `Succeeded`, `SucceededWithIssues` or `Failed`.
    """

    def __init__(self, folder: Path, env: Variables, secrets: Variables | None = None) -> None:
        self._folder, self._env = folder, {**env, "CI": "true"}
        self._secrets = dict(secrets or {})
        self._masks = [*self._secrets.values()]
        self.log: list[str] = []
        self.issues: list[tuple[str, str]] = []
        self.summary = ""
        self.passed_over: list[str] = []
        self.result = "Succeeded"

    @property
    def text(self) -> str:
        return "\n".join(self.log)

    def _run(self, script: str, *shell: str, env: Variables) -> None:
        """Run a script to its end; the shell finds it in a file, its last argument."""
        file = self._folder / "script"
        file.write_text(script, "utf-8")
        ran = subprocess.run(
            [*shell, str(file)],
            cwd=self._folder,
            env={**self._env, **env},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            timeout=TIME_LIMIT,
            check=False,
        )
        for line in ran.stdout.splitlines():
            if not self._obeys(line):
                self.log.append(self._masked(line))
        if ran.returncode:
            self.result = "Failed"

    def _obeys(self, line: str) -> bool:
        """Tell whether a line is for the runner, which then has done what it says."""
        del line
        return False

    def _masked(self, line: str) -> str:
        for mask in sorted(self._masks, key=len, reverse=True):
            line = line.replace(mask, "***")
        return line


class GitHubActions(Runner):
    """The runner of GitHub Actions."""

    def __init__(
        self,
        folder: Path,
        env: Variables,
        secrets: Variables | None = None,
        variables: Variables | None = None,
    ) -> None:
        super().__init__(folder, {**env, "GITHUB_ACTIONS": "true"}, secrets)
        self._env |= {"GITHUB_REPOSITORY": "contoso/app", "RUNNER_TEMP": str(folder)}
        self._context = {f"secrets.{name}": text for name, text in self._secrets.items()}
        self._context |= {f"vars.{name}": text for name, text in (variables or {}).items()}

    def run(self, workflow: str) -> None:
        [job] = yaml.safe_load(workflow)["jobs"].values()
        self._steps(job["steps"], self._context)

    def _steps(self, steps: Sequence[Step], context: Variables) -> None:
        for step in steps:
            if self.result == "Failed":
                return
            if "run" in step:
                self._script(step, context)
                continue
            action = step["uses"].partition("@")[0]
            if not action.startswith("contoso/pat/"):
                self.passed_over.append(action)
                continue
            folder = ROOT / action.removeprefix("contoso/pat/")
            declared = yaml.safe_load((folder / "action.yml").read_text("utf-8"))
            given = step.get("with", {})
            unknown = given.keys() - declared["inputs"].keys()
            assert not unknown, f"{action} has no inputs {unknown}"
            inner = {"github.action_path": str(folder)} | {
                f"inputs.{name}": _evaluated(given.get(name, each["default"]), context)
                for name, each in declared["inputs"].items()
            }
            self._steps(declared["runs"]["steps"], inner)

    def _script(self, step: Step, context: Variables) -> None:
        files = {name: self._folder / name for name in ("GITHUB_ENV", "GITHUB_STEP_SUMMARY")}
        for file in files.values():
            file.write_text("")
        own = {name: _evaluated(text, context) for name, text in step.get("env", {}).items()}
        script = _evaluated(step["run"], context)
        env = {name: str(file) for name, file in files.items()} | own
        # What `shell: bash` means, and what its absence does.
        options = ("--noprofile", "--norc", "-eo", "pipefail") if "shell" in step else ("-e",)
        self._run(script, "bash", *options, env=env)
        for line in files["GITHUB_ENV"].read_text("utf-8").splitlines():
            name, _, text = line.partition("=")
            self._env[name] = text
        self.summary += files["GITHUB_STEP_SUMMARY"].read_text("utf-8")

    def _obeys(self, line: str) -> bool:
        command = github_command(line)
        if command is None:
            return False
        if command.name == "add-mask":
            self._masks.append(command.text)
        else:
            self.issues.append((command.name, self._masked(command.text)))
        return True


def _evaluated(text: str, context: Variables) -> str:
    return re.sub(r"\$\{\{ *([\w.-]+) *\}\}", lambda found: context[found[1]], text)


class AzurePipelines(Runner):
    """The agent of Azure Pipelines.

    Args:
        folder: the workspace.
        env: the environment of the agent.
        secrets: secret variables, those of variable groups too.
    """

    def __init__(self, folder: Path, env: Variables, secrets: Variables | None = None) -> None:
        super().__init__(folder, {**env, "TF_BUILD": "True"}, secrets)
        self._env |= {"AGENT_TEMPDIRECTORY": str(folder)}
        self._env |= {"SYSTEM_COLLECTIONURI": "https://dev.azure.com/contoso/"}
        self._macros = {"Pipeline.Workspace": str(folder), **self._secrets}

    def run(self, pipeline: str) -> None:
        self._steps(yaml.safe_load(pipeline)["steps"])

    def _steps(self, steps: Sequence[Step]) -> None:
        for step in steps:
            if self.result == "Failed" and "condition" not in step:
                continue
            if "template" in step:
                self._steps(list(_expanded(step)))
            elif "bash" in step:
                self._script(step["bash"], step.get("env", {}))
            elif step.get("task") == "AzureCLI@2":
                self._script(step["inputs"]["inlineScript"], {})
            else:
                self.passed_over.append(step.get("task") or f"checkout {step['checkout']}")

    def _script(self, script: str, env: Variables) -> None:
        # On Windows, no process can have a variable that is empty.
        own = {name: self._filled(text) for name, text in env.items() if text}
        self._run(self._filled(script), "bash", "--noprofile", "--norc", env=own)

    def _filled(self, text: str) -> str:
        """Put variables in place of `$(NAME)`; what is not one stays, as on an agent."""
        return re.sub(r"\$\(([\w.]+)\)", lambda found: self._macros.get(found[1], found[0]), text)

    def _obeys(self, line: str) -> bool:
        command = azure_command(line)
        if command is None:
            return False
        match command:
            case Command("task.setsecret", _, text):
                self._masks.append(text)
            case Command("task.setvariable", {"variable": name, "issecret": "true"}, text):
                self._masks.append(text)
                self._macros[name] = text  # and not in the environment, as it is secret
            case Command("task.logissue", {"type": severity}, text):
                self.issues.append((severity, self._masked(text)))
            case Command("task.uploadsummary", _, file):
                self.summary += Path(file).read_text("utf-8")
            case Command("task.complete", {"result": result}, _):
                self.result = result
            case _:
                raise AssertionError(f"the agent knows no {command}")
        return True


def _expanded(step: Step) -> Iterator[Step]:
    """Yield the steps of a template of this repository."""
    file, _, repository = step["template"].partition("@")
    template = yaml.safe_load((ROOT / file).read_text("utf-8"))
    declared = {each["name"]: each["default"] for each in template["parameters"]}
    given = step.get("parameters", {})
    unknown = given.keys() - declared.keys()
    assert not unknown, f"{file} has no parameters {unknown}"
    assert declared["repository"] == repository
    context = {f"parameters.{name}": text for name, text in (declared | given).items()}
    for each in template["steps"]:
        yield {
            key: {name: _evaluated(text, context) for name, text in value.items()}
            if isinstance(value, dict)
            else _evaluated(str(value), context)
            for key, value in each.items()
        }


class GitLab(Runner):
    """The runner of GitLab CI, with its shell executor; `secrets` are masked variables."""

    def run(self, pipeline: str) -> None:
        [job] = [each for each in yaml.safe_load(pipeline).values() if "script" in each]
        tokens = dict.fromkeys(job.get("id_tokens", {}), "id.of.job")
        known = {**self._secrets, **tokens, "GITLAB_CI": "true"}
        own = {
            name: re.sub(r"\$(\w+)", lambda found: known[found[1]], text)
            for name, text in job.get("variables", {}).items()
        }
        script = "\n".join(job["script"])
        self._run(script, "bash", "-eo", "pipefail", env=known | own)
