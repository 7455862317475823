"""How far back a gradient reaches in each layer: the derivative of its last state by the one k steps before."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from recurra.explain.diagnosis.activity import LayerActivity
from recurra.explain.replay import Call
from recurra.kernels import run_layer
from recurra.nn import Layer

MAX_LAGS = 200
"""Steps that are looked back: each takes a step of the cell and its gradient."""
MAX_ROWS = 16
LEFT = 0.05
"""Share of the gradient at which it counts as vanished."""


@dataclass(frozen=True)
class LagCurve:
    """norms: of the gradient of the last output by the state k steps before, k = 0 … K, one divided by that of k = 0."""

    name: str
    norms: list[float]

    @property
    def reach(self) -> int | None:
        """The first lag with less than 5 % left; None where more is left at all of them."""
        return next((lag for lag, norm in enumerate(self.norms) if norm < LEFT), None)

    @property
    def growth(self) -> float:
        """The largest norm."""
        return max(self.norms)


def lag_curve(activity: LayerActivity) -> LagCurve | None:
    """Measure how the gradient of a layer's last output falls with the lag; None where there are less than two steps, or dilated ones.

    The output is weighed by a random sign for each unit and row, so that the norm is that of the derivative itself on average.
    """
    call, layer = activity.first, activity.layer
    if call is None or layer.dilation > 1:
        return None
    x, state = _rows(call)
    lags = min(MAX_LAGS, len(x) - 1)
    if lags < 1 or not x.shape[1]:
        return None
    weights = {name: weight.detach() for name, weight in layer.named_parameters()}
    with torch.no_grad():
        if before := len(x) - lags - 1:
            _, state, _ = run_layer(layer.cell, x[:before], state, weights)
    with torch.enable_grad():
        states = _unroll(layer, x[-lags - 1 :], state, weights)
        last = states[-1][0]
        signs = torch.randint(0, 2, last.shape, generator=torch.Generator().manual_seed(0)).to(last) * 2 - 1
        flat = [tensor for one in states for tensor in one]
        gradients = torch.autograd.grad((last * signs).sum(), flat, allow_unused=True)
    per_state = len(states[0])
    squares = [0.0 if gradient is None else float((gradient.double() ** 2).sum()) for gradient in gradients]
    norms = [sum(squares[at : at + per_state]) ** 0.5 for at in range(0, len(squares), per_state)][::-1]
    return LagCurve(activity.name, [norm / norms[0] for norm in norms]) if norms[0] > 0 else None


def _rows(call: Call) -> tuple[Tensor, tuple[Tensor, ...]]:
    """Give a few rows that have all steps, (T, B, I), in the order in which they are read, and their states."""
    x, rows = call.x.detach().clone(), torch.arange(call.x.shape[1])
    if call.lengths is not None:
        rows = rows[call.lengths.cpu() == len(x)]
    rows = rows[:MAX_ROWS].to(x.device)
    x = x[:, rows].float()
    return (x.flip(0) if call.reverse else x), tuple(each.detach().clone()[rows].float() for each in call.state)


def _unroll(layer: Layer, x: Tensor, state: tuple[Tensor, ...], weights: dict[str, Tensor]) -> list[tuple[Tensor, ...]]:
    """Run step by step, so that each state can be asked: states after each step."""
    states = []
    for t in range(len(x)):
        _, state, _ = run_layer(layer.cell, x[t : t + 1], state, weights)
        # A view of its own for what the next step reads: a memory that its own output was made from is not asked twice.
        state = tuple((each if each.requires_grad else each.clone().requires_grad_()).view_as(each) for each in state)
        states.append(state)
    return states
