"""The task `classify`: many to one, the class of a whole sequence."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor, nn

from recurra.data.batches import batches_by_length
from recurra.data.labelled import read_labelled
from recurra.errors import DataError
from recurra.metrics.calibration import fit_temperature
from recurra.tasks.base import Carry, Facts, Task, register_task
from recurra.tasks.classify import asking, measure, sizes
from recurra.tasks.classify.config import ClassifierConfig
from recurra.tasks.classify.examples import Examples, Part, encode, read_examples, reading
from recurra.tasks.classify.network import ClassifierNetwork, summed_loss
from recurra.tasks.classify.sizes import choose_batch, choose_size
from recurra.tasks.files import named_files
from recurra.tasks.inputs import Input, WordInput, load_input, vector_size
from recurra.tasks.inputs.series import parse_series
from recurra.tasks.labels import load_labels, save_labels
from recurra.tasks.reading import to_device


@dataclass(frozen=True)
class Batch:
    """Sequences side by side: what the encoder takes, their lengths (B), their classes (B), or each label by itself (B, C)."""

    inputs: Any
    lengths: Tensor
    targets: Tensor


@register_task
class Classifier(Task[ClassifierConfig]):
    """Says which class a whole text or series belongs to, and how sure it is."""

    name = "classify"
    title = "Classifier"
    higher = True
    Config = ClassifierConfig
    commands = (
        "recurra train classify digits",
        "recurra train classify reviews.csv --text review --label sentiment --within 10m",
        "recurra train classify rt-polarity.pos rt-polarity.neg -o runs/movies",
        "recurra train classify GunPoint_TRAIN.ts --test GunPoint_TEST.ts --cell gru",
        "recurra train --resume runs/movies",
    )

    def __init__(self, config: ClassifierConfig) -> None:
        super().__init__(config)
        self._examples: Examples | None = None
        self._input: Input | None = None
        self._classes: list[str] | None = None

    @property
    def input(self) -> Input:
        if self._input is None:
            raise DataError("nothing is known of the data yet: read it or load a run first")
        return self._input

    @property
    def classes(self) -> list[str]:
        if self._classes is None:
            raise DataError("no classes yet: read the data or load a run first")
        return self._classes

    @property
    def examples(self) -> Examples:
        if self._examples is None:
            self.prepare()
        return cast(Examples, self._examples)

    @property
    def prepared(self) -> bool:
        """Whether the data has been read."""
        return self._examples is not None

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

    def prepare(self, saved: Path | None = None) -> Facts:
        if self._examples is None:
            if saved is not None:
                self.restore(saved)
            self._examples = examples = read_examples(self.config.data, self._classes, self._input)
            self._classes, self._input = examples.classes, examples.input
        examples = self._examples
        parts = {"train": examples.train, "valid": examples.valid, "test": examples.test}
        counts = {f"{name}_examples": len(part) for name, part in parts.items() if part}
        counts["classes"] = len(self.classes)
        return Facts(counts, examples.fingerprint, examples.notes)

    def save(self, folder: Path) -> list[str]:
        return [save_labels(folder, self.classes), *self.input.save(folder)]

    def restore(self, folder: Path) -> None:
        self._classes, self._input = load_labels(folder), load_input(folder, unit=self.config.data.unit)

    # Training

    def choose(self, seconds: float | None, measure: Callable[[], float]) -> float:  # noqa: ARG002
        self.config.model.embedding = self.config.model.embedding or vector_size(self.input)
        return choose_size(
            self.config.model, self.input.kind, len(self.examples.train), words=isinstance(self.input, WordInput)
        )

    def batch_size(self, seconds: float | None) -> int:  # noqa: ARG002
        return choose_batch(len(self.examples.train))

    def learning_rate(self) -> float | None:
        return sizes.TEXT_RATE if self.input.kind == "text" else None

    def network(self) -> ClassifierNetwork:
        model = self.config.model
        encoder = self.input.encoder(model.embedding, noise=model.noise, cell=model.cell)
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

    def batches(self, epoch: int, *, batch: int, seed: int, start: int = 0) -> Iterator[Batch]:
        train = self.examples.train
        lengths = [len(encoded) for encoded in train.encoded]
        for indices in batches_by_length(lengths, batch, seed=seed, epoch=epoch)[start:]:
            yield self.batch(train, indices)

    def batch(self, part: Part, indices: np.ndarray) -> Batch:
        """Put some of the examples of a part side by side."""
        encoded = [part.encoded[index] for index in indices]
        lengths = torch.tensor([len(one) for one in encoded])
        return Batch(self.input.collate(encoded), lengths, torch.from_numpy(part.targets[indices]))

    def batch_count(self, epoch: int, *, batch: int, seed: int) -> int:  # noqa: ARG002
        return -(-len(self.examples.train) // batch)

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
        logits = asking.logits(self, network, part.encoded)
        temperature = fit_temperature(logits[known], part.targets[known], multi=self.multi_label)
        cast(Tensor, cast(ClassifierNetwork, network).temperature).fill_(temperature)

    def sample(self, network: nn.Module, seed: int) -> str | None:  # noqa: ARG002
        part = self.examples.valid or self.examples.train
        return asking.few_lines(self, network, part)

    # After training

    @property
    def held_out(self) -> bool:
        return self.examples.test is not None or self.examples.valid is not None

    def evaluate(
        self, network: nn.Module, data: list[str] | None, progress: Callable[[str], None], *, baselines: bool = True
    ) -> dict[str, Any]:
        part = self._named(data) if data else self.examples.test or self.examples.valid
        if part is None:
            raise DataError("this run has no held-out data: name some, as in `recurra evaluate RUN DATA`")
        name = " ".join(data) if data else "test" if self.examples.test else "valid"
        return measure.evaluation(self, network, part, name, progress, baselines=baselines)

    def _named(self, data: list[str]) -> Part:
        files, settings = named_files(data)
        how = reading(self.config.data.model_copy(update=settings))
        read = read_labelled(files, how)
        if read.kind != self.input.kind:
            raise DataError(f"expected {self.input.kind}, as this run was trained on; got {read.kind}", source=data[0])
        return encode(read, self.classes, self.input, self.multi_label)

    # What a classifier can be asked

    def parse(self, line: str) -> Any:
        return line if self.input.kind == "text" else parse_series(line)

    def inputs(self, source: str) -> list[Any] | None:
        how = reading(self.config.data, need_labels=False)
        return asking.read_inputs(source, how, self.input.kind)

    def predict(
        self, network: nn.Module, inputs: Sequence[Any], *, k: int | None = None, steps: bool = False
    ) -> list[dict[str, Any]]:
        """Give the class of each sequence with the probabilities; see `asking.predict`."""
        return asking.predict(self, network, inputs, k=k, steps=steps)

    def prediction_line(self, result: Mapping[str, Any]) -> str:
        return asking.line(result)
