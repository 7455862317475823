"""RNN, LSTM, GravesLSTM and GRU: what `torch.nn` has under these names, and more, over Recurra's kernels."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch._C._dynamo.eval_frame import get_eval_frame_callback
from torch.nn.utils.rnn import PackedSequence

from recurra import cells
from recurra.cells import Cell, CellState
from recurra.errors import ArgumentValueError, TensorError
from recurra.kernels import check_layer, run_layer
from recurra.nn.batch import Batch
from recurra.nn.followed import as_leaf, is_exported_to_onnx, is_followed
from recurra.nn.onnx_graph import has_node, layer_node
from recurra.nn.options import placement, read_options, refuse_projection

# torch's word for a cell → the cell.
_CELLS: dict[str, type[Cell]] = {
    "RNN_TANH": cells.RNN,
    "RNN_RELU": cells.ReluRNN,
    "LSTM": cells.LSTM,
    "GRAVES_LSTM": cells.GravesLSTM,
    "GRU": cells.GRU,
}


class Recurrent(nn.RNNBase):
    """What the four have in common: layers on top of each other, in one or two directions, over `kernels.run_layer`.

    It has no attributes but torch's own, so that a module of torch becomes one of these by its class alone.
    """

    @property
    def cell(self) -> type[Cell]:
        """The cell that is run."""
        return _CELLS[self.mode]

    def forward(
        self,
        input: Tensor | PackedSequence,
        hx: Tensor | CellState | None = None,
        # By name, as a rule; the ONNX exporter calls with every argument in its place.
        lengths: Sequence[int] | Tensor | None = None,
        return_gates: bool = False,
    ) -> Any:
        """Run over sequences; called as torch's module is.

        input: (T, B, I), (B, T, I) with `batch_first`, (T, I) for one sequence, or a PackedSequence.
        hx: the state to begin in, (L·D, B, H) each, (L·D, H) for one sequence; zeros when left out.
        lengths: (B), each from 0 to T: padding past them is never read, outputs there are zeros, and the state is the one
        after each row's own last step; a row of length 0 keeps the state that it began in.
        return_gates: a third result, for each layer and direction in the order of the state, the values of the gates after
        their non-linearity: (T, B, G, H) in the order of `cell.gates`, laid out as the input is.

        Returns the outputs of the last layer, (T, B, D·H) laid out as the input, and the state after the last step.
        Raises `UsageError` where ranks, shapes, types, devices or lengths do not fit.
        """
        if lengths is None and not return_gates and self.cell.torch_mode is not None and is_followed(self, input, hx):
            leaf = as_leaf(self, input, hx)
            return super().forward(input, hx) if leaf is None else leaf
        # Where `torch._dynamo.config.allow_rnn` lets the compiler in, a padded batch is an operator for each layer; all else is run outside.
        compiled = torch.compiler.is_compiling()
        fits = isinstance(input, Tensor) and lengths is None and not return_gates
        if (compiled and not fits) or (not compiled and get_eval_frame_callback() is not None):
            return _run_outside_compiler(self, input, hx, lengths, return_gates)
        return self._run(input, hx, lengths, return_gates)

    def _run(self, input: Any, hx: Any, lengths: Any, return_gates: bool) -> Any:
        batch = Batch.of(input, lengths, batch_first=self.batch_first, features=self.input_size)
        state = self._read_state(hx, batch)
        if lengths is None and not return_gates and self._has_one_kernel(batch.x):
            check_layer(self.cell, batch.x, tuple(value[0] for value in state), self._layer_weights(0), batch.lengths)
            return super().forward(input, hx)
        x, directions = batch.x, 2 if self.bidirectional else 1
        layers = self.num_layers * directions
        initial = list(zip(*(value.unbind(0) for value in state), strict=True))  # layer and direction → its state
        onnx = is_exported_to_onnx() and not return_gates
        gates: list[Tensor] = []
        final: list[CellState] = []
        for layer in range(self.num_layers):
            if layer and self.dropout:
                x = F.dropout(x, self.dropout, self.training)
            at = [layer * directions + direction for direction in range(directions)]
            weights = [self._layer_weights(index) for index in at]
            if onnx and has_node(self.cell.name, weights[0]):
                x, ends = layer_node(self.cell.name, x, [initial[index] for index in at], weights, batch.lengths)
                final += ends
                continue
            sides = []
            for direction, index in enumerate(at):
                y, end, values = run_layer(
                    self.cell,
                    x,
                    initial[index],
                    weights[direction],
                    lengths=batch.lengths,
                    reverse=direction == 1,
                    return_gates=return_gates,
                )
                sides.append(y)
                final.append(end)
                if values is not None:
                    gates.append(values)
            x = torch.cat(sides, -1) if directions > 1 else sides[0]
        y = batch.in_kind(
            x if (kind := batch.output_type(self.mode, projected=bool(self.proj_size))) is x.dtype else x.to(kind)
        )
        stacked = (torch.stack(parts) if layers > 1 else parts[0].unsqueeze(0) for parts in zip(*final, strict=True))
        end = tuple(batch.give_state(value) for value in stacked)
        hn = end if len(end) > 1 else end[0]
        return (y, hn, [batch.in_kind(values) for values in gates]) if return_gates else (y, hn)

    def _has_one_kernel(self, x: Tensor) -> bool:
        """Tell whether torch has one kernel for all layers together, as cuDNN does; it runs over nothing nowhere."""
        return x.device.type != "cpu" and self.cell.torch_mode is not None and x.numel() > 0

    def _layer_weights(self, index: int) -> dict[str, Tensor]:
        """Give the weights of one layer and direction by the names of `Cell.shapes`, as they are now, computed or not."""
        given, plain = self._parameters, _plain if torch.compiler.is_compiling() else _known_plain
        return {
            plain(name): getattr(self, name) if (weight := given.get(name)) is None else weight
            for name in self._all_weights[index]
        }

    def _read_state(self, hx: Any, batch: Batch) -> CellState:
        """Give the state to begin in, (L·D, B, F) each; raises `UsageError` unless there is just what the cell carries."""
        names, layers = self.cell.states, len(self._all_weights)
        widths = [self.proj_size or self.hidden_size, *[self.hidden_size] * (len(names) - 1)]
        shapes = [(layers, *batch.rows, width) for width in widths]
        if hx is None:
            weight = getattr(self, self._all_weights[0][0])
            zeros = (batch.x.new_zeros(shape, dtype=weight.dtype) for shape in shapes)
            return tuple(value.unsqueeze(1) if batch.unbatched else value for value in zeros)
        given = (hx,) if len(names) == 1 else hx
        tensors = isinstance(given, tuple | list) and all(isinstance(value, Tensor) for value in given)
        if not tensors or [value.shape for value in given] != shapes:
            wanted = " and ".join(f"{name}_0 {shape}" for name, shape in zip(names, shapes, strict=True))
            got = " and ".join(str(tuple(value.shape)) for value in given) if tensors else type(hx).__name__
            raise TensorError(f"hx: expected {wanted}, got {got}")
        return tuple(batch.take_state(value) for value in given)


def _plain(name: str) -> str:
    """The name of a parameter without its layer and direction, as `Cell.shapes` has it."""
    return name.rsplit("_l", 1)[0]


_known_plain = functools.cache(_plain)


# It loads the compiler when it is called, and is called only where that is loaded.
_run_outside_compiler = torch._disable_dynamo(Recurrent._run)


class RNN(Recurrent, nn.RNN):
    """Simple recurrent network, in place of `torch.nn.RNN`: the same arguments, weights, calls and results.

    nonlinearity: "tanh" or "relu".  L = num_layers, D = 2 with `bidirectional`.  Weights as in `torch.nn`:
    weight_ih_l{k} (H, I), weight_hh_l{k} (H, H), bias_ih_l{k} (H), bias_hh_l{k} (H), and the same with `_reverse`.
    Raises `UsageError` for arguments that make no module.

    >>> y, h = RNN(3, 5, num_layers=2, nonlinearity="relu")(torch.zeros(7, 2, 3))
    >>> y.shape, h.shape
    (torch.Size([7, 2, 5]), torch.Size([2, 2, 5]))
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        nonlinearity: str = "tanh",
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        device: Any = None,
        dtype: torch.dtype | None = None,
        *,
        proj_size: int = 0,
    ) -> None:
        refuse_projection(proj_size)
        if nonlinearity not in ("tanh", "relu"):
            raise ArgumentValueError(f"nonlinearity: expected tanh or relu, got {nonlinearity!r}")
        options = read_options(input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional)
        super().__init__(**options, nonlinearity=nonlinearity, **placement(device, dtype))


class LSTM(Recurrent, nn.LSTM):
    """Long short-term memory, in place of `torch.nn.LSTM`: the same arguments, weights, calls and results.

    proj_size: O, the width that outputs are projected to, 0 for none.  Weights as in `torch.nn`: weight_ih_l{k} (4H, I),
    weight_hh_l{k} (4H, O or H), bias_ih_l{k} (4H), bias_hh_l{k} (4H), weight_hr_l{k} (O, H), and the same with `_reverse`.
    Raises `UsageError` for arguments that make no module.

    >>> lstm = LSTM(3, 5, batch_first=True, bidirectional=True)
    >>> y, (h, c) = lstm(torch.zeros(2, 7, 3), lengths=[7, 4])
    >>> y.shape, h.shape, bool(y[1, 4:].any())
    (torch.Size([2, 7, 10]), torch.Size([2, 2, 5]), False)
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        proj_size: int = 0,
        device: Any = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        given = input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional, proj_size
        super().__init__(**read_options(*given), **placement(device, dtype))


class GravesLSTM(Recurrent):
    """LSTM with peepholes (Graves 2013, arXiv:1308.0850), called as `LSTM` is.

    Its weights are those of `LSTM`, then peephole_l{k} (3, H): what the input, the forget and the output gate see of the memory.
    Raises `UsageError` for arguments that make no module.

    >>> lstm = GravesLSTM(3, 5)
    >>> y, (h, c), (gates,) = lstm(torch.zeros(7, 2, 3), return_gates=True)
    >>> gates.shape, lstm.cell.gates, lstm.peephole_l0.shape
    (torch.Size([7, 2, 4, 5]), ('input', 'forget', 'candidate', 'output'), torch.Size([3, 5]))
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        proj_size: int = 0,
        device: Any = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        given = input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional, proj_size
        options, placed = read_options(*given), placement(device, dtype)
        super().__init__("LSTM", **options, **placed)
        self.mode = "GRAVES_LSTM"
        bound = 1 / math.sqrt(hidden_size)
        for names in self._all_weights:
            name = names[0].replace("weight_ih", "peephole")
            shape = (len(self.cell.peepholes), hidden_size)
            peephole = nn.Parameter(torch.empty(shape, **placed).uniform_(-bound, bound))
            self.register_parameter(name, peephole)
            names.append(name)
            self._flat_weights_names.append(name)
        self._init_flat_weights()

    def flatten_parameters(self) -> None:
        """Do nothing: cuDNN, whose buffer this is for, has no peepholes."""


class GRU(Recurrent, nn.GRU):
    """Gated recurrent unit, in place of `torch.nn.GRU`: the same arguments, weights, calls and results.

    Weights as in `torch.nn`: weight_ih_l{k} (3H, I), weight_hh_l{k} (3H, H), bias_ih_l{k} (3H), bias_hh_l{k} (3H), and the
    same with `_reverse`.
    Raises `UsageError` for arguments that make no module.

    >>> gru = GRU(3, 5)
    >>> _ = gru.load_state_dict(nn.GRU(3, 5).state_dict())
    >>> y, h = gru(torch.zeros(7, 2, 3))
    >>> y.shape, isinstance(gru, nn.GRU)
    (torch.Size([7, 2, 5]), True)
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        device: Any = None,
        dtype: torch.dtype | None = None,
        *,
        proj_size: int = 0,
    ) -> None:
        refuse_projection(proj_size)
        options = read_options(input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional)
        super().__init__(**options, **placement(device, dtype))
