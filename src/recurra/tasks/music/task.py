"""The task `music`: pieces are learnt step by step, composed, continued and harmonised."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor, nn

from recurra.data.batching import batches_by_length
from recurra.music import shift_frames
from recurra.report.blocks import Block
from recurra.tasks.base.defaults import batch_size_for
from recurra.tasks.base.registry import register_task
from recurra.tasks.base.split_task import Measuring, SplitTask
from recurra.tasks.base.task import CarriedState
from recurra.tasks.music import evaluate, report
from recurra.tasks.music.batches import KNOWN_SHARE, Batch, Excerpt, collate, cut, draw_semitones
from recurra.tasks.music.config import MusicConfig
from recurra.tasks.music.data import Dataset, Split, read_dataset, read_split
from recurra.tasks.music.defaults import choose_size
from recurra.tasks.music.network import MusicNetwork
from recurra.tasks.music.predict import Composer
from recurra.tasks.music.preprocessing import MusicPreprocessor

LEARNING_RATE = 0.004


@register_task
class MusicTask(SplitTask[MusicConfig, Dataset]):
    """Trains a `Composer`."""

    name = "music"
    title = "Music model"
    element = ("step", "steps")
    Config = MusicConfig
    Predictor = Composer
    cli_examples = (
        "recurra train music tunes/ --within 10m -o runs/tunes",
        "recurra train music jsb-chorales",
        "recurra train music groove --kind drums",
        "recurra train --resume runs/tunes",
    )
    samples_title, usage = report.SAMPLES_TITLE, report.USAGE

    def __init__(self, config: MusicConfig) -> None:
        super().__init__(config)
        self._cut: list[Any] | None = None

    # Data

    def read_dataset(self, preprocessor: MusicPreprocessor | None) -> Dataset:
        return read_dataset(self.config.data, self.config.model, preprocessor)

    def count_dataset(self, dataset: Dataset) -> dict[str, int]:
        found = {f"{name}_pieces": len(split) for name, split in dataset.splits.items()}
        return found | {f"{name}_steps": split.steps for name, split in dataset.splits.items()}

    @property
    def _parts(self) -> list[Any]:
        if self._cut is None:
            self._cut = cut(self.dataset.train.pieces, self.config.data.excerpt)
        return self._cut

    # Training

    def choose_defaults(self, seconds: float | None, measure_seconds: Callable[[], float]) -> float:  # noqa: ARG002
        batches = self.batch_count(0, batch=self.default_batch_size(seconds), seed=0)
        return choose_size(self.config.model, self.dataset.train.steps, batches)

    def default_batch_size(self, seconds: float | None) -> int:  # noqa: ARG002
        return batch_size_for(len(self._parts), most=32, batches=24)

    def default_learning_rate(self) -> float | None:
        return LEARNING_RATE

    def initialize(self, network: nn.Module) -> str | None:
        """Set the output's bias by how often each choice comes, in the keys that are drawn: the first steps need not learn that."""
        chance = np.random.default_rng(0)
        frames = [
            shift_frames(piece.kind, piece.frames, draw_semitones(piece, self.config.data.transpositions, chance))
            for piece in self.dataset.train.pieces
        ]
        counted = torch.from_numpy(np.concatenate(frames).astype(np.int64))
        cast(MusicNetwork, network).head.init_output_bias(counted)
        return None

    def batches(self, epoch: int, *, batch: int, seed: int, start: int = 0) -> Iterator[Batch]:
        lengths = [stop - first for _, first, stop in self._parts]
        for number, indices in enumerate(batches_by_length(lengths, batch, seed=seed, epoch=epoch)[start:], start):
            chance = np.random.default_rng([seed, epoch, number])
            excerpts = []
            for index in indices.tolist():
                piece, first, stop = self._parts[index]
                semitones = draw_semitones(piece, self.config.data.transpositions, chance)
                known = bool(chance.random() < KNOWN_SHARE)
                excerpts.append(Excerpt(piece, first, stop, semitones, known))
            yield collate(excerpts, self.preprocessor)

    def batch_count(self, epoch: int, *, batch: int, seed: int) -> int:  # noqa: ARG002
        return -(-len(self._parts) // batch)

    def loss(self, network: nn.Module, batch: Batch, carried: CarriedState) -> tuple[Tensor, int, CarriedState]:  # noqa: ARG002
        device = next(network.parameters()).device
        loss = cast(MusicNetwork, network).loss(batch.to(device))
        return loss, int(torch.sum(batch.lengths)), None

    def validate(self, predictor: Composer) -> dict[str, float] | None:
        split = self.dataset.valid
        return None if split is None else evaluate.likelihood(predictor, split)

    def sample(self, predictor: Composer, seed: int) -> str | None:
        return evaluate.preview(predictor, seed)

    # After training

    def read_split(
        self,
        predictor: Composer,
        data: list[str],
        progress: Callable[[str], None],
        options: Any,  # noqa: ARG002
    ) -> Split:
        train = self.dataset.train if self.is_prepared else None
        return read_split(data, self.config.data, predictor.preprocessor, train, progress)

    def measure_split(self, predictor: Composer, split: Split, how: Measuring) -> dict[str, Any]:
        return evaluate.evaluate(
            predictor, split, name=how.name, train=how.train, notes=how.notes, progress=how.progress
        )

    @classmethod
    def report_blocks(cls, evaluation: Mapping[str, Any]) -> list[Block]:
        return report.blocks(evaluation)
