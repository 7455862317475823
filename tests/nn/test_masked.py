"""The masked head is causal, exactly, and its probabilities are those of whole rows."""

from __future__ import annotations

import itertools

import pytest
import torch

from recurra.errors import UsageError
from recurra.kernels import exact
from recurra.kernels.native import engine
from recurra.nn import MaskedHead


def head(width: int, levels: int, hidden: list[int], seed: int = 0) -> MaskedHead:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        made = MaskedHead(width, levels, 3, hidden)
        for parameter in made.parameters():
            torch.nn.init.normal_(parameter)
    return made.double()


@pytest.mark.parametrize("hidden", [[], [1], [3], [16], [11, 7], [5, 20, 9]])
@pytest.mark.parametrize(("width", "levels"), [(1, 2), (5, 2), (4, 3)])
def test_a_logit_depends_on_what_stands_before_it_alone(width: int, levels: int, hidden: list[int]) -> None:
    made = head(width, levels, hidden)
    row, context = torch.randn(width, dtype=torch.float64), torch.randn(3, dtype=torch.float64)
    (gradient,) = [torch.autograd.functional.jacobian(lambda row: made(row, context), row)]
    for number, before in itertools.product(range(width), range(width)):
        reached = gradient[number, :, before]
        assert bool((reached == 0).all()) == (before >= number), (number, before)


@pytest.mark.parametrize("hidden", [[], [9], [8, 6]])
def test_the_probabilities_of_all_rows_sum_to_one(hidden: list[int]) -> None:
    made, context = head(4, 3, hidden), torch.randn(3, dtype=torch.float64)
    rows = torch.tensor(list(itertools.product(range(3), repeat=4)))
    logs = made(rows.double(), context.expand(len(rows), 3)).log_softmax(-1).gather(-1, rows.unsqueeze(-1)).sum((1, 2))
    assert logs.exp().sum().item() == pytest.approx(1, abs=1e-12)


def test_a_row_is_the_same_alone_and_among_others() -> None:
    made = head(6, 2, [32]).float()
    rows, contexts = torch.randn(9, 6), torch.randn(9, 3)
    with exact(required=engine() is not None), torch.inference_mode():
        together = made(rows, contexts)
        alone = torch.cat([made(rows[n : n + 1], contexts[n : n + 1]) for n in range(9)])
    assert engine() is None or torch.equal(together, alone)


def test_it_begins_with_the_frequencies() -> None:
    made = MaskedHead(2, 3, 4, [5])
    frequencies = torch.tensor([[0.2, 0.3, 0.5], [0.1, 0.1, 0.8]])
    made.init_output_bias(frequencies)
    for layer in (made.straight, made.output):
        assert layer is not None
        torch.nn.init.zeros_(layer.weight)
    assert torch.allclose(made(torch.zeros(2), torch.zeros(4)).softmax(-1), frequencies)


def test_sizes_are_checked() -> None:
    for sizes in ((0, 2, 1, []), (2, 0, 1, []), (2, 2, 0, []), (2, 2, 1, [0])):
        with pytest.raises(UsageError, match="expected a positive integer, got 0"):
            MaskedHead(*sizes)


def test_what_does_not_fit_is_named() -> None:
    head = MaskedHead(width=3, levels=2, context=5, hidden=[8])
    with pytest.raises(UsageError, match=r"row: expected \(…, 3\), got \(4, 2\)"):
        head(torch.zeros(4, 2), torch.zeros(4, 5))
    with pytest.raises(UsageError, match="context: forward needs this argument"):
        head(torch.zeros(4, 3))
