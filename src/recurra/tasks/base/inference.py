"""A network run over sequences: exactly, in batches of like length, and left as it was."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from recurra.data.batching import inference_batches
from recurra.kernels import exact as exact_mode

MAX_STEPS_PER_BATCH = 40_000
"""Steps of a batch, padding included: enough to keep the machine busy, and little memory."""


@contextmanager
def eval_mode(network: nn.Module) -> Iterator[torch.device]:
    """Use a network without gradients and without dropout, and leave it as it was; gives where it computes."""
    training = network.training
    network.eval()
    try:
        with torch.inference_mode():
            yield next(network.parameters()).device
    finally:
        network.train(training)


def run_in_batches(
    network: nn.Module,
    lengths: Sequence[int],
    run: Callable[[np.ndarray, torch.device], Sequence[Any]],
    *,
    exact: bool = True,
) -> list[Any]:
    """Run a network over many sequences; gives an output for each, in their order.

    lengths: of the sequences.  run: (indices of a batch, device) → an output for each.  exact: in exact mode where the
    engine is there, so that no output depends on which others there are; without it validation is faster.
    """
    results: list[Any] = [None] * len(lengths)
    with eval_mode(network) as device:
        for indices in inference_batches(lengths, MAX_STEPS_PER_BATCH):
            with exact_mode(required=False) if exact else nullcontext():
                outputs = run(indices, device)
            for index, output in zip(indices.tolist(), outputs, strict=True):
                results[index] = output
    return results


def evenly_spaced(count: int, some: int) -> list[int]:
    """Give the numbers of a few of so many, spread over all of them.

    >>> evenly_spaced(10, 3), evenly_spaced(2, 3)
    ([0, 4, 9], [0, 1])
    """
    return sorted({round(place) for place in np.linspace(0, count - 1, min(count, some))})


def spread_and_worst(errors: Sequence[float] | np.ndarray, most: int) -> list[tuple[str, int]]:
    """Choose what a report shows: the numbers of some of all, and of the others those of the largest errors; without an error none.

    >>> spread_and_worst([0.0, 2.0, 0.0, 1.0, 3.0], 2)
    [('spread', 0), ('spread', 4), ('worst', 1), ('worst', 3)]
    """
    spread = evenly_spaced(len(errors), most)
    rest = sorted({*range(len(errors))} - {*spread}, key=lambda row: (-errors[row], row))
    return [("spread", row) for row in spread] + [("worst", row) for row in rest[:most] if errors[row]]


def to_device(inputs: Any, device: torch.device) -> Any:
    """Move what a collation gave, a tensor or an object of tensors with a `to` of its own."""
    return inputs if isinstance(inputs, Tensor) and inputs.device == device else inputs.to(device)
