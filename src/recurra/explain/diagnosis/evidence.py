"""All that the rules of a diagnosis look at: what a run has recorded, and what its network does when it is asked again."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from typing import Any

import numpy as np
import torch

from recurra.errors import RecurraError
from recurra.explain.diagnosis.activity import LayerActivity, recorded
from recurra.explain.diagnosis.context import ContextGain, Dependence, context_gain, dependence
from recurra.explain.diagnosis.lags import LagCurve, lag_curve
from recurra.explain.diagnosis.losses import Losses, fresh_network, lanes_alike, mean_loss, some_batches
from recurra.explain.diagnosis.repeats import passage_length, repeated_share
from recurra.formatting import finite
from recurra.report.record import Event, Record, read_record
from recurra.runs.run import Run
from recurra.tasks import Task
from recurra.tasks.base.inference import eval_mode
from recurra.tasks.base.tbptt import TBPTTTask
from recurra.training.config import DEFAULTS, Training

PASSAGE = {"char": 50, "byte": 50, "word": 20, "bpe": 20}
"""Units of a passage that two texts have in common only where one was copied: some ten words of a language and more."""
ACTIVITY_BATCHES = 4


@dataclass(frozen=True)
class Repeats:
    """The share of a held-out text's passages that stand in the training text, how many passages there are, and of which part."""

    share: float
    passages: int
    part: str


@dataclass(frozen=True)
class Probes:
    """What was found by asking the network again.

    layers: what the cells did on held-out sequences, or on training ones where no batches can be made of those.  lags: how the gradient falls in each.
    fresh_flat: the share of candidates in saturation before training, in the layer that had most.  begins_with: what a fresh network of the task is set to beside how often
    things come, in words, or None.  classes: how often each class comes in training, or None.  notes: on the data.
    """

    layers: list[LayerActivity]
    lags: list[LagCurve]
    fresh_flat: float
    losses: Losses
    begins_with: str | None
    context: ContextGain | None
    dependence: Dependence | None
    repeats: Repeats | None
    classes: Mapping[str, int] | None
    notes: list[str]


@dataclass(frozen=True)
class Evidence:
    """A run as the rules see it; probes: None where the data cannot be read again, `why_not` says why."""

    run: Run
    record: Record
    probes: Probes | None
    why_not: str | None = None

    @property
    def training(self) -> Training:
        return self.run.configuration.training

    @property
    def settings(self) -> Any:
        """The task's own sections, `data` and `model` among them."""
        return self.run.configuration.settings

    @property
    def lr(self) -> float:
        """The highest learning rate of the training."""
        return self.training.lr or DEFAULTS[self.training.optimizer]["lr"]

    @property
    def usual_lr(self) -> float:
        """The learning rate that suits most trainings of this kind."""
        own = self.run.task.default_learning_rate() if self.probes and self.training.optimizer == "adamw" else None
        return own or DEFAULTS[self.training.optimizer]["lr"]

    @property
    def lower_rate(self) -> str:
        """The command line that trains again at a lower rate: the usual one, or a third of one that is hardly above it."""
        return self.command(f"--lr {self.usual_lr if self.lr > 2 * self.usual_lr else self.lr / 3:.2g}")

    @cached_property
    def evaluation(self) -> Event | None:
        return next((one for one in self.record.evaluations if one.get("data") == "test"), self.run.evaluation)

    @property
    def notes(self) -> list[str]:
        """What was noted of the data when they were read, or measured on."""
        noted = [] if self.evaluation is None else self.evaluation.get("details", {}).get("notes", [])
        return list(dict.fromkeys([*noted, *([] if self.probes is None else self.probes.notes)]))

    def command(self, flags: str) -> str:
        """Give the command line that trains again with other settings."""
        path = shlex.quote(str(self.run.path / "config.toml"))
        return f"recurra train {self.run.configuration.task} --config {path} {flags}"


def gather(run: Run) -> Evidence:
    """Read a run's record, and ask its network again if its data are still there."""
    record = read_record(run.path)
    if not run.task.rereadable:
        return Evidence(run, record, None, "the training data came from standard input")
    try:
        run.prepare()
    except RecurraError as error:
        return Evidence(run, record, None, str(error))
    return Evidence(run, record, _probe(run))


def _probe(run: Run) -> Probes:
    task, network, training = run.task, run.network, run.configuration.training
    batch = training.batch or task.default_batch_size(None)
    held_out, part = task.held_out_split() if task.has_held_out else (None, None)
    other = None if held_out is None else task.on_part(held_out)
    layers = _activity(other or task, network, batch, training.seed)
    with torch.enable_grad():
        curves = [curve for each in layers if (curve := lag_curve(each)) is not None]
    fresh, begins_with = fresh_network(task, training.seed)
    fresh.to(next(network.parameters()).device)
    flat = max((each.flat_share for each in _activity(task, fresh, batch, training.seed)), default=0.0)
    lanes = batch if other is None else lanes_alike(task, other, batch, training.seed)
    (own, _), (own_fresh, _) = (mean_loss(task, each, batch, training.seed) for each in (network, fresh))
    losses = Losses(None, own, own_fresh, None, None)
    if other is not None:
        (held, elements), (held_fresh, _) = (mean_loss(other, each, lanes, training.seed) for each in (network, fresh))
        losses = Losses(part, own, own_fresh, held, held_fresh, elements)
    text = _text_probes(run, other, part, batch)
    return Probes(layers, curves, flat, losses, begins_with, *text, task.class_counts(), list(task.dataset.notes))


def _activity(task: Task, network: torch.nn.Module, batch: int, seed: int) -> list[LayerActivity]:
    """Watch the cells over a few batches."""
    carried = None
    with recorded(network) as layers, torch.random.fork_rng(devices=[]), eval_mode(network):
        torch.manual_seed(seed)
        for each in islice(some_batches(task, batch, seed), ACTIVITY_BATCHES):
            _, _, carried = task.loss(network, each, carried)
    return [layer for layer in layers if layer.first is not None]


def _text_probes(
    run: Run, other: Task | None, part: str | None, batch: int
) -> tuple[ContextGain | None, Dependence | None, Repeats | None]:
    """Look how far back windows have to reach, and what of a held-out text was trained on; each None where it does not apply."""
    task, seed = run.task, run.configuration.training.seed
    if not isinstance(task, TBPTTTask):
        return None, None, None
    asked = other if isinstance(other, TBPTTTask) else task
    gain = context_gain(asked, run.network, batch, seed)
    data: Any = getattr(run.configuration.settings, "data")  # noqa: B009
    train = getattr(task.dataset.train, "sequences", None)
    if train is None or not all(isinstance(each, np.ndarray) for each in train):
        return gain, None, None
    depends = dependence(train[0], data.bptt) if task.dataset.train.continuous else None
    if other is None or part is None:
        return gain, depends, None
    evaluation = run.evaluation or {}
    measured = [evaluation.get("metrics", {}), *evaluation.get("baselines", {}).values()]
    nats = min((nll for one in measured if (nll := finite(one.get("nll")))), default=0.0)  # of the best of them
    length = passage_length(
        PASSAGE[data.unit], nats, sum(map(len, train)), sum(map(len, other.dataset.train.sequences))
    )
    share, passages = repeated_share(train, other.dataset.train.sequences, length)
    return gain, depends, Repeats(share, passages, part)
