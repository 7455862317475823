"""The task `tag`: many to many, aligned: a tag for each word or step."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor, nn

from recurra.data.labelled.tagged import Tagged
from recurra.metrics import marks_spans
from recurra.report.blocks import Block
from recurra.tasks.base.defaults import batch_size_for
from recurra.tasks.base.inference import to_device
from recurra.tasks.base.registry import register_task
from recurra.tasks.base.split_task import Measuring
from recurra.tasks.base.task import CarriedState
from recurra.tasks.sequence.data import Dataset
from recurra.tasks.sequence.labels import LabelledPreprocessor
from recurra.tasks.sequence.preprocessing import Preprocessor, vector_size
from recurra.tasks.sequence.task import Batch, SequenceTask
from recurra.tasks.tag import evaluate, report
from recurra.tasks.tag.calibrate import fit_temperature
from recurra.tasks.tag.config import TaggerConfig
from recurra.tasks.tag.data import Split, encode, padded_targets, read_dataset, tag_frequencies
from recurra.tasks.tag.defaults import choose_size
from recurra.tasks.tag.network import TaggerNetwork
from recurra.tasks.tag.predict import Tagger


@register_task
class TaggingTask(SequenceTask[TaggerConfig, Split]):
    """Trains a `Tagger`."""

    name = "tag"
    title = "Tagger"
    element = ("word", "words")
    Config = TaggerConfig
    Predictor = Tagger
    cli_examples = (
        "recurra train tag ud-ewt --within 15m",
        "recurra train tag train.conll --valid dev.conll --test test.conll -o runs/names",
        "recurra train tag train.conllu --column xpos",
        "recurra train tag frames.csv --series take --time t --column action",
        "recurra train --resume runs/names",
    )
    samples_title, usage = report.SAMPLES_TITLE, report.USAGE

    @property
    def inputs(self) -> Preprocessor:
        return self.preprocessor.inputs

    @property
    def tags(self) -> list[str]:
        """The tags, in the order of their numbers."""
        return self.preprocessor.labels

    @property
    def criterion(self) -> str:
        return "f1" if marks_spans(self.tags) else "accuracy"

    # Data

    def read_dataset(self, preprocessor: LabelledPreprocessor | None) -> Dataset[Split]:
        return read_dataset(self.config.data, preprocessor, self.given)

    def encode(self, read: Tagged) -> Split:
        return encode(read, self.preprocessor)

    def count_dataset(self, dataset: Dataset[Split]) -> dict[str, int]:
        steps = {f"{name}_steps": split.steps for name, split in dataset.splits.items()}
        return super().count_dataset(dataset) | steps | {"tags": len(dataset.preprocessor.labels)}

    def class_counts(self) -> dict[str, int]:
        targets = np.concatenate(self.dataset.train.targets)
        counts = np.bincount(targets[targets >= 0], minlength=len(self.tags))
        return dict(zip(self.tags, map(int, counts), strict=True))

    # Training

    def choose_defaults(self, seconds: float | None, measure_seconds: Callable[[], float]) -> float:  # noqa: ARG002
        model, inputs = self.config.model, self.inputs
        model.embedding = model.embedding or vector_size(inputs)
        return choose_size(model, self.dataset.train.steps, text=inputs.discrete, spans=marks_spans(self.tags))

    def default_batch_size(self, seconds: float | None) -> int:  # noqa: ARG002
        return min(32, batch_size_for(len(self.dataset.train)))

    def build_network(self) -> nn.Module:
        network = super().build_network()
        if self.is_prepared:  # without this no loss could be had of data that break their scheme
            cast(TaggerNetwork, network).allow_transitions([row.tolist() for row in self.dataset.train.targets])
        return network

    def initialize(self, network: nn.Module) -> str | None:
        """Set the output's bias by how often each tag comes."""
        frequencies = tag_frequencies(self.dataset.train.targets, len(self.tags))
        cast(TaggerNetwork, network).init_output_bias(frequencies)
        return super().initialize(network)

    def batch(self, split: Split, indices: np.ndarray) -> Batch:
        encoded = [split.encoded[index] for index in indices]
        lengths = torch.tensor([len(one) for one in encoded])
        targets = padded_targets([split.targets[index] for index in indices])
        return Batch(self.inputs.collate(encoded), lengths, torch.from_numpy(targets))

    def loss(
        self,
        network: nn.Module,
        batch: Batch,
        carried: CarriedState,  # noqa: ARG002
    ) -> tuple[Tensor, int, CarriedState]:
        device = next(network.parameters()).device
        inputs, targets = to_device(batch.inputs, device), batch.targets.to(device)
        loss = cast(TaggerNetwork, network).loss(inputs, batch.lengths, targets)
        return loss, int(batch.lengths.sum()), None

    def validate(self, predictor: Tagger) -> dict[str, float] | None:
        split = self.dataset.valid
        if split is None:
            return None
        metrics = evaluate.compute_metrics(split, predictor.forward(split.encoded, exact=False))
        return {name: metrics[name] for name in dict.fromkeys((self.criterion, *evaluate.VALIDATION_METRICS))}

    def sample(self, predictor: Tagger, seed: int) -> str | None:  # noqa: ARG002
        return evaluate.preview_predictions(predictor, self.dataset.valid or self.dataset.train)

    # After training

    def calibrate(self, predictor: Tagger) -> None:
        """Set the temperature with which the tags of the validation data are likeliest."""
        split = self.dataset.valid
        if split is not None and split.steps:
            fit_temperature(predictor, split)

    def measure_split(self, predictor: Tagger, split: Split, how: Measuring) -> dict[str, Any]:
        return evaluate.evaluate(
            predictor, split, name=how.name, train=how.train, notes=how.notes, progress=how.progress
        )

    @classmethod
    def report_blocks(cls, evaluation: Mapping[str, Any]) -> list[Block]:
        return report.blocks(evaluation)
