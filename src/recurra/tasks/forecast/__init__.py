"""The forecaster.

Files, in the order in which they may import each other: config scaling series covariates preprocessing defaults data batches network linear_init
results sampling backtest explain predict baselines calibrate evaluate report task.
"""

from recurra.tasks.forecast.config import ForecasterConfig
from recurra.tasks.forecast.predict import Forecaster
from recurra.tasks.forecast.task import ForecastingTask

__all__ = ["Forecaster", "ForecasterConfig", "ForecastingTask"]
