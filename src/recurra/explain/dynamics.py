"""Where a network's state comes to rest: fixed points and slow points under a constant input, and whether they draw states in.

Sussillo & Barak 2013 (Neural Computation 25:626–649): states h at which q(h) = ½ |F(h) − h|² is least are looked for from states
that were visited, first by Adam, then by Levenberg and Marquardt's steps, which use the Jacobian.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from recurra.errors import UsageError
from recurra.explain.trace import LayerTrace, Trace
from recurra.nn.stack import Stack, State
from recurra.tasks.base.predictor import Predictor

MAX_RESIDUAL, MAX_SLOW_RESIDUAL = 1e-6, 1e-2
"""Of |F(h) − h|, up to which a state is a fixed point, and up to which a slow point."""
MAX_STARTS = 256
MAX_STATE_SIZE = 1024
"""Of the state of all layers together: its Jacobian has the square of it."""
MAX_JACOBIAN_NUMBERS = 2**23
"""That are held at once: of the larger a state is, the fewer are looked at."""
_MIN_DISTANCE = 1e-3
_ADAM_STEPS, _NEWTON_STEPS = 200, 60
_CONVERGED, _MAX_DAMPING = 1e-10, 1e6
_SEED = 2013


@dataclass(frozen=True)
class FixedPoint:
    """A state (S), all layers' one after another, that a constant input leaves where it is, or nearly.

    residual: |F(h) − h|.  eigenvalues: of the Jacobian ∂F/∂h there, the largest first.
    """

    state: np.ndarray
    residual: float
    eigenvalues: np.ndarray

    @property
    def is_fixed(self) -> bool:
        """Whether the state stays for good; else it is a slow point."""
        return self.residual <= MAX_RESIDUAL

    @property
    def kind(self) -> Literal["stable", "saddle", "unstable"]:
        """stable: it draws in what is near from every side; saddle: from some; unstable: from none."""
        sizes = np.abs(self.eigenvalues)
        return "stable" if (sizes < 1).all() else "unstable" if (sizes > 1).all() else "saddle"

    def to_json(self) -> dict[str, Any]:
        """Give its fields, eigenvalues as [real, imaginary]."""
        eigenvalues = [[float(each.real), float(each.imag)] for each in self.eigenvalues]
        return {
            "state": self.state.tolist(),
            "residual": self.residual,
            "fixed": self.is_fixed,
            "kind": self.kind,
            "eigenvalues": eigenvalues,
        }


class StateMap:
    """F: what one step under a constant input makes of states, (N, S) → (N, S), in float64.

    x: (I), what the stack reads.  Raises `UsageError` for a stack in both directions, or with dilated layers, or of too large a state.
    """

    def __init__(self, stack: Stack, x: Tensor) -> None:
        if stack.bidirectional or any(layer.dilation > 1 for layer in stack):
            raise UsageError(
                "fixed points: expected layers in one direction without dilations; other ones have no state that goes on"
            )
        self._stack = copy.deepcopy(stack).cpu().double().eval().requires_grad_(False)
        self._x = x.detach().cpu().double()
        self._sizes = [[layer.hidden_size] * len(layer.cell.states) for layer in self._stack]
        self.size = sum(map(sum, self._sizes))
        if self.size > MAX_STATE_SIZE:
            raise UsageError(f"fixed points: expected a state of at most {MAX_STATE_SIZE} numbers, got {self.size}")

    def __call__(self, states: Tensor) -> Tensor:
        parts = iter(states.split([size for sizes in self._sizes for size in sizes], dim=1))
        state: State = tuple(tuple(next(parts) for _ in sizes) for sizes in self._sizes)
        _, after = self._stack(self._x.expand(1, len(states), -1), state)
        return torch.cat([each for layer in after for each in layer], 1)

    def residuals(self, states: Tensor) -> Tensor:
        """Give |F(h) − h|, (N)."""
        with torch.no_grad():
            return (self(states) - states).norm(dim=1)

    def jacobian(self, states: Tensor) -> Tensor:
        """Give ∂F/∂h at each state, (N, S, S)."""
        given = states.detach().requires_grad_()
        with torch.enable_grad():
            after = self(given)
            rows = [
                torch.autograd.grad(after[:, place].sum(), given, retain_graph=True)[0] for place in range(self.size)
            ]
        return torch.stack(rows, 1)


def fixed_points(predictor: Predictor, trace: Trace, *, step: int | None = None) -> list[FixedPoint]:
    """Find where the state of a predictor's first stack comes to rest while it reads the same over and over.

    step: of the trace, whose input is held; None: the mean of all inputs.  The search begins at the states of the trace.
    Raises `UsageError` where no stack ran whole, or for one that `StateMap` refuses.
    """
    name, stack, layers = _find_stack(predictor, trace)
    inputs = layers[0].inputs
    if step is not None and not 0 <= step < len(inputs):
        raise UsageError(
            f"step: expected 0 to {len(inputs) - 1}, got {step}; the layers of {name or 'the network'} have no other"
        )
    x = torch.from_numpy(inputs.mean(0) if step is None else inputs[step])
    return find_fixed_points(StateMap(stack, x), torch.from_numpy(states_of(layers)))


def states_of(layers: Sequence[LayerTrace]) -> np.ndarray:
    """Give the state of all layers after each step, (T, S), in the order of `FixedPoint.state`."""
    return np.concatenate([layer.states[name] for layer in layers for name in layer.cell.states], axis=1)


def _find_stack(predictor: Predictor, trace: Trace) -> tuple[str, Stack, list[LayerTrace]]:
    by_name = {layer.name: layer for layer in trace.layers}
    for name, module in predictor.network.named_modules():
        if isinstance(module, Stack):
            names = [f"{name}.layers.{place}".removeprefix(".") for place in range(len(module.layers))]
            if all(each in by_name for each in names):
                return name, module, [by_name[each] for each in names]
    raise UsageError("fixed points: expected a trace of all layers of a stack; record one of this predictor")


def find_fixed_points(step: StateMap, starts: Tensor) -> list[FixedPoint]:
    """Find fixed and slow points of a map from some states, (N, S); the stillest first, each once.

    >>> stack = Stack("rnn", 1, [1])
    >>> with torch.no_grad():
    ...     for value, weight in ((2.0, "weight_hh"), (0.0, "bias_ih"), (0.0, "bias_hh")):
    ...         _ = stack.layers[0].get_parameter(weight).fill_(value)
    >>> found = find_fixed_points(StateMap(stack, torch.zeros(1)), torch.tensor([[0.9], [0.1], [-0.9], [0.001]]))
    >>> sorted((round(float(point.state[0]), 3) + 0.0, point.kind) for point in found)
    [(-0.958, 'stable'), (0.0, 'unstable'), (0.958, 'stable')]
    """
    starts = starts.detach().double()
    if len(starts) > MAX_STARTS:
        chosen = np.random.default_rng(_SEED).choice(len(starts), MAX_STARTS, replace=False)
        starts = starts[torch.from_numpy(np.sort(chosen))]
    if not len(starts):
        return []
    distance = _MIN_DISTANCE * max(1.0, float(starts.std(0, correction=0).norm()))
    most = max(4, MAX_JACOBIAN_NUMBERS // step.size**2)
    low = _descend(step, starts)
    low = _distinct(low, step.residuals(low), distance)[: most // 2]
    # What Adam finds is mostly stable: a saddle near a start is found by the steps that start there.
    states = _polish(step, torch.cat([low, starts[: most // 2]]))
    residuals = step.residuals(states)
    kept = residuals <= MAX_SLOW_RESIDUAL
    states = _distinct(states[kept], residuals[kept], distance)
    if not len(states):
        return []
    residuals = step.residuals(states).tolist()
    found = []
    for state, residual, jacobian in zip(states, residuals, step.jacobian(states), strict=True):
        values = torch.linalg.eigvals(jacobian).numpy()
        found.append(FixedPoint(state.numpy(), residual, values[np.argsort(-np.abs(values))]))
    return sorted(found, key=lambda point: point.residual)


def _descend(step: StateMap, starts: Tensor) -> Tensor:
    """Lower q by Adam, each state by itself, with a rate that falls to zero."""
    states = starts.clone().requires_grad_()
    optimizer = torch.optim.Adam([states], lr=0.03)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, _ADAM_STEPS)
    with torch.enable_grad():
        for _ in range(_ADAM_STEPS):
            optimizer.zero_grad()
            (0.5 * (step(states) - states).square().sum()).backward()
            optimizer.step()
            schedule.step()
    return states.detach()


def _polish(step: StateMap, states: Tensor) -> Tensor:
    """Lower q by Levenberg and Marquardt's steps: (AᵀA + μ) δ = −Aᵀr, A = ∂F/∂h − 1, r = F(h) − h; μ by what a step brought."""
    states, identity = states.clone(), torch.eye(step.size, dtype=states.dtype)
    damping, residuals = torch.full((len(states),), 1e-2, dtype=states.dtype), step.residuals(states)
    for _ in range(_NEWTON_STEPS):
        open_ = ((residuals > _CONVERGED) & (damping < _MAX_DAMPING)).nonzero()[:, 0]
        if not len(open_):
            break
        now, mu = states[open_], damping[open_]
        a = step.jacobian(now) - identity
        with torch.no_grad():
            r = (step(now) - now).unsqueeze(2)
        moved = now + torch.linalg.solve(a.mT @ a + mu[:, None, None] * identity, -a.mT @ r)[..., 0]
        after = step.residuals(moved)
        better = after < residuals[open_]
        states[open_] = torch.where(better[:, None], moved, now)
        residuals[open_] = torch.where(better, after, residuals[open_])
        damping[open_] = torch.where(better, mu / 10, mu * 10).clamp_min(1e-15)
    return states


def _distinct(states: Tensor, residuals: Tensor, distance: float) -> Tensor:
    """Keep of states that are nearly the same the stillest."""
    kept: list[Tensor] = []
    for place in residuals.argsort().tolist():
        state = states[place]
        if not kept or float((torch.stack(kept) - state).norm(dim=1).min()) > distance:
            kept.append(state)
    return torch.stack(kept) if kept else states[:0]
