"""A single step of a few rows: what the cell's own step gives, and nothing where another kernel is asked for."""

from __future__ import annotations

import pytest
import torch

from recurra.cells import cell_names, get_cell
from recurra.kernels import scan_layer
from recurra.kernels.one_step import MAX_ROWS, MIN_WEIGHTS, one_step

MIN_HIDDEN = int((MIN_WEIGHTS / 2) ** 0.5) + 1
"""Inputs and units of a layer that has many weights, whatever its cell."""
COMPUTED = [name for name in cell_names() if get_cell(name).torch_mode is not None]


def problem(name, *, steps=1, rows=3, hidden=MIN_HIDDEN, dtype=torch.float64):
    generator = torch.Generator().manual_seed(0)
    cell = get_cell(name)
    weights = {
        key: (torch.randn(shape, generator=generator, dtype=dtype) * 0.1).requires_grad_()
        for key, shape in cell.shapes(hidden, hidden).items()
    }
    x = torch.randn(steps, rows, hidden, generator=generator, dtype=dtype)
    return cell, x, tuple(torch.randn(rows, hidden, generator=generator, dtype=dtype) for _ in cell.states), weights


def run(given, lengths=None, *, reverse=False, return_gates=False):
    return one_step(*given, lengths, reverse, return_gates)


@pytest.mark.parametrize("name", COMPUTED)
@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("bias", [True, False])
def test_it_gives_what_the_step_of_the_cell_gives(name, reverse, bias):
    cell, x, state, weights = problem(name)
    if not bias:
        weights = {key: value for key, value in weights.items() if not key.startswith("bias")}
    y, after, gates = run((cell, x, state, weights), reverse=reverse)
    wanted, wanted_after, _ = scan_layer(cell, x, state, weights, reverse=reverse)
    assert gates is None
    torch.testing.assert_close(y, wanted, rtol=0, atol=1e-13)
    torch.testing.assert_close(after, wanted_after, rtol=0, atol=1e-13)


@pytest.mark.parametrize("name", COMPUTED)
def test_its_gradients_are_those_of_the_step_of_the_cell(name):
    cell, x, state, weights = problem(name)
    inputs = [x, *state, *weights.values()]
    for value in inputs:
        value.requires_grad_()
    found = []
    for layer in (run((cell, x, state, weights)), scan_layer(cell, x, state, weights)):
        total = layer.y.square().sum() + sum(value.sin().sum() for value in layer.state)
        found.append(torch.autograd.grad(total, inputs))
    for ours, wanted in zip(*found, strict=True):
        torch.testing.assert_close(ours, wanted, rtol=1e-11, atol=1e-11)


@pytest.mark.parametrize("name", COMPUTED)
def test_the_outputs_and_the_state_do_not_share_memory(name):
    y, after, _ = run(problem(name))
    before = after[0].detach().clone()
    y.detach().fill_(7.0)
    assert torch.equal(after[0], before)


def test_it_leaves_to_others_what_they_compute_faster_or_alone():
    lstm = problem("lstm")
    assert run(lstm) is not None
    assert run(problem("lstm", steps=2)) is None
    assert run(problem("lstm", rows=0)) is None
    assert run(problem("lstm", rows=MAX_ROWS)) is not None
    assert run(problem("lstm", rows=MAX_ROWS + 1)) is None
    assert run(problem("lstm", hidden=6)) is None
    assert run(problem("rnn", hidden=6)) is not None  # without gates there are few nodes in torch's graph
    assert run(problem("graves-lstm")) is None
    assert run(lstm, torch.tensor([1, 0, 1])) is None
    assert run(lstm, return_gates=True) is None
    assert run((*lstm[:3], {**lstm[3], "weight_hr": torch.zeros(2, MIN_HIDDEN)})) is None
    with torch.autocast("cpu", torch.bfloat16):
        assert run(lstm) is None


def test_without_gradients_a_row_is_left_to_the_engine():
    cell, x, state, weights = problem("lstm")
    with torch.no_grad():
        assert run((cell, x, state, weights)) is None
    fixed = {key: value.detach() for key, value in weights.items()}
    assert run((cell, x, state, fixed)) is None
    assert run((cell, x.requires_grad_(), state, fixed)) is not None
