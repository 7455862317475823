"""Misuse of the Python interface: every public callable, with arguments that nobody expects in the place of good ones."""

from __future__ import annotations

import inspect
import typing
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

from tools.fuzz.case import Case, Program
from tools.fuzz.families.copying import copy_paths, files_below
from tools.fuzz.stock import RUNS, Stock

OBJECTS = [
    "None", "True", "False", "0", "1", "-1", "2.5", "1e400", "float('nan')", "-(2**70)", "10**400", "1j", "''", "' '", "'x'", "'\\x00'", "'\\ud800'", "'a' * 5000", "b''", "b'x'", "bytearray(b'x')", "[]", "()", "{}", "set()", "[None]", "['']", "[[]]", "[[], []]",
    "[1, 2]", "[1.5, None]", "['a', 1]", "[['a'], 'b']", "[b'x']", "{'x': 1}", "{'x': []}", "{'x': [1, 2], 'y': [1]}", "{1: [2]}", "{'x': [None, 'a']}", "object()", "object", "len", "lambda: 1", "iter([])", "iter(['a', 'b'])", "(n for n in range(3))", "range(3)", "range(10**9)",
    "np.zeros(0)", "np.zeros(())", "np.zeros((0, 0))", "np.zeros((5, 0))", "np.zeros((2, 3))", "np.zeros((2, 3, 4))", "np.zeros((1, 2, 3, 4))", "np.full((9, 1), np.nan)", "np.full((9, 1), np.inf)", "np.full((9, 1), 1e39)", "np.ones((9, 1)) * 1j", "np.array(['a', 'b'])", "np.array([None, 'a'], dtype=object)",
    "np.array([1, 'a'], dtype=object)", "np.zeros(3, dtype=[('a', 'f8')])", "np.array(['2024-05-31'], 'M8[D]')", "np.ones((9, 1), bool)", "np.zeros((9, 1), np.uint64) + np.uint64(2**64 - 1)", "np.ma.masked_all((9, 1))", "np.float64(2)", "np.str_('x')", "np.zeros((9, 700))",
    "torch.zeros(0)", "torch.zeros(3)", "torch.zeros(9, 1)", "torch.zeros(9, 1, dtype=torch.complex64)", "torch.zeros(2, 3, 4, requires_grad=True)", "torch.zeros(9, 1, device='meta')", "torch.full((9, 1), float('nan'))", "torch.zeros(9, 1).to_sparse()", "torch.nn.Linear(2, 3)", "torch.nn.LSTM(3, 4)",
    "__import__('pathlib').Path('nosuch')", "__import__('pathlib').Path('.')", "__import__('decimal').Decimal('1.5')", "__import__('fractions').Fraction(1, 3)", "__import__('datetime').datetime(1, 1, 1)", "__import__('io').StringIO('x')", "Exception('x')", "type('T', (), {'shape': 3})()", "type('T', (), {'columns': 3})()", "type('T', (), {'__len__': lambda s: -1})()",
    "'nosuch'", "'-'", "['-', '-']", "'/'", "'lines.txt'", "['lines.txt', None]", "'RUN'", "[['the', 'cat']]", "[['the', '']]", "[[1, 2]]", "[[[1, 2], [3]]]", "'[[1, 2], [3]]'", "['a'] * 3000", "__import__('pandas').DataFrame()", "__import__('pandas').DataFrame({'x': [1, 2]})", "__import__('pandas').Series([1.0, 2.0])",
    "__import__('pandas').DataFrame({'day': ['x'], 'shop': [None], 'sold': [1j]})", "__import__('pyarrow').table({'x': [1]})", "memoryview(b'abc')",
]  # fmt: skip
"""Arguments, as they are written."""

CALLED = ("progress", "function")
"""Parameters that take a caller's own function, whose exceptions are the caller's."""
NO_FUNCTIONS = [one for one in OBJECTS if not one.startswith(("object", "len", "lambda", "torch.nn"))]

GOOD = {
    "task": "'lm'", "data": "'lines.txt'", "out": "'new'", "folder": "'RUN'", "path": "'RUN'", "quiet": "True", "texts": "['the rain', 'in']", "prompt": "'the'", "device": "'cpu'", "kind": "'train'", "baselines": "False", "progress": "lambda text: None", "k": "2", "steps": "False", "beam": "2",
    "module": "torch.nn.GRU(1, 4)", "weights": "'float32'", "threads": "1", "text": "'a'", "count": "2", "cell": "'lstm'", "input_size": "3", "hidden_size": "4", "hidden_sizes": "[4, 4]", "num_layers": "1", "model": "torch.nn.GRU(1, 4)",
}  # fmt: skip
"""Good arguments by the names of parameters; of others the default."""

INPUTS = {
    "lm": "'the rain'", "classify-text": "'a warm film'", "classify-char": "'a warm film'", "classify-series": "np.ones((9, 1))", "tag-words": "[['the', 'cat2', 'sits']]", "tag-series": "np.ones((20, 2))", "embed": "np.ones((9, 1))", "embed-texts": "['the rain', 'in spain']",
    "forecast": "{'day': ['2024-01-01', '2024-01-02', '2024-01-03', '2024-01-04'], 'shop': ['a'] * 4, 'sold': [1.0, 2.0, 3.0, 4.0], 'promotion': [0, 1, 2, 0]}", "detect": "np.ones((30, 2))",
}  # fmt: skip
"""Good inputs of each kind of run."""

OPTIONS = {
    "predict": ["k", "steps", "cluster", "neighbours", "nosuch"],
    "evaluate": ["label", "anomaly_labels", "windows", "nosuch"],
    "generate": ["count", "length", "temperature", "top_k", "top_p", "seed", "greedy", "beam", "length_penalty", "nosuch"],
    "train": ["hidden", "layers", "cell", "epochs", "lr", "batch", "seed", "unit", "test_share", "within", "precision", "vectors", "from_run", "nosuch", "model", "data_arguments"],
}  # fmt: skip
OPTIONS["generate_chunks"] = OPTIONS["beam_search"] = OPTIONS["generate"]
OPTIONS["resume"] = OPTIONS["train"]
LEFT_OUT = {"__version__"}
CONSUME = "\nif hasattr(result, '__next__'):\n    import itertools\n    result = list(itertools.islice(result, 20))\nprint(repr(result)[:200])\n"


@cache
def functions() -> dict[str, Any]:
    """List the public functions and classes of the package, and of its layers, by how they are written."""
    import recurra

    found = {f"recurra.{name}": getattr(recurra, name) for name in recurra.__all__ if name not in LEFT_OUT}
    layers = {f"recurra.nn.{name}": getattr(recurra.nn, name) for name in recurra.nn.__all__}
    return {
        name: one
        for name, one in {**found, **layers}.items()
        if callable(one)
        and typing.get_origin(one) is None
        and name not in ("recurra.Run", "recurra.Stream")
        and not inspect.isabstract(one)
    }


@cache
def methods(kind: str) -> dict[str, Any]:
    """List the public methods of a run, or of its stream."""
    import recurra

    one = {"run": recurra.Run, "stream": recurra.Stream}[kind]
    return {
        name: inspect.getattr_static(one, name)
        for name in dir(one)
        if not name.startswith("_") and inspect.isfunction(inspect.getattr_static(one, name))
    }


def make_misuse(number: int, rng: Random, work: Path, stock: Stock) -> Case:
    """Make a case that calls something with arguments of which at least one is hostile."""
    name = rng.choice(list(RUNS))
    copy_paths(stock.run(name), files_below(stock.run(name)), work / "RUN")
    copy_paths(stock.files, ["lines.txt", "table.csv", "words.vec"], work)
    how = rng.random()
    if how < 0.55:
        method = rng.choice(list(methods("run")))
        call = f"run.{method}({arguments(method, methods('run')[method], name, rng, bound=True)})"
        source = f"run = recurra.load('RUN')\nresult = {call}"
    elif how < 0.7:
        source = f"run = recurra.load('RUN')\nstream = run.stream()\n{_stream_call(name, rng)}"
    else:
        whole = list(functions())
        called = rng.choice([one for one in whole if ".nn." not in one] if rng.random() < 0.8 else whole)
        made = arguments(called.rpartition(".")[2], functions()[called], name, rng)
        source = f"result = {called}({made})"
        if called.endswith("ModuleStream") or (".nn." in called and rng.random() < 0.5):
            method = "result.step" if called.endswith("ModuleStream") else "result"
            source += f"\nif callable({method}):\n    result = {method}({rng.choice(OBJECTS)})"
    return Case("misuses", number, Program(source + CONSUME), f"{name}: {source.splitlines()[-1][:150]}", ("RUN",))


def arguments(name: str, function: Any, run: str, rng: Random, *, bound: bool = False) -> str:
    """Write the arguments of a call: good ones, of which one or two are replaced by hostile ones."""
    try:
        parameters = list(inspect.signature(function).parameters.values())[1 if bound else 0 :]
    except (TypeError, ValueError):
        return rng.choice(OBJECTS)
    named = [one for one in parameters if one.kind not in (one.VAR_POSITIONAL, one.VAR_KEYWORD)]
    chosen = {one.name: _good(one, run) for one in named if one.default is one.empty or rng.random() < 0.15}
    free = any(one.kind is one.VAR_KEYWORD for one in parameters)
    candidates = [*(one.name for one in named), *(OPTIONS.get(name, ["nosuch"]) if free else [])]
    for _ in range(rng.choice([1, 1, 1, 2])):
        if candidates:
            replaced = rng.choice(candidates)
            chosen[replaced] = rng.choice(NO_FUNCTIONS if replaced in CALLED else OBJECTS)
    if name == "train":
        chosen = {"hidden": "4", "layers": "1", "epochs": "1", "threads": "1", **chosen}
    return ", ".join(f"{key}={value}" for key, value in chosen.items())


def _good(parameter: inspect.Parameter, run: str) -> str:
    if parameter.name == "inputs" or (parameter.name == "prompt" and not run.startswith("lm")):
        return INPUTS.get(run, INPUTS["lm"])
    if parameter.name in GOOD:
        return GOOD[parameter.name]
    return "1" if parameter.default is parameter.empty else repr(parameter.default)


def _stream_call(name: str, rng: Random) -> str:
    """Write a call on a stream: of whatever methods it has, or of its state."""
    value = rng.choice([*OBJECTS, INPUTS.get(name, "'a'")])
    if rng.random() < 0.25:
        return f"stream.state = {rng.choice([value, 'stream.state[:-1]', '((stream.state[0][0],),)', '[]'])}\nresult = stream.state"
    method = f"[one for one in dir(stream) if one[0] != '_' and callable(getattr(stream, one))][{rng.randrange(12)} % len([one for one in dir(stream) if one[0] != '_' and callable(getattr(stream, one))])]"
    return f"import inspect\nmethod = getattr(stream, {method})\nneeds = inspect.signature(method).parameters\nresult = method({value}) if needs else method()"
