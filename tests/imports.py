"""What the files of the package import, at any depth, read from their source."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import recurra

ROOT = Path(recurra.__file__).parent
FILES = sorted(ROOT.rglob("*.py"))
Import = tuple[str, list[str]]


def package_of(path: Path, root: Path = ROOT) -> list[str]:
    """Give the package that a file's relative imports start from, as the parts of its name."""
    return ["recurra", *path.relative_to(root).parts[:-1]]


def module_of(path: Path, root: Path = ROOT) -> str:
    """Give the name that a file is imported by; that of a package is its folder's."""
    parts = package_of(path, root)
    return ".".join(parts if path.stem == "__init__" else [*parts, path.stem])


def imported(node: ast.AST, package: list[str]) -> list[Import]:
    """Give what an import statement names: (module, names that are imported from it)."""
    if isinstance(node, ast.Import):
        return [(alias.name, []) for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        base = package[: len(package) - node.level + 1] if node.level else []
        return [(".".join([*base, *([node.module] if node.module else [])]), [alias.name for alias in node.names])]
    return []


def imports_of(source: str, package: list[str]) -> Iterator[Import]:
    """Give all imports of a source, those in functions and those for the type checker alone too."""
    for node in ast.walk(ast.parse(source)):
        yield from imported(node, package)


def file_graph(root: Path = ROOT) -> dict[str, set[str]]:
    """Give for each file, by its module's name, the files that it imports.

    `from package import name` is an import of the submodule of that name, and where there is none, of the package itself.
    A package's `__init__`, which Python runs before a submodule, is only counted where something is imported from it.
    """
    files = {module_of(path, root): path for path in sorted(root.rglob("*.py"))}
    graph: dict[str, set[str]] = {}
    for module, path in files.items():
        found = graph[module] = set[str]()
        for name, names in imports_of(path.read_text(encoding="utf-8"), package_of(path, root)):
            submodules = {f"{name}.{each}" for each in names} & files.keys()
            found |= submodules
            if name in files and len(submodules) < max(1, len(names)):
                found.add(name)
    return graph


def circles(graph: dict[str, set[str]]) -> set[frozenset[str]]:
    """Give the groups of files of which each imports, by way of others, every other; a file that imports itself is one too.

    >>> circles({"a": {"b"}, "b": {"c"}, "c": {"b", "d"}, "d": set()}) == {frozenset({"b", "c"})}
    True
    """
    reached = {start: _reachable(graph, start) for start in graph}
    return {
        frozenset(other for other in reached[start] if start in reached[other])
        for start in graph
        if start in reached[start]
    }


def _reachable(graph: dict[str, set[str]], start: str) -> set[str]:
    found, rest = set[str](), [*graph[start]]
    while rest:
        if (module := rest.pop()) not in found:
            found.add(module)
            rest += graph[module]
    return found
