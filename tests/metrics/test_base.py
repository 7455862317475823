"""Titles, directions and the wording of comparisons."""

from __future__ import annotations

import math

import pytest

from recurra.metrics import Metric, get_metric, headline_metric, register_metric, registered_metrics
from recurra.metrics.base import register_metric_family


@pytest.mark.parametrize(
    ("key", "model", "other", "words", "better"),
    [
        ("perplexity", 4.12, 6.6, "38 % below", True),
        ("perplexity", 120.0, 100.0, "20 % above", False),
        ("perplexity", 99.7, 100.0, "0.3 % below", True),
        ("perplexity", 5.0, 5.0, "level with", None),
        ("accuracy", 0.91, 0.85, "6.0 points above", True),
        ("auroc", 0.9, 0.85, "0.050 above", True),
        ("calibration_error", 0.09, 0.02, "7.0 points above", False),
        ("exact_match", 0.4, 0.5, "10.0 points below", False),
        ("nll", 1.4, 1.7, "0.300 nats below", True),
        ("some_score", 2.0, 1.0, "100 % above", None),
    ],
)
def test_comparisons(key: str, model: float, other: float, words: str, better: bool | None) -> None:
    assert get_metric(key).compare(model, other) == (
        words.replace(" %", "\u00a0%").replace(" points", "\u00a0points").replace(" nats", "\u00a0nats"),
        better,
    )


def test_the_headline_is_the_metric_with_the_lowest_rank_that_is_finite() -> None:
    def chosen(**metrics: object) -> str | None:
        found = headline_metric(metrics)
        return found.key if found else None

    assert chosen(nll=1.0, bits_per_char=1.4, perplexity=2.7) == "perplexity"
    assert chosen(nll=1.0, perplexity=math.nan) == "nll"
    assert chosen(zzz=3.0, aaa=1.0) == "zzz"
    assert chosen(zzz=3.0, coverage_95=1.0, alarms=2) == "alarms"
    assert chosen(nll=0.5, accuracy=0.8, balanced_accuracy=0.7, macro_f1=0.7, auroc=0.9) == "accuracy"
    assert chosen(nll=0.1, accuracy=0.95, precision=0.5, recall=0.4, f1=0.45) == "f1"
    assert chosen(nll=0.2, exact_match=0.5, micro_f1=0.7, macro_f1=0.6, auroc=0.9) == "micro_f1"
    assert chosen(nll=None, perplexity="4") is None


def test_metrics_take_precedence_in_a_fixed_order() -> None:
    order = """perplexity f1 accuracy micro_f1 exact_match macro_f1 balanced_accuracy adjusted_rand mutual_information
        neighbour_accuracy event_f1 event_precision event_recall average_precision precision recall auroc owa mase scaled_crps
        scaled_mse scaled_mae smape crps mse mae rmse bits_per_char bits_per_byte nll calibration_error
        flagged alarms loss"""
    assert [metric.key for metric in registered_metrics() if metric.key in order.split()] == order.split()


@pytest.mark.parametrize("value", [math.nan, math.inf, None, "4", True, 10**400, 1e300])
def test_what_is_no_finite_number_is_a_dash(value: object) -> None:
    assert all(each.format(value) == "–" for each in registered_metrics())


def test_a_metric_that_nobody_has_described_keeps_its_name_and_has_no_direction() -> None:
    assert get_metric("my_score") == Metric("my_score", "my score")
    assert get_metric("coverage_95").title == "inside the 95\u00a0% interval"


def test_no_two_metrics_have_a_key_or_a_rank_in_common(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("recurra.metrics.base._metrics", {})
    register_metric(Metric("first", "the first", rank=1), Metric("unranked", "u"), Metric("unranked too", "u"))
    with pytest.raises(ValueError, match="'first' is registered already"):
        register_metric(Metric("first", "another", rank=2))
    with pytest.raises(ValueError, match="second: the rank 1 is that of first"):
        register_metric(Metric("second", "the second", rank=1))


def test_a_family_describes_whole_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("recurra.metrics.base._families", [])
    register_metric_family(r"top_(\d+)", lambda match: Metric(match[0], f"in the first {match[1]}", percent=True))
    assert get_metric("top_5").title == "in the first 5"
    assert get_metric("not_top_5").title == "not top 5"
