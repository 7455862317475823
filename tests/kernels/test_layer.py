"""What the kernels promise beyond the suite of the cells."""

from __future__ import annotations

import pytest
import torch

from recurra.cells import LSTM, cell_names, get_cell
from recurra.errors import UsageError
from recurra.kernels import run_layer, scan_layer


def problem(cell, steps=5, batch=3):
    generator = torch.Generator().manual_seed(0)
    weights = {name: torch.randn(s, generator=generator) * 0.3 for name, s in cell.shapes(4, 6).items()}
    return (
        torch.randn(steps, batch, 4, generator=generator),
        tuple(torch.randn(batch, 6, generator=generator) for _ in cell.states),
        weights,
    )


@pytest.mark.parametrize("name", cell_names())
def test_tensors_that_do_not_lie_in_one_piece(name):
    """Views, strides and expanded states give what their copies give."""
    cell = get_cell(name)
    x, state, weights = problem(cell)
    strided = {key: torch.stack((w, w), -1)[..., 0] for key, w in weights.items()}
    expanded = tuple(s[:1].expand(3, 6) for s in state)
    y, end, _ = run_layer(cell, x.transpose(0, 1).contiguous().transpose(0, 1), expanded, strided)
    wanted, wanted_end, _ = run_layer(cell, x, tuple(s.contiguous() for s in expanded), weights)
    # Another layout in memory may be added up in another order.
    torch.testing.assert_close(y, wanted, rtol=0, atol=1e-6)
    torch.testing.assert_close(end, wanted_end, rtol=0, atol=1e-6)


@pytest.mark.parametrize("name", cell_names())
def test_the_arguments_are_left_alone(name):
    cell = get_cell(name)
    x, state, weights = problem(cell)
    before = [tensor.clone() for tensor in (x, *state, *weights.values())]
    run_layer(cell, x, state, weights)
    assert all(torch.equal(a, b) for a, b in zip((x, *state, *weights.values()), before, strict=True))


@pytest.mark.parametrize("name", cell_names())
@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode])
def test_without_gradients_the_values_stay(name, mode):
    cell = get_cell(name)
    x, state, weights = problem(cell)
    trained, *_ = run_layer(cell, x, state, {key: w.requires_grad_() for key, w in weights.items()})
    with mode():
        y, *_ = run_layer(cell, x, state, weights)
    assert not y.requires_grad
    torch.testing.assert_close(y, trained.detach(), rtol=0, atol=1e-6)


def test_a_long_sequence_in_one_call():
    x, state, weights = problem(LSTM, steps=2000, batch=1)
    y, *_ = run_layer(LSTM, x.double(), tuple(s.double() for s in state), {k: w.double() for k, w in weights.items()})
    wanted, *_ = scan_layer(
        LSTM, x.double(), tuple(s.double() for s in state), {k: w.double() for k, w in weights.items()}
    )
    torch.testing.assert_close(y, wanted, rtol=0, atol=1e-12)


def test_autocast_may_mix_types_and_nothing_else_may():
    x, state, weights = problem(LSTM)
    with torch.autocast("cpu", torch.bfloat16):
        _, (h, c), _ = run_layer(LSTM, x.bfloat16(), state, weights)
    assert h.dtype == c.dtype == torch.float32
    with pytest.raises(UsageError, match=r"weight_ih: is torch.float32 but x torch.bfloat16; .*autocast"):
        run_layer(LSTM, x.bfloat16(), state, weights)


def test_a_message_says_what_was_expected_and_what_came():
    x, state, weights = problem(LSTM)
    with pytest.raises(UsageError, match=r"x: expected 3 dimensions \(T, B, I\), got 2 of shape \(3, 4\)"):
        run_layer(LSTM, x[0], state, weights)
    with pytest.raises(UsageError, match="state: lstm carries h, c; got 1 tensors"):
        run_layer(LSTM, x, state[:1], weights)
    with pytest.raises(UsageError, match=r"weight_hh: expected shape \(24, 6\), got \(23, 6\)"):
        run_layer(LSTM, x, state, {**weights, "weight_hh": weights["weight_hh"][1:]})
    with pytest.raises(UsageError, match="embed integer ids first"):
        run_layer(LSTM, x.long(), state, weights)
