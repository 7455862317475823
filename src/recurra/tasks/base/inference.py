"""A network asked about sequences: exactly, in batches of like length, and without a trace in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from recurra.data.batching import batches_to_read
from recurra.kernels import exact

STEPS = 40_000
"""Steps of a batch, padding included: enough to keep the machine busy, and little memory."""


@contextmanager
def evaluating(network: nn.Module) -> Iterator[torch.device]:
    """Ask a network without gradients and without dropout, and leave it as it was; gives where it computes."""
    training = network.training
    network.eval()
    try:
        with torch.inference_mode():
            yield next(network.parameters()).device
    finally:
        network.train(training)


def in_batches(
    network: nn.Module,
    lengths: Sequence[int],
    ask: Callable[[np.ndarray, torch.device], Sequence[Any]],
    *,
    exactly: bool = True,
) -> list[Any]:
    """Ask about many sequences; gives one answer for each, in their order.

    lengths: of the sequences.  ask: (indices of a batch, device) → an answer for each.  exactly: in exact mode where the
    engine is there, so that no answer depends on which others are asked for; without it validation is faster.
    """
    answers: list[Any] = [None] * len(lengths)
    with evaluating(network) as device:
        for indices in batches_to_read(lengths, STEPS):
            with exact(required=False) if exactly else nullcontext():
                given = ask(indices, device)
            for index, answer in zip(indices.tolist(), given, strict=True):
                answers[index] = answer
    return answers


def spread(count: int, some: int) -> list[int]:
    """Give the numbers of a few of so many, spread over all of them.

    >>> spread(10, 3), spread(2, 3)
    ([0, 4, 9], [0, 1])
    """
    return sorted({round(place) for place in np.linspace(0, count - 1, min(count, some))})


def to_device(inputs: Any, device: torch.device) -> Any:
    """Move what a collation gave, a tensor or an object of tensors with a `to` of its own."""
    return inputs if isinstance(inputs, Tensor) and inputs.device == device else inputs.to(device)
