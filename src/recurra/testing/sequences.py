"""What a cell promises when it is run over time: whatever kernel does it, it is the cell's own step, scanned."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.autograd.gradcheck import GradcheckError

from recurra.cells import Cell, CellState
from recurra.errors import UsageError
from recurra.kernels import LayerOutput, run_layer, scan_layer
from recurra.testing.expect import expect, expect_close, expect_error, expect_same

Run = Callable[[type[Cell], Tensor, CellState, dict[str, Tensor]], LayerOutput]

ODD, EVEN = (7, 3, 3, 5), (9, 2, 16, 16)
"""T, B, I, H: with a rest in every SIMD register, and without."""

# Largest relative error of one rounding to nearest.
UNIT_ROUNDOFF = {torch.float64: 2.0**-53, torch.float32: 2.0**-24, torch.bfloat16: 2.0**-8}


@dataclass(frozen=True)
class Problem:
    """A layer's arguments, and with what its outputs are weighted to make a loss of them.

    x: (T, B, I).  state: (B, H) each.  cotangents: of the outputs (T, B, H), then of each state (B, H).
    """

    x: Tensor
    state: CellState
    weights: dict[str, Tensor]
    cotangents: tuple[Tensor, ...]

    def to(self, dtype: torch.dtype) -> Problem:
        """Give the same numbers in another type."""
        state, cotangents = ([t.to(dtype) for t in tensors] for tensors in (self.state, self.cotangents))
        weights = {name: weight.to(dtype) for name, weight in self.weights.items()}
        return Problem(self.x.to(dtype), tuple(state), weights, tuple(cotangents))


def draw_problem(cell: type[Cell], sizes: tuple[int, int, int, int], seed: int = 0) -> Problem:
    """Draw a problem in float64 whose numbers are float32's too, so that both types begin from the same.

    Weights are uniform within 1/√H, as torch's are: recurrences with these neither explode nor die.
    """
    steps, batch, inputs, hidden = sizes
    generator = torch.Generator().manual_seed(seed)

    def normal(*shape: int) -> Tensor:
        return torch.randn(shape, generator=generator).double()

    def uniform(shape: tuple[int, ...]) -> Tensor:
        return ((torch.rand(shape, generator=generator) * 2 - 1) * hidden**-0.5).double()

    weights = {name: uniform(shape) for name, shape in cell.shapes(inputs, hidden).items()}
    weights = {name: weight.float().double() for name, weight in weights.items()}
    x, state = normal(steps, batch, inputs), tuple(normal(batch, hidden) for _ in cell.states)
    return Problem(x, state, weights, (normal(steps, batch, hidden), *(normal(batch, hidden) for _ in cell.states)))


def solve(run: Run, cell: type[Cell], problem: Problem) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Run a problem forward and backward: outputs and states by name, and the gradients of the weighted sum of them."""
    x = problem.x.clone().requires_grad_()
    state = tuple(tensor.clone().requires_grad_() for tensor in problem.state)
    weights = {name: weight.clone().requires_grad_() for name, weight in problem.weights.items()}
    y, end, _ = run(cell, x, state, weights)
    outputs = dict(zip(("outputs", *cell.states), (y, *end), strict=True))
    loss = sum((o.to(c.dtype) * c).sum() for o, c in zip(outputs.values(), problem.cotangents, strict=True))
    inputs = {"x": x, **{f"first {name}": s for name, s in zip(cell.states, state, strict=True)}, **weights}
    gradients = torch.autograd.grad(torch.as_tensor(loss), list(inputs.values()))
    return {name: o.detach() for name, o in outputs.items()}, dict(zip(inputs, gradients, strict=True))


def check_gradient(cell: type[Cell]) -> None:
    """The gradient of a scan of the step is what finite differences in float64 say, for every input and weight."""
    problem = draw_problem(cell, (3, 2, 2, 3))
    names = list(problem.weights)

    def scan(*tensors: Tensor) -> tuple[Tensor, ...]:
        x, *rest = tensors
        state, weights = tuple(rest[: len(cell.states)]), dict(zip(names, rest[len(cell.states) :], strict=True))
        y, end, _ = scan_layer(cell, x, state, weights)
        return (y, *end)

    inputs = [tensor.requires_grad_() for tensor in (problem.x, *problem.state, *problem.weights.values())]
    try:
        torch.autograd.gradcheck(scan, inputs)
    except GradcheckError as error:
        raise AssertionError(f"the gradient of the step is not the derivative of its values: {error}") from error


def check_kernel_float64(cell: type[Cell]) -> None:
    """In float64 the kernel is the scanned step, forward and backward."""
    for sizes in (ODD, EVEN):
        problem = draw_problem(cell, sizes)
        compare(
            f"run_layer against scan_layer, {sizes}",
            solve(run_layer, cell, problem),
            solve(scan_layer, cell, problem),
            1e-12,
        )


def check_kernel_float32(cell: type[Cell]) -> None:
    """In float32 kernel and scan are as near to float64 as rounding allows."""
    for sizes in (ODD, EVEN):
        problem = draw_problem(cell, sizes)
        exact, single = solve(scan_layer, cell, problem), problem.to(torch.float32)
        for run in (run_layer, scan_layer):
            compare(
                f"{run.__name__} in float32, {sizes}", solve(run, cell, single), exact, rounding(torch.float32, sizes)
            )


def check_autocast(cell: type[Cell]) -> None:
    """Under autocast to bfloat16 only the matrix products are rounded to it, and the state stays float32."""
    problem = draw_problem(cell, ODD)
    exact, single = solve(scan_layer, cell, problem), problem.to(torch.float32)
    for run in (run_layer, scan_layer):
        with torch.autocast("cpu", torch.bfloat16):
            mixed = solve(run, cell, single)
        for name in cell.states:
            got = mixed[0][name].dtype
            expect(got == torch.float32, f"{run.__name__} under autocast, {name}: expected float32, got {got}")
        compare(f"{run.__name__} under autocast", mixed, exact, rounding(torch.bfloat16, ODD))


def rounding(dtype: torch.dtype, sizes: tuple[int, int, int, int]) -> float:
    """Give what independent roundings of a whole run may add up to, relative to the largest value.

    A step makes I + H products and sums for a unit and about 8 pointwise operations, and T steps follow each other; independent
    errors of at most u each add up as the root of their number (Higham & Mary 2019, doi:10.1137/18M1226312), which the
    recurrence does not enlarge at weights as `draw_problem` draws them.
    """
    steps, _, inputs, hidden = sizes
    return UNIT_ROUNDOFF[dtype] * math.sqrt(steps * (inputs + hidden + 8))


def compare(
    what: str,
    got: tuple[dict[str, Tensor], dict[str, Tensor]],
    wanted: tuple[dict[str, Tensor], dict[str, Tensor]],
    limit: float,
) -> None:
    """Expect outputs to agree within a limit, relative to the largest value of each, and gradients within twice that."""
    for name, value in wanted[0].items():
        expect_close(f"{what}: {name}", got[0][name], value, limit)
    for name, value in wanted[1].items():  # the way back is as long as the way there
        expect_close(f"{what}: gradient of {name}", got[1][name], value, 2 * limit)


def check_batch_mates(cell: type[Cell]) -> None:
    """A sequence is computed as it would be alone: the others of its batch change nothing, whatever they hold."""
    for dtype, limit in ((torch.float64, 1e-12), (torch.float32, 2 * rounding(torch.float32, ODD))):
        problem = draw_problem(cell, ODD).to(dtype)
        first_row = replace(problem, cotangents=tuple(c.clone() for c in problem.cotangents))
        for cotangent in first_row.cotangents:
            cotangent[..., 1:, :] = 0  # only the first sequence has a loss
        outputs, gradients = solve(run_layer, cell, first_row)
        poisoned = replace(first_row, x=first_row.x.clone(), state=tuple(s.clone() for s in first_row.state))
        for tensor in (poisoned.x, *poisoned.state):
            tensor[..., 1:, :] = math.nan
        corrupted, _ = solve(run_layer, cell, poisoned)
        for name, value in outputs.items():
            expect_same(f"{name} in a batch with sequences of NaN", [corrupted[name][..., 0, :]], [value[..., 0, :]])
        single = Problem(
            first_row.x[:, :1],
            tuple(s[:1] for s in first_row.state),
            first_row.weights,
            tuple(c[..., :1, :] for c in first_row.cotangents),
        )
        alone = solve(run_layer, cell, single)
        kept = {name: value[..., :1, :] for name, value in outputs.items()}
        of_state = [name for name in gradients if name not in first_row.weights]
        of_first_row = {name: g[..., :1, :] if name in of_state else g for name, g in gradients.items()}
        compare(f"a sequence alone and in a batch, {dtype}", (kept, of_first_row), alone, limit)


def check_windows(cell: type[Cell]) -> None:
    """A sequence run in windows, the state carried from one to the next, gives what it gives when run whole."""
    for dtype, limit in ((torch.float64, 1e-12), (torch.float32, 2 * rounding(torch.float32, ODD))):
        problem = draw_problem(cell, ODD).to(dtype)
        whole = solve(run_layer, cell, problem)

        def in_windows(cell: type[Cell], x: Tensor, state: CellState, weights: dict[str, Tensor]) -> LayerOutput:
            outputs = []
            for window in (x[:3], x[3:3], x[3:4], x[4:]):
                y, state, _ = run_layer(cell, window, state, weights)
                outputs.append(y)
            return LayerOutput(torch.cat(outputs), state)

        compare(f"in windows and whole, {dtype}", solve(in_windows, cell, problem), whole, limit)


def check_edges(cell: type[Cell]) -> None:
    """No steps leave the state as it was, no sequences give none, and one step is the cell's own step."""
    problem = draw_problem(cell, ODD).to(torch.float32)
    hidden = problem.state[0].shape[1]
    for run in (run_layer, scan_layer):
        y, end, _ = run(cell, problem.x[:0], problem.state, problem.weights)
        expect(y.shape == (0, problem.x.shape[1], hidden), f"T = 0: expected no outputs, got shape {tuple(y.shape)}")
        expect_same("T = 0: the state", end, problem.state)
        no_rows = tuple(s[:0] for s in problem.state)
        y, end, _ = run(cell, problem.x[:, :0], no_rows, problem.weights)
        expect(y.shape == (len(problem.x), 0, hidden), f"B = 0: expected no sequences, got shape {tuple(y.shape)}")
        expect_same("B = 0: the state", end, no_rows)
    y, end, _ = run_layer(cell, problem.x[:1], problem.state, problem.weights)
    expect_same("T = 1: the output and the first state", [y[0]], [end[0]])
    state, _ = one_step(cell, problem)
    for name, got, wanted in zip(cell.states, end, state, strict=True):
        expect_close(f"T = 1: {name}", got, wanted, rounding(torch.float32, ODD))


def one_step(cell: type[Cell], problem: Problem) -> tuple[CellState, tuple[Tensor, ...]]:
    """Take the first step with nothing but the definition of the weights' layout."""
    weights, hidden = problem.weights, len(problem.weights["weight_ih"]) // len(cell.gates)

    def of_gates(rows: Tensor) -> Sequence[Tensor]:
        return [rows[:, cell.gate_rows(gate, hidden)] for gate in cell.gates]

    xw = problem.x[0] @ weights["weight_ih"].T + weights["bias_ih"]
    hr = problem.state[0] @ weights["weight_hh"].T + weights["bias_hh"]
    return cell.step(of_gates(xw), of_gates(hr), problem.state, list(weights["peephole"]) if cell.peepholes else [])


def check_refusals(cell: type[Cell]) -> None:
    """What does not fit is refused by a `UsageError`, before any kernel sees it."""
    good = draw_problem(cell, ODD).to(torch.float32)
    x, state, weights = good.x, good.state, good.weights
    short = {name: weight for name, weight in weights.items() if name != "weight_hh"}
    bad: dict[str, tuple[Tensor, CellState, dict[str, Tensor]]] = {
        "x of two dimensions": (x[0], state, weights),
        "x of whole numbers": (x.long(), state, weights),
        "x with a feature too many": (torch.cat((x, x[..., :1]), -1), state, weights),
        "x of another type": (x.double(), state, weights),
        "a state too many": (x, (*state, state[0]), weights),
        "no state": (x, (), weights),
        "a state of another batch": (x, (state[0][:1], *state[1:]), weights),
        "a state of another width": (x, (state[0][:, 1:], *state[1:]), weights),
        "a state of another type": (x, (state[0].double(), *state[1:]), weights),
        "no recurrent weights": (x, state, short),
        "recurrent weights of one dimension": (x, state, {**weights, "weight_hh": weights["weight_hh"][0]}),
        **{f"{name} that is too short": (x, state, {**weights, name: w[1:]}) for name, w in weights.items()},
        **{f"{name} on another device": (x, state, {**weights, name: w.to("meta")}) for name, w in weights.items()},
    }
    for run in (run_layer, scan_layer):
        for what, arguments in bad.items():
            expect_error(
                UsageError, lambda run=run, arguments=arguments: run(cell, *arguments), f"{run.__name__}, {what}"
            )


CHECKS = [
    check_gradient,
    check_kernel_float64,
    check_kernel_float32,
    check_autocast,
    check_batch_mates,
    check_windows,
    check_edges,
    check_refusals,
]
