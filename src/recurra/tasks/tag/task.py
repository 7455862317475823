"""The task `tag`: many to many, aligned: a tag for each word or step."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor, nn

from recurra.data.batches import batches_by_length
from recurra.data.tagged import read_tagged
from recurra.errors import DataError
from recurra.metrics import marks_spans
from recurra.tasks.base import Carry, Facts, Task, register_task
from recurra.tasks.classify.sizes import TEXT_RATE, choose_batch
from recurra.tasks.files import named_files
from recurra.tasks.inputs import Input, load_input, vector_size
from recurra.tasks.labels import load_labels, save_labels
from recurra.tasks.reading import to_device
from recurra.tasks.tag import asking, measure
from recurra.tasks.tag.config import TaggerConfig
from recurra.tasks.tag.examples import Examples, Part, encode, read_examples, reading
from recurra.tasks.tag.network import UNKNOWN, TaggerNetwork

STEPS_TO_LEARN = 3_000_000
"""Words or steps read after which a tagger has most of what it will get."""


@dataclass(frozen=True)
class Batch:
    """Sequences side by side: what the encoder takes, their lengths (B), their tags (T, B), `UNKNOWN` in the padding."""

    inputs: Any
    lengths: Tensor
    targets: Tensor


@register_task
class Tagger(Task[TaggerConfig]):
    """Says what each word of a sentence or each step of a series is."""

    name = "tag"
    title = "Tagger"
    higher = True
    Config = TaggerConfig
    commands = (
        "recurra train tag ud-ewt --within 15m",
        "recurra train tag train.conll --valid dev.conll --test test.conll -o runs/names",
        "recurra train tag train.conllu --column xpos",
        "recurra train tag frames.csv --series take --time t --column action",
        "recurra train --resume runs/names",
    )

    def __init__(self, config: TaggerConfig) -> None:
        super().__init__(config)
        self._examples: Examples | None = None
        self._input: Input | None = None
        self._tags: list[str] | None = None

    @property
    def input(self) -> Input:
        if self._input is None:
            raise DataError("nothing is known of the data yet: read it or load a run first")
        return self._input

    @property
    def tags(self) -> list[str]:
        if self._tags is None:
            raise DataError("no tags yet: read the data or load a run first")
        return self._tags

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
    def spans(self) -> bool:
        """Whether the tags mark spans, as B-PER, I-PER and O do."""
        return marks_spans(self.tags)

    @property
    def criterion(self) -> str:
        return "f1" if self.spans else "accuracy"

    # Data

    def prepare(self, saved: Path | None = None) -> Facts:
        if self._examples is None:
            if saved is not None:
                self.restore(saved)
            self._examples = examples = read_examples(self.config.data, self._tags, self._input)
            self._tags, self._input = examples.tags, examples.input
        examples = self._examples
        parts = {"train": examples.train, "valid": examples.valid, "test": examples.test}
        counts = {f"{name}_examples": len(part) for name, part in parts.items() if part}
        counts |= {f"{name}_steps": part.steps for name, part in parts.items() if part}
        counts["tags"] = len(self.tags)
        return Facts(counts, examples.fingerprint, examples.notes)

    def save(self, folder: Path) -> list[str]:
        return [save_labels(folder, self.tags), *self.input.save(folder)]

    def restore(self, folder: Path) -> None:
        self._tags, self._input = load_labels(folder), load_input(folder)

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
        return min(32, choose_batch(len(self.examples.train)))

    def learning_rate(self) -> float | None:
        return TEXT_RATE if self.input.kind == "text" else None

    def network(self) -> TaggerNetwork:
        model = self.config.model
        encoder = self.input.encoder(
            model.embedding,
            noise=model.noise,
            cell=model.cell,
            characters_for="all",
            characters=(model.characters, model.characters),
        )
        network = TaggerNetwork(encoder, self.tags, model)
        if self._examples is not None:
            targets = self._examples.train.targets
            count = np.bincount(np.concatenate(targets), minlength=len(self.tags)) + 1.0
            network.set_frequencies(torch.from_numpy(count / count.sum()).float())
            network.allow([each.tolist() for each in targets])
        return network

    def batches(self, epoch: int, *, batch: int, seed: int, start: int = 0) -> Iterator[Batch]:
        train = self.examples.train
        lengths = [len(encoded) for encoded in train.encoded]
        for indices in batches_by_length(lengths, batch, seed=seed, epoch=epoch)[start:]:
            yield self.batch(train, indices)

    def batch(self, part: Part, indices: np.ndarray) -> Batch:
        """Put some of the examples of a part side by side."""
        encoded = [part.encoded[index] for index in indices]
        lengths = torch.tensor([len(one) for one in encoded])
        targets = torch.full((int(lengths.max()), len(indices)), UNKNOWN)
        for row, index in enumerate(indices):
            targets[: lengths[row], row] = torch.from_numpy(part.targets[index])
        return Batch(self.input.collate(encoded), lengths, targets)

    def batch_count(self, epoch: int, *, batch: int, seed: int) -> int:  # noqa: ARG002
        return -(-len(self.examples.train) // batch)

    def loss(self, network: nn.Module, batch: Batch, carry: Carry) -> tuple[Tensor, int, Carry]:  # noqa: ARG002
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
        read = read_tagged(files, reading(self.config.data.model_copy(update=settings)))
        if read.kind != self.input.kind:
            raise DataError(f"expected {self.input.kind}, as this run was trained on; got {read.kind}", source=data[0])
        return encode(read, self.tags, self.input)

    # What a tagger can be asked

    def parse(self, line: str) -> Any:
        return asking.parse(self, line)

    def inputs(self, source: str) -> list[Any] | None:
        return asking.read_inputs(self, source, reading(self.config.data, need_labels=False))

    def predict(
        self, network: nn.Module, inputs: Sequence[Any], *, k: int | None = None, steps: bool = False
    ) -> list[dict[str, Any]]:
        """Tag sequences; see `asking.predict`."""
        return asking.predict(self, network, inputs, k=k, steps=steps)

    def prediction_line(self, result: Mapping[str, Any]) -> str:
        return asking.line(result)
