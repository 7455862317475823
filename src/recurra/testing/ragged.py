"""What a cell promises on rows of different lengths, in both directions, projected, without biases, and of its gates."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import partial

import torch

from recurra.cells import Cell
from recurra.errors import UsageError
from recurra.kernels import LayerOutput, run_layer, scan_layer
from recurra.testing.expect import expect, expect_close, expect_error, expect_same
from recurra.testing.sequences import ODD, Problem, compare, draw_problem, one_step, rounding, solve

LENGTHS = torch.tensor([4, 0, 7])
"""Of the rows of a problem of `ODD`: one that ends early, one without steps, one that lasts."""


def check_rows(cell: type[Cell]) -> None:
    """A row of a ragged batch is that row alone, in either direction; past its end are zeros, and padding is never read."""
    for dtype, limit in ((torch.float64, 1e-12), (torch.float32, 2 * rounding(torch.float32, ODD))):
        problem = draw_problem(cell, ODD).to(dtype)
        x = problem.x.clone()
        for row, length in enumerate(LENGTHS.tolist()):
            x[length:, row] = math.nan
        for run in (run_layer, scan_layer):
            for reverse in (False, True):
                what = f"{run.__name__}, {dtype}, reverse={reverse}"
                y, end, _ = run(cell, x, problem.state, problem.weights, lengths=LENGTHS, reverse=reverse)
                for row, length in enumerate(LENGTHS.tolist()):
                    alone = _row_alone(cell, problem, row, length, reverse)
                    expect_close(f"{what}: outputs of row {row}", y[:length, row : row + 1], alone.y, limit)
                    expect(not bool(y[length:, row].any()), f"{what}: expected zeros past the end of row {row}")
                    for name, got, wanted in zip(cell.states, end, alone.state, strict=True):
                        expect_close(f"{what}: {name} of row {row}", got[row : row + 1], wanted, limit)
                kept = [value[1:2] for value in problem.state]
                expect_same(f"{what}: the state of a row without steps", [value[1:2] for value in end], kept)


def _row_alone(cell: type[Cell], problem: Problem, row: int, length: int, reverse: bool) -> LayerOutput:
    x, state = problem.x[:length, row : row + 1], tuple(value[row : row + 1] for value in problem.state)
    y, end, _ = scan_layer(cell, x.flip(0) if reverse else x, state, problem.weights)
    return LayerOutput(y.flip(0) if reverse else y, end)


def check_ragged_gradients(cell: type[Cell]) -> None:
    """The gradients of a ragged batch are those of the scan, in either direction, and padding has none."""
    problem = draw_problem(cell, ODD)
    for reverse in (False, True):
        options = {"lengths": LENGTHS, "reverse": reverse}
        exact = solve(partial(scan_layer, **options), cell, problem)
        run = partial(run_layer, **options)
        compare(f"ragged, reverse={reverse}", solve(run, cell, problem), exact, 1e-12)
        single = solve(run, cell, problem.to(torch.float32))
        compare(f"ragged in float32, reverse={reverse}", single, exact, 2 * rounding(torch.float32, ODD))
        for row, length in enumerate(LENGTHS.tolist()):
            expect(not bool(single[1]["x"][length:, row].any()), f"expected no gradient in the padding of row {row}")


def check_gates(cell: type[Cell]) -> None:
    """The gates that a run says are those of the steps, and asking for them changes no result."""
    problem = draw_problem(cell, ODD)
    without = run_layer(cell, problem.x, problem.state, problem.weights)
    for run in (run_layer, scan_layer):
        y, end, gates = run(cell, problem.x, problem.state, problem.weights, return_gates=True)
        expect(gates is not None, f"{run.__name__}: expected gates, got None")
        state = problem.state
        for t in range(len(problem.x)):
            state, values = one_step(cell, replace(problem, x=problem.x[t:], state=state))
            for index, (gate, value) in enumerate(zip(cell.gates, values, strict=True)):
                got = torch.as_tensor(gates)[t, :, index]
                expect_close(f"{run.__name__}, gate {gate} at step {t}", got, value, 1e-12)
        for name, got, wanted in zip(("outputs", *cell.states), (y, *end), (without.y, *without.state), strict=True):
            expect_close(f"{run.__name__}, {name} with gates", got, wanted, 1e-12)
        *_, ragged = run(cell, problem.x, problem.state, problem.weights, lengths=LENGTHS, return_gates=True)
        for row, length in enumerate(LENGTHS.tolist()):
            past = torch.as_tensor(ragged)[length:, row]
            expect(not bool(past.any()), f"{run.__name__}: expected gates of zero past the end of row {row}")


def check_without_biases(cell: type[Cell]) -> None:
    """Biases that are left out are zeros."""
    problem = draw_problem(cell, ODD)
    biases = {name: torch.zeros_like(w) for name, w in problem.weights.items() if name.startswith("bias")}
    bare = {name: weight for name, weight in problem.weights.items() if name not in biases}
    wanted = scan_layer(cell, problem.x, problem.state, {**bare, **biases})
    for run in (run_layer, scan_layer):
        y, end, _ = run(cell, problem.x, problem.state, bare)
        for name, got, other in zip(("outputs", *cell.states), (y, *end), (wanted.y, *wanted.state), strict=True):
            expect_close(f"{run.__name__} without biases, {name}", got, other, 1e-12)


def check_projection(cell: type[Cell]) -> None:
    """A cell that may be projected hands on the projection of its output, and no step looks at it but through the weights."""
    problem, outputs = draw_problem(cell, ODD), 2
    hidden = problem.state[0].shape[1]
    weights = {**problem.weights, "weight_hr": torch.ones(outputs, hidden).double() / hidden}
    weights["weight_hh"] = problem.weights["weight_hh"][:, :outputs]
    state = (problem.state[0][:, :outputs], *problem.state[1:])
    if cell.projectable:
        blind = one_step(cell, replace(problem, state=(problem.state[0] * 0, *problem.state[1:])))
        no_weights = {**problem.weights, "weight_hh": problem.weights["weight_hh"] * 0}
        seeing = one_step(cell, replace(problem, weights=no_weights))
        for name, got, wanted in zip(cell.states, seeing[0], blind[0], strict=True):
            expect_close(
                f"projectable: a step that is given no product with the last output, {name}", got, wanted, 1e-12
            )
    for run in (run_layer, scan_layer):
        if not cell.projectable:
            expect_error(UsageError, lambda run=run: run(cell, problem.x, state, weights), f"{run.__name__}, weight_hr")
            continue
        y, end, _ = run(cell, problem.x, state, weights)
        now = state
        for t in range(len(problem.x)):
            (full, *rest), _ = one_step(cell, Problem(problem.x[t:], now, weights, ()))
            now = (full @ weights["weight_hr"].T, *rest)
            expect_close(f"{run.__name__}, the projected output at step {t}", y[t], now[0], 1e-12)
        for name, got, wanted in zip(cell.states, end, now, strict=True):
            expect_close(f"{run.__name__} with a projection, {name}", got, wanted, 1e-12)


def check_refused_lengths(cell: type[Cell]) -> None:
    """Lengths that no batch can have, and weights that the cell does not know, are refused by a `UsageError`."""
    good = draw_problem(cell, ODD).to(torch.float32)
    one_bias = {name: weight for name, weight in good.weights.items() if name != "bias_hh"}
    for run in (run_layer, scan_layer):
        for what, lengths in {
            "too few": LENGTHS[1:],
            "longer than the batch": LENGTHS + 1,
            "negative": LENGTHS - 1,
            "not whole": LENGTHS.float(),
            "of another type": LENGTHS.int(),
            "on another device": LENGTHS.to("meta"),
        }.items():
            call = partial(run, cell, good.x, good.state, good.weights, lengths=lengths)
            expect_error(UsageError, call, f"{run.__name__}, lengths that are {what}")
        for what, weights in (("one bias", one_bias), ("a weight too many", {**good.weights, "weight_xx": good.x})):
            expect_error(UsageError, partial(run, cell, good.x, good.state, weights), f"{run.__name__}, {what}")


CHECKS = [
    check_rows,
    check_ragged_gradients,
    check_gates,
    check_without_biases,
    check_projection,
    check_refused_lengths,
]
