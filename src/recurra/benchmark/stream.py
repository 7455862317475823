"""One step of one stream (batch 1, T = 1), with float32 and int8 weights, beside ONNX Runtime's."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from functools import partial

import numpy as np
import torch
from torch import nn

from recurra.benchmark.case import QUICK_SIZES, STREAM_SIZES, Scope, Shape, weight_count
from recurra.benchmark.limits import READ, read, share_of_read
from recurra.benchmark.onnx_peer import bound_step, check_installed, onnx_layer, plain_step, session
from recurra.benchmark.results import Group, Measured, Row, Table, Target
from recurra.benchmark.steps import OURS as MODULES
from recurra.benchmark.turns import Contestant, best, take_turns
from recurra.kernels import WeightType

Step = Callable[[np.ndarray], np.ndarray]

OURS, PEER = "recurra", "ONNX Runtime"
CHECKED = 50  # steps from which it is seen that the two compute the same
TOLERANCE: dict[WeightType, float] = {"float32": 1e-5, "int8": 2e-2}
"""How far outputs, which are at most 1, may lie apart; int8 has a step of 1/127 of a row's greatest weight."""
MORE_ROUNDS = 3
"""So many times the rounds of a training step: these steps are short, and what disturbs them is not."""


def _hidden(row: Row) -> int:
    return int(row.what["hidden"])


TABLES = (
    Table(
        "stream float32",
        "Streaming step, float32 (batch 1, T = 1, I = H), against ONNX Runtime's best",
        (
            Target("H ≤ 128", 4.0, 1.0, rows=lambda row: _hidden(row) <= 128),
            Target("H > 128", 1.3, 1.0, rows=lambda row: _hidden(row) > 128),
        ),
        limit=READ,
    ),
    Table(
        "stream int8",
        "Streaming step, int8 weights, against ONNX Runtime's best float32",
        (Target("H ≥ 512", 4.0, rows=lambda row: _hidden(row) >= 512),),
        limit=READ,
    ),
)


def groups(scope: Scope, rounds: int) -> list[Group]:
    """Every cell that ONNX has, in every size; raises `MissingExtraError` where the peer is not installed."""
    check_installed()
    sizes = scope.sizes or (QUICK_SIZES if scope.quick else STREAM_SIZES)
    return [
        Group(f"stream  {cell}  {size}", 0.5 + rounds * 0.5, partial(_measure, cell, size, scope, rounds))
        for cell in scope.cells
        if cell != "graves-lstm"
        for size in sizes
    ]


def _measure(cell: str, size: int, scope: Scope, rounds: int) -> Measured:
    module = MODULES[cell](size, size)
    model = onnx_layer(cell, {name.removesuffix("_l0"): value.numpy() for name, value in module.state_dict().items()})
    inputs = torch.randn(64, size).numpy()
    makers: list[tuple[str, WeightType, int, Callable[[], Step]]] = []
    for threads in scope.threads:
        for weights in TOLERANCE:
            makers.append((OURS, weights, threads, partial(_our_step, module, weights, threads)))
        for way in (plain_step, bound_step):
            makers.append((PEER, "float32", threads, lambda way=way, t=threads: way(session(model, t))))
    truth = _outputs(plain_step(session(model, 1)), inputs)
    apart: dict[tuple[str, str], float] = {}
    for name, precision, _, make in makers:
        distance = float(np.abs(_outputs(make(), inputs) - truth).max())
        apart[name, precision] = max(distance, apart.get((name, precision), 0.0))
    contestants = [
        Contestant(name, precision, threads, _endless(make(), inputs)) for name, precision, threads, make in makers
    ]
    bytes_of = {"float32": 4, "int8": 1}
    count = weight_count(cell, Shape(size, size, 1, 1, 1))
    limits = [read(precision, count * width) for precision, width in bytes_of.items()]
    timings = take_turns([*contestants, *limits], rounds * MORE_ROUNDS)
    rows = []
    for precision, tolerance in TOLERANCE.items():
        ours, peer = best(timings, OURS, precision), best(timings, PEER)
        what: dict[str, str | int] = {"cell": cell, "hidden": size}
        difference = max(apart[OURS, precision], apart[PEER, "float32"])
        rows.append(Row(f"stream {precision}", what, ours, peer, difference, tolerance, share_of_read(ours, timings)))
    return Measured(rows, timings)


def _our_step(module: nn.Module, weights: WeightType, threads: int) -> Step:
    from recurra.stream import ModuleStream

    return ModuleStream(module, weights, threads).step


def _outputs(step: Step, inputs: np.ndarray) -> np.ndarray:
    return np.stack([np.array(step(x)) for x in inputs[:CHECKED]])


def _endless(step: Step, inputs: np.ndarray) -> Callable[[], object]:
    rows = itertools.cycle(list(inputs))
    return lambda: step(next(rows))
