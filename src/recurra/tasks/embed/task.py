"""The task `embed`: many to one, a vector for a whole sequence, learnt without labels."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor, nn

from recurra.data.labelled.reader import Labelled
from recurra.report.blocks import Block
from recurra.tasks.base.defaults import batch_size_for
from recurra.tasks.base.inference import evenly_spaced, to_device
from recurra.tasks.base.registry import register_task
from recurra.tasks.base.split_task import Measuring
from recurra.tasks.base.task import CarriedState
from recurra.tasks.embed import evaluate, report
from recurra.tasks.embed.config import EmbedderConfig
from recurra.tasks.embed.data import Split, encode, read_dataset
from recurra.tasks.embed.defaults import choose_size
from recurra.tasks.embed.network import EmbedderNetwork
from recurra.tasks.embed.predict import Embedder
from recurra.tasks.embed.targets import Targets, build_targets, collate
from recurra.tasks.sequence.data import Dataset
from recurra.tasks.sequence.preprocessing import Preprocessor, vector_size
from recurra.tasks.sequence.task import Batch, SequenceTask

MAX_EXAMPLES_TO_CALIBRATE = 2000
"""Training examples whose vectors tell where the middle is, and how far vectors lie from it."""


@register_task
class EmbeddingTask(SequenceTask[EmbedderConfig, Split]):
    """Trains an `Embedder`."""

    name = "embed"
    title = "Embedder"
    element = ("sequence", "sequences")
    maximize = False
    Config = EmbedderConfig
    Predictor = Embedder
    cli_examples = (
        "recurra train embed digits",
        "recurra train embed machines.csv --series machine --time hour -o runs/machines",
        "recurra train embed letters.txt --unit char --within 10m",
        "recurra train embed BasicMotions_TRAIN.ts --test BasicMotions_TEST.ts --objective next_step",
    )
    usage = report.USAGE

    @property
    def targets(self) -> Targets:
        """What is predicted or given back of each sequence."""
        return build_targets(self.inputs, self.config.model)

    @property
    def criterion(self) -> str:
        return self.targets.metric

    # Data

    def read_dataset(self, preprocessor: Preprocessor | None) -> Dataset[Split]:
        return read_dataset(self.config.data, preprocessor, self.given)

    def encode(self, read: Labelled) -> Split:
        return encode(read, self.inputs)

    # Training

    def choose_defaults(self, seconds: float | None, measure_seconds: Callable[[], float]) -> float:  # noqa: ARG002
        model, inputs = self.config.model, self.inputs
        model.embedding = model.embedding or vector_size(inputs)
        return choose_size(model, len(self.dataset.train), text=inputs.discrete)

    def default_batch_size(self, seconds: float | None) -> int:  # noqa: ARG002
        return batch_size_for(len(self.dataset.train), batches=8)

    def batch(self, split: Split, indices: np.ndarray) -> Batch:
        return Batch(*collate(split, indices, self.inputs, self.targets))

    def loss(
        self,
        network: nn.Module,
        batch: Batch,
        carried: CarriedState,  # noqa: ARG002
    ) -> tuple[Tensor, int, CarriedState]:
        device = next(network.parameters()).device
        inputs, targets = to_device(batch.inputs, device), batch.targets.to(device)
        errors, counts = cast(EmbedderNetwork, network).errors(inputs, batch.lengths, targets)
        # Each sequence counts alike, however long it is.
        return (errors / counts.clamp(min=1)).sum(), len(batch.lengths), None

    def validate(self, predictor: Embedder) -> dict[str, float] | None:
        split = self.dataset.valid
        return None if split is None else {self.criterion: evaluate.mean_error(predictor, split, exact=False)}

    # After training

    def calibrate(self, predictor: Embedder) -> None:
        """Set where the vectors have their middle, and their spread, by those of training examples."""
        network, train = cast(EmbedderNetwork, predictor.network), self.dataset.train
        network.reset_scale()
        some = [train.encoded[index] for index in evenly_spaced(len(train), MAX_EXAMPLES_TO_CALIBRATE)]
        network.set_scale(torch.from_numpy(predictor.vectors(some)))

    def measure_split(self, predictor: Embedder, split: Split, how: Measuring) -> dict[str, Any]:
        return evaluate.evaluate(
            predictor, split, name=how.name, train=how.train, notes=how.notes, progress=how.progress
        )

    @classmethod
    def report_blocks(cls, evaluation: Mapping[str, Any]) -> list[Block]:
        return report.blocks(evaluation)
