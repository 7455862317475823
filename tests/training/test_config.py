"""The course of the learning rate by hand, and times as people write them."""

from __future__ import annotations

import math
from typing import Any

import pytest
from pydantic import ValidationError

from recurra.training.config import DEFAULTS, Training, duration, learning_rate


def rates(epochs: float, *times: float, **settings: Any) -> list[float]:
    return [learning_rate(Training(**settings), time, epochs) for time in times]


def test_cosine_rises_then_falls_as_half_a_cosine() -> None:
    got = rates(10, 0, 0.5, 1, 5.5, 10, 12, lr=2.0, warmup=0.1, final_lr=0.1)
    # Warm-up over the first tenth; the middle of the rest is the mean of 2.0 and 0.2.
    assert got == pytest.approx([0.02, 1.0, 2.0, 1.1, 0.2, 0.2])
    (quarter,) = rates(10, 1 + 9 / 4, lr=2.0, warmup=0.1, final_lr=0.1)
    assert quarter == pytest.approx(0.2 + 1.8 * (1 + math.sqrt(0.5)) / 2)


def test_linear_falls_evenly() -> None:
    assert rates(10, 0, 2.5, 5, 10, lr=1.0, warmup=0, schedule="linear", final_lr=0.2) == pytest.approx(
        [1, 0.8, 0.6, 0.2]
    )


def test_constant_stays() -> None:
    assert rates(4, 0, 1, 4, lr=0.5, warmup=0.25, schedule="constant") == [0.005, 0.5, 0.5]


def test_decay_is_the_published_schedule_of_zaremba() -> None:
    # Zaremba et al. 2014, medium: 6 epochs at 1, then divided by 1.2 after each.
    got = rates(39, 0, 5.99, 6, 7.5, 38, optimizer="sgd", lr=1.0, schedule="decay", decay=1 / 1.2, hold=6, warmup=0.5)
    assert got == pytest.approx([1, 1, 1 / 1.2, 1 / 1.2**2, 1 / 1.2**33])


def test_the_default_is_the_optimizers() -> None:
    for optimizer, default in DEFAULTS.items():
        assert rates(1, 0.5, schedule="constant", optimizer=optimizer) == [default["lr"]]


@pytest.mark.parametrize(
    ("text", "seconds"), [("90s", 90), ("20m", 1200), ("1h30m", 5400), ("2.5m", 150), (" 1D ", 86400), ("1m1m", 120)]
)
def test_times(text: str, seconds: float) -> None:
    assert duration(text) == seconds


@pytest.mark.parametrize("text", ["", "20", "m", "20 m", "-5m", "1e3s", "20min", "0s", "0m0s", "二十分", "1.m"])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="expected a time"):
        duration(text)
    with pytest.raises(ValidationError):
        Training(within=text)


@pytest.mark.parametrize(
    "settings",
    [{"epochs": math.inf}, {"epochs": 0}, {"lr": math.nan}, {"lr": math.inf}, {"clip": 0}, {"ema": 1}, {"seed": -1},
     {"batch": 0}, {"threads": 0}, {"patience": 0}, {"decay": 1.1}, {"weight_decay": math.inf}, {"clip": math.nan}],
)  # fmt: skip
def test_values_that_make_no_sense_are_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Training(**settings)
