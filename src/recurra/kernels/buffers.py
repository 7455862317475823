"""Large buffers that a layer keeps from its forward pass to its backward pass, used again by the next.

The system clears every page that it hands out. For what a layer keeps of each step that costs up to a tenth of its time,
and it is written over at once; so buffers are kept when they are given back.
"""

from __future__ import annotations

import threading
from math import prod

import torch
from torch import Tensor

MIN_KEPT_BYTES = 1 << 20
"""Bytes below which the allocator gives memory that has been used before anyway."""
MAX_IDLE_BYTES = 1 << 29
"""Most bytes that lie here unused."""

_idle: list[Tensor] = []
_lock = threading.RLock()  # the garbage collector may give a buffer back while its thread looks for one


class Lease:
    """A buffer for as long as this object lives; nothing may use `tensor` or a view of it after that."""

    def __init__(self, shape: tuple[int, ...], dtype: torch.dtype) -> None:
        size = prod(shape) * dtype.itemsize
        self._buffer = _find(size) if size >= MIN_KEPT_BYTES else None
        if self._buffer is None:
            self.tensor = torch.empty(shape, dtype=dtype)
        else:
            self.tensor = self._buffer[:size].view(dtype).view(shape)

    def __del__(self) -> None:
        if self._buffer is None:
            return
        with _lock:
            if sum(len(buffer) for buffer in _idle) + len(self._buffer) <= MAX_IDLE_BYTES:
                _idle.append(self._buffer)


def _find(size: int) -> Tensor:
    # The latest given back first. One that is far too large is left for others.
    with _lock:
        for index in range(len(_idle) - 1, -1, -1):
            if size <= len(_idle[index]) <= 2 * size:
                return _idle.pop(index)
    return torch.empty(size, dtype=torch.uint8)
