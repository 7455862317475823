"""What follows a module instead of computing with it: tracers, exporters, and what stands in for a tensor."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.fx import Proxy
from torch.nn.utils.rnn import PackedSequence
from torch.overrides import has_torch_function

_TENSORS_OWN = Tensor.__torch_function__.__func__  # type: ignore[attr-defined]


def is_followed(module: nn.Module, input: Any, hx: Any) -> bool:
    """Tell whether a call is written down by torch.jit.trace, as the older ONNX exporter does, or is made with stand-ins.

    A stand-in has a `__torch_function__` of its own, as a `torch.fx.Proxy` and the weights of `ExpandedWeights` do.

    >>> is_followed(nn.GRU(3, 5), torch.zeros(7, 2, 3), None)
    False
    """
    if torch.compiler.is_compiling():
        return False  # it is given operators of ours
    if torch._C._is_tracing():
        return True
    data = input.data if isinstance(input, PackedSequence) else input
    given = (data, *(hx if isinstance(hx, tuple | list) else (hx,)), *module._parameters.values())
    return has_torch_function(given) and any(map(_stands_in, given))


def is_exported_to_onnx() -> bool:
    """Tell whether the newer ONNX exporter follows, which takes operators of ONNX."""
    return torch.compiler.is_exporting() and torch.onnx.is_in_onnx_export()


def _stands_in(value: Any) -> bool:
    """Tell whether a value takes part in what torch's functions do: a subclass of a tensor that leaves this as it was does not."""
    function = getattr(type(value), "__torch_function__", None)
    if function is None or function is torch._C._disabled_torch_function_impl:
        return False
    return getattr(function, "__func__", None) is not _TENSORS_OWN


def as_leaf(module: nn.Module, input: Any, hx: Any) -> Proxy | None:
    """Give one node that calls a module of torch's, as `torch.fx` makes it of torch's own; None where it is not `torch.fx` that follows."""
    proxies = [value for value in (input, *(hx if isinstance(hx, tuple | list) else (hx,))) if isinstance(value, Proxy)]
    if not proxies:
        return None
    tracer: Any = proxies[0].tracer
    given = (input,) if hx is None else (input, hx)
    return tracer.create_proxy("call_module", tracer.path_of_module(module), given, {})
