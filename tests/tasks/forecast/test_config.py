"""What a forecaster can be set to, by the present names and by those that runs and command lines had before."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.tasks.forecast.conftest import walk
from typer.testing import CliRunner

import recurra
from recurra.cli import app
from recurra.errors import UsageError
from recurra.runs.config import configure
from recurra.runs.upgrade import upgrade
from recurra.tasks.forecast.config import Data, Model

RECURSIVE = {"form": "autoregressive", "output": "student-t", "levels": [0.1, 0.5, 0.9], "paths": 20}
MULTIVARIATE = {"channels": "together", "scale": "standard", "loss_by": "both", "smoothing": True}


@pytest.mark.parametrize(
    ("before", "now"),
    [
        (
            RECURSIVE,
            {"strategy": "recursive", "likelihood": "student-t", "quantiles": [0.1, 0.5, 0.9], "samples": 20},
        ),
        (
            {**MULTIVARIATE, "end": 80},
            {
                "multivariate": True,
                "window_scaling": "standard",
                "loss_scale": "both",
                "exponential_smoothing": True,
                "max_length": 80,
            },
        ),
        ({"form": "direct", "channels": "apart"}, {"strategy": "direct", "multivariate": False}),
        ({"model.scale": "none", "data.end": 9}, {"window_scaling": "none", "max_length": 9}),
    ],
)
def test_the_names_that_settings_had_before_are_understood(before: dict[str, Any], now: dict[str, Any]) -> None:
    assert configure("forecast", before).settings == configure("forecast", now).settings


def test_a_run_that_was_written_under_the_names_of_before_is_read() -> None:
    written = {"data": {"end": 80, "window": 32}, "model": {**RECURSIVE, "channels": "apart"}}
    assert upgrade({"data": Data, "model": Model}, written) == {
        "data": {"max_length": 80, "window": 32},
        "model": {
            "strategy": "recursive",
            "likelihood": "student-t",
            "quantiles": [0.1, 0.5, 0.9],
            "samples": 20,
            "multivariate": False,
        },
    }


@pytest.mark.parametrize(
    "flags",
    [
        ["--channels", "together", "--scale", "standard", "--output", "normal", "--end", "200"],
        ["--multivariate", "--window-scaling", "standard", "--likelihood", "normal", "--max-length", "200"],
    ],
)
def test_old_and_new_flags_train_the_same(tmp_path: Path, flags: list[str]) -> None:
    fixed = ["--hidden", "4", "--epochs", "0.1", "--horizon", "3", "--lookback", "4", "-q", "--threads", "1"]
    data = str(walk(tmp_path, 300, channels=2))
    done = CliRunner().invoke(app, ["train", "forecast", data, "-o", str(tmp_path / "run"), *fixed, *flags])
    assert done.exit_code == 0, done.output
    settings = recurra.load(tmp_path / "run").configuration.settings
    assert (settings.model.multivariate, settings.model.window_scaling) == (True, "standard")
    assert (settings.model.likelihood, settings.data.max_length) == ("normal", 200)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"likelihood": "negative-binomial"}, "expected window_scaling = mean, no transform, no exponential_smoothing"),
        ({"exponential_smoothing": True, "strategy": "recursive"}, "exponential_smoothing: expected strategy = direct"),
        ({"quantiles": [0.1, 0.9]}, "quantiles: expected 0.5, the point forecast, among them"),
        ({"quantiles": [0.9, 0.5]}, "quantiles: expected rising numbers between 0 and 1"),
        ({"dilations": [1, 2]}, "dilations: expected one for each of 1 layers, got 2"),
        ({"strategy": "autoregressive"}, "strategy: expected one of direct, recursive"),
    ],
)
def test_settings_that_do_not_fit_are_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        configure("forecast", settings)
