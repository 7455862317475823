"""The one gate in front of every kernel: rank, size, type, device and lengths are right, or the error says what is not."""

from __future__ import annotations

import functools

import torch
from torch import Tensor

from recurra.cells import Cell, CellState
from recurra.errors import TensorError


def check_layer(
    cell: type[Cell], x: Tensor, state: CellState, weights: dict[str, Tensor], lengths: Tensor | None = None
) -> None:
    """Check the arguments of one layer's run over time; raises `UsageError`.

    x: (T, B, I), floating.  state: one (B, H) for each state of the cell.  weights: as `Cell.shapes` lists them.
    lengths: (B), int64 on the CPU, each from 0 to T.
    All are of one type and on one device; autocast alone may mix floating types.
    """
    if x.dim() != 3:
        raise TensorError(f"x: expected 3 dimensions (T, B, I), got {x.dim()} of shape {tuple(x.shape)}")
    if not x.is_floating_point():
        raise TensorError(f"x: expected a floating type, got {x.dtype}; embed integer ids first")
    input_size, hidden_size, output_size = _check_weights(cell, weights, x)
    if x.shape[2] != input_size:
        raise TensorError(f"x: expected {input_size} features, got {x.shape[2]}")
    rows, kind, device = x.shape[1], x.dtype, x.device
    if len(state) != len(cell.states):
        raise TensorError(f"state: {cell.name} carries {', '.join(cell.states)}; got {len(state)} tensors")
    for index, (name, value) in enumerate(zip(cell.states, state, strict=True)):
        wanted = (rows, hidden_size if index else output_size)
        if value.shape != wanted:
            raise TensorError(f"state {name}: expected (B, H) = {wanted}, got {tuple(value.shape)}")
        if value.dtype is not kind or value.device != device:
            _check_kind(f"state {name}", value, x)
    if lengths is not None:
        check_lengths(lengths, x.shape[0], x.shape[1])


def check_lengths(lengths: Tensor, steps: int, batch: int) -> None:
    """Check the lengths of the rows of a batch; raises `UsageError`."""
    if not isinstance(lengths, Tensor) or lengths.dtype != torch.int64 or lengths.device.type != "cpu":
        got = f"{lengths.dtype} on {lengths.device}" if isinstance(lengths, Tensor) else type(lengths).__name__
        raise TensorError(f"lengths: expected an int64 tensor on the CPU, got {got}")
    if tuple(lengths.shape) != (batch,):
        raise TensorError(f"lengths: expected one for each row, shape {(batch,)}, got {tuple(lengths.shape)}")
    wrong = ((lengths < 0) | (lengths > steps)).nonzero()
    if len(wrong):
        row = int(wrong[0])
        raise TensorError(f"lengths: expected each from 0 to T = {steps}, got {int(lengths[row])} for row {row}")


def has_memory(*tensors: Tensor) -> bool:
    """Tell whether the numbers of tensors lie in memory, to be read there, and nobody writes down what is computed.

    False for tensors that stand for others (fake tensors, distributed ones), under a dispatch mode, and while torch.jit or
    the ONNX exporter traces: they follow torch's operators, and would see nothing of what is computed at an address.

    >>> has_memory(torch.zeros(3))
    True
    >>> from torch._subclasses.fake_tensor import FakeTensorMode
    >>> with FakeTensorMode():
    ...     has_memory(torch.zeros(3))
    False
    """
    return (
        not torch._C._len_torch_dispatch_stack()
        and not torch._C._is_tracing()
        and all(
            type(value) in _PLAIN or type(value).__torch_dispatch__ is torch._C._disabled_torch_dispatch_impl
            for value in tensors
        )
    )


_PLAIN = (Tensor, torch.nn.Parameter)


def _check_weights(cell: type[Cell], weights: dict[str, Tensor], x: Tensor) -> tuple[int, int, int]:
    """Check that all weights are there and fit each other; gives I, H and O."""
    biased = "bias_ih" in weights or "bias_hh" in weights  # one without the other is not enough
    projected = "weight_hr" in weights
    if projected and not cell.projectable:
        raise TensorError(f"weights: the outputs of {cell.name} cannot be projected; leave out weight_hr")
    known = _shapes(cell, 1, 1, biased, 1 if projected else None)
    if weights.keys() != known.keys():
        for name in known:
            if name not in weights:
                raise TensorError(f"weights: {cell.name} needs {name}, which is not there")
        unknown = sorted(set(weights) - set(known))
        raise TensorError(f"weights: expected {', '.join(known)} for {cell.name}, got {', '.join(unknown)} too")
    for name in known:
        if name.startswith("weight") and weights[name].dim() != 2:
            raise TensorError(f"{name}: expected 2 dimensions, got shape {tuple(weights[name].shape)}")
    input_size, output_size = weights["weight_ih"].shape[1], weights["weight_hh"].shape[1]
    hidden_size = weights["weight_hr"].shape[1] if projected else output_size
    kind, device = x.dtype, x.device
    wanted = _shapes(cell, input_size, hidden_size, biased, output_size if projected else None)
    for name, shape in wanted.items():
        weight = weights[name]
        if weight.shape != shape:
            raise TensorError(f"{name}: expected shape {shape}, got {tuple(weight.shape)}")
        if weight.dtype is not kind or weight.device != device:
            _check_kind(name, weight, x)
    return input_size, hidden_size, output_size


@functools.lru_cache(maxsize=256)
def _shapes(
    cell: type[Cell], input_size: int, hidden_size: int, biased: bool, output_size: int | None
) -> dict[str, tuple[int, ...]]:
    """`Cell.shapes`, made once for each size: a stream asks at every step. Not to be written to."""
    return cell.shapes(input_size, hidden_size, bias=biased, output_size=output_size)


def _check_kind(name: str, value: Tensor, x: Tensor) -> None:
    if value.device != x.device:
        raise TensorError(f"{name}: is on {value.device} but x on {x.device}; move one of them")
    if value.dtype != x.dtype and not (_mixes(x.device.type) and _is_mixed(value) and _is_mixed(x)):
        raise TensorError(f"{name}: is {value.dtype} but x {x.dtype}; convert one of them, or use torch.autocast")


def _mixes(device: str) -> bool:
    return torch.amp.is_autocast_available(device) and torch.is_autocast_enabled(device)


def _is_mixed(value: Tensor) -> bool:
    """Autocast converts every floating type but float64."""
    return value.is_floating_point() and value.dtype != torch.float64
