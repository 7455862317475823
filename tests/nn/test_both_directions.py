"""Stacks in both directions and over rows of different lengths: no row knows of another, or of its padding."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from recurra.cells import cell_names
from recurra.errors import UsageError
from recurra.kernels import exact, scan_layer
from recurra.kernels.native import engine
from recurra.nn import Stack, map_state, packed_layers

OPTIONS = [{}, {"residual": True, "layer_norm": True}]
LENGTHS = torch.tensor([6, 0, 9, 1])
GARBAGE = [float("nan"), float("inf"), 1e30]


def make(name="lstm", sizes=(5, 5, 4), inputs=5, **options):
    stack = Stack(name, inputs, list(sizes), **options).double()
    for parameter in stack.parameters():
        torch.nn.init.normal_(parameter, std=0.4)
    return stack


def random_state(stack, batch):
    return map_state(torch.randn_like, stack.zero_state(batch))


def by_hand(stack, x, state, *, residual):
    """One row (T, 1, I) from the saved weights: each direction by the reference, the backward one over the row turned round."""
    saved, ends, cell = stack.state_dict(), [], next(iter(stack)).cell
    for index in range(len(stack.layers)):
        outputs = []
        for direction, prefix in enumerate(("layers", "backward_layers")):
            weights = {key: saved[f"{prefix}.{index}.{key}"] for key in cell.shapes(1, 1)}
            y, end, _ = scan_layer(cell, x.flip(0) if direction else x, state[2 * index + direction], weights)
            outputs.append(y.flip(0) if direction else y)
            ends.append(end)
        y = torch.cat(outputs, 2)
        if f"norms.{index}.weight" in saved:
            y = F.layer_norm(y, y.shape[-1:], saved[f"norms.{index}.weight"], saved[f"norms.{index}.bias"])
        x = x + y if residual and x.shape == y.shape else y
    return x, tuple(ends)


@pytest.mark.parametrize("options", OPTIONS)
@pytest.mark.parametrize("name", cell_names())
def test_both_directions_are_two_cells_and_their_outputs_side_by_side(name, options):
    stack = make(name, (3, 3, 4), 6, bidirectional=True, **options)
    x, state = torch.randn(9, 4, 6).double(), random_state(stack, 4)
    y, end = stack(x, state, LENGTHS)
    assert y.shape == (9, 4, stack.output_size) and stack.output_size == 8
    for row, length in enumerate(LENGTHS.tolist()):
        own = map_state(lambda value, row=row: value[row : row + 1], state)
        wanted, wanted_end = by_hand(stack, x[:length, row : row + 1], own, residual=options.get("residual", False))
        torch.testing.assert_close(y[:length, row : row + 1], wanted, rtol=0, atol=1e-12)
        assert not y[length:, row].any()
        for ours, theirs in zip(end, wanted_end, strict=True):
            for one, other in zip(ours, theirs, strict=True):
                torch.testing.assert_close(one[row : row + 1], other, rtol=0, atol=1e-12)


@pytest.mark.parametrize("garbage", GARBAGE)
@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("options", OPTIONS)
@pytest.mark.parametrize("kind", [torch.float64, torch.float32])
def test_padding_changes_neither_results_nor_gradients(options, bidirectional, garbage, kind):
    stack = make(bidirectional=bidirectional, inputs=10 if bidirectional else 5, **options).to(kind)
    clean = torch.randn(9, 4, 10 if bidirectional else 5).to(kind)
    weight = torch.randn(9, 4, stack.output_size).to(kind)
    found = []
    for padding in (0.0, garbage):
        x = clean.clone()
        for row, length in enumerate(LENGTHS.tolist()):
            x[length:, row] = padding
        x.requires_grad_()
        y, end = stack(x, stack.zero_state(4), LENGTHS)
        stack.zero_grad()
        ((y * weight).sum() + sum(value.square().sum() for layer in end for value in layer)).backward()
        found.append([y.detach(), x.grad, *(parameter.grad for parameter in stack.parameters())])
    for one, other in zip(*found, strict=True):
        assert torch.equal(one, other)
    for row, length in enumerate(LENGTHS.tolist()):
        assert not found[0][1][length:, row].any()


@pytest.mark.parametrize("bidirectional", [False, True])
def test_the_gradient_of_a_batch_is_the_sum_of_those_of_its_rows(bidirectional):
    stack = make(bidirectional=bidirectional, residual=True, layer_norm=True)
    x = torch.randn(9, 4, 5).double()
    weight = torch.randn(9, 4, stack.output_size).double()
    (stack(x, stack.zero_state(4), LENGTHS)[0] * weight).sum().backward()
    together = [parameter.grad.clone() for parameter in stack.parameters()]
    stack.zero_grad()
    for row, length in enumerate(LENGTHS.tolist()):
        part = slice(row, row + 1)
        (stack(x[:length, part], stack.zero_state(1))[0] * weight[:length, part]).sum().backward()
    for batch, parameter in zip(together, stack.parameters(), strict=True):
        torch.testing.assert_close(batch, parameter.grad, rtol=0, atol=1e-10)


@pytest.mark.skipif(engine() is None, reason="the native engine was not built")
@pytest.mark.parametrize("name", cell_names())
@pytest.mark.parametrize("sizes", [(5, 7), (33, 17), (64, 64)])
@torch.inference_mode()
def test_in_exact_mode_a_row_is_the_same_bit_for_bit(name, sizes):
    stack = Stack(name, sizes[0], [sizes[1]] * 2, bidirectional=True, residual=True, layer_norm=True)
    x = torch.randn(23, 9, sizes[0])
    lengths = torch.tensor([23, 1, 0, 7, 23, 22, 16, 3, 12])
    for row, length in enumerate(lengths.tolist()):
        x[length:, row] = float("nan")
    with exact():
        together, end = stack(x, stack.zero_state(9), lengths)
        for row, length in enumerate(lengths.tolist()):
            alone, own = stack(x[:length, row : row + 1], stack.zero_state(1))
            assert torch.equal(alone, together[:length, row : row + 1])
            for ours, theirs in zip(end, own, strict=True):
                assert all(torch.equal(one[row : row + 1], other) for one, other in zip(ours, theirs, strict=True))


@pytest.mark.parametrize("bidirectional", [False, True])
def test_variational_dropout_draws_the_same_however_long_the_padding(bidirectional):
    stack = make(bidirectional=bidirectional, dropout=0.5, variational=True, weight_dropout=0.2).train()
    x, results = torch.randn(9, 4, 5).double(), []
    for longer in (0, 13):
        torch.manual_seed(3)
        padded = torch.cat([x, torch.full((longer, 4, 5), float("nan")).double()])
        y, _ = stack(padded, stack.zero_state(4), LENGTHS)
        results.append(y[:9])
        assert not y[9:].any()
    assert torch.equal(*results)


def test_one_direction_is_what_it_was():
    one, two = Stack("lstm", 3, [4, 5]), Stack("lstm", 3, [4, 5], bidirectional=True)
    assert list(one.state_dict()) == [
        f"layers.{index}.{name}" for index in (0, 1) for name in next(iter(one)).cell.shapes(1, 1)
    ]
    assert set(one.state_dict()) < set(two.state_dict())
    x = torch.randn(6, 2, 3)
    full, _ = one(x, one.zero_state(2))
    assert torch.equal(full, one(x, one.zero_state(2), torch.tensor([6, 6]))[0])


def test_what_does_not_fit():
    stack = Stack("gru", 3, [4, 4], bidirectional=True)
    x = torch.randn(6, 2, 3)
    with pytest.raises(UsageError, match="expected one for each of 2 layers and both directions, got 2"):
        stack(x, stack.zero_state(2)[:2])
    with pytest.raises(UsageError, match="lengths: expected each from 0 to T = 6, got 7 for row 1"):
        stack(x, stack.zero_state(2), torch.tensor([6, 7]))
    with pytest.raises(UsageError, match="a stream goes in one direction, and this stack in both"):
        packed_layers(stack)
