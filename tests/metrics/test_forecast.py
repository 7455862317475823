"""The metrics of forecasts: by hand, against utilsforecast, and in memory that does not grow."""

from __future__ import annotations

import math
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recurra.errors import DivergedError, UsageError
from recurra.metrics import (
    ForecastScores,
    coverage,
    crps,
    level_weights,
    mae,
    mase,
    mse,
    naive_scale,
    over_series,
    owa,
    quantile_loss,
    rmse,
    scaled,
    smape,
)

HALVES = [0.05 + step / 10 for step in range(10)]  # each the middle of a tenth


def test_by_hand():
    actual, forecast = np.array([[100.0, 200.0, np.nan]]), np.array([[50.0, 200.0, 7.0]])
    assert smape(actual, forecast) == pytest.approx([200 * 50 / 150 / 2])
    assert mae(actual, forecast).tolist() == [25.0]
    assert mse(actual, forecast).tolist() == [1250.0]
    assert rmse(actual, forecast) == pytest.approx([math.sqrt(1250)])
    assert mase(actual, forecast, np.array([10.0])).tolist() == [2.5]
    assert coverage(actual, forecast - 50, forecast).tolist() == [0.5]
    # 0.2·(100 − 50) and 0.2·0; then (0.8 − 1)·(100 − 150) and (0.8 − 1)·(200 − 260)
    bounds = np.stack([forecast, np.array([[150.0, 260.0, 8.0]])], axis=-1)
    assert quantile_loss(actual, bounds, [0.2, 0.8]) == pytest.approx(np.array([[5.0, 11.0]]))


def test_smape_reaches_200_and_is_0_where_both_are_0():
    assert smape(np.array([[1.0], [0.0], [-2.0], [0.0]]), np.array([[-3.0], [0.0], [-2.0], [5.0]])).tolist() == [
        200.0,
        0.0,
        0.0,
        200.0,
    ]


def test_the_scale_of_mase():
    history = np.array([1.0, 2.0, 4.0, np.nan, 3.0])
    assert float(naive_scale(history, 1)) == pytest.approx(1.5)  # |2 − 1|, |4 − 2|
    assert float(naive_scale(history, 2)) == pytest.approx(2.0)  # |4 − 1|, |3 − 4|
    assert math.isnan(naive_scale(history, 5))
    assert math.isnan(naive_scale(np.array([]), 1))
    assert naive_scale(np.stack([history, 2 * history], 1), 1) == pytest.approx([1.5, 3.0])
    assert float(naive_scale(np.tile([1.0, 5.0], 4), 2)) == 0.0


def test_a_series_without_a_scale_is_left_out_of_the_mean():
    values = scaled(np.array([1.0, 4.0, 6.0]), np.array([0.0, 2.0, np.nan]))
    assert np.isnan(values).tolist() == [True, False, True]
    assert over_series(values) == 2.0
    assert math.isnan(over_series(np.array([np.nan])))


def test_owa_of_the_published_table():
    """M4's table of hourly series: sNaive and ES-RNN compared with Naive2."""
    assert round(owa(13.912, 1.193, 18.383, 2.395), 3) == 0.627
    assert round(owa(9.328, 0.893, 18.383, 2.395), 3) == 0.440
    assert math.isnan(owa(1.0, 1.0, 0.0, 1.0))


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6))
def test_crps_approaches_that_of_the_whole_distribution(seed):
    """Of a normal distribution it is known in closed form (Gneiting and Raftery 2007); 500 levels are near enough to see it."""
    from statistics import NormalDist

    chance = np.random.default_rng(seed)
    middle, wide, actual = chance.normal(0, 3), chance.uniform(0.5, 2), chance.normal(0, 3)
    levels = [(step + 0.5) / 500 for step in range(500)]
    normal = NormalDist(middle, wide)
    z = (actual - middle) / wide
    unit = NormalDist()
    exact = wide * (z * (2 * unit.cdf(z) - 1) + 2 * unit.pdf(z) - 1 / math.sqrt(math.pi))
    forecast = np.array([[[normal.inv_cdf(level) for level in levels]]])
    # The sum over levels is a midpoint rule; what it misses is in the tails, ~wide/500.
    assert crps(np.array([[actual]]), forecast, levels)[0] == pytest.approx(exact, abs=wide * 2e-3)


def test_levels_stand_for_those_nearest_to_them_in_any_order():
    assert level_weights([0.9, 0.1, 0.5]) == pytest.approx([0.3, 0.3, 0.4])
    assert level_weights(HALVES) == pytest.approx(np.full(10, 0.1))
    assert level_weights([0.3]).tolist() == [1.0]
    actual, forecast = np.array([[3.0, 4.0]]), np.array([[[1.0, 2.0, 5.0], [4.0, 5.0, 6.0]]])
    turned = crps(actual, forecast[..., ::-1], [0.95, 0.5, 0.1])
    assert turned == pytest.approx(crps(actual, forecast, [0.1, 0.5, 0.95]), rel=1e-12)


def test_each_series_has_the_same_weight_however_many_origins_it_has():
    scores = ForecastScores()
    scores.add(0, 1.0, np.zeros((9, 1, 1)), np.full((9, 1, 1), 1.0))
    scores.add(1, 1.0, np.zeros((1, 1, 1)), np.full((1, 1, 1), 3.0))
    assert scores.metrics()["mae"] == 2.0
    assert scores.by_step()["mae"] == [1.2]  # of ten values, each the same


def test_channels_count_as_series_do():
    scores = ForecastScores()
    forecast = np.array([[[1.0, 5.0]], [[3.0, 5.0]]])
    scores.add(np.array([0, 1]), np.array([[1.0, np.nan], [0.0, 2.0]]), np.zeros((2, 1, 2)), forecast)
    assert scores.metrics()["mae"] == 3.5
    assert scores.metrics()["mase"] == pytest.approx((1.0 + 2.5) / 2)
    alone = [ForecastScores().add(np.array([0, 1]), 1.0, np.zeros((2, 1, 1)), forecast[..., [c]]) for c in (0, 1)]
    assert [one.metrics()["mae"] for one in alone] == [2.0, 5.0]
    assert scores.without_scale == 2


def test_origin_after_origin_is_all_at_once():
    chance = np.random.default_rng(5)
    actual, forecast = chance.normal(size=(2, 30, 4, 3))
    series = chance.integers(0, 7, 30)
    whole, parts = ForecastScores(), ForecastScores()
    whole.add(series, 2.0, actual, forecast)
    for number, one in enumerate(series):
        parts.add(int(one), 2.0, actual[[number]], forecast[[number]])
    assert parts.metrics() == pytest.approx(whole.metrics(), rel=1e-12)
    for name, steps in parts.by_step().items():
        assert steps == pytest.approx(whole.by_step()[name], rel=1e-12)


def test_memory_stays_flat_as_origins_come():
    chance = np.random.default_rng(0)
    actual, forecast = chance.normal(size=(2, 50, 24, 2))
    bounds = forecast[..., None] + np.array([-1.0, 0.0, 1.0])
    scores = ForecastScores(24, (0.1, 0.5, 0.9))
    scores.add(0, 1.0, actual, forecast, bounds)
    tracemalloc.start()
    try:
        scores.add(0, 1.0, actual, forecast, bounds)
        before, _ = tracemalloc.get_traced_memory()
        for _ in range(200):
            scores.add(0, 1.0, actual, forecast, bounds)
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert after - before < 10_000  # 10,000 origins of 48 values each would be 3.8 MB
    assert scores.metrics()["mae"] == pytest.approx(np.abs(actual - forecast).mean(), rel=1e-9)


def test_owa_and_its_interval_are_of_the_same_series():
    chance = np.random.default_rng(2)
    actual = chance.normal(50, 10, (40, 3, 1))
    naive, ours = ForecastScores(), ForecastScores()
    off = chance.normal(0, 4, actual.shape)
    naive.add(np.arange(40), 1.0, actual, actual + off)
    for number in range(40):  # another order of space being made
        ours.add(number, 1.0, actual[[number]], actual[[number]] + off[[number]])
    assert ours.metrics(naive)["owa"] == pytest.approx(1.0)
    assert ours.intervals(naive)["owa"] == pytest.approx([1.0, 1.0])
    assert next(iter(ours.metrics(naive))) == "owa"
    low, high = ours.intervals()["mae"]
    assert low < ours.metrics()["mae"] < high
    assert ours.intervals()["mae"] == ours.intervals()["mae"]
    # The deviation of a mean is that of the series' metrics over √N, and 95 % are 1.96 of it to each side.
    wide = 2 * 1.96 * np.abs(off).mean((1, 2)).std() / math.sqrt(40)
    assert high - low == pytest.approx(wide, rel=0.1)


def test_few_series_have_no_interval():
    scores = ForecastScores().add(np.arange(9), 1.0, np.zeros((9, 1, 1)), np.ones((9, 1, 1)))
    assert scores.intervals() == {}


def test_steps_and_scales_that_are_unknown_are_left_out():
    actual = np.array([[[1.0], [np.nan]]])
    scores = ForecastScores().add(0, np.nan, actual, np.zeros((1, 2, 1)))
    assert set(scores.metrics()) == {"smape", "mse", "mae", "rmse"}
    assert scores.by_step()["mae"] == [1.0, None]
    with pytest.raises(UsageError, match="none to score"):
        ForecastScores().add(0, 1.0, np.full((1, 1, 1), np.nan), np.zeros((1, 1, 1))).metrics()


def test_a_forecast_that_is_no_number_is_an_error_even_where_nothing_is_scored():
    with pytest.raises(DivergedError, match=r"expected finite numbers, got nan at \(0, 0\)"):
        mae(np.array([[np.nan]]), np.array([[np.nan]]))
    with pytest.raises(DivergedError, match="mean"):
        ForecastScores().add(0, 1.0, np.zeros((1, 1, 1)), np.full((1, 1, 1), np.inf))
    with pytest.raises(DivergedError, match="quantiles"):
        ForecastScores(levels=[0.5]).add(
            0, 1.0, np.zeros((1, 1, 1)), np.zeros((1, 1, 1)), np.full((1, 1, 1, 1), np.nan)
        )


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: mae(np.zeros((2, 3)), np.zeros((2, 4))), "expected both"),
        (lambda: mae(np.array([[np.inf]]), np.zeros((1, 1))), "infinity at"),
        (lambda: naive_scale(np.zeros(4), 0), "season"),
        (lambda: naive_scale(np.array([np.inf, 1.0]), 1), "infinite"),
        (lambda: crps(np.zeros((1, 1)), np.zeros((1, 1, 2)), [0.5]), "quantiles: expected"),
        (lambda: crps(np.zeros((1, 1)), np.zeros((1, 1, 2)), [0.5, 0.5]), "levels: expected different shares"),
        (lambda: level_weights([0.0, 0.5]), "levels"),
        (lambda: ForecastScores().add(0, 1.0, np.zeros((1, 1)), np.zeros((1, 1))), "origins, steps, channels"),
        (lambda: ForecastScores().add(-1, 1.0, np.zeros((1, 1, 1)), np.zeros((1, 1, 1))), "series: expected"),
        (lambda: ForecastScores(levels=[0.5]).add(0, 1.0, np.zeros((1, 1, 1)), np.zeros((1, 1, 1))), "quantiles: exp"),
        (
            lambda: (
                ForecastScores()
                .add(0, 1.0, np.zeros((1, 2, 1)), np.zeros((1, 2, 1)))
                .add(0, 1.0, np.zeros((1, 1, 1)), np.zeros((1, 1, 1)))
            ),
            "2 steps and 1 channels as before",
        ),
    ],
)
def test_what_is_refused(call, message):
    with pytest.raises(UsageError, match=message):
        call()
