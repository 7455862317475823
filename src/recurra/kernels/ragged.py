"""Rows of different lengths as one piece without padding, step by step, the longest row first."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from recurra.cells import CellState


@dataclass(frozen=True)
class Packing:
    """Where the N steps that exist lie among the T·B of a padded batch, in the order in which they are computed.

    sizes: how many rows are still running at each step.  order: (B), the rows from the longest to the shortest.
    places: (N), of each step that is computed, its place in (T·B).
    """

    sizes: list[int]
    order: Tensor
    places: Tensor
    shape: tuple[int, int]

    @classmethod
    def of(cls, x: Tensor, lengths: Tensor, *, reverse: bool) -> Packing:
        """Lay out a batch (T, B, I) by the lengths (B) of its rows; `reverse` computes each row from its own last step.

        >>> packing = Packing.of(torch.zeros(3, 2, 1), torch.tensor([1, 3]), reverse=False)
        >>> packing.sizes, packing.order.tolist(), packing.places.tolist()
        ([2, 1, 1], [1, 0], [1, 0, 3, 5])
        """
        ordered, order = lengths.sort(descending=True, stable=True)
        steps = torch.arange(int(ordered[0]) if len(ordered) else 0).unsqueeze(1)  # (longest, 1)
        running = steps < ordered  # (longest, B)
        times = ordered - 1 - steps if reverse else steps
        places = (times * len(order) + order)[running]
        sizes = running.sum(1).tolist()
        return cls(sizes, order.to(x.device), places.to(x.device), (x.shape[0], x.shape[1]))

    def pack(self, x: Tensor) -> Tensor:
        """Take the steps that exist: (T, B, ...) → (N, ...)."""
        return x.flatten(0, 1).index_select(0, self.places)

    def unpack(self, data: Tensor) -> Tensor:
        """Put the steps back in their places, zeros where there is none: (N, ...) → (T, B, ...)."""
        steps, batch = self.shape
        padded = data.new_zeros(steps * batch, *data.shape[1:])
        return padded.index_copy(0, self.places, data).unflatten(0, (steps, batch))

    def sort(self, state: CellState) -> CellState:
        """Put the rows of a state in the order in which they are computed."""
        return tuple(value.index_select(0, self.order) for value in state)

    def unsort(self, state: CellState) -> CellState:
        """Put the rows of a state back."""
        back = self.order.argsort()
        return tuple(value.index_select(0, back) for value in state)
