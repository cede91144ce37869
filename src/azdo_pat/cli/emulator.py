"""Define the commands `emulator` and `sandbox`, which need no account."""

from __future__ import annotations

import signal
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from azdo_pat.cli.command import command
from azdo_pat.errors import UsageError
from azdo_pat.formats import Shell
from azdo_pat.waiting import NOTICED_WITHIN

if TYPE_CHECKING:
    from types import FrameType

    from azdo_pat.cli.app import App
    from azdo_pat.emulator.run import RunningEmulator


def _start_emulator(**options: Any) -> RunningEmulator:  # noqa: ANN401  # those of `Options`
    """Start an emulator with Microsoft Entra's sign-in and with key vaults.

    Raises:
        UsageError: the extra `emulator` is not installed, the port is in use, or an option is not
            valid.
    """
    try:
        from azdo_pat.emulator.errors import EmulatorError
        from azdo_pat.emulator.run import Options, start
    except ModuleNotFoundError as error:
        missing = (error.name or "").partition(".")[0]
        if missing not in {"trustme", "werkzeug"}:
            raise
        from azdo_pat.install_commands import adding

        raise UsageError(
            f"the emulator needs {missing}, which is not installed",
            hint=f"to install what it needs, run: {adding('trustme', 'werkzeug')}",
        ) from error
    try:
        return start(Options(**options, entra=True, vaults=True))
    except EmulatorError as error:
        raise UsageError(
            str(error),
            hint="--port 0 picks a free port; for usage, run: pat emulator --help",
        ) from error


@command("emulator")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=0,
    help="Port to listen on; 0 picks a free one.",
)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--state",
    "state_file",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Keep the tokens in this file between runs.",
)
@click.option(
    "--fault", "faults", metavar="FAULT", multiple=True, help="Simulate this fault. Repeatable."
)
@click.option(
    "--policy", "policies", metavar="POLICY", multiple=True, help="Enforce this policy. Repeatable."
)
@click.option(
    "--users",
    type=click.IntRange(0, 100_000),
    metavar="N",
    help="Invent N more users with tokens, the same each time.",
)
@click.option(
    "--shell",
    type=click.Choice([*map(str, Shell)]),
    default=str(Shell.usual()),
    help="Shell syntax of the printed lines [powershell on Windows, otherwise sh].",
)
def emulator_command(  # noqa: PLR0913  # one argument for each option
    app: App,
    *,
    port: int,
    host: str,
    state_file: Path | None,
    faults: tuple[str, ...],
    policies: tuple[str, ...],
    users: int | None,
    shell: str,
) -> None:
    """Run a local emulator of the Azure DevOps token API until you press Ctrl-C.

    Once it listens, it prints the lines that make pat use it in your shell. The faults and policies
    are described in the documentation.

    \b
    Example:
      pat emulator --port 8750 > emulator.env & sleep 1; . ./emulator.env
    """
    from azdo_pat.output.secret_writers import assignment

    running = _start_emulator(
        host=host, port=port, state_file=state_file, faults=faults, policies=policies, users=users
    )
    with running:
        stopped = _stop_requested()  # first: who reads that it listens may stop it at once
        for name, value in _client_variables(running).items():
            app.runtime.out.write(f"{assignment(name, value, Shell(shell))}\n")
        app.runtime.out.flush()
        app.runtime.messages.notice(f"listening on {running.url}; press Ctrl-C to stop")
        while not stopped.wait(NOTICED_WITHIN):
            pass


def _client_variables(running: RunningEmulator) -> dict[str, str]:
    """Return the variables that make `pat` use an emulator."""
    variables = {
        "PAT_API_URL": running.url,
        "PAT_ACCESS_TOKEN": running.access_token,
        "PAT_ORG": running.organization,
    }
    if running.authority is not None:
        variables |= {
            "PAT_AUTHORITY": running.authority,
            "PAT_CA_BUNDLE": str(running.authority_file),
        }
    if running.vaults is not None:
        variables |= {
            "PAT_KEYVAULT_URL": running.vaults,
            "PAT_KEYVAULT_ACCESS_TOKEN": running.vault_token,
        }
    return variables


def _stop_requested() -> threading.Event:
    """Return an event that Ctrl-C or SIGTERM sets."""
    ended = threading.Event()

    def end(_signal: int, _frame: FrameType | None) -> None:
        ended.set()

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    return ended


@command(
    "sandbox",
    context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False},
)
@click.argument("words", metavar="[COMMAND]...", nargs=-1, type=click.UNPROCESSED)
@click.option("--tour", is_flag=True, help="Demonstrate the main commands from start to finish.")
def sandbox_command(app: App, words: tuple[str, ...], *, tour: bool) -> None:
    """Run COMMAND, or your shell, with an emulator and a temporary home, keyring and state.

    Your own files and secrets are not touched, and everything is removed at the end. The exit
    code is that of COMMAND.

    \b
    Examples:
      pat sandbox --tour
      pat sandbox pat create demo --for git
      pat sandbox
    """
    from azdo_pat.cli.sandbox import Sandbox
    from azdo_pat.cli.tour import play_tour

    if tour and words:
        raise UsageError("--tour takes no command", hint="leave out --tour to run a command")
    with (
        _start_emulator() as running,
        Sandbox(
            _client_variables(running), app.runtime.environment, app.runtime.messages.warn
        ) as sandbox,
    ):
        if tour:
            code = play_tour(sandbox, app.runtime.out)
        elif words:
            code = sandbox.run(words)
        else:
            app.runtime.messages.notice(
                f"this shell uses an emulator at {running.url}; type exit to leave and remove"
                " everything"
            )
            code = sandbox.run_shell()
    if not (tour or words) and sandbox.is_removed:
        app.runtime.messages.notice(
            "left the sandbox; its emulator with all tokens, its secrets and its home folder are"
            " removed"
        )
    raise click.exceptions.Exit(code)
