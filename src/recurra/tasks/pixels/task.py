"""The task `pixels`: one to many without labels: pictures are learnt row by row, written and completed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor, nn

from recurra.data.batching import batches_by_length
from recurra.report.blocks import Block
from recurra.tasks.base.defaults import batch_size_for
from recurra.tasks.base.registry import register_task
from recurra.tasks.base.split_task import Measuring, SplitTask
from recurra.tasks.base.task import CarriedState
from recurra.tasks.pixels import evaluate, report
from recurra.tasks.pixels.config import PictureConfig
from recurra.tasks.pixels.data import Dataset, Split, read_dataset, read_split
from recurra.tasks.pixels.defaults import choose_size
from recurra.tasks.pixels.network import PixelNetwork
from recurra.tasks.pixels.predict import PictureModel
from recurra.tasks.pixels.preprocessing import PicturePreprocessor, draw_from

LEARNING_RATE = 0.003


@register_task
class PictureModelingTask(SplitTask[PictureConfig, Dataset]):
    """Trains a `PictureModel`."""

    name = "pixels"
    title = "Picture model"
    element = ("pixel", "pixels")
    Config = PictureConfig
    Predictor = PictureModel
    cli_examples = (
        "recurra train pixels mnist --within 20m -o runs/digits",
        "recurra train pixels faces/ --size 32 --levels 16",
        "recurra train --resume runs/digits",
    )
    samples_title, usage = report.SAMPLES_TITLE, report.USAGE

    # Data

    def read_dataset(self, preprocessor: PicturePreprocessor | None) -> Dataset:
        return read_dataset(self.config.data, preprocessor)

    def count_dataset(self, dataset: Dataset) -> dict[str, int]:
        height, width = dataset.preprocessor.size
        pictures = {f"{name}_pictures": len(split) for name, split in dataset.splits.items()}
        return pictures | {"height": height, "width": width}

    # Training

    def choose_defaults(self, seconds: float | None, measure_seconds: Callable[[], float]) -> float:  # noqa: ARG002
        return choose_size(self.config.model, len(self.dataset.train))

    def default_batch_size(self, seconds: float | None) -> int:  # noqa: ARG002
        return batch_size_for(len(self.dataset.train))

    def default_learning_rate(self) -> float | None:
        return LEARNING_RATE

    def initialize(self, network: nn.Module) -> str | None:
        """Set the output's bias by how often each level comes in each column: the first steps need not be spent on learning that."""
        levels = self.dataset.train.levels
        counts = np.stack([(levels == level).sum((0, 1)) for level in range(self.preprocessor.levels)], 1) + 1.0
        frequencies = counts / counts.sum(1, keepdims=True)
        cast(PixelNetwork, network).head.init_output_bias(torch.from_numpy(frequencies).float())
        return None

    def batches(self, epoch: int, *, batch: int, seed: int, start: int = 0) -> Iterator[Tensor]:
        train, drawn = self.dataset.train, self.preprocessor.drawn
        lengths = np.full(len(train), train.levels.shape[1])
        for number, indices in enumerate(batches_by_length(lengths, batch, seed=seed, epoch=epoch)[start:], start):
            # Drawn again each time it is read, a picture can hardly be learnt by heart.
            chance = np.random.default_rng([seed, epoch, number])
            levels = draw_from(train.pictures[indices], chance) if drawn else train.levels[indices]
            yield torch.from_numpy(levels.astype(np.int64))

    def batch_count(self, epoch: int, *, batch: int, seed: int) -> int:  # noqa: ARG002
        return -(-len(self.dataset.train) // batch)

    def loss(self, network: nn.Module, batch: Tensor, carried: CarriedState) -> tuple[Tensor, int, CarriedState]:  # noqa: ARG002
        network = cast(PixelNetwork, network)
        return network.loss(batch.to(next(network.parameters()).device)), batch.numel(), None

    def validate(self, predictor: PictureModel) -> dict[str, float] | None:
        split = self.dataset.valid
        return None if split is None else evaluate.likelihood(predictor, split, exact=False)

    def sample(self, predictor: PictureModel, seed: int) -> str | None:
        return evaluate.preview(predictor, seed)

    # After training

    def read_split(
        self,
        predictor: PictureModel,
        data: list[str],
        progress: Callable[[str], None],
        options: Any,  # noqa: ARG002
    ) -> Split:
        return read_split(data, self.config.data, predictor.preprocessor, progress)

    def measure_split(self, predictor: PictureModel, split: Split, how: Measuring) -> dict[str, Any]:
        judge = None if how.options is None else how.options.judging
        if judge is not None:
            evaluate.check_judge(judge, split)
        return evaluate.evaluate(
            predictor, split, name=how.name, train=how.train, notes=how.notes, judge=judge, progress=how.progress
        )

    @classmethod
    def report_blocks(cls, evaluation: Mapping[str, Any]) -> list[Block]:
        return report.blocks(evaluation)
