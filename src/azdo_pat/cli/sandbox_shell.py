"""Start the user's shell in a sandbox: with the user's settings, and a prompt that says so.

The start file of the shell runs first, with the user's own home folder, which it may need. Then the
variables of the sandbox are set again: otherwise a start file that sets PAT_KEYRING, for example,
would let `pat` write to the user's keyring. Where it is set again before each prompt, `pat` refuses
to work; see `Session.secrets`. A start file that ends by starting another program leaves it.
"""

from __future__ import annotations

from base64 import b64encode
from pathlib import Path, PureWindowsPath
from typing import TYPE_CHECKING, Final, NamedTuple

from azdo_pat.formats import Shell
from azdo_pat.output.secret_writers import assignment, literal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_PROMPT: Final = "(pat sandbox) "

_BASH: Final = """\
HOME={home}
[ ! -r {file} ] || . {file}
unset ${{!PAT_@}} ${{!AZURE_@}} ${{!XDG_@}} ${{!PYTHON_KEYRING_@}} ${{!GIT_@}}
{exports}
HISTFILE=$HOME/.bash_history
_pat_sandbox_prompt() {{ case $PS1 in '{prompt}'*) ;; *) PS1='{prompt}'$PS1 ;; esac; }}
PROMPT_COMMAND="${{PROMPT_COMMAND:+$PROMPT_COMMAND
}}_pat_sandbox_prompt"
"""
_ZSH: Final = """\
HOME={home}
ZDOTDIR={users}
[[ ! -r $ZDOTDIR/.zshenv ]] || source $ZDOTDIR/.zshenv
[[ ! -r $ZDOTDIR/.zshrc ]] || source $ZDOTDIR/.zshrc
unset -m 'PAT_*' 'AZURE_*' 'XDG_*' 'PYTHON_KEYRING_*' 'GIT_*' ZDOTDIR
{exports}
HISTFILE=$HOME/.zsh_history
_pat_sandbox_prompt() {{ [[ $PROMPT == '{prompt}'* ]] || PROMPT='{prompt}'$PROMPT }}
precmd_functions+=(_pat_sandbox_prompt)
"""
_SH: Final = """\
HOME={home}
[ ! -r {file} ] || . {file}
for _pat_name in $(env | grep -oE '^(PAT|AZURE|XDG|PYTHON_KEYRING|GIT)_[A-Za-z0-9_]*'); do
    unset "$_pat_name"
done
{exports}
PS1='{prompt}'${{PS1:-\\$ }}
"""
_FISH: Final = """\
set -gx HOME {home}
set -p fish_function_path {folder}/functions
for _pat_file in {folder}/conf.d/*.fish {folder}/config.fish
    test -r $_pat_file; and source $_pat_file
end
for _pat_name in (set -nx | string match -r '^(?:PAT|AZURE|XDG|PYTHON_KEYRING|GIT)_.*')
    set -e $_pat_name
end
{exports}
functions -q fish_prompt; and functions -c fish_prompt _pat_users_prompt
function fish_prompt
    echo -n '{prompt}'
    functions -q _pat_users_prompt; and _pat_users_prompt; or echo -n '> '
end
"""
_POWERSHELL: Final = """\
foreach ($PatFile in {first}, {file}) {{ if (Test-Path -LiteralPath $PatFile) {{ . $PatFile }} }}
Get-ChildItem Env: | Where-Object Name -Match '^(PAT|AZURE|XDG|PYTHON_KEYRING|GIT)_' | Remove-Item
{exports}
$PatUsersPrompt = $function:prompt
function prompt {{ '{prompt}' + (& $PatUsersPrompt) }}
"""


class Start(NamedTuple):
    """How a shell is started.

    Attributes:
        words: its command line.
        variables: what it needs in its environment, above that of the sandbox.
    """

    words: Sequence[str]
    variables: Mapping[str, str] = {}


def users_shell(environment: Mapping[str, str]) -> str:
    """Return the user's shell, as a path or a name.

    On Windows no variable names it. PowerShell puts the user's own folder of modules first into
    PSModulePath (about_PSModulePath); elsewhere that begins with a folder of the system.
    """
    if shell := environment.get("SHELL"):
        return shell
    first = PureWindowsPath(environment.get("PSMODULEPATH", "").partition(";")[0])
    system = [environment.get(each, "") for each in ("PROGRAMFILES", "SYSTEMROOT")]
    if not any(each and first.is_relative_to(each) for each in system):
        match [part.lower() for part in first.parts[-2:]]:
            case ["powershell", "modules"]:
                return "pwsh"
            case ["windowspowershell", "modules"]:
                return "powershell"
    return environment.get("COMSPEC") or "/bin/sh"


def shell_start(folder: Path, own: Mapping[str, str], variables: Mapping[str, str]) -> Start:
    """Return how to start the user's shell, and write the start file for it.

    Args:
        folder: a folder of the sandbox, for the file.
        own: the user's environment.
        variables: those of the sandbox.
    """
    shell = users_shell(own)
    home = Path(own.get("HOME") or Path.home())
    match PureWindowsPath(shell).name.lower().removesuffix(".exe"):
        case "bash":
            text = _in_sh(_BASH, variables, home=home, file=home / ".bashrc")
            file = _written(folder / "bashrc", text)
            return Start([shell, "--rcfile", str(file)])
        case "zsh":
            users = Path(own.get("ZDOTDIR") or home)
            _written(folder / ".zshrc", _in_sh(_ZSH, variables, home=home, users=users))
            return Start([shell], {"ZDOTDIR": str(folder)})
        case "fish":
            users = Path(own.get("XDG_CONFIG_HOME") or home / ".config") / "fish"
            text = _FISH.format(
                home=literal(str(home), Shell.FISH),
                folder=literal(str(users), Shell.FISH),
                exports=_exports(variables, Shell.FISH),
                prompt=_PROMPT,
            )
            file = _written(folder / "init.fish", text)
            # Without it, fish reads all manual pages for a minute, even when it has ended.
            data = Path(variables["HOME"], ".local/share/fish")
            (data / "generated_completions").mkdir(parents=True, exist_ok=True)
            return Start([shell, "--init-command", f"source {literal(str(file), Shell.FISH)}"])
        case "pwsh" | "powershell":
            # Encoded, as a policy may forbid to run files. On Windows the profile has run already.
            code = _powershell(home, variables).encode("utf-16-le")
            return Start([shell, "-NoExit", "-EncodedCommand", b64encode(code).decode()])
        case "cmd":
            return Start([shell], {"PROMPT": f"{_PROMPT}{own.get('PROMPT') or '$P$G'}"})
        case _:
            text = _in_sh(_SH, variables, home=home, file=own.get("ENV", ""))
            file = _written(folder / "shrc", text)
            return Start([shell], {"ENV": str(file)})


def _written(file: Path, text: str) -> Path:
    file.parent.mkdir(exist_ok=True)
    file.write_text(text, "utf-8")
    return file


def _in_sh(template: str, variables: Mapping[str, str], **places: Path | str) -> str:
    words = {name: literal(str(place), Shell.SH) for name, place in places.items()}
    return template.format(**words, exports=_exports(variables, Shell.SH), prompt=_PROMPT)


def _powershell(home: Path, variables: Mapping[str, str]) -> str:
    profiles = home / ".config" / "powershell"  # on Windows there is none
    first, file = (
        literal(str(profiles / name), Shell.POWERSHELL)
        for name in ("profile.ps1", "Microsoft.PowerShell_profile.ps1")
    )
    exports = _exports(variables, Shell.POWERSHELL)
    return _POWERSHELL.format(first=first, file=file, exports=exports, prompt=_PROMPT)


def _exports(variables: Mapping[str, str], shell: Shell) -> str:
    return "\n".join(assignment(name, text, shell) for name, text in variables.items())
