"""The task `tag`: many to many, aligned: a tag for each word or step."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor, nn

from recurra.data.labelled.tagged import Tagged, read_tagged
from recurra.metrics import marks_spans
from recurra.tasks.base.defaults import batch_size_for
from recurra.tasks.base.inference import to_device
from recurra.tasks.base.task import CarriedState, register_task
from recurra.tasks.sequence.data import Examples
from recurra.tasks.sequence.preprocessing import Preprocessor, vector_size
from recurra.tasks.sequence.task import Batch, SequenceTask
from recurra.tasks.tag import evaluate as measure
from recurra.tasks.tag import predict as asking
from recurra.tasks.tag.config import TaggerConfig
from recurra.tasks.tag.data import Part, encode, padded_targets, read_examples, reading
from recurra.tasks.tag.network import UNKNOWN, TaggerNetwork
from recurra.tasks.tag.stream import TagStream

STEPS_TO_LEARN = 3_000_000
"""Words or steps read after which a tagger has most of what it will get."""


@register_task
class Tagger(SequenceTask[TaggerConfig, Part]):
    """Says what each word of a sentence or each step of a series is."""

    name = "tag"
    title = "Tagger"
    labels_are = "tags"
    Config = TaggerConfig
    commands = (
        "recurra train tag ud-ewt --within 15m",
        "recurra train tag train.conll --valid dev.conll --test test.conll -o runs/names",
        "recurra train tag train.conllu --column xpos",
        "recurra train tag frames.csv --series take --time t --column action",
        "recurra train --resume runs/names",
    )

    @property
    def tags(self) -> list[str]:
        return self.labels

    @property
    def unit(self) -> str:
        return "word"

    @property
    def spans(self) -> bool:
        """Whether the tags mark spans, as B-PER, I-PER and O do."""
        return marks_spans(self.tags)

    @property
    def criterion(self) -> str:
        return "f1" if self.spans else "accuracy"

    # Data

    def read_examples(self, labels: list[str] | None, made: Preprocessor | None) -> Examples[Part]:
        return read_examples(self.config.data, labels, made)

    def read(self, files: Sequence[str], settings: dict[str, Any], *, for_answers: bool = False) -> Tagged:
        how = reading(self.config.data.model_copy(update=settings), for_answers=for_answers)
        return read_tagged(files, how)

    def encode(self, read: Tagged) -> Part:
        return encode(read, self.tags, self.input)

    def counts(self, examples: Examples[Part]) -> dict[str, int]:
        counts = super().counts(examples)
        tags = counts.pop(self.labels_are)
        steps = {f"{name}_steps": part.steps for name, part in examples.parts.items()}
        return counts | steps | {self.labels_are: tags}

    # Training

    def choose(self, seconds: float | None, measure: Callable[[], float]) -> float:  # noqa: ARG002
        model, train = self.config.model, self.examples.train
        model.embedding = model.embedding or vector_size(self.input)
        if model.head is None:
            model.head = "crf" if self.spans else "softmax"
        if model.dropout is None:
            model.dropout = 0.5 if self.input.kind == "text" else 0.2
        if model.input_dropout is None and self.input.kind == "text":
            model.input_dropout = model.dropout
        if model.hidden is None:
            model.hidden = 128
        return min(40.0, max(4.0, STEPS_TO_LEARN / max(1, train.steps)))

    def batch_size(self, seconds: float | None) -> int:  # noqa: ARG002
        return min(32, batch_size_for(len(self.examples.train)))

    def network(self) -> TaggerNetwork:
        model = self.config.model
        encoder = self.input.encoder(
            model.embedding,
            noise=model.noise or 0.0,
            cell=model.cell,
            characters_for="all",
            characters=(model.characters, model.characters),
        )
        network = TaggerNetwork(encoder, self.tags, model)
        if self._examples is not None:
            targets = self._examples.train.targets
            count = np.bincount(np.concatenate(targets), minlength=len(self.tags)) + 1.0
            network.init_output_bias(torch.from_numpy(count / count.sum()).float())
            network.allow([each.tolist() for each in targets])
        return network

    def batch(self, part: Part, indices: np.ndarray) -> Batch:
        """Put some of the examples of a part side by side."""
        encoded = [part.encoded[index] for index in indices]
        lengths = torch.tensor([len(one) for one in encoded])
        targets = padded_targets([part.targets[index] for index in indices], UNKNOWN)
        return Batch(self.input.collate(encoded), lengths, torch.from_numpy(targets))

    def loss(self, network: nn.Module, batch: Batch, carry: CarriedState) -> tuple[Tensor, int, CarriedState]:  # noqa: ARG002
        device = next(network.parameters()).device
        inputs, targets = to_device(batch.inputs, device), batch.targets.to(device)
        loss = cast(TaggerNetwork, network).loss(inputs, batch.lengths, targets)
        return loss, int(batch.lengths.sum()), None

    def validate(self, network: nn.Module) -> dict[str, float] | None:
        part = self.examples.valid
        if part is None:
            return None
        figures = measure.figures(part, asking.answers(self, network, part.encoded, exactly=False))
        return {name: figures[name] for name in dict.fromkeys((self.criterion, "accuracy", "nll"))}

    def settle(self, network: nn.Module) -> None:
        """Set the temperature with which the tags of the validation data are likeliest."""
        part = self.examples.valid
        if part is not None and part.steps:
            measure.fit_temperature(self, cast(TaggerNetwork, network), part)

    def sample(self, network: nn.Module, seed: int) -> str | None:  # noqa: ARG002
        return asking.few_lines(self, network, self.examples.valid or self.examples.train)

    # After training

    def measure(
        self, network: nn.Module, part: Part, name: str, progress: Callable[[str], None], *, baselines: bool
    ) -> dict[str, Any]:
        return measure.evaluation(self, network, part, name, progress, baselines=baselines)

    # What a tagger can be asked

    def parse(self, line: str) -> Any:
        return asking.parse(self, line)

    def predict(
        self, network: nn.Module, inputs: Sequence[Any], *, k: int | None = None, steps: bool = False
    ) -> list[dict[str, Any]]:
        """Tag sequences; see `asking.predict`."""
        return asking.predict(self, network, inputs, k=k, steps=steps)

    def prediction_line(self, result: Mapping[str, Any]) -> str:
        return asking.line(result)

    def new_stream(self, network: nn.Module) -> TagStream:
        return TagStream(self, cast(TaggerNetwork, network))
