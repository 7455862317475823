"""A task so small that the training loop is all there is to see: a line through points."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from recurra.tasks.base.predictor import Predictor
from recurra.tasks.base.settings import Settings
from recurra.tasks.base.task import Task
from recurra.training.config import Training
from recurra.training.loop import Trainer
from recurra.training.plan import Plan

MakeTrainer = Callable[..., Trainer]
Events = Callable[[str], list[dict[str, Any]]]


class LineConfig(Settings):
    """Nothing to set."""


@dataclass
class Points:
    """Nothing is held out, and numbers need no preprocessing."""

    valid = test = None
    notes: list[str] = field(default_factory=list)
    fingerprint: str = "points"

    @property
    def preprocessor(self) -> Points:
        return self

    def save(self, folder: Path) -> list[str]:
        return []


class LinePredictor(Predictor[LineConfig]):
    """Has no use but to hold the network."""

    name = "line"

    @classmethod
    def load_preprocessor(cls, folder: Path, config: LineConfig) -> Points:
        return Points()

    @classmethod
    def build_network(cls, config: LineConfig, preprocessor: Any) -> nn.Module:
        return nn.Linear(3, 1)

    def predict_with(self, inputs: list[Any], options: Any) -> list[dict[str, Any]]:
        raise NotImplementedError


class Line(Task[LineConfig, Points]):
    """Learns y = 2x − 1 from batches of random points; `script` says what validation finds, one metric after the other."""

    name = "line"
    title = "Line"
    Config = LineConfig
    Predictor = LinePredictor
    script: list[float] | None = None

    def __init__(self, per_epoch: int = 10) -> None:
        super().__init__(LineConfig())
        self.prepare()
        self.per_epoch = per_epoch
        self.validated: list[dict[str, Tensor]] = []
        self.on_loss: Callable[[], None] = lambda: None
        self.factor = 1.0

    def read_dataset(self, preprocessor: Any) -> Points:
        return Points()

    def count_dataset(self, dataset: Points) -> dict[str, int]:
        return {"train_units": 80}

    def choose_defaults(self, seconds: float | None, measure_seconds: Callable[[], float]) -> float:
        return 4.0

    def batch_count(self, epoch: int, *, batch: int, seed: int) -> int:
        return self.per_epoch

    def batches(self, epoch: int, *, batch: int, seed: int, start: int = 0) -> Iterator[Tensor]:
        for index in range(start, self.per_epoch):
            yield torch.randn(batch, 3, generator=torch.Generator().manual_seed(1000 * seed + 100 * epoch + index))

    def loss(self, network: nn.Module, batch: Tensor, carried: Any) -> tuple[Tensor, int, Any]:
        self.on_loss()
        mean = torch.zeros(()) if carried is None else carried[0]
        errors = network(batch) - (2 * batch.sum(-1, keepdim=True) - 1 + 0.01 * mean)
        return self.factor * (errors**2).sum(), len(batch), (batch.mean().detach(),)

    def validate(self, predictor: Predictor) -> dict[str, float] | None:
        network = predictor.network
        self.validated.append({name: tensor.clone() for name, tensor in network.state_dict().items()})
        if self.script is not None:
            return {"nll": self.script[len(self.validated) - 1]}
        with torch.no_grad():
            points = next(self.batches(99, batch=8, seed=5))
            return {"nll": float(((network(points) - 2 * points.sum(-1, keepdim=True) + 1) ** 2).mean())}

    def evaluate(self, *_: Any, **__: Any) -> dict[str, Any]:
        raise NotImplementedError


@pytest.fixture
def line() -> Line:
    torch.manual_seed(3)
    return Line()


@pytest.fixture
def make_trainer(tmp_path: Path) -> Iterator[Callable[..., Trainer]]:
    """Give a function that makes trainers in one folder; each closes the one before."""
    made: list[Trainer] = []

    def make(task: Line, plan: dict[str, Any] | None = None, **training: Any) -> Trainer:
        for trainer in made:
            trainer.close()
        torch.manual_seed(1)
        chosen = {"epochs": 4.0, "steps": 40, "every": 5, "log": 5, "precision": "float32", "sentence": ""} | (
            plan or {}
        )
        settings = Training(**{"lr": 0.05, "batch": 8, "checkpoint_seconds": 3600, **training})
        trainer = Trainer(
            task, settings, Plan(**chosen), tmp_path, fingerprint="points", files={}, watch=lambda _: None
        )
        made.append(trainer)
        return trainer

    yield make
    for trainer in made:
        trainer.close()


@pytest.fixture
def events(tmp_path: Path) -> Callable[[str], list[dict[str, Any]]]:
    def read(kind: str) -> list[dict[str, Any]]:
        lines = (tmp_path / "metrics.jsonl").read_text().splitlines()
        return [event for event in map(json.loads, lines) if event["event"] == kind]

    return read


def countdown(count: int, then: Callable[[], None]) -> Callable[[], None]:
    calls = iter(range(1, 10**6))
    return lambda: then() if next(calls) == count else None
