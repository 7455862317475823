"""Weights as the engine reads them, kept while exact mode lasts: to pack them for each step costs more than a step of few rows."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence

import torch
from torch import Tensor

MAX_ROWS = 64
"""Rows of all steps of a call up to which it is worth keeping what is packed; many pay for it themselves."""
MAX_BYTES = 1 << 28
"""That are kept, in all."""


class KeptWeights:
    """What has been packed so far, for the tensors that it was packed from as they were.

    A tensor that has been changed since (its version says so) is packed again. Weights are packed for keeping when they are used
    for the second time: a network that is called once has nothing of it.
    """

    def __init__(self) -> None:
        self._versions: dict[Hashable, tuple[int, ...]] = {}
        # With the tensors, so that no other one can have their place.
        self._kept: dict[Hashable, tuple[Tensor, Sequence[Tensor]]] = {}
        self._bytes = 0

    def find(
        self,
        kind: Hashable,
        weights: Sequence[Tensor | None],
        count_bytes: Callable[[], int],
        pack: Callable[[int], object],
    ) -> int:
        """Give the address where weights lie packed; 0: nowhere yet.

        kind: all that, beside the weights, decides how they are packed.  pack: writes so many bytes to an address.
        """
        given = [weight for weight in weights if weight is not None]
        if any(weight.is_inference() or not weight.is_contiguous() for weight in given):
            return 0  # changes of the former have no version, and the latter are copied for each call
        key = kind, *(None if weight is None else (weight.data_ptr(), *weight.shape) for weight in weights)
        versions = tuple(weight._version for weight in given)
        if self._versions.get(key) != versions:
            self._versions[key] = versions
            self._drop(key)
            return 0
        if key not in self._kept:
            size = count_bytes()
            if self._bytes + size > MAX_BYTES:
                return 0
            memory = torch.empty(size, dtype=torch.uint8)
            pack(memory.data_ptr())
            self._bytes += size
            self._kept[key] = memory, given
        return self._kept[key][0].data_ptr()

    def _drop(self, key: Hashable) -> None:
        if key in self._kept:
            self._bytes -= self._kept.pop(key)[0].numel()
