"""The forecaster keeps what every task promises, with each form and output."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.tasks.forecast.conftest import shops, walk

from recurra.tasks import Settings
from recurra.tasks.forecast import Forecaster, ForecasterConfig
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


def steps(folder: Path, **model: Any) -> Settings:
    data = {"data": [str(walk(folder))], "horizon": 3, "window": 24, "target": ["c0"]}
    return ForecasterConfig.model_validate({"data": data, "model": {**TINY, **model}})


LINES = ["1, 2, 3, 4", "[5, null, 6.5]", "7"]


@pytest.mark.parametrize(("configure", "lines"), [(sales, []), (steps, LINES)])
def test_the_suite(configure: Callable[[Path], Settings], lines: list[str]) -> None:
    check_task(Forecaster, configure, lines=lines)


@pytest.mark.parametrize(
    "model",
    [
        {"output": "student-t", "scale": "robust"},
        {"output": "normal", "transform": "log"},
        {"output": "negative-binomial", "scale": "mean"},
        {"form": "autoregressive", "paths": 16, "output": "normal"},
        {"form": "autoregressive", "paths": 16, "scale": "standard"},
        {"smoothing": True},
        {"cell": "gru", "layers": 2, "dilations": [1, 3], "residual": True},
    ],
    ids=lambda model: "-".join(str(value) for value in model.values()),
)
def test_every_form_learns(model: dict[str, Any]) -> None:
    check_task(Forecaster, lambda folder: sales(folder, **model))
