"""neuralforecast's LSTM, GRU or RNN on the series of airline passengers that it comes with."""

from __future__ import annotations

import logging
import os
import sys
import warnings
from typing import Any

os.environ.setdefault("KINETO_LOG_LEVEL", "9")

import numpy as np
import torch
from neuralforecast import NeuralForecast
from neuralforecast.models import GRU, LSTM, RNN
from neuralforecast.utils import AirPassengersPanel
from pytorch_lightning import Callback, LightningModule, Trainer
from turns import Run, Stopwatch, arguments, take_turns

from recurra import accelerate

MODELS = {"lstm": LSTM, "gru": GRU, "rnn": RNN}
HORIZON = 12


class Losses(Callback):
    """The loss of every step; neuralforecast trains a copy of its model, so it is heard from the trainer."""

    def __init__(self) -> None:
        self.losses: list[float] = []

    def __deepcopy__(self, memo: dict[int, Any]) -> Losses:
        return self

    def on_train_batch_end(self, trainer: Trainer, pl_module: LightningModule, outputs: Any, *_: Any) -> None:  # noqa: ARG002  its owner names them
        self.losses.append(float(outputs["loss"] if isinstance(outputs, dict) else outputs))


def main() -> int:
    parser = arguments("neuralforecast", 150, "steps of the optimizer")
    parser.add_argument("--model", choices=MODELS, default="lstm")
    options = parser.parse_args()
    warnings.filterwarnings("ignore")
    for name in ("pytorch_lightning", "lightning_fabric", "lightning.pytorch", "lightning.fabric"):
        logging.getLogger(name).setLevel(logging.ERROR)
    torch.set_num_threads(options.threads)
    known = AirPassengersPanel[AirPassengersPanel.ds < AirPassengersPanel["ds"].values[-HORIZON]]
    held = AirPassengersPanel[AirPassengersPanel.ds >= AirPassengersPanel["ds"].values[-HORIZON]]

    def train(ours: bool, steps: int) -> Run:
        heard = Losses()
        model = MODELS[options.model](
            h=HORIZON,
            input_size=4 * HORIZON,
            max_steps=steps,
            scaler_type="standard",
            windows_batch_size=128,
            random_seed=options.seed,
            enable_progress_bar=False,
            enable_model_summary=False,
            enable_checkpointing=False,
            logger=False,
            callbacks=[heard],
            accelerator="cpu",
        )
        swapped = accelerate(model).swapped if ours else []
        forecaster = NeuralForecast(models=[model], freq="ME")
        with Stopwatch() as watch:
            forecaster.fit(known)
        forecast = forecaster.predict().sort_values(["unique_id", "ds"])
        column = forecast[type(model).__name__].to_numpy()
        truth = held.sort_values(["unique_id", "ds"])["y"].to_numpy()
        metrics = {
            "mean absolute error": float(np.abs(column - truth).mean()),
            "mean forecast": float(column.mean()),
            "last loss": heard.losses[-1],
        }
        return Run(watch.wall, watch.cpu, heard.losses, metrics, swapped)

    # Rounding grows as the training goes on: tight while it has not, within a hundredth at the end.
    same = take_turns(
        f"neuralforecast {options.model}",
        ["neuralforecast", "pytorch-lightning"],
        train,
        options,
        first=20,
        tolerance=1e-4,
        loose={"mean absolute error": 0.05, "mean forecast": 0.01, "last loss": 0.05},
        profiled=15,
    )
    return 0 if same else 1


if __name__ == "__main__":
    sys.exit(main())
