"""Exact mode: bit for bit the same alone, in a batch, padded, streamed, and with any number of threads."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import recurra
from recurra import ModuleStream, exact, nn
from recurra.errors import UsageError
from recurra.kernels import linear
from recurra.kernels.native import engine
from recurra.nn import Stack
from recurra.tasks.lm.config import Model
from recurra.tasks.lm.network import LanguageNetwork
from recurra.tasks.lm.scoring import Item, score_items

needs_engine = pytest.mark.skipif(engine() is None, reason="the native engine was not built")
MODULES = (nn.LSTM, nn.GravesLSTM, nn.GRU, nn.RNN)


@needs_engine
@pytest.mark.parametrize("module", MODULES)
@pytest.mark.parametrize("sizes", [(3, 5), (17, 33), (64, 130)])
@torch.inference_mode()
def test_a_row_is_the_same_alone_padded_and_streamed(module, sizes):
    torch.manual_seed(0)
    layer, x = module(*sizes, num_layers=2), torch.randn(23, 9, sizes[0])
    lengths = torch.tensor([23, 1, 0, 7, 23, 22, 16, 3, 12])
    before = torch.get_num_threads()
    together = layer(x)[0]
    torch.set_num_threads(2)
    try:
        shared = layer(x)[0]
    finally:
        torch.set_num_threads(before)
    assert torch.equal(together, shared)
    ragged = layer(x, lengths=lengths)[0]
    for row, length in enumerate(lengths.tolist()):
        alone = layer(x[:length, row : row + 1].contiguous())[0] if length else x.new_zeros(0, 1, sizes[1])
        assert torch.equal(alone, together[:length, row : row + 1])
        assert torch.equal(alone, ragged[:length, row : row + 1])
        stream = ModuleStream(layer)
        for step in range(length):
            assert np.array_equal(stream.step(x[step, row]), together[step, row].numpy())


@needs_engine
@torch.inference_mode()
def test_what_stands_around_the_recurrence_is_exact_too():
    torch.manual_seed(0)
    x, weight, bias = torch.randn(70, 37), torch.randn(65, 37), torch.randn(65)
    stack = Stack("lstm", 37, [37, 21], layer_norm=True, residual=True)
    with exact():
        together = linear(x, weight, bias)
        batch, _ = stack(x.view(7, 10, 37), stack.zero_state(10))
        for row in (0, 33, 69):
            assert torch.equal(linear(x[row], weight, bias), together[row])
        one, _ = stack(x.view(7, 10, 37)[:, 3:4], stack.zero_state(1))
    assert torch.equal(one, batch[:, 3:4])
    truth = x.double() @ weight.double().T + bias.double()
    assert (together - truth).abs().max() < 2e-5  # sums of 37 products of numbers near 1: some 37 roundings of 6e-8
    stream = ModuleStream(stack)
    steps = np.stack([stream.step(row) for row in x.view(7, 10, 37)[:, 3].numpy()])
    assert np.array_equal(steps, one[:, 0].numpy())


@needs_engine
@pytest.mark.parametrize("shape", [(1, 5, 3), (5, 8_001, 40), (130, 300, 33), (64, 128, 16)], ids=str)
@torch.inference_mode()
def test_a_row_of_a_linear_layer_is_the_same_beside_others_and_with_any_threads(shape):
    rows, outputs, inputs = shape
    torch.manual_seed(0)
    x, weight, bias = torch.randn(rows, inputs), torch.randn(outputs, inputs), torch.randn(outputs)
    before = torch.get_num_threads()
    with exact():
        try:
            torch.set_num_threads(1)
            alone = torch.cat([linear(row, weight, bias) for row in x.split(1)])
            torch.set_num_threads(3)
            together = linear(x, weight, bias)
        finally:
            torch.set_num_threads(before)
    assert torch.equal(together, alone)
    truth = x.double() @ weight.double().T + bias.double()
    assert (together - truth).abs().max() < 2e-5


@needs_engine
def test_a_text_has_the_same_probability_whatever_is_scored_beside_it():
    torch.manual_seed(0)
    network = LanguageNetwork(50, Model(cell="gru", hidden=24, layers=2, dropout=0.1, layer_norm=True))
    draw = np.random.default_rng(0)
    items = [Item(ids, ids[::-1].copy()) for ids in (draw.integers(0, 50, n) for n in (5, 31, 1, 31, 18))]
    together = score_items(network, items)
    for item, scored in zip(items, together, strict=True):
        assert np.array_equal(score_items(network, [item])[0].log_probs, scored.log_probs)


@needs_engine
def test_gradients_flow_where_they_are_wanted():
    weight = torch.randn(4, 3, requires_grad=True)
    with exact():
        linear(torch.randn(2, 3), weight).sum().backward()
    assert weight.grad is not None


def test_it_says_that_it_needs_the_engine(monkeypatch):
    monkeypatch.setattr("recurra.kernels.exact_mode.engine", lambda: None)
    with pytest.raises(UsageError, match="exact mode needs the native engine"), recurra.exact():
        pass
    with recurra.exact(required=False):
        assert linear(torch.ones(1, 2), torch.ones(3, 2)).tolist() == [[2.0, 2.0, 2.0]]
