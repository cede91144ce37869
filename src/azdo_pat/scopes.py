"""The scopes that a token can have, and recipes: the fewest scopes for a purpose."""

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from azdo_pat.errors import UsageError
from azdo_pat.near_names import did_you_mean
from azdo_pat.scope_table import HIGH_PRIVILEGE, ROWS

FULL_ACCESS: Final = "app_token"


class Scope(NamedTuple):
    """One scope, as the web page and the documentation describe it.

    Attributes:
        value: what the API takes.
        name: what the web page shows.
        category: the heading under which it is listed there.
        high_privilege: Microsoft marks it as high privilege.
        inherits: the scope that it includes, or None.
    """

    value: str
    name: str
    category: str
    high_privilege: bool
    inherits: str | None


class Recipe(NamedTuple):
    """The fewest scopes for a purpose."""

    name: str
    summary: str
    scopes: tuple[str, ...]


SCOPES: Final = tuple(
    Scope(value, name, category, value in HIGH_PRIVILEGE, inherits)
    for value, name, category, inherits in ROWS
)

RECIPES: Final = (
    Recipe("git", "clone, fetch and push", ("vso.code_write",)),
    Recipe("git-read", "clone and fetch only", ("vso.code",)),
    Recipe("git-status", "set the status of commits and pull requests", ("vso.code_status",)),
    Recipe("packages", "install packages from feeds", ("vso.packaging",)),
    Recipe("packages-publish", "install and publish packages", ("vso.packaging_write",)),
    Recipe("agent", "register and run build agents", ("vso.agentpools_manage",)),
    Recipe("deployment-group", "register deployment targets", ("vso.machinegroup_manage",)),
    Recipe("environment", "register machines of an environment", ("vso.environment_manage",)),
    Recipe("work-items", "read and change work items", ("vso.work_write",)),
    Recipe("work-items-read", "read work items and run queries", ("vso.work",)),
    Recipe("build", "read builds, queue and change them", ("vso.build_execute",)),
    Recipe("build-read", "read builds and their artifacts", ("vso.build",)),
    Recipe("release", "read releases, start and change them", ("vso.release_execute",)),
    Recipe("release-read", "read releases", ("vso.release",)),
    Recipe("test", "read and write test plans and results", ("vso.test_write",)),
    Recipe("wiki", "read and write wiki pages", ("vso.wiki_write",)),
    Recipe("symbols", "publish symbols", ("vso.symbols_write",)),
    Recipe("analytics", "query Analytics, for Power BI and Excel", ("vso.analytics",)),
    Recipe("audit", "read the audit log", ("vso.auditlog",)),
    Recipe(
        "admin",
        "administer the tokens of all users: pat admin --with",
        ("vso.tokenadministration", "vso.graph", "vso.auditlog"),
    ),
    Recipe("marketplace", "publish an Azure DevOps extension", ("vso.gallery_publish",)),
    Recipe("marketplace-manage", "publish a VS Code extension", ("vso.gallery_manage",)),
)

RECIPE_SCOPES: Final = frozenset(scope for recipe in RECIPES for scope in recipe.scopes)
"""The scopes that a purpose needs: none below them is enough for it."""


def parse_scopes(
    texts: Iterable[str], *, recipes: Iterable[str] = (), allow_unknown: bool = False
) -> tuple[str, ...]:
    """Parse what the user typed into scopes of the API.

    Args:
        texts: `vso.code_write`, `code_write` or `full`; several in one text, apart by spaces
            or commas, are several.
        recipes: names of recipes, whose scopes are added.
        allow_unknown: pass on scopes that are not in `SCOPES` (undocumented ones exist).

    Raises:
        UsageError: an unknown scope or recipe, no scope at all, or full access with others.
    """
    wanted = [scope for name in recipes for scope in recipe(name).scopes]
    known = {scope.value for scope in SCOPES}
    for text in texts:
        for word in text.replace(",", " ").split():
            value = canonical(word)
            if value in known:
                wanted.append(value)
            elif allow_unknown:
                wanted.append(word if "." in word else value)
            else:
                raise _unknown_scope(word, value)
    scopes = tuple(dict.fromkeys(wanted))
    if not scopes:
        raise UsageError(
            "no scope given",
            hint="state what the token is for: --scope code_write, --for git, or --scope full"
            " (to list all, run: pat scopes)",
        )
    if FULL_ACCESS in scopes and len(scopes) > 1:
        raise UsageError(
            "full access already includes every other scope",
            hint="use --scope full alone, or leave it out",
        )
    return scopes


def canonical(word: str) -> str:
    """Return a scope as the API writes it; `full` and a missing `vso.` are accepted."""
    value = word.lower()
    if value in {"full", FULL_ACCESS}:
        return FULL_ACCESS
    return value if value.startswith("vso.") else f"vso.{value}"


def recipe(name: str) -> Recipe:
    """Return the recipe of that name.

    Raises:
        UsageError: there is none.
    """
    for candidate in RECIPES:
        if candidate.name == name.lower():
            return candidate
    proposal = did_you_mean(name, [each.name for each in RECIPES], most=3).rstrip()
    raise UsageError(
        f"unknown recipe {name!r}",
        hint=proposal or "to list all, run: pat scopes --recipes",
    )


def included(scope: str) -> tuple[str, ...]:
    """Return the scopes that a scope includes, the broadest first; none if it is unknown."""
    inherits = {value: each for value, _, _, each in ROWS}
    found: list[str] = []
    while (next_one := inherits.get(found[-1] if found else scope)) and next_one not in found:
        found.append(next_one)
    return tuple(found)


def without_included(scopes: Sequence[str]) -> tuple[str, ...]:
    """Return the scopes that no other one of them includes."""
    idle = {each for scope in scopes for each in included(scope)}
    return tuple(scope for scope in scopes if scope not in idle)


def less_privileged(scopes: Sequence[str]) -> tuple[str, ...]:
    """Return scopes with the broadest that is not high privilege in place of each that is.

    Returns:
        None of them if one has no such scope below it: without it, the token could not do its job.
    """
    found = [
        next((each for each in (scope, *included(scope)) if each not in HIGH_PRIVILEGE), None)
        for scope in scopes
    ]
    if None in found:
        return ()
    return without_included(tuple(dict.fromkeys(filter(None, found))))


def includes(scopes: Sequence[str], wanted: str) -> bool:
    """Return whether a token with these scopes may do all that a scope allows."""
    return FULL_ACCESS in scopes or any(wanted in {each, *included(each)} for each in scopes)


def search(word: str) -> tuple[Scope, ...]:
    """Find the scopes whose value, name or category contains the word."""
    wanted = word.casefold()
    return tuple(
        scope
        for scope in SCOPES
        if any(wanted in text.casefold() for text in (scope.value, scope.name, scope.category))
    )


def _unknown_scope(word: str, value: str) -> UsageError:
    names = [scope.value for scope in SCOPES]
    proposal = did_you_mean(value, names, most=3, similarity=0.7)
    return UsageError(
        f"unknown scope {word!r}",
        hint=f"{proposal}to list all, run: pat scopes; to use it unchecked, add"
        " --allow-unknown-scope",
    )
