"""The limits of files, functions and constructors find what is over them, and let through what is excepted."""

from __future__ import annotations

import doctest

import pytest
from tests.tools.conftest import Tree, load


@pytest.fixture(scope="module")
def limits():
    return load("check_limits")


def found(limits, tree: Tree, name: str, text: str) -> list[str]:
    return limits.findings(tree({name: text}), {})


@pytest.mark.parametrize("name", ["src/a/b.py", "native/a.h", "tests/native/a.cpp", "recipes/a.py", "src/page.css"])
def test_a_long_file_is_found(limits, tree: Tree, name: str) -> None:
    assert found(limits, tree, name, "\n" * 300) == []
    assert found(limits, tree, name, "\n" * 301) == [f"{name}: 301 lines, expected at most 300"]


@pytest.mark.parametrize("name", ["tests/golden/a.json", "recipes/a.toml", "docs/a.py", "benchmarks/a.json"])
def test_data_may_be_long(limits, tree: Tree, name: str) -> None:
    assert found(limits, tree, name, "\n" * 1000) == []


@pytest.mark.parametrize("head", ["def f():", "async def f():", "class A:\n  def f(self):", "def g():\n  def f():"])
def test_a_long_function_is_found_wherever_it_is(limits, tree: Tree, head: str) -> None:
    body = "\n      x = 1"
    assert found(limits, tree, "src/a.py", head + body * 50) == []
    name = {"cl": "A.f", "de": "g.f" if "g()" in head else "f", "as": "f"}[head[:2]]
    assert f"src/a.py: {name}: 61 lines, expected at most 60" in found(limits, tree, "src/a.py", head + body * 60)


def test_a_constructor_with_many_parameters_is_found(limits, tree: Tree) -> None:
    eight = "class A:\n    def __init__(self, a, b, /, c, d, *rest, e, f, g, h, **more): ..."
    assert found(limits, tree, "src/a.py", eight) == []
    (problem,) = found(limits, tree, "src/a.py", eight.replace("h,", "h, i,"))
    assert problem.startswith("src/a.py: A.__init__: 9 parameters, expected at most 8")
    assert found(limits, tree, "src/a.py", eight.replace("h,", "h, i,").replace("__init__", "make")) == []


def test_an_exception_lets_through_and_goes_when_nothing_needs_it(limits, tree: Tree) -> None:
    root = tree({"src/a.py": "\n" * 301})
    assert limits.findings(root, {"src/a.py": "why"}) == []
    (problem,) = limits.findings(tree({"src/a.py": "\n"}), {"src/a.py": "why"})
    assert problem.startswith("src/a.py: is within the limits")


def test_its_examples_run(limits) -> None:
    assert doctest.testmod(limits).failed == 0
