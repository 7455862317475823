"""A trained model over whole sequences: what is the same of a classifier, a tagger and an embedder when they are used."""

from __future__ import annotations

import os
from abc import abstractmethod
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, Generic, cast

import numpy as np
import torch

from recurra.arguments import PathName, checked
from recurra.data.datasets.locate import resolve_files
from recurra.data.frames import as_paths, is_frame
from recurra.data.labelled.label_lines import names_text
from recurra.data.labelled.reader import Labelled
from recurra.data.labelled.tagged import Tagged
from recurra.errors import DataError, UsageError
from recurra.files import is_file
from recurra.tasks.base.inference import run_in_batches, to_device
from recurra.tasks.base.predictor import ConfigT, InputKind, Predictor
from recurra.tasks.base.transfer import PretrainedLayers
from recurra.tasks.sequence.data import align_channels, check_all
from recurra.tasks.sequence.preprocessing import Preprocessor
from recurra.tasks.sequence.stream import SequenceStream
from recurra.tasks.sequence.transfer import give_layers
from recurra.text import Faults, open_sources

LINE_SUFFIXES = {".txt", ""}
"""Suffixes of files that hold a text a line; others are read as the training data were."""
PREFIXES_PER_BATCH = 256
MAX_PREFIX_ELEMENTS = 10_000_000
"""Of all prefixes of a sequence, where each is read or shown by itself: those of some 4,500 elements."""


class SequencePredictor(Predictor[ConfigT], Generic[ConfigT]):
    """Predicts something of whole texts or series, or of each of their elements.

    A task gives `outputs` of a batch, `to_result` of one output, and the same as a stream.
    """

    # What each task gives

    @abstractmethod
    def read(self, files: Sequence[str], settings: dict[str, Any], *, labelled: bool = True) -> Labelled | Tagged:
        """Read other files as the training data were, with these settings of their own.

        labelled: False: without labels, and nothing is left out for want of one, so that there is a prediction for everything.
        """

    @abstractmethod
    def outputs(self, inputs: Any, lengths: torch.Tensor) -> list[Any]:
        """Run the network on a batch, as `Preprocessor.collate` gives it, on its device; gives an output for each sequence."""

    @abstractmethod
    def to_result(self, output: Any, sequence: Any, options: Any) -> dict[str, Any]:
        """Give the result for an output, without the sequence itself."""

    @abstractmethod
    def stream_outputs(self, sequence: Any) -> Iterator[Any]:
        """Give what `outputs` gives of the prefix after each element, by reading the sequence once; asked only where `can_stream`."""

    @abstractmethod
    def make_stream(self) -> SequenceStream:
        """Give a stream that has read nothing, of a network in one direction."""

    @property
    def inputs(self) -> Preprocessor:
        """How sequences become numbers."""
        return self.preprocessor

    # What a user hands over

    @property
    def input_kind(self) -> InputKind:
        return "text" if self.inputs.kind == "text" else "series"

    @checked
    def parse(self, line: str) -> Any:
        return self.inputs.parse(line)

    @checked
    def read_file(self, source: PathName, faults: Faults | None = None) -> list[Any] | None:
        source = os.fspath(source)
        lines = self.inputs.discrete and Path(source).suffix.lower() in LINE_SUFFIXES and is_file(Path(source))
        if source == "-" or (lines and not self._is_table(source)):
            return None
        files, settings = resolve_files([source])
        faults = faults or Faults("stop")
        read = self.read(files, {**settings, "on_error": faults.on_error}, labelled=False)
        faults.skipped += read.skipped
        read = align_channels(read, self.inputs, source)
        return check_all(read.inputs, read.places, self.inputs, faults)

    def _is_table(self, source: str) -> bool:
        """Say whether a file of text is a table with the column that the texts were read from."""
        column = getattr(getattr(self.config, "data"), "text", None)  # noqa: B009  every such task has the section
        return bool(column) and any(names_text(one, column) for one in open_sources([source], Faults("skip")))

    def validate_inputs(self, inputs: Sequence[Any]) -> list[Any]:
        """Give what a user hands over as sequences; raises `DataError`, with its place among several, for what is none."""
        sequences = []
        for number, one in enumerate(inputs, 1):
            try:
                sequences.append(self.inputs.validate(one))
            except DataError as error:
                raise DataError(str(error), source=f"input {number}" if len(inputs) > 1 else None) from None
        return sequences

    # Predictions

    def preprocess(self, inputs: Sequence[Any]) -> list[Any]:
        """Give what a user hands over as the sequences that results are of; raises `DataError` as `validate_inputs` does.

        A table in memory, of a run on texts, is as many of them as it has rows: those of the column that training read.
        """
        if not (self.inputs.discrete and any(map(is_frame, inputs))):
            return self.validate_inputs(inputs)
        sequences: list[Any] = []
        for one in inputs:
            sequences += self._read_frame(one) if is_frame(one) else self.validate_inputs([one])
        return sequences

    def _read_frame(self, frame: Any) -> list[Any]:
        with as_paths(frame) as (path,):
            return self.read_file(path) or []

    def forward(self, encoded: Sequence[Any], *, exact: bool = True) -> list[Any]:
        """Give the output for each encoded sequence, which depends on no other one; exact: see `run_in_batches`."""

        def run(indices: np.ndarray, device: torch.device) -> list[Any]:
            group = [encoded[index] for index in indices]
            lengths = torch.tensor([len(one) for one in group])
            return self.outputs(to_device(self.inputs.collate(group), device), lengths)

        return run_in_batches(self.network, [len(one) for one in encoded], run, exact=exact)

    def run(self, sequences: Sequence[Any]) -> list[Any]:
        """Give the output for each sequence."""
        return self.forward([self.inputs.encode(sequence) for sequence in sequences])

    def predict_with(self, inputs: list[Any], options: Any) -> list[dict[str, Any]]:
        sequences = self.preprocess(inputs)
        outputs = self.run(sequences)
        results = [
            {**self.describe(sequence), **self.to_result(output, sequence, options)}
            for sequence, output in zip(sequences, outputs, strict=True)
        ]
        self.relate(results, outputs, options)
        if options.steps:
            for sequence, result in zip(sequences, results, strict=True):
                self._check_steps(sequence)
                result["steps"] = list(self.predict_prefixes(sequence, options))
        return results

    def describe(self, sequence: Any) -> dict[str, Any]:
        """Give a sequence as its result has it: {"text" or "series": …}."""
        return {self.inputs.kind: self.inputs.to_json(sequence)}

    def relate(self, results: list[dict[str, Any]], outputs: list[Any], options: Any) -> None:
        """Add to the results what is known only of all of them together; nothing by default."""

    def predict_prefixes(self, sequence: Any, options: Any) -> Iterator[dict[str, Any]]:
        """Give the result after each element of a sequence.

        A network in one direction reads the sequence once for that; for one in both directions each prefix is read by itself.
        """
        for shown, output in zip(self.inputs.prefixes_json(sequence), self.forward_prefixes(sequence), strict=True):
            yield {**shown, **self.to_result(output, sequence, options)}

    def _check_steps(self, sequence: Any) -> None:
        """Raise `DataError` where each prefix is read, or shown, by itself, and they are too long together."""
        length = len(self.inputs.encode(sequence))
        if self.can_stream and self.inputs.kind != "text":
            return
        if length * (length + 1) // 2 > MAX_PREFIX_ELEMENTS:
            raise DataError(
                f"steps: each of {length:,} predictions is of all before it, and they may have {MAX_PREFIX_ELEMENTS:,} elements together",
                hint="cut the sequence into shorter ones",
            )

    def forward_prefixes(self, sequence: Any) -> Iterator[Any]:
        """Give the output after each element of a sequence."""
        if self.can_stream:
            yield from self.stream_outputs(sequence)
            return
        prefixes = self.inputs.prefixes(sequence)
        while batch := list(islice(prefixes, PREFIXES_PER_BATCH)):
            yield from self.forward(batch)

    def step_names(self, item: Any) -> list[str]:
        """Name what the network reads at each step of an input."""
        return self.inputs.step_names(self.inputs.validate(item))

    # As what others begin with

    def pretrained_layers(self, run: str) -> PretrainedLayers:
        """Give what a new training can begin with; raises `UsageError` for a run on series."""
        network, config = cast(Any, self.network), cast(Any, self.config)
        return give_layers(run, network.body, self.inputs, config.model)

    # As a stream

    def why_not_streamable(self) -> str | None:
        if getattr(self.config, "model").bidirectional:  # noqa: B009  every such task has the section
            return "this run reads in both directions, and a stream has no end to read back from; train with --no-bidirectional"
        if not self.inputs.causal:
            return "this run scales a series by all of its values, and a stream has not seen those to come; train with --scale data"
        return None

    @property
    def can_stream(self) -> bool:
        """Whether the prediction after an element depends on nothing that comes later."""
        return self.why_not_streamable() is None

    @checked
    def stream(self, prompt: Any = "") -> SequenceStream:
        """Give a stream that has read the beginning of a sequence; raises `UsageError` where the network cannot be one."""
        if (reason := self.why_not_streamable()) is not None:
            raise UsageError(f"stream: {reason}")
        stream = self.make_stream()
        if not isinstance(prompt, str) or prompt:
            stream.read(prompt)
        return stream
