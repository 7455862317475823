"""What a trained detector is: the events of a series, the score of each of its steps, or of all of them as a whole."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import numpy as np

from recurra.arguments import PathName, checked
from recurra.data.datasets.locate import resolve_files
from recurra.data.timeseries.reader import TimeSeries, is_frame, panel_from_frame
from recurra.errors import RunError
from recurra.tasks.base.explanation import Explained
from recurra.tasks.base.predictor import WEIGHTS, InputKind, Predictor
from recurra.tasks.detect import results
from recurra.tasks.detect.config import DetectorConfig, EvaluateOptions, PredictOptions
from recurra.tasks.detect.data import (
    Segment,
    align_columns,
    parse_line,
    read_panel,
    series_from_array,
    whole_segment,
)
from recurra.tasks.detect.explain import DetectorExplainOptions, explain_score
from recurra.tasks.detect.line_stream import LineStream
from recurra.tasks.detect.network import DetectorNetwork
from recurra.tasks.detect.preprocessing import DetectorPreprocessor
from recurra.tasks.detect.residuals import predict_errors
from recurra.tasks.detect.scoring import AGGREGATIONS, ScoredSegment, score_segments
from recurra.tasks.detect.stream import DetectorStream
from recurra.text import Faults


class Detector(Predictor[DetectorConfig]):
    """Says of each step of a series how far it is from normal, and of each event which channel is responsible.

    A result is {"series", "count", "score", "anomaly", "events"}: the steps, the highest score, and all events, each {"start", "end",
    "score", "channel"}, its first and last time (or step), its highest score and the channel that has it; with "steps" also
    the result of each step. A run that scores whole series gives {"series", "count", "score", "threshold", "anomaly", "channel"}.
    """

    name = "detect"
    PredictOptions = PredictOptions
    EvaluateOptions = EvaluateOptions
    ExplainOptions = DetectorExplainOptions
    preprocessor: DetectorPreprocessor

    @classmethod
    def load_preprocessor(cls, folder: Path, config: DetectorConfig) -> DetectorPreprocessor:  # noqa: ARG003
        return DetectorPreprocessor.load(folder)

    @classmethod
    def build_network(cls, config: DetectorConfig, preprocessor: DetectorPreprocessor) -> DetectorNetwork:
        return DetectorNetwork(preprocessor.input_size, preprocessor.channels, config.model)

    @classmethod
    def load(cls, folder: Path, config: DetectorConfig) -> Detector:
        detector = cast(Detector, super().load(folder, config))
        if not 0 <= (kind := int(detector.network.get_buffer("pooling"))) < len(AGGREGATIONS):
            raise RunError(f"{folder / WEIGHTS}: pooling: expected 0 to {len(AGGREGATIONS) - 1}, got {kind}")
        return detector

    @property
    def per_series(self) -> bool:
        """Whether each series is scored as a whole."""
        return bool(self.config.data.per_series)

    # What a user hands over

    @property
    def input_kind(self) -> InputKind:
        return "table"

    @checked
    def parse(self, line: str) -> TimeSeries:
        return parse_line(line, self.preprocessor)

    @checked
    def read_file(self, source: PathName, faults: Faults | None = None) -> list[Any] | None:
        source = os.fspath(source)
        if source == "-":
            return None
        files, settings = resolve_files([source])
        if faults is not None and faults.skipping:
            panel = read_panel(files, self.config.data, self.preprocessor, {**settings, "on_error": "skip"})
            faults.skipped += panel.skipped
            return list(panel.series)
        panel = read_panel(files, self.config.data, self.preprocessor, settings)
        for message in panel.skipped:  # rows that are left out are no result
            print(message, file=sys.stderr)  # noqa: T201
        return list(panel.series)

    def to_segments(self, inputs: Sequence[Any]) -> list[Segment]:
        """Take what a user hands over as whole series: such as `read_file` gives, arrays, or data frames of any number of series."""
        return [whole_segment(one, self.preprocessor) for given in inputs for one in self._to_series(given)]

    def _to_series(self, given: Any) -> list[TimeSeries]:
        if isinstance(given, TimeSeries):
            return [given]
        if is_frame(given):
            data, columns = self.config.data, self.preprocessor
            how = replace(data.reading(), target=tuple(columns.targets), past=tuple(columns.covariates.past))
            return align_columns(panel_from_frame(given, how), columns, "the data frame").series
        return [series_from_array(given, self.preprocessor)]

    # Predictions

    def score_segments(self, segments: Sequence[Segment]) -> list[ScoredSegment]:
        """Score segments, each by itself, as a stream would."""
        return score_segments(self.network, segments, self.config.scoring, per_series=self.per_series)

    def predict_with(self, inputs: list[Any], options: PredictOptions) -> list[dict[str, Any]]:
        scored = self.score_segments(self.to_segments(inputs))
        return [results.to_result(one, self.preprocessor, options.k, steps=options.steps) for one in scored]

    def explained(self, item: Any, options: DetectorExplainOptions) -> Explained:
        """Give the error at a step, or the score of a whole series; see `explain.explain_score`."""
        (series,) = self._to_series(item)
        network, smoothing = cast(DetectorNetwork, self.network), self.config.scoring.error_smoothing
        return explain_score(
            network, self.preprocessor, series, options, smoothing=smoothing, per_series=self.per_series
        )

    @checked
    def errors(self, inputs: Iterable[Any]) -> list[np.ndarray]:
        """Give the error of each step of series by all predictions of it, (T, C) each, before it is smoothed and scored."""
        return [one.errors for one in predict_errors(self.network, self.to_segments(list(inputs)))]

    def format_result(self, result: Mapping[str, Any]) -> str:
        return results.format_result(result, named=bool(self.config.data.series))

    def format_header(self, result: Mapping[str, Any]) -> str | None:
        return results.format_header(result, named=bool(self.config.data.series))

    # Streams

    def why_not_streamable(self) -> str | None:
        return None

    @checked
    def stream(self, prompt: Any = "") -> DetectorStream:
        """Give a stream that has read the beginning of a series (an array of steps); see `DetectorStream`."""
        network = cast(DetectorNetwork, self.network)
        stream = DetectorStream(self.preprocessor, network, self.config.scoring, per_series=self.per_series)
        if not isinstance(prompt, str) or prompt:
            stream.read(prompt)
        return stream

    def line_stream(self) -> LineStream | None:
        """Score the lines of a pipe as the steps of one stream; None where each line is a whole series."""
        return None if self.per_series else LineStream(self.preprocessor, self.config.data, self.stream())
