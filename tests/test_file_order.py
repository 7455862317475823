"""No circle among the files, and in the folder of a task each file builds on those before it."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.imports import ROOT, circles, file_graph

KNOWN_CIRCLES: set[frozenset[str]] = set()
"""Circles that are there; the list may only shrink."""
SHARED = {"base", "seq2seq", "sequence", "timeseries"}
"""Folders in tasks/ that are no tasks."""
ORDER = re.compile(r"order in which they may import each other:([\w\s]+)\.")
Package = Callable[[dict[str, str]], Path]


def task_folders(root: Path) -> list[Path]:
    """List the folders of the tasks."""
    return sorted(path.parent for path in root.glob("tasks/*/__init__.py") if path.parent.name not in SHARED)


def order_of(folder: Path) -> list[str]:
    """Read the order of a task's files from the docstring of its `__init__`."""
    doc = ast.get_docstring(ast.parse((folder / "__init__.py").read_text(encoding="utf-8"))) or ""
    found = ORDER.search(doc)
    return found[1].split() if found else []


def faults_of_order(root: Path, folder: Path) -> list[str]:
    """List what breaks the order of a task's files: files that it does not list, and imports of what comes later."""
    order, files = order_of(folder), {path.stem for path in folder.glob("*.py")} - {"__init__"}
    name = f"recurra.tasks.{folder.name}"
    found = [f"{folder.name}/__init__.py lists {stem}, which is not there" for stem in order if stem not in files]
    found += [f"{folder.name}/{stem}.py is not in the order of __init__.py" for stem in sorted(files - set(order))]
    graph = file_graph(root)
    for place, stem in enumerate(order):
        later = {f"{name}.{other}": other for other in [*order[place:], "__init__"]} | {name: "__init__"}
        beyond = sorted(later[target] for target in graph.get(f"{name}.{stem}", set()) & later.keys())
        found += [f"{folder.name}/{stem}.py imports {other}, which does not come before it" for other in beyond]
    return found


def faults_of_tasks(root: Path) -> list[str]:
    """List imports of a `task.py` by others than its `__init__`, of one task by another, and of `recurra.tasks` from inside."""
    found = []
    folders = [folder.name for folder in task_folders(root)]
    for module, targets in file_graph(root).items():
        for target in sorted(targets):
            own, other = (_task_of(name, folders) for name in (module, target))
            if own is not None and other not in (None, own):
                found.append(f"{module} imports {target}, of another task")
            elif other is not None and target.endswith(f".{other}.task") and module != f"recurra.tasks.{other}":
                found.append(f"{module} imports {target}, which is for {other}/__init__.py alone")
            elif target == "recurra.tasks" and module.startswith("recurra.tasks."):
                found.append(f"{module} imports from recurra.tasks, whose exports are for those outside")
    return found


def _task_of(module: str, folders: list[str]) -> str | None:
    parts = module.split(".")
    return parts[2] if parts[:2] == ["recurra", "tasks"] and len(parts) > 2 and parts[2] in folders else None


def test_no_files_import_each_other_in_a_circle() -> None:
    found = circles(file_graph())
    assert [sorted(circle) for circle in found - KNOWN_CIRCLES] == []
    assert [sorted(circle) for circle in KNOWN_CIRCLES - found] == [], "take it out of KNOWN_CIRCLES"


@pytest.mark.parametrize("folder", task_folders(ROOT), ids=lambda folder: folder.name)
def test_each_file_of_a_task_builds_on_those_before_it(folder: Path) -> None:
    assert faults_of_order(ROOT, folder) == []


def test_a_task_is_known_to_its_own_package_alone() -> None:
    assert faults_of_tasks(ROOT) == []


# What the guards find


@pytest.fixture
def package(tmp_path: Path) -> Package:
    """Write a package: files by their paths in it; every folder gets an `__init__`."""

    def write(files: dict[str, str]) -> Path:
        for name, source in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(source, encoding="utf-8")
        for path in [tmp_path, *tmp_path.rglob("*")]:
            if path.is_dir() and not (path / "__init__.py").is_file():
                (path / "__init__.py").write_text("", encoding="utf-8")
        return tmp_path

    return write


@pytest.mark.parametrize(
    ("files", "circle"),
    [
        ({"a.py": "import recurra.b", "b.py": "import recurra.a"}, ["recurra.a", "recurra.b"]),
        ({"a.py": "from recurra import b", "b.py": "from .a import x"}, ["recurra.a", "recurra.b"]),
        ({"a.py": "def f():\n    from recurra.b import x", "b.py": "if TYPE_CHECKING:\n    from recurra.a import y"}, ["recurra.a", "recurra.b"]),
        ({"p/__init__.py": "from recurra.p.a import x", "p/a.py": "from recurra.p import x"}, ["recurra.p", "recurra.p.a"]),
        ({"p/__init__.py": "from .a import x", "p/a.py": "from . import b", "p/b.py": "from . import x"}, ["recurra.p", "recurra.p.a", "recurra.p.b"]),
        ({"__init__.py": "def f():\n    import recurra.a", "a.py": "from recurra import f"}, ["recurra", "recurra.a"]),
        ({"a.py": "from recurra.a import x"}, ["recurra.a"]),
    ],
)  # fmt: skip
def test_a_circle_is_found(package: Package, files: dict[str, str], circle: list[str]) -> None:
    assert [sorted(found) for found in circles(file_graph(package(files)))] == [circle]


@pytest.mark.parametrize(
    "files",
    [
        {"p/__init__.py": "from .a import x", "p/a.py": "from recurra.p import b", "p/b.py": ""},
        {"p/__init__.py": "from .a import x", "p/a.py": "import recurra.p.b", "p/b.py": "import os"},
        {"a.py": "from recurra.b import a", "b.py": "from recurra.c import a", "c.py": ""},
    ],
)
def test_what_is_no_circle_is_let_through(package: Package, files: dict[str, str]) -> None:
    assert circles(file_graph(package(files))) == set()


def a_task(order: str = "config data network task", **files: str) -> dict[str, str]:
    doc = f'"""A task. Files, in the order in which they may import each other: {order}."""\n'
    sources = dict.fromkeys(("config", "data", "network", "task"), "") | files
    return {"tasks/one/__init__.py": doc, **{f"tasks/one/{name}.py": source for name, source in sources.items()}}


@pytest.mark.parametrize(
    ("files", "fault"),
    [
        (a_task(data="from recurra.tasks.one.network import x"), "one/data.py imports network, which does not come"),
        (a_task(config="def f():\n    from recurra.tasks.one import data"), "one/config.py imports data, which"),
        (a_task(data="if TYPE_CHECKING:\n    from .task import T"), "one/data.py imports task, which does not come"),
        (a_task(data="from recurra.tasks.one import T"), "one/data.py imports __init__, which does not come before it"),
        (a_task(extra=""), "one/extra.py is not in the order of __init__.py"),
        (a_task(order="config data network lost task"), "one/__init__.py lists lost, which is not there"),
    ],
)
def test_a_breach_of_the_order_is_found(package: Package, files: dict[str, str], fault: str) -> None:
    root = package(files)
    (found,) = faults_of_order(root, root / "tasks/one")
    assert found.startswith(fault)


def test_an_order_that_is_kept_is_let_through(package: Package) -> None:
    root = package(a_task(data="from recurra.tasks.one.config import x", task="from . import network"))
    assert faults_of_order(root, root / "tasks/one") == []


@pytest.mark.parametrize(
    ("source", "fault"),
    [
        ("from recurra.tasks.one.task import T", "recurra.runs.a imports recurra.tasks.one.task, which is for one/"),
        ("def f():\n    from recurra.tasks.one import task", "recurra.runs.a imports recurra.tasks.one.task, which is"),
    ],
)
def test_an_import_of_a_task_from_outside_is_found(package: Package, source: str, fault: str) -> None:
    (found,) = faults_of_tasks(package({**a_task(), "runs/a.py": source}))
    assert found.startswith(fault)


@pytest.mark.parametrize(
    ("source", "fault"),
    [
        ("from recurra.tasks.one.config import x", "recurra.tasks.two imports recurra.tasks.one.config, of another"),
        ("from recurra.tasks import get_task", "recurra.tasks.two imports from recurra.tasks, whose exports are"),
    ],
)
def test_an_import_among_tasks_is_found(package: Package, source: str, fault: str) -> None:
    (found,) = faults_of_tasks(package({**a_task(), "tasks/two/__init__.py": source, "tasks/base/a.py": ""}))
    assert found.startswith(fault)


def test_what_a_task_may_import_is_let_through(package: Package) -> None:
    own = {**a_task(task="from recurra.tasks.base.a import x"), "tasks/base/a.py": ""}
    own["tasks/one/__init__.py"] += "from recurra.tasks.one.task import T\n"
    assert faults_of_tasks(package({**own, "runs/a.py": "from recurra.tasks import get_task"})) == []
