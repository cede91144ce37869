"""Start the user's shell in a sandbox: with the user's settings, and a prompt that says so.

The start file of the shell runs first, with the user's own home folder, which it may need. Then the
variables of the sandbox are set again: otherwise a start file that sets PAT_KEYRING, for example,
would let `pat` write to the user's keyring. That is done before the first prompt at the latest, as
Ctrl-C and some errors end a start file early. A program that a start file puts in place of the
shell gets the variables, too, but in fish, whose `exec` cannot be changed. Where they are set again
before each prompt, `pat` refuses to work; see `Session.secrets`.
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
_READ_ENV: Final = {"ash", "dash", "ksh", "mksh", "sh"}

_BASH: Final = """\
_pat_sandbox() {{
    unset ${{!PAT_@}} ${{!AZURE_@}} ${{!XDG_@}} ${{!PYTHON_KEYRING_@}} ${{!GIT_@}}
{exports}
    HISTFILE=$HOME/.bash_history
    unset -f _pat_sandbox
    unalias exec 2>/dev/null || :
    : > {ready}
}}
_pat_sandbox_prompt() {{
    ! declare -F _pat_sandbox >/dev/null || _pat_sandbox
    case $PS1 in '{prompt}'*) ;; *) PS1='{prompt}'$PS1 ;; esac
}}
PROMPT_COMMAND[9]=_pat_sandbox_prompt
alias exec={exec}
trap : INT
HOME={home}
[ ! -r {file} ] || . {file} || :
trap - INT
_pat_sandbox
unset 'PROMPT_COMMAND[9]' 2>/dev/null || :
PROMPT_COMMAND="${{PROMPT_COMMAND:+$PROMPT_COMMAND
}}_pat_sandbox_prompt"
"""
_ZSH: Final = """\
_pat_sandbox() {{
    unset -m 'PAT_*' 'AZURE_*' 'XDG_*' 'PYTHON_KEYRING_*' 'GIT_*' ZDOTDIR
{exports}
    HISTFILE=$HOME/.zsh_history
    unfunction _pat_sandbox
    unalias exec 2>/dev/null || :
    : >| {ready}
}}
_pat_sandbox_prompt() {{
    (( ! $+functions[_pat_sandbox] )) || _pat_sandbox
    [[ $PROMPT == '{prompt}'* ]] || PROMPT='{prompt}'$PROMPT
}}
precmd_functions+=(_pat_sandbox_prompt)
alias exec={exec}
HOME={home}
ZDOTDIR={users}
[[ ! -r $ZDOTDIR/.zshenv ]] || source $ZDOTDIR/.zshenv || :
[[ ! -r $ZDOTDIR/.zshrc ]] || source $ZDOTDIR/.zshrc || :
_pat_sandbox
precmd_functions=(${{precmd_functions:#_pat_sandbox_prompt}} _pat_sandbox_prompt)
"""
_SH: Final = """\
alias exec={command_exec}
trap : INT
HOME={home}
[ ! -r {file} ] || command . {file} || :
trap - INT
unalias exec || :
for _pat_name in $(env | grep -oE '^(PAT|AZURE|XDG|PYTHON_KEYRING|GIT)_[A-Za-z0-9_]*'); do
    unset "$_pat_name"
done
{exports}
PS1='{prompt}'${{PS1:-\\$ }}
: > {ready}
"""
_FISH: Final = """\
function _pat_sandbox --on-event fish_prompt
    functions -e _pat_sandbox
    for _pat_name in (set -nx | string match -r '^(?:PAT|AZURE|XDG|PYTHON_KEYRING|GIT)_.*')
        set -e $_pat_name
    end
{exports}
    functions -q fish_prompt; and functions -c fish_prompt _pat_users_prompt
    function fish_prompt
        echo -n '{prompt}'
        functions -q _pat_users_prompt; and _pat_users_prompt; or echo -n '> '
    end
    true > {ready}
end
set -gx HOME {home}
set -p fish_function_path {folder}/functions
for _pat_file in {folder}/conf.d/*.fish {folder}/config.fish
    test -r $_pat_file; and source $_pat_file
end
_pat_sandbox
"""
_POWERSHELL: Final = """\
try {{
    foreach ($PatFile in {first}, {file}) {{
        if (Test-Path -LiteralPath $PatFile) {{ . $PatFile }}
    }}
}} finally {{
    Get-ChildItem Env: |
        Where-Object Name -Match '^(PAT|AZURE|XDG|PYTHON_KEYRING|GIT)_' | Remove-Item
{exports}
    $PatUsersPrompt = $function:prompt
    function prompt {{ '{prompt}' + (& $PatUsersPrompt) }}
    New-Item -Force {ready} | Out-Null
}}
"""


class Start(NamedTuple):
    """How a shell is started.

    Attributes:
        words: its command line.
        variables: what it needs in its environment, above that of the sandbox.
        ready: the file that it makes when it has set the variables; None without a start file.
    """

    words: Sequence[str]
    variables: Mapping[str, str] = {}
    ready: Path | None = None


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
    ready = folder / "ready"
    name = PureWindowsPath(shell).name.lower().removesuffix(".exe")
    match name:
        case "bash":
            text = _in_sh(_BASH, variables, home=home, file=home / ".bashrc", ready=ready)
            file = _written(folder / "bashrc", text)
            return Start([shell, "--rcfile", str(file)], ready=ready)
        case "zsh":
            users = Path(own.get("ZDOTDIR") or home)
            text = _in_sh(_ZSH, variables, home=home, users=users, ready=ready)
            _written(folder / ".zshrc", text)
            return Start([shell], {"ZDOTDIR": str(folder)}, ready)
        case "fish":
            users = Path(own.get("XDG_CONFIG_HOME") or home / ".config") / "fish"
            text = _FISH.format(
                home=literal(str(home), Shell.FISH),
                folder=literal(str(users), Shell.FISH),
                ready=literal(str(ready), Shell.FISH),
                exports=_exports(variables, Shell.FISH),
                prompt=_PROMPT,
            )
            file = _written(folder / "init.fish", text)
            # Without it, fish reads all manual pages for a minute, even when it has ended.
            data = Path(variables["HOME"], ".local/share/fish")
            (data / "generated_completions").mkdir(parents=True, exist_ok=True)
            words = [shell, "--init-command", f"source {literal(str(file), Shell.FISH)}"]
            return Start(words, ready=ready)
        case "pwsh" | "powershell":
            # Encoded, as a policy may forbid to run files. On Windows the profile has run already.
            folder.mkdir(exist_ok=True)
            code = _powershell(home, variables, ready).encode("utf-16-le")
            words = [shell, "-NoExit", "-EncodedCommand", b64encode(code).decode()]
            return Start(words, ready=ready)
        case "cmd":
            return Start([shell], {"PROMPT": f"{_PROMPT}{own.get('PROMPT') or '$P$G'}"})
        case _:
            text = _in_sh(_SH, variables, home=home, file=own.get("ENV", ""), ready=ready)
            file = _written(folder / "shrc", text)
            return Start([shell], {"ENV": str(file)}, ready if name in _READ_ENV else None)


def _written(file: Path, text: str) -> Path:
    file.parent.mkdir(exist_ok=True)
    file.write_text(text, "utf-8")
    return file


def _in_sh(template: str, variables: Mapping[str, str], **places: Path | str) -> str:
    words = {name: literal(str(place), Shell.SH) for name, place in places.items()}
    given = " ".join(f"{name}={literal(text, Shell.SH)}" for name, text in variables.items())
    return template.format(
        **words,
        exec=literal(f"{given} exec", Shell.SH),
        # Where exec only redirects, as in `exec 3>&1`, dash would keep the variables otherwise.
        command_exec=literal(f"{given} command exec", Shell.SH),
        exports=_exports(variables, Shell.SH),
        prompt=_PROMPT,
    )


def _powershell(home: Path, variables: Mapping[str, str], ready: Path) -> str:
    profiles = home / ".config" / "powershell"  # on Windows there is none
    first, file, mark = (
        literal(str(path), Shell.POWERSHELL)
        for path in (
            profiles / "profile.ps1",
            profiles / "Microsoft.PowerShell_profile.ps1",
            ready,
        )
    )
    exports = _exports(variables, Shell.POWERSHELL)
    return _POWERSHELL.format(first=first, file=file, ready=mark, exports=exports, prompt=_PROMPT)


def _exports(variables: Mapping[str, str], shell: Shell) -> str:
    return "\n".join(assignment(name, text, shell) for name, text in variables.items())
