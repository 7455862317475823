"""What is said loudly of an evaluation."""

from __future__ import annotations

from typing import Any

import pytest

from recurra.report.warnings import evaluation_warnings
from recurra.verbs.base.evaluation import print_evaluation


def result(
    value: float, other: float | None = 0.5, notes: tuple[str, ...] = (), name: str = "majority"
) -> dict[str, Any]:
    baselines = {} if other is None else {name: {"accuracy": other}}
    return {
        "data": "test",
        "count": 40,
        "metrics": {"accuracy": value},
        "baselines": baselines,
        "details": {"notes": [*notes]},
    }


@pytest.mark.parametrize(
    ("given", "part"),
    [
        (result(0.0), "nothing is right"),
        (result(0.5), "no better than the majority class"),
        (result(0.4), "no better than the majority class"),
        (result(0.9, notes=("warning: 9 of 9 labels",)), "9 of 9 labels"),
    ],
)
def test_warnings_come_last_and_loud(given: dict[str, Any], part: str, capsys: pytest.CaptureFixture[str]) -> None:
    (line,) = evaluation_warnings(given)
    assert part in line
    print_evaluation(given, "examples", shown=given["details"]["notes"])
    last = capsys.readouterr().err.strip().splitlines()[-1]
    assert last == f"WARNING: {line}"


@pytest.mark.parametrize("given", [result(0.8), result(1.0, 1.0), result(0.5, None), result(0.5, 0.6, name="1-nn")])
def test_what_is_in_order_is_not_warned_of(given: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    assert evaluation_warnings(given) == []
    print_evaluation(given, "examples")
    assert "WARNING" not in capsys.readouterr().err


def test_no_alarm_is_no_failure() -> None:
    assert evaluation_warnings({"metrics": {"event_f1": 0.0}, "baselines": {}}) == []


def test_a_loss_of_zero_is_no_failure() -> None:
    assert evaluation_warnings({"metrics": {"nll": 0.0}, "baselines": {"uniform": {"nll": 1.6}}}) == []
    assert evaluation_warnings({"metrics": {"nll": 1.7}, "baselines": {"uniform": {"nll": 1.6}}}) != []


@pytest.mark.parametrize("value", [0.0, 0.5])
def test_a_few_examples_are_no_reason_to_be_loud(value: float) -> None:
    few = result(value, notes=("warning: 9 of 9 labels",))
    assert len(evaluation_warnings(few | {"count": 10})) == 2
    assert evaluation_warnings(few | {"count": 9}) == evaluation_warnings(few | {"count": 1}) == ["9 of 9 labels"]
    assert len(evaluation_warnings({"count": 1, "metrics": {"nll": 1.7}, "baselines": {"uniform": {"nll": 1.6}}})) == 1
