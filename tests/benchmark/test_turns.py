"""Both contestants do the same work on the same weights, in turns, and leave the process as it was."""

from __future__ import annotations

from typing import get_args

import pytest
import torch

from recurra.benchmark import Case, Precision, Shape, compute_limit, measure, memory_limit, turns
from recurra.benchmark.turns import _contestants, _take_turns
from recurra.cells import cell_names
from recurra.errors import UsageError

TINY = Shape(3, 5, 2, 4, 2)


PEERS = {
    "rnn": "torch.nn.RNN",
    "rnn-relu": "torch.nn.RNN",
    "lstm": "torch.nn.LSTM",
    "gru": "torch.nn.GRU",
    "graves-lstm": "recurra lstm",
}


@pytest.fixture(autouse=True)
def short_samples(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "SAMPLE_SECONDS", 0.0)


@pytest.mark.parametrize("precision", get_args(Precision))
@pytest.mark.parametrize("cell", cell_names())
def test_the_two_compute_the_same(cell: str, precision: Precision) -> None:
    result = measure(Case(cell, TINY, precision, 1))
    assert result.agrees
    assert result.peer == PEERS.get(cell, result.peer)
    assert len(result.ours) == len(result.theirs) == 5
    assert min(result.ours + result.theirs) > 0
    assert result.ours_ms > 0


def test_other_weights_are_noticed() -> None:
    torch.manual_seed(0)
    ours, theirs, _ = _contestants(Case("gru", TINY, "float32", 1))
    same = (ours() - theirs()).abs().max()
    torch.manual_seed(1)
    other, _, _ = _contestants(Case("gru", TINY, "float32", 1))
    assert same < 1e-6
    assert (ours() - other()).abs().max() > 1e-3


def test_a_step_is_forward_and_backward() -> None:
    step, _, _ = _contestants(Case("lstm", TINY, "float32", 1))
    y = step()
    assert y.shape == (4, 2, 5)
    assert y.grad_fn is not None
    with pytest.raises(RuntimeError, match="second time"):
        y.sum().backward()


def test_they_take_turns_and_nobody_is_always_first() -> None:
    order: list[str] = []
    samples = _take_turns([lambda: order.append("a"), lambda: order.append("b")], 5)
    assert [len(each) for each in samples] == [5, 5]
    assert "".join(order[4:]) == "ab" + "ba" + "ab" + "ba" + "ab"


def test_short_steps_are_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "SAMPLE_SECONDS", 0.005)
    calls: list[None] = []
    _take_turns([lambda: calls.append(None)], 5)
    assert len(calls) > 100


def test_the_process_is_left_as_it_was() -> None:
    threads = torch.get_num_threads()
    state = torch.get_rng_state()
    measure(Case("rnn", TINY, "float32", 1))
    assert torch.get_num_threads() == threads
    assert torch.equal(torch.get_rng_state(), state)


def test_too_few_rounds_are_refused() -> None:
    with pytest.raises(UsageError, match="rounds: expected at least 5, got 4"):
        measure(Case("rnn", TINY, "float32", 1), rounds=4)


def test_limits_are_measured() -> None:
    assert compute_limit("float32", 1, size=64).gflops > 0
    assert memory_limit(1 << 16).gigabytes_per_second > 0
