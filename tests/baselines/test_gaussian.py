"""The plain detectors: against scipy's normal distribution, a slow window, and step by step."""

from __future__ import annotations

import math
import statistics

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recurra.baselines import RollingGaussian, log_tail, windowed_gaussian
from recurra.errors import UsageError


def test_the_tail_is_that_of_scipy_however_small():
    norm = pytest.importorskip("scipy.stats").norm
    deviations = np.concatenate([np.linspace(-9, 9, 1801), [40.0, 1e3, -1e5]])
    exact = -(norm.logsf(np.abs(deviations)) + math.log(2)) / math.log(10)
    np.testing.assert_allclose(log_tail(deviations), exact, rtol=1e-6, atol=1.3e-7)  # 1.2e-7 of the probability
    assert log_tail(np.array([np.inf, -np.inf, 1e200])).tolist() == [math.inf] * 3
    assert log_tail(np.zeros(1)).tolist() == [0.0]


cells = st.one_of(st.floats(-100, 100), st.just(math.nan), st.just(math.inf))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(cells, cells), min_size=1, max_size=40), st.integers(2, 12))
def test_each_channel_is_judged_by_its_last_values(rows, window):
    values = np.array(rows)
    model = RollingGaussian(window=window, warmup=2)
    found = np.stack([model.step(row) for row in values])
    for channel in range(2):
        kept: list[float] = []
        for step, value in enumerate(values[:, channel].tolist()):
            expected = 0.0
            if len(kept) >= 2 and not math.isnan(value):
                spread = max(statistics.pstdev(kept), 1e-6 * max(1e-12, abs(statistics.fmean(kept))))
                expected = float(log_tail(np.array([(value - statistics.fmean(kept)) / spread]))[0])
            assert found[step, channel] == pytest.approx(expected, rel=1e-5, abs=1e-5)
            if math.isfinite(value):
                kept = [*kept, value][-window:]
    assert RollingGaussian(window=window, warmup=2).scores(values).tolist() == found.max(1).tolist()


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 500), st.integers(0, 60))
def test_a_stream_that_is_cut_goes_on_as_if_it_were_not(seed, cut):
    values = np.random.default_rng(seed).normal(size=(60, 3))
    values[np.random.default_rng(seed + 1).uniform(size=(60, 3)) < 0.1] = np.nan
    first = RollingGaussian(window=9, warmup=3)
    before = first.scores(values[:cut])
    after = RollingGaussian(window=9, warmup=3).resume(first.state()).scores(values[cut:])
    assert [*before, *after] == RollingGaussian(window=9, warmup=3).scores(values).tolist()


def test_a_flat_channel_is_surprised_by_a_change_but_not_by_rounding():
    values = np.full((200, 1), 0.1)
    values[100:] = 0.1 + 1e-12
    values[150] = 0.2
    scores = RollingGaussian(window=50).scores(values)
    assert scores[:150].max() < 0.01
    assert scores[150] > 100


def slow_windowed(values, window, step):
    """The published detector, value by value, with lists."""
    kept, waiting, scores, mean, spread = [], [], [], 0.0, 1.0
    for value in values:
        known = bool(kept)
        scores.append(1 - 0.5 * math.erfc(abs(value - mean) / spread / math.sqrt(2)) if known else 0.0)
        if len(kept) < window:
            kept.append(value)
        else:
            waiting.append(value)
            if len(waiting) < step:
                continue
            kept, waiting = [*kept[step:], *waiting], []
        mean, spread = float(np.mean(kept)), float(np.std(kept)) or 1e-6
    return scores


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(-1e3, 1e3), max_size=60), st.integers(1, 20), st.data())
def test_windowed_gaussian_is_that_of_the_benchmark(values, window, data):
    step = data.draw(st.integers(1, window))
    assert windowed_gaussian(np.array(values), window, step).tolist() == slow_windowed(values, window, step)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: RollingGaussian(window=1), "window: expected 2"),
        (lambda: RollingGaussian(window=5, warmup=6), "warmup: expected from 2 to 5"),
        (lambda: RollingGaussian(min_spread_share=0), "min_spread_share: expected"),
        (lambda: RollingGaussian().scores(np.zeros(3)), r"expected steps and channels, \(T, C\), got \(3,\)"),
    ],
)
def test_what_makes_no_sense_is_refused(make, message):
    with pytest.raises(UsageError, match=message):
        make()
    model = RollingGaussian()
    model.step(np.zeros(2))
    with pytest.raises(UsageError, match="a value for each of 2 channels"):
        model.step(np.zeros(3))
