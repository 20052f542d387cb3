"""Where in a connector's file something is said, and what its author may have meant by a word Python does not know.

A declaration is a value by the time it is checked; its line is found in the file again, by the names on the way to it:

    Source(text).line("dealers", "push.fields", "phoen")    Stream("dealers", …, push=Push(fields=("phoen", …)))

Names of the module's own are followed to what they stand for, functions to what they return.
"""

from __future__ import annotations

import ast
import dataclasses
import re
from collections.abc import Iterable, Iterator

from omnihub.sdk.declared import meant


class Source:
    """The text of a connector's file, to look into."""

    def __init__(self, text: str) -> None:
        self.tree = ast.parse(text)
        self.named: dict[str, ast.AST] = {}
        for node in self.tree.body:
            if isinstance(node, ast.Assign):
                self.named |= {target.id: node.value for target in node.targets if isinstance(target, ast.Name)}
            elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value:
                self.named[node.target.id] = node.value
            elif isinstance(node, ast.FunctionDef):
                returned = [n.value for n in ast.walk(node) if isinstance(n, ast.Return) and n.value]
                self.named[node.name] = returned[-1] if returned else node

    def line(self, stream: str, key: str, word: str) -> int:
        """Where this word stands at this key of this stream; where it does not, the innermost key that is there."""
        start = self._stream(stream) if stream else self.named.get("connector", self.tree)
        scopes = [start]
        for part in filter(None, key.split(".")):
            below = self._keyed(scopes[-1], part)
            if below is None:
                break
            scopes.append(below)
        for scope in reversed(scopes):
            for node in self._reached(scope):
                if _is(node, word):
                    return _line(node)
        return _line(scopes[-1])

    def _stream(self, name: str) -> ast.AST:
        calls = [node for node in ast.walk(self.tree) if isinstance(node, ast.Call)]
        own = [call for call in calls if _called(call) == "Stream" and _is(_argument(call, "name"), name)]
        made = [call for call in calls if any(_is(one, name) for one in call.args)]
        return next(iter([*own, *made]), self.named.get("connector", self.tree))

    def _keyed(self, node: ast.AST, key: str) -> ast.AST | None:
        """What stands at a key of a call or a dict, also of one that is only named here."""
        for one in self._meant(node):
            if isinstance(one, ast.Call) and (found := _argument(one, key)) is not None:
                return found
            if isinstance(one, ast.Dict):
                for name, value in zip(one.keys, one.values, strict=True):
                    if _is(name, key):
                        return value
        return None

    def _meant(self, node: ast.AST) -> Iterator[ast.AST]:
        """The node, and what it stands for where it is a name or a call of a function of this file."""
        yield node
        name = node.id if isinstance(node, ast.Name) else _called(node) if isinstance(node, ast.Call) else ""
        if name in self.named:
            yield self.named[name]
        if isinstance(node, ast.Tuple | ast.List):
            yield from node.elts
        if isinstance(node, ast.BinOp):
            yield from (*self._meant(node.left), *self._meant(node.right))
        if isinstance(node, ast.Dict):  # {**OTHERS, "own": …}
            for name_, value in zip(node.keys, node.values, strict=True):
                if name_ is None:
                    yield from self._meant(value)

    def _reached(self, node: ast.AST) -> Iterator[ast.AST]:
        """Everything within, names followed to what they stand for."""
        seen: set[str] = set()
        todo = [node]
        while todo:
            for one in ast.walk(todo.pop(0)):
                yield one
                if isinstance(one, ast.Name) and one.id in self.named and one.id not in seen:
                    seen.add(one.id)
                    todo.append(self.named[one.id])


def _line(node: ast.AST) -> int:
    if isinstance(node, ast.keyword):
        return node.value.lineno
    return getattr(node, "lineno", 1)


def _is(node: ast.AST | None, word: str) -> bool:
    """Whether the node is this word: a text, a number, or the name of an argument."""
    if isinstance(node, ast.keyword):
        return node.arg == word
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub) and isinstance(node.operand, ast.Constant):
        return f"-{node.operand.value!r}" == word
    return isinstance(node, ast.Constant) and isinstance(node.value, str | int | float) and str(node.value) == word


def _called(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


def _argument(call: ast.Call, name: str) -> ast.AST | None:
    """The argument of this name, also where its place says so."""
    for keyword in call.keywords:
        if keyword.arg == name:
            return keyword.value
    names = _arguments_of(_called(call))
    place = names.index(name) if name in names else -1
    return call.args[place] if 0 <= place < len(call.args) else None


def _arguments_of(kind: str) -> list[str]:
    """The arguments of one of the kit's values, in their order."""
    from omnihub import sdk  # late: the kit is not whole while its own modules load

    found = getattr(sdk, kind, None)
    return [f.name for f in dataclasses.fields(found) if f.init] if dataclasses.is_dataclass(found) else []


# -- a file that does not load ---------------------------------------------------------------------------------------

_UNEXPECTED = re.compile(r"(\w+)\.__init__\(\) got an unexpected keyword argument '(\w+)'")
_NO_IMPORT = re.compile(r"cannot import name '(\w+)' from 'omnihub\.sdk'")


def hint(error: Exception) -> str:
    """What may have been meant, to be said after the error; "" where nobody knows."""
    from omnihub import sdk

    if found := _UNEXPECTED.search(str(error)):
        return _nearest(found[2], _arguments_of(found[1]))
    if found := _NO_IMPORT.search(str(error)):
        return _nearest(found[1], sdk.__all__)
    if isinstance(error, AttributeError) and error.name and error.obj is not None:
        return _nearest(error.name, [name for name in dir(error.obj) if not name.startswith("_")])
    if isinstance(error, NameError) and error.name:
        return _nearest(error.name, sdk.__all__)
    return ""


def _nearest(word: str, known: Iterable[str]) -> str:
    known = list(known)
    told = meant(word, known)
    return f"; {told}" if known and (told.startswith("did") or len(known) <= 30) else ""
