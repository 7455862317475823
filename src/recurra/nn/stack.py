"""Layers of cells on top of each other."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from typing import cast

import torch
from torch import Tensor, nn

from recurra.cells import Cell, CellState, get_cell
from recurra.errors import UsageError
from recurra.kernels import PackedLayer, layer_norm, run_layer
from recurra.nn.dropout import Dropout, check_share, drop_weight
from recurra.nn.initialise import initialise_layer

State = tuple[CellState, ...]
"""Layer → the cell's states, each (B, H)."""


class LayerNorm(nn.LayerNorm):
    """torch's, whose result for a row depends on that row alone in exact mode. x (..., H) → (..., H)."""

    def forward(self, input: Tensor) -> Tensor:
        return layer_norm(input, self.weight, self.bias, self.eps)


class Layer(nn.Module):
    """One cell run over time.

    x (T, B, I), state (one (B, H) each) → outputs (T, B, H), state after the last step.

    >>> layer = Layer(get_cell("gru"), 3, 5)
    >>> y, state = layer(torch.zeros(7, 2, 3), layer.zero_state(2))
    >>> y.shape
    torch.Size([7, 2, 5])
    """

    def __init__(self, cell: type[Cell], input_size: int, hidden_size: int, *, weight_dropout: float = 0.0) -> None:
        super().__init__()
        for name, size in (("input_size", input_size), ("hidden_size", hidden_size)):
            if size < 1:
                raise UsageError(f"{name}: expected a positive integer, got {size}")
        self.cell, self.input_size, self.hidden_size = cell, input_size, hidden_size
        self.weight_dropout = check_share("weight_dropout", weight_dropout)
        for name, shape in cell.shapes(input_size, hidden_size).items():
            self.register_parameter(name, nn.Parameter(torch.empty(shape)))
        self.reset_parameters()

    def reset_parameters(self, scheme: str = "orthogonal", gain: float = 1.0, forget_bias: float | None = 1.0) -> None:
        """Draw new weights; see `recurra.nn.initialise`. Raises `UsageError` for an unknown scheme."""
        initialise_layer(self.cell, dict(self.named_parameters()), scheme, gain, forget_bias)

    def zero_state(self, batch: int) -> CellState:
        """Give the state that a sequence begins in: zeros (B, H) for each of the cell's states."""
        weight = self.get_parameter("weight_hh")
        return tuple(weight.new_zeros(batch, self.hidden_size) for _ in self.cell.states)

    def forward(self, x: Tensor, state: CellState) -> tuple[Tensor, CellState]:
        weights: dict[str, Tensor] = dict(self.named_parameters())
        weights["weight_hh"] = drop_weight(weights["weight_hh"], self.weight_dropout, self.training)
        y, state, _ = run_layer(self.cell, x, state, weights)
        return y, state

    def extra_repr(self) -> str:
        return f"{self.cell.name}, {self.input_size}, {self.hidden_size}, weight_dropout={self.weight_dropout}"


class Stack(nn.Module):
    """Layers on top of each other, with dropout between them.

    x (T, B, I), state → outputs of the last layer (T, B, H), state.  `hidden_sizes` gives H of each layer, the first lowest.
    `weight_dropout` is DropConnect on the recurrent weights. `residual` adds a layer's input to its output where the sizes agree.
    `layer_norm` normalises each layer's output (Ba et al. 2016, arXiv:1607.06450, applied outside the recurrence).

    >>> stack = Stack("lstm", 8, [16, 16], dropout=0.1)
    >>> y, state = stack(torch.zeros(7, 2, 8), stack.zero_state(2))
    >>> y.shape, len(state), [s.shape for s in state[0]]
    (torch.Size([7, 2, 16]), 2, [torch.Size([2, 16]), torch.Size([2, 16])])
    """

    def __init__(
        self,
        cell: str,
        input_size: int,
        hidden_sizes: Sequence[int],
        *,
        dropout: float = 0.0,
        variational: bool = False,
        weight_dropout: float = 0.0,
        residual: bool = False,
        layer_norm: bool = False,
    ) -> None:
        super().__init__()
        if not hidden_sizes:
            raise UsageError("hidden_sizes: expected at least one layer, got none")
        self.residual = residual
        sizes = [input_size, *hidden_sizes]
        kind = get_cell(cell)
        self.layers = nn.ModuleList(Layer(kind, i, h, weight_dropout=weight_dropout) for i, h in pairwise(sizes))
        self.norms = nn.ModuleList(LayerNorm(h) if layer_norm else nn.Identity() for h in hidden_sizes)
        self.dropout = Dropout(dropout, variational=variational)

    def reset_parameters(self, scheme: str = "orthogonal", gain: float = 1.0, forget_bias: float | None = 1.0) -> None:
        """Draw new weights for all layers; raises `UsageError` for an unknown scheme."""
        for layer in self:
            layer.reset_parameters(scheme, gain, forget_bias)

    def packed_layers(self) -> list[PackedLayer]:
        """Give what `PackedModel` packs: each layer's weights as they are, its norm, and whether its input is added."""
        return [
            PackedLayer(
                layer.cell,
                dict(layer.named_parameters()),
                (norm.weight, norm.bias, norm.eps) if isinstance(norm, nn.LayerNorm) else None,
                self.residual,
            )
            for layer, norm in zip(self, self.norms, strict=True)
        ]

    def __iter__(self) -> Iterator[Layer]:
        return iter(cast(list[Layer], list(self.layers)))

    def zero_state(self, batch: int) -> State:
        """Give the state that sequences begin in, for a batch of B."""
        return tuple(layer.zero_state(batch) for layer in self)

    def forward(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        if len(state) != len(self.layers):
            raise UsageError(f"state: expected one for each of {len(self.layers)} layers, got {len(state)}")
        new = []
        for index, (layer, norm, layer_state) in enumerate(zip(self, self.norms, state, strict=True)):
            y, layer_state = layer(x if index == 0 else self.dropout(x), layer_state)
            y = norm(y)
            x = x + y if self.residual and y.shape == x.shape else y
            new.append(layer_state)
        return x, tuple(new)


def map_state(function: Callable[..., Tensor], *states: State) -> State:
    """Apply a function to every tensor of a state (of several states, side by side).

    >>> map_state(lambda t: t + 1, ((torch.zeros(1),),))
    ((tensor([1.]),),)
    """
    return tuple(
        tuple(function(*tensors) for tensors in zip(*layers, strict=True)) for layers in zip(*states, strict=True)
    )
