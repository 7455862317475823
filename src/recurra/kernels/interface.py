"""What every kernel takes, and what it gives."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from torch import Tensor

from recurra.cells import Cell, CellState


class LayerOutput(NamedTuple):
    """What a layer gives when it is run over time.

    y: (T, B, O), zeros past a row's length.  state: as it came in, after each row's own last step.
    gates: (T, B, G, H) after their non-linearity, in the order of `Cell.gates`, zeros past a row's length; None unless asked for.
    """

    y: Tensor
    state: CellState
    gates: Tensor | None = None


Kernel = Callable[[type[Cell], Tensor, CellState, dict[str, Tensor], Tensor | None, bool, bool], LayerOutput | None]
"""(cell, x, state, weights, lengths, reverse, return_gates), checked already → the output, or None where a kernel does not
compute just this and the next is to be tried."""
