"""Figures are medians of neighbours in time, and each contestant is shown at its best."""

from __future__ import annotations

import json

import pytest

from recurra.benchmark import Case, ComputeLimit, Report, Result, Shape
from recurra.benchmark.case import training_flops

SHAPE = Shape(64, 64, 16, 100, 1)


def result(threads: int, ours: list[float], theirs: list[float], difference: float = 0.0) -> Result:
    return Result(Case("lstm", SHAPE, "float32", threads), "torch.nn.LSTM", ours, theirs, difference)


def test_the_speedup_is_the_median_of_the_rounds() -> None:
    # The machine slowed down by ten in two rounds; the ratio of neighbours does not see it.
    measured = result(1, [1.0, 1.0, 10.0, 10.0, 1.0], [2.0, 2.0, 20.0, 20.0, 2.0])
    assert measured.speedup == 2.0
    assert measured.ours_ms == 1000.0
    assert measured.peer_ms == 2000.0
    assert measured.gflops == pytest.approx(training_flops("lstm", SHAPE) / 1e9)


def test_outputs_that_differ_are_said_to() -> None:
    assert result(1, [1.0], [1.0], 1e-6).agrees
    assert not result(1, [1.0], [1.0], 1e-2).agrees
    assert not result(1, [1.0], [1.0], float("nan")).agrees


def test_each_at_its_best_number_of_threads() -> None:
    report = Report(compute=[ComputeLimit("float32", 1, 1.0), ComputeLimit("float32", 2, 2.0)])
    report.results = [result(1, [4.0] * 5, [3.0] * 5), result(2, [2.0] * 5, [5.0] * 5)]
    (best,) = report.best()
    assert (best.ours.case.threads, best.theirs.case.threads) == (2, 1)
    assert best.speedup == 1.5
    assert best.share == pytest.approx(best.ours.gflops / 2.0)


def test_what_is_stored_is_json() -> None:
    report = Report(results=[result(1, [1.0] * 5, [2.0] * 5)])
    stored = json.loads(json.dumps(report.as_dict(), allow_nan=False))
    assert stored["version"] == 1
    assert stored["machine"]["torch"]
    assert stored["results"][0]["shape"] == {"I": 64, "H": 64, "B": 16, "T": 100, "L": 1}
    assert stored["results"][0]["speedup"] == 2.0
    assert len(stored["results"][0]["ours_seconds"]) == 5
