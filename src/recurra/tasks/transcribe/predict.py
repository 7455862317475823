"""A trained transcriber, and what can be asked of it."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, cast

import numpy as np

from recurra.arguments import PathName, checked
from recurra.audio import read_sound
from recurra.decoding.ctc import BLANK
from recurra.errors import DataError, UsageError
from recurra.files import is_folder
from recurra.tasks.base.predictor import InputKind, Predictor
from recurra.tasks.transcribe.config import (
    TranscribeEvaluateOptions,
    TranscribePredictOptions,
    TranscriberConfig,
)
from recurra.tasks.transcribe.live import SampleStream, StrokeLineStream
from recurra.tasks.transcribe.network import TranscriberNetwork
from recurra.tasks.transcribe.preprocessing import Reading, TranscriptPreprocessor
from recurra.tasks.transcribe.results import Writer, result_lines
from recurra.tasks.transcribe.search import Searcher, log_probs_of
from recurra.tasks.transcribe.stream import TranscriptStream
from recurra.text import Faults, is_archive


class Transcriber(Predictor[TranscriberConfig]):
    """Writes what was said, or what a pen or a picture of a line says.

    A signal is the name of its file, a `Sound`, an `Ink`, or the pixels of a line (H, W) or (H, W, 3) uint8. A result is {"file", "text",
    "log_prob", "confidence"}; with `best` also "alternatives", with `times` also "words": each with its start, end and confidence.
    """

    name = "transcribe"
    PredictOptions = TranscribePredictOptions
    EvaluateOptions = TranscribeEvaluateOptions

    @classmethod
    def load_preprocessor(cls, folder: Path, config: TranscriberConfig) -> TranscriptPreprocessor:  # noqa: ARG003
        return TranscriptPreprocessor.load(folder)

    @classmethod
    def build_network(cls, config: TranscriberConfig, preprocessor: TranscriptPreprocessor) -> TranscriberNetwork:
        signals = preprocessor.signals
        return TranscriberNetwork(signals.size, preprocessor.size, config.model, convolutions=signals.has_convolutions)

    @property
    def transcriber_network(self) -> TranscriberNetwork:
        """The network, as what it is."""
        return cast(TranscriberNetwork, self.network)

    @property
    def step_frames(self) -> int:
        """Frames of a step."""
        return 4 if self.preprocessor.signals.has_convolutions else self.config.model.stack or 1

    @property
    def writer(self) -> Writer:
        """What turns texts that were found into results."""
        return Writer(self.transcriber_network, self.preprocessor, self.step_frames)

    # What a user hands over

    @property
    def input_kind(self) -> InputKind:
        kind = self.preprocessor.signals.kind
        return "pen" if kind == "ink" else kind

    @checked
    def parse(self, line: str) -> Reading:
        return self.preprocessor.check(line.strip(), self.config.data)

    @checked
    def read_file(self, source: PathName, faults: Faults | None = None) -> list[Any] | None:
        source = os.fspath(source)
        if source == "-":
            return None
        if is_folder(Path(source)) or is_archive(source) or self.preprocessor.signals.holds(source.lower()):
            return self.preprocessor.read_files([source], self.config.data, faults=faults)
        return None

    def read_pipe(self, first: bytes, rest: Callable[[], bytes]) -> list[Any] | None:
        signals = self.preprocessor.signals
        if signals.kind != "sound" or not first.startswith((b"RIFF", b"RIFX", b"fLaC", b"OggS", b"ID3")):
            return None
        sound = read_sound(first + rest(), "standard input")
        return [Reading("-", signals.frames(signals.prepare(sound, "standard input")))]

    # Predictions

    def predict_with(self, inputs: list[Any], options: TranscribePredictOptions) -> list[dict[str, Any]]:
        readings = [self._check(item, number, len(inputs), options) for number, item in enumerate(inputs, 1)]
        found = self.log_probs(readings)
        results = self.transcribe(readings, found, options)
        if options.steps:
            for log_probs, result in zip(found, results, strict=True):
                result["steps"] = self._steps(log_probs)
        return results

    def _check(self, item: Any, number: int, count: int, options: TranscribePredictOptions) -> Reading:
        try:
            return self.preprocessor.check(item, self.config.data, options.rate)
        except DataError as error:
            if error.source is not None or count == 1:
                raise
            raise DataError(str(error), source=f"input {number}") from None

    def log_probs(self, readings: list[Reading], *, exact: bool = True) -> list[np.ndarray]:
        """Give of each signal the log-probability of each label at each step, (T', V); label 0 is none."""
        frames = [reading.frames for reading in readings]
        return log_probs_of(self.transcriber_network, self.preprocessor, frames, exact=exact)

    def transcribe(
        self, readings: list[Reading], log_probs: list[np.ndarray], options: TranscribePredictOptions
    ) -> list[dict[str, Any]]:
        """Search the texts of signals."""
        searcher = Searcher(self.transcriber_network, self.preprocessor, options, options.best)
        writer = self.writer
        return [
            writer.result(reading.name, searcher.find(values), values, several=options.best > 1, times=options.times)
            for reading, values in zip(readings, log_probs, strict=True)
        ]

    def _steps(self, log_probs: np.ndarray) -> list[dict[str, Any]]:
        """Give the text as it grows by the likeliest unit of each step, and when."""
        found: list[dict[str, Any]] = []
        labels: list[int] = []
        last, size = BLANK, self.writer.step_size
        for step, label in enumerate(log_probs.argmax(1).tolist(), 1):
            if label not in (BLANK, last):
                labels.append(label)
                found.append({"time": round(step * size, 3), "text": self.preprocessor.decode(labels)})
            last = label
        return found

    def format_result(self, result: Mapping[str, Any]) -> str:
        return "\n".join(result_lines(result))

    # As it comes

    def why_not_streamable(self) -> str | None:
        if not self.preprocessor.signals.streams:
            return f"a {self.preprocessor.signals.kind} is read as a whole"
        if self.config.model.bidirectional:
            return "it reads backwards too; train with --no-bidirectional"
        return None

    def stream(self, prompt: str = "", **options: Any) -> TranscriptStream:
        """Give a stream that reads a signal piece by piece; options: those of `predict`, and `endpoints`."""
        if not isinstance(prompt, str) or prompt:
            raise UsageError("prompt: a transcriber begins with nothing; leave it out")
        endpoints = options.pop("endpoints", True)
        return self.stream_with(TranscribePredictOptions.model_validate(options), endpoints=endpoints)

    def stream_with(self, options: TranscribePredictOptions, *, endpoints: bool = True) -> TranscriptStream:
        """Give a stream with an instance of its options."""
        if (reason := self.why_not_streamable()) is not None:
            raise UsageError(f"this run cannot be fed piece by piece: {reason}")
        searcher = Searcher(self.transcriber_network, self.preprocessor, options)
        return TranscriptStream(
            self.transcriber_network,
            self.preprocessor,
            searcher,
            self.step_frames,
            rate=options.rate,
            endpoints=endpoints,
        )

    def byte_stream(self, options: TranscribePredictOptions) -> SampleStream | StrokeLineStream | None:
        """Give what reads a pipe as it comes: raw sound of a `rate`, or `strokes`, one a line; None where the options say neither."""
        kind, wanted = self.preprocessor.signals.kind, {"rate": "sound", "strokes": "ink"}
        asked = [name for name in wanted if getattr(options, name)]
        if not asked:
            return None
        for name in asked:
            if wanted[name] != kind:
                raise UsageError(f"{name}: this run reads signals of the kind {kind}; leave it out")
        if options.best > 1 or options.steps:
            raise UsageError(
                "best, steps: what is transcribed as it comes has one text; leave them out, or name a file"
            )
        stream = self.stream_with(options)
        return StrokeLineStream(stream) if options.rate is None else SampleStream(stream, options.rate)
