"""The smallest task that keeps every promise, of which each test breaks one thing."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from pydantic import Field
from torch import nn

from recurra.tasks import Settings, Task
from recurra.tasks.base.predictor import Predictor


class Data(Settings):
    """What is read."""

    file: str = Field(default="", description="A JSON list of numbers.")


class Model(Settings):
    """The network."""

    hidden: int | None = Field(default=None, description="Units.")


class LineConfig(Settings):
    """A line through points."""

    data: Data = Data()
    model: Model = Model()


@dataclass
class Numbers:
    """Numbers in a row, the last of which are held out; they are scaled by nothing, but a file says so."""

    train: torch.Tensor
    valid: torch.Tensor
    fingerprint: str
    test: None = None
    notes: list[str] = field(default_factory=list)

    @property
    def preprocessor(self):
        return Scale()


class Scale:
    """What the preprocessing of numbers is."""

    def __init__(self, factor=1.0):
        self.factor = factor

    def save(self, folder):
        (folder / "scale.json").write_text(str(self.factor))
        return ["scale.json"]


class LinePredictor(Predictor[LineConfig]):
    """Predicts the next number."""

    name = "line"

    @classmethod
    def load_preprocessor(cls, folder, config):
        return Scale(json.loads((folder / "scale.json").read_text()))

    @classmethod
    def build_network(cls, config, preprocessor):
        hidden = config.model.hidden
        return nn.Sequential(nn.Linear(1, hidden), nn.Tanh(), nn.Linear(hidden, 1))

    def parse(self, line):
        return [float(number) for number in line.split()]

    @torch.no_grad()
    def predict_with(self, inputs, options):
        results = [{"next": [float(self.network(torch.tensor([[x]]))) for x in series]} for series in inputs]
        if options.steps:
            return [{"next": one["next"][-1], "steps": [{"next": x} for x in one["next"]]} for one in results]
        return [{"next": one["next"][-1]} for one in results]


class Line(Task[LineConfig, Numbers]):
    """Predicts the next number of a series from the one before: the smallest task that keeps every promise."""

    name = "line"
    title = "Next number"
    Config = LineConfig
    Predictor = LinePredictor

    @property
    def criterion(self):
        return "mse"

    def read_dataset(self, preprocessor):
        numbers = torch.tensor(json.loads(Path(self.config.data.file).read_text()))
        return Numbers(numbers[:-8], numbers[-8:], str(float(numbers.sum())))

    def count_dataset(self, dataset):
        return {"train_units": len(dataset.train)}

    def choose_defaults(self, seconds, measure_seconds):
        self.config.model.hidden = self.config.model.hidden or 4
        return 3.0

    @property
    def train(self):
        return self.dataset.train

    def batches(self, epoch, *, batch, seed, start=0):
        order = np.random.default_rng([seed, epoch]).permutation(len(self.train) - 1)
        for first in range(start * batch, len(order), batch):
            rows = torch.from_numpy(order[first : first + batch])
            yield self.train[rows], self.train[rows + 1]

    def batch_count(self, epoch, *, batch, seed):
        return -(-(len(self.train) - 1) // batch)

    def loss(self, network, batch, carried):
        x, y = batch
        return (network(x[:, None])[:, 0] - y).square().sum(), len(x), None

    @torch.no_grad()
    def validate(self, predictor):
        valid = self.dataset.valid
        return {"mse": float((predictor.network(valid[:-1, None])[:, 0] - valid[1:]).square().mean())}

    def evaluate(self, predictor, data, progress, *, baselines=True, options=None):
        progress("measuring")
        others = {"mean": {"mse": float(self.dataset.valid.var())}} if baselines else {}
        metrics = self.validate(predictor)
        return {"task": self.name, "data": "valid", "count": 7, "metrics": metrics, "baselines": others}


def configure(folder):
    path = folder / "numbers.json"
    path.write_text(json.dumps([float(np.sin(t / 2) + 1) for t in range(60)]))
    return LineConfig.model_validate({"data": {"file": str(path)}})
