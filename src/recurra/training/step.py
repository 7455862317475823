"""One optimizer step, and everything that it changes: weights, their average, the optimizer, the carried state."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from recurra.errors import DivergedError
from recurra.tasks.base.task import Batch, Task
from recurra.training.checkpoint import flatten, unflatten
from recurra.training.config import DEFAULTS, Training
from recurra.training.device import move_to_device


class TrainState:
    """A network in training, with all that its next step depends on. It knows no task: the loss comes from the task, and what is carried is opaque."""

    def __init__(self, task: Task, training: Training, precision: str) -> None:
        self.task, self.training, self.precision = task, training, precision
        self.network = task.build_network()
        self.device = move_to_device(self.network, training.device)
        self.parameters: list[Tensor] = [p for p in self.network.parameters() if p.requires_grad]
        self.optimizer = _optimizer(self.network, training, task.layer_depths(self.network))
        self.average = [p.detach().clone() for p in self.parameters] if training.ema else []
        self.carried: Any = None
        self.done = 0

    def initialize(self) -> str | None:
        """Set what the training data tell of a fresh network; gives the task's sentence on it."""
        sentence = self.task.initialize(self.network)
        if self.average:
            self.average = [p.detach().clone() for p in self.parameters]
        return sentence

    def step(self, batch: Batch, lr: float, share: float = 1.0) -> tuple[float, int, float]:
        """Learn from one batch; gives the summed loss, over how many elements, and the gradient's norm before clipping.

        lr: of the highest layer.  share: of the training that is done, by which lower layers begin to be trained.
        Raises `DivergedError` when the loss or the gradient is not finite; the weights are then as they were.
        """
        self.network.train()
        enabled = self.precision == "bfloat16"
        with torch.autocast(self.device.type, torch.bfloat16, enabled=enabled):
            loss, count, carried = self.task.loss(self.network, batch, self.carried)
        self.optimizer.zero_grad(set_to_none=True)
        (loss / max(1, count)).backward()
        norm = float(nn.utils.clip_grad_norm_(self.parameters, self.training.clip))
        total = float(loss.detach())
        if not (norm < float("inf") and abs(total) < float("inf")):
            raise DivergedError(f"the loss is {total:.4g} and the norm of its gradient {norm:.4g}")
        for group in self.optimizer.param_groups:
            group["lr"] = lr * self._rate(group["depth"], share)
        self.optimizer.step()
        self.carried = carried
        self.done += 1
        self._update_average()
        return total, count, norm

    def _rate(self, depth: int, share: float) -> float:
        """Give the learning rate of a layer as a share of the output's (Howard & Ruder 2018, arXiv:1801.06146v5, section 3.3)."""
        if not depth:
            return 1.0
        model: Any = getattr(self.task.config, "model")  # noqa: B009  every task that has depths has the section
        return 0.0 if share < depth * model.unfreeze else model.layer_lr**depth

    @torch.no_grad()
    def _update_average(self) -> None:
        if self.average:
            # A young average is a plain mean, so that the initial weights do not linger in it.
            memory = min(self.training.ema, (1 + self.done) / (10 + self.done))
            torch._foreach_lerp_(self.average, self.parameters, 1 - memory)

    def weights(self) -> dict[str, Tensor]:
        """Give the weights that a user would get: the average where one is kept."""
        state = {name: value.detach().clone() for name, value in self.network.state_dict().items()}
        if self.average:
            names = [name for name, p in self.network.named_parameters() if p.requires_grad]
            state.update({name: value.clone() for name, value in zip(names, self.average, strict=True)})
        return state

    @contextmanager
    def averaged(self) -> Iterator[None]:
        """Put the averaged weights, where they are kept, into the network for a while."""
        held = [p.detach().clone() for p in self.parameters] if self.average else []
        with torch.no_grad():
            for p, value in zip(self.parameters, self.average, strict=False):
                p.copy_(value)
        try:
            yield
        finally:
            with torch.no_grad():
                for p, value in zip(self.parameters, held, strict=False):
                    p.copy_(value)

    # Checkpoints

    def tensors(self) -> dict[str, Tensor]:
        """Give everything that the next step depends on, torch's random state included."""
        tensors = {f"model/{name}": value for name, value in self.network.state_dict().items()}
        tensors |= {f"average/{index}": value for index, value in enumerate(self.average)}
        for index, slots in self.optimizer.state_dict()["state"].items():
            tensors |= {
                f"optimizer/{index}/{slot}": value for slot, value in slots.items() if isinstance(value, Tensor)
            }
        tensors |= flatten("carry", self.carried)
        tensors["random/cpu"] = torch.get_rng_state()
        if self.device.type == "cuda":
            tensors["random/cuda"] = torch.cuda.get_rng_state(self.device)
        return tensors

    def restore(self, parts: dict[str, dict[str, Tensor]], done: int) -> None:
        """Undo `tensors`, given its parts by their first name."""
        self.network.load_state_dict(parts["model"])
        if self.average:
            self.average = [parts["average"][str(index)].to(self.device) for index in range(len(self.average))]
        state: dict[int, dict[str, Tensor]] = {}
        for name, value in parts["optimizer"].items():
            index, slot = name.split("/")
            state.setdefault(int(index), {})[slot] = value
        self.optimizer.load_state_dict({**self.optimizer.state_dict(), "state": state})
        self.carried = _to(unflatten(parts["carry"]), self.device)
        torch.set_rng_state(parts["random"]["cpu"])
        if "cuda" in parts["random"]:
            torch.cuda.set_rng_state(parts["random"]["cuda"], self.device)
        self.done = done


def _to(nested: Any, device: torch.device) -> Any:
    if nested is None:
        return None
    return nested.to(device) if isinstance(nested, Tensor) else tuple(_to(part, device) for part in nested)


def _optimizer(network: nn.Module, training: Training, depths: Mapping[str, int]) -> torch.optim.Optimizer:
    """Make the optimizer; depths: of parameters, by their names, which learn at rates of their own."""
    decay = training.weight_decay
    if decay is None:
        decay = DEFAULTS[training.optimizer]["weight_decay"]
    trained = [(name, p) for name, p in network.named_parameters() if p.requires_grad]
    groups: list[dict[str, Any]] = []
    for depth in sorted({0, *depths.values()}):
        own = [p for name, p in trained if depths.get(name, 0) == depth]
        groups += [
            {"params": [p for p in own if p.dim() > 1], "weight_decay": decay, "depth": depth},
            {"params": [p for p in own if p.dim() <= 1], "weight_decay": 0.0, "depth": depth},
        ]
    if training.optimizer == "sgd":
        return torch.optim.SGD(groups, lr=1.0)
    return torch.optim.AdamW(groups, lr=1.0, betas=(training.beta1, training.beta2), fused=True)
