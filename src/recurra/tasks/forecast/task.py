"""The task `forecast`: many to many, ahead; the next values of series, with intervals."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from torch import Tensor, nn

from recurra.tasks.base.defaults import choose_batch
from recurra.tasks.base.split import SplitTask, known
from recurra.tasks.base.task import Carry, register_task
from recurra.tasks.forecast import evaluate as measure
from recurra.tasks.forecast import predict as predicting
from recurra.tasks.forecast import results as answers
from recurra.tasks.forecast.batches import Batch, batches, pieces
from recurra.tasks.forecast.calibrate import stretch_of
from recurra.tasks.forecast.config import ForecasterConfig
from recurra.tasks.forecast.data import Examples, read_examples
from recurra.tasks.forecast.defaults import choose_rate, choose_size
from recurra.tasks.forecast.linear_init import begin_line
from recurra.tasks.forecast.network import ForecastNetwork
from recurra.tasks.forecast.preprocessing import Form


@register_task
class Forecaster(SplitTask[ForecasterConfig, Examples]):
    """Foretells the next values of series, and how sure it is of them."""

    name = "forecast"
    title = "Forecaster"
    Config = ForecasterConfig
    commands = (
        "recurra train forecast sales.csv --time date --target sales --series shop --horizon 28",
        "recurra train forecast pump.csv --every 10min --horizon 144 --within 10m",
        "recurra train forecast airline-passengers",
        "recurra train forecast m4-hourly -o runs/hourly",
        "recurra train --resume runs/hourly",
    )

    def __init__(self, config: ForecasterConfig) -> None:
        super().__init__(config)
        self._form: Form | None = None

    @property
    def criterion(self) -> str:
        return "scaled_crps"

    @property
    def form(self) -> Form:
        """What series have to look like."""
        return known(self._form)

    @property
    def levels(self) -> list[float]:
        """The quantiles that a forecast gives."""
        return self.config.model.levels

    # Data

    def read_data(self) -> Examples:
        examples = read_examples(self.config.data, self.config.model, self._form)
        self._form = examples.form
        return examples

    def counts(self, examples: Examples) -> dict[str, int]:
        counts = {
            "series": len({row.series for row in examples.rows}),
            "targets": len(examples.form.targets),
            "train_steps": sum(examples.ends),
        }
        parts = [part for part in (examples.valid, examples.test) if part is not None]
        return counts | {f"{part.name}_steps": sum(part.ends) - sum(part.firsts) for part in parts}

    def save(self, folder: Path) -> list[str]:
        return self.form.save(folder)

    def restore(self, folder: Path) -> None:
        self._form = Form.load(folder)

    # Training

    @property
    def _window(self) -> int:
        return self.config.data.window

    def choose(self, seconds: float | None, measure: Callable[[], float]) -> float:  # noqa: ARG002
        return choose_size(self.config.model, sum(self.examples.ends))

    def batch_size(self, seconds: float | None) -> int:  # noqa: ARG002
        return choose_batch(len(pieces(self.examples, self._window, 0, 0)), most=32, least=4, batches=4)

    def learning_rate(self) -> float | None:
        return choose_rate(sum(self.examples.ends))

    def network(self) -> ForecastNetwork:
        return ForecastNetwork(self.form, self.config.model)

    def begin(self, network: nn.Module) -> str | None:
        """Begin with a straight line, but for counts, which are no line's, and where what is read changes as smoothing is learnt."""
        model = cast(ForecastNetwork, network)
        pull = begin_line(self, model) if model.begins_straight else None
        if pull is None:
            return None
        to = {"naive": "the season before", "last": "the last of them", "mean": "their mean"}[pull.to]
        if pull.to == "naive" and self.form.season == 1:
            to = "the step before"
        values = "the last value" if model.lookback == 1 else f"the last {model.lookback:,} values"
        return f"begins with a straight line from {values}, shrunk towards {to}"

    @property
    def _ahead(self) -> int:
        return 1 if self.config.model.form == "autoregressive" else self.form.horizon

    def batches(self, epoch: int, *, batch: int, seed: int, start: int = 0) -> Iterator[Batch]:
        loss_by, origins, window = self.config.model.loss_by, self.config.data.origins, self._window
        cut = {"origins": origins, "batch": batch, "seed": seed, "epoch": epoch, "start": start}
        return batches(self.examples, window, self._ahead, loss_by, **cut)

    def batch_count(self, epoch: int, *, batch: int, seed: int) -> int:
        return -(-len(pieces(self.examples, self._window, seed, epoch)) // batch)

    def loss(self, network: nn.Module, batch: Batch, carry: Carry) -> tuple[Tensor, int, Carry]:  # noqa: ARG002
        model = cast(ForecastNetwork, network)
        device = next(model.parameters()).device
        inputs, windows, naive = model.seen(batch)
        hidden, _ = model(inputs, model.stack.zero_state(inputs.shape[1]), batch.lengths)
        raw, centre = model.say(hidden[batch.steps, batch.lanes], windows, batch.ahead.to(device), naive)
        usual = model.usual_error
        cost = model.output.loss(raw, centre, batch.targets.to(device) / usual, batch.units.to(device) * usual)
        weights = batch.weights.to(device) * usual
        if self.config.model.output != "quantiles":  # a likelihood has no unit: all weigh alike
            weights = (weights > 0).to(weights.dtype)
        return (cost * weights).sum(), int((batch.weights > 0).sum()), None

    def validate(self, network: nn.Module) -> dict[str, float] | None:
        part = self.examples.valid
        return None if part is None else measure.watched(self, network, part)

    def settle(self, network: nn.Module) -> None:
        """Set how much wider or narrower the intervals have to be than was learnt."""
        if self.config.model.calibrate:
            stretch = network.get_buffer("stretch")
            stretch.fill_(1.0)
            stretch.fill_(stretch_of(self, network))

    def sample(self, network: nn.Module, seed: int) -> str | None:
        return predicting.few_lines(self, network, seed)

    # After training

    def evaluate(
        self, network: nn.Module, data: list[str] | None, progress: Callable[[str], None], *, baselines: bool = True
    ) -> dict[str, Any]:
        return measure.evaluation(self, network, data, progress, baselines=baselines)

    # What a forecaster can be asked

    def parse(self, line: str) -> Any:
        return predicting.parsed(self, line)

    def inputs(self, source: str) -> list[Any] | None:
        return predicting.read_inputs(self, source)

    def piped(self, first: bytes, rest: Callable[[], bytes]) -> list[Any] | None:
        return predicting.read_table(self, first + rest()) if predicting.begins_table(first) else None

    def predict(
        self, network: nn.Module, inputs: Sequence[Any], *, k: int | None = None, steps: bool = False
    ) -> list[dict[str, Any]]:
        """Give the forecast of each series; see `predicting.predict`."""
        return predicting.predict(self, network, inputs, k=k, steps=steps)

    def prediction_line(self, result: Mapping[str, Any]) -> str:
        return answers.line(result)

    def prediction_header(self, result: Mapping[str, Any]) -> str | None:
        return answers.header(result)
