"""The source code of the package, as tests of its shape read it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

import lbcontroller

PACKAGE = Path(lbcontroller.__file__).parent

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Module:
    """One module of the package."""

    path: Path

    @cached_property
    def text(self) -> str:
        """Its source code."""
        return self.path.read_text(encoding="utf-8")

    @cached_property
    def tree(self) -> ast.Module:
        """Its syntax tree."""
        return ast.parse(self.text)

    @cached_property
    def nodes(self) -> tuple[ast.AST, ...]:
        """Every node of its syntax tree."""
        return tuple(ast.walk(self.tree))

    @property
    def where(self) -> str:
        """Its path within the package, such as `aws/errors.py`."""
        return self.path.relative_to(PACKAGE).as_posix()

    @property
    def name(self) -> str:
        """Its dotted name, such as `lbcontroller.aws.errors`."""
        parts = self.path.relative_to(PACKAGE.parent).with_suffix("").parts
        return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)

    def functions(self) -> Iterator[Function]:
        """Yield every function and method."""
        for node in self.nodes:
            if isinstance(node, Function):
                yield node

    def imports(self) -> Iterator[str]:
        """Yield the dotted name of everything it imports; of `from a import b` both `a` and `a.b`."""
        for node in self.nodes:
            match node:
                case ast.Import(names=names):
                    yield from (alias.name for alias in names)
                case ast.ImportFrom(module=str(module), names=names):
                    yield module
                    yield from (f"{module}.{alias.name}" for alias in names)
                case _:
                    pass

    def names(self) -> Iterator[tuple[str, int]]:
        """Yield every name it gives to something of its own, with the line."""
        for node in self.nodes:
            match node:
                case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                    yield name, node.lineno
                case ast.arg(arg=name):
                    yield name, node.lineno
                case ast.Name(id=name, ctx=ast.Store()) | ast.Attribute(attr=name, ctx=ast.Store()):
                    yield name, node.lineno
                case _:
                    pass

    def public_names(self) -> Iterator[str]:
        """Yield every function, class and constant that it offers to others."""
        for statement in self.tree.body:
            match statement:
                case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                    yield from [] if name.startswith("_") or is_registered(statement) else [name]
                case ast.AnnAssign(target=ast.Name(id=name)) | ast.Assign(targets=[ast.Name(id=name)]):
                    yield from [] if name.startswith("_") else [name]
                case _:
                    pass

    def uses(self) -> Iterator[str]:
        """Yield every name that it reads, its own and those of others."""
        for node in self.nodes:
            match node:
                case ast.Name(id=name, ctx=ast.Load()) | ast.Attribute(attr=name, ctx=ast.Load()):
                    yield name
                case _:
                    pass

    def strings(self) -> Iterator[tuple[str, int]]:
        """Yield every string it has, with the line; documentation is not among them."""
        statements = {id(node.value) for node in self.nodes if isinstance(node, ast.Expr)}
        for node in self.nodes:
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in statements:
                yield node.value, node.lineno


def is_registered(statement: Function | ast.ClassDef) -> bool:
    """Return whether a decorator with arguments, such as `@app.command()`, hands the definition to others."""
    return any(
        isinstance(decorator, ast.Call) and isinstance(decorator.func, ast.Attribute)
        for decorator in statement.decorator_list
    )


@cache
def modules() -> tuple[Module, ...]:
    """Return every module of the package."""
    return tuple(Module(path) for path in sorted(PACKAGE.rglob("*.py")))
