"""The loss that training goes by, of the network without dropout: on what it learnt from, on what was held out, and before it learnt."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice
from typing import Any

import torch
from torch import nn

from recurra.tasks import Task
from recurra.tasks.base.inference import eval_mode
from recurra.tasks.base.tbptt import TBPTTTask

MIN_ELEMENTS = 30
"""Of a part, below which its mean loss says little: its error is a fifth of the spread, and more."""
MAX_BATCHES, MAX_ELEMENTS = 16, 20_000
"""What is read of a part of the data at most: enough for a mean, and seconds."""


@dataclass(frozen=True)
class Losses:
    """Mean losses of an element, those with `fresh` of the same network with the weights that it began with, by chance.

    held_out: of the part with this name, over so many `elements`; the task may not be able to give batches of it, then both are None.
    """

    part: str | None
    train: float
    fresh_train: float
    held_out: float | None
    fresh_held_out: float | None
    elements: int = 0

    @property
    def learnt(self) -> float:
        """By how much training has lowered the loss on what it learnt from."""
        return self.fresh_train - self.train

    @property
    def carried_over(self) -> float | None:
        """The share of what was learnt that holds on what was held out too; None where there is nothing to say that by.

        A part may be harder or easier than the other by chance, before and after: of both ways to see that, the one that finds more.
        """
        if self.held_out is None or self.fresh_held_out is None or self.learnt <= 0 or self.elements < MIN_ELEMENTS:
            return None
        return (max(self.fresh_held_out, self.fresh_train) - self.held_out) / self.learnt


def fresh_network(task: Task, seed: int) -> tuple[nn.Module, str | None]:
    """Build the network as a training with this seed finds it, and give what its task says of that; torch's generator stays as it was."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = task.build_network()
    return network, task.initialize(network)


def lanes_alike(task: Task, other: Task, batch: int, seed: int) -> int:
    """Give how many sequences of another part to read side by side, so that lanes are as long as those of the training part.

    A lane begins without anything read, which costs the more the shorter it is. Whole sequences are as long as they are.
    """
    if not isinstance(task, TBPTTTask):
        return batch
    own, others = (each.batch_count(0, batch=1, seed=seed) for each in (task, other))
    return max(1, min(batch, round(batch * others / max(1, own))))


def some_batches(task: Task, batch: int, seed: int) -> Iterable[Any]:
    """Give the first batches of the task's training part."""
    return islice(task.batches(0, batch=batch, seed=seed), MAX_BATCHES)


def mean_loss(task: Task, network: nn.Module, batch: int, seed: int) -> tuple[float, int]:
    """Give the mean loss of an element over some batches, without dropout, and how many elements these have."""
    total, count, carried = 0.0, 0, None
    with torch.random.fork_rng(devices=[]), eval_mode(network):
        torch.manual_seed(seed)  # some losses draw, such as noise or what is masked
        for each in some_batches(task, batch, seed):
            loss, elements, carried = task.loss(network, each, carried)
            total, count = total + float(loss), count + elements
            if count >= MAX_ELEMENTS:
                break
    return total / max(1, count), count
