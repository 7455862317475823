"""Both contestants do the same work on the same weights, in turns, and leave the process as it was."""

from __future__ import annotations

import pytest
import torch

from recurra.benchmark import Case, Shape, compute_limit, measure, memory_limit
from recurra.benchmark import measure as measure_function
from recurra.benchmark.measure import _contestants, _take_turns
from recurra.cells import cell_names
from recurra.errors import UsageError

TINY = Shape(3, 5, 2, 4, 2)


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
@pytest.mark.parametrize("cell", cell_names())
def test_the_two_compute_the_same(cell: str, precision: str) -> None:
    result = measure_function(Case(cell, TINY, precision, 1))  # pyrefly: ignore
    assert result.agrees
    assert result.peer == ("recurra lstm" if cell == "graves-lstm" else result.peer)
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


def test_they_take_turns() -> None:
    order: list[str] = []
    pause = 10_000_000

    def work(name: str) -> None:
        order.append(name)
        sum(range(pause // 20))

    samples = _take_turns([lambda: work("a"), lambda: work("b")], 5)
    assert [len(each) for each in samples] == [5, 5]
    runs = [name for index, name in enumerate(order) if index == 0 or order[index - 1] != name]
    assert len(runs) >= 5


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
