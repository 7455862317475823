"""The task `detect`: a stream, each step of which is scored by how far it is from what was predicted."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any, cast

from torch import Tensor, nn

from recurra.data.datasets.locate import resolve_files
from recurra.data.tbptt import Windows
from recurra.data.timeseries.anomaly_labels import read_anomaly_labels
from recurra.errors import UsageError
from recurra.nn import State
from recurra.report.blocks import Block
from recurra.tasks.base.registry import register_task
from recurra.tasks.base.tbptt import TBPTTTask
from recurra.tasks.detect import evaluate, report
from recurra.tasks.detect.batches import Batch, SegmentWindows
from recurra.tasks.detect.calibrate import calibrate
from recurra.tasks.detect.config import Data, DetectorConfig, EvaluateOptions
from recurra.tasks.detect.data import Dataset, Split, read_dataset, read_split
from recurra.tasks.detect.defaults import choose_batch_size, choose_size
from recurra.tasks.detect.labels import read_labels
from recurra.tasks.detect.network import DetectorNetwork, fit_ar1
from recurra.tasks.detect.predict import Detector
from recurra.tasks.detect.preprocessing import DetectorPreprocessor
from recurra.tasks.detect.residuals import mean_nll, predict_errors
from recurra.tasks.detect.series import EncodedSeries


@register_task
class AnomalyDetectionTask(TBPTTTask[DetectorConfig, Dataset, Batch]):
    """Trains a `Detector`."""

    name = "detect"
    title = "Anomaly detector"
    element = ("step", "steps")
    Config = DetectorConfig
    Predictor = Detector
    cli_examples = (
        "recurra train detect sensors.csv --time time -o runs/plant",
        "recurra train detect machines.parquet --time time --series machine --target temp --target pressure",
        "recurra train detect sensors.csv --test next.csv --label fault --threshold telemanom",
        "recurra train detect beats.csv --layout series",
        "tail -n +1 -f live.csv | recurra predict runs/plant -",
        "recurra train --resume runs/plant",
    )
    usage = report.USAGE

    # Data

    def read_dataset(self, preprocessor: DetectorPreprocessor | None) -> Dataset:
        if preprocessor is None:
            for path in self.config.data.anomaly_labels:
                read_anomaly_labels(path)  # a file that is missing or broken is an error now, not after the training
        dataset = read_dataset(self.config.data, preprocessor)
        self.config.data.per_series = dataset.per_series  # a run says it, so that nothing has to be guessed again
        return dataset

    def count_dataset(self, dataset: Dataset) -> dict[str, int]:
        splits = {"train": dataset.train, "valid": dataset.valid, "test": dataset.test}
        counts = {f"{name}_rows": split.steps for name, split in splits.items() if split}
        return counts | {"series": len(dataset.train.segments), "channels": dataset.preprocessor.channels}

    # Before training

    def choose_defaults(self, seconds: float | None, measure_seconds: Callable[[], float]) -> float:  # noqa: ARG002
        train = self.dataset.train
        return choose_size(self.config.model, self.config.data, train.steps, max(map(len, train.segments)))

    def default_batch_size(self, seconds: float | None) -> int:  # noqa: ARG002
        return choose_batch_size(self.dataset.train.steps)

    def default_learning_rate(self) -> float | None:
        return 0.005

    def initialize(self, network: nn.Module) -> None:
        """Set what the training values owe to the one before them."""
        model, channels = self.config.model, self.preprocessor.channels
        factor, scale = fit_ar1(self.training_series, channels, model.horizon, persistence=model.persistence)
        cast(DetectorNetwork, network).init_autoregression(factor, scale)

    # Training

    @cached_property
    def training_series(self) -> list[EncodedSeries]:
        """The training steps of each series: what is held out behind them is not even a target."""
        return [one.encoded.until(one.last) for one in self.dataset.train.segments]

    def make_windows(self, batch: int, seed: int) -> Windows[Batch]:
        steps, horizon = self.config.data.window, self.config.model.horizon
        if steps is None:
            raise ValueError("window has to be chosen before there are batches")
        return SegmentWindows(self.training_series, lanes=batch, steps=steps, horizon=horizon, seed=seed)

    def window_loss(self, network: nn.Module, window: Batch, state: State) -> tuple[Tensor, int, State]:
        detector = cast(DetectorNetwork, network)
        device = next(network.parameters()).device
        prediction, state = detector(window.features.to(device), window.previous.to(device), state, window.lengths)
        targets, present = window.targets.to(device), window.present.to(device)
        return detector.nll(prediction, targets, present).sum(), max(1, int(window.present.sum())), state

    def validate(self, predictor: Detector) -> dict[str, float] | None:
        split = self.dataset.valid
        if split is None:
            return None
        return {"nll": mean_nll(predict_errors(predictor.network, split.segments, exact=False))}

    # After training

    def calibrate(self, predictor: Detector) -> None:
        """Set the errors' unit, how whole series are scored, and the scores that a threshold begins with."""
        calibrate(predictor, self.dataset.train, self.dataset.valid)

    def evaluate(
        self,
        predictor: Detector,
        data: list[str] | None,
        progress: Callable[[str], None],
        *,
        baselines: bool = True,
        options: EvaluateOptions | None = None,
    ) -> dict[str, Any]:
        named = (options or EvaluateOptions()).model_dump(exclude_defaults=True)
        if "label" in named and not data:
            raise UsageError(
                "label: names a column of files to measure on, got none; the run's own data were read without it"
            )
        # What is named now says alone what is abnormal, whatever the run has.
        replaced = {"label": None, "anomaly_labels": [], **named} if named else {}
        settings = self.config.data.model_copy(update=replaced)
        split, name = (self._read_files(data, settings), " ".join(data)) if data else self.held_out_split()
        files = data or self.config.data.test or self.config.data.data
        result = evaluate.evaluate(
            predictor,
            split,
            read_labels(split, files, settings, per_series=predictor.per_series),
            name=name,
            normal=(self.dataset.valid or self.dataset.train) if baselines else None,
            calibrated_on=self.is_prepared and split is self.dataset.valid,
            progress=progress,
        )
        return {**result, "skipped": len(split.skipped)} if split.skipped else result

    def _read_files(self, data: list[str], settings: Data) -> Split:
        files, named = resolve_files(data)
        return read_split(files, settings, self.preprocessor, named)

    @classmethod
    def report_blocks(cls, evaluation: Mapping[str, Any]) -> list[Block]:
        return report.blocks(evaluation)
