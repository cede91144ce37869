"""Read the error messages, the warnings and their hints from the source of the program.

A message is the first argument of an error. Where that is a name, it is what the function assigns
to it; where it is a parameter, what the callers pass; where it is a call, what that function
returns. What is only known at run time is shown as `…`.
"""

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Final, NamedTuple

import azdo_pat
from azdo_pat import errors

SOURCE: Final = Path(azdo_pat.__file__).parent
UNKNOWN: Final = "…"
PLURAL: Final = 3
"""Parts of a text that are shorter are the ends of a word."""


class Maker(NamedTuple):
    """What takes the message of an error, beside the errors themselves.

    Attributes:
        code: the exit code, if it is not given as the argument `error`.
        message: the position of the message; None if it is given by name only.
        hint: that of the hint.
        modules: how the names of the modules begin that this is about.
        keyword: the name of the message.
        before: what the error says before the message.
    """

    code: int | None
    message: int | None = None
    hint: int | None = None
    modules: str = ""
    keyword: str = "message"
    before: str = ""


MAKERS: Final = {
    "BadParameter": Maker(2, 0),  # of click
    "Meaning": Maker(7, 0, 1),
    "Problem": Maker(11, modules="api/", keyword="reason", before=f"{UNKNOWN} did not answer: "),
    "Rule": Maker(None),
    "_extended": Maker(11, 1, 2, keyword="addition", before=f"{UNKNOWN}; "),
    "_note": Maker(2, 1, 2, modules="config/declarations"),
    "_replace": Maker(
        11, None, modules="api/network", keyword="reason", before=f"{UNKNOWN} did not answer: "
    ),
    "_rule": Maker(4),
    "_warn": Maker(0, 0),
    "fail": Maker(2, 0, modules="cli/"),  # of click's parameter types
    "warn": Maker(0, 0),
}


class Message(NamedTuple):
    """One error message: its text, its hints, its exit code, and the module that has it."""

    text: str
    hints: set[str]
    code: int
    module: str


class _Scope(NamedTuple):
    """Where an expression is: a module, and a function of it if it is in one."""

    module: str
    within: ast.FunctionDef | None


class _Call(NamedTuple):
    """A call, and where it is."""

    node: ast.Call
    scope: _Scope


def messages() -> list[Message]:
    """Return every message, in the order of the source."""
    return [*_Source().messages()]


def unread() -> set[tuple[str, str]]:
    """Return the errors whose message cannot be read: the module, and how they are made."""
    source = _Source()
    return {
        (call.scope.module, ast.unparse(call.node.args[maker.message or 0]))
        for call, maker in source.errors()
        if maker.code and not source.texts_of(call, maker)
    }


class _Source:
    """The source of the program, parsed."""

    def __init__(self) -> None:
        self._codes = {
            name: int(each.exit_code)
            for name, each in vars(errors).items()
            if isinstance(each, type) and issubclass(each, errors.PatError)
        }
        self._functions: dict[str, list[_Scope]] = defaultdict(list)
        self._constants: dict[str, list[tuple[str, ast.expr]]] = defaultdict(list)
        self._calls: dict[str, list[_Call]] = defaultdict(list)
        for file in sorted(SOURCE.rglob("*.py")):
            module = file.relative_to(SOURCE).with_suffix("").as_posix()
            if not module.startswith("emulator/"):
                self._read(ast.parse(file.read_text("utf-8")), module)

    def _read(self, tree: ast.Module, module: str) -> None:
        for node in tree.body:
            match node:
                case (
                    ast.Assign(targets=[ast.Name(id=name)], value=ast.expr() as value)
                    | ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value)
                ):
                    self._constants[name].append((module, value))
                case ast.ClassDef(name=name, bases=[base]) if _name(base) in self._codes:
                    self._codes.setdefault(name, self._codes[_name(base)])
        self._walk(tree, module, None)

    def _walk(self, node: ast.AST, module: str, within: ast.FunctionDef | None) -> None:
        for child in ast.iter_child_nodes(node):
            inside = within
            if isinstance(child, ast.FunctionDef):
                self._functions[child.name].append(_Scope(module, child))
                inside = child
            elif isinstance(child, ast.Call) and (name := _name(child.func)):
                self._calls[name].append(_Call(child, _Scope(module, within)))
            self._walk(child, module, inside)

    def errors(self) -> Iterator[tuple[_Call, Maker]]:
        """Yield each call that makes an error."""
        errors = {name: Maker(code, 0) for name, code in self._codes.items()}
        for name, maker in (MAKERS | errors).items():
            for call in self._calls[name]:
                given = [each.value for each in call.node.keywords if each.arg == "error"]
                code = self._codes.get(_name(given[0])) if given else maker.code
                if code is None or not call.scope.module.startswith(maker.modules):
                    continue  # the maker itself, which passes on what it was given; another one
                yield call, maker._replace(code=code)

    def messages(self) -> Iterator[Message]:
        """Yield each message."""
        for call, maker in self.errors():
            hints = self._argument(call, maker.hint, "hint", frozenset())
            for text in self.texts_of(call, maker):
                if not re.search(r"\w", text):
                    continue  # another message as it is
                fill = _filled if _name(call.node.func) == "Rule" else str
                yield Message(fill(text), {*map(fill, hints)}, maker.code or 0, call.scope.module)

    def texts_of(self, call: _Call, maker: Maker) -> set[str]:
        """Return what the message of an error can be; nothing if it cannot be read."""
        texts = self._argument(call, maker.message, maker.keyword, frozenset())
        return {f"{maker.before}{text}" for text in texts}

    def _argument(
        self, call: _Call, position: int | None, keyword: str, seen: frozenset[ast.AST]
    ) -> set[str]:
        for each in call.node.keywords:
            if each.arg == keyword:
                return self._texts(each.value, call.scope, seen)
        if position is not None and len(call.node.args) > position:
            return self._texts(call.node.args[position], call.scope, seen)
        return set()

    def _texts(  # noqa: PLR0911  # one for each kind of expression
        self, node: ast.expr, scope: _Scope, seen: frozenset[ast.AST]
    ) -> set[str]:
        """Return what an expression can be; nothing if that cannot be read."""
        if node in seen:
            return set()
        seen |= {node}
        match node:
            case ast.Constant(value=str(text)):
                return {text}
            case ast.IfExp(body=one, orelse=other):
                return self._texts(one, scope, seen) | self._texts(other, scope, seen)
            case ast.BoolOp(values=values):
                return set().union(*(self._texts(each, scope, seen) for each in values))
            case ast.BinOp(left=left, op=ast.Add(), right=right):
                return _joined([self._known(each, scope, seen) for each in (left, right)])
            case ast.JoinedStr(values=values):
                return _joined([self._known(each, scope, seen) for each in values])
            case ast.Name(id=name):
                return self._named(name, scope, seen)
            case ast.Call(func=ast.Attribute(value=text, attr="format")):
                return self._texts(text, scope, seen)
            case ast.Call(func=function):
                return self._returned(_name(function), scope, seen)
        return set()

    def _known(self, part: ast.expr, scope: _Scope, seen: frozenset[ast.AST]) -> set[str]:
        """Return what a part of a text can be: the sign for anything, if that cannot be read."""
        if not isinstance(part, ast.FormattedValue):
            return self._texts(part, scope, seen) or {UNKNOWN}
        if isinstance(part.value, ast.IfExp | ast.Constant):
            texts = self._texts(part.value, scope, seen)
            if texts:
                plural = max(map(len, texts)) < PLURAL
                return {f"({''.join(sorted(texts))})"} if plural else texts
        if isinstance(part.value, ast.Name) and part.value.id.strip("_").isupper():
            return self._texts(part.value, scope, seen) or {UNKNOWN}
        return {f"'{UNKNOWN}'" if part.conversion == ord("r") else UNKNOWN}

    def _named(self, name: str, scope: _Scope, seen: frozenset[ast.AST]) -> set[str]:
        """Return what a name can be: a variable or parameter of the function, or a constant."""
        found: set[str] = set()
        function = scope.within
        if function is not None:
            for value in _assigned(function, name):
                found |= self._texts(value, scope, seen)
            given = _parameters(function)
            if name in given or name in {each.arg for each in function.args.kwonlyargs}:
                position = given.index(name) if name in given else None
                for call in self._calls[function.name]:
                    found |= self._argument(call, position, name, seen)
        if not found:
            constants = self._constants[name]
            for module, value in constants:
                if module == scope.module or len(constants) == 1:
                    found |= self._texts(value, _Scope(module, None), seen)
        return found

    def _returned(self, name: str, scope: _Scope, seen: frozenset[ast.AST]) -> set[str]:
        """Return what a function of the program can return."""
        functions = self._functions[name]
        own = [each for each in functions if each.module == scope.module] or functions
        return {
            text
            for each in own
            for node in ast.walk(each.within or ast.Pass())
            if isinstance(node, ast.Return) and node.value
            for text in self._texts(node.value, each, seen)
        }


def _filled(template: str) -> str:
    """Return a text with the sign for anything in its fields."""
    return re.sub(r"\{\w+\}", UNKNOWN, template)


def _name(function: ast.expr) -> str:
    """Return the last name of what is called."""
    if isinstance(function, ast.Name):
        return function.id
    return function.attr if isinstance(function, ast.Attribute) else ""


def _parameters(function: ast.FunctionDef) -> list[str]:
    """Return the names of what a caller gives by position."""
    given = [each.arg for each in (*function.args.posonlyargs, *function.args.args)]
    return given[1:] if given[:1] in (["self"], ["cls"]) else given


def _assigned(function: ast.FunctionDef, name: str) -> Iterator[ast.expr]:
    """Yield each expression that a function assigns to a name, also in a loop over a tuple."""
    for node in ast.walk(function):
        match node:
            case (
                ast.Assign(targets=[ast.Name(id=target)], value=value)
                | ast.NamedExpr(target=ast.Name(id=target), value=value)
            ) if target == name:
                yield value
            case ast.For(target=ast.Tuple(elts=targets), iter=ast.Tuple(elts=rows)):
                names = [each.id if isinstance(each, ast.Name) else "" for each in targets]
                if name in names:
                    for row in rows:
                        if isinstance(row, ast.Tuple):
                            yield row.elts[names.index(name)]
            case ast.Assign(targets=[ast.Tuple(elts=targets)], value=value):
                names = [each.id if isinstance(each, ast.Name) else "" for each in targets]
                if name in names:
                    for row in _rows(value):
                        yield row.elts[names.index(name)]


def _rows(value: ast.expr) -> Iterator[ast.Tuple]:
    """Yield the tuples that an expression can be."""
    match value:
        case ast.Tuple():
            yield value
        case ast.IfExp(body=one, orelse=other):
            yield from _rows(one)
            yield from _rows(other)


def _joined(parts: list[set[str]]) -> set[str]:
    """Return every text that can be made of the parts."""
    texts = {"".join(each) for each in product(*parts)}
    return {re.sub(f"{UNKNOWN}(\\s*{UNKNOWN})*", UNKNOWN, text) for text in texts}
