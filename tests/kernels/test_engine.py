"""The engine in the places that samples seldom reach: gates, gradients, rows in any company."""

from __future__ import annotations

import math

import pytest
import torch
from tests.kernels.conftest import ROUNDINGS, UNIT, usable

from recurra.cells import cell_names, get_cell
from recurra.kernels import native, run_layer, scan_layer
from recurra.kernels.native_layer import native_layer

pytestmark = [
    pytest.mark.skipif(native.engine() is None, reason="the engine is not built"),
    # torch says once that it computes projections another way.
    pytest.mark.filterwarnings("ignore:LSTM with projections is not supported with oneDNN"),
]


def problem(cell, steps=7, batch=4, inputs=5, hidden=17):
    """A layer's arguments: float32's numbers in float64."""
    generator = torch.Generator().manual_seed(4)

    def draw(*shape):
        return torch.randn(shape, generator=generator).double()

    weights = {name: draw(*shape) * 0.3 for name, shape in cell.shapes(inputs, hidden).items()}
    return draw(steps, batch, inputs), tuple(draw(batch, hidden) for _ in cell.states), weights


def to_single(x, state, weights):
    return x.float(), tuple(value.float() for value in state), {name: w.float() for name, w in weights.items()}


@pytest.mark.parametrize("mixed", [False, True])
@pytest.mark.parametrize("name", cell_names())
def test_the_engine_is_what_computes(name, mixed):
    """Every cell, both directions, ragged or not, with gates and without: nothing here goes another way in silence."""
    cell = get_cell(name)
    x, state, weights = to_single(*problem(cell))
    with torch.autocast("cpu", torch.bfloat16, enabled=mixed):
        for lengths in (None, torch.tensor([7, 0, 3, 5])):
            for reverse, gates in ((False, False), (True, False), (False, True), (True, True)):
                assert native_layer(cell, x, state, weights, lengths, reverse, gates) is not None
    assert native_layer(cell, x.double(), state, weights, None, False, False) is None


@pytest.mark.parametrize("isa", usable(), indirect=True)
@pytest.mark.parametrize("mixed", [False, True])
@pytest.mark.parametrize("name", cell_names())
def test_gates_are_those_of_the_reference(name, mixed, isa):
    cell = get_cell(name)
    exact = problem(cell)
    single = to_single(*exact)
    for lengths in (None, torch.tensor([7, 0, 3, 5])):
        for reverse in (False, True):
            options = {"lengths": lengths, "reverse": reverse, "return_gates": True}
            with torch.autocast("cpu", torch.bfloat16, enabled=mixed):
                got = run_layer(cell, *single, **options).gates
                stepped = scan_layer(cell, *single, **options).gates
            wanted = scan_layer(cell, *exact, **options).gates
            mine, theirs = (float((value.double() - wanted).abs().max()) for value in (got, stepped))
            # torch does not say its gates; the cell's step by its operations does.
            assert mine <= 2 * theirs + ROUNDINGS[mixed] * UNIT[mixed] * float(wanted.abs().max())


@pytest.mark.parametrize("isa", usable(), indirect=True)
@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("name", cell_names())
def test_gradients_are_those_of_differences(name, reverse, isa):
    """Along random directions, against central differences of the reference in float64, which has no backward pass."""
    cell = get_cell(name)
    x, state, weights = problem(cell)
    generator = torch.Generator().manual_seed(6)
    for lengths in (None, torch.tensor([7, 0, 3, 5])):
        options = {"lengths": lengths, "reverse": reverse}
        given = [x, *state, *weights.values()]
        ends = [torch.randn(7, 4, 17, generator=generator), *(torch.randn(4, 17, generator=generator) for _ in state)]

        def loss(run, values, options=options, ends=ends):
            count = len(state)
            named = dict(zip(weights, values[1 + count :], strict=True))
            y, after, _ = run(cell, values[0], tuple(values[1 : 1 + count]), named, **options)
            return sum((value * end.to(value.dtype)).sum() for value, end in zip((y, *after), ends, strict=True))

        leaves = [value.float().requires_grad_() for value in given]
        gradients = torch.autograd.grad(loss(run_layer, leaves), leaves)
        for index, (value, gradient) in enumerate(zip(given, gradients, strict=True)):
            way, step = torch.randn(value.shape, generator=generator).double(), 1e-6
            around = [
                float(loss(scan_layer, [v + sign * step * way if n == index else v for n, v in enumerate(given)]))
                for sign in (1, -1)
            ]
            wanted = (around[0] - around[1]) / (2 * step)
            got = float((gradient.double() * way).sum())
            size = float(gradient.double().norm() * way.norm())
            assert abs(got - wanted) <= 1e-6 * max(size, 1.0), f"argument {index}"


@pytest.mark.parametrize("isa", usable(), indirect=True)
@pytest.mark.parametrize("mixed", [False, True])
@pytest.mark.parametrize("name", cell_names())
def test_a_row_is_itself_in_any_company(name, mixed, isa):
    """Bit for bit, even where the rows beside it are not numbers."""
    cell = get_cell(name)
    x, state, weights = to_single(*problem(cell, batch=9))
    lengths = torch.tensor([7, 7, 3, 0, 7, 1, 6, 7, 2])
    x[:, 1], x[:, 4], x[:, 6] = math.nan, math.inf, -math.inf
    with torch.autocast("cpu", torch.bfloat16, enabled=mixed):
        together = run_layer(cell, x, state, weights, lengths=lengths)
        for row in (0, 2, 3, 5, 7, 8):
            length = int(lengths[row])
            alone = run_layer(cell, x[:length, row : row + 1], tuple(s[row : row + 1] for s in state), weights)
            assert torch.equal(together.y[:length, row], alone.y[:, 0]), row
            for got, wanted in zip(together.state, alone.state, strict=True):
                assert torch.equal(got[row], wanted[0]), row
