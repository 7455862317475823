"""The headline: how the model compares with the best baseline."""

from __future__ import annotations

from typing import Any

from recurra.report.headline import section
from recurra.report.record import Record


def headline(accuracy: float, baseline: float) -> str:
    evaluation: dict[str, Any] = {
        "data": "test",
        "metrics": {"accuracy": accuracy},
        "baselines": {"tfidf-logistic": {"accuracy": baseline}},
        "details": {"intervals": {"accuracy": [accuracy - 0.03, accuracy + 0.03]}},
    }
    return section(Record({}, evaluations=[evaluation]))


def test_a_baseline_within_the_interval_may_be_level() -> None:
    assert "so small a difference can be chance" in headline(0.8, 0.795)
    assert "can be chance" not in headline(0.8, 0.5)
    better = headline(0.8, 0.805)
    assert "TF-IDF + logistic regression is better" in better and "can be chance" in better


def test_without_baselines_there_is_nothing_to_compare_with() -> None:
    evaluation: dict[str, Any] = {"data": "test", "metrics": {"accuracy": 0.5}, "baselines": {}}
    assert "No baseline was measured to compare it with." in section(Record({}, evaluations=[evaluation]))
