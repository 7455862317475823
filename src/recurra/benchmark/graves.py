"""What peepholes cost: the training step of our Graves LSTM beside that of our LSTM."""

from __future__ import annotations

from functools import partial

import torch

from recurra.benchmark.case import QUICK_SHAPES, SHAPES, Scope, Shape
from recurra.benchmark.results import Group, Measured, Row, Table, Target
from recurra.benchmark.steps import OURS, TrainingStep, furthest
from recurra.benchmark.training import TOLERANCE, expected_seconds
from recurra.benchmark.turns import Contestant, best, take_turns

GRAVES, LSTM = "recurra GravesLSTM", "recurra LSTM"
TABLES = tuple(
    Table(
        f"graves {precision}",
        f"Training step of the Graves LSTM, {precision}, in times of our LSTM's",
        (Target("every shape", 1.2, figure="time"),),
        figure="time",
    )
    for precision in ("float32", "bfloat16")
)


def groups(scope: Scope, rounds: int) -> list[Group]:
    """The Graves LSTM in every shape."""
    shapes = scope.shapes or (QUICK_SHAPES[:1] if scope.quick else SHAPES)
    wanted = not {"lstm", "graves-lstm"}.isdisjoint(scope.cells)
    return [
        Group(
            f"graves  {shape}",
            expected_seconds("lstm", shape, scope, rounds) / 3,
            partial(_measure, shape, scope, rounds),
        )
        for shape in shapes
        if wanted
    ]


def _measure(shape: Shape, scope: Scope, rounds: int) -> Measured:
    x, gradient = torch.randn(shape.T, shape.B, shape.I), torch.randn(shape.T, shape.B, shape.H)
    graves, lstm = (OURS[cell](shape.I, shape.H, shape.L) for cell in ("graves-lstm", "lstm"))
    # Without its peepholes, which are zeros here and are computed all the same, it is the LSTM.
    given = lstm.state_dict()
    graves.load_state_dict({name: given.get(name, torch.zeros_like(own)) for name, own in graves.state_dict().items()})
    steps = {
        (name, precision): TrainingStep(module, lambda x, module=module: module(x)[0], x, gradient, precision)
        for name, module in ((GRAVES, graves), (LSTM, lstm))
        for precision in scope.precisions
    }
    apart = {
        precision: furthest(steps[GRAVES, precision].results(), steps[LSTM, precision].results())
        for precision in scope.precisions
    }
    timings = take_turns(
        [Contestant(*key, threads, step) for key, step in steps.items() for threads in scope.threads], rounds
    )
    rows = [
        Row(
            f"graves {precision}",
            {"shape": str(shape)},
            best(timings, GRAVES, precision),
            best(timings, LSTM, precision),
            apart[precision],
            TOLERANCE if precision == "float32" else 2e-2,
        )
        for precision in scope.precisions
    ]
    return Measured(rows, timings)
