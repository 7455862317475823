"""The task `translate`: many to many of different lengths: a sequence becomes another."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple, cast

import numpy as np
import torch
from torch import Tensor, nn

from recurra.data.batching import batches_by_length, cut_large
from recurra.report.blocks import Block
from recurra.tasks.base.defaults import batch_size_for
from recurra.tasks.base.registry import register_task
from recurra.tasks.base.split_task import Measuring, SplitTask
from recurra.tasks.base.task import CarriedState
from recurra.tasks.seq2seq.search import collate, teacher
from recurra.tasks.translate import evaluate, report
from recurra.tasks.translate.config import TranslatorConfig
from recurra.tasks.translate.data import Dataset, Split, read_dataset, read_split
from recurra.tasks.translate.defaults import choose_size
from recurra.tasks.translate.dropout import TrainingSide, training_sides
from recurra.tasks.translate.network import TranslationNetwork
from recurra.tasks.translate.predict import Translator
from recurra.tasks.translate.preprocessing import TranslationPreprocessor

LEARNING_RATE = 0.002
LONGER_BY_DROPOUT = 3
"""By what share of itself a text is longer in pieces with all merges left out, about."""
MAX_BATCH, WEIGHTS_PER_STEP = 8_000_000, 300
"""Weights of the attention, padding included, that are trained on together, and how many of them take as much memory as a step."""


class PairBatch(NamedTuple):
    """Pairs side by side: sources (S, B), their lengths (B), what the decoder reads (T, B), what it is to write, and how much that is."""

    sources: Tensor
    lengths: Tensor
    read: Tensor
    written: Tensor
    units: int


@register_task
class TranslationTask(SplitTask[TranslatorConfig, Dataset]):
    """Trains a `Translator`."""

    name = "translate"
    title = "Translator"
    element = ("unit", "units")
    Config = TranslatorConfig
    Predictor = Translator
    cli_examples = (
        "recurra train translate train.de train.en --within 20m",
        "recurra train translate train --source de --target en --valid val --test test",
        "recurra train translate dates.csv --source written --target iso -o runs/dates",
        "recurra train --resume runs/dates",
    )
    samples_title, usage = report.SAMPLES_TITLE, report.USAGE
    _sides: tuple[int, tuple[TrainingSide, TrainingSide]] | None = None

    # Data

    def read_dataset(self, preprocessor: TranslationPreprocessor | None) -> Dataset:
        return read_dataset(self.config.data, preprocessor)

    def count_dataset(self, dataset: Dataset) -> dict[str, int]:
        pairs = {f"{name}_pairs": len(split) for name, split in dataset.splits.items()}
        sizes = {"source_units": dataset.preprocessor.source.size, "target_units": dataset.preprocessor.target.size}
        return pairs | sizes

    # Training

    def choose_defaults(self, seconds: float | None, measure_seconds: Callable[[], float]) -> float:
        data, train = self.config.data, self.dataset.train
        sentences = evaluate.writes_sentences(self.preprocessor, data.target_unit)
        return choose_size(self.config.model, train.units, len(train), seconds, measure_seconds, sentences=sentences)

    def default_batch_size(self, seconds: float | None) -> int:  # noqa: ARG002
        return batch_size_for(len(self.dataset.train))

    def default_learning_rate(self) -> float | None:
        return LEARNING_RATE

    def initialize(self, network: nn.Module) -> str | None:
        """Set the output's bias by how often each unit comes: the first steps need not be spent on learning that."""
        vocabulary, train = self.preprocessor.target, self.dataset.train
        counts = np.ones(vocabulary.size)
        for ids in train.encoded_targets:
            np.add.at(counts, ids, 1.0)
        counts[vocabulary.eos_id] += len(train)
        cast(TranslationNetwork, network).decoder.init_output_bias(torch.from_numpy(counts / counts.sum()).float())
        return None

    def batches(self, epoch: int, *, batch: int, seed: int, start: int = 0) -> Iterator[PairBatch]:
        source, target = self._training_sides(seed)
        for number, indices in enumerate(self._cut(epoch, batch, seed)[start:], start):
            chance = np.random.default_rng([seed, epoch, number])
            targets = [target.encode(index, chance) for index in indices.tolist()]
            sources, source_lengths = collate([source.encode(index, chance) for index in indices.tolist()])
            yield PairBatch(
                sources,
                source_lengths,
                *teacher(self.preprocessor.target, targets),
                sum(len(ids) + 1 for ids in targets),
            )

    def _training_sides(self, seed: int) -> tuple[TrainingSide, TrainingSide]:
        if self._sides is None or self._sides[0] != seed:
            rate = self.config.model.bpe_dropout
            self._sides = seed, training_sides(self.preprocessor, self.dataset.train, rate, seed)
        return self._sides[1]

    def _cut(self, epoch: int, batch: int, seed: int) -> list[np.ndarray]:
        """Give the pairs of each batch: of like lengths, and fewer where they are so long that they would take much memory."""
        sources, targets = self.dataset.train.lengths
        longer = 1 + LONGER_BY_DROPOUT * self.config.model.bpe_dropout

        def size(some: np.ndarray) -> int:
            longest, most = (round(longer * int(side[some].max())) for side in (sources, targets))
            return len(some) * max(longest * most, WEIGHTS_PER_STEP * (longest + most))

        order = targets * 1_000 + np.minimum(999, sources)
        return cut_large(batches_by_length(order, batch, seed=seed, epoch=epoch), size, MAX_BATCH)

    def batch_count(self, epoch: int, *, batch: int, seed: int) -> int:
        return len(self._cut(epoch, batch, seed))

    def loss(self, network: nn.Module, batch: PairBatch, carried: CarriedState) -> tuple[Tensor, int, CarriedState]:  # noqa: ARG002
        network = cast(TranslationNetwork, network)
        device = next(network.parameters()).device
        sources, lengths, read, written, units = batch
        loss = network.loss(sources.to(device), lengths, read.to(device), written.to(device))
        return loss, units, None

    def validate(self, predictor: Translator) -> dict[str, float] | None:
        split = self.dataset.valid
        return None if split is None else evaluate.likelihood(predictor, split, exact=False)

    def sample(self, predictor: Translator, seed: int) -> str | None:  # noqa: ARG002
        return evaluate.preview(predictor, self.dataset.valid or self.dataset.train)

    # After training

    def read_split(
        self,
        predictor: Translator,
        data: list[str],
        progress: Callable[[str], None],
        options: Any,  # noqa: ARG002
    ) -> Split:
        return read_split(data, self.config.data, predictor.preprocessor, progress)

    def measure_split(self, predictor: Translator, split: Split, how: Measuring) -> dict[str, Any]:
        return evaluate.evaluate(
            predictor, split, name=how.name, train=how.train, notes=how.notes, progress=how.progress
        )

    @classmethod
    def report_blocks(cls, evaluation: Mapping[str, Any]) -> list[Block]:
        return report.blocks(evaluation)
