"""What a decoder knows of a model: one step, and a state whose rows can be picked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

State = Any
"""A tensor (B, ...) or a tuple of states, nested to any depth; `recurra` models have layer → the cell's states (B, H)."""

Step = Callable[[Tensor, State], tuple[Tensor, State]]
"""One step of a model: ids (B,) int64 and the state before them → logits (B, V) of the next ids, and the state after."""


def select_state(state: State, rows: Tensor) -> State:
    """The state of the given rows in the given order; a row can be taken more than once, or not at all.

    Args:
        state: tensors with leading dimension B in nested tuples.
        rows: (N,) int64, each from 0 to B − 1.

    >>> state = ((torch.tensor([[1.0], [2.0]]), torch.tensor([[3.0], [4.0]])),)
    >>> select_state(state, torch.tensor([1, 1, 0]))
    ((tensor([[2.], [2.], [1.]]), tensor([[4.], [4.], [3.]])),)
    """
    if isinstance(state, tuple):
        return tuple(select_state(part, rows) for part in state)
    return state.index_select(0, rows.to(state.device))


def concat_states(states: Sequence[State]) -> State:
    """The states of several batches as the state of one batch, their rows one after another.

    >>> concat_states([((torch.tensor([[1.0]]),),), ((torch.tensor([[2.0], [3.0]]),),)])
    ((tensor([[1.],
            [2.],
            [3.]]),),)
    """
    if isinstance(states[0], tuple):
        return tuple(concat_states(parts) for parts in zip(*states, strict=True))
    return torch.cat(list(states))


def top_indices(values: Tensor, count: int) -> Tensor:
    """Where the `count` largest of values (N,) stand, the largest first and, of equals, the first: unlike `topk`, which
    leaves the order of equals open.

    >>> top_indices(torch.tensor([1.0, 3.0, 2.0, 3.0, 2.0]), 3)
    tensor([1, 3, 2])
    """
    count = min(count, len(values))
    kept = (values >= values.topk(count).values[-1]).nonzero()[:, 0]
    order = torch.sort(values[kept], descending=True, stable=True).indices
    return kept[order[:count]]
