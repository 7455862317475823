"""Keep files, functions and constructors small enough to be taken in at once.

python tools/check_limits.py    list what is over a limit, and fail where there is anything
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FOLDERS = ["src", "native", "studio", "tests", "tools", "recipes", "benchmarks"]
NOT_WRITTEN = ["studio/node_modules", "src/recurra/studio/web"]
"""What others wrote, and what is built from sources that are checked."""
SUFFIXES = {".py", ".h", ".cpp", ".js", ".ts", ".css", ".sh"}
"""Of files that people write; data, fixtures and results are as long as they are."""

MAX_FILE_LINES = 300
MAX_FUNCTION_LINES = 60
MAX_CONSTRUCTOR_PARAMETERS = 8

_TORCH = "the parameters of the module of torch.nn that it stands in for"
EXCEPTIONS = {
    "src/recurra/nn/recurrent.py: RNN.__init__": _TORCH,
    "src/recurra/nn/recurrent.py: LSTM.__init__": _TORCH,
    "src/recurra/nn/recurrent.py: GravesLSTM.__init__": _TORCH,
    "src/recurra/nn/recurrent.py: GRU.__init__": _TORCH,
    "src/recurra/nn/stack.py: Stack.__init__": "public, and each is a keyword that users know from torch.nn or the papers",
}
"""What may be over a limit, by its place, and why."""


def over_limits(path: str, text: str) -> Iterator[tuple[str, str]]:
    """Give (place, what is over which limit) of one file.

    >>> list(over_limits("a.h", "int x;\\n" * 301))
    [('a.h', '301 lines, expected at most 300')]
    """
    lines = text.count("\n")
    if lines > MAX_FILE_LINES:
        yield path, f"{lines} lines, expected at most {MAX_FILE_LINES}"
    if path.endswith(".py"):
        for name, node in functions(ast.parse(text)):
            yield from ((f"{path}: {name}", problem) for problem in problems(node))


def functions(tree: ast.AST, outer: str = "") -> Iterator[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef]]:
    """Give every function with its name, those of classes and inner ones as in `Stack.forward`."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            name = f"{outer}.{node.name}" if outer else node.name
            if not isinstance(node, ast.ClassDef):
                yield name, node
            yield from functions(node, name)
        else:
            yield from functions(node, outer)


def problems(node: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[str]:
    """Say what of a function is over a limit; the object itself is no parameter of its constructor."""
    lines = (node.end_lineno or node.lineno) - node.lineno + 1
    if lines > MAX_FUNCTION_LINES:
        yield f"{lines} lines, expected at most {MAX_FUNCTION_LINES}"
    given = node.args
    parameters = len(given.posonlyargs) + len(given.args) + len(given.kwonlyargs) - 1
    if node.name == "__init__" and parameters > MAX_CONSTRUCTOR_PARAMETERS:
        yield f"{parameters} parameters, expected at most {MAX_CONSTRUCTOR_PARAMETERS}; put some into an options object"


def findings(root: Path, exceptions: dict[str, str]) -> list[str]:
    """Give what is over a limit in a checkout, and exceptions that nothing needs any more."""
    found = [
        (place, problem)
        for folder in FOLDERS
        for file in sorted((root / folder).rglob("*"))
        if file.suffix in SUFFIXES and file.is_file() and not any(file.is_relative_to(root / place) for place in NOT_WRITTEN)
        for place, problem in over_limits(file.relative_to(root).as_posix(), file.read_text(encoding="utf-8"))
    ]
    stale = exceptions.keys() - {place for place, _ in found}
    return [f"{place}: {problem}" for place, problem in found if place not in exceptions] + [
        f"{place}: is within the limits; take it out of EXCEPTIONS in {Path(__file__).name}" for place in sorted(stale)
    ]


if __name__ == "__main__":
    found = findings(ROOT, EXCEPTIONS)
    print(*found, sep="\n", end="\n" if found else "")
    sys.exit(1 if found else 0)
