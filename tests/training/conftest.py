"""A task so small that the training loop is all there is to see: a line through points."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from recurra.tasks.base.task import DatasetSummary, Settings, Task
from recurra.training.config import Training
from recurra.training.loop import Trainer
from recurra.training.plan import Plan

Make = Callable[..., Trainer]
Events = Callable[[str], list[dict[str, Any]]]


class LineConfig(Settings):
    """Nothing to set."""


class Line(Task[LineConfig]):
    """Learns y = 2x − 1 from batches of random points; `script` says what validation finds, one figure after the other."""

    name = "line"
    title = "Line"
    Config = LineConfig
    script: list[float] | None = None

    def __init__(self, per_epoch: int = 10) -> None:
        super().__init__(LineConfig())
        self.per_epoch = per_epoch
        self.validated: list[dict[str, Tensor]] = []
        self.on_loss: Callable[[], None] = lambda: None
        self.factor = 1.0

    def prepare(self, saved: Path | None = None) -> DatasetSummary:
        return DatasetSummary({"train_units": 80}, "points")

    def save(self, folder: Path) -> list[str]:
        return []

    def restore(self, folder: Path) -> None:
        pass

    def choose(self, seconds: float | None, measure: Callable[[], float]) -> float:
        return 4.0

    def network(self) -> nn.Module:
        return nn.Linear(3, 1)

    def batch_count(self, epoch: int, *, batch: int, seed: int) -> int:
        return self.per_epoch

    def batches(self, epoch: int, *, batch: int, seed: int, start: int = 0) -> Iterator[Tensor]:
        for index in range(start, self.per_epoch):
            yield torch.randn(batch, 3, generator=torch.Generator().manual_seed(1000 * seed + 100 * epoch + index))

    def loss(self, network: nn.Module, batch: Tensor, carry: Any) -> tuple[Tensor, int, Any]:
        self.on_loss()
        carried = torch.zeros(()) if carry is None else carry[0]
        errors = network(batch) - (2 * batch.sum(-1, keepdim=True) - 1 + 0.01 * carried)
        return self.factor * (errors**2).sum(), len(batch), (batch.mean().detach(),)

    def validate(self, network: nn.Module) -> dict[str, float] | None:
        self.validated.append({name: tensor.clone() for name, tensor in network.state_dict().items()})
        if self.script is not None:
            return {"nll": self.script[len(self.validated) - 1]}
        with torch.no_grad():
            points = next(self.batches(99, batch=8, seed=5))
            return {"nll": float(((network(points) - 2 * points.sum(-1, keepdim=True) + 1) ** 2).mean())}

    @property
    def held_out(self) -> bool:
        return False

    def evaluate(self, *_: Any, **__: Any) -> dict[str, Any]:
        raise NotImplementedError


@pytest.fixture
def line() -> Line:
    torch.manual_seed(3)
    return Line()


@pytest.fixture
def make_loop(tmp_path: Path) -> Iterator[Callable[..., Trainer]]:
    """Give a function that makes loops in one folder; each closes the one before."""
    made: list[Trainer] = []

    def make(task: Line, plan: dict[str, Any] | None = None, **training: Any) -> Trainer:
        for loop in made:
            loop.close()
        torch.manual_seed(1)
        chosen = {"epochs": 4.0, "steps": 40, "every": 5, "log": 5, "precision": "float32", "sentence": ""} | (
            plan or {}
        )
        settings = Training(**{"lr": 0.05, "checkpoint_seconds": 3600, **training})
        loop = Trainer(
            task, settings, Plan(**chosen), tmp_path, batch=8, fingerprint="points", files={}, watch=lambda _: None
        )
        made.append(loop)
        return loop

    yield make
    for loop in made:
        loop.close()


@pytest.fixture
def events(tmp_path: Path) -> Callable[[str], list[dict[str, Any]]]:
    def read(kind: str) -> list[dict[str, Any]]:
        lines = (tmp_path / "metrics.jsonl").read_text().splitlines()
        return [event for event in map(json.loads, lines) if event["event"] == kind]

    return read


def countdown(count: int, then: Callable[[], None]) -> Callable[[], None]:
    calls = iter(range(1, 10**6))
    return lambda: then() if next(calls) == count else None
