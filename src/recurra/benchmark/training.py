"""The training step of our layers beside torch.nn's, in float32 and in mixed bfloat16."""

from __future__ import annotations

from functools import partial

import torch

from recurra.benchmark.case import QUICK_SHAPES, SHAPES, Scope, Shape, training_flops
from recurra.benchmark.limits import GEMM, gemm, share_of_gemm
from recurra.benchmark.results import Group, Measured, Row, Table, Target
from recurra.benchmark.steps import TrainingStep, furthest, module_pair
from recurra.benchmark.turns import Contestant, best, take_turns

OURS, PEER = "recurra", "torch.nn"
TOLERANCE = 1e-4
"""How far float32 results may lie apart, in shares of the greatest value: sums of hundreds of steps in another order."""


def _large(row: Row) -> bool:
    return _shape(row).H >= 512


def _shape(row: Row) -> Shape:
    return Shape(*map(int, str(row.what["shape"]).split(",")))


TABLES = (
    Table(
        "training float32",
        "Training step, float32, against torch's best float32",
        (
            Target("every shape", 2.0, 1.0),
            Target("of the GEMM limit, H ≥ 512", 0.65, figure="share", rows=_large),
        ),
        limit=GEMM,
    ),
    Table(
        "training bfloat16",
        "Training step, mixed bfloat16, against torch's best of float32 and bfloat16",
        (
            Target("every shape", 3.0, 1.0),
            Target("LSTM alone", 2.0, rows=lambda row: row.what["cell"] == "lstm"),
            Target("of the GEMM limit, H ≥ 512", 0.45, figure="share", rows=_large),
        ),
        limit=GEMM,
    ),
)


def groups(scope: Scope, rounds: int) -> list[Group]:
    """Every cell that torch has, in every shape."""
    shapes = scope.shapes or (QUICK_SHAPES if scope.quick else SHAPES)
    return [
        Group(
            f"training  {cell}  {shape}",
            expected_seconds(cell, shape, scope, rounds),
            partial(_measure, cell, shape, scope, rounds),
        )
        for cell in scope.cells
        if cell != "graves-lstm"
        for shape in shapes
    ]


def expected_seconds(cell: str, shape: Shape, scope: Scope, rounds: int) -> float:
    """About what a group takes on two cores: three slow contestants in each precision, and the limit."""
    step = training_flops(cell, shape) / 7e10 + 2e-5 * shape.T * shape.L
    return (rounds + 2) * len(scope.precisions) * (3 * max(step, 0.02) + 0.1)


def _measure(cell: str, shape: Shape, scope: Scope, rounds: int) -> Measured:
    x, gradient = torch.randn(shape.T, shape.B, shape.I), torch.randn(shape.T, shape.B, shape.H)
    pair = module_pair(cell, shape)
    steps = {
        (name, precision): TrainingStep(module, lambda x, module=module: module(x)[0], x, gradient, precision)
        for name, module in zip((OURS, PEER), pair, strict=True)
        if module is not None
        for precision in ("float32", "bfloat16")
        if name == PEER or precision in scope.precisions
    }
    truth = steps[PEER, "float32"].results()
    apart = {key: furthest(step.results(), truth) for key, step in steps.items()}
    contestants = [
        *(Contestant(*key, threads, step) for key, step in steps.items() for threads in scope.threads),
        *(way for precision in scope.precisions for threads in scope.threads for way in gemm(precision, threads)),
    ]
    if "bfloat16" not in scope.precisions:
        contestants = [each for each in contestants if each.precision == "float32"]
    timings = take_turns(contestants, rounds)
    rows = []
    for precision in scope.precisions:
        mixed = precision == "bfloat16"
        ours = best(timings, OURS, precision)
        rows.append(
            Row(
                f"training {precision}",
                {"cell": cell, "shape": str(shape)},
                ours,
                best(timings, PEER, *(("float32", "bfloat16") if mixed else ("float32",))),
                apart[OURS, precision],
                # Mixed precision has no one right answer: it may lie as far from float32 as torch's own does.
                max(2e-2, apart[PEER, precision]) if mixed else TOLERANCE,
                share_of_gemm(ours, training_flops(cell, shape), timings),
            )
        )
    return Measured(rows, timings)
