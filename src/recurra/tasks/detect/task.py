"""The task `detect`: a stream, each step of which is judged by how far it is from what was foretold."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor, nn

from recurra.data.datasets.locate import named_files
from recurra.data.tbptt import Windows
from recurra.errors import UsageError
from recurra.nn import State
from recurra.tasks.base.split import known
from recurra.tasks.base.task import register_task
from recurra.tasks.base.tbptt import WindowedTask
from recurra.tasks.detect import evaluate as measure
from recurra.tasks.detect import predict as asking
from recurra.tasks.detect import results as written
from recurra.tasks.detect.batches import Batch, Lanes
from recurra.tasks.detect.calibrate import settle
from recurra.tasks.detect.config import Data, DetectorConfig
from recurra.tasks.detect.data import Examples, Part, read_examples, read_more, read_part
from recurra.tasks.detect.defaults import choose_lanes, choose_size
from recurra.tasks.detect.line_stream import LineStream, parse
from recurra.tasks.detect.network import DetectorNetwork
from recurra.tasks.detect.preprocessing import Readings
from recurra.tasks.detect.residuals import mean_surprise, told
from recurra.tasks.detect.series import Encoded
from recurra.tasks.detect.stream import DetectorStream


@register_task
class Detector(WindowedTask[DetectorConfig, Examples, Batch]):
    """Says of each step of a series how far it is from normal, and of each event which channel is to blame."""

    name = "detect"
    title = "Anomaly detector"
    Config = DetectorConfig
    evaluate_options = frozenset({"label", "labels"})
    commands = (
        "recurra train detect sensors.csv --time time -o runs/plant",
        "recurra train detect machines.parquet --time time --series machine --target temp --target pressure",
        "recurra train detect sensors.csv --test next.csv --label fault --threshold telemanom",
        "recurra train detect beats.csv --layout series",
        "tail -n +1 -f live.csv | recurra predict runs/plant -",
        "recurra train --resume runs/plant",
    )

    def __init__(self, config: DetectorConfig) -> None:
        super().__init__(config)
        self._readings: Readings | None = None

    # What is known

    @property
    def readings(self) -> Readings:
        """How series become numbers."""
        return known(self._readings)

    @property
    def whole(self) -> bool:
        """Whether each series is judged as a whole."""
        return bool(self.config.data.whole)

    # Data

    def read_data(self) -> Examples:
        examples = read_examples(self.config.data, self._readings)
        self._readings = examples.readings
        self.config.data.whole = examples.whole  # a run says it, so that nothing has to be guessed again
        return examples

    def counts(self, examples: Examples) -> dict[str, int]:
        parts = {"train": examples.train, "valid": examples.valid, "test": examples.test}
        counts = {f"{name}_rows": part.steps for name, part in parts.items() if part}
        return counts | {"series": len(examples.train.stretches), "channels": self.readings.channels}

    def save(self, folder: Path) -> list[str]:
        return self.readings.save(folder)

    def restore(self, folder: Path) -> None:
        self._readings = Readings.load(folder)

    # Training

    def choose(self, seconds: float | None, measure: Callable[[], float]) -> float:  # noqa: ARG002
        train = self.examples.train
        return choose_size(self.config.model, self.config.data, train.steps, max(map(len, train.stretches)))

    def batch_size(self, seconds: float | None) -> int:  # noqa: ARG002
        return choose_lanes(self.examples.train.steps)

    def learning_rate(self) -> float | None:
        return 0.005

    def network(self) -> DetectorNetwork:
        network = DetectorNetwork(self.readings.features, self.readings.channels, self.config.model)
        if self._examples is not None:
            network.begin_with(*self._first_order())
        return network

    def _first_order(self) -> tuple[Tensor, Tensor]:
        """Give what the training values owe to the one before them: the factor and the spread around it, (A, C) each."""
        factors, spreads = [], []
        for far in range(self.config.model.ahead):
            products, squares, values = 0.0, 1e-9, []
            pairs = [(one.before[: len(one) - far], one.values[far:]) for one in self._learnt if len(one) > far + 1]
            for before, after in pairs:
                there = np.isfinite(after[1:])
                x, y = before[1:].astype(np.float64), np.where(there, after[1:], 0.0).astype(np.float64)
                products, squares = products + (x * y).sum(0), squares + (np.where(there, x, 0.0) ** 2).sum(0)
                values.append((x, np.where(there, y, np.nan)))
            factor = np.clip(products / squares, 0.0, 1.0) * np.full(self.readings.channels, self.config.model.follow)
            rest = np.concatenate([y - factor * x for x, y in values]) if values else np.ones((1, len(factor)))
            known = np.maximum(1, np.isfinite(rest).sum(0))
            factors.append(factor)
            spreads.append(np.sqrt(np.nansum(rest**2, axis=0) / known))
        return torch.tensor(np.array(factors)).float(), torch.tensor(np.array(spreads)).float()

    @cached_property
    def _learnt(self) -> list[Encoded]:
        """The training steps of each series: what is held out behind them is not even a target."""
        return [one.encoded.until(one.last) for one in self.examples.train.stretches]

    def windows(self, batch: int, seed: int) -> Windows[Batch]:
        steps, ahead = self.config.data.window, self.config.model.ahead
        if steps is None:
            raise ValueError("window has to be chosen before there are batches")
        return Lanes(self._learnt, lanes=batch, steps=steps, ahead=ahead, seed=seed)

    def window_loss(self, network: nn.Module, window: Batch, state: State) -> tuple[Tensor, int, State]:
        detector = cast(DetectorNetwork, network)
        device = next(network.parameters()).device
        foretold, state = detector(window.features.to(device), window.before.to(device), state, window.lengths)
        values, there = window.values.to(device), window.there.to(device)
        return detector.surprise(foretold, values, there).sum(), max(1, int(window.there.sum())), state

    def validate(self, network: nn.Module) -> dict[str, float] | None:
        part = self.examples.valid
        return None if part is None else {"nll": mean_surprise(told(network, part.stretches, exactly=False))}

    def settle(self, network: nn.Module) -> None:
        """Set the errors' unit, how whole series are judged, and the scores that a threshold begins with."""
        settle(self, cast(DetectorNetwork, network))

    # After training

    def evaluate(
        self,
        network: nn.Module,
        data: list[str] | None,
        progress: Callable[[str], None],
        *,
        baselines: bool = True,
        label: str | None = None,
        labels: str | None = None,
    ) -> dict[str, Any]:
        """Measure on held-out data.  label, labels: in the place of the settings, what says which steps are abnormal."""
        if label is not None and not data:
            raise UsageError(
                "label: names a column of files to measure on, got none; the run's own data were read without it"
            )
        asked = {"label": label, "labels": None if labels is None else [labels]}
        given = {name: value for name, value in asked.items() if value is not None}
        # One of them is what is asked for, whatever the run has.
        said = self.config.data.model_copy(update={"label": None, "labels": [], **given} if given else {})
        part, name = (self._named(data, said), " ".join(data)) if data else self.held_out_part()
        files = data or self.config.data.test or self.config.data.data
        result = measure.evaluation(self, network, part, name, files, progress, said, baselines=baselines)
        return {**result, "skipped": len(part.skipped)} if part.skipped else result

    def _named(self, data: list[str], said: Data) -> Part:
        files, settings = named_files(data)
        return read_part(files, said, self.readings, settings)

    # What a detector can be asked

    def parse(self, line: str) -> Any:
        return parse(self.readings, line)

    def inputs(self, source: str) -> list[Any] | None:
        if source == "-":
            return None
        files, settings = named_files([source])
        return list(read_more(files, self.config.data, self.readings, settings).series)

    def predict(
        self, network: nn.Module, inputs: Sequence[Any], *, k: int | None = None, steps: bool = False
    ) -> list[dict[str, Any]]:
        """Give the events of each series, and in "steps" what is said of each of its steps; see `asking.predict`."""
        return asking.predict(self, network, inputs, k=k, steps=steps)

    def errors(self, network: nn.Module, inputs: Sequence[Any]) -> list[np.ndarray]:
        """Give the error of each step of series by all that was foretold of it, (T, C) each, before it is smoothed and judged."""
        return [one.errors for one in told(network, asking.taken(self, inputs))]

    def prediction_line(self, result: Mapping[str, Any]) -> str:
        return written.line(result, named=self.config.data.series is not None)

    def prediction_header(self, result: Mapping[str, Any]) -> str | None:
        return written.header(result, named=self.config.data.series is not None)

    def stream(self, network: nn.Module, prompt: Any = "") -> DetectorStream:
        """Give a stream that has read the beginning of a series (an array of steps); see `DetectorStream`."""
        stream = DetectorStream(self, cast(DetectorNetwork, network))
        if not isinstance(prompt, str) or prompt:
            stream.read(prompt)
        return stream

    def line_stream(self, network: nn.Module) -> LineStream | None:
        """Answer the lines of a pipe as the steps of one stream; as whole series where each is judged as a whole."""
        return None if self.whole else LineStream(self, self.stream(network))
