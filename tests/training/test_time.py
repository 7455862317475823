"""A training that has a limit of time plans again as it goes."""

from __future__ import annotations

import time
from typing import Any

import pytest
from tests.training.conftest import Events, MakeTrainer


class Clock:
    """Time that passes only where the test says so."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 100.0
        monkeypatch.setattr(time, "monotonic", lambda: self.now)

    def passes(self, seconds: float) -> None:
        self.now += seconds


def test_a_machine_that_turns_slower_is_planned_for_again(
    line: Any, make_trainer: MakeTrainer, events: Events, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock(monkeypatch)
    line.on_loss = lambda: clock.passes(0.05 if trainer.position.step < 12 else 0.4)
    trainer = make_trainer(line, {"steps": 200, "most": 200, "epochs": 20.0, "every": 10, "seconds": 10.0})
    assert trainer.run() == "finished"
    assert trainer.position.seconds == pytest.approx(10, rel=0.05)
    assert trainer.position.step == pytest.approx(12 + 9.4 / 0.4, abs=2)
    assert events("plan")[-1]["steps"] == trainer.position.step
    assert trainer.plan.epochs == pytest.approx(trainer.plan.steps / 10, rel=0.01)
    rates = [event["lr"] for event in events("train")]
    assert rates[-1] < 0.1 * max(rates)  # the schedule still comes to its end


def test_a_machine_that_was_slow_for_a_while_gets_its_steps_back(
    line: Any, make_trainer: MakeTrainer, events: Events, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock(monkeypatch)
    line.on_loss = lambda: clock.passes(0.4 if 10 <= trainer.position.step < 14 else 0.02)
    trainer = make_trainer(line, {"steps": 300, "most": 300, "epochs": 30.0, "every": 10, "seconds": 8.0})
    assert trainer.run() == "finished"
    assert min(event["steps"] for event in events("plan")) < 150
    assert trainer.position.step > 270
    assert trainer.position.seconds < 8.5


def test_a_single_step_beyond_the_time_is_the_last(
    line: Any, make_trainer: MakeTrainer, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock(monkeypatch)
    line.on_loss = lambda: clock.passes(60)
    trainer = make_trainer(line, {"steps": 200, "most": 200, "epochs": 20.0, "every": 10, "seconds": 10.0})
    assert (trainer.run(), trainer.position.step, len(line.validated)) == ("finished", 1, 1)


def test_validation_that_takes_long_is_done_less_often(
    line: Any, make_trainer: MakeTrainer, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock(monkeypatch)
    line.on_loss = lambda: clock.passes(0.05)
    validate = line.validate
    monkeypatch.setattr(line, "validate", lambda network: (clock.passes(2), validate(network))[1])
    trainer = make_trainer(line, {"steps": 600, "most": 600, "epochs": 60.0, "every": 10, "seconds": 30.0})
    assert trainer.run() == "finished"
    assert len(line.validated) <= 4
    assert trainer.position.seconds == pytest.approx(30, rel=0.1)


def test_a_machine_as_fast_as_was_measured_keeps_its_plan(
    line: Any, make_trainer: MakeTrainer, events: Events, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock(monkeypatch)
    line.on_loss = lambda: clock.passes(0.05)
    trainer = make_trainer(line, {"seconds": 2.0, "most": 40})
    assert trainer.run() == "finished"
    assert trainer.position.step == 40
    assert events("plan") == []


def test_a_machine_that_was_busy_when_it_was_measured_is_planned_for_upwards(
    line: Any, make_trainer: MakeTrainer, events: Events, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock(monkeypatch)
    line.on_loss = lambda: clock.passes(0.02)
    trainer = make_trainer(line, {"steps": 100, "most": 5000, "epochs": 10.0, "every": 50, "seconds": 20.0})
    assert trainer.run() == "finished"
    assert 19 < trainer.position.seconds < 20.1
    assert trainer.position.step == pytest.approx(1000, rel=0.03)
    assert trainer.plan.epochs == pytest.approx(trainer.plan.steps / 10, rel=0.01)
    rates = [event["lr"] for event in events("train")]
    assert rates[-1] < 0.1 * max(rates)  # and the schedule ends with the time


def test_a_plan_of_a_few_steps_is_looked_at_before_its_end(
    line: Any, make_trainer: MakeTrainer, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock(monkeypatch)
    line.on_loss = lambda: clock.passes(0.01)
    trainer = make_trainer(line, {"steps": 2, "most": 5000, "epochs": 0.2, "every": 50, "seconds": 10.0})
    assert trainer.run() == "finished"
    assert 9.4 < trainer.position.seconds < 10.1


def test_no_more_is_trained_than_is_worth_it(
    line: Any, make_trainer: MakeTrainer, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock(monkeypatch)
    line.on_loss = lambda: clock.passes(0.01)
    trainer = make_trainer(line, {"steps": 100, "most": 150, "epochs": 10.0, "every": 50, "seconds": 20.0})
    assert (trainer.run(), trainer.position.step) == ("finished", 150)
