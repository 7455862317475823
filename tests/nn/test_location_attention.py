"""Location attention: the definition step by step, what it never sees, and that a row depends on no other one."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from recurra.errors import UsageError
from recurra.kernels import exact
from recurra.nn import LocationAttention, location_attention

QUERY, MEMORY = 6, 8


def make(heads: int = 2, width: int = 5) -> LocationAttention:
    torch.manual_seed(1)
    attention = LocationAttention(QUERY, MEMORY, heads, width=width)
    with torch.no_grad():
        attention.location.mul_(3)  # so that where was looked before matters as much as the content
    return attention


def ask(
    attention: LocationAttention, queries: Tensor, values: Tensor, lengths: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    memory = attention.read(values, lengths)
    return attention(queries, memory, attention.initial_state(memory))


def one_row(attention: LocationAttention, queries: Tensor, values: Tensor) -> tuple[Tensor, Tensor]:
    """Compute contexts (T, M) and weights (T, heads, S) of one row from the formula in the docstring."""
    content, heads, reach = attention.content, attention.heads, attention.width // 2
    last, total = values.new_zeros(heads, len(values)), values.new_zeros(heads, len(values))
    contexts, found = [], []
    location = attention.location.view(QUERY, 2 * heads, attention.width)
    for query in queries:
        scores = values.new_zeros(heads, len(values))
        for step, value in enumerate(values):
            hidden = content.query.weight @ query + content.query.bias + content.key.weight @ value
            for shift in range(-reach, reach + 1):
                if 0 <= step + shift < len(values):
                    seen = torch.cat([last[:, step + shift], total[:, step + shift]])
                    hidden = hidden + location[:, :, shift + reach] @ seen
            scores[:, step] = (torch.tanh(hidden).view(heads, -1) * content.score).sum(1)
        last = scores.softmax(1)
        total = total + last
        parts = values.view(len(values), heads, -1)
        contexts.append(torch.cat([last[head] @ parts[:, head] for head in range(heads)]))
        found.append(last)
    return torch.stack(contexts), torch.stack(found)


@pytest.mark.parametrize("heads", [1, 2])
@pytest.mark.parametrize("width", [1, 5])
def test_both_ways_are_the_definition(heads: int, width: int) -> None:
    attention = make(heads, width).double()
    values, lengths = torch.randn(7, 3, MEMORY, dtype=torch.float64), torch.tensor([7, 3, 0])
    queries = torch.randn(4, 3, QUERY, dtype=torch.float64)
    with_gradients = ask(attention, queries, values, lengths)
    with torch.no_grad(), exact(required=False):
        in_order = ask(attention, queries, values, lengths)
    for one, other in zip(with_gradients, in_order, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-12, atol=1e-12)
    contexts, weights, looked = in_order
    for row, length in enumerate(lengths.tolist()):
        assert (weights[:, row, :, length:] == 0).all() and (looked[row, :, length:] == 0).all()
        sums = weights[:, row].sum(-1)
        torch.testing.assert_close(sums, torch.full((4, heads), float(length > 0), dtype=torch.float64))
        if length:
            expected = one_row(attention, queries[:, row], values[:length, row])
            torch.testing.assert_close(contexts[:, row], expected[0], rtol=1e-10, atol=1e-10)
            torch.testing.assert_close(weights[:, row, :, :length], expected[1], rtol=1e-10, atol=1e-10)
    assert not contexts[:, 2].any()
    torch.testing.assert_close(looked, torch.cat([weights[-1], weights.sum(0)], 1))


@pytest.mark.parametrize("in_exact_mode", [False, True])
def test_step_by_step_is_all_at_once(in_exact_mode: bool) -> None:
    attention = make()
    values, queries, lengths = torch.randn(9, 4, MEMORY), torch.randn(6, 4, QUERY), torch.tensor([9, 2, 5, 7])
    with torch.no_grad(), exact(required=False) if in_exact_mode else torch.no_grad():
        memory = attention.read(values, lengths)
        together = attention(queries, memory, attention.initial_state(memory))
        looked, parts = attention.initial_state(memory), []
        for some in queries.split([1, 2, 3]):
            *part, looked = attention(some, memory, looked)
            parts.append(part)
        by_step = *(torch.cat(one) for one in zip(*parts, strict=True)), looked
        for one, other in zip(together, by_step, strict=True):
            assert torch.equal(one, other)


def test_sequences_of_one_memory_ask_it_side_by_side() -> None:
    attention = make()
    values, lengths = torch.randn(9, 2, MEMORY), torch.tensor([9, 4])
    first, second = torch.randn(3, 3, 2, QUERY), torch.randn(3, 2, QUERY)
    with torch.no_grad(), exact(required=False):
        memory = attention.read(values, lengths)
        alone = [attention(one, memory, attention.initial_state(memory)) for one in first]
        alone = [
            attention.step(query[None], memory, before[2][None]) for query, before in zip(second, alone, strict=True)
        ]
        before = torch.stack([attention(one, memory, attention.initial_state(memory))[2] for one in first])
        together = attention.step(second, memory, before)
        for number, one in enumerate(zip(*alone, strict=True)):
            assert torch.equal(together[number], torch.cat(one))


def test_a_row_depends_on_no_other_one_and_on_no_padding() -> None:
    for width in (1, 3, 15):
        attention = make(width=width)
        values, queries = torch.randn(7, 5, MEMORY), torch.randn(6, 5, QUERY)
        lengths = torch.tensor([7, 1, 4, 6, 2])
        with torch.no_grad(), exact(required=False):
            together = ask(attention, queries, values, lengths)
            for row, length in enumerate(lengths.tolist()):
                noisy = torch.full((length + 9, 1, MEMORY), float("nan"))
                noisy[:length, 0] = values[:length, row]
                alone = ask(attention, queries[:, row : row + 1], noisy, lengths[row : row + 1])
                assert torch.equal(alone[0][:, 0], together[0][:, row])
                assert torch.equal(alone[1][:, 0, :, :length], together[1][:, row, :, :length])
                assert torch.equal(alone[2][0, :, :length], together[2][row, :, :length])


@pytest.mark.parametrize("heads", [1, 2])
@pytest.mark.parametrize("computed_again", [False, True])
def test_gradients_are_those_of_finite_differences(
    heads: int, computed_again: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if computed_again:
        monkeypatch.setattr(location_attention, "MAX_HIDDEN", 1)
    attention = make(heads, width=3).double()
    lengths = torch.tensor([4, 1])
    values = torch.randn(4, 2, MEMORY, dtype=torch.float64, requires_grad=True)
    queries = torch.randn(3, 2, QUERY, dtype=torch.float64, requires_grad=True)

    def found(queries: Tensor, values: Tensor, location: Tensor) -> tuple[Tensor, Tensor]:
        del location  # the parameter itself, which is changed in place
        return ask(attention, queries, values, lengths)[::2]

    assert torch.autograd.gradcheck(found, (queries, values, attention.location))


def test_nothing_is_a_memory_and_a_sequence_too() -> None:
    attention = make()
    for steps, length in ((0, 3), (5, 0), (0, 0)):
        for mode in (torch.enable_grad, torch.no_grad):
            with mode(), exact(required=False):
                lengths = torch.full((2,), steps)
                contexts, weights, looked = ask(
                    attention, torch.randn(length, 2, QUERY), torch.randn(steps, 2, MEMORY), lengths
                )
            assert contexts.shape == (length, 2, MEMORY) and weights.shape == (length, 2, 2, steps)
            assert looked.shape == (2, 4, steps) and (steps or not contexts.any())


@pytest.mark.parametrize(
    ("arguments", "width", "message"),
    [
        ((6, 8, 4), 5, "heads: expected a divisor of 6 and 8, got 4"),
        ((6, 8), 4, "width: expected an odd number, as many steps before a place as behind it, got 4"),
        ((6, 8), 0, "width: expected"),
    ],
)
def test_what_does_not_fit(arguments: Any, width: int, message: str) -> None:
    with pytest.raises(UsageError, match=f"^{message}"):
        LocationAttention(*arguments, width=width)


def test_a_state_of_another_memory_is_refused() -> None:
    attention = make()
    memory = attention.read(torch.randn(5, 2, MEMORY), torch.tensor([5, 5]))
    with pytest.raises(UsageError, match=r"^looked: expected \(2, 4, 5\), got \(2, 4, 6\); begin with initial_state"):
        attention(torch.randn(1, 2, QUERY), memory, torch.zeros(2, 4, 6))
    with pytest.raises(UsageError, match=r"^queries: expected \(T, 2, Q\) for a memory of 2, got \(1, 3, 6\)"):
        attention(torch.randn(1, 3, QUERY), memory, attention.initial_state(memory))
