"""A training step of a module, and the modules that are set against each other."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from recurra.benchmark.case import Shape
from recurra.cells import get_cell
from recurra.nn import GRU, LSTM, RNN, GravesLSTM

OURS: dict[str, Callable[..., nn.Module]] = {
    "lstm": LSTM,
    "gru": GRU,
    "rnn": RNN,
    "rnn-relu": partial(RNN, nonlinearity="relu"),
    "graves-lstm": GravesLSTM,
}
PEERS: dict[str, Callable[..., nn.Module]] = {
    "lstm": nn.LSTM,
    "gru": nn.GRU,
    "rnn_tanh": nn.RNN,
    "rnn_relu": partial(nn.RNN, nonlinearity="relu"),
}
"""The module of torch.nn for each of the modes that a `Cell` names as `torch_mode`."""


def module_pair(cell: str, shape: Shape) -> tuple[nn.Module, nn.Module | None]:
    """Give our module and torch's, of the same weights; None where torch has no such cell."""
    ours = OURS[cell](shape.I, shape.H, shape.L)
    mode = get_cell(cell).torch_mode
    if mode is None:
        return ours, None
    peer = PEERS[mode](shape.I, shape.H, shape.L)
    peer.load_state_dict(ours.state_dict())
    return ours, peer


class TrainingStep:
    """One forward and backward pass, with gradients for the input as below another layer.

    forward: x → the outputs, whose gradient is given: the same numbers to all contestants.
    """

    def __init__(
        self, module: nn.Module, forward: Callable[[Tensor], Tensor], x: Tensor, gradient: Tensor, precision: str
    ) -> None:
        self._module, self._forward, self._gradient, self._mixed = module, forward, gradient, precision == "bfloat16"
        self._x = x.clone().requires_grad_()

    def __call__(self) -> Tensor:
        self._x.grad = None
        self._module.zero_grad(set_to_none=True)
        with torch.autocast("cpu", torch.bfloat16) if self._mixed else contextlib.nullcontext():
            y = self._forward(self._x)
        y.backward(self._gradient.to(y.dtype))
        return y

    def results(self) -> dict[str, Tensor]:
        """Run once: the outputs, and the gradients of the input and of every weight."""
        y = self()
        grads: dict[str, Any] = {"input": self._x.grad, **{n: p.grad for n, p in self._module.named_parameters()}}
        return {"output": y.detach(), **{name: grad for name, grad in grads.items() if grad is not None}}


def furthest(given: dict[str, Tensor], truth: dict[str, Tensor]) -> float:
    """How far results lie from others: of each tensor that both have, the greatest difference over the greatest size.

    >>> furthest({"y": torch.tensor([1.0, 3.0])}, {"y": torch.tensor([1.0, 4.0])})
    0.25
    """
    apart: Sequence[float] = [
        float((given[name].float() - value.float()).abs().max() / value.float().abs().max().clamp(min=1e-30))
        for name, value in truth.items()
        if name in given
    ]
    return float("nan") if any(distance != distance for distance in apart) else max(apart)
