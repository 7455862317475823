"""The task `strokes`: one to many or many to many: drawings and handwriting are learnt step by step of a pen, made and finished."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, cast

import numpy as np
import torch
from torch import nn

from recurra.data.batching import batches_by_length
from recurra.report.blocks import Block
from recurra.tasks.base.defaults import batch_size_for
from recurra.tasks.base.registry import register_task
from recurra.tasks.base.split_task import Measuring, SplitTask
from recurra.tasks.base.task import CarriedState
from recurra.tasks.strokes import evaluate, report
from recurra.tasks.strokes.batches import Batch, training_batch
from recurra.tasks.strokes.config import DrawingConfig
from recurra.tasks.strokes.data import Dataset, Split, read_dataset, read_split
from recurra.tasks.strokes.defaults import choose_size
from recurra.tasks.strokes.network import StrokeNetwork
from recurra.tasks.strokes.predict import DrawingModel
from recurra.tasks.strokes.preprocessing import StrokePreprocessor

LEARNING_RATE = 0.002


@register_task
class DrawingTask(SplitTask[DrawingConfig, Dataset]):
    """Trains a `DrawingModel`."""

    name = "strokes"
    title = "Model of drawings"
    element = ("point", "points")
    Config = DrawingConfig
    Predictor = DrawingModel
    cli_examples = (
        "recurra train strokes kanji --within 15m -o runs/kanji",
        "recurra train strokes doodles/ --simplify 0.01",
        "recurra train strokes letters.jsonl --condition label --every 4",
    )
    samples_title, usage = report.SAMPLES_TITLE, report.USAGE

    # Data

    def read_dataset(self, preprocessor: StrokePreprocessor | None) -> Dataset:
        return read_dataset(self.config.data, preprocessor)

    def count_dataset(self, dataset: Dataset) -> dict[str, int]:
        counts = {f"{name}_drawings": len(split) for name, split in dataset.splits.items()}
        counts |= {f"{name}_points": int(split.lengths.sum()) for name, split in dataset.splits.items()}
        names = len(dataset.preprocessor.names)
        kind = {"label": "labels", "text": "letters"}.get(dataset.preprocessor.condition)
        return counts | ({kind: names} if kind else {})

    # Training

    def choose_defaults(self, seconds: float | None, measure_seconds: Callable[[], float]) -> float:  # noqa: ARG002
        train = self.dataset.train
        return choose_size(self.config.model, len(train), int(train.lengths.sum()))

    def default_batch_size(self, seconds: float | None) -> int:  # noqa: ARG002
        return batch_size_for(len(self.dataset.train))

    def default_learning_rate(self) -> float | None:
        return LEARNING_RATE

    def initialize(self, network: nn.Module) -> str | None:
        """Set the bias of the pen states by how often each comes."""
        cast(StrokeNetwork, network).density.init_class_bias(torch.tensor(self.preprocessor.pens))
        return None

    def batches(self, epoch: int, *, batch: int, seed: int, start: int = 0) -> Iterator[Batch]:
        train = self.dataset.train
        for number, indices in enumerate(
            batches_by_length(train.lengths, batch, seed=seed, epoch=epoch)[start:], start
        ):
            chance = np.random.default_rng([seed, epoch, number])
            yield training_batch(train, indices, self.preprocessor, self.config.model, chance)

    def batch_count(self, epoch: int, *, batch: int, seed: int) -> int:  # noqa: ARG002
        return -(-len(self.dataset.train) // batch)

    def loss(self, network: nn.Module, batch: Batch, carried: CarriedState) -> tuple[Any, int, CarriedState]:  # noqa: ARG002
        network = cast(StrokeNetwork, network)
        count = int(batch.lengths.sum())
        return network.loss(batch.to(next(network.parameters()).device)), count, None

    def validate(self, predictor: DrawingModel) -> dict[str, float] | None:
        split = self.dataset.valid
        return None if split is None else evaluate.likelihood(predictor, split, exact=False)

    def sample(self, predictor: DrawingModel, seed: int) -> str | None:
        return evaluate.preview(predictor, seed)

    # After training

    def read_split(
        self,
        predictor: DrawingModel,
        data: list[str],
        progress: Callable[[str], None],
        options: Any,  # noqa: ARG002
    ) -> Split:
        return read_split(data, self.config.data, predictor.preprocessor, progress)

    def measure_split(self, predictor: DrawingModel, split: Split, how: Measuring) -> dict[str, Any]:
        judge = None if how.options is None else how.options.judging
        if judge is not None:
            evaluate.check_judge(judge, predictor.preprocessor)
        return evaluate.evaluate(
            predictor, split, name=how.name, train=how.train, notes=how.notes, judge=judge, progress=how.progress
        )

    @classmethod
    def report_blocks(cls, evaluation: Mapping[str, Any]) -> list[Block]:
        return report.blocks(evaluation)
