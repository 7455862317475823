"""Forecasting."""

from recurra.tasks.forecast.config import ForecasterConfig
from recurra.tasks.forecast.task import Forecaster

__all__ = ["Forecaster", "ForecasterConfig"]
