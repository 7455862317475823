"""Attention: what it weighs, what it never sees, and that a row depends on no other one."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from recurra.errors import UsageError
from recurra.kernels import exact
from recurra.nn import Attention

KINDS = ["general", "dot", "additive"]


def make(kind: Any, heads: int = 2) -> Attention:
    torch.manual_seed(1)
    return Attention(kind, 6, 6 if kind == "dot" else 8, heads)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("heads", [1, 2])
def test_both_ways_are_the_definition(kind: str, heads: int) -> None:
    attention = make(kind, heads).double()
    values = torch.randn(5, 3, attention.memory_size, dtype=torch.float64)
    queries, lengths = torch.randn(4, 3, 6, dtype=torch.float64), torch.tensor([5, 2, 0])
    with_gradients = attention(queries, attention.read(values, lengths))
    with torch.no_grad():
        in_order = attention(queries, attention.read(values, lengths))
    for one, other in zip(with_gradients, in_order, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-6, atol=1e-6)
    contexts, weights = in_order
    for row, length in enumerate(lengths.tolist()):
        assert (weights[:, row, :, length:] == 0).all()
        torch.testing.assert_close(
            weights[:, row].sum(-1), torch.full((4, heads), float(length > 0)), check_dtype=False
        )
        for step in range(4):
            expected = [one_head(attention, queries[step, row], values[:length, row], head) for head in range(heads)]
            torch.testing.assert_close(contexts[step, row], torch.cat(expected), rtol=1e-5, atol=1e-6)


def one_head(attention: Attention, query: torch.Tensor, values: torch.Tensor, head: int) -> torch.Tensor:
    """Compute a context from the formulas in the docstring."""
    size, width = attention.query_size // attention.heads, attention.memory_size // attention.heads
    part = slice(head * size, (head + 1) * size)
    scores = []
    for value in values:
        if attention.kind == "dot":
            scores.append(query[part] @ value[part])
        elif attention.kind == "general":
            scores.append(query[part] @ (attention.key.weight @ value)[part])
        else:
            hidden = attention.query.weight @ query + attention.query.bias + attention.key.weight @ value
            scores.append(attention.score[head] @ torch.tanh(hidden[part]))
    if not scores:
        return torch.zeros(width, dtype=query.dtype)
    weights = torch.stack(scores).softmax(0)
    return weights @ values[:, head * width : (head + 1) * width]


@pytest.mark.parametrize("kind", KINDS)
def test_a_row_depends_on_no_other_one_and_on_no_padding(kind: str) -> None:
    attention = make(kind)
    values, queries = torch.randn(7, 5, attention.memory_size), torch.randn(3, 5, 6)
    lengths = torch.tensor([7, 1, 4, 6, 2])
    with torch.no_grad(), exact(required=False):
        together, _ = attention(queries, attention.read(values, lengths))
        for row, length in enumerate(lengths.tolist()):
            noisy = torch.full((length + 9, 1, attention.memory_size), float("nan"))
            noisy[:length, 0] = values[:length, row]
            alone, _ = attention(queries[:, row : row + 1], attention.read(noisy, lengths[row : row + 1]))
            assert torch.equal(alone[:, 0], together[:, row])


@pytest.mark.parametrize("kind", KINDS)
def test_gradients_are_those_of_finite_differences(kind: str) -> None:
    attention = make(kind).double()
    lengths = torch.tensor([3, 1])
    values = torch.randn(3, 2, attention.memory_size, dtype=torch.float64, requires_grad=True)
    queries = torch.randn(2, 2, 6, dtype=torch.float64, requires_grad=True)

    def contexts(queries: torch.Tensor, values: torch.Tensor) -> torch.Tensor:
        return attention(queries, attention.read(values, lengths))[0]

    assert torch.autograd.gradcheck(contexts, (queries, values))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("general", 6, 8, 4), "heads: expected a divisor of 6 and 8, got 4"),
        (("dot", 6, 8), "dot: expected queries of the memory's size, 8, got 6"),
        (("luong", 6, 8), "kind: expected one of general, dot, additive, got 'luong'"),
    ],
)
def test_what_does_not_fit(arguments: Any, message: str) -> None:
    with pytest.raises(UsageError, match=f"^{message}"):
        Attention(*arguments)
