"""Text, or any sequence of ids, as it is made: one step of the model after another."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

import numpy as np
import torch
from torch import Tensor

from recurra.decoding.sampling import check_sampling, sample
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
    generators: Sequence[torch.Generator] = (),
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
    forbid: Collection[int] = (),
) -> Iterator[np.ndarray]:
    """Go on with B sequences, giving out the ids of each step as soon as they are chosen.

    Feed the model all of a prompt but its last id; the state that it then has and that last id are where this begins.
    Without a prompt that is the empty state and the begin mark.

    Args:
        step: one step of the model.
        state: before `ids`; leading dimension B.
        ids: (B,) int64, the last id of each prompt.
        length: the most ids to add to each row.
        end: the id that ends a row; None for text that goes on until `length`.
        generators: one for each row (`row_generators`); none are needed at temperature 0.
        temperature, top_k, top_p: as in `filter_logits`; temperature 0 always takes the likeliest.
        forbid: ids that are never chosen, such as the begin mark.

    Yields:
        (B,) int64 at each step. A row that ends has the end mark there, and `FINISHED` (−1) at every later step. It is
        over after `length` steps, or when all rows have ended.

    Raises:
        UsageError: settings that mean nothing; at the call, not at the first step.

    >>> def count_up(ids, state):  # the likeliest id is the next larger one
    ...     return torch.nn.functional.one_hot(ids + 1, 10).float(), state
    >>> steps = generate(count_up, (), torch.tensor([2, 4]), length=9, end=6, temperature=0)
    >>> [ids.tolist() for ids in steps]
    [[3, 5], [4, 6], [5, -1], [6, -1]]
    """
    check_sampling(temperature, top_k, top_p)
    if length < 0:
        raise UsageError(f"length: expected 0 or more units to generate, got {length}")
    if temperature > 0 and len(generators) != len(ids):
        raise UsageError(f"generators: expected one for each of {len(ids)} rows, got {len(generators)}")

    def choose(logits: Tensor) -> Tensor:
        return sample(logits, generators, temperature=temperature, top_k=top_k, top_p=top_p, forbid=forbid)

    def steps() -> Iterator[np.ndarray]:
        last, carried = ids, state
        done = torch.zeros(len(ids), dtype=torch.bool, device=ids.device)
        for _ in range(length):
            # Around the step alone: a mode that is held across a `yield` would hold for the caller's own work too.
            with torch.no_grad():
                logits, carried = step(last, carried)
                chosen = choose(logits)
                given = chosen.masked_fill(done, FINISHED)
                if end is not None:
                    # A row that has ended is still stepped with the others; nobody sees what it says.
                    last = chosen.masked_fill(done, end)
                    done = last == end
                else:
                    last = chosen
            yield given.cpu().numpy()
            if bool(done.all()):
                return

    return steps()
