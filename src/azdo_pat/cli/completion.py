"""Define the command `completion`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
from click.shell_completion import get_completion_class

from azdo_pat.cli.command import command
from azdo_pat.cli.completion_scripts import (
    DescribingFishComplete,
    PowerShellComplete,
    QuotingBashComplete,
)
from azdo_pat.errors import UsageError

if TYPE_CHECKING:
    from azdo_pat.cli.app import App


@command("completion")
@click.argument("shell", metavar="SHELL", type=click.Choice(["bash", "zsh", "fish", "powershell"]))
@click.pass_context
def completion_command(ctx: click.Context, app: App, shell: str) -> None:
    """Print the completion script for SHELL: bash, zsh, fish or powershell.

    \b
    Examples:
      mkdir -p ~/.local/share/bash-completion/completions
      pat completion bash > ~/.local/share/bash-completion/completions/pat
      pat completion fish > ~/.config/fish/completions/pat.fish
      pat completion powershell | Out-String | Invoke-Expression
    """
    ours = {
        "bash": QuotingBashComplete,
        "fish": DescribingFishComplete,
        "powershell": PowerShellComplete,
    }
    kind = ours.get(shell) or get_completion_class(shell)
    if kind is None:
        raise UsageError(f"completion is not available for {shell}")
    root = ctx.find_root().command
    app.runtime.out.write(kind(root, {}, "pat", "_PAT_COMPLETE").source() + "\n")
