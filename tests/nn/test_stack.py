"""Stacks are their layers, one on top of another, in whatever way they are joined."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from recurra.cells import cell_names, get_cell
from recurra.errors import UsageError
from recurra.kernels import scan_layer
from recurra.nn import Layer, Stack, map_state


@pytest.fixture(autouse=True)
def _seed():
    torch.manual_seed(0)


def by_hand(stack, x, state, *, residual=False):
    """Compute a stack from its saved weights, with nothing of `Stack` but their names."""
    saved, ends = stack.state_dict(), []
    cell = next(iter(stack)).cell
    for index, layer_state in enumerate(state):
        weights = {key: saved[f"layers.{index}.{key}"] for key in cell.shapes(1, 1)}
        y, end, _ = scan_layer(cell, x, layer_state, weights)
        if f"norms.{index}.weight" in saved:
            y = F.layer_norm(y, y.shape[-1:], saved[f"norms.{index}.weight"], saved[f"norms.{index}.bias"])
        x = x + y if residual and x.shape == y.shape else y
        ends.append(end)
    return x, tuple(ends)


def random_state(stack, batch):
    return map_state(torch.randn_like, stack.zero_state(batch))


@pytest.mark.parametrize(
    "options", [{}, {"residual": True}, {"layer_norm": True}, {"residual": True, "layer_norm": True}]
)
@pytest.mark.parametrize("name", cell_names())
def test_a_stack_is_its_layers(name, options):
    stack = Stack(name, 4, [6, 6, 5, 5], dropout=0.4, variational=True, weight_dropout=0.3, **options).double().eval()
    for parameter in stack.parameters():
        torch.nn.init.normal_(parameter, std=0.4)
    x, state = torch.randn(7, 3, 4).double(), random_state(stack, 3)
    y, end = stack(x, state)
    wanted, wanted_end = by_hand(stack, x, state, residual=options.get("residual", False))
    torch.testing.assert_close(y, wanted, rtol=0, atol=1e-12)
    for ours, theirs in zip(end, wanted_end, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-12)


def test_residual_connections_are_there_where_sizes_agree():
    plain, joined = Stack("gru", 5, [5, 5, 4]), Stack("gru", 5, [5, 5, 4], residual=True)
    joined.load_state_dict(plain.state_dict())
    for layer in (*plain, *joined):
        for parameter in layer.parameters():
            torch.nn.init.zeros_(parameter)
    x = torch.randn(3, 2, 5)
    captured = []
    list(joined)[2].register_forward_hook(lambda module, arguments, output: captured.append(arguments[0]))
    joined(x, joined.zero_state(2))
    assert torch.equal(captured[0], x)  # a layer of zeros says nothing, and its input goes past it


def test_a_deep_stack_learns_through_all_its_layers():
    stack = Stack("lstm", 3, [4] * 12, residual=True, layer_norm=True)
    y, _ = stack(torch.randn(5, 2, 3), stack.zero_state(2))
    y.square().sum().backward()
    for name, parameter in stack.named_parameters():
        assert parameter.grad is not None and bool(parameter.grad.isfinite().all()), name
        assert float(parameter.grad.abs().max()) > 0 or "bias" in name, name


def test_state_dict_round_trip():
    one, two = (Stack("graves-lstm", 3, [4, 5], layer_norm=True) for _ in range(2))
    two.load_state_dict(one.state_dict())
    x = torch.randn(6, 2, 3)
    assert torch.equal(one(x, one.zero_state(2))[0], two(x, two.zero_state(2))[0])


def test_layers_in_bfloat16_autocast_keep_a_float32_state():
    stack = Stack("lstm", 3, [8, 8], residual=True, layer_norm=True)
    with torch.autocast("cpu", torch.bfloat16):
        _, state = stack(torch.randn(6, 2, 3), stack.zero_state(2))
    assert {tensor.dtype for layer in state for tensor in layer} == {torch.float32}


def test_arguments_that_do_not_fit():
    stack = Stack("lstm", 3, [4, 5])
    x = torch.randn(6, 2, 3)
    with pytest.raises(UsageError, match="state: expected one for each of 2 layers, got 1"):
        stack(x, stack.zero_state(2)[:1])
    with pytest.raises(UsageError, match=r"state h: expected \(B, H\) = \(2, 4\)"):
        stack(x, stack.zero_state(3))
    with pytest.raises(UsageError, match="x: expected 3 features, got 2"):
        stack(x[..., :2], stack.zero_state(2))
    with pytest.raises(UsageError, match="hidden_sizes: expected at least one layer"):
        Stack("lstm", 3, [])
    with pytest.raises(UsageError, match="hidden_size: expected a positive integer, got 0"):
        Stack("lstm", 3, [4, 0])
    with pytest.raises(UsageError, match="input_size: expected a positive integer, got -1"):
        Layer(get_cell("gru"), -1, 4)


def test_map_state_keeps_the_nesting():
    stack = Stack("lstm", 3, [4, 5])
    one, two = random_state(stack, 2), random_state(stack, 2)
    total = map_state(torch.add, one, two)
    assert [[tuple(t.shape) for t in layer] for layer in total] == [[(2, 4)] * 2, [(2, 5)] * 2]
    assert torch.equal(total[1][0], one[1][0] + two[1][0])
