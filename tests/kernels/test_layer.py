"""What the kernels promise beyond the suite of the cells."""

from __future__ import annotations

import pytest
import torch

from recurra.cells import LSTM, cell_names, get_cell
from recurra.errors import UsageError
from recurra.kernels import LayerOutput, layer, run_layer, scan_layer


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


def test_the_first_kernel_that_computes_a_layer_does(monkeypatch):
    """A kernel that has no answer passes on to the next; when none has one, the step is scanned."""
    x, state, weights = problem(LSTM)
    wanted = scan_layer(LSTM, x, state, weights, lengths=torch.tensor([5, 2, 0]), reverse=True, return_gates=True)
    asked = []

    def passes(*arguments):
        asked.append(arguments[4:])
        return

    monkeypatch.setattr(layer, "KERNELS", [passes, passes])
    got = run_layer(LSTM, x, state, weights, lengths=torch.tensor([5, 2, 0]), reverse=True, return_gates=True)
    assert torch.equal(got.y, wanted.y) and torch.equal(got.gates, wanted.gates)
    assert [arguments[0].tolist() for arguments in asked] == [[5, 2, 0]] * 2 and asked[0][1:] == (True, True)
    output = LayerOutput(x, state)
    monkeypatch.setattr(layer, "KERNELS", [passes, lambda *arguments: output, lambda *arguments: pytest.fail("asked")])
    assert run_layer(LSTM, x, state, weights) is output


def test_rows_that_all_last_are_not_ragged(monkeypatch):
    x, state, weights = problem(LSTM)
    asked = []
    monkeypatch.setattr(layer, "KERNELS", [lambda *arguments: asked.append(arguments[4])])
    run_layer(LSTM, x, state, weights, lengths=torch.tensor([5, 5, 5]))
    assert asked == [None]


@pytest.mark.parametrize("name", cell_names())
def test_the_scan_of_ragged_rows_can_be_differentiated_twice(name):
    cell = get_cell(name)
    x, state, weights = problem(cell)
    x, lengths = x.double().requires_grad_(), torch.tensor([5, 2, 0])
    state = tuple(value.double() for value in state)
    weights = {key: weight.double().requires_grad_() for key, weight in weights.items()}

    def slopes(scale, options):
        output = scan_layer(cell, x * scale, state, weights, lengths=lengths, **options)
        return torch.autograd.grad(output.y.square().sum() + output.gates.square().sum(), x, create_graph=True)[0]

    for reverse in (False, True):
        options = {"reverse": reverse, "return_gates": True}
        scale = torch.ones((), dtype=torch.float64, requires_grad=True)
        slope = slopes(scale, options)
        (second,) = torch.autograd.grad(slope.sum(), scale)
        step = 1e-6
        nearby = (slopes(scale + step, options).sum() - slopes(scale - step, options).sum()) / (2 * step)
        # A central difference is off by the square of its step and by its rounding.
        torch.testing.assert_close(second, nearby, rtol=1e-7, atol=1e-7)


def test_projections_without_biases_are_torchs():
    """oneDNN cannot do them, and torch's warning of that would stop a program that takes warnings for errors."""
    torch.manual_seed(0)
    module = torch.nn.LSTM(4, 6, proj_size=2, bias=False, dtype=torch.float64)
    weights = {name.removesuffix("_l0"): value for name, value in module.named_parameters()}
    x, state = torch.randn(5, 3, 4).double(), (torch.zeros(3, 2).double(), torch.zeros(3, 6).double())
    for run in (run_layer, scan_layer):
        torch.testing.assert_close(run(LSTM, x, state, weights).y, module(x)[0], rtol=0, atol=1e-13)
    single = {name: value.detach().float() for name, value in weights.items()}
    y, *_ = run_layer(LSTM, x.float(), tuple(value.float() for value in state), single)
    torch.testing.assert_close(y.double(), module(x)[0].detach(), rtol=0, atol=1e-6)


def test_weights_that_do_not_belong_to_a_cell_are_named():
    x, state, weights = problem(LSTM)
    with pytest.raises(UsageError, match=r"weights: expected weight_ih, .* for lstm, got peephole too"):
        run_layer(LSTM, x, state, {**weights, "peephole": torch.zeros(3, 6)})
    with pytest.raises(UsageError, match="weights: lstm needs bias_hh, which is not there"):
        run_layer(LSTM, x, state, {key: weight for key, weight in weights.items() if key != "bias_hh"})
    with pytest.raises(UsageError, match="weights: the outputs of gru cannot be projected; leave out weight_hr"):
        run_layer(get_cell("gru"), x, state[:1], {**weights, "weight_hr": torch.zeros(2, 6)})
    with pytest.raises(UsageError, match=r"lengths: expected an int64 tensor on the CPU, got torch.int32 on cpu"):
        run_layer(LSTM, x, state, weights, lengths=torch.tensor([1, 2, 3]).int())
    with pytest.raises(UsageError, match="lengths: expected each from 0 to T = 5, got 9 for row 2"):
        run_layer(LSTM, x, state, weights, lengths=torch.tensor([1, 2, 9]))
