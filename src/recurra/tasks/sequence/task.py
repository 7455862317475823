"""What tasks of whole labelled sequences have in common: their data, their batches, and how they are asked."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic

import numpy as np
from torch import Tensor, nn

from recurra.data.batching import batches_by_length
from recurra.data.datasets.locate import named_files
from recurra.data.labelled.reader import Labelled
from recurra.data.labelled.tagged import Tagged
from recurra.errors import DataError, UsageError
from recurra.tasks.base.defaults import TEXT_RATE
from recurra.tasks.base.labels import load_labels, save_labels
from recurra.tasks.base.split import SplitTask, known
from recurra.tasks.base.task import ConfigT
from recurra.tasks.sequence.data import Examples, PartT, check_each, fitted, sequences
from recurra.tasks.sequence.preprocessing import Input, load_input
from recurra.tasks.sequence.stream import SequenceStream

LINES = {".txt", ""}
"""Suffixes of files that hold a text a line; others are read as the training data were."""


@dataclass(frozen=True)
class Batch:
    """Sequences side by side: what the encoder takes, their lengths (B), and what is to be said of them, as the task has it."""

    inputs: Any
    lengths: Tensor
    targets: Tensor


class SequenceTask(SplitTask[ConfigT, Examples[PartT]], Generic[ConfigT, PartT]):
    """A task that says something of whole texts or series, learnt from such as are labelled."""

    higher = True
    labels_are: str
    """What its labels are called: "classes", "tags"."""

    def __init__(self, config: ConfigT) -> None:
        super().__init__(config)
        self._input: Input | None = None
        self._labels: list[str] | None = None

    # What each of them says itself

    @property
    @abstractmethod
    def unit(self) -> str:
        """What of a text is read at one step."""

    @abstractmethod
    def read_examples(self, labels: list[str] | None, made: Input | None) -> Examples[PartT]:
        """Read, split and encode all that a run needs; labels and input are made from the training part unless they are given."""

    @abstractmethod
    def read(self, files: Sequence[str], settings: dict[str, Any], *, for_answers: bool = False) -> Labelled | Tagged:
        """Read other files as the training data were, with these settings of their own.

        for_answers: without labels, and nothing is left out, so that there is an answer to everything.
        """

    @abstractmethod
    def encode(self, read: Any) -> PartT:
        """Turn what was read into examples."""

    @abstractmethod
    def batch(self, part: PartT, indices: np.ndarray) -> Batch:
        """Put some of the examples of a part side by side."""

    @abstractmethod
    def measure(
        self, network: nn.Module, part: PartT, name: str, progress: Callable[[str], None], *, baselines: bool
    ) -> dict[str, Any]:
        """Measure a network on a part: the object that `evaluate` prints."""

    # What is known

    @property
    def input(self) -> Input:
        """How sequences become numbers."""
        return known(self._input)

    @property
    def labels(self) -> list[str]:
        """The classes or tags, in the order of their numbers."""
        return known(self._labels, f"no {self.labels_are}")

    # Data

    def read_data(self) -> Examples[PartT]:
        examples = self.read_examples(self._labels, self._input)
        self._labels, self._input = examples.labels, examples.input
        return examples

    def counts(self, examples: Examples[PartT]) -> dict[str, int]:
        counts = {f"{name}_examples": len(part) for name, part in examples.parts.items()}
        return counts | {self.labels_are: len(self.labels)}

    def save(self, folder: Path) -> list[str]:
        return [save_labels(folder, self.labels), *self.input.save(folder)]

    def restore(self, folder: Path) -> None:
        self._labels, self._input = load_labels(folder), load_input(folder, unit=self.unit)

    # Training

    def learning_rate(self) -> float | None:
        return TEXT_RATE if self.input.kind == "text" else None

    def batches(self, epoch: int, *, batch: int, seed: int, start: int = 0) -> Iterator[Batch]:
        train = self.examples.train
        lengths = [len(encoded) for encoded in train.encoded]
        for indices in batches_by_length(lengths, batch, seed=seed, epoch=epoch)[start:]:
            yield self.batch(train, indices)

    def batch_count(self, epoch: int, *, batch: int, seed: int) -> int:  # noqa: ARG002
        return -(-len(self.examples.train) // batch)

    # After training

    def evaluate(
        self, network: nn.Module, data: list[str] | None, progress: Callable[[str], None], *, baselines: bool = True
    ) -> dict[str, Any]:
        part, name = (self._named(data), " ".join(data)) if data else self.held_out_part()
        result = self.measure(network, part, name, progress, baselines=baselines)
        return {**result, "skipped": len(part.skipped)} if part.skipped else result

    def _named(self, data: list[str]) -> PartT:
        files, settings = named_files(data)
        return self.encode(fitted(self.read(files, settings), self.input, data[0]))

    # What can be asked

    def parse(self, line: str) -> Any:
        return self.input.parse(line)

    def inputs(self, source: str) -> list[Any] | None:
        lines = self.input.kind == "text" and Path(source).suffix.lower() in LINES and Path(source).is_file()
        if source == "-" or lines:
            return None
        files, settings = named_files([source])
        read = fitted(self.read(files, settings, for_answers=True), self.input, source)
        return check_each(sequences(read), read.places, self.input)

    def taken(self, inputs: Sequence[Any]) -> list[Any]:
        """Give what a user hands over as sequences; raises `DataError`, with its place among several, for what is none."""
        given = []
        for number, one in enumerate(inputs, 1):
            try:
                given.append(self.input.read(one))
            except DataError as error:
                raise DataError(str(error), source=f"input {number}" if len(inputs) > 1 else None) from None
        return given

    @property
    def streams(self) -> bool:
        """Whether what is said after an element depends on nothing that comes later."""
        return not self._against_streams()

    def _against_streams(self) -> str | None:
        model: Any = getattr(self.config, "model")  # noqa: B009  every such task has the section
        if model.bidirectional:
            return "this run reads in both directions, and a stream has no end to read back from; train with --no-bidirectional"
        if not self.input.causal:
            return "this run scales a series by all of its values, and a stream has not seen those to come; train with --scale data"
        return None

    def stream(self, network: nn.Module, prompt: Any = "") -> SequenceStream:
        """Give a stream that has read the beginning of a sequence; raises `UsageError` where the network cannot be one."""
        if (reason := self._against_streams()) is not None:
            raise UsageError(f"stream: {reason}")
        stream = self.new_stream(network)
        if not isinstance(prompt, str) or prompt:
            stream.read(prompt)
        return stream

    @abstractmethod
    def new_stream(self, network: nn.Module) -> SequenceStream:
        """Give a stream that has read nothing, of a network in one direction."""
