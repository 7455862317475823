"""What a cell is: the equations of one step, and the facts that everything else derives from."""

from __future__ import annotations

import inspect
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Literal, TypeVar

import torch
from torch import Tensor

from recurra.errors import UsageError

CellState = tuple[Tensor, ...]
Activation = Literal["sigmoid", "tanh", "relu"]
ACTIVATIONS: Mapping[Activation, Callable[[Tensor], Tensor]] = {
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
    "relu": torch.relu,
}


@dataclass(frozen=True)
class OnnxOp:
    """The ONNX operator that computes a cell, its own order of the gates, and its attributes."""

    name: str
    gates: tuple[str, ...]
    attributes: dict[str, object] = field(default_factory=dict)


class Cell(ABC):
    """The equations of one step of a recurrence; a subclass is a complete definition and is never instantiated.

    A layer with input size I and hidden size H has

        weight_ih (G·H, I)    weight_hh (G·H, H)    bias_ih (G·H)    bias_hh (G·H)    peephole (P, H), if P > 0

    with the rows of each gate together, in the order of `gates`, as `torch.nn` lays them out. Where the output is projected
    to O numbers by weight_hr (O, H) (Sak et al. 2014, arXiv:1402.1128), h is (B, O) and weight_hh (G·H, O).
    """

    name: ClassVar[str]
    """The word for `--cell`, and the stem of everything about it."""
    title: ClassVar[str]
    gates: ClassVar[tuple[str, ...]]
    symbols: ClassVar[tuple[str, ...]] = ()
    """The letter of each gate in the equations of the docstring."""
    activations: ClassVar[tuple[Activation, ...]] = ()
    """The non-linearity of each gate: what it takes is the sum of the gate's `addends`."""
    states: ClassVar[tuple[str, ...]]
    """What is carried from step to step; the first is the output."""
    peepholes: ClassVar[tuple[str, ...]] = ()
    """Gates that also look at a state through a weight of their own for each unit, in the order of the rows of `peephole`."""
    projectable: ClassVar[bool] = False
    """Whether the output may be projected: `step` does not look at the last output, only at the products with it."""
    torch_mode: ClassVar[str | None] = None
    """The function of `torch._VF` that computes this very cell with torch's own kernels, where there is one."""
    onnx: ClassVar[OnnxOp]

    @staticmethod
    @abstractmethod
    def step(
        xw: Sequence[Tensor], hr: Sequence[Tensor], state: CellState, peephole: Sequence[Tensor]
    ) -> tuple[CellState, tuple[Tensor, ...]]:
        """Advance by one step: pure, pointwise, in any floating type; the truth that kernels are held to.

        xw: G tensors (B, H), W x + b for each gate.  hr: G tensors (B, H), R h + c for each gate.
        state: one (B, H) for each of `states`.  peephole: P tensors (H).
        Returns the new state and the G values of the gates after their non-linearity, each (B, H).
        """

    @classmethod
    def addends(
        cls,
        xw: Sequence[Tensor],
        hr: Sequence[Tensor],
        state: CellState,  # noqa: ARG003  of a cell whose gates see a state, or are scaled by another gate
        peephole: Sequence[Tensor],  # noqa: ARG003
        gates: Sequence[Tensor],  # noqa: ARG003
        after: CellState,  # noqa: ARG003
    ) -> tuple[dict[str, Tensor], ...]:
        """Give for each gate what its non-linearity takes the sum of: "x" by the input, "h" by the last output, "peephole" by a state.

        xw, hr, state, peephole: what `step` was given.  gates, after: the gates and the state that it gave.  Each is linear in
        xw, in hr and in the peepholes, so that products and biases can be followed apart.

        >>> from recurra.cells import RNN
        >>> RNN.addends([torch.ones(1, 1)], [torch.zeros(1, 1)], (torch.zeros(1, 1),), (), (), ())
        ({'x': tensor([[1.]]), 'h': tensor([[0.]])},)
        """
        return tuple({"x": x, "h": h} for x, h in zip(xw, hr, strict=True))

    @classmethod
    def equations(cls) -> list[str]:
        """Give the equations of a step, one each, as the docstring has them.

        >>> from recurra.cells import GRU
        >>> GRU.equations()[-1]
        "h' = (1 − z) ∘ n + z ∘ h"
        """
        lines = [
            line for line in (inspect.getdoc(cls) or "").partition(">>>")[0].splitlines() if line.startswith("    ")
        ]
        return [each for line in lines for each in re.split(r"\s{2,}", line.strip())]

    @classmethod
    def shapes(
        cls, input_size: int, hidden_size: int, *, bias: bool = True, output_size: int | None = None
    ) -> dict[str, tuple[int, ...]]:
        """Give the shape of every parameter of a layer; with `output_size`, of one whose output is projected to it.

        >>> from recurra.cells import LSTM
        >>> LSTM.shapes(3, 5)["weight_ih"]
        (20, 3)
        """
        rows = len(cls.gates) * hidden_size
        shapes: dict[str, tuple[int, ...]] = {
            "weight_ih": (rows, input_size),
            "weight_hh": (rows, hidden_size if output_size is None else output_size),
        }
        if bias:
            shapes |= {"bias_ih": (rows,), "bias_hh": (rows,)}
        if output_size is not None:
            shapes["weight_hr"] = (output_size, hidden_size)
        if cls.peepholes:
            shapes["peephole"] = (len(cls.peepholes), hidden_size)
        return shapes

    @classmethod
    def gate_rows(cls, gate: str, hidden_size: int) -> slice:
        """Give the rows of a weight or bias that belong to one gate."""
        start = cls.gates.index(gate) * hidden_size
        return slice(start, start + hidden_size)


C = TypeVar("C", bound=Cell)

_registry: dict[str, type[Cell]] = {}


def register(cell: type[C]) -> type[C]:
    """Make a cell known under its name; used as a class decorator."""
    if cell.name in _registry:
        raise ValueError(f"a cell named {cell.name!r} is registered already")
    _registry[cell.name] = cell
    return cell


def cell_names() -> list[str]:
    """List the names of all registered cells."""
    return list(_registry)


def get_cell(name: str) -> type[Cell]:
    """Find a cell by its name.

    >>> from recurra.cells import get_cell
    >>> get_cell("gru").gates
    ('reset', 'update', 'candidate')
    """
    if name not in _registry:
        raise UsageError(f"cell: expected one of {', '.join(_registry)}; got {name!r}")
    return _registry[name]
