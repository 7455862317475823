"""Exact mode: a row's result does not depend on what is computed beside it.

The engine adds up each sum in one chain, whatever the batch, the blocks and the number of threads. What stands around the
recurrence (an output layer, a normalisation) torch computes in an order that depends on the size of the batch; in exact
mode the engine computes that too.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from contextvars import ContextVar

import torch
import torch.nn.functional as F
from torch import Tensor

from recurra.arguments import checked
from recurra.errors import UsageError
from recurra.kernels.checks import has_memory
from recurra.kernels.kept import MAX_ROWS, KeptWeights
from recurra.kernels.native import describe, engine

_active: ContextVar[KeptWeights | None] = ContextVar("exact", default=None)


@checked
@contextlib.contextmanager
def exact(*, required: bool = True) -> Iterator[None]:
    """Compute in exact mode: float32 on the CPU, without gradients, by the native engine.

    Inside, the result for a sequence is the same bit for bit alone or in any batch, padded or not, streamed or whole, with
    any number of threads. `score`, `evaluate` and streams use it by themselves where the engine is there.
    Weights are packed once for the steps of few rows inside; one that is changed in place is seen, but for a change by way of
    `Tensor.data`, which torch does not tell of.
    Raises `UsageError` where it is not; with `required=False` torch computes as it does otherwise.

    >>> import torch
    >>> from recurra.nn import Stack
    >>> from recurra.kernels.native import engine
    >>> stack, x = Stack("gru", 3, [5]), torch.randn(7, 9, 3)
    >>> with exact(required=engine() is not None), torch.inference_mode():
    ...     together, _ = stack(x, stack.zero_state(9))
    ...     alone, _ = stack(x[:, 4:5], stack.zero_state(1))
    >>> engine() is None or torch.equal(together[:, 4:5], alone)
    True
    """
    if required and engine() is None:
        raise UsageError(f"exact mode needs the native engine, and here computes {describe()}")
    token = _active.set((_active.get() or KeptWeights()) if engine() is not None else None)
    try:
        yield
    finally:
        _active.reset(token)


def is_exact() -> bool:
    """Whether exact mode is on."""
    return _active.get() is not None


def kept_weights(rows: int) -> KeptWeights | None:
    """Give the weights that are kept, for a call of so many rows; None where they are not."""
    return _active.get() if rows <= MAX_ROWS and not torch.is_grad_enabled() else None


def linear(x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """Give x W^T + b: x (..., K), weight (N, K), bias (N) → (..., N); by the engine in exact mode, else by torch."""
    native = engine()
    if native is None or not _applies(x, weight):
        return F.linear(x, weight, bias)
    y = x.new_empty(*x.shape[:-1], weight.shape[0])
    count, packed = y.numel() // max(1, weight.shape[0]), 0
    if (kept := kept_weights(count)) is not None:
        packed = kept.find(
            "linear",
            [weight],
            lambda: native.pack_linear_bytes(*weight.shape),
            lambda memory: native.pack_linear(*weight.shape, weight.data_ptr(), memory),
        )
    rows, weight = x.contiguous(), weight.contiguous()
    address = 0 if bias is None else bias.contiguous().data_ptr()
    sizes, from_ = (count, *weight.shape), (weight.data_ptr(), packed)
    if not native.linear(*sizes, rows.data_ptr(), from_, address, y.data_ptr(), torch.get_num_threads()):
        raise MemoryError("the native engine found no memory for a linear layer")
    return y


def layer_norm(x: Tensor, weight: Tensor, bias: Tensor, eps: float) -> Tensor:
    """Normalise the last dimension, x (..., H), weight and bias (H); by the engine in exact mode, else by torch."""
    native = engine()
    if native is None or not _applies(x, weight):
        return F.layer_norm(x, weight.shape, weight, bias, eps)
    rows, y = x.contiguous(), torch.empty_like(x, memory_format=torch.contiguous_format)
    given = weight.contiguous(), bias.contiguous()
    count = x.numel() // max(1, x.shape[-1])
    native.normalise(count, x.shape[-1], rows.data_ptr(), *(part.data_ptr() for part in given), eps, y.data_ptr())
    return y


def _applies(x: Tensor, weight: Tensor) -> bool:
    return (
        is_exact()
        and x.device.type == weight.device.type == "cpu"
        and x.dtype == weight.dtype == torch.float32
        and not torch.is_autocast_enabled("cpu")
        and not (torch.is_grad_enabled() and (x.requires_grad or weight.requires_grad))
        and has_memory(x, weight)
    )
