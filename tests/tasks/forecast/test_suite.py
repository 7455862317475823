"""The forecaster keeps what every task promises, with each strategy and likelihood."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.tasks.forecast.conftest import shops, walk

from recurra.tasks import Settings
from recurra.tasks.forecast import ForecasterConfig, ForecastingTask
from recurra.testing import check_task

TINY = {"hidden": 8, "lookback": 7, "dropout": 0.0}


def sales(folder: Path, **model: Any) -> Settings:
    data = {
        "data": [str(shops(folder))],
        "time": "time",
        "series": "shop",
        "target": ["sales"],
        "known": ["promotion"],
        "past": ["visits"],
        "static": ["size"],
        "horizon": 4,
        "window": 24,
    }
    return ForecasterConfig.model_validate({"data": data, "model": {**TINY, **model}})


def walk_steps(folder: Path, **model: Any) -> Settings:
    data = {"data": [str(walk(folder))], "horizon": 3, "window": 24, "target": ["c0"]}
    return ForecasterConfig.model_validate({"data": data, "model": {**TINY, **model}})


LINES = ["1, 2, 3, 4", "[5, null, 6.5]", "7"]


@pytest.mark.parametrize(("configure", "lines"), [(sales, []), (walk_steps, LINES)])
def test_the_suite(configure: Callable[[Path], Settings], lines: list[str]) -> None:
    check_task(ForecastingTask, configure, lines=lines)


@pytest.mark.parametrize(
    "model",
    [
        {"likelihood": "student-t", "window_scaling": "robust"},
        {"likelihood": "normal", "transform": "log"},
        {"likelihood": "negative-binomial", "window_scaling": "mean"},
        {"strategy": "recursive", "samples": 16, "likelihood": "normal"},
        {"strategy": "recursive", "samples": 16, "window_scaling": "standard"},
        {"exponential_smoothing": True},
        {"cell": "gru", "layers": 2, "dilations": [1, 3], "residual": True},
    ],
    ids=lambda model: "-".join(str(value) for value in model.values()),
)
def test_every_strategy_learns(model: dict[str, Any]) -> None:
    check_task(ForecastingTask, lambda folder: sales(folder, **model))
