"""Text, or any sequence of ids, as it is made: one step of the model after another."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterator, Sequence

import numpy as np
import torch
from torch import Tensor

from recurra.decoding.sampling import Sampling, sample
from recurra.decoding.state import State, Step
from recurra.errors import UsageError

FINISHED = -1
"""What stands in the place of an id for a row that ended at an earlier step."""


def generate(
    step: Step,
    state: State,
    ids: Tensor,
    *,
    length: int,
    end: int | None,
    sampling: Sampling = Sampling(),  # noqa: B008  frozen
    generators: Sequence[torch.Generator] = (),
    forbid: Collection[int] = (),
    allowed: Callable[[State], Tensor] | None = None,
) -> Iterator[np.ndarray]:
    """Go on with B sequences, giving out the ids of each step as soon as they are chosen.

    Feed the model all of a prompt but its last id; the state that it then has and that last id are where this begins.
    Without a prompt that is the empty state and the begin mark. Prompts of several lengths are fed one by one
    (`concat_states`).

    Args:
        step: one step of the model.
        state: before `ids`; leading dimension B.
        ids: (B,) int64, the last id of each prompt.
        length: the most ids to add to each row.
        end: the id that ends a row; None for text that goes on until `length`.
        sampling: how an id is chosen.
        generators: one for each row (`row_generators`); none are needed at temperature 0.
        forbid: ids that are never chosen, such as the begin mark.
        allowed: the state after a step → (B, V) bool, which ids may come next; None: all may.

    Yields:
        (B,) int64 at each step. A row that ends has the end mark there, and `FINISHED` (−1) at every later step. It is
        over after `length` steps, or when all rows have ended.

    Raises:
        UsageError: settings that mean nothing; at the call, not at the first step.

    >>> def count_up(ids, state):  # the likeliest id is the next larger one
    ...     return torch.nn.functional.one_hot(ids + 1, 10).float(), state
    >>> steps = generate(count_up, (), torch.tensor([2, 4]), length=9, end=6, sampling=Sampling(temperature=0))
    >>> [ids.tolist() for ids in steps]
    [[3, 5], [4, 6], [5, -1], [6, -1]]
    """
    if length < 0:
        raise UsageError(f"length: expected 0 or more units to generate, got {length}")
    if not sampling.greedy and len(generators) != len(ids):
        raise UsageError(f"generators: expected one for each of {len(ids)} rows, got {len(generators)}")

    def choose(logits: Tensor, state: State) -> Tensor:
        if allowed is not None:
            logits = logits.masked_fill(~allowed(state), -math.inf)
        return sample(logits, generators, sampling, forbid=forbid)

    return _steps(step, state, ids, length, end, choose)


def _steps(
    step: Step, state: State, ids: Tensor, length: int, end: int | None, choose: Callable[[Tensor, State], Tensor]
) -> Iterator[np.ndarray]:
    last, ended = ids, torch.zeros(len(ids), dtype=torch.bool, device=ids.device)
    for _ in range(length):
        # Around the step alone: a mode that is held across a `yield` would hold for the caller's own work too.
        with torch.no_grad():
            logits, state = step(last, state)
            chosen = choose(logits, state)
            given = chosen.masked_fill(ended, FINISHED)
            if end is not None:
                # A row that has ended is still stepped with the others; nobody sees what it gives.
                last = chosen.masked_fill(ended, end)
                ended = last == end
            else:
                last = chosen
        yield given.cpu().numpy()
        if bool(ended.all()):
            return
