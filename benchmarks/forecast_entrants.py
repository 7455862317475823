"""What takes part in `forecast_peer.py`: the series, neuralforecast's LSTM, and ours, to be trained and to be asked for forecasts."""

from __future__ import annotations

import csv
import os
import time
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from neuralforecast import NeuralForecast
from neuralforecast.losses.pytorch import MQLoss
from neuralforecast.models import LSTM
from pytorch_lightning import Callback

import recurra
from recurra.runs.config import configure
from recurra.tasks import get_task
from recurra.training.step import TrainState

HORIZON, SEASON, LENGTH = 48, 24, 144
HIDDEN, LAYERS = 128, 2
QUANTILES = [0.025, 0.1, 0.25, 0.5, 0.75, 0.9, 0.975]
PRECISIONS = {"float32": "32-true", "bfloat16": "bf16-mixed"}
SAME = {
    "hidden": HIDDEN,
    "layers": LAYERS,
    "quantiles": QUANTILES,
    "window": LENGTH,
    "horizon": HORIZON,
    "season": SEASON,
}
COLUMNS = {"series": "unique_id", "time": "ds", "target": ["y"], "valid_share": 0.0, "test_share": 0.0}
PLAIN = {"dropout": 0.0, "layer_norm": False, "lookback": 1}
OURS = {"recurra": {**PLAIN, "origins": 1}, "recurra, 32 origins": PLAIN, "recurra, as it comes": {}}
PEER = "neuralforecast"


def hourly() -> pd.DataFrame:
    """Read the training part of M4 hourly, a row for each step."""
    path = Path(os.environ.get("RECURRA_DATA", "data")) / "m4" / "Train" / "Hourly-train.csv"
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.reader(file))[1:]
    values = [np.array([float(value) for value in row[1:] if value]) for row in rows]
    return pd.DataFrame(
        {
            "unique_id": np.repeat([row[0] for row in rows], [len(each) for each in values]),
            "ds": np.concatenate([np.arange(1, len(each) + 1) for each in values]),
            "y": np.concatenate(values),
        }
    )


def ends(frame: pd.DataFrame, series: int) -> pd.DataFrame:
    """Make so many series of the last steps of those there are, again and again under new names."""
    last = [each["y"].to_numpy()[-LENGTH:] for _, each in frame.groupby("unique_id", sort=False)]
    chosen = [last[number % len(last)] for number in range(series)]
    names = np.repeat([f"S{number:05}" for number in range(series)], LENGTH)
    steps = np.tile(np.arange(1, LENGTH + 1), series)
    return pd.DataFrame({"unique_id": names, "ds": steps, "y": np.concatenate(chosen)})


class Clock(Callback):
    """When each step of the peer's training ended."""

    def __init__(self) -> None:
        self.ends: list[float] = []

    def __deepcopy__(self, memo: dict[int, Any]) -> Clock:  # neuralforecast trains a copy of its model
        return self

    def on_train_batch_end(self, *_: Any) -> None:
        self.ends.append(time.perf_counter())

    def seconds(self) -> float:
        """Seconds of a step, the first left out."""
        return (self.ends[-1] - self.ends[0]) / (len(self.ends) - 1)


def peer(
    batch: int, precision: str, steps: int, clock: Clock | None = None, at_once: int | None = None
) -> NeuralForecast:
    """Make neuralforecast's LSTM; at_once: series that are forecast side by side, by default 32."""
    model = LSTM(
        h=HORIZON,
        input_size=LENGTH,
        encoder_n_layers=LAYERS,
        encoder_hidden_size=HIDDEN,
        loss=MQLoss(quantiles=QUANTILES),
        max_steps=steps,
        windows_batch_size=batch,
        valid_batch_size=at_once,
        scaler_type="standard",
        precision=PRECISIONS[precision],
        enable_progress_bar=False,
        enable_model_summary=False,
        enable_checkpointing=False,
        logger=False,
        callbacks=[] if clock is None else [clock],
        accelerator="cpu",
    )
    return NeuralForecast(models=[model], freq=1)


def make_state(table: Path, batch: int, precision: str, settings: dict[str, Any]) -> tuple[TrainState, Iterator[Any]]:
    """Make our network in training, and batches without an end."""
    wanted = {**SAME, **COLUMNS, **settings, "precision": precision, "batch": batch}
    configuration = configure("forecast", {"data": [str(table)], **wanted})
    task = get_task("forecast")(configuration.settings)
    task.prepare(None)
    task.choose_defaults(None, lambda: 0.0)
    torch.manual_seed(1)
    batches = (each for epoch in count() for each in task.batches(epoch, batch=batch, seed=1))
    return TrainState(task, configuration.training, precision), (each for each in batches if _chunks(each) == batch)


def _chunks(batch: Any) -> int:
    return int(batch.inputs.shape[1])


def our_forecast(run: recurra.Run, wanted: pd.DataFrame, series: int) -> float:
    """Give the seconds of a prediction of so many series by ours."""
    start = time.perf_counter()
    results = run.predict([wanted])
    seconds = time.perf_counter() - start
    assert len(results) == series
    assert all(np.isfinite(each["mean"]).all() and len(each["mean"]) == HORIZON for each in results)
    return seconds


def their_forecast(model: NeuralForecast, wanted: pd.DataFrame, series: int) -> float:
    """Give the seconds of a prediction of so many series by the peer."""
    start = time.perf_counter()
    results = model.predict(wanted)
    seconds = time.perf_counter() - start
    assert len(results) == series * HORIZON
    assert np.isfinite(results.drop(columns=["unique_id", "ds"]).to_numpy()).all()
    return seconds
