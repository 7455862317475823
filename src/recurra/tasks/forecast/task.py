"""The task `forecast`: many to many, ahead; the next values of series, with intervals."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, cast

from torch import Tensor, nn

from recurra.report.blocks import Block
from recurra.tasks.base.defaults import batch_size_for
from recurra.tasks.base.registry import register_task
from recurra.tasks.base.task import CarriedState, Task
from recurra.tasks.forecast import report
from recurra.tasks.forecast.backtest import EvaluationSet
from recurra.tasks.forecast.batches import Batch, BatchOptions, batches, sample_chunks
from recurra.tasks.forecast.calibrate import fit_interval_scale
from recurra.tasks.forecast.config import ForecasterConfig
from recurra.tasks.forecast.data import Dataset, read_dataset
from recurra.tasks.forecast.defaults import choose_size, learning_rate_for
from recurra.tasks.forecast.evaluate import evaluate, preview_forecast, read_evaluation_set, validation_metrics
from recurra.tasks.forecast.linear_init import init_linear
from recurra.tasks.forecast.network import ForecastNetwork
from recurra.tasks.forecast.predict import Forecaster
from recurra.tasks.forecast.preprocessing import ForecastPreprocessor


@register_task
class ForecastingTask(Task[ForecasterConfig, Dataset]):
    """Trains a `Forecaster`."""

    name = "forecast"
    title = "Forecaster"
    element = ("value", "values")
    samples_title, usage = report.SAMPLES_TITLE, report.USAGE
    Config = ForecasterConfig
    Predictor = Forecaster
    cli_examples = (
        "recurra train forecast sales.csv --time date --target sales --series shop --horizon 28",
        "recurra train forecast pump.csv --every 10min --horizon 144 --within 10m",
        "recurra train forecast airline-passengers",
        "recurra train forecast m4-hourly -o runs/hourly",
        "recurra train --resume runs/hourly",
    )
    samples_title, usage = report.SAMPLES_TITLE, report.USAGE

    @property
    def criterion(self) -> str:
        return "scaled_crps"

    # Data

    def read_dataset(self, preprocessor: ForecastPreprocessor | None) -> Dataset:
        return read_dataset(self.config.data, self.config.model, preprocessor)

    def count_dataset(self, dataset: Dataset) -> dict[str, int]:
        counts = {
            "series": len({one.series for one in dataset.series}),
            "targets": len(dataset.preprocessor.targets),
            "train_steps": sum(dataset.train_ends),
        }
        splits = [split for split in (dataset.valid, dataset.test) if split is not None]
        return counts | {f"{split.name}_steps": sum(split.ends) - sum(split.firsts) for split in splits}

    # Training

    def choose_defaults(self, seconds: float | None, measure_seconds: Callable[[], float]) -> float:  # noqa: ARG002
        return choose_size(self.config.model, sum(self.dataset.train_ends))

    def default_batch_size(self, seconds: float | None) -> int:  # noqa: ARG002
        return batch_size_for(self.batch_count(0, batch=1, seed=0), most=32, least=4, batches=4)

    def default_learning_rate(self) -> float | None:
        return learning_rate_for(sum(self.dataset.train_ends))

    @property
    def batch_options(self) -> BatchOptions:
        """How batches are made."""
        data, model = self.config.data, self.config.model
        horizon = 1 if model.strategy == "recursive" else self.preprocessor.horizon
        return BatchOptions(data.window, data.origins, horizon, model.loss_scale)

    def initialize(self, network: nn.Module) -> str | None:
        """Set a straight line, but not for counts, which are no line's, nor where what is read changes as smoothing is learnt."""
        model = cast(ForecastNetwork, network)
        target = init_linear(model, self.dataset, self.batch_options) if model.starts_linear else None
        if target is None:
            return None
        to = {"naive": "the season before", "last": "the last of them", "mean": "their mean"}[target.to]
        if target.to == "naive" and self.preprocessor.season == 1:
            to = "the step before"
        values = "the last value" if model.lookback == 1 else f"the last {model.lookback:,} values"
        return f"begins with a straight line from {values}, shrunk towards {to}"

    def batches(self, epoch: int, *, batch: int, seed: int, start: int = 0) -> Iterator[Batch]:
        return batches(self.dataset, self.batch_options, batch=batch, seed=seed, epoch=epoch, start=start)

    def batch_count(self, epoch: int, *, batch: int, seed: int) -> int:
        return -(-len(sample_chunks(self.dataset, self.config.data.window, seed, epoch)) // batch)

    def loss(
        self,
        network: nn.Module,
        batch: Batch,
        carried: CarriedState,  # noqa: ARG002
    ) -> tuple[Tensor, int, CarriedState]:
        model = cast(ForecastNetwork, network)
        device = next(model.parameters()).device
        inputs, windows, naive = model.batch_inputs(batch)
        hidden, _ = model(inputs, model.stack.zero_state(inputs.shape[1]), batch.lengths)
        known = batch.known_ahead.to(device)
        raw, centre = model.distribution_parameters(hidden[batch.steps, batch.lanes], windows, known, naive)
        unit = model.usual_error
        loss = model.output.loss(raw, centre, batch.targets.to(device) / unit, batch.scales.to(device) * unit)
        weights = batch.weights.to(device) * unit
        if self.config.model.likelihood != "quantiles":  # a likelihood has no unit: all weigh alike
            weights = (weights > 0).to(weights.dtype)
        return (loss * weights).sum(), int((batch.weights > 0).sum()), None

    def validate(self, predictor: Forecaster) -> dict[str, float] | None:
        return validation_metrics(predictor, self.dataset)

    def sample(self, predictor: Forecaster, seed: int) -> str | None:
        return preview_forecast(predictor, self.dataset, seed)

    # After training

    def calibrate(self, predictor: Forecaster) -> None:
        """Set how much wider or narrower the intervals have to be than was learnt."""
        if self.config.model.calibrate:
            stretch = predictor.network.get_buffer("stretch")
            stretch.fill_(1.0)
            stretch.fill_(fit_interval_scale(predictor, self.dataset))

    def evaluate(
        self,
        predictor: Forecaster,
        data: list[str] | None,
        progress: Callable[[str], None],
        *,
        baselines: bool = True,
        options: Any = None,  # noqa: ARG002
    ) -> dict[str, Any]:
        if data:
            evaluated, name = read_evaluation_set(predictor, data), " ".join(data)
        else:
            dataset, (split, name) = self.dataset, self.held_out_split()
            evaluated = EvaluationSet(
                dataset.series, split, dataset.train_ends, dataset.preprocessor, list(dataset.notes)
            )
        train = self.dataset if baselines else None
        return evaluate(predictor, evaluated, name=name, train=train, progress=progress)

    @classmethod
    def report_blocks(cls, evaluation: Mapping[str, Any]) -> list[Block]:
        return report.blocks(evaluation)
