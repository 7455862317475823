"""Tasks whose sequences are too long to be learnt from as a whole: lanes read on, window by window, with the state carried."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from typing import Any, Generic, TypeVar, cast

import torch
from torch import Tensor, nn

from recurra.data.tbptt import Windows
from recurra.nn import State, map_state
from recurra.tasks.base.predictor import ConfigT
from recurra.tasks.base.task import CarriedState, DatasetT, Task

BatchT = TypeVar("BatchT")


class TBPTTTask(Task[ConfigT, DatasetT], Generic[ConfigT, DatasetT, BatchT]):
    """A task that is learnt by truncated back-propagation through time.

    A batch says in `reset`, (B) bool, which lanes begin a sequence with it; the network gives their state by `zero_state`.
    """

    def __init__(self, config: ConfigT) -> None:
        super().__init__(config)
        self._windows: dict[tuple[int, int], Windows[BatchT]] = {}

    @abstractmethod
    def make_windows(self, batch: int, seed: int) -> Windows[BatchT]:
        """Cut the training data into windows of so many lanes."""

    @abstractmethod
    def window_loss(self, network: nn.Module, window: BatchT, state: State) -> tuple[Tensor, int, State]:
        """Give the summed loss of a window that is read from a state, over how many elements it is summed, and the state after."""

    def windows(self, batch: int, seed: int) -> Windows[BatchT]:
        """Give the windows of so many lanes, which are made once."""
        if (batch, seed) not in self._windows:
            self._windows[batch, seed] = self.make_windows(batch, seed)
        return self._windows[batch, seed]

    def batches(self, epoch: int, *, batch: int, seed: int, start: int = 0) -> Iterator[BatchT]:
        return self.windows(batch, seed).epoch(epoch, start)

    def batch_count(self, epoch: int, *, batch: int, seed: int) -> int:
        return self.windows(batch, seed).count(epoch)

    def loss(self, network: nn.Module, batch: Any, carried: CarriedState) -> tuple[Tensor, int, CarriedState]:
        reset = batch.reset
        state: State = cast(Any, network).zero_state(len(reset))
        if carried is not None:
            keep = (~reset).to(next(network.parameters()).device).unsqueeze(-1)
            state = map_state(lambda old, zero: torch.where(keep, old, zero), carried, state)
        loss, count, state = self.window_loss(network, batch, state)
        # Back-propagation ends at the window's edge; the state itself goes on.
        return loss, count, map_state(Tensor.detach, state)
