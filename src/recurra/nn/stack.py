"""Layers of cells on top of each other."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from typing import cast

import torch
from torch import Tensor, nn

from recurra.arguments import checked, explained
from recurra.cells import Cell, CellState, get_cell
from recurra.errors import UsageError
from recurra.kernels import PackedLayer, layer_norm, run_layer
from recurra.nn.dilation import dilated
from recurra.nn.dropout import Dropout, check_share, drop_weight
from recurra.nn.initialise import initialise_layer
from recurra.nn.ragged import padding_mask

State = tuple[CellState, ...]
"""Layer → the cell's states, each (B, H); in both directions L·D entries: layer 0 forward, layer 0 backward, layer 1 forward, …"""


class LayerNorm(nn.LayerNorm):
    """torch's, whose result for a row depends on that row alone in exact mode. x (..., H) → (..., H)."""

    def forward(self, input: Tensor) -> Tensor:
        return layer_norm(input, self.weight, self.bias, self.eps)


class Layer(nn.Module):
    """One cell run over time.

    x (T, B, I), state (one (B, H) each) → outputs (T, B, H), state after the last step.
    `lengths` (B) and `reverse` are those of `kernels.run_layer`: padding is never read, and its outputs are zeros.
    With `dilation` d a step goes on from the state d steps before; the state is then (B, d·H), see `recurra.nn.dilation`.

    >>> layer = Layer(get_cell("gru"), 3, 5)
    >>> y, state = layer(torch.zeros(7, 2, 3), layer.zero_state(2))
    >>> y.shape
    torch.Size([7, 2, 5])
    """

    @checked
    def __init__(
        self,
        cell: type[Cell],
        input_size: int,
        hidden_size: int,
        *,
        weight_dropout: float = 0.0,
        dilation: int = 1,
    ) -> None:
        super().__init__()
        for name, size in (("input_size", input_size), ("hidden_size", hidden_size), ("dilation", dilation)):
            if size < 1:
                raise UsageError(f"{name}: expected a positive integer, got {size}")
        self.cell, self.input_size, self.hidden_size, self.dilation = cell, input_size, hidden_size, dilation
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
        return tuple(weight.new_zeros(batch, self.dilation * self.hidden_size) for _ in self.cell.states)

    @explained
    def forward(
        self, x: Tensor, state: CellState, lengths: Tensor | None = None, *, reverse: bool = False
    ) -> tuple[Tensor, CellState]:
        weights: dict[str, Tensor] = dict(self.named_parameters())
        weights["weight_hh"] = drop_weight(weights["weight_hh"], self.weight_dropout, self.training)

        def run(x: Tensor, state: CellState, lengths: Tensor | None) -> tuple[Tensor, CellState]:
            y, state, _ = run_layer(self.cell, x, state, weights, lengths=lengths, reverse=reverse)
            return y, state

        return run(x, state, lengths) if self.dilation == 1 else dilated(run, x, state, lengths, self.dilation)

    def extra_repr(self) -> str:
        further = f", dilation={self.dilation}" if self.dilation > 1 else ""
        return f"{self.cell.name}, {self.input_size}, {self.hidden_size}, weight_dropout={self.weight_dropout}{further}"


class Stack(nn.Module):
    """Layers on top of each other, with dropout between them.

    x (T, B, I), state, lengths (B) → outputs of the last layer (T, B, D·H), state.  `hidden_sizes` gives H of each layer, the
    first lowest. `weight_dropout` is DropConnect on the recurrent weights. `residual` adds a layer's input to its output where
    the sizes agree. `layer_norm` normalises each layer's output (Ba et al. 2016, arXiv:1607.06450, outside the recurrence).

    `bidirectional` runs a second cell of each layer from the last step to the first (Schuster & Paliwal 1997, DOI
    10.1109/78.650093); both outputs, forward ‖ backward (T, B, 2·H), are what is normalised, added to, dropped and read above.
    The state has an entry for each layer and direction, as torch orders them: layer 0 forward, layer 0 backward, layer 1 …

    `dilations` says for each layer how many steps its recurrence goes back (dilated, in one direction alone).

    With `lengths`, int64 on the CPU, a row's steps past its length do not exist, whatever stands there: its outputs there are
    zeros, its state is the one after its own last step, and no gradient comes from or goes there.
    Raises `UsageError` where sizes, state or lengths do not fit.

    >>> stack = Stack("lstm", 8, [16, 16], dropout=0.1)
    >>> y, state = stack(torch.zeros(7, 2, 8), stack.zero_state(2))
    >>> y.shape, len(state), [s.shape for s in state[0]]
    (torch.Size([7, 2, 16]), 2, [torch.Size([2, 16]), torch.Size([2, 16])])
    >>> stack = Stack("gru", 8, [16], bidirectional=True)
    >>> y, state = stack(torch.ones(7, 2, 8), stack.zero_state(2), torch.tensor([7, 3]))
    >>> y.shape, stack.output_size, len(state), y[3:, 1].abs().max().item()
    (torch.Size([7, 2, 32]), 32, 2, 0.0)
    """

    @checked
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
        bidirectional: bool = False,
        dilations: Sequence[int] = (),
    ) -> None:
        super().__init__()
        if not hidden_sizes:
            raise UsageError("hidden_sizes: expected at least one layer, got none")
        steps_back = list(dilations) or [1] * len(hidden_sizes)
        if len(steps_back) != len(hidden_sizes) or (bidirectional and max(steps_back) > 1):
            expected = f"one for each of {len(hidden_sizes)} layers, in one direction"
            raise UsageError(f"dilations: expected {expected}; got {steps_back}" + ", bidirectional" * bidirectional)
        self.residual, self.bidirectional = residual, bidirectional
        widths = [hidden * (2 if bidirectional else 1) for hidden in hidden_sizes]
        self.output_size = widths[-1]
        kind = get_cell(cell)

        def layers() -> Iterator[Layer]:
            for read, hidden, back in zip([input_size, *widths], hidden_sizes, steps_back, strict=False):
                yield Layer(kind, read, hidden, weight_dropout=weight_dropout, dilation=back)

        self.layers = nn.ModuleList(layers())
        # Of its own, so that the weights of one direction have the same names with and without the other.
        self.backward_layers = nn.ModuleList(layers() if bidirectional else ())
        self.norms = nn.ModuleList(LayerNorm(width) if layer_norm else nn.Identity() for width in widths)
        self.dropout = Dropout(dropout, variational=variational)

    def reset_parameters(self, scheme: str = "orthogonal", gain: float = 1.0, forget_bias: float | None = 1.0) -> None:
        """Draw new weights for all layers; raises `UsageError` for an unknown scheme."""
        for layer in self:
            layer.reset_parameters(scheme, gain, forget_bias)

    def packed_layers(self) -> list[PackedLayer]:
        """Give what `PackedModel` packs: each layer's weights as they are, its norm, and whether its input is added.

        Raises `UsageError` for a stack in both directions: a stream has no last step to come back from.
        """
        if self.bidirectional:
            raise UsageError("module: a stream goes in one direction, and this stack in both; train with one direction")
        if any(layer.dilation > 1 for layer in self):
            raise UsageError("module: a dilated layer cannot be packed; train with dilations of 1")
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
        """The layers in the order of the state: each one's forward direction, then its backward one."""
        directions = [self.layers, self.backward_layers] if self.bidirectional else [self.layers]
        return (cast(Layer, layer) for level in zip(*directions, strict=True) for layer in level)

    def zero_state(self, batch: int) -> State:
        """Give the state that sequences begin in, for a batch of B."""
        return tuple(layer.zero_state(batch) for layer in self)

    @explained
    def forward(self, x: Tensor, state: State, lengths: Tensor | None = None) -> tuple[Tensor, State]:
        directions = 2 if self.bidirectional else 1
        if len(state) != directions * len(self.layers):
            each = "layers and both directions" if self.bidirectional else "layers"
            raise UsageError(f"state: expected one for each of {len(self.layers)} {each}, got {len(state)}")
        new: list[CellState] = []
        steps = iter(zip(self, state, strict=True))
        for index, norm in enumerate(self.norms):
            read = x if index == 0 else self.dropout(x)
            outputs = []
            for direction, (layer, layer_state) in enumerate(itertools.islice(steps, directions)):
                y, after = layer(read, layer_state, lengths, reverse=direction == 1)
                outputs.append(y)
                new.append(after)
            y = norm(outputs[0] if directions == 1 else torch.cat(outputs, 2))
            x = x + y if self.residual and y.shape == x.shape else y
        # A layer writes zeros past a row's end, but a norm adds its bias there, and a residual what came in.
        return x if lengths is None else x.masked_fill(padding_mask(lengths, x), 0), tuple(new)


def map_state(function: Callable[..., Tensor], *states: State) -> State:
    """Apply a function to every tensor of a state (of several states, side by side).

    >>> map_state(lambda t: t + 1, ((torch.zeros(1),),))
    ((tensor([1.]),),)
    """
    return tuple(
        tuple(function(*tensors) for tensors in zip(*layers, strict=True)) for layers in zip(*states, strict=True)
    )
