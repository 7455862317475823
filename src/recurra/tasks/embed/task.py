"""The task `embed`: many to one, a vector for a whole sequence, learnt without labels."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor, nn

from recurra.data.labelled.reader import Labelled, read_labelled
from recurra.tasks.base.defaults import batch_size_for
from recurra.tasks.base.inference import spread, to_device
from recurra.tasks.base.task import CarriedState, register_task
from recurra.tasks.embed import evaluate as measure
from recurra.tasks.embed import predict as asking
from recurra.tasks.embed.config import EmbedderConfig
from recurra.tasks.embed.data import Part, encode, read_examples, reading
from recurra.tasks.embed.defaults import choose_size
from recurra.tasks.embed.network import NETWORKS, EmbedderNetwork
from recurra.tasks.embed.stream import VectorStream
from recurra.tasks.embed.targets import Targets, make_targets
from recurra.tasks.sequence.data import Examples
from recurra.tasks.sequence.preprocessing import Preprocessor, load_preprocessor, vector_size
from recurra.tasks.sequence.task import Batch, SequenceTask

SETTLED_BY = 2000
"""Training examples whose vectors say where the middle is, and how far vectors lie from it."""


@register_task
class Embedder(SequenceTask[EmbedderConfig, Part]):
    """Gives each text or series a vector, near those of the sequences that are like it."""

    name = "embed"
    title = "Embedder"
    labels_are = "labels"
    higher = False
    Config = EmbedderConfig
    predict_options = frozenset({"cluster", "neighbours"})
    commands = (
        "recurra train embed digits",
        "recurra train embed machines.csv --series machine --time hour -o runs/machines",
        "recurra train embed letters.txt --unit char --within 10m",
        "recurra train embed BasicMotions_TRAIN.ts --test BasicMotions_TEST.ts --method next",
    )

    @property
    def unit(self) -> str:
        return self.config.data.unit

    @cached_property
    def targets(self) -> Targets:
        """What is foretold or given back of each sequence."""
        model = self.config.model
        return make_targets(self.input, model.embedding or 64, new=model.method == "next")

    @property
    def criterion(self) -> str:
        return self.targets.figure

    # Data

    def read_examples(self, labels: list[str] | None, made: Preprocessor | None) -> Examples[Part]:  # noqa: ARG002
        return read_examples(self.config.data, made)

    def read(self, files: Sequence[str], settings: dict[str, Any], *, for_answers: bool = False) -> Labelled:
        how = reading(self.config.data.model_copy(update=settings), for_answers=for_answers)
        return read_labelled(files, how)

    def encode(self, read: Labelled) -> Part:
        return encode(read, self.input)

    def counts(self, examples: Examples[Part]) -> dict[str, int]:
        return {f"{name}_examples": len(part) for name, part in examples.parts.items()}

    def save(self, folder: Path) -> list[str]:
        return self.input.save(folder)

    def restore(self, folder: Path) -> None:
        self._labels, self._input = [], load_preprocessor(folder, unit=self.unit)

    # Training

    def choose(self, seconds: float | None, measure: Callable[[], float]) -> float:  # noqa: ARG002
        self.config.model.embedding = self.config.model.embedding or vector_size(self.input)
        return choose_size(self.config.model, self.input.kind, len(self.examples.train))

    def batch_size(self, seconds: float | None) -> int:  # noqa: ARG002
        return batch_size_for(len(self.examples.train), batches=8)

    def network(self) -> EmbedderNetwork:
        model = self.config.model
        encoder = self.input.encoder(model.embedding, noise=model.noise or 0.0, cell=model.cell)
        return NETWORKS[model.method](encoder, model, self.targets)

    def batch(self, part: Part, indices: np.ndarray) -> Batch:
        """Put some of the examples of a part side by side."""
        encoded = [part.encoded[index] for index in indices]
        wanted = [self.targets.of(part.sequences[index], part.encoded[index]) for index in indices]
        lengths = torch.tensor([len(one) for one in encoded])
        return Batch(self.input.collate(encoded), lengths, self.targets.collate(wanted))

    def errors(self, network: nn.Module, batch: Batch, device: torch.device) -> tuple[Tensor, Tensor]:
        """Give the summed error (B) of each sequence of a batch, and of how many elements (B) it is."""
        inputs, targets = to_device(batch.inputs, device), batch.targets.to(device)
        return cast(EmbedderNetwork, network).errors(inputs, batch.lengths, targets)

    def loss(self, network: nn.Module, batch: Batch, carry: CarriedState) -> tuple[Tensor, int, CarriedState]:  # noqa: ARG002
        errors, counts = self.errors(network, batch, next(network.parameters()).device)
        # Each sequence counts alike, however long it is.
        return (errors / counts.clamp(min=1)).sum(), len(batch.lengths), None

    def validate(self, network: nn.Module) -> dict[str, float] | None:
        part = self.examples.valid
        return None if part is None else {self.criterion: asking.mean_error(self, network, part, exactly=False)}

    def settle(self, network: nn.Module) -> None:
        """Set where the vectors have their middle, and their spread, by those of training examples."""
        embedder, train = cast(EmbedderNetwork, network), self.examples.train
        cast(Tensor, embedder.centre).zero_()
        cast(Tensor, embedder.spread).fill_(1.0)
        some = [train.encoded[index] for index in spread(len(train), SETTLED_BY)]
        embedder.set_scale(torch.from_numpy(asking.vectors(self, network, some)))

    # After training

    def measure(
        self, network: nn.Module, part: Part, name: str, progress: Callable[[str], None], *, baselines: bool
    ) -> dict[str, Any]:
        return measure.evaluation(self, network, part, name, progress, baselines=baselines)

    # What an embedder can be asked

    def embed(self, network: nn.Module, inputs: Sequence[Any]) -> np.ndarray:
        """Give the vector of each sequence, (N, D) float32."""
        given = self.taken(inputs)
        return asking.vectors(self, network, [self.input.encode(sequence) for sequence in given])

    def predict(
        self,
        network: nn.Module,
        inputs: Sequence[Any],
        *,
        k: int | None = None,  # noqa: ARG002  of other tasks
        steps: bool = False,
        cluster: int | str | None = None,
        neighbours: int | None = None,
    ) -> list[dict[str, Any]]:
        """Give the vector of each sequence, and how it stands to the others; see `asking.predict`."""
        return asking.predict(self, network, inputs, steps=steps, cluster=cluster, neighbours=neighbours)

    def prediction_line(self, result: Mapping[str, Any]) -> str:
        return asking.line(result)

    def prediction_header(self, result: Mapping[str, Any]) -> str | None:
        return asking.header(result)

    def new_stream(self, network: nn.Module) -> VectorStream:
        return VectorStream(self, cast(EmbedderNetwork, network))
