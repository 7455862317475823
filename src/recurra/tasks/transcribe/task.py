"""The task `transcribe`: many to fewer: a sound, a line of writing or the strokes of a pen become a text."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Self, cast

import numpy as np
import torch
from torch import Tensor, nn

from recurra.nn import ctc_loss
from recurra.report.blocks import Block
from recurra.tasks.base.defaults import batch_size_for
from recurra.tasks.base.registry import register_task
from recurra.tasks.base.split_task import Measuring, SplitTask
from recurra.tasks.base.task import CarriedState
from recurra.tasks.transcribe import evaluate, report
from recurra.tasks.transcribe.batches import SignalBatch, cut_batches, signal_batches
from recurra.tasks.transcribe.calibrate import calibrate
from recurra.tasks.transcribe.config import (
    TranscribeEvaluateOptions,
    TranscribePredictOptions,
    TranscriberConfig,
)
from recurra.tasks.transcribe.data import Dataset, Split, read_dataset, read_split, select, spellable, steps_of
from recurra.tasks.transcribe.defaults import choose_size
from recurra.tasks.transcribe.network import TranscriberNetwork
from recurra.tasks.transcribe.predict import Transcriber
from recurra.tasks.transcribe.preprocessing import TranscriptPreprocessor

LEARNING_RATE = 0.002
SIGNALS_AT_ONCE, BATCHES = 32, 75
"""Signals of a batch, fewer where an epoch would have fewer batches than this: 827 lines of handwriting learnt nothing for a fifth of 100 passes in batches of 32."""
BLANK_SHARE = 0.7
"""What a fresh network says of each step: so much for none, the rest by how often each unit comes."""
SIGNALS_JOINED = 3
"""Single words are joined in training up to so many, so that several are read in a row."""


@register_task
class TranscriptionTask(SplitTask[TranscriberConfig, Dataset]):
    """Trains a `Transcriber`."""

    name = "transcribe"
    title = "Transcriber"
    keep_last_of_equals = True
    element = ("unit", "units")
    Config = TranscriberConfig
    Predictor = Transcriber
    cli_examples = (
        "recurra train transcribe recordings/ --within 10m",
        "recurra train transcribe digits.tar.xz --label-from '{text}_{speaker}_*' --no-bidirectional",
        "recurra train transcribe lines.tsv --files lines/ --layers 3",
        "recurra train --resume runs/recordings",
    )
    samples_title, usage = report.SAMPLES_TITLE, report.USAGE

    @property
    def criterion(self) -> str:
        return "character_error_rate"

    # Data

    def read_dataset(self, preprocessor: TranscriptPreprocessor | None) -> Dataset:
        return read_dataset(self.config.data, self.config.model, preprocessor)

    def count_dataset(self, dataset: Dataset) -> dict[str, int]:
        signals = {f"{name}_signals": len(split) for name, split in dataset.splits.items()}
        return {**signals, "train_units": dataset.train.units, "units": dataset.preprocessor.size}

    def on_part(self, part: Split) -> Self | None:
        rows = spellable(part, self.config.model, self.preprocessor)  # of the others there is no loss
        return super().on_part(select(part, rows)) if rows else None

    # Training

    def choose_defaults(self, seconds: float | None, measure_seconds: Callable[[], float]) -> float:
        model, train, signals = self.config.model, self.dataset.train, self.preprocessor.signals
        if model.joined is None:
            single = signals.kind == "sound" and not any(" " in text.strip() for text in train.texts)
            model.joined = SIGNALS_JOINED if single and self._may_be_joined else 1
        steps = sum(steps_of(len(frames), model, signals) for frames in train.frames)
        return choose_size(model, signals, steps, seconds, measure_seconds)

    @property
    def _may_be_joined(self) -> bool:
        """Whether a text of several words can be told from that of one: by a blank, or since units are never part of others."""
        return self.preprocessor.separator is not None or max(map(len, self.dataset.train.labels)) == 1

    def default_batch_size(self, seconds: float | None) -> int:  # noqa: ARG002
        return batch_size_for(len(self.dataset.train), most=SIGNALS_AT_ONCE, least=4, batches=BATCHES)

    def default_learning_rate(self) -> float | None:
        return LEARNING_RATE

    def initialize(self, network: nn.Module) -> str | None:
        """Set the output's bias by how often each unit comes, and by how often none does."""
        counts = np.ones(self.preprocessor.size)
        for labels in self.dataset.train.labels:
            np.add.at(counts, labels, 1.0)
        counts[0] = 0.0
        shares = (1 - BLANK_SHARE) * counts / counts.sum()
        shares[0] = BLANK_SHARE
        with torch.no_grad():
            cast(TranscriberNetwork, network).output.bias.copy_(torch.from_numpy(shares).log())
        return None

    def batches(self, epoch: int, *, batch: int, seed: int, start: int = 0) -> Iterator[SignalBatch]:
        return signal_batches(
            self.dataset.train,
            self.preprocessor,
            self.config.model,
            batch=batch,
            seed=seed,
            epoch=epoch,
            start=start,
        )

    def batch_count(self, epoch: int, *, batch: int, seed: int) -> int:
        return len(cut_batches(self.dataset.train, batch, seed=seed, epoch=epoch))

    def loss(self, network: nn.Module, batch: SignalBatch, carried: CarriedState) -> tuple[Tensor, int, CarriedState]:  # noqa: ARG002
        device = next(network.parameters()).device
        log_probs, steps = network(batch.frames.to(device), batch.lengths)
        return ctc_loss(log_probs, batch.labels, steps, batch.label_counts).sum(), batch.units, None

    def validate(self, predictor: Transcriber) -> dict[str, float] | None:
        split = self.dataset.valid
        return None if split is None else evaluate.validate(predictor, split)

    def sample(self, predictor: Transcriber, seed: int) -> str | None:  # noqa: ARG002
        return evaluate.preview(predictor, self.dataset.valid or self.dataset.train)

    # After training

    def calibrate(self, predictor: Transcriber) -> None:
        if self.dataset.valid is not None:
            calibrate(predictor, self.dataset.valid)

    def read_split(
        self,
        predictor: Transcriber,
        data: list[str],
        progress: Callable[[str], None],
        options: Any,  # noqa: ARG002
    ) -> Split:
        return read_split(data, self.config.data, predictor.preprocessor, progress)

    def measure_split(self, predictor: Transcriber, split: Split, how: Measuring) -> dict[str, Any]:
        asked = how.options or TranscribeEvaluateOptions()
        return evaluate.evaluate(
            predictor,
            split,
            TranscribePredictOptions.searching(asked),
            name=how.name,
            train=how.train,
            notes=how.notes,
            progress=how.progress,
        )

    @classmethod
    def report_blocks(cls, evaluation: Mapping[str, Any]) -> list[Block]:
        return report.blocks(evaluation)
