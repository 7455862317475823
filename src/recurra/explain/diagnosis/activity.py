"""What the cells of a network do while it reads: how far gates are open, which units move, how much of a memory is kept."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from recurra.cells import CellState
from recurra.explain.replay import Call, replay_call
from recurra.explain.stillness import MIN_STEPS, never_move, warm_up
from recurra.explain.units import OPEN, SHUT
from recurra.nn import Layer

FLAT = 0.99
"""Size of a tanh from which on its slope is below 2 %, so that hardly any gradient passes."""
KEEPING = ("forget", "update")
"""Gates whose value is the share of a unit's memory that is kept from one step to the next, as cells name them."""
CANDIDATE = "candidate"
"""The value, as cells name it, that is no gate."""


@dataclass
class LayerActivity:
    """What a layer has done so far.

    low, high: (H) each, the least and the largest output of each unit behind the first steps of its sequences, `moves` of them.  shut, open: for each gate, how many values were saturated.
    flat: how many candidates were.  log_kept: (H), the summed logarithm of what a step keeps of the memory.  values: how many of each
    there were.  first: the first call, to ask more of.
    """

    name: str
    layer: Layer
    low: Tensor
    high: Tensor
    log_kept: Tensor
    shut: dict[str, float] = field(default_factory=dict)
    open: dict[str, float] = field(default_factory=dict)
    flat: float = 0.0
    values: int = 0
    steps: int = 0
    moves: int = 0
    first: Call | None = None

    @classmethod
    def of(cls, name: str, layer: Layer) -> LayerActivity:
        size = layer.hidden_size
        return cls(name, layer, torch.full((size,), torch.inf), torch.full((size,), -torch.inf), torch.zeros(size))

    @property
    def bounded(self) -> bool:
        """Whether outputs lie between −1 and 1."""
        return self.layer.cell.name != "rnn-relu"

    @property
    def still(self) -> Tensor:
        """Which units never move, (H) bool; none where fewer than 20 steps were read."""
        if self.moves < MIN_STEPS:
            return torch.zeros(self.layer.hidden_size, dtype=torch.bool)
        return torch.from_numpy(never_move(self.low.numpy(), self.high.numpy()))

    @property
    def keeping(self) -> str | None:
        """The gate that keeps the memory, if the cell has one."""
        return next((gate for gate in self.layer.cell.gates if gate in KEEPING), None)

    @property
    def kept(self) -> Tensor | None:
        """What a step keeps of each unit's memory on average, (H): the geometric mean, as it is over many steps; None without such a gate."""
        return None if self.keeping is None or not self.steps else (self.log_kept / self.steps).exp()

    @property
    def flat_share(self) -> float:
        """The share of candidates that hardly any gradient passes through."""
        return self.flat / max(1, self.values)

    def add(self, call: Call, y: Tensor, gates: Tensor | None) -> None:
        """Take one call into account: outputs (T, B, H) and the values of the gates (T, B, G, H), where they are known."""
        self.first = self.first or call
        present = torch.ones(y.shape[:2], dtype=torch.bool)
        if call.lengths is not None:
            present = torch.arange(len(y)).unsqueeze(1) < call.lengths.cpu()
        if not present.any():
            return
        outputs = y.detach().float().cpu()[present & _behind_the_first(call, len(y))]  # (N, H)
        if len(outputs):
            self.low = torch.minimum(self.low, outputs.amin(0))
            self.high = torch.maximum(self.high, outputs.amax(0))
            self.moves += len(outputs)
        if gates is None:
            return
        values = gates.detach().float().cpu()[present]  # (N, G, H)
        self.values += values[:, 0].numel()
        self.steps += len(values)
        for at, gate in enumerate(self.layer.cell.gates):
            if gate == CANDIDATE:
                self.flat += float((values[:, at].abs() > FLAT).sum()) if self.bounded else 0.0
                continue
            self.shut[gate] = self.shut.get(gate, 0.0) + float((values[:, at] < SHUT).sum())
            self.open[gate] = self.open.get(gate, 0.0) + float((values[:, at] > OPEN).sum())
            if gate == self.keeping:
                self.log_kept += values[:, at].clamp_min(1e-12).log().sum(0)


def _behind_the_first(call: Call, steps: int) -> Tensor:
    """Tell which steps are not among the first of their sequence, (T, B) bool."""
    places = torch.arange(steps).unsqueeze(1)
    lengths = torch.full(call.x.shape[1:2], steps) if call.lengths is None else call.lengths.cpu()
    few = torch.tensor([warm_up(length) for length in lengths.tolist()])
    return places < lengths - few if call.reverse else places >= few


@contextmanager
def recorded(network: nn.Module) -> Iterator[list[LayerActivity]]:
    """Watch all layers of cells in a network for a while, whichever task it is of; gives what they do, in the order of the modules."""
    activities = [
        LayerActivity.of(name, module) for name, module in network.named_modules() if isinstance(module, Layer)
    ]
    hooks = [each.layer.register_forward_hook(_hook(each), with_kwargs=True) for each in activities]
    try:
        yield activities
    finally:
        for hook in hooks:
            hook.remove()


def _hook(activity: LayerActivity) -> Any:
    def record(layer: Layer, given: Sequence[Any], named: dict[str, Any], output: tuple[Tensor, CellState]) -> None:
        arguments = dict(zip(("x", "state", "lengths"), given, strict=False)) | named
        x, state, lengths = arguments["x"], arguments["state"], arguments.get("lengths")
        call = Call(x, state, lengths, bool(arguments.get("reverse", False)))
        gates = None
        if x.numel():
            weights: dict[str, Tensor] = dict(layer.named_parameters())
            with torch.no_grad():
                _, found = replay_call(layer.cell, weights, call, output[0], layer.dilation)
            gates = torch.stack(found, 2)
        activity.add(call, output[0], gates)

    return record
