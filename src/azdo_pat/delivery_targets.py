"""Where the secret of a token is delivered, as it is remembered with the token.

Dataclasses, because targets are compared, and targets of two types are never the same. Defining
them takes several milliseconds, so what `pat get` imports does not import this module.
"""

from dataclasses import dataclass
from typing import ClassVar, Final
from urllib.parse import quote


@dataclass(frozen=True, slots=True)
class CommandTarget:
    """A command that gets the secret on its standard input.

    Attributes:
        words: the program and its arguments.
        folder: where it runs, absolute.
        seconds: how long it may take.
    """

    KIND: ClassVar = "command"

    words: tuple[str, ...]
    folder: str = ""
    seconds: int = 60

    @property
    def place(self) -> str:
        """What is shown of it: never its arguments, which may hold a secret of the user."""
        return f"{self.KIND}:{self.words[0]}"


@dataclass(frozen=True, slots=True)
class FileTarget:
    """A file that holds the secret.

    Attributes:
        path: absolute.
        template: the lines that hold the secret, with `{token}` and the like; empty for a file
            that holds the secret and nothing else.
    """

    KIND: ClassVar = "file"

    path: str
    template: str = ""

    @property
    def place(self) -> str:
        """What is shown of it."""
        return f"{self.KIND}:{self.path}"


@dataclass(frozen=True, slots=True)
class ToolTarget:
    """The file of a tool that `pat setup` has set up, or the macOS keychain.

    Attributes:
        tool: its name.
        path: of its file, absolute; empty for the keychain.
        about: the URL of the feed or organization that it was set up for.
    """

    KIND: ClassVar = "setup"

    tool: str
    path: str
    about: str

    @property
    def place(self) -> str:
        """What is shown of it."""
        return f"{self.tool} ({self.path or self.about})"


@dataclass(frozen=True, slots=True)
class KeyVaultTarget:
    """A secret in Azure Key Vault.

    Attributes:
        vault: its name; or, in another cloud than Azure's public one, its host name.
        secret: the name of the secret.
    """

    KIND: ClassVar = "keyvault"

    vault: str
    secret: str

    @property
    def place(self) -> str:
        """What is shown of it, and what users write."""
        return f"{self.KIND}:{self.vault}/{self.secret}"


@dataclass(frozen=True, slots=True)
class VaultTarget:
    """A field of a secret in HashiCorp Vault or OpenBao.

    The server is remembered: `VAULT_ADDR` may name another one when the token is rotated.

    Attributes:
        path: of the secret, with that of its mount in front.
        field: the name of the field.
        address: of the server, without a slash at the end.
        namespace: of the mount; empty for none.
        whole: the secret may be replaced as a whole, where its other fields cannot be read.
    """

    KIND: ClassVar = "vault"

    path: str
    field: str
    address: str
    namespace: str = ""
    whole: bool = False

    @property
    def place(self) -> str:
        """What is shown of it, and what users write."""
        return f"{self.KIND}:{'/'.join(map(_part, self.path.split('/')))}#{_part(self.field)}"


@dataclass(frozen=True, slots=True)
class VariableGroupTarget:
    """A secret variable of a variable group of Azure Pipelines.

    Attributes:
        org: the name of its organization; empty for that of the token.
        project: the name or id of a project that the group is in.
        group: its name.
        variable: the name of the variable.
    """

    KIND: ClassVar = "variable-group"

    org: str
    project: str
    group: str
    variable: str

    @property
    def place(self) -> str:
        """What is shown of it, and what users write."""
        return f"{self.KIND}:{_path(self.org, self.project, self.group)}#{_part(self.variable)}"


@dataclass(frozen=True, slots=True)
class ServiceConnectionTarget:
    """A service connection of Azure DevOps.

    Attributes:
        org: the name of its organization; empty for that of the token.
        project: the name or id of a project that has the connection.
        connection: its name.
        parameter: the authorization parameter that holds the secret; empty for the only
            confidential one.
    """

    KIND: ClassVar = "service-connection"

    org: str
    project: str
    connection: str
    parameter: str = ""

    @property
    def place(self) -> str:
        """What is shown of it, and what users write."""
        parameter = f"#{_part(self.parameter)}" if self.parameter else ""
        return f"{self.KIND}:{_path(self.org, self.project, self.connection)}{parameter}"


@dataclass(frozen=True, slots=True)
class GitHubTarget:
    """A secret of GitHub: of a repository, of one of its environments, or of an organization.

    Attributes:
        owner: of the repository; or the organization.
        repository: its name; empty for a secret of the organization.
        environment: its name; empty for a secret of the repository.
        secret: the name of the secret, in upper case.
        app: which secrets: `actions`, `codespaces` or `dependabot`.
        host: `github.com`, or that of GitHub Enterprise.
    """

    KIND: ClassVar = "github"

    owner: str
    repository: str
    environment: str
    secret: str
    app: str = "actions"
    host: str = "github.com"

    @property
    def place(self) -> str:
        """What is shown of it, and what users write."""
        environment = f"@{_part(self.environment)}" if self.environment else ""
        return f"{self.KIND}:{_path(self.owner, self.repository)}{environment}#{self.secret}"


@dataclass(frozen=True, slots=True)
class UnknownTarget:
    """A target that a newer version has remembered.

    Attributes:
        kind: what that version calls it.
        document: all that is remembered of it, as JSON.
    """

    kind: str
    document: str

    @property
    def place(self) -> str:
        """What is shown of it."""
        return f"{self.kind} (of a newer version of pat)"


ServiceTarget = (
    KeyVaultTarget | VaultTarget | VariableGroupTarget | ServiceConnectionTarget | GitHubTarget
)
"""Where a service distributes the secret to those who use it."""

Delivery = CommandTarget | FileTarget | ToolTarget | ServiceTarget | UnknownTarget
"""Where the secret of a token is put each time it is a new one."""

_MEANINGFUL: Final = {ord(sign): quote(sign, safe="") for sign in "%/#@"}
"""What separates the parts of a target as users write it, and its escapes."""


def kind_of(delivery: Delivery) -> str:
    """Return what the kind of a target is called."""
    return delivery.kind if isinstance(delivery, UnknownTarget) else delivery.KIND


def is_polled(delivery: Delivery) -> bool:
    """Return whether those who use the secret read it later, each in its own time."""
    return isinstance(delivery, KeyVaultTarget | VaultTarget)


def _part(text: str) -> str:
    return text.translate(_MEANINGFUL)


def _path(*parts: str) -> str:
    return "/".join(_part(each) for each in parts if each)
