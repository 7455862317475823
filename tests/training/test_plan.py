"""The plan: what is measured, what fits the time, and what is said beforehand."""

from __future__ import annotations

import time
from typing import Any

import pytest
import torch

from recurra.training import plan as planning
from recurra.training.config import Training
from recurra.training.plan import MIN_STEPS_BETWEEN_VALIDATIONS, make_plan, measure_steps
from recurra.training.threads import apply_threads


def made(line: Any, **settings: Any) -> planning.Plan:
    return make_plan(line, Training(**settings), 8, time.monotonic())


@pytest.fixture
def speed(monkeypatch: pytest.MonkeyPatch) -> dict[str, float]:
    """Seconds that a step takes in each precision, as if measured."""
    seconds = {"float32": 0.02, "bfloat16": 0.01}

    def measure(task: Any, training: Training, batch: int, limit: float | None) -> dict[str, float]:
        return seconds if training.precision == "auto" else {training.precision: seconds[training.precision]}

    monkeypatch.setattr(planning, "measure_steps", measure)
    return seconds


def test_without_a_time_the_task_says_how_long(line: Any, speed: dict[str, float]) -> None:
    plan = made(line)
    assert (plan.steps, plan.epochs, plan.precision, plan.seconds) == (40, 4.0, "bfloat16", None)
    assert plan.sentence.startswith(
        "40 steps, 4 passes over the data, in bfloat16; about 0 s at the measured 100 steps/s"
    )


def test_the_faster_precision_is_chosen(line: Any, speed: dict[str, float]) -> None:
    speed["bfloat16"] = 0.03
    assert made(line).precision == "float32"
    assert made(line, precision="bfloat16").precision == "bfloat16"


def test_epochs_may_be_a_part(line: Any, speed: dict[str, float]) -> None:
    assert made(line, epochs=2.5).steps == 25
    assert made(line, epochs=0.001).steps == 1


def test_the_plan_fits_the_time(line: Any, speed: dict[str, float]) -> None:
    line.choose_defaults = lambda seconds, measure_seconds: 1e6
    plan = made(line, within="2m")
    assert plan.steps * 0.01 == pytest.approx(120 * 0.9, rel=0.01)
    assert plan.seconds == pytest.approx(108, rel=0.01)
    assert plan.most == 10_000_000  # on a machine that turns quicker it grows to what is worth training
    line.choose_defaults = lambda seconds, measure_seconds: 3.0  # more than is worth training is not trained
    assert made(line, within="2m").steps == 30


def test_time_that_has_passed_counts(line: Any, speed: dict[str, float]) -> None:
    line.choose_defaults = lambda seconds, measure_seconds: 1e6
    plan = make_plan(line, Training(within="100s"), 8, time.monotonic() - 60)
    assert plan.steps * 0.01 == pytest.approx(30, rel=0.05)
    late = make_plan(line, Training(within="1s"), 8, time.monotonic() - 60)
    assert 1 <= late.steps <= 100


def test_validations_are_spread_and_never_rarer_than_an_epoch(line: Any, speed: dict[str, float]) -> None:
    assert made(line, epochs=100, validations=4).every == 10  # one each epoch
    line.per_epoch = 1000
    assert made(line, epochs=2, validations=4).every == 500
    assert made(line, epochs=0.03, validations=20).every == MIN_STEPS_BETWEEN_VALIDATIONS
    assert made(line, epochs=0.003, validations=20).every == 3


def test_measuring_takes_a_few_real_steps_and_changes_no_plan(line: Any) -> None:
    steps = []
    line.on_loss = lambda: steps.append(1)
    seconds = measure_steps(line, Training(), 8)
    assert set(seconds) == {"float32", "bfloat16"}
    assert all(0 < value < 5 for value in seconds.values())
    assert len(steps) == 8
    steps.clear()
    assert all(value > 0 for value in measure_steps(line, Training(), 8, limit=0.0).values())
    assert len(steps) == 2  # one in each precision, however little time there is


def test_threads_are_set_where_they_are_asked_for() -> None:
    before = torch.get_num_threads()
    try:
        apply_threads(1)
        apply_threads(None)
        assert torch.get_num_threads() == 1
    finally:
        torch.set_num_threads(before)
