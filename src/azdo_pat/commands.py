"""The commands by name, as data: for the root command, and for the commands in messages."""

from typing import Final

COMMANDS: Final[dict[str, dict[str, tuple[str, str]]]] = {
    "Managing tokens": {
        "create": ("create", "Create a token and store its secret in the keyring."),
        "list": ("list_show", "List your tokens."),
        "show": ("list_show", "Show one token."),
        "get": ("get", "Print a stored secret."),
        "update": ("update", "Change a token's name, scopes or expiry."),
        "ensure": ("ensure", "Ensure a token exists with enough lifetime left. For scripts."),
        "rotate": ("rotate", "Replace a token with a new one and revoke the old one."),
        "renew": ("renew", "Rotate every stored token that is due. For cron."),
        "apply": ("apply", "Create, rotate or keep the tokens declared in a file."),
        "deliver": ("deliver", "Deliver a stored secret to its delivery targets again."),
        "migrate": ("migrate", "Replace global tokens with one for each organization."),
        "revoke": ("revoke", "Revoke tokens."),
        "import": ("import_forget", "Store a secret that was created elsewhere."),
        "forget": ("import_forget", "Delete a stored secret without revoking its token."),
        "scopes": ("scopes", "List scopes and recipes."),
    },
    "Using tokens": {
        "exec": ("exec", "Run a command with a secret in its environment."),
        "setup": ("setup", "Configure git, npm, pip, NuGet, Maven... to use a token."),
        "git-credential": ("git_credential", "Answer git's requests for credentials."),
        "cargo-credential": ("cargo_credential", "Answer cargo's requests for credentials."),
    },
    "Signing in": {
        "login": ("login", "Sign in with Microsoft Entra."),
        "logout": ("login", "Delete the saved sign-in."),
        "status": ("status", "Show the sign-in, organization and keyring in use."),
    },
    "Monitoring": {
        "check": ("check", "Find tokens that need attention, and how to fix each."),
        "explain": ("explain", "Explain a token that you did not create."),
        "doctor": ("doctor", "Diagnose problems; --fix repairs what it can."),
    },
    "Administering an organization": {
        "admin": ("admin", "See and revoke the tokens of all users of an organization."),
    },
    "Trying out and configuring": {
        "sandbox": ("emulator", "Try pat with an emulator; --tour shows the main commands."),
        "emulator": ("emulator", "Run a local emulator of the Azure DevOps token API."),
        "config": ("config", "Read and change settings."),
        "help": ("help", "Show how to use pat or one of its commands."),
        "completion": ("completion", "Print a shell completion script."),
    },
}
"""In each section of the help, by name: the module of `cli/` and the summary."""

NAMES: Final = tuple(name for section in COMMANDS.values() for name in section)
