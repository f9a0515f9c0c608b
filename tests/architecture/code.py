"""The product's own source, as trees that the laws are read from."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

BASE = Path(__file__).resolve().parent.parent.parent
APPS = ("chatproject", "accounts", "conversations", "realtime")
Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Module:
    """One source file: its dotted name, its path in the repository, its tree."""

    name: str
    path: str
    tree: ast.Module

    def imports(self, root: ast.AST | None = None) -> Iterator[str]:
        """The modules of ours that it imports anywhere (or below `root`)."""
        for node in ast.walk(root or self.tree):
            if isinstance(node, ast.Import):
                yield from (found for alias in node.names if (found := _module(alias.name)))
            elif isinstance(node, ast.ImportFrom) and node.module:
                yield from (found for alias in node.names if (found := _module(f"{node.module}.{alias.name}")))

    def functions(self) -> Iterator[Function]:
        return (node for node in ast.walk(self.tree) if isinstance(node, Function))

    def calls(self, root: ast.AST | None = None) -> Iterator[tuple[str, str, int]]:
        """Method calls: what the method is called on (as text), its name, the line."""
        for node in ast.walk(root or self.tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                yield ast.unparse(node.func.value), node.func.attr, node.lineno


@cache
def modules() -> dict[str, Module]:
    """Every module of the product by name; migrations are Django's."""
    found = {}
    for app in APPS:
        for path in sorted((BASE / app).rglob("*.py")):
            relative = path.relative_to(BASE)
            if "migrations" not in relative.parts:
                name = ".".join(relative.with_suffix("").parts).removesuffix(".__init__")
                found[name] = Module(name, str(relative), _tree(path.read_text()))
    return found


def _tree(source: str) -> ast.Module:
    tree = ast.parse(source)
    return _WithoutTypeImports().visit(tree) if "TYPE_CHECKING" in source else tree


class _WithoutTypeImports(ast.NodeTransformer):
    """What stands under `if TYPE_CHECKING` is never run."""

    def visit_If(self, node: ast.If) -> ast.AST:
        return ast.Pass() if ast.unparse(node.test) == "TYPE_CHECKING" else self.generic_visit(node)


def within(*places: str) -> list[Module]:
    """Modules whose path begins with, or is, one of `places`."""
    return [module for module in modules().values() if module.path.startswith(places)]


def _module(name: str) -> str | None:
    """The module of ours that an imported name is, or is defined in."""
    if name.split(".")[0] not in APPS:
        return None
    return name if name in modules() else name.rpartition(".")[0]
