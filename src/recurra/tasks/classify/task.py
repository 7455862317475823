"""The task `classify`: many to one, the class of a whole sequence."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor, nn

from recurra.data.labelled.reader import Labelled, read_labelled
from recurra.metrics.calibration import fit_temperature
from recurra.tasks.base.defaults import choose_batch
from recurra.tasks.base.inference import to_device
from recurra.tasks.base.task import Carry, register_task
from recurra.tasks.classify import evaluate as measure
from recurra.tasks.classify import predict as asking
from recurra.tasks.classify.config import ClassifierConfig
from recurra.tasks.classify.data import Part, encode, read_examples, reading
from recurra.tasks.classify.defaults import choose_size
from recurra.tasks.classify.network import ClassifierNetwork, summed_loss
from recurra.tasks.classify.stream import ClassStream
from recurra.tasks.sequence.data import Examples
from recurra.tasks.sequence.preprocessing import Input, WordInput, vector_size
from recurra.tasks.sequence.task import Batch, SequenceTask


@register_task
class Classifier(SequenceTask[ClassifierConfig, Part]):
    """Says which class a whole text or series belongs to, and how sure it is."""

    name = "classify"
    title = "Classifier"
    labels_are = "classes"
    Config = ClassifierConfig
    commands = (
        "recurra train classify digits",
        "recurra train classify reviews.csv --text review --label sentiment --within 10m",
        "recurra train classify rt-polarity.pos rt-polarity.neg -o runs/movies",
        "recurra train classify GunPoint_TRAIN.ts --test GunPoint_TEST.ts --cell gru",
        "recurra train --resume runs/movies",
    )

    @property
    def classes(self) -> list[str]:
        return self.labels

    @property
    def unit(self) -> str:
        return self.config.data.unit

    @property
    def multi_label(self) -> bool:
        """Whether an example may have several labels."""
        return self.config.data.multi_label

    @property
    def criterion(self) -> str:
        # Probabilities grow too sure long before the choices get worse, and `settle` mends them.
        if self.multi_label:
            return "micro_f1"
        return "balanced_accuracy" if self.config.model.class_weights == "balanced" else "accuracy"

    # Data

    def read_examples(self, labels: list[str] | None, made: Input | None) -> Examples[Part]:
        return read_examples(self.config.data, labels, made)

    def read(self, files: Sequence[str], settings: dict[str, Any], *, for_answers: bool = False) -> Labelled:
        how = reading(self.config.data.model_copy(update=settings), for_answers=for_answers)
        return read_labelled(files, how)

    def encode(self, read: Labelled) -> Part:
        return encode(read, self.classes, self.input, self.multi_label)

    # Training

    def choose(self, seconds: float | None, measure: Callable[[], float]) -> float:  # noqa: ARG002
        self.config.model.embedding = self.config.model.embedding or vector_size(self.input)
        return choose_size(
            self.config.model, self.input.kind, len(self.examples.train), words=isinstance(self.input, WordInput)
        )

    def batch_size(self, seconds: float | None) -> int:  # noqa: ARG002
        return choose_batch(len(self.examples.train))

    def network(self) -> ClassifierNetwork:
        model = self.config.model
        encoder = self.input.encoder(model.embedding, noise=model.noise or 0.0, cell=model.cell)
        network = ClassifierNetwork(encoder, len(self.classes), model, multi_label=self.multi_label)
        if self._examples is not None:
            network.set_frequencies(measure.shares(self._examples.train.targets, len(self.classes)))
        return network

    @cached_property
    def class_weights(self) -> Tensor | None:
        """What each class counts in the loss; balanced, all count alike, with a mean of 1 over the training examples."""
        if self.config.model.class_weights == "none":
            return None
        targets = self.examples.train.targets
        if self.multi_label:
            count = targets.sum(0)
            return torch.from_numpy((len(targets) - count) / np.maximum(1, count)).float()
        count = np.bincount(targets, minlength=len(self.classes))
        return torch.from_numpy(len(targets) / (np.count_nonzero(count) * np.maximum(1, count))).float()

    def batch(self, part: Part, indices: np.ndarray) -> Batch:
        """Put some of the examples of a part side by side."""
        encoded = [part.encoded[index] for index in indices]
        lengths = torch.tensor([len(one) for one in encoded])
        return Batch(self.input.collate(encoded), lengths, torch.from_numpy(part.targets[indices]))

    def loss(self, network: nn.Module, batch: Batch, carry: Carry) -> tuple[Tensor, int, Carry]:  # noqa: ARG002
        device = next(network.parameters()).device
        logits = network(to_device(batch.inputs, device), batch.lengths)
        weights = None if self.class_weights is None else self.class_weights.to(device)
        loss = summed_loss(logits, batch.targets.to(device), weights, self.config.model.smoothing)
        return loss, len(batch.lengths), None

    def validate(self, network: nn.Module) -> dict[str, float] | None:
        part = self.examples.valid
        if part is None:
            return None
        figures = measure.figures(asking.probabilities(self, network, part.encoded, exactly=False), part)
        return {name: figures[name] for name in dict.fromkeys((self.criterion, *measure.WATCHED)) if name in figures}

    def settle(self, network: nn.Module) -> None:
        """Set the temperature with which the validation examples are likeliest."""
        part = self.examples.valid
        if part is None or not (known := measure.known(part)).any():
            return
        temperature = cast(Tensor, cast(ClassifierNetwork, network).temperature)
        temperature.fill_(1.0)
        logits = asking.logits(self, network, part.encoded)
        temperature.fill_(fit_temperature(logits[known], part.targets[known], multi=self.multi_label))

    def sample(self, network: nn.Module, seed: int) -> str | None:  # noqa: ARG002
        part = self.examples.valid or self.examples.train
        return asking.few_lines(self, network, part)

    # After training

    def measure(
        self, network: nn.Module, part: Part, name: str, progress: Callable[[str], None], *, baselines: bool
    ) -> dict[str, Any]:
        return measure.evaluation(self, network, part, name, progress, baselines=baselines)

    # What a classifier can be asked

    def predict(
        self, network: nn.Module, inputs: Sequence[Any], *, k: int | None = None, steps: bool = False
    ) -> list[dict[str, Any]]:
        """Give the class of each sequence with the probabilities; see `asking.predict`."""
        return asking.predict(self, network, inputs, k=k, steps=steps)

    def prediction_line(self, result: Mapping[str, Any]) -> str:
        return asking.line(result)

    def prediction_header(self, result: Mapping[str, Any]) -> str | None:
        return asking.header(result)

    def new_stream(self, network: nn.Module) -> ClassStream:
        return ClassStream(self, cast(ClassifierNetwork, network))
