"""Imports go one way, and what is optional or slow to load is loaded only where it is used."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import recurra

ROOT = Path(recurra.__file__).parent
FILES = sorted(ROOT.rglob("*.py"))
OPTIONAL = {
    "tokenizers",
    "pyarrow",
    "pooch",
    "zstandard",
    "onnx",
    "onnxruntime",
    "sklearn",
    "scipy",
    "statsforecast",
    "narwhals",
    "pandas",
    "polars",
}

BASE = ["errors", "files", "formatting"]
LIBRARIES = ["text", "series", "data", "decoding", "thresholds", "metrics", "baselines", "report"]
ENGINE = ["cells", "kernels", "nn", "stream"]
TOP = ["runs", "api"]


def allowed() -> dict[str, set[str]]:
    """Say for each module or package of recurra which others it may import."""
    may: dict[str, set[str]] = {}
    for number, name in enumerate(BASE):
        may[name] = set(BASE[:number])
    for name in LIBRARIES:
        may[name] = {*BASE, *LIBRARIES}
    for number, name in enumerate(ENGINE):
        may[name] = {*BASE, *ENGINE[:number]}
    below = {*BASE, *ENGINE}
    may["tasks"] = below | set(LIBRARIES)
    may["training"] = below | {"tasks", "metrics"}  # each metric says how it is called and written
    for number, name in enumerate(TOP):
        may[name] = below | set(LIBRARIES) | {"tasks", "training", *TOP[:number]}
    may["benchmark"] = set(below)
    may["testing"] = below | {"tasks"}
    may["verbs"] = set(may) - {"testing"}
    may["cli"] = {*BASE, "verbs"}
    return may


MAY = allowed()


def module_of(path: Path) -> list[str]:
    """Give the package that a file's relative imports start from: the parts of its name without the last."""
    return ["recurra", *path.relative_to(ROOT).with_suffix("").parts][:-1]


def imported(node: ast.AST, package: list[str]) -> list[tuple[str, list[str]]]:
    """Give what an import statement names: (module, names taken from it)."""
    if isinstance(node, ast.Import):
        return [(alias.name, []) for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        base = package[: len(package) - node.level + 1] if node.level else []
        return [(".".join([*base, *([node.module] if node.module else [])]), [alias.name for alias in node.names])]
    return []


def is_module(name: str) -> bool:
    path = ROOT.joinpath(*name.split(".")[1:])
    return path.is_dir() or path.with_suffix(".py").is_file()


def faults(source: str, package: list[str], own: str) -> list[str]:
    """List the imports, at any depth, that the order does not allow to a file of the part `own`."""
    found = []
    for node in ast.walk(ast.parse(source)):
        for module, names in imported(node, package):
            if module.split(".")[0] != "recurra":
                continue
            if module == "recurra":  # `from recurra import api` is an import of recurra.api
                targets = [(f"recurra.{name}", []) for name in names if is_module(f"recurra.{name}")]
                rest = [name for name in names if not is_module(f"recurra.{name}") and name != "__version__"]
                found += [f"{own} imports {name} from recurra itself; name the module it is in" for name in rest]
            else:
                targets = [(module, names)]
            found += [fault for target, taken in targets if (fault := fault_of(own, target, taken))]
    return found


def fault_of(own: str, module: str, names: list[str]) -> str | None:
    inside = module.removeprefix("recurra.")
    part = inside.split(".")[0]
    if part == own:
        return None
    exact = inside in MAY[own] or (part not in MAY[own] and any(f"{inside}.{name}" in MAY[own] for name in names))
    if part not in MAY[own] and not exact:
        return f"{own} may not import {module}"
    if own in LIBRARIES and part in LIBRARIES and inside != part:
        return f"{own} may import the public names of recurra.{part} only, not {module}"
    private = [name for name in names if name.startswith("_")]
    return f"{own} imports {', '.join(private)} of {module}, which is private" if private else None


# The public face names things of all parts, and loads them when they are asked for.
@pytest.mark.parametrize(
    "path", [path for path in FILES if path != ROOT / "__init__.py"], ids=lambda path: str(path.relative_to(ROOT))
)
def test_imports_go_one_way(path):
    own = path.relative_to(ROOT).parts[0].removesuffix(".py")
    assert own in MAY, f"{own} has no place in the order yet; give it one in this test and in the design"
    assert faults(path.read_text(encoding="utf-8"), module_of(path), own) == []


@pytest.mark.parametrize(
    ("own", "source", "fault"),
    [
        ("cells", "from recurra.nn import Stack", "cells may not import recurra.nn"),
        ("kernels", "def f():\n    import recurra.tasks", "kernels may not import recurra.tasks"),
        ("text", "if TYPE_CHECKING:\n    from recurra.tasks import Task", "text may not import recurra.tasks"),
        ("text", "from ..cells import GRU", "text may not import recurra.cells"),
        ("metrics", "from recurra.text.read import Corpus", "metrics may import the public names of recurra.text only"),
        ("training", "from recurra.report.page import write_report", "training may not import recurra.report.page"),
        ("training", "from recurra import api", "training may not import recurra.api"),
        ("tasks", "from recurra import train", "tasks imports train from recurra itself"),
        ("nn", "from recurra.cells.base import _registry", "nn imports _registry of recurra.cells.base"),
        ("runs", "from recurra.api import train", "runs may not import recurra.api"),
        ("verbs", "from recurra.testing import check_cell", "verbs may not import recurra.testing"),
    ],
)
def test_the_order_finds_what_breaks_it(own, source, fault):
    (said,) = faults(source, ["recurra", own], own)
    assert said.startswith(fault)


@pytest.mark.parametrize(
    ("own", "source"),
    [
        ("tasks", "from recurra.text import Corpus\nfrom recurra.nn import Stack\nimport numpy"),
        ("metrics", "from recurra.text import Corpus"),
        ("training", "from recurra.metrics import get_metric\nfrom recurra.formatting import count"),
        ("runs", "from recurra import __version__"),
        ("verbs", "from recurra import api, __version__"),
        ("nn", "from recurra.nn.dropout import _helper"),
    ],
)
def test_the_order_lets_through_what_it_allows(own, source):
    assert faults(source, ["recurra", own], own) == []


def at_module_level(tree: ast.Module) -> list[ast.AST]:
    """Give the statements that run on import: not those in functions, nor those for the type checker alone."""
    found: list[ast.AST] = []
    rest: list[ast.AST] = list(tree.body)
    while rest:
        node = rest.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        found.append(node)
        skipped = node.body if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test) else []
        rest += [child for child in ast.iter_child_nodes(node) if child not in skipped]
    return found


def optional_imports(source: str) -> set[str]:
    named = [name for node in at_module_level(ast.parse(source)) for name, _ in imported(node, ["recurra"])]
    return {name.split(".")[0] for name in named} & OPTIONAL


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_optional_libraries_are_imported_where_they_are_used(path):
    assert optional_imports(path.read_text(encoding="utf-8")) == set()


def test_an_optional_import_is_found_wherever_it_hides():
    assert optional_imports("try:\n    import pyarrow.parquet\nexcept ImportError:\n    pass") == {"pyarrow"}
    assert optional_imports("class A:\n    from tokenizers import Tokenizer") == {"tokenizers"}
    assert optional_imports("def f():\n    import pooch\nif TYPE_CHECKING:\n    import zstandard") == set()


def test_importing_recurra_does_not_load_torch():
    code = "import sys, recurra; print(sorted({'torch', 'numpy', 'pydantic'} & set(sys.modules)), recurra.__version__)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.split() == ["[]", recurra.__version__]


@pytest.mark.parametrize("arguments", [["--help"], ["generate", "--help"], ["score", "--help"], ["data", "list"]])
def test_help_does_not_wait_for_torch(arguments):
    code = f"import sys; from recurra.cli import app; app({arguments}, standalone_mode=False); print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.split()[-1] == "False"
